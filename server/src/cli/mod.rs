//! The command line. A fault is one sentence that says what to do; exit code 2 for wrong settings, 1 for the rest.

mod accounts;
mod audit;
mod doctor;
mod flags;
mod import;
mod list_volume;

use crate::{
    config::Config,
    doors, edge, serve,
    terminal::{Fault, print},
};
use clap::{Parser, Subcommand};
use flags::Flags;
use std::{io::IsTerminal as _, path::PathBuf, sync::Arc};
use store::{KeyFile, OpenError, Store};

/// Reviews, decides and runs remediations of Kubernetes that a language model recommends.
#[derive(Debug, Parser)]
#[command(name = "kubernaut-console", version)]
pub struct Cli {
    /// Configuration file (TOML; keys are the flags' names)
    #[arg(long, global = true, env = "KUBERNAUT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the console (the default)
    Serve,
    /// API tokens
    #[command(subcommand)]
    Token(accounts::TokenCommand),
    /// Local accounts
    #[command(subcommand)]
    User(accounts::UserCommand),
    /// Groups of the provider that people sign in at
    #[command(subcommand)]
    Group(accounts::GroupCommand),
    /// The audit trail: checking it, its keys, legal hold
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Registers playbooks from kubernaut's own RemediationWorkflows (kubernaut.ai/v1alpha1)
    Import(import::Import),
    /// Brings the database up to date and ends
    Migrate,
    /// Looks whether the cluster has all that runs need, and says what mends each miss; changes nothing
    Doctor,
    /// Prints the custom resource definitions as YAML
    Crds,
    /// Prints what a directory holds as JSON: names, kinds, sizes and times, never contents. A run's workspace is listed by it
    ListVolume {
        /// The directory
        path: PathBuf,
    },
    /// The configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Prints every route with what each role may: the table of docs/authorisation.md
    #[command(hide = true)]
    Routes,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Prints every setting with its origin; secrets are hidden
    Show,
}

/// Does what the command line says.
pub async fn run(cli: Cli) -> Result<(), Fault> {
    let config = || Config::load(&cli.flags.0, cli.config.as_deref(), |name| std::env::var(name).ok());
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(config()?).await,
        Command::Token(command) => {
            let config = config()?;
            accounts::tokens(&config, open(&config).await?, command).await
        }
        Command::User(command) => {
            let config = config()?;
            accounts::users(&config, open(&config).await?, command).await
        }
        Command::Group(command) => {
            let config = config()?;
            accounts::groups(&config, open(&config).await?, command).await
        }
        Command::Audit(command) => audit::run(config()?, command).await,
        Command::Import(files) => import::import(&config()?, files).await,
        Command::Migrate => {
            open(&config()?).await?;
            print("the database is up to date");
            Ok(())
        }
        Command::Doctor => doctor::doctor(&config()?).await,
        Command::Crds => {
            print(controller::crd::crds_yaml().map_err(|e| Fault::failed(e.to_string()))?.trim_end());
            Ok(())
        }
        Command::ListVolume { path } => list_volume::list_volume(&path),
        Command::Config(ConfigCommand::Show) => {
            for (name, value, origin) in config()?.show() {
                print(&format!("{name:<24} {value:<48} {origin}"));
            }
            Ok(())
        }
        Command::Routes => {
            print(doors::rights::table(&doors::declared()).trim_end());
            Ok(())
        }
    }
}

/// Opens the database of this configuration. Without the key of its audit trail nothing could be done with it.
pub async fn open(config: &Config) -> Result<Store, Fault> {
    let store = Store::open(&config.database_url, options(config)).await?;
    if !store.audit_key_is_there().await? {
        tracing::error!("the audit trail is broken: its end names no key; `kubernaut-console audit verify` says more");
    }
    Ok(store)
}

/// The same where that key may be missing, and no chain begins: to look at the trail, and to change its key.
async fn open_as_it_is(config: &Config) -> Result<Store, OpenError> {
    Store::open_as_it_is(&config.database_url, options(config)).await
}

fn options(config: &Config) -> store::Options {
    let keys = KeyFile::at(&config.audit_key_file, edge::audit_key);
    store::Options {
        audit_keys: Some(Arc::new(keys)),
        local_accounts: config.local_accounts,
        subscriptions: config.notify.receivers.iter().map(|receiver| receiver.subscription.clone()).collect(),
        ..store::Options::default()
    }
}

/// Structured logs on standard error: JSON when that is no terminal. `RUST_LOG` chooses what; only `serve` logs by default.
pub fn logging(cli: &Cli) {
    use tracing_subscriber::{EnvFilter, fmt};
    let usual = if matches!(cli.command, None | Some(Command::Serve)) { "info" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() { builder.compact().init() } else { builder.json().init() }
}
