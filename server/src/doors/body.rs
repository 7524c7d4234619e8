//! Bodies of programs' requests: JSON, read strictly, before anything else happens with it.

use super::problem::Problem;
use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
};
use domain::{
    fault::{Fault, Faults},
    json::strict::{self, Limits, StrictError},
    reader::ObjectReader,
};
use serde_json::Value;

pub use domain::json::strict::BODY_BYTES as MAX_BODY;

/// A strictly read JSON body: no duplicate keys, not too deep, valid UTF-8.
pub struct Json(pub Value);

/// The same where a body may be left out: none when it is empty or blank.
pub struct OptionalJson(pub Option<Value>);

impl<S: Send + Sync> FromRequest<S> for Json {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Ok(Self(parse(&sent(request, state).await?)?))
    }
}

impl<S: Send + Sync> FromRequest<S> for OptionalJson {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let says_json = says_json(request.headers()).and_then(|()| plain(request.headers()));
        let bytes = Bytes::from_request(request, state).await;
        // Where nothing was sent, it does not matter as what.
        if bytes.as_ref().is_ok_and(Bytes::is_empty) {
            return Ok(Self(None));
        }
        says_json?;
        let bytes = bytes.map_err(|error| unread(&error))?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(None));
        }
        parse(&bytes).map(|value| Self(Some(value)))
    }
}

/// The bytes of a body that says it is JSON.
pub async fn sent<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    says_json(request.headers())?;
    plain(request.headers())?;
    Bytes::from_request(request, state).await.map_err(|error| unread(&error))
}

/// Bodies come as they are: what has to be unpacked first may become more than was sent.
pub fn plain(headers: &HeaderMap) -> Result<(), Problem> {
    let packed = |coding: &[u8]| !coding.eq_ignore_ascii_case(b"identity");
    if headers.get_all(header::CONTENT_ENCODING).iter().any(|coding| packed(coding.as_bytes())) {
        let detail = "send the body as it is, without Content-Encoding";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "packed", detail));
    }
    Ok(())
}

fn says_json(headers: &HeaderMap) -> Result<(), Problem> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || essence.ends_with("+json") {
        return Ok(());
    }
    let detail = "send the body as JSON, with Content-Type: application/json";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", detail))
}

/// Reads bytes as strict JSON.
pub fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    let limits = Limits { bytes: MAX_BODY, ..Limits::default() };
    strict::parse(bytes, limits).map_err(|error| match error {
        StrictError::TooLarge { .. } => too_large(),
        other => Problem::invalid(vec![Fault::new(other.pointer().to_owned(), other.code(), other.to_string())]),
    })
}

/// The answer to a body that could not be read.
pub fn unread(error: &BytesRejection) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    let detail = "the body did not come whole in its time; send it again";
    Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", detail)
}

/// The answer to a body over its size.
pub fn too_large() -> Problem {
    let detail = format!("the body is longer than {MAX_BODY} bytes; send less");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
}

/// Reads the members of a small body; every fault is found in one pass.
pub fn read<T>(body: &Value, members: impl FnOnce(&mut ObjectReader<'_, '_>) -> Option<T>) -> Result<T, Problem> {
    let mut faults = Faults::new();
    let mut object = ObjectReader::new(body, "", &mut faults);
    let read = members(&mut object);
    object.finish();
    match read {
        Some(read) if faults.is_empty() => Ok(read),
        _ => Err(Problem::invalid(faults.into_vec())),
    }
}
