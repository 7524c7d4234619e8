//! Labels, execution settings and declared outputs of a registration. Only the shapes and the duration's form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::names::{OutputName, ParameterName, ServiceAccountName};
use super::parameter::ParameterType;
use crate::duration::seconds;
use crate::fault::{Complaint, code};
use crate::reader::quoted;

/// What a playbook is for. `*` matches anything; a label that is left out matches no filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Labels {
    /// The signal it answers, such as `OOMKilled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal_type: Option<String>,
    /// How bad the incident is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// The component it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Where it may run, such as `production`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// How urgent, such as `P1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// How much risk the business takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_tolerance: Option<String>,
    /// Which part of the business it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_category: Option<String>,
    /// What kind of remediation, such as `resource-management`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Free words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl Labels {
    /// The labels by name, without tags.
    pub fn named(&self) -> [(&'static str, Option<&str>); 8] {
        [
            ("signal_type", self.signal_type.as_deref()),
            ("severity", self.severity.as_deref()),
            ("component", self.component.as_deref()),
            ("environment", self.environment.as_deref()),
            ("priority", self.priority.as_deref()),
            ("risk_tolerance", self.risk_tolerance.as_deref()),
            ("business_category", self.business_category.as_deref()),
            ("category", self.category.as_deref()),
        ]
    }
}

/// When the kubelet pulls an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PullPolicy {
    /// Each time.
    Always,
    /// When the node has it not.
    #[default]
    IfNotPresent,
    /// Only what the node has.
    Never,
}

impl PullPolicy {
    /// The words on the wire and what they mean.
    pub const WORDS: &[(&str, Self)] =
        &[("Always", Self::Always), ("IfNotPresent", Self::IfNotPresent), ("Never", Self::Never)];
}

/// How long a run may take: whole seconds, from one second to a day. Written as Go writes durations: `10m`, `1h30m`, `90s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
#[serde(try_from = "String", into = "String")]
pub struct Timeout(u32);

impl Timeout {
    const LONGEST: u32 = 24 * 60 * 60;

    /// Seconds.
    pub fn seconds(self) -> u32 {
        self.0
    }

    /// Milliseconds.
    pub fn as_millis(self) -> u64 {
        u64::from(self.0) * 1000
    }
}

impl Default for Timeout {
    /// Ten minutes.
    fn default() -> Self {
        Self(600)
    }
}

impl FromStr for Timeout {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        let Some(seconds) = seconds(text) else {
            let message = format!(
                "{} is no duration: write hours, minutes and seconds in this order, such as 10m, 1h30m or 90s",
                quoted(text)
            );
            return Err(Complaint::new(code::MALFORMED, message));
        };
        match u32::try_from(seconds) {
            Ok(seconds @ 1..=Self::LONGEST) => Ok(Self(seconds)),
            _ => Err(Complaint::new(code::OUT_OF_RANGE, "choose a timeout from 1s to 24h")),
        }
    }
}

impl TryFrom<String> for Timeout {
    type Error = Complaint;

    fn try_from(text: String) -> Result<Self, Complaint> {
        text.parse()
    }
}

impl From<Timeout> for String {
    fn from(timeout: Timeout) -> Self {
        timeout.to_string()
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (amount, unit) in [(self.0 / 3600, 'h'), (self.0 / 60 % 60, 'm'), (self.0 % 60, 's')] {
            if amount > 0 {
                write!(f, "{amount}{unit}")?;
            }
        }
        Ok(())
    }
}

/// How a playbook runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ExecutionSettings {
    /// How long the run may take.
    pub timeout: Timeout,
    /// How often a failed task is tried again, 0 to 5.
    pub retry_count: u32,
    /// Who the container is in the cluster.
    pub service_account: ServiceAccountName,
    /// Whether running it twice does no more than running it once: then a run that failed may be repeated.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub idempotent: bool,
    /// What of the object that it acts on is kept before each run, to undo that run with where nobody says how.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capture: Vec<Capture>,
}

/// A field of the object that a run acts on, and the parameter that sets it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Capture {
    /// JSON Pointer into the object as the API server has it, such as `/spec/replicas`.
    pub field: String,
    /// The exposed parameter that gets its value when the run is undone.
    pub parameter: ParameterName,
}

impl Default for ExecutionSettings {
    fn default() -> Self {
        Self {
            timeout: Timeout::default(),
            retry_count: 0,
            service_account: ServiceAccountName::executor(),
            idempotent: false,
            capture: Vec::new(),
        }
    }
}

/// Something that the container must report when it has succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OutputDeclaration {
    /// Its name in what the container reports.
    pub name: OutputName,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ParameterType,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, seconds, written) in [
            ("10m", 600, "10m"),
            ("1h30m", 5400, "1h30m"),
            ("90s", 90, "1m30s"),
            ("24h", 86400, "24h"),
            ("1h0m1s", 3601, "1h1s"),
        ] {
            let timeout: Timeout = text.parse().expect(text);
            assert_eq!((timeout.seconds(), timeout.to_string().as_str()), (seconds, written));
            assert_eq!(written.parse(), Ok(timeout));
        }
        assert_eq!(Timeout::default().to_string(), "10m");
        assert_eq!(Timeout::default().as_millis(), 600_000);
    }

    #[test]
    fn other_durations_are_refused() {
        for bad in ["", "10", "m", "1.5h", "10m1h", "1h1h", "-1m", "+1m", "10 m", "500ms", "1d", "99999999999h"] {
            assert_eq!(bad.parse::<Timeout>().expect_err(bad).code, "malformed", "{bad}");
        }
        for bad in ["0s", "24h1s", "999999999h"] {
            assert_eq!(bad.parse::<Timeout>().expect_err(bad).code, "out_of_range", "{bad}");
        }
    }
}
