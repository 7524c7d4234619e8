//! The project's own steps, started as `cargo xtask …`; the Makefile is their front door.
//!
//! It knows cargo, wasm-bindgen and files. It does not know what the console does.

mod build_web;
mod rust;
mod site;
mod style;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Build steps of Kubernaut Console")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds the browser half (WebAssembly, style, fonts) into target/site, with .br and .gz beside each file.
    BuildWeb {
        /// Built fast instead of small.
        #[arg(long)]
        dev: bool,
    },
    /// Lints the browser half for WebAssembly; warnings are errors.
    LintWeb,
    /// Fills a database with realistic history: --executions N, --database-url URL.
    Seed {
        /// Handed on to `bench seed`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Reports recall@5 of the catalog's search; with --model DIR by meaning, too.
    Recall {
        /// Handed on to `bench recall`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measures what each list, search and statistic costs on a seeded database.
    MeasureQueries {
        /// Handed on to `bench queries`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let root = workspace_root()?;
    match task {
        Task::BuildWeb { dev } => build_web::run(&root, dev),
        Task::LintWeb => rust::Wasm::find(&root)?.lint(),
        Task::Seed { arguments } => bench(&root, "seed", &[], &arguments),
        Task::MeasureQueries { arguments } => bench(&root, "queries", &[], &arguments),
        Task::Recall { arguments } => {
            let with_model = arguments.iter().any(|argument| argument.starts_with("--model"));
            let features: &[&str] = if with_model { &["--features", "local"] } else { &[] };
            bench(&root, "recall", features, &arguments)
        }
    }
}

/// Builds and runs the tool `bench`, which knows the store; the build steps do not.
fn bench(root: &Path, task: &str, features: &[&str], arguments: &[String]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["run", "--release", "--quiet", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .args(["--package", "bench"])
        .args(features)
        .args(["--", task])
        .args(arguments)
        .status()
        .context("cargo does not start")?;
    if status.success() { Ok(()) } else { bail!("bench {task} failed") }
}

/// The workspace's directory: where `xtask/` lies, whichever directory the caller stands in.
fn workspace_root() -> Result<PathBuf> {
    // Asked when it runs, not when it was built: checkouts may share what cargo builds.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).context("start it as `cargo xtask`")?;
    here.parent().map(PathBuf::from).context("xtask/ lies in no workspace")
}
