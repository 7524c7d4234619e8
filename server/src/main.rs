//! The binary: one process that serves pages and programs, and runs the controller.

mod accounts;
mod assessor;
mod cli;
mod conditions;
mod config;
mod doors;
mod edge;
mod embeddings;
mod investigator;
mod neighbours;
mod notify;
mod outbound;
mod policy_file;
mod redact;
mod registry;
mod scene;
mod serve;
mod services;
mod signal_mapping;
mod signatures;
mod terminal;
mod trail_watch;
mod urlencoded;
mod world;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    // One TLS provider for the database and the cluster, before anybody asks for one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = cli::Cli::parse();
    cli::logging(&cli);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::complain(&format!("no threads can be started: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(cli::run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            terminal::complain(&fault.message);
            fault.code
        }
    }
}
