//! Kubernetes quantities, as far as comparing needs them: `512Mi`, `1.5Gi`, `250m`, `2`. Knows neither memory nor processors.

const UNITS: [(&str, f64); 15] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

/// Its size; `None` for what is no quantity.
pub(super) fn size(text: &str) -> Option<f64> {
    let text = text.trim();
    let (number, factor) = UNITS
        .iter()
        .find_map(|(unit, factor)| text.strip_suffix(unit).map(|number| (number, *factor)))
        .unwrap_or((text, 1.0));
    let plain = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.');
    plain.then(|| number.parse::<f64>().ok()).flatten().map(|number| number * factor)
}

/// Whether two are the same amount, however they are written; texts that are no quantities are compared as they are.
pub(super) fn same(one: &str, other: &str) -> bool {
    match (size(one), size(other)) {
        (Some(a), Some(b)) => (a - b).abs() <= f64::EPSILON * a.abs().max(b.abs()),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_compared_and_not_their_writing() {
        for (one, other) in [("2Gi", "2048Mi"), ("1", "1000m"), ("1.5Gi", "1536Mi"), ("1073741824", "1Gi"), ("x", "x")]
        {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [("2Gi", "2G"), ("1", "1m"), ("1Gi", "x"), ("", "0")] {
            assert!(!same(one, other), "{one} {other}");
        }
        for none in ["", "Gi", "-1Gi", "1e3", "1 Gi x"] {
            assert_eq!(size(none), None, "{none}");
        }
    }
}
