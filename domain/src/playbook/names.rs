//! The names in a registration as types, each with its form. Knows nothing of where they stand.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::fault::{Complaint, code};
use crate::limits::registration as limits;
use crate::reader::quoted;

/// A text that has passed a check: parses, prints, and goes over the wire as a string.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Complaint;

            fn from_str(text: &str) -> Result<Self, Complaint> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<String> for $name {
            type Error = Complaint;

            fn try_from(text: String) -> Result<Self, Complaint> {
                $check(&text)?;
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_text! {
    /// Which playbook: a lower-case DNS-1123 label (`workflow_id` on the wire), as it becomes part of object names and a label.
    PlaybookId, check_playbook_id
}
checked_text! {
    /// The name of a parameter: an environment variable in `UPPER_SNAKE_CASE` that nothing else gives a meaning to.
    ParameterName, check_parameter_name
}
checked_text! {
    /// The name of a declared output: an identifier.
    OutputName, check_output_name
}
checked_text! {
    /// The name of a Kubernetes Secret: a DNS-1123 subdomain.
    SecretName, check_subdomain
}
checked_text! {
    /// A key in a Kubernetes Secret.
    SecretKey, check_secret_key
}
checked_text! {
    /// The name of a Kubernetes service account: a DNS-1123 subdomain.
    ServiceAccountName, check_subdomain
}

impl ServiceAccountName {
    /// The service account of playbooks that name none.
    pub fn executor() -> Self {
        Self("playbook-executor".to_owned())
    }
}

/// Reserved by what runs a container: the shell, the loader, interpreters, Kubernetes tools, and the executor itself.
const RESERVED: &[&str] = &[
    "PATH",
    "BASH_ENV",
    "ENV",
    "IFS",
    "KUBECONFIG",
    "HOME",
    "HOSTNAME",
    "NODE_OPTIONS",
    "JAVA_TOOL_OPTIONS",
    "OUTPUTS_PATH",
    "ACTION_TYPE",
    "ACTION_INPUTS",
    "WORKSPACE_PATH",
];

/// Reserved with everything that begins so.
const RESERVED_PREFIXES: &[&str] = &["LD_", "SHELL", "PYTHON", "ANSIBLE_", "KUBERNETES_", "TEKTON_"];

fn malformed(message: String) -> Complaint {
    Complaint::new(code::MALFORMED, message)
}

fn check_playbook_id(text: &str) -> Result<(), Complaint> {
    if text.len() <= limits::ID && is_dns_label(text) {
        return Ok(());
    }
    Err(malformed(format!(
        "{} is no playbook id: use 1 to 63 lower-case letters, digits and inner hyphens, such as oomkill-scale-down",
        quoted(text)
    )))
}

/// The form and the reserved names of the safety rules.
fn check_parameter_name(text: &str) -> Result<(), Complaint> {
    let bytes = text.as_bytes();
    let well_formed = matches!(bytes.first(), Some(b'A'..=b'Z'))
        && bytes.len() <= limits::NAME
        && bytes.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
    if !well_formed {
        return Err(malformed(format!(
            "{} is no parameter name: use UPPER_SNAKE_CASE, beginning with a letter, at most 63 characters, such as \
             TARGET_NAMESPACE",
            quoted(text)
        )));
    }
    let taken = RESERVED.contains(&text) || RESERVED_PREFIXES.iter().any(|prefix| text.starts_with(prefix));
    if taken {
        let message = format!(
            "{text} is reserved: the container's shell, loader or interpreter, or the executor, gives it a meaning; choose \
             another name, such as TARGET_{text}"
        );
        return Err(Complaint::new("reserved_name", message));
    }
    Ok(())
}

fn check_output_name(text: &str) -> Result<(), Complaint> {
    let bytes = text.as_bytes();
    let well_formed = bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.len() <= limits::NAME
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if well_formed {
        return Ok(());
    }
    Err(malformed(format!(
        "{} is no output name: use letters, digits and underscores, beginning with a letter, at most 63 characters",
        quoted(text)
    )))
}

fn check_subdomain(text: &str) -> Result<(), Complaint> {
    if text.len() <= limits::OBJECT_NAME && text.split('.').all(|label| label.len() <= 63 && is_dns_label(label)) {
        return Ok(());
    }
    Err(malformed(format!(
        "{} is no Kubernetes name: use lower-case letters, digits, inner hyphens and dots, at most 253 characters",
        quoted(text)
    )))
}

fn check_secret_key(text: &str) -> Result<(), Complaint> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if (1..=limits::OBJECT_NAME).contains(&text.len()) && text.bytes().all(allowed) && text != "." && text != ".." {
        return Ok(());
    }
    Err(malformed(format!("{} is no key of a Secret: use letters, digits, '-', '_' and '.'", quoted(text))))
}

fn is_dns_label(text: &str) -> bool {
    let inner = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// A version of a playbook: SemVer 2.0, ordered by precedence, without build metadata (two versions that differ only in
/// that have no order).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
#[serde(try_from = "String", into = "String")]
pub struct Version(semver::Version);

impl Version {
    /// The release with these numbers.
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self(semver::Version::new(major, minor, patch))
    }

    /// Major, minor and patch number.
    pub fn core(&self) -> (u64, u64, u64) {
        (self.0.major, self.0.minor, self.0.patch)
    }

    /// The same without its pre-release part.
    #[must_use]
    pub fn release(&self) -> Self {
        Self::new(self.0.major, self.0.minor, self.0.patch)
    }

    /// Whether it is a pre-release such as `1.0.0-rc.1`.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }
}

impl FromStr for Version {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        if text.len() > limits::VERSION {
            return Err(malformed("shorten the version: at most 64 characters".to_owned()));
        }
        if text.starts_with(['v', 'V']) && semver::Version::parse(&text[1..]).is_ok() {
            return Err(malformed(format!("write {}, without the leading v", &text[1..])));
        }
        let version = semver::Version::parse(text).map_err(|error| {
            malformed(format!("{} is no version ({error}): write SemVer, such as 1.0.0", quoted(text)))
        })?;
        if !version.build.is_empty() {
            return Err(malformed(format!("leave out the build metadata +{}: it has no order", version.build)));
        }
        Ok(Self(version))
    }
}

impl TryFrom<String> for Version {
    type Error = Complaint;

    fn try_from(text: String) -> Result<Self, Complaint> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T: FromStr<Err = Complaint>>(text: &str) -> Option<String> {
        text.parse::<T>().err().map(|complaint| complaint.code.into_owned())
    }

    #[test]
    fn playbook_ids() {
        for good in ["oomkill-scale-down", "a", "0", &"a".repeat(63)] {
            assert_eq!(refused::<PlaybookId>(good), None, "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a_b", "ä", "a b", "a\n", &"a".repeat(64)] {
            assert_eq!(refused::<PlaybookId>(bad).as_deref(), Some("malformed"), "{bad}");
        }
    }

    #[test]
    fn parameter_names() {
        for good in ["A", "TARGET_RESOURCE_KIND", "X1_", "PATHS", "LD", "ENVIRONMENT", "HOMEPAGE", &"A".repeat(63)] {
            assert_eq!(refused::<ParameterName>(good), None, "{good}");
        }
        for bad in ["", "_A", "1A", "a", "A-B", "A B", "Ä", "A\n", "A$", &"A".repeat(64)] {
            assert_eq!(refused::<ParameterName>(bad).as_deref(), Some("malformed"), "{bad}");
        }
    }

    #[test]
    fn reserved_parameter_names() {
        for bad in [
            "PATH",
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "BASH_ENV",
            "ENV",
            "IFS",
            "SHELL",
            "SHELLOPTS",
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "ANSIBLE_CONFIG",
            "KUBECONFIG",
            "HOME",
            "NODE_OPTIONS",
            "JAVA_TOOL_OPTIONS",
            "OUTPUTS_PATH",
            "ACTION_TYPE",
            "ACTION_INPUTS",
            "WORKSPACE_PATH",
            "HOSTNAME",
            "KUBERNETES_SERVICE_HOST",
            "TEKTON_HOME",
        ] {
            assert_eq!(refused::<ParameterName>(bad).as_deref(), Some("reserved_name"), "{bad}");
        }
    }

    #[test]
    fn versions_are_ordered_semver() {
        let parse = |text: &str| text.parse::<Version>().unwrap();
        assert!(parse("1.10.0") > parse("1.9.0"));
        assert!(parse("1.0.0-rc.1") < parse("1.0.0"));
        assert!(parse("1.0.0-rc.1").is_prerelease());
        for bad in ["", "1", "1.0", "01.0.0", "1.0.0+build", "v1.0.0", "1.0.0 ", &format!("1.0.0-{}", "a".repeat(64))] {
            assert_eq!(refused::<Version>(bad).as_deref(), Some("malformed"), "{bad}");
        }
        assert!("v1.0.0".parse::<Version>().unwrap_err().message.contains("write 1.0.0, without"));
    }

    #[test]
    fn kubernetes_names() {
        assert_eq!(refused::<ServiceAccountName>("a.b-c.d"), None);
        for bad in ["", "a..b", ".a", "A", &"a".repeat(254)] {
            assert!(refused::<SecretName>(bad).is_some(), "{bad}");
        }
        assert_eq!(refused::<SecretKey>("tls.key"), None);
        for bad in ["", "a/b", "..", "a b"] {
            assert!(refused::<SecretKey>(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn output_names() {
        assert_eq!(refused::<OutputName>("newReplicas_1"), None);
        for bad in ["", "1a", "_a", "a-b", "ä", &"a".repeat(64)] {
            assert!(refused::<OutputName>(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn stored_names_are_checked_again() {
        assert!(serde_json::from_str::<ParameterName>("\"PATH\"").is_err());
        let version: Version = serde_json::from_str("\"1.2.3\"").unwrap();
        assert_eq!(serde_json::to_string(&version).unwrap(), "\"1.2.3\"");
    }
}
