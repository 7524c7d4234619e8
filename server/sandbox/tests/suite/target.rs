//! Where the suite is played: in the sandbox, in paused time; or on a real Kubernetes with Tekton, each case in a namespace of its own.
//! `scripts/test cluster` starts a cluster, or takes that of `TEST_KUBECONFIG`.

/// Tests, each with the name of its case, which is part of its namespace's: in the modules `in_the_sandbox`, and `on_a_cluster`, which
/// run only when they are asked for. A test is a function of the same name that takes the target; or, where a function is named
/// first, that one plays them all, with the case and what follows it.
macro_rules! on_both_targets {
    (@modules $target:ident $($test:ident $case:literal $call:expr;)*) => {
        mod in_the_sandbox {
            use super::*;
            $(
                #[tokio::test(start_paused = true)]
                async fn $test() {
                    let $target = Target::sandbox();
                    $call;
                    $target.close().await;
                }
            )*
        }

        mod on_a_cluster {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
                #[ignore = "needs a real cluster"]
                async fn $test() {
                    let $target = Target::cluster($case).await;
                    $call;
                    $target.close().await;
                }
            )*
        }
    };
    ($play:ident: $($test:ident $case:literal $how:expr;)*) => {
        on_both_targets! { @modules target $($test $case $play(&target, $case, $how).await;)* }
    };
    ($($test:ident $case:literal;)*) => {
        on_both_targets! { @modules target $($test $case super::$test(&target).await;)* }
    };
}
pub(crate) use on_both_targets;

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Client, Config,
    api::{Api, DeleteParams, DynamicObject, LogParams, Patch, PatchParams},
    client::Body,
};
use sandbox::Sandbox;
use serde::Deserialize as _;
use serde_json::Value;

use crate::bench::{NAMESPACE, SHIPPED, eventually, ready, resource};

/// Where the record has its images.
const RECORDED: &str = "10.244.0.1:5000/";

/// Any object may own a run here.
const DEFINITION: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: workflowexecutions.workflowexecution.kubernaut.ai }
spec:
  group: workflowexecution.kubernaut.ai
  scope: Namespaced
  names: { kind: WorkflowExecution, plural: workflowexecutions }
  versions:
  - name: v1alpha1
    served: true
    storage: true
    subresources: { status: {} }
    schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
";

pub struct Target {
    /// None where it is a real cluster.
    sandbox: Option<Sandbox>,
    client: Client,
    namespace: String,
    /// The images of the tests: name, and where the cluster finds it, by digest.
    images: Vec<(String, String)>,
}

/// The objects of a YAML text: of each document, and of each list.
pub fn documents(text: &str) -> impl Iterator<Item = Value> {
    let documents = serde_norway::Deserializer::from_str(text).map(|document| Value::deserialize(document).unwrap());
    documents.filter(|document| !document.is_null()).flat_map(|document| match &document["items"] {
        Value::Array(items) if document["kind"] == "List" => items.clone(),
        _ => vec![document],
    })
}

impl Target {
    /// The sandbox with the console's Task and Pipeline.
    pub fn sandbox() -> Self {
        let sandbox = ready();
        sandbox.apply_yaml(DEFINITION).unwrap();
        Self { client: sandbox.client(), sandbox: Some(sandbox), namespace: NAMESPACE.into(), images: Vec::new() }
    }

    /// A namespace of the cluster that `KUBECONFIG` names, with the console's Task and Pipeline. `CLUSTER_IMAGES` is a file with a
    /// line for each image of the tests.
    pub async fn cluster(case: &str) -> Self {
        // A refusal that asks to be tried again is an answer, too.
        let mut config = Config::infer().await.expect("KUBECONFIG");
        config.default_retry = false;
        let client = Client::try_from(config).expect("KUBECONFIG");
        let list = std::env::var("CLUSTER_IMAGES").expect("CLUSTER_IMAGES");
        let list = std::fs::read_to_string(list).expect("the file that CLUSTER_IMAGES names");
        let images = list.lines().filter_map(|line| line.split_once(' ')).map(|(name, at)| (name.into(), at.into()));
        let target = Self { sandbox: None, client, namespace: format!("conformance-{case}"), images: images.collect() };
        target.remove(&target.namespace).await;
        let namespace = format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {}}}}}", target.namespace);
        target.apply(&namespace).await;
        target.apply(include_str!("../../../../deploy/base/crds/workflowexecutions.yaml")).await;
        for manifest in SHIPPED {
            target.apply(&target.here(manifest)).await;
        }
        target
    }

    /// The sandbox, for what can be told to no cluster; None where it is one.
    pub fn as_sandbox(&self) -> Option<&Sandbox> {
        self.sandbox.as_ref()
    }

    pub fn client(&self) -> Client {
        self.client.clone()
    }

    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// A kind that is in no namespace, or in all of them.
    pub fn everywhere(&self, api_version: &str, kind: &str) -> Api<DynamicObject> {
        Api::all_with(self.client.clone(), &resource(api_version, kind))
    }

    /// A kind of the target's namespace.
    pub fn api(&self, api_version: &str, kind: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource(api_version, kind))
    }

    /// Sends a request of the record: the answer's status, and its body as the record would have it, which is a text if it is no JSON.
    pub async fn send(&self, request: &Value) -> (u16, Value) {
        let request: Value = serde_json::from_str(&self.here(&request.to_string())).unwrap();
        let method = request["method"].as_str().unwrap();
        let mut builder = http::Request::builder().method(method).uri(request["path"].as_str().unwrap());
        if let Some(kind) = request["content_type"].as_str() {
            builder = builder.header("content-type", kind);
        } else if method != "PATCH" {
            builder = builder.header("content-type", "application/json");
        }
        for (name, value) in request["headers"].as_object().into_iter().flatten() {
            builder = builder.header(name.as_str(), value.as_str().unwrap());
        }
        let body = request.get("body").map_or_else(Vec::new, |body| serde_json::to_vec(body).unwrap());
        let response = self.client.send(builder.body(Body::from(body)).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let text = String::from_utf8(response.into_body().collect_bytes().await.unwrap().to_vec()).unwrap();
        (status, self.recorded(&serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Waits until a container has written something.
    pub async fn logged(&self, pod: &str, container: &str) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespace);
        let parameters = LogParams { container: Some(container.into()), ..LogParams::default() };
        eventually("a line in the log", || async {
            pods.logs(pod, &parameters).await.is_ok_and(|text| !text.is_empty()).then_some(())
        })
        .await;
    }

    async fn apply(&self, manifest: &str) {
        for document in documents(manifest) {
            let resource = resource(document["apiVersion"].as_str().unwrap(), document["kind"].as_str().unwrap());
            let api: Api<DynamicObject> = match document["metadata"]["namespace"].as_str() {
                Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
                None => Api::all_with(self.client.clone(), &resource),
            };
            let parameters = PatchParams::apply("conformance").force();
            api.patch(document["metadata"]["name"].as_str().unwrap(), &parameters, &Patch::Apply(&document))
                .await
                .unwrap();
        }
    }

    /// A recorded text with what it names here: the namespace, and the images with their digests.
    pub fn here(&self, text: &str) -> String {
        let mut text = text.replace(NAMESPACE, &self.namespace);
        for (name, at) in &self.images {
            let known = format!("{RECORDED}kubernaut/{name}@sha256:");
            let mut parts = text.split(&known);
            let first = parts.next().unwrap_or_default().to_owned();
            // A digest has 64 letters.
            text = parts.fold(first, |done, rest| done + at + &rest[64..]);
        }
        match self.images.first().and_then(|(_, at)| at.split_once('/')) {
            Some((registry, _)) => text.replace(RECORDED, &format!("{registry}/")),
            None => text,
        }
    }

    /// An object as the record would have it.
    pub fn recorded(&self, object: &Value) -> Value {
        let mut text = object.to_string().replace(&self.namespace, NAMESPACE);
        if let Some((registry, _)) = self.images.first().and_then(|(_, at)| at.split_once('/')) {
            text = text.replace(&format!("{registry}/"), RECORDED);
        }
        serde_json::from_str(&text).unwrap()
    }

    /// Ends the sandbox, or removes the namespace.
    pub async fn close(self) {
        match self.sandbox {
            Some(sandbox) => sandbox.shutdown().await,
            None => drop(self.namespaces().delete(&self.namespace, &DeleteParams::default()).await),
        }
    }

    fn namespaces(&self) -> Api<DynamicObject> {
        self.everywhere("v1", "Namespace")
    }

    /// A namespace that an earlier run left behind, or one that has done its service: with all that is in it.
    pub async fn remove(&self, namespace: &str) {
        let namespaces = self.namespaces();
        let _ = namespaces.delete(namespace, &DeleteParams::default()).await;
        eventually("the old namespace is gone", || async {
            namespaces.get_opt(namespace).await.unwrap().is_none().then_some(())
        })
        .await;
    }
}
