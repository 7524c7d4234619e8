//! Answers over HTTP: one body, or a stream of pieces that faults can break.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use http::{Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use serde_json::{Value, json};

use super::status::ApiError;
use crate::faults::Broken;

pub(crate) type Reply = Response<UnsyncBoxBody<Bytes, Broken>>;

/// Ends a stream at its first empty piece.
pub(crate) fn until_empty(
    stream: impl Stream<Item = Result<Bytes, Broken>> + Send,
) -> impl Stream<Item = Result<Bytes, Broken>> + Send {
    stream.take_while(|piece| std::future::ready(!matches!(piece, Ok(bytes) if bytes.is_empty())))
}

/// A path that nobody serves.
pub(crate) fn nothing_here() -> Reply {
    let mut response = reply(StatusCode::NOT_FOUND, Bytes::from_static(b"404 page not found\n"));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain"));
    response
}

pub(crate) fn expired_watch() -> Reply {
    let event = json!({"type": "ERROR", "object": ApiError::expired(1, 2).to_json()});
    reply(StatusCode::OK, Bytes::from(format!("{event}\n")))
}

pub(crate) fn respond(status: StatusCode, kind: &'static str, body: UnsyncBoxBody<Bytes, Broken>) -> Reply {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}

pub(crate) fn reply(status: StatusCode, body: Bytes) -> Reply {
    let never = |error: Infallible| match error {};
    respond(status, "application/json", Full::new(body).map_err(never).boxed_unsync())
}

pub(crate) fn value(status: StatusCode, body: &Value) -> Reply {
    reply(status, Bytes::from(body.to_string()))
}

pub(crate) fn streaming(
    stream: impl Stream<Item = Result<Bytes, Broken>> + Send + 'static,
    kind: &'static str,
) -> Reply {
    respond(StatusCode::OK, kind, BodyExt::boxed_unsync(StreamBody::new(stream.map_ok(http_body::Frame::data))))
}

pub(crate) fn refusal(error: &ApiError) -> Reply {
    let mut response =
        value(StatusCode::from_u16(error.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), &error.to_json());
    if let Some(seconds) = error.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, Duration::from_secs(u64::from(seconds)).as_secs().into());
    }
    response
}
