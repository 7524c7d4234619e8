//! The command line. A fault is one sentence that says what to do; exit code 2 for wrong settings, 1 for the rest.

mod accounts;
mod assess;
mod audit;
mod doctor;
mod embeddings;
mod holmes;
mod import;
mod list_volume;
mod notify;
mod oidc;
mod signals;

use crate::{
    config::{Config, ConfigError},
    doors, edge, serve,
};
use clap::{Args, Parser, Subcommand};
use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};
use store::{KeyFile, OpenError, Store};

/// Reviews, decides and runs remediations of Kubernetes that a language model recommends.
#[derive(Debug, Parser)]
#[command(name = "kubernaut-console", version)]
pub struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Every setting exists as flag, environment variable (KUBERNAUT_…) and key of the file.
#[derive(Debug, Args)]
struct Settings {
    /// Configuration file (TOML; keys are the flags' names)
    #[arg(long, global = true, env = "KUBERNAUT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen; port 0 picks a free one and prints it [KUBERNAUT_LISTEN] [default: 127.0.0.1:3000]
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// sqlite://… or postgres://… [KUBERNAUT_DATABASE_URL] [default: SQLite in the data directory]
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Where the embedded database lies [KUBERNAUT_DATA_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// sandbox, kubeconfig or in-cluster [KUBERNAUT_CLUSTER] [default: sandbox]
    #[arg(long, global = true, value_name = "WHICH")]
    cluster: Option<String>,
    /// What the cluster is for, such as production: always in sight beside its name [KUBERNAUT_ENVIRONMENT]
    #[arg(long, global = true, value_name = "WORD")]
    environment: Option<String>,
    /// The namespace of the runs [KUBERNAUT_NAMESPACE] [default: kubernaut-system]
    #[arg(long, global = true, value_name = "NAME")]
    namespace: Option<String>,
    /// Where people reach the console [KUBERNAUT_PUBLIC_URL] [default: derived from --listen]
    #[arg(long, global = true, value_name = "URL")]
    public_url: Option<String>,
    /// Further names by which it is reached, with commas between [KUBERNAUT_ALLOWED_HOSTS]
    #[arg(long, global = true, value_name = "HOSTS")]
    allowed_hosts: Option<String>,
    /// The most connections of one address; a proxy has one, too [KUBERNAUT_CONNECTIONS_PER_ADDRESS] [default: 4096]
    #[arg(long, global = true, value_name = "NUMBER")]
    connections_per_address: Option<String>,
    /// off, or demo: a small world lives in the sandbox [KUBERNAUT_SCENE] [default: off]
    #[arg(long, global = true, value_name = "SCENE")]
    scene: Option<String>,
    /// How long a recommendation can be decided and its approval holds [KUBERNAUT_APPROVAL_TTL] [default: 15m]
    #[arg(long, global = true, value_name = "DURATION")]
    approval_ttl: Option<String>,
    /// Secret with the kubeconfig that playbooks use, or none [KUBERNAUT_KUBECONFIG_SECRET] [default: kubeconfig-remediation]
    #[arg(long, global = true, value_name = "NAME")]
    kubeconfig_secret: Option<String>,
    /// Image of this program, by which runs' workspaces are listed; none: they are not [KUBERNAUT_LISTER_IMAGE]
    #[arg(long, global = true, value_name = "IMAGE")]
    lister_image: Option<String>,
    /// File with the approval policy (YAML), which is then changed there only [KUBERNAUT_POLICY_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    policy_file: Option<String>,
    /// How long raw history is kept, days [KUBERNAUT_RETENTION_DAYS] [default: 90]
    #[arg(long, global = true, value_name = "DAYS")]
    retention_days: Option<String>,
    /// The keys of the audit trail: one file for all consoles of a database [KUBERNAUT_AUDIT_KEY_FILE] [default: audit.keys in the data directory]
    #[arg(long, global = true, value_name = "FILE")]
    audit_key_file: Option<String>,
    /// How long audit rows are kept, days, or off [KUBERNAUT_AUDIT_RETENTION] [default: off]
    #[arg(long, global = true, value_name = "DAYS")]
    audit_retention: Option<String>,
    /// How long a session lives unused [KUBERNAUT_SESSION_IDLE] [default: 30m]
    #[arg(long, global = true, value_name = "DURATION")]
    session_idle: Option<String>,
    /// How long a session lives however much it is used [KUBERNAUT_SESSION_MAX_AGE] [default: 12h]
    #[arg(long, global = true, value_name = "DURATION")]
    session_max_age: Option<String>,
    /// How long ago a person may have signed in who approves a high risk, changes accounts or policies [KUBERNAUT_RECENT_SIGN_IN] [default: 10m]
    #[arg(long, global = true, value_name = "DURATION")]
    recent_sign_in: Option<String>,
    /// Networks of the proxies whose X-Forwarded-For is believed, or none [KUBERNAUT_TRUSTED_PROXIES] [default: none]
    #[arg(long, global = true, value_name = "NETWORKS")]
    trusted_proxies: Option<String>,
    /// Who of the cluster may call with a Kubernetes token: system:serviceaccount:NAMESPACE:NAME=ROLE or GROUP=ROLE, with commas between
    /// them, @FILE with one a line, or none [KUBERNAUT_TOKEN_REVIEW] [default: none]
    #[arg(long, global = true, value_name = "MAPPINGS")]
    token_review: Option<String>,
    /// For whom such a token must have been made [KUBERNAUT_TOKEN_REVIEW_AUDIENCE] [default: kubernaut-console]
    #[arg(long, global = true, value_name = "AUDIENCE")]
    token_review_audience: Option<String>,
    /// on: the cluster is asked whether it lets the person remediate there who approves; or off [KUBERNAUT_SUBJECT_ACCESS_REVIEW] [default: off]
    #[arg(long, global = true, value_name = "WHETHER")]
    subject_access_review: Option<String>,
    /// on: models are told how often playbooks have worked, which can bias them; or off [KUBERNAUT_MCP_TRACK_RECORD] [default: off]
    #[arg(long, global = true, value_name = "WHETHER")]
    mcp_track_record: Option<String>,
    #[command(flatten)]
    signals: signals::SignalSettings,
    /// File that says whose signatures of images count, and which registries are asked (YAML) [KUBERNAUT_SIGNATURES_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    signatures_file: Option<String>,
    #[command(flatten)]
    assess: assess::AssessSettings,
    #[command(flatten)]
    holmes: holmes::HolmesSettings,
    #[command(flatten)]
    oidc: oidc::OidcSettings,
    #[command(flatten)]
    notify: notify::NotifySettings,
    #[command(flatten)]
    embeddings: embeddings::EmbeddingsSettings,
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

/// Why the process ends: a sentence for people, and the exit code.
#[derive(Debug)]
pub struct Fault {
    /// What happened and what to do.
    pub message: String,
    /// 2 for wrong settings, 1 for the rest.
    pub code: ExitCode,
}

impl Fault {
    /// Something outside is not as it should be.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: ExitCode::FAILURE }
    }

    /// A setting can't be used.
    pub fn wrong_setting(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: ExitCode::from(2) }
    }
}

impl From<ConfigError> for Fault {
    fn from(error: ConfigError) -> Self {
        Self::wrong_setting(error.to_string())
    }
}

impl From<OpenError> for Fault {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Url(_) => Self::wrong_setting(error.to_string()),
            other => Self::failed(other.to_string()),
        }
    }
}

impl From<domain::ports::AuditKeysError> for Fault {
    fn from(error: domain::ports::AuditKeysError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<domain::ports::StoreError> for Fault {
    fn from(error: domain::ports::StoreError) -> Self {
        Self::failed(error.to_string())
    }
}

/// Does what the command line says.
pub async fn run(cli: Cli) -> Result<(), Fault> {
    let config = || load(&cli.settings);
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

fn load(settings: &Settings) -> Result<Config, ConfigError> {
    let given = [
        ("listen", &settings.listen),
        ("database-url", &settings.database_url),
        ("data-dir", &settings.data_dir),
        ("cluster", &settings.cluster),
        ("environment", &settings.environment),
        ("namespace", &settings.namespace),
        ("public-url", &settings.public_url),
        ("allowed-hosts", &settings.allowed_hosts),
        ("connections-per-address", &settings.connections_per_address),
        ("scene", &settings.scene),
        ("approval-ttl", &settings.approval_ttl),
        ("kubeconfig-secret", &settings.kubeconfig_secret),
        ("lister-image", &settings.lister_image),
        ("policy-file", &settings.policy_file),
        ("retention-days", &settings.retention_days),
        ("audit-key-file", &settings.audit_key_file),
        ("audit-retention", &settings.audit_retention),
        ("session-idle", &settings.session_idle),
        ("session-max-age", &settings.session_max_age),
        ("recent-sign-in", &settings.recent_sign_in),
        ("trusted-proxies", &settings.trusted_proxies),
        ("token-review", &settings.token_review),
        ("token-review-audience", &settings.token_review_audience),
        ("subject-access-review", &settings.subject_access_review),
        ("mcp-track-record", &settings.mcp_track_record),
        ("signatures-file", &settings.signatures_file),
    ];
    let flags = given.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
    let flags = flags.chain(settings.signals.given()).chain(settings.oidc.given()).chain(settings.notify.given());
    let flags = flags.chain(settings.assess.given()).chain(settings.embeddings.given());
    let flags = flags.chain(settings.holmes.given()).collect();
    Config::load(&flags, settings.config.as_deref(), |name| std::env::var(name).ok())
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

/// A line on standard output.
pub fn print(line: &str) {
    let mut out = std::io::stdout().lock();
    // A closed pipe is the reader's choice, no fault.
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

/// The one sentence of a fault, on standard error.
pub fn complain(message: &str) {
    let _ = writeln!(std::io::stderr().lock(), "kubernaut-console: {message}");
}

/// Structured logs on standard error: JSON when that is no terminal. `RUST_LOG` chooses what; only `serve` logs by default.
pub fn logging(cli: &Cli) {
    use tracing_subscriber::{EnvFilter, fmt};
    let usual = if matches!(cli.command, None | Some(Command::Serve)) { "info" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() { builder.compact().init() } else { builder.json().init() }
}

/// The names of the settings, so that the command line and the configuration can't drift apart.
#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_setting_that_is_no_secret_has_its_flag() {
        let command = Cli::command();
        for name in crate::config::NAMES {
            let has = command.get_arguments().any(|a| a.get_long() == Some(name));
            assert_eq!(has, !crate::config::SECRETS.contains(&name), "--{name}");
        }
    }
}
