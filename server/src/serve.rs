//! `serve`: puts the house together, says when it is ready, and takes it down in order.

mod accounts;
mod background;
mod connect;
mod ends;

use crate::{
    accounts::{Accounts, InCluster, oidc::Oidc},
    assessor::{Assessor, Sources, ToldSignals},
    cli,
    conditions::Cel,
    config::{Config, Scene, millis},
    doors::{
        self, Readiness, address::Proxies, gate::Gate, host_check::Hosts, live::Live, rate::Limits, refusals::Refusals,
    },
    edge::{self, SystemClock, UuidIds},
    embeddings,
    investigator::Investigator,
    notify::Notifications,
    policy_file,
    scene::{self, SceneWorld},
    services::Services,
    signal_mapping, signatures,
    terminal::Fault,
    trail_watch, world,
};
use background::{Times, carry_out, keep_house, until};
use domain::ports::{Ids as _, SignatureStore as _};
use ends::{announce, stop_signal};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// What a stop may take, from the signal to the end.
const STOP_WITHIN: Duration = Duration::from_secs(20);
/// What each stage of a stop may take.
const STAGE: Duration = Duration::from_secs(5);

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
    let listener = connect::bind(config.listen).await?;
    let address = listener.local_addr().map_err(|e| Fault::failed(e.to_string()))?;
    let public_url: Arc<str> = config.public_url.clone().unwrap_or_else(|| format!("http://{address}")).into();
    let store = cli::open(&config).await?;
    accounts::first_admin(&store, &config).await?;
    accounts::judge_anew(&store, &config).await?;
    if let Some(file) = &config.policy_file {
        policy_file::put_in_force(&store, file, &Cel::new(), UuidIds.fresh()).await?;
    }

    let event_quiet_ms = millis(config.signals.event_quiet);
    let mapping = Arc::new(signal_mapping::read(config.signals.mapping_file.as_deref())?);

    // Streams end first, then requests, then the controller.
    let (streams, controller_stop) = (CancellationToken::new(), CancellationToken::new());
    let connected = connect::connect(&config).await?;
    let shared = Arc::new(store.clone());
    let registry = connect::checked(connected.registry, &config)?;
    store.forget_signatures(registry.trust().unwrap_or_default()).await?;
    let settings = world::settings(&config, &connected.name, connected.sandbox.is_some(), mapping.clone());
    let world = world::over(&shared, registry.clone(), settings);
    let cluster = world.cluster.clone();
    let services = Services::new(world);
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
            until(&controller_stop, keeper.clone().keep());
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
    let cluster_name = connected.name.clone();
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
    until(&controller_stop, assessor.run());
    let investigating = investigator.map(|investigator| tokio::spawn(investigator.run(controller_stop.clone())));
    let scene = match &connected.sandbox {
        Some(sandbox) if config.scene == Scene::Demo => {
            let world = SceneWorld {
                services: services.clone(),
                executions: shared.clone(),
                recommendations: shared.clone(),
                investigations: shared.clone(),
                has_agent: config.holmes.is_some(),
                registry: registry.clone(),
                policies: shared.clone(),
                accounts: shared.clone(),
                sandbox: sandbox.clone(),
                clock: Arc::new(SystemClock),
                ids: Arc::new(UuidIds),
                cluster: cluster_name,
                namespace: config.namespace.clone(),
                settle_ms: millis(config.assess.after),
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
        until(&controller_stop, oidc.clone().keep());
    }
    let notifications = Notifications::of(&config, shared.clone(), public_url.clone()).map_err(Fault::wrong_setting)?;
    until(&controller_stop, notifications.clone().deliver());
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
        until(&controller_stop, carry_out(reader, running.cluster()));
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
    until(&controller_stop, signatures::watch(services.clone()));
    until(&controller_stop, services.clone().keep_recovering());
    until(&controller_stop, services.clone().keep_noticing_patterns());
    let watching = trail_watch::watch(store.clone(), services, config.audit_retention_days);
    until(&controller_stop, watching);

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
