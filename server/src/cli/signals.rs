//! The flags of signals.

use clap::Args;

#[derive(Debug, Args)]
pub struct SignalSettings {
    /// File that says what labels of alerts mean (YAML or JSON), beside what is usual [KUBERNAUT_SIGNAL_MAPPING]
    #[arg(long, global = true, value_name = "FILE")]
    signal_mapping: Option<String>,
    /// Namespaces whose Warnings are signals, with commas between, or none [KUBERNAUT_EVENT_NAMESPACES] [default: none]
    #[arg(long, global = true, value_name = "NAMES")]
    event_namespaces: Option<String>,
    /// After how long without another Warning such a signal has ended [KUBERNAUT_EVENT_QUIET] [default: 15m]
    #[arg(long, global = true, value_name = "DURATION")]
    event_quiet: Option<String>,
}

impl SignalSettings {
    /// What was given, by the settings' names.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, String)> {
        let given = [
            ("signal-mapping", self.signal_mapping.clone()),
            ("event-namespaces", self.event_namespaces.clone()),
            ("event-quiet", self.event_quiet.clone()),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}
