//! Where the cases are played: in the sandbox, in paused time; or on a real Kubernetes with Tekton, each case in a namespace of its own.
//! `scripts/test cluster` starts a cluster, or takes that of `TEST_KUBECONFIG`.

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Client,
    api::{Api, DeleteParams, DynamicObject, LogParams, Patch, PatchParams},
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
        let client = Client::try_default().await.expect("KUBECONFIG");
        let list = std::env::var("CLUSTER_IMAGES").expect("CLUSTER_IMAGES");
        let list = std::fs::read_to_string(list).expect("the file that CLUSTER_IMAGES names");
        let images = list.lines().filter_map(|line| line.split_once(' ')).map(|(name, at)| (name.into(), at.into()));
        let target = Self { sandbox: None, client, namespace: format!("conformance-{case}"), images: images.collect() };
        target.remove().await;
        let namespace = format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {}}}}}", target.namespace);
        target.apply(&namespace).await;
        target.apply(include_str!("../../../../deploy/base/crds/workflowexecutions.yaml")).await;
        for manifest in SHIPPED {
            target.apply(&target.here(manifest)).await;
        }
        target
    }

    /// A kind of the target's namespace.
    pub fn api(&self, api_version: &str, kind: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource(api_version, kind))
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
        Api::all_with(self.client.clone(), &resource("v1", "Namespace"))
    }

    /// What an earlier run left behind.
    async fn remove(&self) {
        let namespaces = self.namespaces();
        let _ = namespaces.delete(&self.namespace, &DeleteParams::default()).await;
        eventually("the old namespace is gone", || async {
            namespaces.get_opt(&self.namespace).await.unwrap().is_none().then_some(())
        })
        .await;
    }
}
