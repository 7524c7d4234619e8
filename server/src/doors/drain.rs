//! What a request still has to say when its answer is ready. A connection that is closed on somebody who is still sending is
//! reset, and then the answer (no right, too large) is lost with it: a little more is read and thrown away.

use axum::{
    body::{Body, HttpBody as _},
    extract::Request,
    http::Method,
    middleware::Next,
    response::Response,
};
use futures::{StreamExt as _, stream::poll_fn};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The most that is thrown away, bytes.
const MOST: usize = 1 << 20;
/// The longest that is waited for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads the rest of a request before its answer is sent.
pub async fn to_the_end(request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    // Its reader may leave before its end; what is left stays here.
    let sent = Arc::new(Mutex::new(body.into_data_stream()));
    let stream = || {
        let sent = sent.clone();
        poll_fn(move |context| sent.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(context))
    };
    let answer = next.run(Request::from_parts(parts, Body::from_stream(stream()))).await;
    let rest = async {
        let (mut rest, mut read) = (stream(), 0);
        while let Some(Ok(bytes)) = rest.next().await {
            read += bytes.len();
            if read > MOST {
                break;
            }
        }
    };
    // Who sends slowly, or without end, is not waited for.
    let _ = tokio::time::timeout(PATIENCE, rest).await;
    answer
}
