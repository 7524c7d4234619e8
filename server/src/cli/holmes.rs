//! The flags of investigations by HolmesGPT.

use clap::Args;

#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "they are what the flags are called")]
pub struct HolmesSettings {
    /// HolmesGPT's address, or none. Its key is set by KUBERNAUT_HOLMES_API_KEY or the file [KUBERNAUT_HOLMES_URL] [default: none]
    #[arg(long, global = true, value_name = "URL")]
    holmes_url: Option<String>,
    /// Authorities that its certificate is held against, besides the system's (PEM) [KUBERNAUT_HOLMES_CA_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    holmes_ca_file: Option<String>,
    /// The model that it is asked to use [KUBERNAUT_HOLMES_MODEL] [default: its own]
    #[arg(long, global = true, value_name = "NAME")]
    holmes_model: Option<String>,
    /// Whether it is connected to the console's /mcp and searches the catalog there: on or off [KUBERNAUT_HOLMES_MCP] [default: off]
    #[arg(long, global = true, value_name = "ON|OFF")]
    holmes_mcp: Option<String>,
    /// Whether the answer's form is sent as response_format, too; off for models that take none beside tools [KUBERNAUT_HOLMES_RESPONSE_FORMAT] [default: on]
    #[arg(long, global = true, value_name = "ON|OFF")]
    holmes_response_format: Option<String>,
    /// Severities that are investigated without anybody asking, with commas between, or none [KUBERNAUT_HOLMES_AUTOMATIC] [default: none]
    #[arg(long, global = true, value_name = "SEVERITIES")]
    holmes_automatic: Option<String>,
    /// What an attempt may take [KUBERNAUT_HOLMES_TIMEOUT] [default: 10m]
    #[arg(long, global = true, value_name = "DURATION")]
    holmes_timeout: Option<String>,
    /// How often an investigation is tried [KUBERNAUT_HOLMES_ATTEMPTS] [default: 3]
    #[arg(long, global = true, value_name = "NUMBER")]
    holmes_attempts: Option<String>,
    /// Investigations at the same time [KUBERNAUT_HOLMES_AT_ONCE] [default: 2]
    #[arg(long, global = true, value_name = "NUMBER")]
    holmes_at_once: Option<String>,
    /// The most attempts that begin within an hour: others wait [KUBERNAUT_HOLMES_PER_HOUR] [default: 20]
    #[arg(long, global = true, value_name = "NUMBER")]
    holmes_per_hour: Option<String>,
}

impl HolmesSettings {
    /// What was given, by the settings' names.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, String)> {
        let given = [
            ("holmes-url", self.holmes_url.clone()),
            ("holmes-ca-file", self.holmes_ca_file.clone()),
            ("holmes-model", self.holmes_model.clone()),
            ("holmes-mcp", self.holmes_mcp.clone()),
            ("holmes-response-format", self.holmes_response_format.clone()),
            ("holmes-automatic", self.holmes_automatic.clone()),
            ("holmes-timeout", self.holmes_timeout.clone()),
            ("holmes-attempts", self.holmes_attempts.clone()),
            ("holmes-at-once", self.holmes_at_once.clone()),
            ("holmes-per-hour", self.holmes_per_hour.clone()),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}
