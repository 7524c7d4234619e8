//! A sandbox, stores, and a controller between them. Every request passes through here: it is written down, may be changed on
//! its way in as a mutating webhook would, and no create may ever ask the server for a name.

use super::{
    decisions::FakeIntake,
    store::{FakeStore, Journal, TestClock},
};
use controller::{Config, Controller, EventNamespaces, Ports};
use domain::{execution::Execution, ids::ExecutionId, ports::Cluster, ticket::Ticket};
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use kube::client::Body;
use sandbox::{Options, Sandbox, Scene};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

pub const NAMESPACE: &str = "kubernaut-system";

/// Changes the body of a write on its way to the server; what comes back is what the server made of it.
pub type Webhook = Box<dyn Fn(&Method, &str, &mut Value) + Send>;

pub struct World {
    /// None where it is a real cluster.
    sandbox: Option<Sandbox>,
    pub namespace: String,
    /// The client of whoever looks on: not written down.
    inner: kube::Client,
    pub store: Arc<FakeStore>,
    pub intake: Arc<FakeIntake>,
    pub clock: Arc<TestClock>,
    pub journal: Arc<Journal>,
    pub webhook: Arc<Mutex<Option<Webhook>>>,
    /// Every method and path with its query that the controller asked for.
    pub asked: Arc<Mutex<BTreeSet<(String, String)>>>,
    client: kube::Client,
    /// The controller's way to the API server is cut.
    cut: Arc<AtomicBool>,
    /// The name under which the controller waits for its turn; none where it acts whatever others do.
    pub replica: Option<String>,
    /// Which database the next controller says that it works on.
    pub database: String,
    /// The image by which workspaces are listed; none where they are not.
    pub lister_image: Option<String>,
    /// The namespaces whose Warnings are signals.
    pub event_namespaces: Vec<String>,
    /// What the cluster is asked about others.
    pub reviews: controller::Reviews,
    running: Option<(Controller, CancellationToken)>,
}

impl World {
    /// Everything installed, the controller running, a hundred times faster than life.
    pub async fn start() -> Self {
        let mut world = Self::without_controller().await;
        world.start_controller();
        world
    }

    pub async fn without_controller() -> Self {
        let clock = Arc::new(TestClock::new());
        let of_sandbox = Arc::clone(&clock);
        let sandbox = Sandbox::start(Options {
            clock: Arc::new(move || of_sandbox.ms()),
            pace: 0.02,
            namespace: NAMESPACE.into(),
            scene: Scene::Off,
        });
        let client = sandbox.client();
        Self::over(client, Some(sandbox), NAMESPACE, clock).await
    }

    /// A real cluster's client instead of the sandbox's, in a namespace of the tests' own.
    pub async fn real(client: kube::Client, namespace: &str) -> Self {
        let text = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n");
        controller::install(client.clone(), &text).await.expect("a namespace");
        let mut world = Self::over(client, None, namespace, Arc::new(TestClock::new())).await;
        world.start_controller();
        world
    }

    async fn over(inner: kube::Client, sandbox: Option<Sandbox>, namespace: &str, clock: Arc<TestClock>) -> Self {
        let journal = Arc::new(Journal::default());
        let store = Arc::new(FakeStore::new(Arc::clone(&clock), Arc::clone(&journal)));
        let intake = Arc::new(FakeIntake::default());
        *intake.store.lock().unwrap() = Some(Arc::clone(&store));
        let webhook = Arc::new(Mutex::new(None));
        let asked = Arc::new(Mutex::new(BTreeSet::new()));
        let cut = Arc::new(AtomicBool::new(false));
        let client =
            recorded(inner.clone(), Arc::clone(&journal), Arc::clone(&webhook), Arc::clone(&asked), Arc::clone(&cut));
        let deploy = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/base");
        for file in [
            "crds/workflowexecutions.yaml",
            "crds/remediationworkflows.yaml",
            "tekton/task-kubernaut-action.yaml",
            "tekton/pipeline-playbook-executor.yaml",
        ] {
            let text = std::fs::read_to_string(format!("{deploy}/{file}")).unwrap().replace(NAMESPACE, namespace);
            controller::install(inner.clone(), &text).await.expect(file);
        }
        let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: playbook-executor, namespace: NS}\n";
        controller::install(inner.clone(), &account.replace("NS", namespace)).await.expect("a service account");
        let namespace = namespace.to_owned();
        let (replica, database, lister_image, running) = (None, "test".to_owned(), None, None);
        Self {
            sandbox,
            namespace,
            inner,
            store,
            intake,
            clock,
            journal,
            webhook,
            asked,
            client,
            cut,
            replica,
            database,
            lister_image,
            event_namespaces: Vec::new(),
            reviews: controller::Reviews::default(),
            running,
        }
    }

    pub fn sandbox(&self) -> &Sandbox {
        self.sandbox.as_ref().expect("the sandbox")
    }

    /// Cuts the controller's way to the API server, or mends it. The cluster goes on, and whoever looks on gets through.
    pub fn cut_off(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
        if cut {
            self.sandbox().faults().drop_watches();
        }
    }

    /// As `kubectl apply` would.
    pub async fn apply(&self, object: &Value) -> Result<(), controller::InstallError> {
        controller::install(self.inner.clone(), &object.to_string()).await
    }

    pub fn start_controller(&mut self) {
        self.running = Some(self.another_controller());
    }

    /// A second replica, or the first.
    pub fn another_controller(&self) -> (Controller, CancellationToken) {
        self.controller_over(self.client.clone(), self.replica.clone())
    }

    /// A replica with a way to the API server of its own, which nothing cuts.
    pub fn beside(&self, replica: &str) -> (Controller, CancellationToken) {
        self.controller_over(self.inner.clone(), Some(replica.to_owned()))
    }

    fn controller_over(&self, client: kube::Client, replica: Option<String>) -> (Controller, CancellationToken) {
        let stop = CancellationToken::new();
        let config = Config {
            cluster_name: "test".into(),
            sandbox: self.sandbox.is_some(),
            namespace: self.namespace.clone(),
            database: self.database.clone(),
            replica,
            lister_image: self.lister_image.clone(),
            events: EventNamespaces {
                namespaces: self.event_namespaces.clone(),
                quiet_ms: 900_000,
                mapping: Arc::default(),
            },
            reviews: self.reviews,
        };
        let ports = Ports {
            executions: self.store.clone(),
            recommendations: self.store.clone(),
            intake: self.intake.clone(),
            signals: self.intake.clone(),
            clock: self.clock.clone(),
        };
        (controller::start(client, config, ports, stop.clone()), stop)
    }

    pub async fn stop_controller(&mut self) {
        let (controller, stop) = self.running.take().expect("a running controller");
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(10), controller.finished()).await.expect("it stops");
    }

    pub fn cluster(&self) -> Arc<dyn Cluster> {
        self.running.as_ref().expect("a running controller").0.cluster()
    }

    /// Approves a ticket and wakes the dispatcher.
    pub fn approve(&self, ticket: &Ticket) -> ExecutionId {
        self.approve_for(ticket, 900_000)
    }

    pub fn approve_for(&self, ticket: &Ticket, open_for_ms: i64) -> ExecutionId {
        let id = self.store.approve(ticket, open_for_ms);
        if self.running.is_some() {
            self.cluster().wake();
        }
        id
    }

    /// Waits until the execution is as wanted.
    pub async fn until(&self, id: &ExecutionId, what: &str, wanted: impl Fn(&Execution) -> bool) -> Execution {
        for _ in 0..6000 {
            let execution = self.store.execution(id);
            if wanted(&execution) {
                return execution;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let all = self.journal.all().join("\n");
        panic!("never {what}: {:#?}\n{all}", self.store.execution(id));
    }

    pub async fn ended(&self, id: &ExecutionId) -> Execution {
        self.until(id, "ended", |e| e.state.ended()).await
    }

    /// Waits for anything.
    pub async fn eventually<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        for _ in 0..1500 {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never {what}\n{}", self.journal.all().join("\n"));
    }

    /// Waits so many seconds for something that takes long.
    pub async fn until_for(&self, seconds: u32, what: &str, look: impl Fn() -> bool) {
        for _ in 0..seconds * 100 {
            if look() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never {what}");
    }

    /// What somebody else does to the PipelineRun of that name, beside the controller: a merge patch. To be called from a
    /// webhook, so that it comes exactly between two of the controller's steps.
    pub fn meddle(&self, name: &str) -> impl Fn(Value) + Send + use<> {
        self.meddle_at(name)
    }

    /// The same with its status.
    pub fn meddle_status(&self, name: &str) -> impl Fn(Value) + Send + use<> {
        let place = format!("{name}/status");
        let meddle = self.meddle_at(&place);
        move |status: Value| meddle(serde_json::json!({ "status": status }))
    }

    fn meddle_at(&self, place: &str) -> impl Fn(Value) + Send + use<> {
        let inner = self.inner.clone();
        let path = format!("/apis/tekton.dev/v1/namespaces/{}/pipelineruns/{place}", self.namespace);
        move |patch: Value| {
            let (inner, path) = (inner.clone(), path.clone());
            let request = Request::patch(path).header("content-type", "application/merge-patch+json");
            let request = request.body(patch.to_string().into_bytes()).unwrap();
            let done = async move { inner.request::<Value>(request).await.expect("a patch") };
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(done));
        }
    }

    /// As `kubectl edit` would: a merge patch.
    pub async fn edit(&self, path: &str, change: &Value) {
        let request = Request::patch(path).header("content-type", "application/merge-patch+json");
        let _: Value = self.inner.request(request.body(change.to_string().into_bytes()).unwrap()).await.expect(path);
    }

    pub async fn get(&self, path: &str) -> Option<Value> {
        let request = Request::get(path).body(Vec::new()).unwrap();
        self.inner.request(request).await.ok()
    }

    pub async fn workflow(&self, name: &str) -> Option<Value> {
        let group = "/apis/workflowexecution.kubernaut.ai/v1alpha1";
        self.get(&format!("{group}/namespaces/{}/workflowexecutions/{name}", self.namespace)).await
    }

    pub async fn registration(&self, name: &str) -> Option<Value> {
        let group = "/apis/workflowexecution.kubernaut.ai/v1alpha1";
        self.get(&format!("{group}/namespaces/{}/remediationworkflows/{name}", self.namespace)).await
    }

    pub async fn pipeline_run(&self, name: &str) -> Option<Value> {
        self.get(&format!("/apis/tekton.dev/v1/namespaces/{}/pipelineruns/{name}", self.namespace)).await
    }

    pub async fn all(&self, kind: &str) -> Vec<Value> {
        let group = match kind {
            "workflowexecutions" => "/apis/workflowexecution.kubernaut.ai/v1alpha1",
            "configmaps" | "pods" => "/api/v1",
            _ => "/apis/tekton.dev/v1",
        };
        let list = self.get(&format!("{group}/namespaces/{}/{kind}", self.namespace)).await.unwrap();
        let ours = |object: &Value| !object["metadata"]["name"].as_str().unwrap().starts_with("kube-root-ca");
        list["items"].as_array().unwrap().iter().filter(|o| ours(o)).cloned().collect()
    }

    /// As `kubectl patch --type merge` would.
    pub async fn merge(&self, path: &str, change: &Value) {
        let request = Request::patch(path).header("content-type", "application/merge-patch+json");
        let _: Value = self.inner.request(request.body(change.to_string().into_bytes()).unwrap()).await.expect(path);
    }

    pub async fn delete(&self, path: &str) {
        let request = Request::delete(path).body(Vec::new()).unwrap();
        let _: Value = self.inner.request(request).await.expect(path);
    }

    /// Waits until the archive of a log holds a line.
    pub async fn logged(&self, id: &ExecutionId, task: &str, attempt: u32, text: &str) -> Vec<String> {
        self.eventually(&format!("the log line {text:?}"), async || {
            let lines: Vec<String> = self.store.log_of(id, task, attempt).into_iter().map(|line| line.text).collect();
            lines.iter().any(|line| line.contains(text)).then_some(lines)
        })
        .await
    }
}

/// A client that writes down every request and lets the webhook at it.
fn recorded(
    inner: kube::Client,
    journal: Arc<Journal>,
    webhook: Arc<Mutex<Option<Webhook>>>,
    asked: Arc<Mutex<BTreeSet<(String, String)>>>,
    cut: Arc<AtomicBool>,
) -> kube::Client {
    let service = tower::service_fn(move |request: Request<Body>| {
        let (inner, journal, webhook) = (inner.clone(), Arc::clone(&journal), Arc::clone(&webhook));
        let cut = Arc::clone(&cut);
        let way = move || if cut.load(Ordering::SeqCst) { Err(kube::Error::Service("cut off".into())) } else { Ok(()) };
        asked.lock().unwrap().insert((request.method().to_string(), request.uri().to_string()));
        async move {
            way()?;
            let (parts, body) = request.into_parts();
            let path = parts.uri.path().to_owned();
            let mut bytes = body.collect().await?.to_bytes();
            let watch = parts.uri.query().is_some_and(|q| q.contains("watch=true") || q.contains("follow=true"));
            if !watch && parts.method != Method::GET {
                journal.note(format!("{} {path}", parts.method));
            }
            // A review of rights or of a token makes nothing.
            let asks = ["/apis/authorization.k8s.io/", "/apis/authentication.k8s.io/"];
            if parts.method == Method::POST && !asks.iter().any(|group| path.starts_with(group)) {
                let sent: Value = serde_json::from_slice(&bytes).expect("JSON");
                assert!(sent["metadata"]["name"].is_string(), "a create without a name: {sent}");
                assert!(sent["metadata"].get("generateName").is_none(), "a name is never generated");
            }
            if !bytes.is_empty()
                && let Some(webhook) = webhook.lock().unwrap().as_ref()
            {
                let mut sent: Value = serde_json::from_slice(&bytes).expect("JSON");
                webhook(&parts.method, &path, &mut sent);
                bytes = sent.to_string().into();
            }
            let response: Response<Body> = inner.send(Request::from_parts(parts, Body::from(bytes))).await?;
            // Cut meanwhile: the reply is lost.
            way()?;
            Ok::<_, kube::Error>(response)
        }
    });
    kube::Client::new(service, NAMESPACE)
}
