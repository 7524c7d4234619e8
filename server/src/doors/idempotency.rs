//! `Idempotency-Key` on every POST of programs: the same key and body get the first answer again; another body is refused
//! (`api.md`, Conventions). It stands behind the route's right: who may not do a thing is told so, with a key or without.

use super::{
    body,
    gate::{Gate, RequestId},
    problem::{self, Problem},
};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequest as _, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    identity::Caller,
    ports::{IdempotencyStore, Remembered, StoreError},
};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// The header.
pub const KEY: &str = "idempotency-key";
/// The most characters of a key.
pub const MAX_KEY: usize = 255;
/// Headers of an answer that are kept with it.
const KEPT: [HeaderName; 4] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG, header::CACHE_CONTROL];
/// The longest answer that is kept, bytes.
const MAX_ANSWER: usize = 8 << 20;
/// Last parts of addresses that stand for an act and not for an object.
const ACTS: [&str; 10] = [
    "/activate",
    "/cancel",
    "/decisions",
    "/discard",
    "/exports",
    "/redeliver",
    "/status",
    "/test",
    "/tickets",
    "/validate",
];

/// Answers a repeated POST from memory, and hands on every other request.
pub async fn once<F>(gate: &Gate, request: Request, handle: impl FnOnce(Request) -> F) -> Result<Response, Problem>
where
    F: Future<Output = Response> + Send + 'static,
{
    let caller = request.extensions().get::<Caller>();
    let (&Method::POST, true, Some(caller)) = (request.method(), request.uri().path().starts_with("/api/"), caller)
    else {
        return Ok(handle(request).await);
    };
    let Some(key) = key(request.headers())?.filter(|_| keeps(request.uri().path())) else {
        return Ok(handle(request).await);
    };
    let held = Held { store: gate.idempotency.clone(), actor: caller.actor.id.as_str().to_owned(), key };
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();

    let (parts, sent) = request.into_parts();
    let sent = Bytes::from_request(Request::from_parts(parts.clone(), sent), &()).await;
    let sent = sent.map_err(|error| body::unread(&error))?;
    let path = parts.uri.path().to_owned();
    let begun = held.store.begin(&held.actor, &held.key, &hash(&parts.uri.to_string(), &sent)).await;
    match begun.map_err(|error| unavailable(&error))? {
        Remembered::New => {}
        other => return repeated(other, &path),
    }
    // In a task of its own: who hangs up must not stop what was begun, nor keep its answer from being written down.
    let answer = handle(Request::from_parts(parts, Body::from(sent)));
    let keeping = tokio::spawn(async move { held.keep(problem::written(answer.await, &request_id)).await });
    keeping.await.map_err(|error| {
        tracing::error!(%error, "a handler panicked");
        let detail = "something went wrong on our side; name the request id when you ask for help";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    })
}

/// Whether the answers of this route are kept. What lies in a volume is told to whoever asks and kept nowhere; a listing that is asked for
/// twice makes nothing twice.
pub fn keeps(path: &str) -> bool {
    !(path.starts_with("/api/v1/executions/") && path.ends_with("/listing"))
}

/// The key, where there is one.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut all = headers.get_all(KEY).iter();
    let Some(first) = all.next() else { return Ok(None) };
    let good = first.to_str().ok().filter(|key| (1..=MAX_KEY).contains(&key.len()) && all.next().is_none());
    let detail = "send one Idempotency-Key of 1 to 255 visible ASCII characters";
    good.map(|key| Some(key.to_owned()))
        .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "bad-idempotency-key", detail))
}

fn hash(address: &str, sent: &Bytes) -> String {
    let mut hash = Sha256::new();
    hash.update(address.as_bytes());
    hash.update([0]);
    hash.update(sent);
    hex::encode(hash.finalize())
}

fn unavailable(error: &StoreError) -> Problem {
    tracing::error!(%error, "idempotency keys can't be read");
    let detail = "the database is not available; nothing was done, try again in a moment";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(2)
}

/// The answer to a key that was there before.
fn repeated(remembered: Remembered, path: &str) -> Result<Response, Problem> {
    let conflict = |kind: &str, detail: String| Problem::new(StatusCode::CONFLICT, kind, detail);
    match remembered {
        Remembered::New | Remembered::InProgress => {
            let detail = "the first request with this Idempotency-Key is still being answered; ask again in a moment";
            Err(conflict("in-progress", detail.into()).retry_after(1))
        }
        Remembered::OtherRequest => {
            let detail = "this Idempotency-Key was used for another request; use a new one";
            Err(conflict("idempotency-key-reused", detail.into()))
        }
        Remembered::Unknown => {
            let place = place(path);
            Err(conflict(
                "outcome-unknown",
                format!(
                    "the first request with this Idempotency-Key ended without an answer, its outcome is unknown: look at \
                     {place} whether it was done; only if not, send it again with a new key"
                ),
            ))
        }
        Remembered::Answer { status, headers, body } => {
            let mut answer = (StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body).into_response();
            answer.headers_mut().remove(header::CONTENT_TYPE);
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                    answer.headers_mut().insert(name, value);
                }
            }
            Ok(answer)
        }
    }
}

/// Where one sees whether it was done: for an act at the object of it.
fn place(path: &str) -> &str {
    ACTS.iter().find_map(|act| path.strip_suffix(act)).unwrap_or(path)
}

/// A key that this request has taken.
struct Held {
    store: Arc<dyn IdempotencyStore>,
    actor: String,
    key: String,
}

impl Held {
    /// Writes the answer down and hands it on. Whatever becomes of the writing, the caller gets what really happened; a key
    /// whose answer could not be kept never acts again.
    async fn keep(self, answer: Response) -> Response {
        let status = answer.status();
        let (parts, sent) = answer.into_parts();
        let (kept, answer) = match axum::body::to_bytes(sent, MAX_ANSWER).await {
            // Nothing was done, and the next try may be allowed or find its neighbours again.
            Ok(sent) if not_done(status) => {
                (self.store.forget(&self.actor, &self.key).await, Response::from_parts(parts, sent.into()))
            }
            Ok(sent) if status.is_server_error() => {
                (self.store.give_up(&self.actor, &self.key).await, Response::from_parts(parts, sent.into()))
            }
            Ok(sent) => {
                let headers: Vec<(String, String)> = KEPT
                    .iter()
                    .filter_map(|name| Some((name.to_string(), parts.headers.get(name)?.to_str().ok()?.to_owned())))
                    .collect();
                let text = String::from_utf8_lossy(&sent);
                let kept = self.store.finish(&self.actor, &self.key, status.as_u16(), &headers, &text).await;
                (kept, Response::from_parts(parts, sent.into()))
            }
            Err(error) => {
                tracing::error!(%error, "an answer can't be read");
                let detail = "it was done, but its answer can't be written; look at the object";
                let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail);
                (self.store.give_up(&self.actor, &self.key).await, problem.into_response())
            }
        };
        if let Err(error) = kept {
            tracing::error!(%error, actor = self.actor, "the first answer to an Idempotency-Key can't be kept");
        }
        answer
    }
}

/// Whether an answer says that nothing was done, for a reason that may pass.
fn not_done(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_an_act_was_done_is_seen_at_its_object() {
        for (path, at) in [
            ("/api/v1/policies/2/activate", "/api/v1/policies/2"),
            ("/api/v1/executions/x/cancel", "/api/v1/executions/x"),
            ("/api/v1/policies", "/api/v1/policies"),
        ] {
            assert_eq!(place(path), at);
        }
    }
}
