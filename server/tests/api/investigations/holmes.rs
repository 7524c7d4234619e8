//! HolmesGPT as a test wants it: its `/api/chat` and `/api/model` on loopback, in the form in which release 0.45.0 was heard to speak
//! (`end2end/holmes.test.mjs` has the real one). It says what it is told to, one question after the other.

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::net::TcpListener;

pub const KEY: &str = "a key of HolmesGPT";

/// What it says to a question.
#[derive(Clone, Debug)]
pub enum Says {
    /// This is its answer, after a step or two.
    Answer(String),
    /// Another status, with a detail.
    Status(u16, &'static str),
    /// The stream ends before the answer.
    BreaksOff,
    /// An event `error`.
    Error(&'static str),
    /// Nothing, ever.
    Hangs,
}

#[derive(Default)]
pub struct Script {
    /// What it says next; afterwards it says that it has nothing to say.
    pub says: VecDeque<Says>,
    /// What was asked, in that order.
    pub asked: Vec<Value>,
}

#[derive(Clone)]
pub struct Holmes {
    pub url: String,
    script: Arc<Mutex<Script>>,
}

impl Holmes {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let holmes = Self { url, script: Arc::default() };
        let router = Router::new()
            .route("/api/chat", post(chat))
            .route("/api/model", get(|| async { Json(json!({ "model_name": "[\"gpt-4o\"]" })) }))
            .with_state(holmes.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        holmes
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("no test has failed with it")
    }

    pub fn says(&self, all: impl IntoIterator<Item = Says>) {
        self.script().says.extend(all);
    }

    pub fn asked(&self) -> Vec<Value> {
        self.script().asked.clone()
    }

    /// What was asked, as text.
    pub fn questions(&self) -> Vec<String> {
        self.asked().iter().map(|body| body["ask"].as_str().expect("a text").to_owned()).collect()
    }
}

fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

fn costs(times: u32) -> Value {
    let costs = json!({
        "total_cost": 0.00045 * f64::from(times), "total_tokens": 120 * times, "prompt_tokens": 100 * times,
        "completion_tokens": 20 * times, "cached_tokens": null, "num_compactions": 0,
    });
    json!({ "costs": costs, "max_tokens": 128_000 })
}

async fn chat(State(holmes): State<Holmes>, headers: HeaderMap, Json(asked): Json<Value>) -> Response {
    if headers.get("x-api-key").is_none_or(|key| key != KEY) {
        let detail = json!({ "detail": "Invalid or missing API key" });
        return (StatusCode::UNAUTHORIZED, Json(detail)).into_response();
    }
    let mut history = asked["conversation_history"]
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![json!({ "role": "system", "content": asked["additional_system_prompt"] })]);
    history.push(json!({ "role": "user", "content": asked["ask"] }));
    let says = {
        let mut script = holmes.script();
        script.asked.push(asked);
        script.says.pop_front().unwrap_or(Says::Status(500, "nothing to say"))
    };
    let begun = [
        event("token_count", &json!({ "metadata": costs(1) })),
        event("ai_message", &json!({ "content": "I look at <b>the pods</b>.", "reasoning": null, "metadata": {} })),
        event("start_tool_calling", &json!({ "tool_name": "kubectl_get", "id": "c1" })),
        event(
            "tool_calling_result",
            &json!({
                "tool_call_id": "c1", "tool_name": "kubectl_get", "description": "kubectl get pods -n production",
                "result": { "status": "success", "data": "what a tool finds is not kept" },
            }),
        ),
    ]
    .concat();
    let stream = |text: String| ([(header::CONTENT_TYPE, "text/event-stream")], text).into_response();
    match says {
        Says::Answer(analysis) => {
            history.push(json!({ "role": "assistant", "content": analysis }));
            let end = json!({
                "analysis": analysis, "conversation_history": history, "follow_up_actions": [], "metadata": costs(2),
            });
            stream(begun + &event("ai_answer_end", &end))
        }
        Says::Status(status, detail) => {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, Json(json!({ "detail": detail }))).into_response()
        }
        Says::BreaksOff => stream(begun),
        Says::Error(what) => {
            let error = json!({ "description": what, "error_code": 1, "msg": what, "success": false });
            stream(begun + &event("error", &error))
        }
        Says::Hangs => {
            let pieces = futures::stream::unfold(Some(begun), |next| async move {
                if let Some(text) = next {
                    return Some((Ok::<_, Infallible>(Bytes::from(text)), None));
                }
                tokio::time::sleep(Duration::from_hours(1)).await;
                None
            });
            ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(pieces)).into_response()
        }
    }
}
