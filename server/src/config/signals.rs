//! The settings of signals: what labels of alerts mean, and which namespaces' Warnings are signals.

use super::{Config, ConfigError, Reader, Setting, parse, span};
use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

/// All of them.
pub(super) const SETTINGS: &[Setting] = &[
    Setting::flag(
        "signal-mapping",
        "FILE",
        "File that says what labels of alerts mean (YAML or JSON), beside what is usual [KUBERNAUT_SIGNAL_MAPPING]",
    ),
    Setting::flag(
        "alert-quiet",
        "DURATION",
        "After how long an alert has ended that Alertmanager does not repeat, or off \
         [KUBERNAUT_ALERT_QUIET] [default: off]",
    ),
    Setting::flag(
        "event-namespaces",
        "NAMES",
        "Namespaces whose Warnings are signals, with commas between, or none \
         [KUBERNAUT_EVENT_NAMESPACES] [default: none]",
    ),
    Setting::flag(
        "event-quiet",
        "DURATION",
        "After how long without another Warning such a signal has ended [KUBERNAUT_EVENT_QUIET] [default: 15m]",
    ),
];

/// The most namespaces that are watched: each is a watch of its own.
const MOST: usize = 50;
/// What an alert may be silent for.
const QUIET: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(30 * 24);

/// What can be set of signals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalsConfig {
    /// The file that says what labels mean; none where the usual meaning is enough.
    pub mapping_file: Option<PathBuf>,
    /// After how long an alert that Alertmanager does not repeat has ended; never when none.
    pub alert_quiet: Option<Duration>,
    /// The namespaces whose Warnings are signals.
    pub event_namespaces: Vec<String>,
    /// After how long without another Warning a signal of Kubernetes has ended.
    pub event_quiet: Duration,
}

/// What is set.
pub(super) fn read(reader: &Reader<'_>) -> Result<SignalsConfig, ConfigError> {
    Ok(SignalsConfig {
        mapping_file: reader.texts.get("signal-mapping").map(PathBuf::from),
        alert_quiet: reader.get(
            "alert-quiet",
            "off",
            |text| if text == "off" { Some(None) } else { span(text, QUIET).map(Some) },
            "write off, or a duration from 1m to 30d that is longer than Alertmanager's repeat_interval, such as 12h",
        )?,
        event_namespaces: reader.get(
            "event-namespaces",
            "none",
            namespaces,
            "write at most 50 namespaces with commas between them, such as shop,payments, or none",
        )?,
        event_quiet: reader.get(
            "event-quiet",
            "15m",
            |text| span(text, Duration::from_mins(1)..=Duration::from_hours(24)),
            "write a duration from 1m to 24h, such as 15m",
        )?,
    })
}

fn namespaces(text: &str) -> Option<Vec<String>> {
    if text == "none" {
        return Some(Vec::new());
    }
    let mut all: Vec<String> = text.split(',').map(|name| parse::namespace(name.trim())).collect::<Option<_>>()?;
    all.sort_unstable();
    all.dedup();
    (all.len() <= MOST).then_some(all)
}

/// For `config show`.
pub(super) fn shown(config: &Config) -> [(&'static str, String); 4] {
    let signals = &config.signals;
    let file = signals.mapping_file.as_ref().map_or_else(|| "none".into(), |path| path.display().to_string());
    let namespaces =
        if signals.event_namespaces.is_empty() { "none".into() } else { signals.event_namespaces.join(",") };
    [
        ("signal-mapping", file),
        (
            "alert-quiet",
            signals.alert_quiet.map_or_else(|| "off".into(), |quiet| humantime::format_duration(quiet).to_string()),
        ),
        ("event-namespaces", namespaces),
        ("event-quiet", humantime::format_duration(signals.event_quiet).to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::Given;
    use super::*;

    fn load(name: &'static str, value: &str) -> Result<SignalsConfig, String> {
        let loaded = Config::load(&Given::from([(name, value.to_owned())]), None, |_| None);
        loaded.map(|config| config.signals).map_err(|error| error.to_string())
    }

    #[test]
    fn no_namespace_is_watched_unless_it_is_named() {
        assert!(load("event-namespaces", "none").unwrap().event_namespaces.is_empty());
        assert_eq!(load("event-quiet", "15m").unwrap().event_namespaces, Vec::<String>::new());
        assert_eq!(load("event-namespaces", "shop, payments,shop").unwrap().event_namespaces, ["payments", "shop"]);
        for wrong in ["*", "shop,,payments", "Shop", &["a"; 3].join(";")] {
            assert!(load("event-namespaces", wrong).unwrap_err().contains("or none"), "{wrong}");
        }
    }

    #[test]
    fn an_alert_ends_by_its_word_unless_something_else_is_set() {
        assert_eq!(load("event-quiet", "15m").unwrap().alert_quiet, None);
        assert_eq!(load("alert-quiet", "off").unwrap().alert_quiet, None);
        assert_eq!(load("alert-quiet", "12h").unwrap().alert_quiet, Some(Duration::from_hours(12)));
        assert!(load("alert-quiet", "1s").unwrap_err().contains("repeat_interval"));
    }

    #[test]
    fn quiet_is_a_minute_at_least() {
        assert_eq!(load("event-quiet", "1m").unwrap().event_quiet, Duration::from_mins(1));
        assert!(load("event-quiet", "30s").unwrap_err().contains("1m to 24h"));
    }
}
