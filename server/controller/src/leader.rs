//! Which of several consoles acts: the one that holds the Lease. It only spares double work; that no ticket runs twice is kept by the
//! store's epoch and the derived name, with or without a Lease (`safety.md`, Faults).

use crate::{
    calls::{CallError, Kind},
    common::Common,
    context::Context,
    dispatcher,
    lease::{self, Candidate, DEADLINE, EVERY, Move},
    reconcile, recorder, registrar,
};
use domain::execution::Stage;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// The Lease, in the namespace of the runs.
const NAME: &str = "kubernaut-console";
/// One call about the Lease: a later one is of more use than one that hangs.
const PATIENCE: Duration = Duration::from_secs(2);

/// Acts from now on, or whenever the Lease is this replica's.
pub fn start(common: &Arc<Common>) {
    let common = Arc::clone(common);
    common.clone().tasks.spawn(async move {
        let Some(me) = common.config.replica.clone() else {
            act(&common, common.stop.clone()).tasks.wait().await;
            return;
        };
        while let Some(lease) = common.stop.run_until_cancelled(stand_by(&common, &me)).await {
            tracing::info!(replica = me, "this console acts from now on");
            let term = common.stop.child_token();
            let context = act(&common, term.clone());
            let lease = common.stop.run_until_cancelled(hold(&common, &me, lease)).await;
            term.cancel();
            context.tasks.wait().await;
            common.health.waits_for_its_turn();
            if lease.is_none() {
                give_back(&common, &me).await;
                return;
            }
            tracing::warn!(replica = me, "this console does not act any more");
        }
    });
}

/// Starts all that acts, with nothing known from before.
fn act(common: &Arc<Common>, term: CancellationToken) -> Arc<Context> {
    common.health.acts();
    let context = Arc::new(Context::new(common, term));
    recorder::start(&context);
    reconcile::start(&context);
    dispatcher::start(&context);
    registrar::start(&context);
    context.tasks.close();
    context
}

/// Waits until the Lease is ours; the Lease as it is then.
async fn stand_by(common: &Common, me: &str) -> Value {
    let mut candidate = Candidate::new(me);
    loop {
        match attempt(common, me, &mut candidate).await {
            Ok(Some(lease)) => return lease,
            Ok(None) => {}
            Err(error) => {
                let why = in_words(&error, &common.config.namespace);
                nobody_acts(common, &why).await;
                common.health.no_turn(why);
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// What was approved meanwhile says why it has not started: there may be nobody else to say it. Whoever acts would have begun with it
/// by now.
async fn nobody_acts(common: &Common, why: &str) {
    let patience = i64::try_from(lease::DURATION.as_millis()).unwrap_or(i64::MAX);
    let Ok(due) = common.ports.executions.due(&common.config.cluster_name).await else { return };
    let now = common.ports.clock.now();
    for run in due.iter().filter(|run| run.stage == Stage::Claimed && now.since(run.created_at) > patience) {
        common.waits(&run.subject.id, why).await;
    }
}

async fn attempt(common: &Common, me: &str, candidate: &mut Candidate) -> Result<Option<Value>, CallError> {
    let namespace = &common.config.namespace;
    let read = match soon(common.calls.get(Kind::Lease, namespace, NAME)).await {
        Ok(lease) => Some(lease),
        Err(CallError::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    let now = micro_time(common);
    let taken = match (candidate.look(read.as_ref(), Instant::now()), &read) {
        (Move::Wait { holder }, _) => {
            common.health.stands_by(holder);
            return Ok(None);
        }
        (Move::Take, Some(lease)) => {
            let change = json!({ "spec": lease::taken(me, &now, Some(lease)) });
            soon(common.calls.merge_read(Kind::Lease, lease, change)).await
        }
        (Move::Take | Move::Create, _) => {
            let lease = json!({
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": { "name": NAME, "namespace": namespace },
                "spec": lease::taken(me, &now, None),
            });
            soon(common.calls.create(Kind::Lease, namespace, &lease)).await
        }
    };
    match taken {
        Ok(lease) => Ok(Some(lease)),
        // Somebody was faster; the next look tells who.
        Err(CallError::Exists(_) | CallError::Conflict(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Renews it until it is lost.
async fn hold(common: &Common, me: &str, mut lease: Value) {
    let mut renewed = Instant::now();
    while renewed.elapsed() < DEADLINE {
        tokio::time::sleep(EVERY).await;
        let sent = Instant::now();
        let change = json!({ "spec": { "renewTime": micro_time(common) } });
        match soon(common.calls.merge_read(Kind::Lease, &lease, change)).await {
            Ok(there) => (lease, renewed) = (there, sent),
            // An earlier renewal whose reply was lost, or somebody else's hand. Reading renews nothing.
            Err(CallError::Conflict(_) | CallError::NotFound(_)) => {
                match soon(common.calls.get(Kind::Lease, &common.config.namespace, NAME)).await {
                    Ok(there) if lease::holder(&there) == me => lease = there,
                    Ok(_) | Err(CallError::NotFound(_)) => return,
                    Err(error) => tracing::warn!(%error, "the Lease could not be read"),
                }
            }
            Err(error) => tracing::warn!(%error, "the Lease could not be renewed"),
        }
    }
}

/// Whoever waits need not wait until it has run out.
async fn give_back(common: &Common, me: &str) {
    let given = async {
        let lease = common.calls.get(Kind::Lease, &common.config.namespace, NAME).await?;
        if lease::holder(&lease) == me {
            common.calls.merge_read(Kind::Lease, &lease, json!({ "spec": { "holderIdentity": "" } })).await?;
        }
        Ok(())
    };
    if let Err(error) = soon(given).await {
        tracing::warn!(%error, "the Lease could not be given back; it runs out by itself");
    }
}

async fn soon<T>(call: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
    timeout(PATIENCE, call).await.unwrap_or_else(|_| Err(CallError::Unknown("the API server did not answer".into())))
}

/// As `metav1.MicroTime` wants it.
fn micro_time(common: &Common) -> String {
    common.ports.clock.now().to_string().replace('Z', "000Z")
}

fn in_words(error: &CallError, namespace: &str) -> String {
    match error {
        CallError::Refused { message, .. } if message.contains("because it is being terminated") => format!(
            "the namespace {namespace} is being deleted, so nothing runs in it; run `kubectl create namespace {namespace}` when it \
             is gone"
        ),
        CallError::Refused { code: 403, .. } => format!(
            "the console may not hold its Lease in {namespace}, so it does not act; run `kubectl apply -k deploy/base/rbac/`"
        ),
        CallError::Busy { message, .. } | CallError::NotFound(message) if message.contains("namespaces") => {
            format!("the namespace {namespace} is not there; run `kubectl create namespace {namespace}`")
        }
        CallError::Unknown(_) => {
            "the cluster's API server can't be reached; check that it is up and the address is right".into()
        }
        other => format!("the Lease that decides which console acts can't be read: {other}"),
    }
}
