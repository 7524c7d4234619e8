//! Answers that last: a right that was there when one began may be gone while it runs. It is asked for again, and the answer
//! ends without it.

use super::gate::{Credentials, Gate};
use axum::{
    body::{Body, BodyDataStream, Bytes},
    http::header,
    response::{IntoResponse as _, Response},
};
use domain::identity::Right;
use futures::{Stream, StreamExt as _, stream};
use std::{io, time::Duration};

/// How often the right is asked for again; a revoked token must be without effect within ten seconds.
const EVERY: Duration = Duration::from_secs(5);

/// Marks an answer, in its extensions, that is read from the store while it is sent: each part takes the right anew.
#[derive(Clone, Copy, Debug)]
pub struct ByParts;

/// The answer; where it is an event stream, it ends soon after the right does, and where it goes by parts, with it.
pub fn with_the_right(answer: Response, gate: &Gate, credentials: Credentials, right: Right) -> Response {
    if answer.extensions().get::<ByParts>().is_some() {
        let (parts, body) = answer.into_parts();
        let held = while_held(body.into_data_stream(), gate.clone(), credentials, right);
        return (parts, Body::from_stream(held)).into_response();
    }
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
        if !holds(&gate, &credentials, right).await {
            return;
        }
    }
}

/// The parts as long as the right is there. Without it the answer breaks off, so that nobody takes it for all there is.
fn while_held(
    body: BodyDataStream,
    gate: Gate,
    credentials: Credentials,
    right: Right,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::try_unfold((body, gate, credentials), move |(mut body, gate, credentials)| async move {
        let Some(part) = body.next().await else { return Ok(None) };
        let part = part.map_err(io::Error::other)?;
        if !holds(&gate, &credentials, right).await {
            return Err(io::Error::other("the right to read it is gone"));
        }
        Ok(Some((part, (body, gate, credentials))))
    })
}

async fn holds(gate: &Gate, credentials: &Credentials, right: Right) -> bool {
    let identity = credentials.identity_by_now(gate).await;
    identity.is_ok_and(|i| i.is_some_and(|i| i.roles.iter().any(|role| role.grants(right))))
}
