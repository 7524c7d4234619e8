//! The settings of the assessor: when it looks, and where.

use super::{ClusterChoice, ConfigError, Reader, Setting, parse::address};
use domain::assessment::judge::Better;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// All of them.
pub(super) const SETTINGS: &[Setting] = &[
    Setting::flag(
        "assess-after",
        "DURATION",
        "How long after a run's end it is looked whether it helped \
         [KUBERNAUT_ASSESS_AFTER] [default: 5m; 30s in the sandbox]",
    ),
    Setting::flag(
        "alertmanager-url",
        "URL",
        "Alertmanager, which is asked whether a run's alert has cleared, or none \
         [KUBERNAUT_ALERTMANAGER_URL] [default: none]",
    ),
    Setting::flag(
        "prometheus-url",
        "URL",
        "Prometheus, which is asked for the numbers of --assess-queries, or none \
         [KUBERNAUT_PROMETHEUS_URL] [default: none]",
    ),
    Setting::flag(
        "monitoring-ca-file",
        "FILE",
        "Authorities to believe of both besides the system's, PEM [KUBERNAUT_MONITORING_CA_FILE]",
    ),
    Setting::flag(
        "monitoring-token-file",
        "FILE",
        "The token that both are shown; read at each call [KUBERNAUT_MONITORING_TOKEN_FILE]",
    ),
    Setting::flag(
        "assess-queries",
        "FILE",
        "Numbers that should move, a line each: SIGNAL lower|higher PROMQL [KUBERNAUT_ASSESS_QUERIES]",
    ),
];

/// When runs are looked at, and what is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct AssessConfig {
    /// How long after a run's end.
    pub after: Duration,
    /// Alertmanager, without a slash at the end.
    pub alertmanager: Option<String>,
    /// Prometheus, without a slash at the end.
    pub prometheus: Option<String>,
    /// Authorities whose certificates are believed besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The file with the token that both are shown; read at each call, for such tokens are renewed.
    pub token_file: Option<PathBuf>,
    /// Numbers that should move.
    pub queries: Vec<MetricQuery>,
}

/// A number of Prometheus that should move when a run about this signal helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricQuery {
    /// The kind of signal.
    pub signal_type: String,
    /// Which way it should go.
    pub better: Better,
    /// PromQL with one number as its result; `$namespace`, `$kind` and `$name` are the target's.
    pub query: String,
}

/// What is set.
pub(super) fn read(reader: &Reader<'_>, cluster: ClusterChoice) -> Result<AssessConfig, ConfigError> {
    let usual = if cluster == ClusterChoice::Sandbox { "30s" } else { "5m" };
    let called = |name: &'static str| {
        reader.get(
            name,
            "none",
            |text| if text == "none" { Some(None) } else { address(text).map(Some) },
            "write https://host:port, http:// on a loopback address only, or none",
        )
    };
    Ok(AssessConfig {
        after: reader.get(
            "assess-after",
            usual,
            |text| super::span(text, Duration::from_secs(10)..=Duration::from_hours(6)),
            "write a duration from 10s to 6h, longer than an alert takes to resolve, such as 5m",
        )?,
        alertmanager: called("alertmanager-url")?,
        prometheus: called("prometheus-url")?,
        ca_file: reader.texts.get("monitoring-ca-file").map(PathBuf::from),
        token_file: reader.texts.get("monitoring-token-file").map(PathBuf::from),
        queries: queries(reader)?,
    })
}

/// One a line, in a file: the signal, lower or higher, and the query; `#` begins a remark.
fn queries(reader: &Reader<'_>) -> Result<Vec<MetricQuery>, ConfigError> {
    const NAME: &str = "assess-queries";
    let Some(path) = reader.texts.get(NAME).map(PathBuf::from) else { return Ok(Vec::new()) };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| ConfigError::File { path: path.clone(), detail: error.to_string() })?;
    parsed(&text).map_err(|line| {
        let advice = format!("line {line}: write a signal, lower or higher, and a query, with blanks between them");
        reader.wrong(NAME, &path.display().to_string(), advice)
    })
}

fn parsed(text: &str) -> Result<Vec<MetricQuery>, usize> {
    let lines = text.lines().map(str::trim).zip(1..).filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    let each = lines.map(|(line, number)| {
        let (signal_type, rest) = line.split_once(char::is_whitespace).ok_or(number)?;
        let (way, query) = rest.trim_start().split_once(char::is_whitespace).ok_or(number)?;
        let better = match way {
            "lower" => Better::Lower,
            "higher" => Better::Higher,
            _ => return Err(number),
        };
        Ok(MetricQuery { signal_type: signal_type.to_owned(), better, query: query.trim().to_owned() })
    });
    each.collect()
}

/// For `config show`.
pub(super) fn shown(config: &AssessConfig) -> [(&'static str, String); 6] {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "none".into());
    let file = |path: Option<&Path>| path.map_or_else(|| "none".into(), |path| path.display().to_string());
    [
        ("assess-after", humantime::format_duration(config.after).to_string()),
        ("alertmanager-url", or_none(config.alertmanager.clone())),
        ("prometheus-url", or_none(config.prometheus.clone())),
        ("monitoring-ca-file", file(config.ca_file.as_deref())),
        ("monitoring-token-file", file(config.token_file.as_deref())),
        ("assess-queries", format!("{} queries", config.queries.len())),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Given};
    use super::*;

    fn load(given: &[(&'static str, &str)]) -> Result<Config, ConfigError> {
        let given: Given = given.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Config::load(&given, None, |_| None)
    }

    #[test]
    fn in_the_sandbox_it_looks_soon_and_elsewhere_when_alerts_have_had_their_time() {
        assert_eq!(load(&[]).unwrap().assess.after, Duration::from_secs(30));
        assert_eq!(load(&[("cluster", "in-cluster")]).unwrap().assess.after, Duration::from_mins(5));
        let set = load(&[("assess-after", "20m"), ("alertmanager-url", "https://am.example:9093/")]).unwrap().assess;
        assert_eq!(set.after, Duration::from_mins(20));
        assert_eq!(set.alertmanager.as_deref(), Some("https://am.example:9093"));
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_what_to_write() {
        for (name, value) in [
            ("assess-after", "1s"),
            ("alertmanager-url", "http://am.example:9093"),
            ("prometheus-url", "https://user:secret@p.example"),
        ] {
            let error = load(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("write"), "{error}");
        }
    }

    #[test]
    fn queries_stand_one_a_line() {
        let text = "# numbers\nOOMKilled lower  sum(rate(x{namespace=\"$namespace\"}[5m]))\n\nHighLatency higher up\n";
        let found = parsed(text).unwrap();
        assert_eq!((found[0].signal_type.as_str(), found[0].better), ("OOMKilled", Better::Lower));
        assert_eq!(found[0].query, "sum(rate(x{namespace=\"$namespace\"}[5m]))");
        assert_eq!(found[1].query, "up");
        assert_eq!(parsed("OOMKilled lower"), Err(1));
        assert_eq!(parsed("\nOOMKilled sideways up"), Err(2));
    }
}
