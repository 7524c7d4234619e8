//! A fresh database for each test, and the things that tests put into it.

use domain::{
    audit::{AuditEntry, AuditFilter, Key, Keys},
    decision::{Attempt, Verb},
    execution::{ActionRecord, Assessment, Execution, ExecutionState, ExecutionSubject, Stage, Task, TaskState},
    identity::{Actor, Door, Way},
    ids::{ActionId, ActorId, Digest, ExecutionId, FindingId, RecommendationId},
    notification::Subscription,
    observation::Observation,
    playbook::Registration,
    policy::{Concurrency, Terms},
    ports::{
        AuditKeys, AuditStore, EventStore, Known, NewDecision, NewExecution, NewPlaybook, NewRecommendation,
        RecommendationStore, StoredTicket,
    },
    recommendation::{Content, Finding, Incident, Model, Origin, Proposal, ResourceRef, Risk, Severity, Strategy},
    signature::{ImageSignature, Signature},
    target::kinds::Spot,
    time::Timestamp,
};
use serde_json::{Map, Value, json};
use sqlx::{AnyConnection, Connection as _, Executor as _};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use store::{Options, Store, sqlite_url};
use tempfile::TempDir;
use tokio::{sync::Barrier, task::JoinSet};

/// A fresh database.
pub struct Bench {
    pub url: String,
    pub store: Store,
    _directory: Option<TempDir>,
}

impl Bench {
    pub async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = sqlite_url(&directory.path().join("data/console.sqlite"));
        let options = Options { audit_keys: Some(audit_keys(&[1])), ..Options::default() };
        let store = Store::open(&url, options).await.unwrap();
        Self { url, store, _directory: Some(directory) }
    }

    /// `None` where there is no PostgreSQL to test on.
    pub async fn postgres() -> Option<Self> {
        let url = postgres_database().await?;
        let store = Store::open(&url, few()).await.unwrap();
        Some(Self { url, store, _directory: None })
    }

    /// Another process, as good as: connections of its own to the same database.
    pub async fn another(&self) -> Store {
        Store::open(&self.url, few()).await.unwrap()
    }

    /// The same where nobody signs in with an account of the console's own.
    pub async fn without_local_accounts(&self) -> Store {
        Store::open(&self.url, Options { local_accounts: false, ..few() }).await.unwrap()
    }

    /// The same where these are told of recommendations.
    pub async fn telling(&self, subscriptions: Vec<Subscription>) -> Store {
        Store::open(&self.url, Options { subscriptions, ..few() }).await.unwrap()
    }

    /// The same with these keys of the audit trail.
    pub async fn with_keys(&self, numbers: &[u8]) -> Store {
        Store::open(&self.url, Options { audit_keys: Some(audit_keys(numbers)), ..few() }).await.unwrap()
    }

    /// A connection past the store, to tamper with.
    pub async fn raw(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.url).await.unwrap()
    }
}

/// Does the same `n` times at the same instant, each with connections of its own, as other processes would.
pub async fn at_once<T, F>(bench: &Bench, n: u8, work: impl Fn(Store, u8) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(n.into()));
    let mut at_work = JoinSet::new();
    let mut stores = Vec::new();
    for _ in 0..n {
        let store = bench.another().await;
        // Connected before the start, so that nobody is late.
        store.sweep().await.unwrap();
        stores.push(store);
    }
    for (i, store) in (0..n).zip(stores) {
        let (work, start) = (work(store, i), start.clone());
        at_work.spawn(async move {
            start.wait().await;
            work.await
        });
    }
    at_work.join_all().await
}

/// Few connections, with patience, and the first key.
pub fn few() -> Options {
    let patience = std::time::Duration::from_secs(30);
    Options { connections: 2, patience, audit_keys: Some(audit_keys(&[1])), ..Options::default() }
}

/// A key of the audit trail.
pub fn audit_key(number: u8) -> Key {
    Key::new([number; 32], Timestamp::default())
}

/// Several, in this order.
pub fn audit_keys(numbers: &[u8]) -> Arc<dyn AuditKeys> {
    Arc::new(numbers.iter().fold(Keys::default(), |keys, number| keys.with(audit_key(*number))))
}

/// The URL of an empty database on the test server.
pub async fn postgres_database() -> Option<String> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
        assert!(std::env::var_os("CI").is_none(), "CI must set TEST_POSTGRES_URL: the contract is for both databases");
        eprintln!("skipped: TEST_POSTGRES_URL is not set");
        return None;
    };
    sqlx::any::install_default_drivers();
    let name = format!("contract_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut connection = AnyConnection::connect(&server).await.unwrap();
    connection.execute(format!("CREATE DATABASE {name}").as_str()).await.unwrap();
    let (address, _) = server.rsplit_once('/').unwrap();
    Some(format!("{address}/{name}"))
}

/// Runs each function on both databases.
macro_rules! contract {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::support::Bench::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(bench) = crate::support::Bench::postgres().await {
                    super::$name(bench).await;
                }
            })+
        }
    };
}
pub(crate) use contract;

/// Sets one member of a filter.
pub type Set<F> = fn(&mut F);

pub const MINUTE: i64 = 60_000;
pub const DAY: i64 = 24 * 60 * MINUTE;

pub fn actor(name: &str) -> Actor {
    Actor::new(ActorId::new(format!("user:{name}")), name)
}

pub fn entry(action: &str) -> AuditEntry {
    AuditEntry {
        actor: actor("ada"),
        way: Way { door: Door::Api, address: "10.0.0.7".parse().ok() },
        route: "POST /api/v1/things".into(),
        action: action.into(),
        object_kind: "thing".into(),
        object_id: "thing-1".into(),
        before: None,
        after: Some(json!({ "state": "new" })),
        reason: None,
        request_id: "req-1".into(),
    }
}

pub fn digest(n: u8) -> Digest {
    Digest::from_bytes([n; 32])
}

pub fn playbook(id: &str, version: &str, labels: &Value) -> NewPlaybook {
    let registration: Registration = serde_json::from_value(json!({
        "workflow_id": id, "version": version, "title": format!("Playbook {id}"), "description": "Mends things.",
        "container_image": "quay.io/kubernaut/mender:v1", "labels": labels,
    }))
    .unwrap();
    let image = format!("quay.io/kubernaut/mender@{}", digest(7)).parse().unwrap();
    let signature = ImageSignature { state: Signature::Verified, ..ImageSignature::default() };
    NewPlaybook { registration, image, signature, trust: Some("these settings".into()), by: actor("ada") }
}

pub fn recommendation(id: &str, incident: &str) -> NewRecommendation {
    NewRecommendation {
        id: RecommendationId::new(id),
        origin: Origin::Model,
        proposer: actor("holmes"),
        cluster: "sandbox".into(),
        open_for_ms: 15 * MINUTE,
        content: Content {
            incident: Incident {
                id: incident.into(),
                signal_type: "OOMKilled".into(),
                severity: Severity::High,
                environment: Some("production".into()),
                priority: Some("P1".into()),
                fingerprint: None,
                resource: Some(ResourceRef {
                    kind: "Deployment".into(),
                    namespace: Some("production".into()),
                    name: "my-app".into(),
                }),
                started_at: Some(Timestamp::from_millis(1_763_000_000_123)),
                business_context: Map::new(),
            },
            model: Some(Model { name: Some("holmes-large".into()), ..Model::default() }),
            analysis_summary: "Memory limit is too small. It was killed.".into(),
            root_cause_assessment: "A leak since the last release".into(),
            strategies: vec![Strategy {
                action_type: "scale_down_replicas".into(),
                confidence: Some(0.85),
                rationale: "Fewer replicas need less".into(),
                estimated_risk: Risk::Medium,
                declared_risk: None,
                proposal: Proposal::Playbook {
                    workflow_id: "oomkill-scale-down".parse().unwrap(),
                    version: Some("1.0.0".parse().unwrap()),
                    parameters: Map::from_iter([("SCALE_TARGET_REPLICAS".to_owned(), json!(1))]),
                    rollback_parameters: None,
                },
                errors: Vec::new(),
                rollback_errors: Vec::new(),
            }],
            warnings: vec!["Traffic is high".into()],
            context_used: Map::new(),
            additional_findings: vec![Finding {
                id: FindingId::new(format!("finding-of-{id}")),
                title: "Node under pressure".into(),
                description: "worker-2 swaps".into(),
                severity: Some(Severity::Medium),
                resource: None,
                suggested_workflow_id: None,
            }],
            needs_human_review: false,
            seen: Vec::new(),
        },
    }
}

pub async fn recommend(store: &Store, id: &str, incident: &str) -> RecommendationId {
    store.insert(recommendation(id, incident), entry("recommendation.submit")).await.unwrap().id
}

pub fn ticket(n: u8, of: &RecommendationId) -> StoredTicket {
    StoredTicket {
        digest: digest(n),
        canonical: format!("{{\"n\":{n}}}"),
        recommendation_id: of.clone(),
        made_by: actor("ada"),
        made_at: Timestamp::from_millis(1_763_000_000_000),
    }
}

pub fn attempt(by: &str, verb: Verb, ticket: u8, need: u32, expires_at: Timestamp) -> Attempt {
    Attempt {
        actor: actor(by),
        verb,
        revision: 1,
        ticket_digest: (verb == Verb::Approve).then(|| digest(ticket)),
        ticket_expires_at: expires_at,
        terms: Terms::people(1, need),
        stands_for: Vec::new(),
        last_editor: None,
        automatic: false,
    }
}

pub fn task(name: &str, ticket: u8) -> Task {
    Task {
        name: name.into(),
        state: TaskState::Pending,
        reason: None,
        message: None,
        run_after: Vec::new(),
        finally: false,
        attempts: Vec::new(),
        queued_ms: None,
        pulling_ms: None,
        running_ms: None,
        started_at: None,
        finished_at: None,
        results: Map::new(),
        parameters: Map::new(),
        ticket: digest(ticket),
    }
}

pub fn subject(id: &str, of: &RecommendationId, ticket: u8) -> ExecutionSubject {
    ExecutionSubject {
        id: ExecutionId::new(id),
        recommendation_id: of.clone(),
        strategy: 0,
        ticket_digest: digest(ticket),
        name: format!("remediation-{id}"),
        cluster: "sandbox".into(),
        sandbox: true,
        namespace: "kubernaut-system".into(),
        incident_id: "inc-1".into(),
        signal_type: "OOMKilled".into(),
        severity: Severity::High,
        environment: Some("production".into()),
        resource: None,
        acts_on: None,
        workflow_id: Some("oomkill-scale-down".into()),
        version: Some("1.0.0".into()),
        action_type: "scale_down_replicas".into(),
        model: Some("holmes-large".into()),
        prompt_version: None,
        confidence: Some(0.85),
        title: "Scale down my-app".into(),
    }
}

/// An object by which runs are kept apart; without a namespace where that is empty.
pub fn spot(kind: &str, namespace: &str, name: &str) -> Spot {
    let namespace = Some(namespace.to_owned()).filter(|text| !text.is_empty());
    Spot::of(&ResourceRef { kind: kind.into(), namespace, name: name.into() })
}

/// An execution of two tasks with an action record each.
pub fn new_execution(id: &str, of: &RecommendationId, ticket: u8, expires_at: Timestamp) -> NewExecution {
    let action = |name: &str| ActionRecord {
        id: ActionId::new(format!("action-{id}-{name}")),
        execution_id: ExecutionId::new(id),
        task: name.into(),
        workflow_id: Some("oomkill-scale-down".into()),
        action_type: "scale_down_replicas".into(),
        image: format!("quay.io/kubernaut/mender@{}", digest(7)),
        inputs: json!({ "SCALE_TARGET_REPLICAS": 1 }),
        outputs: None,
        status: TaskState::Pending,
        started_at: None,
        finished_at: None,
    };
    NewExecution {
        subject: subject(id, of, ticket),
        expires_at,
        tasks: vec![task("check", ticket), task("scale", ticket)],
        actions: vec![action("check"), action("scale")],
        objects: vec![spot("Deployment", "production", id)],
        guard: Concurrency::default(),
        signed: false,
    }
}

/// A claimed execution: recommended, ticketed, approved.
pub async fn claimed(store: &Store, id: &str, ticket_number: u8) -> ExecutionId {
    let of = recommend(store, &format!("rec-{id}"), &format!("inc-{id}")).await;
    let expires_at = store.now().await.unwrap().plus_ms(15 * MINUTE);
    store.put_ticket(ticket(ticket_number, &of), entry("ticket.make")).await.unwrap();
    let decided = store
        .decide(NewDecision {
            id: domain::ids::DecisionId::new(format!("decision-{id}")),
            recommendation_id: of.clone(),
            strategy: 0,
            attempt: attempt("bob", Verb::Approve, ticket_number, 1, expires_at),
            known: Known::Any,
            reason: None,
            ticket: None,
            execution: Some(new_execution(id, &of, ticket_number, expires_at)),
            audit: entry("decision.approve"),
        })
        .await
        .unwrap();
    decided.execution_id.unwrap()
}

/// A reading of a run.
pub fn seen(state: ExecutionState, reached: Stage, tasks: Vec<Task>) -> Observation {
    Observation {
        state,
        stage: reached,
        reason: None,
        message: None,
        uid: None,
        run_uid: None,
        started_at: None,
        finished_at: None,
        tasks,
        warnings: vec![],
    }
}

/// An execution that ended `days_ago`, after running so long.
pub fn finished(id: &str, ticket: u8, now: Timestamp, days_ago: i64, ran_ms: i64) -> Execution {
    let end = now.plus_ms(-days_ago * DAY);
    Execution {
        subject: subject(id, &RecommendationId::new(format!("rec-{id}")), ticket),
        state: ExecutionState::Succeeded,
        stage: Stage::Ended,
        revision: 5,
        reason: Some("Succeeded".into()),
        message: None,
        uid: Some(format!("uid-{id}")),
        run_uid: Some(format!("run-uid-{id}")),
        approved_by: vec![actor("bob")],
        created_at: end.plus_ms(-ran_ms - 1000),
        expires_at: end.plus_ms(10 * MINUTE),
        started_at: Some(end.plus_ms(-ran_ms)),
        finished_at: Some(end),
        cancel_requested: false,
        assessment: Assessment::NotAssessed,
        tasks: vec![task("check", ticket)],
        warnings: vec![],
    }
}

/// How many audit rows there are, counted over the whole trail.
pub async fn audit_rows(store: &Store) -> usize {
    store.after(&AuditFilter::default(), 0, 100_000).await.unwrap().len()
}

/// The events after `id`, as topic, subject and data.
pub async fn events_after(store: &Store, id: i64) -> Vec<(&'static str, String, Value)> {
    let events = store.since(id, 10_000).await.unwrap();
    events.into_iter().map(|e| (e.topic.name(), e.subject, e.data)).collect()
}
