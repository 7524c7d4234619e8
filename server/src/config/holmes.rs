//! The settings of investigations by HolmesGPT.

use super::{Config, ConfigError, Reader, Setting, on_or_off, parse::address, span};
use domain::{accounts::Secret, ports::InvestigationLimits, recommendation::Severity};
use std::{path::PathBuf, time::Duration};

/// All of them.
pub(super) const SETTINGS: &[Setting] = &[
    Setting::flag(
        "holmes-url",
        "URL",
        "HolmesGPT's address, or none. Its key is set by KUBERNAUT_HOLMES_API_KEY or the file \
         [KUBERNAUT_HOLMES_URL] [default: none]",
    ),
    Setting::secret("holmes-api-key"),
    Setting::flag(
        "holmes-ca-file",
        "FILE",
        "Authorities that its certificate is held against, besides the system's (PEM) [KUBERNAUT_HOLMES_CA_FILE]",
    ),
    Setting::flag(
        "holmes-model",
        "NAME",
        "The model that it is asked to use [KUBERNAUT_HOLMES_MODEL] [default: its own]",
    ),
    Setting::flag(
        "holmes-mcp",
        "ON|OFF",
        "Whether it is connected to the console's /mcp and searches the catalog there: on or off \
         [KUBERNAUT_HOLMES_MCP] [default: off]",
    ),
    Setting::flag(
        "holmes-response-format",
        "ON|OFF",
        "Whether the answer's form is sent as response_format, too; off for models that take none beside tools \
         [KUBERNAUT_HOLMES_RESPONSE_FORMAT] [default: on]",
    ),
    Setting::flag(
        "holmes-automatic",
        "SEVERITIES",
        "Severities that are investigated without anybody asking, with commas between, or none \
         [KUBERNAUT_HOLMES_AUTOMATIC] [default: none]",
    ),
    Setting::flag("holmes-timeout", "DURATION", "What an attempt may take [KUBERNAUT_HOLMES_TIMEOUT] [default: 10m]"),
    Setting::flag(
        "holmes-attempts",
        "NUMBER",
        "How often an investigation is tried [KUBERNAUT_HOLMES_ATTEMPTS] [default: 3]",
    ),
    Setting::flag(
        "holmes-at-once",
        "NUMBER",
        "Investigations at the same time [KUBERNAUT_HOLMES_AT_ONCE] [default: 2]",
    ),
    Setting::flag(
        "holmes-per-hour",
        "NUMBER",
        "The most attempts that begin within an hour: others wait [KUBERNAUT_HOLMES_PER_HOUR] [default: 20]",
    ),
];

/// What can be set of HolmesGPT.
#[derive(Clone, Debug)]
pub struct HolmesConfig {
    /// Where it is, without a slash at the end.
    pub url: String,
    /// What it lets one in with (its `HOLMES_API_KEY`).
    pub api_key: Option<Secret>,
    /// Authorities whose certificates are believed besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The model that it is asked to use; its own choice when none.
    pub model: Option<String>,
    /// Whether it is connected to the console's `/mcp`.
    pub mcp: bool,
    /// Whether the answer's form is sent as `response_format`, too.
    pub response_format: bool,
    /// How bad an incident is that is investigated without anybody asking.
    pub automatic: Vec<Severity>,
    /// What an attempt may take.
    pub timeout: Duration,
    /// How much is asked of it.
    pub limits: InvestigationLimits,
}

/// What is set; none where no address is.
pub(super) fn read(reader: &Reader<'_>) -> Result<Option<HolmesConfig>, ConfigError> {
    let url = reader.get(
        "holmes-url",
        "none",
        |text| if text == "none" { Some(None) } else { address(text).map(Some) },
        "write https://host:port, http:// on a loopback address only, or none",
    )?;
    let config = HolmesConfig {
        url: url.clone().unwrap_or_default(),
        api_key: reader.texts.get("holmes-api-key").map(|text| Secret(text.trim().to_owned())),
        ca_file: reader.texts.get("holmes-ca-file").map(PathBuf::from),
        model: reader.texts.get("holmes-model").map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
        mcp: reader.get("holmes-mcp", "off", on_or_off, "write on or off")?,
        response_format: reader.get("holmes-response-format", "on", on_or_off, "write on or off")?,
        automatic: reader.get(
            "holmes-automatic",
            "none",
            severities,
            "write severities with commas between them, such as critical,high, or none",
        )?,
        timeout: reader.get(
            "holmes-timeout",
            "10m",
            |text| span(text, Duration::from_secs(1)..=Duration::from_hours(1)),
            "write a duration from 1s to 1h, such as 10m",
        )?,
        limits: InvestigationLimits {
            attempts: number(reader, "holmes-attempts", "3", 10, "write a number from 1 to 10")?,
            at_once: number(reader, "holmes-at-once", "2", 16, "write a number from 1 to 16")?,
            per_hour: number(reader, "holmes-per-hour", "20", 1000, "write a number from 1 to 1000")?,
        },
    };
    if url.is_none() && !config.automatic.is_empty() {
        return Err(ConfigError::Together(
            "nobody could investigate: --holmes-automatic needs HolmesGPT, which --holmes-url names",
        ));
    }
    Ok(url.map(|_| config))
}

fn number(reader: &Reader<'_>, name: &'static str, default: &str, most: u32, advice: &str) -> Result<u32, ConfigError> {
    reader.get(name, default, |text| text.parse().ok().filter(|number| (1..=most).contains(number)), advice)
}

fn severities(text: &str) -> Option<Vec<Severity>> {
    if text == "none" {
        return Some(Vec::new());
    }
    let mut all: Vec<Severity> = text.split(',').map(|word| Severity::from_name(word.trim())).collect::<Option<_>>()?;
    all.sort_unstable();
    all.dedup();
    Some(all)
}

/// For `config show`, with the secret hidden.
pub(super) fn shown(config: &Config) -> Vec<(&'static str, String)> {
    let Some(holmes) = &config.holmes else {
        let none = |name: &'static str| (name, if name == "holmes-url" { "none" } else { "(not set)" }.to_owned());
        return SETTINGS.iter().map(|setting| none(setting.name)).collect();
    };
    let on = |flag: bool| if flag { "on" } else { "off" }.to_owned();
    let automatic: Vec<_> = holmes.automatic.iter().map(|severity| severity.name()).collect();
    let values = [
        holmes.url.clone(),
        if holmes.api_key.is_some() { "(set)" } else { "(not set)" }.to_owned(),
        holmes.ca_file.as_ref().map_or_else(|| "(not set)".into(), |path| path.display().to_string()),
        holmes.model.clone().unwrap_or_else(|| "(HolmesGPT's own)".into()),
        on(holmes.mcp),
        on(holmes.response_format),
        if automatic.is_empty() { "none".into() } else { automatic.join(",") },
        humantime::format_duration(holmes.timeout).to_string(),
        holmes.limits.attempts.to_string(),
        holmes.limits.at_once.to_string(),
        holmes.limits.per_hour.to_string(),
    ];
    SETTINGS.iter().map(|setting| setting.name).zip(values).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Given;
    use super::*;

    fn load(given: &[(&'static str, &str)]) -> Result<Config, String> {
        let given: Given = given.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        // The key is no flag: what stands on a command line is seen by everybody.
        let secret = |name: &str| (name == "KUBERNAUT_HOLMES_API_KEY").then(|| "hunter2".to_owned());
        Config::load(&given, None, secret).map_err(|error| error.to_string())
    }

    #[test]
    fn nobody_investigates_unless_an_agent_is_named_and_nothing_by_itself_unless_that_is_set() {
        assert!(load(&[]).unwrap().holmes.is_none());
        assert!(load(&[("holmes-automatic", "critical")]).unwrap_err().contains("--holmes-url"));
        let config = load(&[("holmes-url", "https://holmes.example/")]).unwrap();
        let holmes = config.holmes.clone().unwrap();
        assert_eq!((holmes.url.as_str(), holmes.automatic.len()), ("https://holmes.example", 0));
        assert_eq!(holmes.limits, InvestigationLimits { attempts: 3, at_once: 2, per_hour: 20 });
        assert!(!format!("{config:?}").contains("hunter2") && !format!("{holmes:?}").contains("hunter2"));
    }

    #[test]
    fn a_wrong_value_says_what_to_write() {
        for (name, value) in [
            ("holmes-url", "http://holmes.svc"),
            ("holmes-url", "https://a:b@holmes.example"),
            ("holmes-automatic", "critical,bad"),
            ("holmes-timeout", "2h"),
            ("holmes-attempts", "0"),
            ("holmes-at-once", "17"),
            ("holmes-per-hour", "many"),
            ("holmes-mcp", "maybe"),
        ] {
            let error = load(&[(name, value)]).unwrap_err();
            assert!(error.contains(name) && error.contains("write"), "{name}: {error}");
        }
        let both =
            load(&[("holmes-url", "http://127.0.0.1:5050"), ("holmes-automatic", "high, critical,high")]).unwrap();
        assert_eq!(both.holmes.unwrap().automatic, [Severity::High, Severity::Critical]);
    }
}
