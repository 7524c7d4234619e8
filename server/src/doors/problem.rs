//! Problems as programs get them (RFC 9457, `api.md` Conventions). The one place where a service's error becomes a status.

use app::error::Trouble;
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    fault::Fault,
    identity::{Denied, Right},
    json::diff::Change,
    services::ServiceError,
};
use serde::Serialize;

/// The media type of problems.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// The most characters of a pointer that are repeated: hostile input must not buy an answer larger than itself.
const MAX_POINTER: usize = 256;

/// A problem on its way out. The request id is put in when it is [`written`].
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Problem(Box<Told>);

/// What is told of a problem.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct Told {
    /// A stable address of the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What happened and what to do.
    detail: String,
    /// Name it when you ask for help.
    request_id: String,
    /// The missing right, for 403.
    #[serde(skip_serializing_if = "Option::is_none")]
    required_right: Option<String>,
    /// The single faults, for 422.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
    /// What differs, for some 409.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<Change>,
    #[serde(skip)]
    retry_after: Option<u32>,
    #[serde(skip)]
    etag: Option<String>,
}

impl Problem {
    /// A problem of this kind.
    pub fn new(status: StatusCode, kind: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(Told {
            kind: format!("urn:kubernaut:problem:{kind}"),
            title: status.canonical_reason().unwrap_or("Problem").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            request_id: String::new(),
            required_right: None,
            errors: Vec::new(),
            differences: Vec::new(),
            retry_after: None,
            etag: None,
        }))
    }

    /// Nobody is signed in.
    pub fn unauthenticated() -> Self {
        let detail = "send a token as \"Authorization: Bearer …\", or sign in";
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    /// Too little right.
    pub fn denied(denied: &Denied) -> Self {
        let mut problem = Self::new(StatusCode::FORBIDDEN, "missing-right", denied.to_string());
        problem.0.required_right = Some(denied.right.name().to_owned());
        problem
    }

    /// Rules are broken.
    pub fn invalid(mut faults: Vec<Fault>) -> Self {
        for pointer in faults.iter_mut().map(|fault| &mut fault.pointer) {
            if let Some((end, _)) = pointer.char_indices().nth(MAX_POINTER) {
                pointer.truncate(end);
                pointer.push('…');
            }
        }
        let detail = match faults.as_slice() {
            [one] => one.to_string(),
            many => format!("{} rules are broken; see errors", many.len()),
        };
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail);
        problem.0.errors = faults;
        problem
    }

    /// It has moved on: the state that the caller knew is not the current one, whose tag this is.
    pub fn moved(tag: &str) -> Self {
        let etag = format!("\"{tag}\"");
        let detail = format!("this has changed since you read it: its entity tag is now {etag}; read it again");
        let mut problem = Self::new(StatusCode::PRECONDITION_FAILED, "moved", detail);
        problem.0.etag = Some(etag);
        problem
    }

    /// The right that is missing, where that is the problem.
    pub fn right(&self) -> Option<&str> {
        self.0.required_right.as_deref()
    }

    /// What happened and what to do.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The same for people. What is told only to programs (how to send a token) stays away.
    pub fn trouble(self) -> Trouble {
        let told = *self.0;
        let right = |name: &String| Right::ALL.into_iter().find(|right| right.name() == name);
        let foreign = told.kind.ends_with(":cross-site");
        let own = foreign || matches!(told.status, 405 | 413 | 421 | 429 | 500..);
        Trouble {
            status: StatusCode::from_u16(told.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            missing: told.required_right.as_ref().and_then(right).map(|right| (right, String::new())),
            act: true,
            foreign,
            detail: if own { String::new() } else { told.detail },
            faults: told.errors,
            differences: told.differences,
            retry_after: told.retry_after,
            back: None,
            asked: None,
        }
    }

    /// Come back later.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Denied(denied) => Self::denied(&denied),
            ServiceError::Forbidden(detail) => Self::new(StatusCode::FORBIDDEN, "forbidden", detail),
            ServiceError::SignInAgain(detail) => Self::new(StatusCode::FORBIDDEN, "sign-in-again", detail),
            ServiceError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not-found", error.to_string()),
            ServiceError::Invalid(faults) => Self::invalid(faults),
            ServiceError::Conflict { code, detail, differences } => {
                let mut problem = Self::new(StatusCode::CONFLICT, &code.replace('_', "-"), detail);
                problem.0.differences = differences;
                problem
            }
            ServiceError::Moved { tag } => Self::moved(&tag),
            ServiceError::Unavailable(detail) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(2)
            }
            ServiceError::Unsure => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "outcome-unknown", error.to_string()),
            ServiceError::Internal(detail) => {
                tracing::error!(detail, "a request failed on our side");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal",
                    "something went wrong on our side; name the request id when you ask for help",
                )
            }
        }
    }
}

/// Without its body: that is written on the way out ([`written`]), once, with the request's id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)]).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"kubernaut\""));
        }
        if let Some(seconds) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(tag) = self.0.etag.as_ref().and_then(|tag| HeaderValue::from_str(tag).ok()) {
            headers.insert(header::ETAG, tag);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the problem that an answer carries into its body.
pub fn written(mut answer: Response, request_id: &str) -> Response {
    let Some(mut problem) = answer.extensions_mut().remove::<Problem>() else { return answer };
    request_id.clone_into(&mut problem.0.request_id);
    match serde_json::to_vec(&problem) {
        Ok(body) => *answer.body_mut() = Body::from(body),
        Err(error) => tracing::error!(%error, "a problem can't be written"),
    }
    answer
}

/// An error that no handler of ours made (no such method, a path that is no text) as a problem; its headers stay.
pub fn completed(answer: Response) -> Response {
    let status = answer.status();
    let told = answer.headers().get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes() == MEDIA_TYPE.as_bytes());
    if told || !(status.is_client_error() || status.is_server_error()) {
        return answer;
    }
    let (kind, detail) = match status {
        StatusCode::NOT_FOUND => ("not-found", "there is nothing at this address"),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("method-not-allowed", "this address does not take this method; the header Allow names those it takes")
        }
        StatusCode::PAYLOAD_TOO_LARGE => ("too-large", "the body is too long; send less"),
        _ if status.is_server_error() => {
            ("internal", "something went wrong on our side; name the request id when you ask for help")
        }
        _ => ("bad-request", "this request can't be understood"),
    };
    let mut problem = Problem::new(status, kind, detail).into_response();
    for (name, value) in answer.headers() {
        if !matches!(*name, header::CONTENT_TYPE | header::CONTENT_LENGTH) {
            problem.headers_mut().append(name, value.clone());
        }
    }
    problem
}
