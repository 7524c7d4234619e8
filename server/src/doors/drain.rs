//! What a request still has to say. Its body must come within its time: who sends it a byte at a time would keep its connection for
//! ever. And a connection that is closed on somebody who is still sending is reset, and then the answer (no right, too large) is lost
//! with it: a little more is read and thrown away.

use axum::{
    body::{Body, BodyDataStream, Bytes, HttpBody as _},
    extract::Request,
    http::Method,
    middleware::Next,
    response::Response,
};
use futures::{Stream, StreamExt as _, stream::poll_fn};
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Sleep;

/// The longest that a body may take: of the largest, 9 KB a second.
const BODY_WITHIN: Duration = Duration::from_secs(30);
/// The most that is thrown away, bytes.
const MOST: usize = 1 << 20;
/// The longest that is waited for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// A body on its way, and how long it may still take.
struct Sent {
    body: BodyDataStream,
    late: Pin<Box<Sleep>>,
    given_up: bool,
}

impl Sent {
    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        if self.given_up {
            return Poll::Ready(None);
        }
        let next = self.body.poll_next_unpin(context);
        // What is there is taken, however late it is.
        if next.is_pending() && self.late.as_mut().poll(context).is_ready() {
            self.given_up = true;
            return Poll::Ready(Some(Err(axum::Error::new(io::Error::from(io::ErrorKind::TimedOut)))));
        }
        next
    }
}

/// The body as a stream that several may read, one after the other: its reader may leave before its end, and what is left stays.
fn shared(body: Body, within: Duration) -> impl Fn() -> Pin<Box<dyn Stream<Item = Result<Bytes, axum::Error>> + Send>> {
    let late = Box::pin(tokio::time::sleep(within));
    let sent = Arc::new(Mutex::new(Sent { body: body.into_data_stream(), late, given_up: false }));
    move || {
        let sent = sent.clone();
        Box::pin(poll_fn(move |context| sent.lock().unwrap_or_else(PoisonError::into_inner).next(context)))
    }
}

/// Hands a request on with a body that ends in time, and reads the rest of it before its answer is sent.
pub async fn to_the_end(request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let sent = shared(body, BODY_WITHIN);
    let answer = next.run(Request::from_parts(parts, Body::from_stream(sent()))).await;
    let rest = async {
        let (mut rest, mut read) = (sent(), 0);
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

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;

    #[tokio::test]
    async fn a_body_that_does_not_end_in_time_is_an_error_and_then_nothing() {
        let drop_by_drop = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            Some((Ok::<_, axum::Error>(Bytes::from_static(b"x")), ()))
        });
        let sent = shared(Body::from_stream(drop_by_drop), Duration::from_millis(200));
        let (mut reader, mut came) = (sent(), 0);
        let ended = loop {
            match reader.next().await {
                Some(Ok(bytes)) => came += bytes.len(),
                other => break other,
            }
        };
        assert!(came > 0 && matches!(ended, Some(Err(_))), "{came} bytes, then {ended:?}");
        assert!(sent().next().await.is_none(), "nobody waits for it any more");
    }

    #[tokio::test]
    async fn what_comes_in_time_comes_whole() {
        let sent = shared(Body::from("abc"), Duration::from_secs(30));
        let all: Vec<_> = sent().map(Result::unwrap).collect().await;
        assert_eq!(all.concat(), b"abc");
    }
}
