//! Making the client that talks to a real cluster, and putting what the console needs into a cluster.
//!
//! kube 5's default client retries every request on 429, 503 and 504, POST too (`RetryPolicy::server_retry`, 15 tries): a
//! create whose reply was lost would be sent again by a layer that knows nothing of expiry. `Config::default_retry = false`
//! leaves that layer out; [`crate::calls`] makes each call once and the callers decide. Watches have their own backoff.

use kube::{
    Api, Client, Config,
    api::{DynamicObject, Patch, PatchParams},
    config::{InClusterError, KubeConfigOptions, KubeconfigError},
    discovery,
};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// Where the cluster's address and credentials come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientChoice {
    /// `$KUBECONFIG` or `~/.kube/config`.
    Kubeconfig,
    /// The pod's service account.
    InCluster,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The kubeconfig can't be used.
    #[error("the kubeconfig can't be used: {0}; set KUBECONFIG or choose another cluster")]
    Kubeconfig(#[from] KubeconfigError),
    /// Not in a pod.
    #[error("this is no pod with a service account: {0}; use the kubeconfig instead")]
    InCluster(#[from] InClusterError),
    /// TLS or address.
    #[error("the cluster's client can't be made: {0}")]
    Client(#[from] kube::Error),
}

/// A client that never retries a write by itself.
pub async fn client(how: ClientChoice) -> Result<Client, ClientError> {
    let config = match how {
        ClientChoice::Kubeconfig => Config::from_kubeconfig(&KubeConfigOptions::default()).await?,
        ClientChoice::InCluster => Config::incluster()?,
    };
    Ok(without_retries(config)?)
}

fn without_retries(mut config: Config) -> Result<Client, kube::Error> {
    config.default_retry = false;
    Client::try_from(config)
}

/// Why something could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The text is no YAML, or no object.
    #[error("the manifest can't be read: {0}")]
    Unreadable(String),
    /// The API server said no.
    #[error("{object} can't be applied: {source}")]
    Refused {
        /// Kind and name.
        object: String,
        /// What it said.
        source: Box<kube::Error>,
    },
}

/// Applies manifests (YAML, several documents, `List`s too) server-side, definitions first. Applying them again changes
/// nothing.
pub async fn install(client: Client, manifests: &str) -> Result<(), InstallError> {
    let mut objects = read(manifests)?;
    objects.sort_by_key(|object| object["kind"] != "CustomResourceDefinition");
    for object in objects {
        apply(&client, object).await?;
    }
    Ok(())
}

/// The objects of some manifests.
pub(crate) fn read(manifests: &str) -> Result<Vec<Value>, InstallError> {
    let mut objects = Vec::new();
    for document in serde_norway::Deserializer::from_str(manifests) {
        let value = Value::deserialize(document).map_err(|e| InstallError::Unreadable(e.to_string()))?;
        match value["kind"].as_str() {
            None if value.is_null() => {}
            None => return Err(InstallError::Unreadable("a document has no kind".into())),
            Some("List") => objects.extend(value["items"].as_array().cloned().unwrap_or_default()),
            Some(_) => objects.push(value),
        }
    }
    Ok(objects)
}

async fn apply(client: &Client, object: Value) -> Result<(), InstallError> {
    let name = format!("{} {}", object["kind"].as_str().unwrap_or_default(), object["metadata"]["name"]);
    let object: DynamicObject =
        serde_json::from_value(object).map_err(|e| InstallError::Unreadable(format!("{name}: {e}")))?;
    let types = object.types.clone().unwrap_or_default();
    let gvk = types.try_into().map_err(|_| InstallError::Unreadable(format!("{name}: no apiVersion")))?;
    let refused = |source| InstallError::Refused { object: name.clone(), source: Box::new(source) };
    // A definition that was applied a moment ago is served a moment later.
    let mut tries = 0;
    let (resource, capabilities) = loop {
        match discovery::pinned_kind(client, &gvk).await {
            Ok(found) => break found,
            Err(_) if tries < 20 => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) => return Err(refused(error)),
        }
    };
    let api: Api<DynamicObject> = match (&capabilities.scope, &object.metadata.namespace) {
        (discovery::Scope::Namespaced, Some(namespace)) => Api::namespaced_with(client.clone(), namespace, &resource),
        (discovery::Scope::Namespaced, None) => Api::default_namespaced_with(client.clone(), &resource),
        (discovery::Scope::Cluster, _) => Api::all_with(client.clone(), &resource),
    };
    let params = PatchParams::apply("kubernaut-console").force();
    let object_name = object.metadata.name.clone().unwrap_or_default();
    api.patch(&object_name, &params, &Patch::Apply(&object)).await.map_err(refused)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::{CallError, Calls, Kind};
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// A server that is always busy; how many requests it got.
    async fn busy_server() -> (http::Uri, Arc<AtomicUsize>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 65_536];
                let _ = stream.read(&mut request).await;
                counted.fetch_add(1, Ordering::SeqCst);
                let answer = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 2\r\n\
                              Connection: close\r\n\r\n{}";
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        (address, requests)
    }

    #[tokio::test]
    async fn a_busy_server_is_asked_once() {
        let (address, requests) = busy_server().await;
        let client = without_retries(Config::new(address.clone())).unwrap();
        let object = serde_json::json!({"metadata": {"name": "x"}});
        let answer = Calls::new(client).create(Kind::PipelineRun, "ns", &object).await;
        assert!(matches!(answer, Err(CallError::Busy { .. })), "{answer:?}");
        assert_eq!(requests.load(Ordering::SeqCst), 1);
        // The guard's guard: kube's own default asks again and again.
        let eager = Calls::new(Client::try_from(Config::new(address)).unwrap());
        let asked = eager.create(Kind::PipelineRun, "ns", &object);
        let _ = tokio::time::timeout(Duration::from_millis(500), asked).await;
        assert!(requests.load(Ordering::SeqCst) > 2, "kube does not retry by default any more: simplify");
    }

    #[test]
    fn documents_and_lists_are_read() {
        let text = "---\nkind: A\n---\nkind: List\nitems:\n- &a {kind: B}\n- *a\n---\n";
        let kinds: Vec<Value> = read(text).unwrap().iter().map(|o| o["kind"].clone()).collect();
        assert_eq!(kinds, ["A", "B", "B"]);
        assert!(read("just text").is_err());
        assert!(read("{a: b").is_err());
    }

    #[test]
    fn the_shipped_manifests_are_read() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/base/tekton");
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "yaml") {
                assert!(!read(&std::fs::read_to_string(&path).unwrap()).unwrap().is_empty(), "{}", path.display());
            }
        }
    }
}
