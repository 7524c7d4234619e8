//! Settings: defaults < file < environment < flags. Each keeps where it came from, for `config show`.

mod assess;
mod audit;
mod embeddings;
mod file;
mod general;
mod holmes;
mod notify;
mod oidc;
mod parse;
mod setting;
mod show;
mod signals;
mod signatures;
mod source;

pub use assess::{AssessConfig, MetricQuery};
pub use embeddings::EmbeddingsConfig;
pub use holmes::HolmesConfig;
pub use notify::{NotifyConfig, Receiver};
pub use oidc::OidcConfig;
pub use setting::{Setting, settings};
pub use signals::SignalsConfig;
pub use signatures::SignaturesConfig;
pub use source::{ConfigError, Given};

use domain::{
    ports::SessionLimits,
    token_review::{BadMapping, ClusterRoles},
};
use ipnet::IpNet;
use parse::{
    audience, cluster, days, duration, environment, hosts, image, namespace, networks, on_or_off, public_url, scene,
    span,
};
use source::{Reader, Source};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// No session lives longer, whatever is set.
const SESSION_MOST: Duration = Duration::from_millis(SessionLimits::MOST_MS.unsigned_abs());

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
    /// The file that the approval policy is kept in; none where it is kept in the console.
    pub policy_file: Option<PathBuf>,
    /// What labels of alerts mean, and whose Warnings are signals.
    pub signals: SignalsConfig,
    /// Who investigates, if anybody does.
    pub holmes: Option<HolmesConfig>,
    /// How long raw history is kept, days.
    pub retention_days: u32,
    /// The file with the keys of the audit trail.
    pub audit_key_file: PathBuf,
    /// How long audit rows are kept, days; for ever when none.
    pub audit_retention_days: Option<u32>,
    /// How long a session lives unused.
    pub session_idle: Duration,
    /// How long a session lives however much it is used.
    pub session_max_age: Duration,
    /// How long ago a person may have signed in who approves a high risk.
    pub recent_sign_in: Duration,
    /// The proxies that may say for whom they ask (`X-Forwarded-For`); nobody else is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Who of the cluster may call with their Kubernetes token, and as what.
    pub token_review: ClusterRoles,
    /// For whom such a token must have been made.
    pub token_review_audience: String,
    /// Whether the cluster is asked about each person who approves.
    pub subject_access_review: bool,
    /// Whether models are told what was measured.
    pub mcp_track_record: bool,
    /// The first admin's password; one is made when there is none.
    pub admin_password: Option<String>,
    /// When and where it is looked whether runs helped.
    pub assess: AssessConfig,
    /// The provider that people sign in at, if there is one.
    pub oidc: Option<OidcConfig>,
    /// Whether people sign in with accounts of the console's own.
    pub local_accounts: bool,
    /// Who is told of recommendations.
    pub notify: NotifyConfig,
    /// Whose signatures of images count; none where nobody looks at them.
    pub signatures: Option<SignaturesConfig>,
    /// The model of embeddings, if there is one.
    pub embeddings: Option<EmbeddingsConfig>,
    sources: BTreeMap<&'static str, Source>,
}

impl Config {
    /// Puts the sources together. `env` reads an environment variable.
    pub fn load(flags: &Given, file: Option<&Path>, env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let (texts, sources) = source::gather(flags, file, &env)?;
        let reader = Reader { texts: &texts, sources: &sources };
        let data_dir = texts.get("data-dir").map_or_else(|| default_data_dir(&env), PathBuf::from);
        let cluster = reader.get("cluster", "sandbox", cluster, "write sandbox, kubeconfig or in-cluster")?;
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
            cluster,
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
            policy_file: texts.get("policy-file").map(PathBuf::from),
            signals: signals::read(&reader)?,
            holmes: holmes::read(&reader)?,
            retention_days: reader.get("retention-days", "90", days, "write a number of days, 90 or more")?,
            audit_key_file: audit::key_file(&reader, &data_dir),
            audit_retention_days: audit::retention(&reader)?,
            session_idle: reader.get(
                "session-idle",
                "30m",
                |t| span(t, Duration::from_mins(5)..=SESSION_MOST),
                "write a duration from 5m to 7d, such as 30m",
            )?,
            session_max_age: reader.get(
                "session-max-age",
                "12h",
                |t| span(t, Duration::from_mins(5)..=SESSION_MOST),
                "write a duration from 5m to 7d, such as 12h",
            )?,
            recent_sign_in: reader.get(
                "recent-sign-in",
                "10m",
                duration,
                "write a duration from 10s to 24h, such as 10m",
            )?,
            trusted_proxies: reader.get(
                "trusted-proxies",
                "none",
                networks,
                "write networks such as 10.0.0.0/8, with commas between them, or none",
            )?,
            token_review: token_review(&reader)?,
            token_review_audience: reader.get(
                "token-review-audience",
                "kubernaut-console",
                audience,
                "write a word or an address without blanks, such as kubernaut-console",
            )?,
            subject_access_review: reader.get("subject-access-review", "off", on_or_off, "write on or off")?,
            mcp_track_record: reader.get("mcp-track-record", "off", on_or_off, "write on or off")?,
            admin_password: texts.get("admin-password").cloned(),
            assess: assess::read(&reader, cluster)?,
            oidc: oidc::read(&reader)?,
            local_accounts: reader.get("local-accounts", "on", on_or_off, "write on or off")?,
            notify: notify::read(&reader, &env)?,
            signatures: signatures::read(&reader)?,
            embeddings: embeddings::read(&reader)?,
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

    /// How long sessions live.
    pub fn session_limits(&self) -> SessionLimits {
        SessionLimits { idle_ms: millis(self.session_idle), max_age_ms: millis(self.session_max_age) }
    }
}

/// A duration in milliseconds.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// `$XDG_STATE_HOME/kubernaut-console`, else `~/.local/state/kubernaut-console`, else a folder here.
fn default_data_dir(env: &impl Fn(&str) -> Option<String>) -> PathBuf {
    let state = env("XDG_STATE_HOME").filter(|v| !v.is_empty()).map(PathBuf::from);
    let home = || env("HOME").filter(|v| !v.is_empty()).map(|h| PathBuf::from(h).join(".local/state"));
    state.or_else(home).unwrap_or_else(|| PathBuf::from(".")).join("kubernaut-console")
}

/// Mappings, or `@` and the file that has them, one a line.
fn token_review(reader: &Reader<'_>) -> Result<ClusterRoles, ConfigError> {
    const NAME: &str = "token-review";
    let mut text = reader.get(NAME, "none", |t| Some(t.to_owned()), "")?;
    if text == "none" {
        return Ok(ClusterRoles::default());
    }
    if let Some(path) = text.strip_prefix('@').map(PathBuf::from) {
        let read = std::fs::read_to_string(&path);
        text = read.map_err(|error| ConfigError::File { path, detail: error.to_string() })?;
    }
    text.parse().map_err(|error: BadMapping| reader.wrong(NAME, &text, error.to_string()))
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
            ("session-idle", "1m"),
            ("session-max-age", "30d"),
            ("recent-sign-in", "1s"),
            ("trusted-proxies", "10.0.0.0/8, proxy.example"),
            ("token-review", "sre=operator"),
            ("token-review", "viewer"),
            ("token-review-audience", "two words"),
            ("subject-access-review", "maybe"),
            ("mcp-track-record", "maybe"),
        ] {
            let flags = Given::from([(name, value.to_owned())]);
            let error = Config::load(&flags, None, no_env).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("flag") && error.contains("write"), "{error}");
        }
    }
}
