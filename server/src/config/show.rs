//! What is set, as `config show` has it: with where it came from, and without secrets.

use super::{
    ClusterChoice, Config, Scene, Source, assess, audit, embeddings, holmes, notify, oidc, signals, signatures,
};
use crate::redact::redacted;
use ipnet::IpNet;
use std::fmt;

/// As `config show` has it: without secrets.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.show().into_iter().map(|(name, value, _)| (name, value))).finish()
    }
}

impl Config {
    /// All settings with their values and origins, secrets hidden: `config show`.
    pub fn show(&self) -> Vec<(String, String, &'static str)> {
        let values: [(&str, String); 24] = [
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
            ("policy-file", self.policy_file.as_ref().map_or_else(|| "none".into(), |path| path.display().to_string())),
            ("retention-days", self.retention_days.to_string()),
            ("session-idle", humantime::format_duration(self.session_idle).to_string()),
            ("session-max-age", humantime::format_duration(self.session_max_age).to_string()),
            ("recent-sign-in", humantime::format_duration(self.recent_sign_in).to_string()),
            ("trusted-proxies", listed(&self.trusted_proxies)),
            ("token-review", self.token_review.to_string()),
            ("token-review-audience", self.token_review_audience.clone()),
            ("subject-access-review", if self.subject_access_review { "on" } else { "off" }.into()),
            ("mcp-track-record", if self.mcp_track_record { "on" } else { "off" }.into()),
            ("admin-password", if self.admin_password.is_some() { "(set)" } else { "(not set)" }.into()),
        ];
        let local = ("local-accounts", if self.local_accounts { "on" } else { "off" }.into());
        values
            .into_iter()
            .chain(audit::shown(self))
            .chain(signals::shown(self))
            .chain(assess::shown(&self.assess))
            .chain(holmes::shown(self))
            .chain(oidc::shown(self.oidc.as_ref()))
            .chain([local, signatures::shown(self.signatures.as_ref())])
            .chain(notify::shown(self))
            .chain(embeddings::shown(self.embeddings.as_ref()))
            .map(|(name, value)| {
                let source = self.sources.get(name).copied().unwrap_or(Source::Default);
                (name.to_owned(), value, source.name())
            })
            .collect()
    }
}

fn listed(networks: &[IpNet]) -> String {
    if networks.is_empty() {
        return "none".into();
    }
    networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Given;

    #[test]
    fn secrets_are_not_shown() {
        let env = |name: &str| (name == "KUBERNAUT_ADMIN_PASSWORD").then(|| "hunter2".to_owned());
        let config = Config::load(&Given::new(), None, env).unwrap();
        assert!(!config.show().iter().any(|(_, value, _)| value.contains("hunter2")));
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
