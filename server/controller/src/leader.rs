//! Which of several consoles acts: the one that holds the Lease. It only spares double work; that no ticket runs twice is kept by the
//! store's epoch and the derived name, with or without a Lease (`safety.md`, Faults).

use crate::{
    Config,
    calls::{CallError, Kind},
    common::Common,
    context::Context,
    dispatcher,
    idle::Idle,
    lease::{self, Candidate, DEADLINE, EVERY, Move},
    mend, reconcile, recorder, registrar, warnings,
};
use domain::{
    execution::{Execution, Stage},
    text::one_line,
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// The Lease, in the namespace of the runs.
const NAME: &str = "kubernaut-console";
/// How sentences about who holds it begin.
const HELD: &str = "the Lease kubernaut-console";
/// Which cluster its holder takes this for: runs are found under that name.
const CLUSTER: &str = "kubernaut.io/cluster";
/// Which database its holder works on: what is approved in another it never sees.
const DATABASE: &str = "kubernaut.io/database";
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
        while let Some((lease, taken)) = common.stop.run_until_cancelled(stand_by(&common, &me)).await {
            tracing::info!(replica = me, "this console acts from now on");
            let term = common.stop.child_token();
            let context = act(&common, term.clone());
            common.stop.run_until_cancelled(hold(&common, &me, lease, taken)).await;
            // Nothing is begun any more; what was, ends with its calls.
            term.cancel();
            context.tasks.wait().await;
            common.health.waits_for_its_turn();
            if !common.stop.is_cancelled() {
                tracing::warn!(replica = me, "this console does not act any more");
            }
        }
        give_back(&common, &me).await;
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
    warnings::start(&context);
    context.tasks.close();
    context
}

/// Waits until the Lease is ours; the Lease as it is then, and when it was asked for.
async fn stand_by(common: &Common, me: &str) -> (Value, Instant) {
    let mut candidate = Candidate::new(me);
    let mut idle = Idle::default();
    let mut answered: Option<Instant> = None;
    loop {
        let asked = Instant::now();
        match attempt(common, me, &mut candidate, &mut idle).await {
            Ok(Some(lease)) => return (lease, asked),
            Ok(None) => answered = Some(asked),
            Err(error) => {
                // While somebody acts, one answer that does not come says nothing yet; a refusal does.
                let away = answered.is_none_or(|at| at.elapsed() >= DEADLINE);
                if away || matches!(error, CallError::Refused { .. }) {
                    let why = in_words(&error, &common.config.namespace);
                    let _ = timeout(PATIENCE, nobody_acts(common, &why)).await;
                    common.health.no_turn(why);
                }
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// What was approved meanwhile says why it has not started, unless somebody has said so: there may be nobody else to do it. Whoever
/// acts would have begun with it by now.
async fn nobody_acts(common: &Common, why: &str) {
    let patience = i64::try_from(lease::DURATION.as_millis()).unwrap_or(i64::MAX);
    let Ok(due) = common.ports.executions.due(&common.config.cluster_name).await else { return };
    let now = common.ports.clock.now();
    let silent = |run: &&Execution| run.stage == Stage::Claimed && run.reason.is_none();
    for run in due.iter().filter(silent).filter(|run| now.since(run.created_at) > patience) {
        common.waits(&run.subject.id, why).await;
    }
}

async fn attempt(
    common: &Common,
    me: &str,
    candidate: &mut Candidate,
    idle: &mut Idle,
) -> Result<Option<Value>, CallError> {
    let namespace = &common.config.namespace;
    let read = match soon(common.calls.get(Kind::Lease, namespace, NAME)).await {
        Ok(lease) => Some(lease),
        Err(CallError::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    let now = micro_time(common);
    let taken = match (candidate.look(read.as_ref(), Instant::now()), &read) {
        (Move::Wait { holder, renewed }, lease) => {
            wait_for(common, lease.as_ref().unwrap_or(&Value::Null), holder, renewed, idle).await;
            return Ok(None);
        }
        (Move::Take, Some(lease)) => {
            let change = json!({
                "metadata": { "annotations": marks(&common.config) },
                "spec": lease::taken(me, &now, Some(lease)),
            });
            soon(common.calls.merge_read(Kind::Lease, lease, change)).await
        }
        (Move::Take | Move::Create, _) => {
            let lease = json!({
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": { "name": NAME, "namespace": namespace, "annotations": marks(&common.config) },
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

/// Stands by for the holder of this Lease, or says why that is none to stand by for.
async fn wait_for(common: &Common, lease: &Value, holder: String, renewed: bool, idle: &mut Idle) {
    let why = match stranger(lease, &holder, &common.config) {
        Some(why) if renewed => why,
        // Whether it is still there is not known yet.
        Some(_) => {
            let (namespace, holder) = (&common.config.namespace, one_line(&holder, 63));
            return common.health.no_turn(format!(
                "{HELD} in {namespace} is held by '{holder}', which does not see what is approved here, until it runs out; wait ten \
                 seconds"
            ));
        }
        None => match idler(common, lease, &holder, idle).await {
            Some(why) => why,
            None => return common.health.stands_by(holder),
        },
    };
    let _ = timeout(PATIENCE, nobody_acts(common, &why)).await;
    common.health.no_turn(why);
}

/// Why this holder seems to be no console that acts: what is approved waits, and nobody takes it up or says why.
async fn idler(common: &Common, lease: &Value, holder: &str, idle: &mut Idle) -> Option<String> {
    let Config { namespace, cluster_name, .. } = &common.config;
    let now = common.ports.clock.now();
    if idle.is_due(holder, now)
        && let Ok(Ok(due)) = timeout(PATIENCE, common.ports.executions.due(cluster_name)).await
    {
        let ours = |run: &Execution| run.message.as_ref().is_some_and(|words| words.contains(HELD));
        let waiting = due.into_iter().filter(|run| run.stage == Stage::Claimed && (run.reason.is_none() || ours(run)));
        idle.look(waiting.map(|run| run.subject.id).collect(), now);
    }
    idle.is_told().then(|| {
        let holder = one_line(holder, 63);
        let since = lease["spec"]["acquireTime"].as_str().map(|at| format!(" since {}", one_line(at, 40)));
        format!(
            "{HELD} in {namespace} is held by '{holder}'{}, and nothing that is approved has been taken up for two minutes; if \
             '{holder}' is no console that works, run `kubectl -n {namespace} delete lease {NAME}` and look who may write Leases there",
            since.unwrap_or_default()
        )
    })
}

/// What came of one try to renew it.
enum Renewal {
    /// It was renewed, by a call that was sent then.
    Done(Value, Instant),
    /// It is still ours. Reading renews nothing.
    Read(Value),
    /// Nobody answered.
    Failed,
    /// It is somebody else's.
    Lost,
}

/// Renews it until it is lost, or could not be renewed in time.
async fn hold(common: &Common, me: &str, mut lease: Value, taken: Instant) {
    let mut renewed = taken;
    while let Ok(renewal) = timeout_at(renewed + DEADLINE, renew(common, me, &lease)).await {
        match renewal {
            Renewal::Done(there, sent) => (lease, renewed) = (there, sent),
            Renewal::Read(there) => lease = there,
            Renewal::Failed => {}
            Renewal::Lost => return,
        }
    }
}

async fn renew(common: &Common, me: &str, lease: &Value) -> Renewal {
    tokio::time::sleep(EVERY).await;
    let sent = Instant::now();
    let change = json!({
        "metadata": { "annotations": marks(&common.config) },
        "spec": { "renewTime": micro_time(common) },
    });
    let error = match soon(common.calls.merge_read(Kind::Lease, lease, change)).await {
        Ok(there) => return Renewal::Done(there, sent),
        // An earlier renewal whose reply was lost, or somebody else's hand.
        Err(CallError::Conflict(_) | CallError::NotFound(_)) => {
            match soon(common.calls.get(Kind::Lease, &common.config.namespace, NAME)).await {
                Ok(there) if lease::holder(&there) == me => return Renewal::Read(there),
                Ok(_) | Err(CallError::NotFound(_)) => return Renewal::Lost,
                Err(error) => error,
            }
        }
        Err(error) => error,
    };
    tracing::warn!(%error, "the Lease could not be renewed");
    Renewal::Failed
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

/// By what others tell whether they would see the same runs.
fn marks(config: &Config) -> Value {
    json!({ CLUSTER: config.cluster_name, DATABASE: config.database })
}

/// Why the holder of this Lease is none to stand by for: it does not see what is approved here. One that does not say is taken for one of
/// ours: an earlier version marks nothing.
fn stranger(lease: &Value, holder: &str, config: &Config) -> Option<String> {
    let (namespace, annotations) = (&config.namespace, &lease["metadata"]["annotations"]);
    // Whoever may write a Lease may write anything: as names, and no longer than names are.
    let holder = one_line(holder, 63);
    if let Some(theirs) = annotations[CLUSTER].as_str().filter(|theirs| *theirs != config.cluster_name) {
        let theirs = one_line(theirs, 63);
        return Some(format!(
            "'{holder}' acts in {namespace} and knows this cluster as '{theirs}', not as '{}', so it does not see what is approved \
             here; give both one database and one --cluster, or each a --namespace of its own",
            config.cluster_name
        ));
    }
    annotations[DATABASE].as_str().filter(|theirs| *theirs != config.database).map(|_| {
        format!(
            "another console with another database acts on the namespace {namespace}: '{holder}' does not see what is approved \
             here, and none of it runs; give both one --database-url, or each a --namespace of its own"
        )
    })
}

fn in_words(error: &CallError, namespace: &str) -> String {
    match error {
        CallError::Refused { message, .. } if message.contains("because it is being terminated") => format!(
            "the namespace {namespace} is being deleted, so nothing runs in it; run `{}` when it is gone",
            mend::apply_file(mend::NAMESPACE, namespace)
        ),
        CallError::Refused { code: 403, .. } => format!(
            "the console may not hold its Lease in {namespace}, so it does not act; run `{}`",
            mend::apply(mend::RIGHTS, namespace)
        ),
        CallError::Busy { message, .. } | CallError::NotFound(message) if message.contains("namespaces") => {
            let mend = mend::apply_file(mend::NAMESPACE, namespace);
            format!("the namespace {namespace} is not there; run `{mend}`")
        }
        CallError::Unknown(_) => {
            "the cluster's API server can't be reached; check that it is up and the address is right".into()
        }
        other => format!("the Lease that decides which console acts can't be read: {other}"),
    }
}
