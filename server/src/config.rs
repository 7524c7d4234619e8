//! Settings: defaults < file < environment < flags. Each keeps where it came from, for `config show`.

mod audit;
mod oidc;

pub use oidc::OidcConfig;

use crate::redact::redacted;
use axum::http::Uri;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// Where a setting came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// The configuration file.
    File,
    /// An environment variable.
    Environment,
    /// A flag.
    Flag,
}

impl Source {
    const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
            Self::Flag => "flag",
        }
    }
}

/// Which cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterChoice {
    /// The built-in one.
    Sandbox,
    /// As kubectl would: `KUBECONFIG`, else the home directory's.
    Kubeconfig,
    /// The one that this process runs in.
    InCluster,
}

/// Whether a small world lives in the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// No.
    Off,
    /// Incidents arise, a scripted investigator answers, ninety days of history are there.
    Demo,
}

/// Everything that can be set.
#[derive(Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The database.
    pub database_url: String,
    /// Where the embedded database lies.
    pub data_dir: PathBuf,
    /// Which cluster.
    pub cluster: ClusterChoice,
    /// What the cluster is for, such as production: always in sight beside its name.
    pub environment: Option<String>,
    /// The namespace of the runs.
    pub namespace: String,
    /// Where people reach the console; derived from `listen` when not set.
    pub public_url: Option<String>,
    /// Names by which the console is reached besides that one and loopback addresses.
    pub allowed_hosts: Vec<String>,
    /// The most connections that one address may have open.
    pub connections_per_address: u32,
    /// Whether a small world lives in the sandbox.
    pub scene: Scene,
    /// How long a recommendation can be decided and its approval holds.
    pub approval_ttl: Duration,
    /// The Secret with the kubeconfig that playbooks use (parameter seed); none when the pod's own account reaches the target.
    pub kubeconfig_secret: Option<String>,
    /// The image by which workspaces are listed; none where they are not.
    pub lister_image: Option<String>,
    /// How long raw history is kept, days.
    pub retention_days: u32,
    /// The file with the keys of the audit trail.
    pub audit_key_file: PathBuf,
    /// How long audit rows are kept, days; for ever when none.
    pub audit_retention_days: Option<u32>,
    /// The first admin's password; one is made when there is none.
    pub admin_password: Option<String>,
    /// The provider that people sign in at, if there is one.
    pub oidc: Option<OidcConfig>,
    /// Whether people sign in with accounts of the console's own.
    pub local_accounts: bool,
    sources: BTreeMap<&'static str, Source>,
}

/// As `config show` has it: without secrets.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.show().into_iter().map(|(name, value, _)| (name, value))).finish()
    }
}

/// A setting that can't be used. The message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("the configuration file {} can't be used: {detail}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// A value has the wrong form.
    #[error("{name} (from {from}) is \"{value}\": {advice}")]
    Value {
        /// Which setting.
        name: &'static str,
        /// Where it came from.
        from: &'static str,
        /// What it was.
        value: String,
        /// What it should be.
        advice: String,
    },
    /// Settings that don't go together.
    #[error("{0}")]
    Together(&'static str),
}

/// The names of all settings: the flag without its dashes is the file's key.
pub const NAMES: [&str; 30] = [
    "listen",
    "database-url",
    "data-dir",
    "cluster",
    "environment",
    "namespace",
    "public-url",
    "allowed-hosts",
    "connections-per-address",
    "scene",
    "approval-ttl",
    "kubeconfig-secret",
    "lister-image",
    "retention-days",
    "audit-key-file",
    "audit-retention",
    "admin-password",
    "oidc-issuer",
    "oidc-client-id",
    "oidc-client-secret",
    "oidc-ca-file",
    "oidc-scopes",
    "oidc-username-claim",
    "oidc-username-prefix",
    "oidc-groups-claim",
    "oidc-groups-prefix",
    "oidc-role",
    "oidc-name",
    "oidc-allow-private",
    "local-accounts",
];

/// Those that are no flags: what stands on a command line is seen by everybody on the machine.
pub const SECRETS: [&str; 2] = ["admin-password", "oidc-client-secret"];

/// What one source says: name and text.
pub type Given = BTreeMap<&'static str, String>;

/// The file's form: a flat TOML table with the flags' names as keys.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct FileForm(BTreeMap<String, toml::Value>);

/// The environment variable of a setting: `KUBERNAUT_` and its name.
pub fn variable(name: &str) -> String {
    format!("KUBERNAUT_{}", name.replace('-', "_").to_uppercase())
}

impl Config {
    /// Puts the sources together. `env` reads an environment variable.
    pub fn load(flags: &Given, file: Option<&Path>, env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let from_file = file.map(read_file).transpose()?.unwrap_or_default();
        let mut sources = BTreeMap::new();
        let mut texts: Given = Given::new();
        for name in NAMES {
            let flag = flags.get(name).cloned().filter(|_| !SECRETS.contains(&name));
            // A list is a line each; a variable has semicolons between them.
            let listed = |v: String| if name == "oidc-role" { v.replace(';', "\n") } else { v };
            let found = flag
                .map(|v| (v, Source::Flag))
                .or_else(|| env(&variable(name)).filter(|v| !v.is_empty()).map(|v| (listed(v), Source::Environment)))
                .or_else(|| from_file.get(name).cloned().map(|v| (v, Source::File)));
            if let Some((value, source)) = found {
                texts.insert(name, value);
                sources.insert(name, source);
            }
        }
        let reader = Reader { texts: &texts, sources: &sources };
        let data_dir = texts.get("data-dir").map_or_else(|| default_data_dir(&env), PathBuf::from);
        let config = Self {
            listen: reader.get(
                "listen",
                "127.0.0.1:3000",
                |t| t.parse().ok(),
                "write an address and a port, such as 127.0.0.1:3000",
            )?,
            database_url: texts
                .get("database-url")
                .cloned()
                .unwrap_or_else(|| store::sqlite_url(&data_dir.join("console.sqlite"))),
            cluster: reader.get("cluster", "sandbox", cluster, "write sandbox, kubeconfig or in-cluster")?,
            environment: reader.get(
                "environment",
                "",
                environment,
                "write a word or two of at most 24 characters, such as production",
            )?,
            namespace: reader.get(
                "namespace",
                "kubernaut-system",
                namespace,
                "write a namespace's name: lower-case letters, digits, inner hyphens",
            )?,
            public_url: texts
                .get("public-url")
                .map(|_| {
                    reader.get(
                        "public-url",
                        "",
                        public_url,
                        "write https://host, or http:// on a loopback address only",
                    )
                })
                .transpose()?,
            allowed_hosts: reader.get(
                "allowed-hosts",
                "",
                hosts,
                "write names without a port, with commas between, such as kubernaut-console.kubernaut-system.svc",
            )?,
            connections_per_address: reader.get(
                "connections-per-address",
                "4096",
                |t| t.parse().ok().filter(|most| (1..=1_000_000).contains(most)),
                "write a number from 1 to 1000000",
            )?,
            scene: reader.get("scene", "off", scene, "write off or demo")?,
            approval_ttl: reader.get(
                "approval-ttl",
                "15m",
                duration,
                "write a duration from 10s to 24h, such as 15m",
            )?,
            kubeconfig_secret: reader.get(
                "kubeconfig-secret",
                "kubeconfig-remediation",
                |t| if t == "none" { Some(None) } else { namespace(t).map(Some) },
                "write a Secret's name, or none when the pod's own account reaches the target",
            )?,
            lister_image: reader.get(
                "lister-image",
                "none",
                |t| if t == "none" { Some(None) } else { image(t).map(Some) },
                "write an image such as registry.example.com/kubernaut/console:0.1.0, or none",
            )?,
            retention_days: reader.get("retention-days", "90", days, "write a number of days, 90 or more")?,
            audit_key_file: audit::key_file(&reader, &data_dir),
            audit_retention_days: audit::retention(&reader)?,
            admin_password: texts.get("admin-password").cloned(),
            oidc: oidc::read(&reader)?,
            local_accounts: reader.get("local-accounts", "on", on_or_off, "write on or off")?,
            data_dir,
            sources,
        };
        if config.scene == Scene::Demo && config.cluster != ClusterChoice::Sandbox {
            return Err(ConfigError::Together(
                "the demo scene lives in the sandbox only: leave out --scene demo, or use --cluster sandbox",
            ));
        }
        if !config.local_accounts && config.oidc.is_none() {
            return Err(ConfigError::Together(
                "nobody could sign in: --local-accounts off needs a provider, which --oidc-issuer names",
            ));
        }
        Ok(config)
    }

    /// All settings with their values and origins, secrets hidden: `config show`.
    pub fn show(&self) -> Vec<(String, String, &'static str)> {
        let values: [(&str, String); 15] = [
            ("listen", self.listen.to_string()),
            ("database-url", redacted(&self.database_url)),
            ("data-dir", self.data_dir.display().to_string()),
            (
                "cluster",
                match self.cluster {
                    ClusterChoice::Sandbox => "sandbox",
                    ClusterChoice::Kubeconfig => "kubeconfig",
                    ClusterChoice::InCluster => "in-cluster",
                }
                .into(),
            ),
            ("environment", self.environment.clone().unwrap_or_else(|| "(not set)".into())),
            ("namespace", self.namespace.clone()),
            ("public-url", self.public_url.clone().unwrap_or_else(|| "(derived from listen)".into())),
            (
                "allowed-hosts",
                if self.allowed_hosts.is_empty() { "(none)".into() } else { self.allowed_hosts.join(",") },
            ),
            ("connections-per-address", self.connections_per_address.to_string()),
            ("scene", if self.scene == Scene::Demo { "demo" } else { "off" }.into()),
            ("approval-ttl", humantime::format_duration(self.approval_ttl).to_string()),
            ("kubeconfig-secret", self.kubeconfig_secret.clone().unwrap_or_else(|| "none".into())),
            ("lister-image", self.lister_image.clone().unwrap_or_else(|| "none".into())),
            ("retention-days", self.retention_days.to_string()),
            ("admin-password", if self.admin_password.is_some() { "(set)" } else { "(not set)" }.into()),
        ];
        let local = ("local-accounts", if self.local_accounts { "on" } else { "off" }.into());
        values
            .into_iter()
            .chain(audit::shown(self))
            .chain(oidc::shown(self.oidc.as_ref()))
            .chain([local])
            .map(|(name, value)| {
                let source = self.sources.get(name).copied().unwrap_or(Source::Default);
                (name.to_owned(), value, source.name())
            })
            .collect()
    }
}

struct Reader<'a> {
    texts: &'a Given,
    sources: &'a BTreeMap<&'static str, Source>,
}

impl Reader<'_> {
    fn get<T>(
        &self,
        name: &'static str,
        default: &str,
        parse: impl Fn(&str) -> Option<T>,
        advice: &str,
    ) -> Result<T, ConfigError> {
        let text = self.texts.get(name).map_or(default, String::as_str);
        parse(text).ok_or_else(|| ConfigError::Value {
            name,
            from: self.sources.get(name).copied().unwrap_or(Source::Default).name(),
            value: text.to_owned(),
            advice: advice.to_owned(),
        })
    }
}

fn read_file(path: &Path) -> Result<Given, ConfigError> {
    let fault = |detail: String| ConfigError::File { path: path.to_owned(), detail };
    let text = std::fs::read_to_string(path).map_err(|e| fault(e.to_string()))?;
    // What stands in the line may be secret: the fault says where it is, and shows nothing of it.
    let FileForm(table) = toml::from_str(&text).map_err(|e| {
        let line = e.span().and_then(|at| text.get(..at.start)).map_or(1, |before| before.matches('\n').count() + 1);
        fault(format!("line {line} is no TOML: write name = \"value\""))
    })?;
    let mut given = Given::new();
    for (key, value) in table {
        let Some(name) = NAMES.into_iter().find(|n| *n == key) else {
            return Err(fault(format!("it has no setting \"{key}\"; known are {}", NAMES.join(", "))));
        };
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Table(table) if name == "oidc-role" => oidc::lines(&table)
                .ok_or_else(|| fault("oidc-role must name a role, or a list of roles, for each group".into()))?,
            other => return Err(fault(format!("{key} must be a text or a number, not a TOML {}", other.type_str()))),
        };
        given.insert(name, text);
    }
    Ok(given)
}

/// `$XDG_STATE_HOME/kubernaut-console`, else `~/.local/state/kubernaut-console`, else a folder here.
fn default_data_dir(env: &impl Fn(&str) -> Option<String>) -> PathBuf {
    let state = env("XDG_STATE_HOME").filter(|v| !v.is_empty()).map(PathBuf::from);
    let home = || env("HOME").filter(|v| !v.is_empty()).map(|h| PathBuf::from(h).join(".local/state"));
    state.or_else(home).unwrap_or_else(|| PathBuf::from(".")).join("kubernaut-console")
}

fn cluster(text: &str) -> Option<ClusterChoice> {
    match text {
        "sandbox" => Some(ClusterChoice::Sandbox),
        "kubeconfig" => Some(ClusterChoice::Kubeconfig),
        "in-cluster" => Some(ClusterChoice::InCluster),
        _ => None,
    }
}

fn on_or_off(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn scene(text: &str) -> Option<Scene> {
    match text {
        "off" => Some(Scene::Off),
        "demo" => Some(Scene::Demo),
        _ => None,
    }
}

/// None where nobody says; a long one would push the page's own name away.
#[expect(clippy::option_option, reason = "not good, good and empty, good and a word")]
fn environment(text: &str) -> Option<Option<String>> {
    const LONGEST: usize = 24;
    let text = text.trim();
    let good = text.chars().nth(LONGEST).is_none() && domain::text::check_line(text).is_ok();
    good.then(|| Some(text.to_owned()).filter(|text| !text.is_empty()))
}

fn namespace(text: &str) -> Option<String> {
    let good = (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    good.then(|| text.to_owned())
}

/// As the cluster's nodes know it: without a registry, too.
fn image(text: &str) -> Option<String> {
    const LONGEST: usize = 512;
    let part = |b: u8| b.is_ascii_alphanumeric() || b"._-/:@".contains(&b);
    let good = (1..=LONGEST).contains(&text.len()) && text.bytes().all(part);
    good.then(|| text.to_owned())
}

/// As a browser or a program names them.
fn hosts(text: &str) -> Option<Vec<String>> {
    const LONGEST: usize = 253;
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let good = |name: &str| {
        let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        name.len() <= LONGEST && (letters || name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok())
    };
    names.map(|name| good(name).then(|| name.to_owned())).collect()
}

fn duration(text: &str) -> Option<Duration> {
    let parsed = humantime::parse_duration(text).ok()?;
    (Duration::from_secs(10)..=Duration::from_hours(24)).contains(&parsed).then_some(parsed)
}

/// At least the ninety days that everything is kept.
fn days(text: &str) -> Option<u32> {
    text.parse().ok().filter(|days| *days >= 90)
}

/// https anywhere; http only where nobody else can listen.
fn public_url(text: &str) -> Option<String> {
    let url: Uri = text.trim_end_matches('/').parse().ok()?;
    let host = url.host()?.trim_matches(['[', ']']);
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let plain = url.path().trim_end_matches('/').is_empty() && url.query().is_none();
    let good = plain && (url.scheme_str() == Some("https") || (url.scheme_str() == Some("http") && loopback));
    good.then(|| text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_env(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("console.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:1\"\nnamespace = \"from-file\"\nretention-days = 120\n").unwrap();
        let env = |name: &str| match name {
            "KUBERNAUT_LISTEN" => Some("127.0.0.1:2".to_owned()),
            "KUBERNAUT_CLUSTER" => Some("kubeconfig".to_owned()),
            _ => None,
        };
        let flags = Given::from([("listen", "127.0.0.1:3".to_owned())]);
        let config = Config::load(&flags, Some(&file), env).unwrap();
        assert_eq!(config.listen.port(), 3);
        assert_eq!(config.cluster, ClusterChoice::Kubeconfig);
        assert_eq!(config.namespace, "from-file");
        assert_eq!(config.retention_days, 120);
        let shown = config.show();
        let origin = |name: &str| shown.iter().find(|(n, ..)| n == name).unwrap().2;
        assert_eq!(["listen", "cluster", "namespace", "scene"].map(origin), ["flag", "environment", "file", "default"]);
    }

    #[test]
    fn a_wrong_value_says_where_it_came_from_and_what_to_write() {
        for (name, value) in [
            ("listen", "nowhere"),
            ("cluster", "cloud"),
            ("scene", "big"),
            ("namespace", "Not A Name"),
            ("public-url", "http://console.example"),
            ("approval-ttl", "1s"),
            ("lister-image", "Not An Image"),
            ("allowed-hosts", "https://console.example"),
            ("connections-per-address", "0"),
            ("retention-days", "7"),
        ] {
            let flags = Given::from([(name, value.to_owned())]);
            let error = Config::load(&flags, None, no_env).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("flag") && error.contains("write"), "{error}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for good in ["https://console.example", "http://127.0.0.1:3000", "http://localhost:8080/", "http://[::1]:3000"]
        {
            assert!(public_url(good).is_some(), "{good}");
        }
        for bad in ["http://console.example", "ftp://x", "console.example", "https://x/path"] {
            assert!(public_url(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn hosts_are_names_without_ports() {
        assert_eq!(hosts(" a.svc, b-1 ,,[::1]"), Some(vec!["a.svc".to_owned(), "b-1".to_owned(), "[::1]".to_owned()]));
        assert_eq!(hosts(""), Some(Vec::new()));
        for bad in ["a:80", "a b", "a/b", "*.a", "a,b:1"] {
            assert_eq!(hosts(bad), None, "{bad}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let env = |name: &str| (name == "KUBERNAUT_ADMIN_PASSWORD").then(|| "hunter2".to_owned());
        let config = Config::load(&Given::new(), None, env).unwrap();
        assert!(!config.show().iter().any(|(_, value, _)| value.contains("hunter2")));
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("console.toml");
        for (text, told) in [
            ("scene = \"off\"\nadmin-password = \"hunter2\n", "is no TOML"),
            ("admin-password = [\"hunter2\"]", "not a TOML array"),
            ("admin-password = hunter2", "line 1 is no TOML"),
            ("[admin-password]\nis = \"hunter2\"", "not a TOML table"),
            ("passwort = \"hunter2\"", "known are"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = Config::load(&Given::new(), Some(&file), no_env).unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("hunter2"), "{text}: {error}");
        }
    }
}
