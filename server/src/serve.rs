//! `serve`: puts the house together, says when it is ready, and takes it down in order.

use crate::{
    accounts::{Accounts, InCluster, hash_password, new_password, oidc::Oidc},
    assessor::{Assessor, Sources, ToldSignals},
    cli::{self, Fault, print},
    conditions::Cel,
    config::{ClusterChoice, Config, Scene, millis},
    doors::{
        self, Readiness,
        address::Proxies,
        gate::Gate,
        host_check::Hosts,
        live::{Live, Reader},
        rate::Limits,
        refusals::Refusals,
    },
    edge::{self, SystemClock, UuidIds},
    embeddings,
    investigator::Investigator,
    notify::Notifications,
    outbound::Outbound,
    policy_file,
    registry::{Checked, Client, PinnedOnly, SandboxRegistry},
    scene::{self, SceneWorld},
    services::{Services, Settings, World},
    signal_mapping, signatures, trail_watch,
};
use domain::{
    audit::AuditEntry,
    event::Topic,
    identity::Role,
    ids::RecommendationId,
    ports::{
        AccountStore as _, Clock, Cluster, Ids as _, ProviderStore as _, RecommendationStore as _, Registry,
        SignalStore as _, SignatureStore as _,
    },
    provider::FederatedIdentity,
    signal::SignalSource,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use sandbox::Sandbox;
use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};
use store::Store;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

/// What the trail calls a start.
const ROUTE: &str = "kubernaut-console serve";
/// What a stop may take, from the signal to the end.
const STOP_WITHIN: Duration = Duration::from_secs(20);
/// What each stage of a stop may take.
const STAGE: Duration = Duration::from_secs(5);
/// How often deadlines, retention and limits are looked after.
const HOUSEKEEPING: Duration = Duration::from_secs(1);
/// The manifests that the sandbox starts with: what an administrator applies to a real cluster.
const MANIFESTS: [&str; 3] = [
    include_str!("../../deploy/base/tekton/serviceaccount-playbook-executor.yaml"),
    include_str!("../../deploy/base/tekton/task-kubernaut-action.yaml"),
    include_str!("../../deploy/base/tekton/pipeline-playbook-executor.yaml"),
];

/// The Secret that playbooks find their target with; in the sandbox it only has to be there.
const SANDBOX_SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: kubeconfig-remediation\n  \
    namespace: kubernaut-system\nstringData:\n  kubeconfig: sandbox\n";

/// Serves until a signal.
pub async fn serve(config: Config) -> Result<(), Fault> {
    if config.public_url.is_none() && !config.listen.ip().is_loopback() {
        // A browser keeps and sends the session's cookie over https only, and what came from our own pages is known by it.
        return Err(Fault::wrong_setting(format!(
            "--listen {} is for other machines too: say with --public-url https://… where they reach the console",
            config.listen
        )));
    }
    let metrics = PrometheusBuilder::new().install_recorder().map_err(|e| Fault::failed(e.to_string()))?;
    let listener = bind(config.listen).await?;
    let address = listener.local_addr().map_err(|e| Fault::failed(e.to_string()))?;
    let public_url: Arc<str> = config.public_url.clone().unwrap_or_else(|| format!("http://{address}")).into();
    let store = cli::open(&config).await?;
    first_admin(&store, &config).await?;
    judge_anew(&store, &config).await?;
    let conditions = Arc::new(Cel::new());
    if let Some(file) = &config.policy_file {
        policy_file::put_in_force(&store, file, &*conditions, UuidIds.fresh()).await?;
    }

    let event_quiet_ms = millis(config.signals.event_quiet);
    let mapping = Arc::new(signal_mapping::read(config.signals.mapping_file.as_deref())?);

    // Streams end first, then requests, then the controller.
    let (streams, controller_stop) = (CancellationToken::new(), CancellationToken::new());
    let connected = connect(&config).await?;
    let settings = Settings {
        cluster: connected.name.clone(),
        sandbox: connected.sandbox.is_some(),
        environment: config.environment.clone(),
        namespace: config.namespace.clone(),
        lists_workspaces: config.lister_image.is_some(),
        kubeconfig_secret: config.kubeconfig_secret.clone(),
        signals: mapping.clone(),
        investigates: config.holmes.is_some(),
        approval_ttl_ms: millis(config.approval_ttl),
        recent_sign_in_ms: millis(config.recent_sign_in),
        subject_access_review: config.subject_access_review,
        models_see_record: config.mcp_track_record,
        policy_file: config.policy_file.as_ref().map(|file| file.display().to_string()),
    };
    let shared = Arc::new(store.clone());
    let cluster = Arc::new(OnceLock::new());
    let registry = checked(connected.registry, &config)?;
    store.forget_signatures(registry.trust().unwrap_or_default()).await?;
    let services = Services::new(World {
        catalog: shared.clone(),
        recommendations: shared.clone(),
        executions: shared.clone(),
        recoveries: shared.clone(),
        findings: shared.clone(),
        logs: shared.clone(),
        signals: shared.clone(),
        assessments: shared.clone(),
        investigations: shared.clone(),
        effectiveness: shared.clone(),
        audit: shared.clone(),
        policies: shared.clone(),
        conditions,
        people: shared.clone(),
        registry: registry.clone(),
        signatures: shared.clone(),
        cluster: cluster.clone(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(UuidIds),
        settings,
    });
    let told = ToldSignals { signals: shared.clone(), cluster: connected.name.clone() };
    let sources = Sources::new(&config.assess, told, connected.sandbox.as_ref(), Arc::new(SystemClock));
    let assessor = Assessor::new(
        shared.clone(),
        shared.clone(),
        cluster.clone(),
        sources.map_err(Fault::wrong_setting)?,
        Arc::new(SystemClock),
        connected.name.clone(),
        &config.assess,
    );
    let keeper = embeddings::keeper(config.embeddings.as_ref(), shared.clone())?;
    let services = match keeper {
        Some(keeper) => {
            tokio::spawn(controller_stop.clone().run_until_cancelled_owned(keeper.clone().keep()));
            services.with_meanings(Arc::new(keeper))
        }
        None => services,
    };
    let investigator = config.holmes.as_ref().map(|holmes| {
        let cluster_name = connected.name.clone();
        Investigator::new(holmes, services.clone(), &shared, cluster.clone(), cluster_name)
            .map_err(Fault::wrong_setting)
    });
    let investigator = investigator.transpose()?;
    let running = controller::start(
        connected.client,
        controller::Config {
            cluster_name: connected.name,
            sandbox: connected.sandbox.is_some(),
            namespace: config.namespace.clone(),
            database: store.installation().await?,
            // A sandbox is its console's own.
            replica: connected.sandbox.is_none().then(edge::replica),
            lister_image: config.lister_image.clone(),
            events: controller::EventNamespaces {
                namespaces: config.signals.event_namespaces.clone(),
                quiet_ms: event_quiet_ms,
                mapping,
            },
            reviews: controller::Reviews {
                tokens: !config.token_review.is_empty(),
                people: config.subject_access_review,
            },
        },
        controller::Ports {
            executions: shared.clone(),
            recommendations: shared.clone(),
            intake: Arc::new(services.clone()),
            signals: Arc::new(services.clone()),
            clock: Arc::new(SystemClock),
        },
        controller_stop.clone(),
    );
    let _ = cluster.set(running.cluster());
    tokio::spawn(controller_stop.clone().run_until_cancelled_owned(assessor.run()));
    let investigating = investigator.map(|investigator| tokio::spawn(investigator.run(controller_stop.clone())));
    let scene = match &connected.sandbox {
        Some(sandbox) if config.scene == Scene::Demo => {
            let world = SceneWorld {
                services: services.clone(),
                executions: shared.clone(),
                recommendations: shared.clone(),
                registry: registry.clone(),
                policies: shared.clone(),
                accounts: shared.clone(),
                sandbox: sandbox.clone(),
                clock: Arc::new(SystemClock),
                ids: Arc::new(UuidIds),
                namespace: config.namespace.clone(),
            };
            let playing = scene::start(world, controller_stop.clone()).await;
            Some(playing.map_err(|e| Fault::failed(e.to_string()))?)
        }
        _ => None,
    };
    let refusals = Refusals::new(shared.clone(), Arc::new(SystemClock));
    let oidc = config.oidc.as_ref().map(|settings| {
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(UuidIds));
        Oidc::new(settings, &public_url, shared.clone(), clock, ids).map_err(Fault::wrong_setting)
    });
    let oidc = oidc.transpose()?;
    if let Some(oidc) = &oidc {
        tokio::spawn(controller_stop.clone().run_until_cancelled_owned(oidc.clone().keep()));
    }
    let notifications = Notifications::of(&config, shared.clone(), public_url.clone()).map_err(Fault::wrong_setting)?;
    tokio::spawn(controller_stop.clone().run_until_cancelled_owned(notifications.clone().deliver()));
    let gate = Gate {
        services: services.clone(),
        accounts: Accounts::of(&config, &shared),
        notifications,
        oidc,
        in_cluster: InCluster::new(config.token_review.clone(), config.token_review_audience.clone(), cluster.clone()),
        idempotency: shared.clone(),
        live: Live::start(shared.clone(), streams.clone()),
        limits: Limits::new(),
        refusals: refusals.clone(),
        proxies: Proxies::new(config.trusted_proxies.clone()),
        ids: Arc::new(UuidIds),
        sandbox: connected.sandbox.is_some(),
        hosts: Hosts::new(&public_url, &config.allowed_hosts),
        public_url,
        stop: streams.clone(),
    };
    if connected.sandbox.is_none() {
        let reader = gate.live.reader(gate.live.latest().await?);
        tokio::spawn(controller_stop.clone().run_until_cancelled_owned(carry_out(reader, running.cluster())));
    }
    let readiness = Readiness { store: store.clone(), cluster, metrics: metrics.clone() };
    let limits = gate.limits.clone();
    let router = doors::router(gate, readiness.clone());
    let housekeeper = tokio::spawn(keep_house(
        store.clone(),
        Times {
            retention_days: config.retention_days,
            event_quiet_ms,
            alert_quiet_ms: config.signals.alert_quiet.map(millis),
        },
        limits,
        refusals,
        metrics,
        controller_stop.clone(),
    ));
    tokio::spawn(controller_stop.clone().run_until_cancelled_owned(signatures::watch(services.clone())));
    tokio::spawn(controller_stop.clone().run_until_cancelled_owned(services.clone().keep_recovering()));
    tokio::spawn(controller_stop.clone().run_until_cancelled_owned(services.clone().keep_noticing_patterns()));
    let watching = trail_watch::watch(store.clone(), services, config.audit_retention_days);
    tokio::spawn(controller_stop.clone().run_until_cancelled_owned(watching));

    let share = config.connections_per_address;
    let server = tokio::spawn(doors::listen::serve(listener, router, share, streams.clone()));
    // Whoever reads that it listens may end it at once.
    let stopped = stop_signal()?;
    announce(address, readiness);

    stopped.await;
    tracing::info!("stopping: streams, then requests, then the controller");
    let orderly = async {
        streams.cancel();
        let _ = tokio::time::timeout(STAGE, server).await;
        controller_stop.cancel();
        let _ = tokio::time::timeout(STAGE, running.finished()).await;
        let _ = tokio::time::timeout(STAGE, housekeeper).await;
        if let Some(investigating) = investigating {
            let _ = tokio::time::timeout(STAGE, investigating).await;
        }
        if let Some(scene) = scene {
            let _ = tokio::time::timeout(STAGE, scene).await;
        }
        if let Some(sandbox) = connected.sandbox {
            sandbox.shutdown().await;
        }
        store.close().await;
    };
    if tokio::time::timeout(STOP_WITHIN, orderly).await.is_err() {
        tracing::warn!("stopped at the deadline; what was still open is caught up with at the next start");
    }
    Ok(())
}

/// The registry that pins images, with who signed them where the settings say whose signatures count.
fn checked(pins: Arc<dyn Registry>, config: &Config) -> Result<Arc<dyn Registry>, Fault> {
    let Some(settings) = &config.signatures else { return Ok(pins) };
    let http = Outbound::new(settings.ca.as_deref(), settings.allow_private).map_err(|error| {
        Fault::wrong_setting(format!("registries can't be called, look at --signatures-file: {error}"))
    })?;
    let client = Client::new(http, settings.registries.clone(), settings.logins.clone());
    Ok(Arc::new(Checked::new(pins, client, settings.trust.clone(), Arc::new(SystemClock))))
}

/// A connection to the chosen cluster.
struct Connected {
    client: kube::Client,
    registry: Arc<dyn Registry>,
    name: String,
    sandbox: Option<Arc<Sandbox>>,
}

async fn connect(config: &Config) -> Result<Connected, Fault> {
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

async fn bind(address: SocketAddr) -> Result<TcpListener, Fault> {
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

/// The first start makes an admin: with the password that was set, or with one that is printed once. Where nobody signs in with an
/// account of the console's own none is made; the command line can, when one is needed.
async fn first_admin(store: &Store, config: &Config) -> Result<(), Fault> {
    if !config.local_accounts || !store.is_empty().await? {
        return Ok(());
    }
    let password = config.admin_password.clone().unwrap_or_else(new_password);
    let hash = hash_password(&password).map_err(|e| Fault::failed(e.to_string()))?;
    let entry = AuditEntry {
        after: Some(serde_json::json!({ "roles": [Role::Admin] })),
        ..AuditEntry::of_console("first start", ROUTE, "account.create", "account", "admin", UuidIds.fresh())
    };
    let made = store.create_user(&format!("user:{}", UuidIds.fresh()), "admin", &[Role::Admin], &hash, entry).await?;
    if made && config.admin_password.is_none() {
        print(&format!("first admin: user name admin, password {password} (shown this once)"));
    }
    Ok(())
}

/// What the provider's people may is kept as of their last sign-in: approvals are counted by it. Settings change at a start alone.
async fn judge_anew(store: &Store, config: &Config) -> Result<(), Fault> {
    let rules = config.oidc.as_ref().map(|provider| &provider.rules);
    // Blocked groups are looked at whenever something counts.
    let given = |from: &FederatedIdentity| rules.map_or_else(Vec::new, |rules| rules.roles(from, &[]));
    let entry = AuditEntry {
        reason: Some("--oidc-issuer or --oidc-role are others than at their last sign-in".into()),
        ..AuditEntry::of_console("settings", ROUTE, "account.roles", "account", "", UuidIds.fresh())
    };
    let changed = store.judge_anew(&given, entry).await?;
    if changed > 0 {
        tracing::info!(changed, "the provider's people may something else than at their last sign-in");
    }
    Ok(())
}

/// What was decided at another console is for whichever acts: it hears of it here.
async fn carry_out(mut reader: Reader, cluster: Arc<dyn Cluster>) {
    loop {
        let event = reader.next().await;
        // A run that was approved is told with its recommendation.
        let wanted = event.data["recommendation"].is_string() || event.data["cancel_requested"] == true;
        if event.topic == Topic::Execution && wanted {
            cluster.wake();
        }
        if event.topic == Topic::Recommendation && event.data["state"] != "open" {
            cluster.decided(&RecommendationId::new(&*event.subject));
        }
    }
}

/// Says where it listens as soon as it is ready.
fn announce(address: SocketAddr, readiness: Readiness) {
    tokio::spawn(async move {
        let mut patience = 0;
        loop {
            let (ready, state) = readiness.check().await;
            if ready {
                print(&format!("listening on http://{address}"));
                return;
            }
            patience += 1;
            // Ten seconds in, whoever waits learns why.
            if patience % 1000 == 0 {
                tracing::warn!(reasons = %state["reasons"], "not ready yet");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
}

fn stop_signal() -> Result<impl Future<Output = ()>, Fault> {
    let listen = |kind| signal(kind).map_err(|e| Fault::failed(e.to_string()));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// After what things are over.
struct Times {
    /// Raw history, days.
    retention_days: u32,
    /// A signal of Kubernetes that is not told again, milliseconds.
    event_quiet_ms: i64,
    /// An alert that Alertmanager does not repeat, milliseconds; never when none.
    alert_quiet_ms: Option<i64>,
}

impl Times {
    /// Ends signals that have fallen silent.
    async fn end_quiet(&self, store: &Store) {
        let alerts = self.alert_quiet_ms.map(|quiet_ms| (SignalSource::Alertmanager, quiet_ms));
        let all = [Some((SignalSource::Kubernetes, self.event_quiet_ms)), alerts];
        for (source, quiet_ms) in all.into_iter().flatten() {
            if let Err(error) = store.end_quiet(source, quiet_ms).await {
                tracing::warn!(%error, "signals that are over can't be ended");
            }
        }
    }
}

/// Ends what has run out: recommendations by the second, old history and quiet limiters by the hour and soon after the start. What was
/// measured is summed up now and then, whether or not anybody asks for it.
async fn keep_house(
    store: Store,
    times: Times,
    limits: Limits,
    refusals: Refusals,
    metrics: PrometheusHandle,
    stop: CancellationToken,
) {
    let mut seconds: u64 = 0;
    while stop.run_until_cancelled(tokio::time::sleep(HOUSEKEEPING)).await.is_some() {
        if let Err(error) = store.expire_due().await {
            tracing::warn!(%error, "expired recommendations can't be marked");
        }
        seconds += 1;
        if seconds.is_multiple_of(5) {
            metrics.run_upkeep();
            times.end_quiet(&store).await;
        }
        if seconds.is_multiple_of(60) {
            refusals.tell(false).await;
        }
        if seconds % 3600 == 30 {
            limits.sweep();
            if let Err(error) = store.sweep().await {
                tracing::warn!(%error, "ended sessions can't be removed");
            }
            if let Err(error) = store.prune(times.retention_days).await {
                tracing::warn!(%error, "old history can't be removed");
            }
        }
    }
    refusals.tell(true).await;
}
