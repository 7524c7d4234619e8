//! Calls to HolmesGPT's API: `POST /api/chat` as an event stream (release 0.45; `/api/investigate` of earlier ones is gone there), and
//! `GET /api/model`. What is sent and told is of its form; what is asked stands in `domain::investigation::prompt`.

use crate::{
    config::HolmesConfig,
    outbound::{Outbound, OutboundError, Streamed},
};
use axum::http::{self, HeaderMap, StatusCode, header};
use domain::{
    accounts::Secret,
    investigation::{
        pace::{Again, Failure},
        prompt,
        stream::{Reader, Told, told},
    },
    text::one_line,
};
use serde_json::{Value, json};
use std::{collections::VecDeque, time::Duration};

/// The longest stream that is read, bytes. It ends with the whole conversation, and what tools found is part of it.
const MAX_STREAM: usize = 32 << 20;
/// The longest refusal that is read, bytes.
const MAX_REFUSAL: usize = 16 << 10;
/// Characters of HolmesGPT's own words about what went wrong.
const WORDS: usize = 300;

/// HolmesGPT.
pub struct Holmes {
    outbound: Outbound,
    url: String,
    key: Option<Secret>,
    model: Option<String>,
    response_format: bool,
    timeout: Duration,
}

/// A question.
pub struct Question<'a> {
    /// What is asked.
    pub ask: &'a str,
    /// The conversation so far, as HolmesGPT has told it.
    pub history: Option<&'a Value>,
    /// The form of the answer, as JSON Schema.
    pub form: Option<Value>,
    /// What HolmesGPT may tell questions of one conversation by.
    pub conversation: &'a str,
}

impl Holmes {
    /// As the settings have it.
    ///
    /// # Errors
    /// When its certificates can't be used; the message says what to do.
    pub fn new(config: &HolmesConfig) -> Result<Self, String> {
        Ok(Self {
            // Whoever sets the address is believed; it is a private one as a rule.
            outbound: Outbound::believing("holmes-ca-file", config.ca_file.as_deref(), true)?,
            url: config.url.clone(),
            key: config.api_key.clone(),
            model: config.model.clone(),
            response_format: config.response_format,
            timeout: config.timeout,
        })
    }

    /// Asks; the answer is told as it comes.
    pub async fn ask(&self, question: Question<'_>) -> Result<Answering, Failure> {
        let mut body = json!({
            "ask": question.ask,
            "stream": true,
            "additional_system_prompt": prompt::SYSTEM,
            "conversation_id": question.conversation,
        });
        if let Some(history) = question.history {
            body["conversation_history"] = history.clone();
        }
        if let Some(model) = &self.model {
            body["model"] = json!(model);
        }
        if let Some(schema) = question.form.filter(|_| self.response_format) {
            // Not strict: parameters have each playbook's own form.
            let form = json!({ "name": "remediation", "schema": schema });
            body["response_format"] = json!({ "type": "json_schema", "json_schema": form });
        }
        let request = self
            .request(http::Request::post(format!("{}/api/chat", self.url)))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_string().into_bytes())
            .map_err(|_| Failure::for_good("--holmes-url or --holmes-api-key can't be sent: look at both"))?;
        let streamed = self.outbound.stream(request, self.timeout).await.map_err(|error| uncalled(&error))?;
        if streamed.status() != StatusCode::OK {
            return Err(refused(streamed).await);
        }
        Ok(Answering { streamed, reader: Reader::default(), told: VecDeque::new(), length: 0 })
    }

    /// The model that answers, where that is set, or HolmesGPT has but one.
    pub async fn model(&self) -> Option<String> {
        if self.model.is_some() {
            return self.model.clone();
        }
        let request = self.request(http::Request::get(format!("{}/api/model", self.url))).body(Vec::new()).ok()?;
        let answer = self.outbound.send(request).await.ok()?;
        let told: Value = serde_json::from_slice(answer.body()).ok()?;
        // A list, written as a text.
        let names: Vec<String> = serde_json::from_str(told["model_name"].as_str()?).ok()?;
        match names.as_slice() {
            [one] => Some(one_line(one, 120)),
            _ => None,
        }
    }

    /// Whether it answers, and takes the key; otherwise why not.
    pub async fn answers(&self) -> Result<(), String> {
        let request = self.request(http::Request::get(format!("{}/api/model", self.url))).body(Vec::new());
        let request = request.map_err(|_| "--holmes-url or --holmes-api-key can't be sent".to_owned())?;
        let answer = self.outbound.send(request).await.map_err(|error| error.to_string())?;
        match answer.status() {
            StatusCode::OK => Ok(()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err("it does not take the key: look at --holmes-api-key".to_owned())
            }
            status => Err(format!("it answered {status}")),
        }
    }

    fn request(&self, request: http::request::Builder) -> http::request::Builder {
        match &self.key {
            Some(key) => request.header("x-api-key", &key.0),
            None => request,
        }
    }
}

/// An answer that is being told.
pub struct Answering {
    streamed: Streamed,
    reader: Reader,
    told: VecDeque<Told>,
    length: usize,
}

impl Answering {
    /// What is told next.
    pub async fn next(&mut self) -> Result<Told, Failure> {
        loop {
            if let Some(told) = self.told.pop_front() {
                return Ok(told);
            }
            let Some(bytes) = self.streamed.chunk().await.map_err(|error| uncalled(&error))? else {
                return Err(Failure::for_now("HolmesGPT broke off before its answer"));
            };
            self.length += bytes.len();
            if self.length > MAX_STREAM {
                return Err(Failure::for_now(format!("HolmesGPT's answer is longer than {MAX_STREAM} bytes")));
            }
            self.told.extend(self.reader.push(&bytes).iter().flat_map(told));
        }
    }
}

/// Why it could not be called.
fn uncalled(error: &OutboundError) -> Failure {
    let reason = format!("HolmesGPT can't be asked: {error}");
    match error {
        OutboundError::TooLong(_) | OutboundError::Failed { .. } => Failure::for_now(reason),
        _ => Failure::for_good(reason),
    }
}

/// Why it did not take the question.
async fn refused(mut streamed: Streamed) -> Failure {
    let status = streamed.status();
    let asks_ms = asks_ms(streamed.headers());
    let mut body = Vec::new();
    while let Ok(Some(bytes)) = streamed.chunk().await {
        body.extend(bytes);
        if body.len() > MAX_REFUSAL {
            break;
        }
    }
    let said = serde_json::from_slice::<Value>(&body).ok().and_then(|body| match &body["detail"] {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    });
    failure(status, asks_ms, &said.map(|said| format!(": {}", one_line(&said, WORDS))).unwrap_or_default())
}

fn failure(status: StatusCode, asks_ms: Option<i64>, said: &str) -> Failure {
    let code = status.as_u16();
    match code {
        401 | 403 => Failure::for_good(format!(
            "HolmesGPT answers {code}{said}: look at the console's --holmes-api-key, and at the key of HolmesGPT's model"
        )),
        404 | 405 => {
            Failure::for_good(format!("HolmesGPT answers {code}{said}: there is no /api/chat at --holmes-url"))
        }
        400 | 413 | 422 => Failure::for_good(format!("HolmesGPT does not take the question ({code}{said})")),
        _ => Failure { reason: format!("HolmesGPT answers {code}{said}"), again: Again::Later { asks_ms } },
    }
}

/// What `Retry-After` says in seconds, milliseconds.
fn asks_ms(headers: &HeaderMap) -> Option<i64> {
    let seconds: u32 = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(i64::from(seconds) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_has_to_mend_is_not_tried_again() {
        for code in [400_u16, 401, 403, 404, 405, 413, 422] {
            let failure = failure(StatusCode::from_u16(code).unwrap(), None, ": no");
            assert_eq!(failure.again, Again::Never, "{code}");
            assert!(failure.reason.contains(&code.to_string()) && failure.reason.contains(": no"), "{failure:?}");
        }
        for code in [408_u16, 429, 500, 502, 503, 504] {
            let failure = failure(StatusCode::from_u16(code).unwrap(), Some(7), "");
            assert_eq!(failure.again, Again::Later { asks_ms: Some(7) }, "{code}");
        }
    }
}
