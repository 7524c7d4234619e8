//! What the console is connected to: a cluster or the sandbox, a registry of images, an address to listen at.

use crate::{
    config::{ClusterChoice, Config, Scene},
    edge::SystemClock,
    outbound::Outbound,
    registry::{Checked, Client, PinnedOnly, SandboxRegistry},
    terminal::Fault,
};
use domain::ports::{Clock as _, Registry};
use sandbox::Sandbox;
use std::{net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;

/// The manifests that the sandbox starts with: what an administrator applies to a real cluster.
const MANIFESTS: [&str; 3] = [
    include_str!("../../../deploy/base/tekton/serviceaccount-playbook-executor.yaml"),
    include_str!("../../../deploy/base/tekton/task-kubernaut-action.yaml"),
    include_str!("../../../deploy/base/tekton/pipeline-playbook-executor.yaml"),
];

/// The Secret that playbooks find their target with; in the sandbox it only has to be there.
const SANDBOX_SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: kubeconfig-remediation\n  \
    namespace: kubernaut-system\nstringData:\n  kubeconfig: sandbox\n";

/// The registry that pins images, with who signed them where the settings say whose signatures count.
pub fn checked(pins: Arc<dyn Registry>, config: &Config) -> Result<Arc<dyn Registry>, Fault> {
    let Some(settings) = &config.signatures else { return Ok(pins) };
    let http = Outbound::new(settings.ca.as_deref(), settings.allow_private).map_err(|error| {
        Fault::wrong_setting(format!("registries can't be called, look at --signatures-file: {error}"))
    })?;
    let client = Client::new(http, settings.registries.clone(), settings.logins.clone());
    Ok(Arc::new(Checked::new(pins, client, settings.trust.clone(), Arc::new(SystemClock))))
}

/// A connection to the chosen cluster.
pub struct Connected {
    /// By which it is called.
    pub client: kube::Client,
    /// Where its images come from.
    pub registry: Arc<dyn Registry>,
    /// What it is called.
    pub name: String,
    /// The sandbox, where it is one.
    pub sandbox: Option<Arc<Sandbox>>,
}

/// Connects to the cluster of the settings, or starts the sandbox.
pub async fn connect(config: &Config) -> Result<Connected, Fault> {
    let choice = match config.cluster {
        ClusterChoice::Sandbox => return start_sandbox(config),
        ClusterChoice::Kubeconfig => controller::ClientChoice::Kubeconfig,
        ClusterChoice::InCluster => controller::ClientChoice::InCluster,
    };
    let client =
        controller::client(choice).await.map_err(|e| Fault::failed(format!("the cluster can't be used: {e}")))?;
    let name = match choice {
        controller::ClientChoice::InCluster => "in-cluster".into(),
        controller::ClientChoice::Kubeconfig => kube::config::Kubeconfig::read()
            .ok()
            .and_then(|file| file.current_context)
            .unwrap_or_else(|| "cluster".into()),
    };
    Ok(Connected { client, registry: Arc::new(PinnedOnly), name, sandbox: None })
}

fn start_sandbox(config: &Config) -> Result<Connected, Fault> {
    let options = sandbox::Options {
        clock: Arc::new(|| SystemClock.now().as_millis()),
        pace: 1.0,
        namespace: config.namespace.clone(),
        scene: if config.scene == Scene::Demo { sandbox::Scene::Demo } else { sandbox::Scene::Off },
    };
    let sandbox = Sandbox::start(options);
    let crds = controller::crd::crds_yaml().map_err(|e| Fault::failed(e.to_string()))?;
    let secret = config.kubeconfig_secret.as_ref().map(|name| SANDBOX_SECRET.replace("kubeconfig-remediation", name));
    for manifest in MANIFESTS.into_iter().chain([crds.as_str()]).chain(secret.as_deref()) {
        let text = manifest.replace("namespace: kubernaut-system", &format!("namespace: {}", config.namespace));
        sandbox.apply_yaml(&text).map_err(|e| Fault::failed(format!("the sandbox can't be set up: {e}")))?;
    }
    Ok(Connected {
        client: sandbox.client(),
        registry: Arc::new(SandboxRegistry(*sandbox.registry())),
        name: "sandbox".into(),
        sandbox: Some(Arc::new(sandbox)),
    })
}

/// Listens there; a refusal says what to do.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Fault> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                "the port is taken: stop what listens there, or choose another with --listen"
            }
            std::io::ErrorKind::PermissionDenied => {
                "this user may not listen there: choose a port above 1023 with --listen"
            }
            _ => "choose an address of this machine with --listen",
        };
        Fault::failed(format!("{address} can't be listened on ({error}): {advice}"))
    })
}
