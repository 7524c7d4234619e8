//! Errors as kube-apiserver writes them: `metav1.Status` with its code, reason, message and details.
//! It knows no store and no verb.

use serde_json::{Map, Value, json};

use super::kinds::Kind;

/// A refused request, answered as `metav1.Status`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// HTTP status code.
    pub code: u16,
    /// `metav1.StatusReason`.
    pub reason: &'static str,
    /// For people.
    pub message: String,
    details: Option<Value>,
    /// Seconds for the `Retry-After` header.
    pub retry_after: Option<u32>,
}

/// One field that is wrong, as in `field.Error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub field: String,
    /// `FieldValueRequired`, `FieldValueInvalid`, …
    pub reason: &'static str,
    pub message: String,
}

impl Cause {
    pub(crate) fn required(field: impl Into<String>) -> Self {
        Self { field: field.into(), reason: "FieldValueRequired", message: "Required value".into() }
    }

    pub(crate) fn invalid(field: impl Into<String>, value: &Value, why: &str) -> Self {
        let message = format!("Invalid value: {}: {why}", brief(value));
        Self { field: field.into(), reason: "FieldValueInvalid", message }
    }

    pub(crate) fn wrong_type(field: impl Into<String>, value: &Value, wanted: &str) -> Self {
        let field = field.into();
        let found = type_name(value);
        let message = format!("Invalid value: \"{found}\": {field} in body must be of type {wanted}: \"{found}\"");
        Self { field, reason: "FieldValueTypeInvalid", message }
    }

    pub(crate) fn unsupported(field: impl Into<String>, value: &Value, allowed: &[Value]) -> Self {
        let list: Vec<String> = allowed.iter().map(brief).collect();
        let message = format!("Unsupported value: {}: supported values: {}", brief(value), list.join(", "));
        Self { field: field.into(), reason: "FieldValueNotSupported", message }
    }

    pub(crate) fn forbidden(field: impl Into<String>, why: &str) -> Self {
        Self { field: field.into(), reason: "FieldValueForbidden", message: format!("Forbidden: {why}") }
    }
}

pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Scalars as they are, the rest by its type, as apiserver's messages do.
fn brief(value: &Value) -> String {
    match value {
        Value::Object(_) | Value::Array(_) => format!("\"{}\"", type_name(value)),
        scalar => scalar.to_string(),
    }
}

impl ApiError {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, retry_after: None }
    }

    fn about(self, kind: &Kind, name: &str) -> Self {
        self.detailed(&[("name", name), ("group", &kind.group), ("kind", &kind.plural)])
    }

    /// Details without the empty ones.
    fn detailed(mut self, entries: &[(&str, &str)]) -> Self {
        let entries = entries.iter().filter(|(_, value)| !value.is_empty());
        self.details =
            Some(entries.map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect::<Map<_, _>>().into());
        self
    }

    pub(crate) fn not_found(kind: &Kind, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} \"{name}\" not found", kind.qualified)).about(kind, name)
    }

    /// The path names no resource that is served.
    pub(crate) fn no_such_resource() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource")
    }

    pub(crate) fn already_exists(kind: &Kind, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{} \"{name}\" already exists", kind.qualified)).about(kind, name)
    }

    pub(crate) fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.qualified);
        Self::new(409, "Conflict", message).about(kind, name)
    }

    pub(crate) fn modified(kind: &Kind, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(kind, name, why)
    }

    pub(crate) fn apply_conflict(conflicts: &[(String, String)]) -> Self {
        let list: Vec<String> = conflicts.iter().map(|(by, path)| format!("conflict with \"{by}\": {path}")).collect();
        let causes: Vec<Value> = conflicts
            .iter()
            .map(|(by, path)| json!({"reason": "FieldManagerConflict", "message": format!("conflict with \"{by}\""), "field": path}))
            .collect();
        let plural = if conflicts.len() == 1 { "conflict" } else { "conflicts" };
        let message = format!("Apply failed with {} {plural}: {}", conflicts.len(), list.join(", "));
        Self { details: Some(json!({"causes": causes})), ..Self::new(409, "Conflict", message) }
    }

    pub(crate) fn expired(asked: u64, oldest: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {asked} ({oldest})"))
    }

    /// A list at a version of which nothing is kept.
    pub(crate) fn expired_list() -> Self {
        Self::new(410, "Expired", "The resourceVersion for the provided list is too old.")
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }

    pub(crate) fn unsupported_media_type() -> Self {
        Self { details: Some(json!({})), ..Self::new(415, "UnsupportedMediaType", "415: Unsupported Media Type") }
    }

    pub(crate) fn forbidden(kind: &Kind, name: &str, why: &str) -> Self {
        Self::new(403, "Forbidden", format!("{} \"{name}\" is forbidden: {why}", kind.qualified)).about(kind, name)
    }

    pub(crate) fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Self {
        Self::invalid_named(&kind.group, &kind.kind, name, causes)
    }

    fn invalid_named(group: &str, kind: &str, name: &str, causes: &[Cause]) -> Self {
        let texts: Vec<String> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        let list = match texts.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let causes: Vec<Value> = causes
            .iter()
            .map(|cause| json!({"reason": cause.reason, "message": cause.message, "field": cause.field}))
            .collect();
        let mut error = Self::new(422, "Invalid", format!("{qualified} \"{name}\" is invalid: {list}")).detailed(&[
            ("name", name),
            ("group", group),
            ("kind", kind),
        ]);
        if let Some(details) = &mut error.details {
            details["causes"] = causes.into();
        }
        error
    }

    /// Server-side apply without the name of who applies.
    pub(crate) fn no_manager() -> Self {
        let cause = Cause {
            field: "fieldManager".into(),
            reason: "FieldValueRequired",
            message: "Required value: is required for apply patch".into(),
        };
        Self::invalid_named("meta.k8s.io", "PatchOptions", "", &[cause])
    }

    /// A patch that makes of an object what nothing of its kind can be.
    pub(crate) fn unreadable(patched: &Value, why: &str) -> Self {
        Self::invalid_named("", "", "", &[Cause::invalid("patch", &Value::from(patched.to_string()), why)])
    }

    /// A JSON Patch that does not fit the object.
    pub(crate) fn unprocessable() -> Self {
        let message = "the server rejected our request due to an error in our request";
        Self { details: Some(json!({})), ..Self::new(422, "Invalid", message) }
    }

    /// `fieldValidation=Strict` met fields that nobody knows.
    pub(crate) fn unknown_fields(kind: &Kind, fields: &[String]) -> Self {
        let list: Vec<String> = fields.iter().map(|field| format!("unknown field \"{field}\"")).collect();
        Self::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {}: strict decoding error: {}",
            kind.kind,
            kind.version,
            kind.kind,
            list.join(", ")
        ))
    }

    /// A precondition of a delete does not hold.
    pub(crate) fn precondition(kind: &Kind, name: &str, what: &str, wanted: &str, found: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": the {what} in the precondition ({wanted}) does not match the {what} in \
             record ({found}). The object might have been deleted and then recreated",
            kind.kind
        );
        Self::new(409, "Conflict", message).detailed(&[("name", name), ("kind", &kind.kind)])
    }

    /// A list at a version that is not reached yet.
    pub(crate) fn from_the_future(asked: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let causes = json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]);
        Self { details: Some(json!({"causes": causes, "retryAfterSeconds": 1})), ..Self::new(504, "Timeout", message) }
    }

    /// A validating webhook said no (HTTP 400, as Tekton's does).
    pub(crate) fn denied(webhook: &str, why: &str) -> Self {
        Self::new(400, "BadRequest", format!("admission webhook \"{webhook}\" denied the request: {why}"))
    }

    /// A webhook that denies with 403, as policy engines do.
    pub(crate) fn denied_by_policy(webhook: &str, why: &str) -> Self {
        Self::new(403, "Forbidden", format!("admission webhook \"{webhook}\" denied the request: {why}"))
    }

    pub(crate) fn too_many_requests(seconds: u32) -> Self {
        let message = "the server has received too many requests and has asked us to try again later";
        Self {
            details: Some(json!({"retryAfterSeconds": seconds})),
            retry_after: Some(seconds),
            ..Self::new(429, "TooManyRequests", message)
        }
    }

    pub(crate) fn internal(why: impl Into<String>) -> Self {
        Self::new(500, "InternalError", format!("Internal error occurred: {}", why.into()))
    }

    pub(crate) fn unavailable(why: impl Into<String>) -> Self {
        Self::new(503, "ServiceUnavailable", why)
    }

    /// The whole `metav1.Status`.
    pub fn to_json(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if let (Some(details), Some(map)) = (&self.details, status.as_object_mut()) {
            map.insert("details".into(), details.clone());
        }
        status
    }
}
