//! A receiver of one's own per test: a server on loopback that hears what it is told, and answers as the test wants it to.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

/// The base64 of the secret that it shares with the console.
const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How it answers.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    /// With `Retry-After`.
    Later(u16, &'static str),
    /// To another path of its own.
    Elsewhere,
    /// Only after so long.
    Slowly(Duration),
}

/// A message that came.
#[derive(Clone, Debug)]
pub struct Heard {
    pub at: Instant,
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Heard {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub fn kind(&self) -> String {
        self.json()["type"].as_str().expect("a type").to_owned()
    }

    /// What a receiver checks, as `docs/notifications.md` has it.
    pub fn is_signed(&self) -> bool {
        let key = BASE64_STANDARD.decode(SECRET).expect("base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        mac.update(format!("{}.{}.", self.headers["webhook-id"], self.headers["webhook-timestamp"]).as_bytes());
        mac.update(&self.body);
        let wanted = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
        self.headers["webhook-signature"].split(' ').any(|signature| signature == wanted)
    }
}

#[derive(Default)]
struct Inner {
    heard: Vec<Heard>,
    replies: VecDeque<Reply>,
    /// By the id of the event: how many are being answered now.
    open: HashMap<String, u32>,
    /// Whether the same one ever came while it was being answered.
    overlapped: bool,
}

#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

impl Receiver {
    /// It answers so, in this order, and with 204 from then on.
    pub async fn answering(replies: &[Reply]) -> Self {
        Self::at("127.0.0.1:0", replies).await
    }

    pub async fn at(address: &str, replies: &[Reply]) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("its address"));
        let inner = Inner { replies: replies.iter().cloned().collect(), ..Inner::default() };
        let receiver = Self { url, inner: Arc::new(Mutex::new(inner)) };
        let router = Router::new().fallback(heard).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.inner.lock().expect("no test has failed with it").heard.clone()
    }

    pub fn overlapped(&self) -> bool {
        self.inner.lock().expect("no test has failed with it").overlapped
    }

    /// Waits until so many messages have come; fails after `within`.
    pub async fn until(&self, many: usize, within: Duration) -> Vec<Heard> {
        let until = Instant::now() + within;
        loop {
            let heard = self.heard();
            if heard.len() >= many {
                return heard;
            }
            assert!(Instant::now() < until, "{} of {many} messages came", heard.len());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn heard(State(receiver): State<Receiver>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let text = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned())
    };
    let one = Heard {
        at: Instant::now(),
        path: uri.path().to_owned(),
        headers: headers.iter().map(text).collect(),
        body: body.to_vec(),
    };
    let id = one.headers.get("webhook-id").cloned().unwrap_or_default();
    let reply = {
        let mut inner = receiver.inner.lock().expect("no test has failed with it");
        let open = inner.open.entry(id.clone()).or_default();
        *open += 1;
        let twice = *open > 1;
        inner.overlapped |= twice;
        inner.heard.push(one);
        inner.replies.pop_front().unwrap_or(Reply::Status(204))
    };
    let status = |status: u16| StatusCode::from_u16(status).expect("a status");
    let answer = match reply {
        Reply::Status(code) => status(code).into_response(),
        Reply::Later(code, when) => (status(code), [(header::RETRY_AFTER, when)]).into_response(),
        Reply::Elsewhere => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/elsewhere")]).into_response(),
        Reply::Slowly(pause) => {
            tokio::time::sleep(pause).await;
            StatusCode::NO_CONTENT.into_response()
        }
    };
    if let Some(open) = receiver.inner.lock().expect("no test has failed with it").open.get_mut(&id) {
        *open -= 1;
    }
    answer
}
