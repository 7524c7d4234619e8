//! The flags of the assessor, which looks after runs whether they helped.

use clap::Args;

#[derive(Debug, Args)]
pub struct AssessSettings {
    /// How long after a run's end it is looked whether it helped [KUBERNAUT_ASSESS_AFTER] [default: 5m; 30s in the sandbox]
    #[arg(long, global = true, value_name = "DURATION")]
    assess_after: Option<String>,
    /// Alertmanager, which is asked whether a run's alert has cleared, or none [KUBERNAUT_ALERTMANAGER_URL] [default: none]
    #[arg(long, global = true, value_name = "URL")]
    alertmanager_url: Option<String>,
    /// Prometheus, which is asked for the numbers of --assess-queries, or none [KUBERNAUT_PROMETHEUS_URL] [default: none]
    #[arg(long, global = true, value_name = "URL")]
    prometheus_url: Option<String>,
    /// Authorities to believe of both besides the system's, PEM [KUBERNAUT_MONITORING_CA_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    monitoring_ca_file: Option<String>,
    /// The token that both are shown; read at each call [KUBERNAUT_MONITORING_TOKEN_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    monitoring_token_file: Option<String>,
    /// Numbers that should move, a line each: SIGNAL lower|higher PROMQL [KUBERNAUT_ASSESS_QUERIES]
    #[arg(long, global = true, value_name = "FILE")]
    assess_queries: Option<String>,
}

impl AssessSettings {
    /// What was given, by the settings' names.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, String)> {
        let given = [
            ("assess-after", self.assess_after.clone()),
            ("alertmanager-url", self.alertmanager_url.clone()),
            ("prometheus-url", self.prometheus_url.clone()),
            ("monitoring-ca-file", self.monitoring_ca_file.clone()),
            ("monitoring-token-file", self.monitoring_token_file.clone()),
            ("assess-queries", self.assess_queries.clone()),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}
