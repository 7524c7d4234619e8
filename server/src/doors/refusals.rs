//! What was refused, for the audit trail: acts without the right, and sign-ins. Anybody can cause these as often as they like, so
//! those like one that was just written are only counted ([`Coalescing`]).

use super::{gate::Gate, problem::Problem};
use axum::{
    extract::{Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};
use domain::{
    audit::{AuditEntry, Coalescing},
    identity::{Actor, Caller, Way},
    ports::{AuditStore, Clock},
};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};

/// The most characters of an address that are kept.
const MAX_ADDRESS: usize = 200;

/// Writes refusals; cheap to clone.
#[derive(Clone)]
pub struct Refusals {
    audit: Arc<dyn AuditStore>,
    clock: Arc<dyn Clock>,
    coalescing: Arc<Mutex<Coalescing>>,
}

impl Refusals {
    /// To this trail.
    pub fn new(audit: Arc<dyn AuditStore>, clock: Arc<dyn Clock>) -> Self {
        Self { audit, clock, coalescing: Arc::default() }
    }

    /// A sign-in that was refused (`account.refuse_sign_in`) or put off (`account.limit_sign_in`). `account` is one that there is:
    /// what was typed in place of a name may be a password.
    pub async fn sign_in(&self, action: &str, account: Option<String>, route: &str, way: Way, request_id: &str) {
        self.note(AuditEntry {
            actor: Actor::system("stranger"),
            way,
            route: route.into(),
            action: action.into(),
            object_kind: "account".into(),
            object_id: account.unwrap_or_else(|| "unknown".into()),
            before: None,
            after: None,
            reason: None,
            request_id: request_id.into(),
        })
        .await;
    }

    /// A person's own password that was wrong (`account.refuse_proof`) or tried too often (`account.limit_sign_in`), in their session.
    pub async fn reauthentication(&self, action: &str, caller: &Caller) {
        self.note(AuditEntry::by(caller, action, "account", &caller.actor.name)).await;
    }

    /// Writes it down, or counts it.
    pub async fn note(&self, entry: AuditEntry) {
        let now = self.clock.now();
        let told = self.coalescing.lock().unwrap_or_else(PoisonError::into_inner).hear(entry, now);
        self.write(told.into_iter().collect()).await;
    }

    /// Writes down how often the same came again, of those whose time is over; with `all` of every one.
    pub async fn tell(&self, all: bool) {
        let now = self.clock.now();
        let told = self.coalescing.lock().unwrap_or_else(PoisonError::into_inner).over(now, all);
        self.write(told).await;
    }

    /// That it can't be written makes nothing of what was refused allowed.
    async fn write(&self, entries: Vec<AuditEntry>) {
        for entry in entries {
            let action = entry.action.clone();
            if let Err(error) = self.audit.append(entry).await {
                tracing::warn!(%error, action, "a refusal can't be written to the audit trail");
            }
        }
    }
}

/// Marks an answer that asks to sign in again: that refuses nothing for good.
#[derive(Clone, Copy, Debug)]
pub struct AsksToReauthenticate;

/// Notes every act that was refused to somebody who is known.
pub async fn noted(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let acts = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let caller = request.extensions().get::<Caller>().filter(|_| acts).cloned();
    let address: String = request.uri().path().chars().take(MAX_ADDRESS).collect();
    let answer = next.run(request).await;
    let refused =
        answer.status() == StatusCode::FORBIDDEN && answer.extensions().get::<AsksToReauthenticate>().is_none();
    if let Some(caller) = caller.filter(|_| refused) {
        let mut entry = AuditEntry::by(&caller, "refusal.right", "address", address);
        let problem = answer.extensions().get::<Problem>();
        let (right, detail) = (problem.and_then(Problem::right), problem.map(Problem::detail));
        entry.after = Some(json!({ "right": right, "detail": detail, "roles": caller.roles }));
        gate.refusals.note(entry).await;
    }
    answer
}
