//! Conditional requests (RFC 9110, section 13): entity tags, what a reader has already, and what a writer has read.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use domain::ports::Known;

/// For what never changes under its address.
pub const FOREVER: &str = "private, max-age=31536000, immutable";
/// For what may change: kept, and asked for again each time.
pub const ASK_AGAIN: &str = "private, no-cache";

/// What a request says of entity tags.
struct Tags {
    any: bool,
    /// Each with whether it is weak.
    listed: Vec<(bool, String)>,
}

impl Tags {
    fn read(headers: &HeaderMap, name: HeaderName) -> Option<Self> {
        let mut found = None;
        for value in headers.get_all(name) {
            let tags = found.get_or_insert(Self { any: false, listed: Vec::new() });
            // What can't be read names no tag.
            let mut rest = value.to_str().unwrap_or_default().trim();
            tags.any |= rest == "*";
            while !rest.is_empty() {
                let weak = rest.starts_with("W/");
                let quoted = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"');
                let Some((tag, after)) = quoted.and_then(|q| q.split_once('"')) else { break };
                tags.listed.push((weak, tag.to_owned()));
                rest = after.trim_start_matches([' ', '\t', ',']);
            }
        }
        found
    }
}

/// The states that a writer says they have read (`If-Match`, compared strongly).
pub fn known(headers: &HeaderMap) -> Known {
    match Tags::read(headers, header::IF_MATCH) {
        None => Known::Any,
        Some(tags) if tags.any => Known::Any,
        Some(tags) => Known::Tags(tags.listed.into_iter().filter(|(weak, _)| !weak).map(|(_, tag)| tag).collect()),
    }
}

/// A tag as a header's value.
pub fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// An answer with its tag; without a body where the reader has it already (`If-None-Match`, compared weakly). What is seen
/// depends on who asks.
pub fn tagged(request: &HeaderMap, mut answer: Response, tag: &str, keep: &'static str) -> Response {
    let has = Tags::read(request, header::IF_NONE_MATCH)
        .is_some_and(|tags| tags.any || tags.listed.iter().any(|(_, listed)| listed == tag));
    if has {
        answer = StatusCode::NOT_MODIFIED.into_response();
    }
    let headers = answer.headers_mut();
    if let Ok(tag) = HeaderValue::try_from(quoted(tag)) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.append(header::VARY, HeaderValue::from_static("authorization, cookie"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, values: &[&'static str]) -> HeaderMap {
        values.iter().map(|v| (name.clone(), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn a_reader_has_what_any_of_its_tags_names() {
        let status = |values: &[&'static str]| {
            let request = headers(&header::IF_NONE_MATCH, values);
            tagged(&request, StatusCode::OK.into_response(), "a,b", ASK_AGAIN).status()
        };
        for has in [&["*"][..], &["\"a,b\""], &["W/\"a,b\""], &["\"x\", W/\"a,b\" ,\"y\""], &["\"x\"", "\"a,b\""]] {
            assert_eq!(status(has), StatusCode::NOT_MODIFIED, "{has:?}");
        }
        for not in [&[][..], &[""], &["\"a\", \"b\""], &["a,b"], &["\"a,b"]] {
            assert_eq!(status(not), StatusCode::OK, "{not:?}");
        }
    }

    #[test]
    fn a_writer_knows_only_what_it_names_strongly() {
        let read = |values: &[&'static str]| known(&headers(&header::IF_MATCH, values));
        assert!(read(&[]).includes("a") && read(&["*"]).includes("a") && read(&["\"b\", \"a\""]).includes("a"));
        for not in [&["W/\"a\""][..], &["\"b\""], &["a"], &[""]] {
            assert!(!read(not).includes("a"), "{not:?}");
        }
    }
}
