//! Amounts of memory as Kubernetes writes them, in whole Mi: all that the sandbox's workloads use.

use serde_json::Value;
use std::fmt;

/// Mebibytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Memory(pub u64);

impl Memory {
    /// Reads `512Mi` or `2Gi`; `None` for what is no whole number of Mi.
    pub fn parse(text: &str) -> Option<Self> {
        const MI: u64 = 1 << 20;
        sandbox::memory_bytes(text).filter(|bytes| bytes.is_multiple_of(MI)).map(|bytes| Self(bytes / MI))
    }

    /// The amount in an object.
    pub fn of(value: &Value) -> Option<Self> {
        Self::parse(value.as_str()?)
    }

    /// How much of `whole` this is, in percent; 0 of nothing.
    pub fn percent_of(self, whole: Self) -> u64 {
        (self.0 * 100).checked_div(whole.0).unwrap_or_default()
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            mi if mi > 0 && mi.is_multiple_of(1024) => write!(f, "{}Gi", mi / 1024),
            mi => write!(f, "{mi}Mi"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written_as_kubernetes_does() {
        for (text, mi, written) in
            [("512Mi", 512, "512Mi"), ("2Gi", 2048, "2Gi"), ("2048Mi", 2048, "2Gi"), ("1536Mi", 1536, "1536Mi")]
        {
            assert_eq!(Memory::parse(text), Some(Memory(mi)));
            assert_eq!(Memory(mi).to_string(), written);
        }
        for other in ["", "Mi", "1.5Gi", "12", "1Ki", "-1Mi"] {
            assert_eq!(Memory::parse(other), None, "{other}");
        }
        assert_eq!(Memory(3840).percent_of(Memory(4352)), 88);
        assert_eq!(Memory(1).percent_of(Memory(0)), 0);
    }
}
