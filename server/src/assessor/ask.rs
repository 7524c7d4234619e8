//! One question to Prometheus or Alertmanager, and its JSON.

use crate::{outbound::Outbound, urlencoded};
use axum::http::{Request, StatusCode, header};
use serde_json::Value;
use std::path::PathBuf;

/// Where to ask, and what to show.
#[derive(Clone)]
pub struct Ask {
    http: Outbound,
    url: String,
    token_file: Option<PathBuf>,
}

impl Ask {
    pub fn new(http: Outbound, url: String, token_file: Option<PathBuf>) -> Self {
        Self { http, url, token_file }
    }

    /// What is answered at this path; otherwise why nothing is, without the address's secrets.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        let query = urlencoded::query(query.iter().copied());
        let mut request = Request::builder().uri(format!("{}{path}?{query}", self.url));
        request = request.header(header::ACCEPT, "application/json");
        if let Some(file) = &self.token_file {
            let token = tokio::fs::read_to_string(file).await;
            let token = token.map_err(|error| format!("--monitoring-token-file can't be read: {error}"))?;
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.trim()));
        }
        let request = request.body(Vec::new()).map_err(|error| error.to_string())?;
        let answer = self.http.send(request).await.map_err(|error| error.to_string())?;
        if answer.status() != StatusCode::OK {
            return Err(format!("it answered {}", answer.status()));
        }
        serde_json::from_slice(answer.body()).map_err(|_| "it answered something that is no JSON".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{
        Json, Router,
        http::{HeaderMap, Uri},
        routing::get,
    };
    use serde_json::json;

    async fn echo(headers: HeaderMap, uri: Uri) -> Json<Value> {
        let shown = headers.get("authorization").and_then(|value| value.to_str().ok()).map(str::to_owned);
        Json(json!({ "asked": uri.to_string(), "shown": shown }))
    }

    /// Somebody who answers on loopback with what was asked.
    async fn somebody() -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/am/api/v2/alerts", get(echo));
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/am")
    }

    #[tokio::test]
    async fn the_question_goes_below_the_address_with_the_token_of_the_file() {
        let url = somebody().await;
        let http = Outbound::new(None, true).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        std::fs::write(&file, "secret\n").unwrap();
        let ask = Ask::new(http.clone(), url.clone(), Some(file));
        let answer = ask.get("/api/v2/alerts", &[("active", "true")]).await.unwrap();
        assert_eq!(answer, json!({ "asked": "/am/api/v2/alerts?active=true", "shown": "Bearer secret" }));
        assert_eq!(ask.get("/nowhere", &[]).await, Err("it answered 404 Not Found".to_owned()));
        let gone = Ask::new(http, url, Some(directory.path().join("none")));
        let why = gone.get("/api/v2/alerts", &[]).await.unwrap_err();
        assert!(why.contains("--monitoring-token-file") && !why.contains("secret"), "{why}");
    }
}
