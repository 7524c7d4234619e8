//! Kubernetes quantities of memory: `512Mi`, `1Gi`, `1500M`, `1073741824`.

use serde_json::Value;

/// In bytes.
pub(crate) fn bytes(quantity: &Value) -> Option<u64> {
    match quantity {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => parse(text),
        _ => None,
    }
}

/// Reads it, in bytes; `None` for what is no whole number of a unit.
pub fn parse(text: &str) -> Option<u64> {
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text.get(..unit)?.parse().ok()?;
    let factor = match text.get(unit..)? {
        "" => 1,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!(parse("512Mi"), Some(512 << 20));
        assert_eq!(parse("2Gi"), Some(2 << 30));
        assert_eq!(parse("100"), Some(100));
        assert_eq!(parse("1.5Gi"), None);
        assert_eq!(parse("99999999999Ti"), None);
    }
}
