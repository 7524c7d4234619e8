//! One question to Prometheus or Alertmanager, and its JSON.

use crate::{doors::urlencoded, outbound::Outbound};
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
