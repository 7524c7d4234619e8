//! Calls to the API server, one request each: nothing here tries again by itself, because only the caller knows whether it may
//! (`safety.md`, Faults). What went wrong is told apart by what may follow from it. It knows paths and statuses, not what the
//! objects mean.

use bytes::Bytes;
use domain::{ports::ClusterError, time::Timestamp};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::Value;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// After this long without a whole answer the outcome of a call is unknown.
const PATIENCE: Duration = Duration::from_secs(10);

/// A kind that the controller reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Our own.
    Workflow,
    /// Our own.
    Registration,
    /// Tekton's.
    PipelineRun,
    /// Tekton's.
    Pipeline,
    /// Tekton's.
    Task,
    /// Tekton's.
    TaskRun,
    /// What the containers get.
    ConfigMap,
    /// The kubelet's.
    Pod,
    /// What Kubernetes tells of objects.
    Event,
    /// A claim of a volume that steps shared.
    Claim,
    /// What runs run as.
    ServiceAccount,
    /// What decides which console acts.
    Lease,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Workflow | Self::Registration => "/apis/workflowexecution.kubernaut.ai/v1alpha1",
            Self::PipelineRun | Self::Pipeline | Self::Task | Self::TaskRun => "/apis/tekton.dev/v1",
            Self::ConfigMap | Self::Pod | Self::Event | Self::Claim | Self::ServiceAccount => "/api/v1",
            Self::Lease => "/apis/coordination.k8s.io/v1",
        }
    }

    const fn plural(self) -> &'static str {
        match self {
            Self::Workflow => "workflowexecutions",
            Self::Registration => "remediationworkflows",
            Self::PipelineRun => "pipelineruns",
            Self::Pipeline => "pipelines",
            Self::Task => "tasks",
            Self::TaskRun => "taskruns",
            Self::ConfigMap => "configmaps",
            Self::Pod => "pods",
            Self::Event => "events",
            Self::Claim => "persistentvolumeclaims",
            Self::ServiceAccount => "serviceaccounts",
            Self::Lease => "leases",
        }
    }
}

/// Why a call did not do what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// 409 AlreadyExists: the name is taken.
    #[error("{0}")]
    Exists(String),
    /// 409 Conflict: the object changed, or a precondition does not hold. Read again and decide again.
    #[error("{0}")]
    Conflict(String),
    /// 404, and the API server itself names the object that is not there.
    #[error("{0}")]
    NotFound(String),
    /// The server understood and says no; the same request will get the same answer.
    #[error("{message}")]
    Refused {
        /// HTTP status.
        code: u16,
        /// The server's word, `Forbidden`, `Invalid`.
        reason: String,
        /// The server's sentence.
        message: String,
    },
    /// 429, 401 while a token rotates, 5xx, a 404 that is not about the object (whoever stands before the API server may
    /// answer so), or no quota left: the same request may succeed later.
    #[error("{message}")]
    Busy {
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
        /// The server's sentence.
        message: String,
    },
    /// No whole answer came: it may or may not have been done.
    #[error("no answer from the cluster, so the outcome is unknown: {0}")]
    Unknown(String),
}

impl CallError {
    /// The API server knows no right to this (the authorizer's words, not those of a policy). It may be granted yet, and one that has
    /// just started knows nobody's rights for a moment.
    pub fn lacks_a_right(&self) -> bool {
        // The second comes where owner references are enforced, of one whose finalizers may not be set.
        matches!(self, Self::Refused { code: 403, message, .. }
            if message.contains("is forbidden: User \"") && message.contains("\" cannot ")
                || message.contains("is forbidden: cannot set blockOwnerDeletion"))
    }
}

impl From<CallError> for ClusterError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NotFound(_) => Self::NotFound,
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// The calls.
#[derive(Clone)]
pub struct Calls {
    client: kube::Client,
    patience: Duration,
    /// The time that the API server told last, and when by this process's monotonic clock.
    told: Arc<Mutex<Option<(Timestamp, Instant)>>>,
}

impl Calls {
    /// Calls over this client, which must not retry by itself (see [`crate::client`]).
    pub fn new(client: kube::Client) -> Self {
        Self { client, patience: PATIENCE, told: Arc::default() }
    }

    /// The cluster's time, by the last answer that told one: what the cluster wrote is compared with this, never with the clock of
    /// the machine that the console runs on. None before the first answer.
    pub fn now(&self) -> Option<Timestamp> {
        let (told, at) = (*self.told.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(told.plus_ms(i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX)))
    }

    /// The object of that name.
    pub async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<Value, CallError> {
        self.send(Method::GET, &format!("{}/{name}", collection(kind, namespace)), None).await
    }

    /// What is at this path: an object or a list, also of kinds that are nobody's business but a reader's.
    pub async fn read(&self, path: &str) -> Result<Value, CallError> {
        self.send(Method::GET, path, None).await
    }

    /// Asks something by what is created at this path, as reviews of rights are.
    pub async fn post(&self, path: &str, question: &Value) -> Result<Value, CallError> {
        self.send(Method::POST, path, Some(("application/json", question))).await
    }

    /// Whether the kind can be listed.
    pub async fn probe(&self, kind: Kind, namespace: &str) -> Result<(), CallError> {
        self.send(Method::GET, &format!("{}?limit=1", collection(kind, namespace)), None).await.map(drop)
    }

    /// Creates the object under the name that it brings.
    pub async fn create(&self, kind: Kind, namespace: &str, object: &Value) -> Result<Value, CallError> {
        let path = format!("{}?fieldManager=kubernaut-console", collection(kind, namespace));
        self.send(Method::POST, &path, Some(("application/json", object))).await
    }

    /// Changes fields of exactly the object with this uid: another one under the name answers 409.
    pub async fn merge(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        uid: &str,
        mut change: Value,
    ) -> Result<Value, CallError> {
        change["metadata"]["uid"] = uid.into();
        let path = format!("{}/{name}?fieldManager=kubernaut-console", collection(kind, namespace));
        self.send(Method::PATCH, &path, Some(("application/merge-patch+json", &change))).await
    }

    /// Changes fields of exactly this object as it was read: one that changed since answers 409.
    pub async fn merge_read(&self, kind: Kind, read: &Value, mut change: Value) -> Result<Value, CallError> {
        let meta = &read["metadata"];
        let text = |field: &str| meta[field].as_str().unwrap_or_default();
        change["metadata"]["resourceVersion"] = meta["resourceVersion"].clone();
        self.merge(kind, text("namespace"), text("name"), text("uid"), change).await
    }

    /// Changes the object by these operations (RFC 6902), all of them or none: where one of its tests fails, 422 comes back.
    pub async fn patch(&self, kind: Kind, namespace: &str, name: &str, operations: &Value) -> Result<Value, CallError> {
        let path = format!("{}/{name}?fieldManager=kubernaut-console", collection(kind, namespace));
        self.send(Method::PATCH, &path, Some(("application/json-patch+json", operations))).await
    }

    /// Changes the status of exactly the object with this uid.
    pub async fn merge_status(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        uid: &str,
        status: Value,
    ) -> Result<Value, CallError> {
        let change = serde_json::json!({ "metadata": { "uid": uid }, "status": status });
        let path = format!("{}/{name}/status?fieldManager=kubernaut-console", collection(kind, namespace));
        self.send(Method::PATCH, &path, Some(("application/merge-patch+json", &change))).await
    }

    /// Deletes exactly the pod with this uid: another one under the name answers 409. There is no such call for any other kind.
    pub async fn delete_pod(&self, namespace: &str, name: &str, uid: &str) -> Result<(), CallError> {
        let options = serde_json::json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": uid },
        });
        let path = format!("{}/{name}", collection(Kind::Pod, namespace));
        self.send(Method::DELETE, &path, Some(("application/json", &options))).await.map(drop)
    }

    /// The server's version, such as `v1.34.4`.
    pub async fn version(&self) -> Result<String, CallError> {
        let answer = self.send(Method::GET, "/version", None).await?;
        answer["gitVersion"].as_str().map(str::to_owned).ok_or_else(|| CallError::Unknown("no gitVersion".into()))
    }

    async fn send(&self, method: Method, path: &str, body: Option<(&str, &Value)>) -> Result<Value, CallError> {
        let unknown = |what: String| CallError::Unknown(what);
        let (began, asked) =
            (Instant::now(), [("method", method.to_string()), ("resource", resource(path).to_owned())]);
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, "application/json");
        if let Some((kind, _)) = body {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let body = body.map_or_else(Body::empty, |(_, json)| Body::from(json.to_string().into_bytes()));
        let request = request.body(body).map_err(|e| unknown(e.to_string()))?;
        let exchange = async {
            let response = self.client.send(request).await.map_err(|e| unknown(e.to_string()))?;
            let (head, body) = response.into_parts();
            if let Some(told) = head.headers.get(header::DATE).and_then(|date| http_date(date.to_str().ok()?)) {
                *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some((told, Instant::now()));
            }
            let retry_after = head.headers.get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()?.trim().parse().ok());
            let bytes = body.collect().await.map_err(|e| unknown(e.to_string()))?.to_bytes();
            judge(path, head.status, retry_after.map(Duration::from_secs), &bytes)
        };
        let answer = tokio::time::timeout(self.patience, exchange)
            .await
            .unwrap_or_else(|_| Err(unknown(format!("nothing came within {} s", self.patience.as_secs()))));
        metrics::histogram!("kubernaut_api_request_seconds", &asked).record(began.elapsed());
        answer
    }
}

/// The plural of the kind that a path is about, such as `pipelineruns`.
fn resource(path: &str) -> &str {
    let mut parts = path.split('?').next().unwrap_or(path).trim_start_matches('/').split('/');
    let versions = if parts.next() == Some("apis") { 2 } else { 1 };
    match parts.nth(versions - 1).and_then(|_| parts.next()) {
        Some("namespaces") => parts.nth(1).unwrap_or("namespaces"),
        Some(plural) => plural,
        None => path,
    }
}

/// What the header `Date` says: `Sat, 28 Nov 2026 01:26:08 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    let since_epoch = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since_epoch.as_millis()).ok().map(Timestamp::from_millis)
}

fn collection(kind: Kind, namespace: &str) -> String {
    format!("{}/namespaces/{namespace}/{}", kind.prefix(), kind.plural())
}

/// What an answer means.
fn judge(path: &str, status: StatusCode, retry_after: Option<Duration>, body: &Bytes) -> Result<Value, CallError> {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    if status.is_success() {
        return json.ok_or_else(|| CallError::Unknown("the answer is no JSON".into()));
    }
    let field = |name: &str| json.as_ref().and_then(|j| j[name].as_str()).map(str::to_owned);
    let reason = field("reason").unwrap_or_else(|| status.canonical_reason().unwrap_or("Unknown").replace(' ', ""));
    let message = field("message").filter(|m| !m.is_empty()).unwrap_or_else(|| {
        let text = String::from_utf8_lossy(body);
        if text.trim().is_empty() { format!("HTTP {status}") } else { text.chars().take(500).collect() }
    });
    let asked = json.as_ref().and_then(|j| j["details"]["retryAfterSeconds"].as_u64()).map(Duration::from_secs);
    Err(match status {
        StatusCode::CONFLICT if reason == "AlreadyExists" => CallError::Exists(message),
        StatusCode::CONFLICT => CallError::Conflict(message),
        StatusCode::NOT_FOUND if json.as_ref().is_some_and(|status| is_about(status, path)) => {
            CallError::NotFound(message)
        }
        // A full quota empties again; any other 403 is a decision.
        StatusCode::FORBIDDEN if message.contains("exceeded quota") => CallError::Busy { retry_after, message },
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::UNAUTHORIZED
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::NOT_FOUND => CallError::Busy { retry_after: retry_after.or(asked), message },
        status if status.is_server_error() => CallError::Busy { retry_after: retry_after.or(asked), message },
        status => CallError::Refused { code: status.as_u16(), reason, message },
    })
}

/// Whether a Status says that the very object at `path` is not there. What is lost is never made again, so a bare 404 of a
/// load balancer, or of an API server that does not serve the group just now, must not count.
fn is_about(status: &Value, path: &str) -> bool {
    let details = &status["details"];
    let path = path.split('?').next().unwrap_or(path);
    let mut parts = path.strip_suffix("/status").unwrap_or(path).rsplit('/');
    status["kind"] == "Status"
        && status["reason"] == "NotFound"
        && parts.next().is_some_and(|name| details["name"] == name)
        && parts.next().is_some_and(|plural| details["kind"] == plural)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PATH: &str = "/apis/tekton.dev/v1/namespaces/kubernaut-system/pipelineruns/none?fieldManager=x";

    fn answer(status: u16, retry_after: Option<u64>, body: &Value) -> CallError {
        let bytes = Bytes::from(body.to_string());
        judge(PATH, StatusCode::from_u16(status).unwrap(), retry_after.map(Duration::from_secs), &bytes).unwrap_err()
    }

    #[test]
    fn a_request_is_counted_by_what_it_is_about() {
        let told = [
            (PATH, "pipelineruns"),
            ("/api/v1/namespaces/x/pods", "pods"),
            ("/api/v1/namespaces/x", "namespaces"),
            ("/apis/tekton.dev/v1/namespaces/x/taskruns/y/status", "taskruns"),
            ("/apis/storage.k8s.io/v1/storageclasses?limit=1", "storageclasses"),
            ("/version", "/version"),
        ];
        for (path, plural) in told {
            assert_eq!(resource(path), plural);
        }
    }

    #[test]
    fn answers_are_told_apart_by_what_may_follow() {
        let exists = json!({"reason": "AlreadyExists", "message": "taken"});
        assert_eq!(answer(409, None, &exists), CallError::Exists("taken".into()));
        let changed = json!({"reason": "Conflict", "message": "changed"});
        assert_eq!(answer(409, None, &changed), CallError::Conflict("changed".into()));
        let denied = json!({"reason": "Forbidden", "message": "admission webhook \"x\" denied the request: no"});
        assert!(matches!(answer(403, None, &denied), CallError::Refused { code: 403, .. }));
        assert!(matches!(answer(422, None, &json!({"reason": "Invalid"})), CallError::Refused { code: 422, .. }));
        let full = json!({"reason": "Forbidden", "message": "pipelineruns \"x\" is forbidden: exceeded quota: q"});
        assert!(matches!(answer(403, None, &full), CallError::Busy { .. }));
        for code in [429, 500, 502, 503, 504] {
            assert!(matches!(answer(code, None, &json!({})), CallError::Busy { .. }), "{code}");
        }
    }

    #[test]
    fn a_right_that_is_missing_is_told_from_a_policy() {
        let says = |message: &str| answer(403, None, &json!({"reason": "Forbidden", "message": message}));
        let user = "system:serviceaccount:kubernaut-system:kubernaut-console";
        assert!(says(&format!(
            r#"pipelineruns.tekton.dev is forbidden: User "{user}" cannot create resource "pipelineruns" in API group "tekton.dev""#
        ))
        .lacks_a_right());
        let owner = "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>";
        assert!(says(&format!(r#"pipelineruns.tekton.dev "x" is forbidden: {owner}"#)).lacks_a_right());
        assert!(!says(r#"admission webhook "x" denied the request: no"#).lacks_a_right());
        assert!(
            !says(r#"pipelineruns.tekton.dev "x" is forbidden: ValidatingAdmissionPolicy 'p' denied request: no"#)
                .lacks_a_right()
        );
    }

    #[test]
    fn only_the_api_servers_own_word_makes_an_object_not_found() {
        let real = include_str!("../../sandbox/fixtures/api/get-not-found.json");
        let real: Value = serde_json::from_str(real).unwrap();
        assert!(matches!(answer(404, None, &real["body"]), CallError::NotFound(_)));
        for (pointer, other) in [
            ("/kind", json!("Page")),
            ("/reason", json!("Gone")),
            ("/details/name", json!("another")),
            ("/details/kind", json!("namespaces")),
        ] {
            let mut body = real["body"].clone();
            *body.pointer_mut(pointer).unwrap() = other;
            assert!(matches!(answer(404, None, &body), CallError::Busy { .. }), "{pointer}");
        }
        let bare = judge(PATH, StatusCode::NOT_FOUND, None, &Bytes::from_static(b"404 page not found\n"));
        assert!(matches!(bare, Err(CallError::Busy { .. })), "{bare:?}");
    }

    #[test]
    fn the_server_says_how_long_to_wait_in_a_header_or_in_the_status() {
        let wait = |error| match error {
            CallError::Busy { retry_after, .. } => retry_after.map(|d| d.as_secs()),
            other => panic!("{other}"),
        };
        assert_eq!(wait(answer(429, Some(7), &json!({"details": {"retryAfterSeconds": 1}}))), Some(7));
        assert_eq!(wait(answer(503, None, &json!({"details": {"retryAfterSeconds": 3}}))), Some(3));
        assert_eq!(wait(answer(500, None, &json!({}))), None);
    }

    #[test]
    fn the_clusters_time_is_read_from_its_answers() {
        let read = |text| http_date(text).map(|at| at.to_string());
        assert_eq!(
            read("Sat, 28 Nov 2026 01:26:08 GMT"),
            Timestamp::parse("2026-11-28T01:26:08Z").ok().map(|at| at.to_string())
        );
        for text in ["", "yesterday", "Sat, 28 Foo 2026 01:26:08 GMT", "2026-11-28T01:26:08Z"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_leaves_the_outcome_unknown() {
        let cut = judge(PATH, StatusCode::CREATED, None, &Bytes::from_static(b"{\"kind\":")).unwrap_err();
        assert!(matches!(cut, CallError::Unknown(_)));
    }
}
