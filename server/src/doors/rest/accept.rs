//! Which of two forms a reader prefers (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, header};

const YAML: [&str; 4] = ["application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"];
const JSON: [&str; 1] = ["application/json"];

/// How much a form is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
struct Wanted {
    quality: f32,
    /// 2 for the very media type, 1 for its half, 0 for any.
    named: u8,
}

/// Whether YAML is preferred to JSON; where both are wanted alike, the one named first.
pub fn prefers_yaml(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok());
    let ranges: Vec<(String, f32)> = values.flat_map(|v| v.split(',')).filter_map(range).collect();
    let place = |types: &[&str]| ranges.iter().position(|(range, _)| types.contains(&range.as_str()));
    let (yaml, json) = (wanted(&ranges, &YAML), wanted(&ranges, &JSON));
    yaml.quality > 0.0 && (yaml > json || (yaml == json && yaml.named == 2 && place(&YAML) < place(&JSON)))
}

fn range(text: &str) -> Option<(String, f32)> {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().filter(|r| !r.is_empty())?.to_ascii_lowercase();
    let quality = parts.find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q=")));
    // A quality that is no number is none.
    let quality = quality.map_or(1.0, |q| q.parse().ok().filter(|q| (0.0..=1.0).contains(q)).unwrap_or(0.0));
    Some((range, quality))
}

/// The most specific range that fits any of the types says how much.
fn wanted(ranges: &[(String, f32)], types: &[&str]) -> Wanted {
    let of = |media_type: &&str| {
        let half = media_type.split_once('/').map(|(kind, _)| format!("{kind}/*"));
        let fits = |range: &str| match range {
            range if range == *media_type => Some(2),
            range if Some(range) == half.as_deref() => Some(1),
            "*/*" => Some(0),
            _ => None,
        };
        let fitting =
            ranges.iter().filter_map(|(range, quality)| Some(Wanted { named: fits(range)?, quality: *quality }));
        fitting.max_by_key(|w| w.named).unwrap_or_default()
    };
    types.iter().map(of).fold(Wanted::default(), |best, next| if next > best { next } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn qualities_decide_and_then_the_order() {
        let yaml = |accept: &'static str| {
            prefers_yaml(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]))
        };
        for wants in [
            "application/yaml",
            "text/yaml;q=0.1",
            "application/json;q=0.5, application/yaml",
            "application/x-yaml, */*",
            "application/yaml, application/json",
            "application/json;q=0, */*",
        ] {
            assert!(yaml(wants), "{wants}");
        }
        for not in [
            "",
            "*/*",
            "application/*",
            "application/json",
            "application/json, application/yaml",
            "application/yaml;q=0.5, application/json",
            "application/yaml;q=0",
            "application/yaml;q=0.2, */*;q=0.8",
            "application/yaml;q=x",
            "text/html",
        ] {
            assert!(!yaml(not), "{not}");
        }
    }
}
