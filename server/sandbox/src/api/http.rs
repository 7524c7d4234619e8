//! From an HTTP request to what it asks for. It knows no store: it only reads paths, queries and bodies.

use serde_json::Value;

use super::patch::Patch;
use super::status::ApiError;
use super::{DeleteOptions, Propagation, Query};

/// A path under `/api/v1` or `/apis/<group>/<version>`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Path<'a> {
    pub(crate) group: &'a str,
    pub(crate) version: &'a str,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) plural: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) sub: Option<&'a str>,
}

impl<'a> Path<'a> {
    /// `None` for paths that are no resource's: discovery, health, version.
    pub(crate) fn parse(path: &'a str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let (namespace, rest) = match rest {
            ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => (None, rest),
            ["namespaces", namespace, rest @ ..] => (Some(*namespace), rest),
            _ => (None, rest),
        };
        let (plural, name, sub) = match rest {
            [plural] => (*plural, None, None),
            [plural, name] => (*plural, Some(*name), None),
            [plural, name, sub] => (*plural, Some(*name), Some(*sub)),
            _ => return None,
        };
        Some(Self { group, version, namespace, plural, name, sub })
    }
}

pub(crate) fn query(text: Option<&str>) -> Query {
    form_urlencoded::parse(text.unwrap_or_default().as_bytes()).into_owned().collect()
}

/// A JSON (or, as apply allows, YAML) body.
pub(crate) fn body(kind: &str, content_type: &str, bytes: &[u8]) -> Result<Value, ApiError> {
    let unreadable = |error: String| {
        let error = if bytes.is_empty() { "unexpected end of JSON input (<empty>)".to_owned() } else { error };
        ApiError::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: {error}"
        ))
    };
    match content_type.split(';').next().unwrap_or_default().trim() {
        "" | "application/json" => serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string())),
        "application/yaml" | "application/apply-patch+yaml" => {
            serde_norway::from_slice(bytes).map_err(|error| unreadable(error.to_string()))
        }
        _ => Err(ApiError::unsupported_media_type()),
    }
}

pub(crate) fn patch(kind: &str, content_type: &str, bytes: &[u8], query: &Query) -> Result<Patch, ApiError> {
    let json = || {
        serde_json::from_slice(bytes).map_err(|error| ApiError::bad_request(format!("error decoding patch: {error}")))
    };
    match content_type.split(';').next().unwrap_or_default().trim() {
        "application/merge-patch+json" => Ok(Patch::Merge(json()?)),
        "application/strategic-merge-patch+json" => Ok(Patch::Strategic(json()?)),
        "application/json-patch+json" => serde_json::from_value(json()?)
            .map(Patch::Json)
            .map_err(|error| ApiError::bad_request(format!("error decoding patch: {error}"))),
        "application/apply-patch+yaml" => {
            let manager = query.get("fieldManager").filter(|manager| !manager.is_empty());
            let manager = manager.ok_or_else(ApiError::no_manager)?;
            let force = query.get("force").is_some_and(|force| force == "true");
            Ok(Patch::Apply { body: body(kind, content_type, bytes)?, manager: manager.clone(), force })
        }
        _ => Err(ApiError::unsupported_media_type()),
    }
}

/// Delete options come in the body, in the query, or not at all.
pub(crate) fn delete_options(bytes: &[u8], query: &Query) -> Result<DeleteOptions, ApiError> {
    let mut options = if bytes.is_empty() {
        DeleteOptions::default()
    } else {
        DeleteOptions::from_json(&body("DeleteOptions", "application/json", bytes)?)?
    };
    match query.get("propagationPolicy").map(String::as_str) {
        Some("Foreground") => options.propagation = Propagation::Foreground,
        Some("Orphan") => options.propagation = Propagation::Orphan,
        _ => {}
    }
    if let Some(grace) = query.get("gracePeriodSeconds").and_then(|text| text.parse().ok()) {
        options.grace = Some(grace);
    }
    options.dry_run |= super::is_dry_run(query)?;
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_every_form() {
        let path = |text| Path::parse(text).map(|p| (p.group, p.version, p.namespace, p.plural, p.name, p.sub));
        assert_eq!(path("/api/v1/pods"), Some(("", "v1", None, "pods", None, None)));
        assert_eq!(path("/api/v1/namespaces"), Some(("", "v1", None, "namespaces", None, None)));
        assert_eq!(path("/api/v1/namespaces/x"), Some(("", "v1", None, "namespaces", Some("x"), None)));
        assert_eq!(
            path("/api/v1/namespaces/x/pods/p/log"),
            Some(("", "v1", Some("x"), "pods", Some("p"), Some("log")))
        );
        assert_eq!(
            path("/apis/tekton.dev/v1/namespaces/x/pipelineruns/r/status"),
            Some(("tekton.dev", "v1", Some("x"), "pipelineruns", Some("r"), Some("status")))
        );
        assert_eq!(path("/apis/tekton.dev/v1"), None);
        assert_eq!(path("/version"), None);
    }
}
