//! Whose a token is, and what somebody may: `serviceaccounts/NAME/token` makes a token, TokenReview says whose one is, and a review of
//! rights answers that everybody may everything, but for those of whom it was told otherwise. Who asks the sandbox itself it never
//! wonders.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::status::ApiError;
use super::{Api, Key};
use crate::{digest, time};

/// For whom a token is where nobody says: the API server itself.
const API_SERVER: &str = "https://kubernetes.default.svc.cluster.local";
/// How long a token lives where nobody says, seconds.
const HOUR: i64 = 3600;

/// Tokens that were made, and people who may nothing.
#[derive(Default)]
pub(crate) struct Identities(Mutex<Known>);

#[derive(Default)]
struct Known {
    tokens: BTreeMap<String, Issued>,
    forbidden: BTreeSet<String>,
}

#[derive(Clone)]
struct Issued {
    account: Key,
    uid: String,
    audiences: Vec<String>,
    expires_ms: i64,
}

impl Identities {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this user may nothing.
    pub(crate) fn forbid(&self, user: &str) {
        self.lock().forbidden.insert(user.to_owned());
    }
}

impl Api {
    /// A token for a service account, as a TokenRequest asks for it.
    pub(crate) fn request_token(&self, account: &Key, mut request: Value) -> Result<Value, ApiError> {
        let kind = self.kind("serviceaccounts")?;
        let found = self.get("serviceaccounts", account).ok_or_else(|| ApiError::not_found(&kind, &account.name))?;
        let seconds = request["spec"]["expirationSeconds"].as_i64().unwrap_or(HOUR);
        let now = self.time.now_ms();
        let expires_ms = now.saturating_add(seconds.saturating_mul(1000));
        let audiences = audiences(&request["spec"]);
        let mut known = self.identities.lock();
        known.tokens.retain(|_, issued| issued.expires_ms > now);
        let nth = known.tokens.len().to_string();
        let part = |what: &str| digest::uuid(&[what, &found.uid, &now.to_string(), &nth]);
        let token = format!("eyJhbGciOiJub25lIn0.{}.{}", part("claims"), part("signature"));
        request["apiVersion"] = "authentication.k8s.io/v1".into();
        request["kind"] = "TokenRequest".into();
        request["metadata"] =
            json!({"name": account.name, "namespace": account.namespace, "creationTimestamp": time::seconds(now)});
        request["spec"]["audiences"] = json!(audiences);
        request["spec"]["expirationSeconds"] = json!(seconds);
        request["status"] = json!({"token": token, "expirationTimestamp": time::seconds(expires_ms)});
        let issued = Issued { account: account.clone(), uid: found.uid.clone(), audiences, expires_ms };
        known.tokens.insert(token, issued);
        Ok(request)
    }

    /// Answers a TokenReview.
    pub(crate) fn review_token(&self, mut review: Value) -> Value {
        let token = review["spec"]["token"].as_str().unwrap_or_default();
        let issued = self.identities.lock().tokens.get(token).cloned();
        let now = self.time.now_ms();
        let alive = issued.filter(|issued| {
            let account = self.get("serviceaccounts", &issued.account);
            issued.expires_ms > now && account.is_some_and(|account| account.uid == issued.uid)
        });
        let wanted = audiences(&review["spec"]);
        review["status"] = match alive {
            None => json!({"user": {}, "error": "[invalid bearer token, service account token has been invalidated]"}),
            Some(issued) => told(&issued, &wanted),
        };
        review
    }

    /// Answers a review of what somebody may.
    pub(crate) fn review_access(&self, mut review: Value) -> Value {
        let user = review["spec"]["user"].as_str().unwrap_or_default();
        let forbidden = self.identities.lock().forbidden.contains(user);
        let allowed = json!({"allowed": true, "reason": "the sandbox allows everything"});
        review["status"] = if forbidden { json!({"allowed": false}) } else { allowed };
        review
    }
}

fn told(issued: &Issued, wanted: &[String]) -> Value {
    let Key { namespace, name } = &issued.account;
    let common: Vec<&String> = issued.audiences.iter().filter(|audience| wanted.contains(audience)).collect();
    if common.is_empty() {
        let error = format!(
            "[invalid bearer token, token audiences {:?} is invalid for the target audiences {wanted:?}]",
            issued.audiences
        );
        return json!({"user": {}, "error": error});
    }
    json!({
        "authenticated": true,
        "user": {
            "username": format!("system:serviceaccount:{namespace}:{name}"),
            "uid": issued.uid,
            "groups": ["system:serviceaccounts", format!("system:serviceaccounts:{namespace}"), "system:authenticated"],
        },
        "audiences": common,
    })
}

fn audiences(spec: &Value) -> Vec<String> {
    let said = spec["audiences"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let said: Vec<String> = said.collect();
    if said.is_empty() { vec![API_SERVER.to_owned()] } else { said }
}
