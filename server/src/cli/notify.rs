//! The flags of notifications.

use clap::Args;

#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "they are what the flags are called")]
pub struct NotifySettings {
    /// File with the receivers of notifications (TOML) [KUBERNAUT_NOTIFY_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    notify_file: Option<String>,
    /// How long before its deadline a recommendation is said to expire [KUBERNAUT_NOTIFY_LEAD] [default: 5m]
    #[arg(long, global = true, value_name = "DURATION")]
    notify_lead: Option<String>,
    /// How often a notification is tried before somebody has to look [KUBERNAUT_NOTIFY_ATTEMPTS] [default: 15]
    #[arg(long, global = true, value_name = "NUMBER")]
    notify_attempts: Option<String>,
    /// Authorities of receivers to believe besides the system's, PEM [KUBERNAUT_NOTIFY_CA_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    notify_ca_file: Option<String>,
    /// on, or off: receivers may have private addresses [KUBERNAUT_NOTIFY_ALLOW_PRIVATE] [default: off]
    #[arg(long, global = true, value_name = "SWITCH")]
    notify_allow_private: Option<String>,
}

impl NotifySettings {
    /// What was given, by the settings' names.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, String)> {
        let given = [
            ("notify-file", self.notify_file.clone()),
            ("notify-lead", self.notify_lead.clone()),
            ("notify-attempts", self.notify_attempts.clone()),
            ("notify-ca-file", self.notify_ca_file.clone()),
            ("notify-allow-private", self.notify_allow_private.clone()),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}
