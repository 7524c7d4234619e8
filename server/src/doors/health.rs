//! Health for machines: alive, ready (with the reason when not), and metrics. They need no credentials and tell no secrets.

use super::access::Open;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::ports::Cluster;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use std::sync::{Arc, OnceLock};
use store::Store;

/// What readiness hangs on.
#[derive(Clone)]
pub struct Readiness {
    /// The database must answer.
    pub store: Store,
    /// The watches must have seen the cluster.
    pub cluster: Arc<OnceLock<Arc<dyn Cluster>>>,
    /// What `/metrics` shows.
    pub metrics: PrometheusHandle,
}

pub fn routes() -> Open<Readiness> {
    Open::new().add("/healthz", || async { (StatusCode::OK, "ok\n") }).add("/readyz", ready).add("/metrics", metrics)
}

/// 200 when decisions and starts are possible; 503 with the reasons when not. Notes tell what is missing that they go without.
async fn ready(State(readiness): State<Readiness>) -> Response {
    let (ok, body) = readiness.check().await;
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

impl Readiness {
    /// Whether decisions and starts are possible, and why not.
    pub async fn check(&self) -> (bool, serde_json::Value) {
        let mut problems = Vec::new();
        if let Err(error) = self.store.ping().await {
            tracing::warn!(%error, "not ready: the database does not answer");
            problems.push("The database does not answer.".to_owned());
        }
        let health = self.cluster.get().map(|c| c.health());
        match &health {
            None => problems.push("The cluster is still being connected.".to_owned()),
            Some(health) if !health.ready => {
                let reasons = health.problems.iter().cloned();
                problems.extend(reasons);
                if health.problems.is_empty() {
                    problems.push("The cluster's watches have not caught up yet.".to_owned());
                }
            }
            Some(_) => {}
        }
        let ready = problems.is_empty();
        let body = json!({
            "ready": ready,
            "reasons": problems,
            "notes": health.as_ref().filter(|h| h.ready).map(|h| &h.problems),
            "cluster": health.as_ref().map(|h| &h.name),
            "sandbox": health.as_ref().map(|h| h.sandbox),
        });
        (ready, body)
    }
}

async fn metrics(State(readiness): State<Readiness>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], readiness.metrics.render()).into_response()
}
