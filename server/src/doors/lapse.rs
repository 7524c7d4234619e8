//! Streams that stay open: a right that was there when one began may be gone while it runs. It is asked for again, and the
//! stream ends without it.

use super::gate::{Credentials, Gate};
use axum::{
    body::Body,
    http::header,
    response::{IntoResponse as _, Response},
};
use domain::identity::Right;
use futures::StreamExt as _;
use std::time::Duration;

/// How often the right is asked for again; a revoked token must be without effect within ten seconds.
const EVERY: Duration = Duration::from_secs(5);

/// The answer; where it is an event stream, it ends soon after the right does.
pub fn with_the_right(answer: Response, gate: &Gate, credentials: Credentials, right: Right) -> Response {
    let media_type = answer.headers().get(header::CONTENT_TYPE);
    if !media_type.is_some_and(|t| t.as_bytes().starts_with(b"text/event-stream")) {
        return answer;
    }
    let (parts, body) = answer.into_parts();
    let lapsed = Box::pin(lapsed(gate.clone(), credentials, right));
    (parts, Body::from_stream(body.into_data_stream().take_until(lapsed))).into_response()
}

/// Ends when the right is no longer there, or can't be found out: the reader comes again and is told why.
async fn lapsed(gate: Gate, credentials: Credentials, right: Right) {
    loop {
        tokio::time::sleep(EVERY).await;
        let identity = credentials.identity_by_now(&gate).await;
        if !identity.is_ok_and(|i| i.is_some_and(|i| i.roles.iter().any(|role| role.grants(right)))) {
            return;
        }
    }
}
