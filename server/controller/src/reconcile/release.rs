//! Letting a pending PipelineRun go, or stopping it for good. It is compared with what was built, the store gives its permit,
//! and exactly what was compared is let go: whatever changes between starts the round anew. Tekton itself changes a pending
//! PipelineRun as soon as it is there (its status, a label of its own); the first round leaves the API server to test only what
//! was compared, those after it insist on the resourceVersion.

use super::{LOOK_AGAIN, validate};
use crate::{
    calls::{CallError, Kind},
    context::Context,
    ensure::unchanged,
    objects::PENDING,
    queue::Next,
    trouble::Trouble,
};
use domain::{
    execution::{Execution, ExecutionState},
    pipeline_run::DIGEST_ANNOTATION,
    ports::Permit,
};
use serde_json::{Value, json};

/// How often a PipelineRun that changes under our hands is read again in one go.
const ROUNDS: usize = 5;

/// Compares, asks for the permit, lets go, and looks once more at what came back.
pub async fn release(
    context: &Context,
    execution: &Execution,
    epoch: i64,
    built: &Value,
    mut there: Value,
) -> Result<Next, Trouble> {
    let id = &execution.subject.id;
    let (namespace, name) = (&execution.subject.namespace, &execution.subject.name);
    for round in 0..ROUNDS {
        if let Err(difference) = unchanged("PipelineRun", built, &without_status(&there)) {
            return Err(stop_because(context, &there, difference).await);
        }
        if there["spec"]["status"] != PENDING {
            return verify(context, execution, built, &there).await;
        }
        if let Some(written) = written_by_others(&there) {
            return Err(stop_because(context, &there, written).await);
        }
        let uid = there["metadata"]["uid"].as_str().unwrap_or_default();
        if round == 0 {
            // What the run is undone with is what was there before it.
            context.ports.intake.about_to_start(execution).await;
        }
        match context.ports.executions.may_start(id, epoch, uid).await? {
            Permit::Given(_) => context.index().started(name, uid),
            refused => return withhold(context, execution, refused).await,
        }
        let first = round == 0;
        let released = if first {
            context.calls.patch(Kind::PipelineRun, namespace, name, &let_go(built, &there)).await
        } else {
            context.calls.merge_read(Kind::PipelineRun, &there, json!({ "spec": { "status": null } })).await
        };
        there = match released {
            Ok(released) => match written_by_others(&released) {
                Some(written) => return Err(stop_because(context, &released, written).await),
                None => released,
            },
            // Of a 422 the next round tells whether a test failed or it was refused.
            Err(error) if is_outdated(&error, first) => {
                let Some(now) = read_again(context, execution).await? else { return Ok(Next::Done) };
                now
            }
            // Left pending, anybody who may change PipelineRuns could start it.
            Err(refused @ CallError::Refused { .. }) => {
                return Err(match context.settled(name, refused.into()) {
                    never @ Trouble::Never { .. } => stop_because(context, &there, never).await,
                    later => later,
                });
            }
            Err(other) => return Err(other.into()),
        };
    }
    Err(Trouble::later("the pending PipelineRun changes again and again"))
}

/// What Tekton believes of a PipelineRun's status, and has not written when it is let go: it runs the `pipelineSpec` that stands there
/// rather than the one that was approved.
fn written_by_others(there: &Value) -> Option<Trouble> {
    let is_empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    let fields = ["pipelineSpec", "childReferences", "startTime", "provenance"];
    let field = fields.into_iter().find(|field| !is_empty(&there["status"][field]))?;
    let message = format!("somebody wrote status.{field} of the PipelineRun before it was let go, so nothing runs");
    Some(Trouble::never(crate::NOT_AS_APPROVED, message))
}

/// The operations that let a pending PipelineRun go if it still is, in all that was compared, the one that was read.
fn let_go(built: &Value, there: &Value) -> Value {
    let test = |path: String, value: &Value| json!({ "op": "test", "path": path, "value": value });
    let mut operations = vec![
        test("/metadata/uid".into(), &there["metadata"]["uid"]),
        test("/metadata/ownerReferences".into(), &there["metadata"]["ownerReferences"]),
        test("/spec".into(), &there["spec"]),
    ];
    for field in ["labels", "annotations"] {
        for (key, value) in built["metadata"][field].as_object().into_iter().flatten() {
            let key = key.replace('~', "~0").replace('/', "~1");
            operations.push(test(format!("/metadata/{field}/{key}"), value));
        }
    }
    operations.push(json!({ "op": "remove", "path": "/spec/status" }));
    operations.into()
}

/// Whether the API server found another object than was compared.
const fn is_outdated(error: &CallError, tested: bool) -> bool {
    match error {
        CallError::Conflict(_) => true,
        CallError::Refused { code, .. } => tested && *code == 422,
        _ => false,
    }
}

/// The PipelineRun as it is now; none when the one under the name is not this run's, which the recorder then settles.
async fn read_again(context: &Context, execution: &Execution) -> Result<Option<Value>, Trouble> {
    let (namespace, name) = (&execution.subject.namespace, &execution.subject.name);
    let now = context.calls.get(Kind::PipelineRun, namespace, name).await?;
    if belongs(&now, execution) {
        return Ok(Some(now));
    }
    context.record.add(name.clone());
    Ok(None)
}

/// Looks at a PipelineRun that is not pending any more, once: after its start Tekton lets nobody change what it runs.
pub async fn verify(context: &Context, execution: &Execution, built: &Value, there: &Value) -> Result<Next, Trouble> {
    if let Err(difference) = unchanged("PipelineRun", built, &without_status(there)) {
        return Err(stop_because(context, there, difference).await);
    }
    context.verified().insert(execution.subject.name.clone());
    context.absolve(&execution.subject.name);
    Ok(Next::Done)
}

/// The store gives no permit.
pub async fn withhold(context: &Context, execution: &Execution, refused: Permit) -> Result<Next, Trouble> {
    let (state, reason, message) = match refused {
        Permit::Cancelled => validate::cancelled(),
        Permit::Expired => validate::expired(execution),
        Permit::Over => return clear_away(context, execution).await,
        Permit::Busy => return Err(Trouble::later(validate::BUSY)),
        Permit::Unsigned => return Err(Trouble::later(validate::UNSIGNED)),
        // Whoever is at it may die of it, so it is looked at again.
        Permit::Overtaken | Permit::Given(_) => return Ok(Next::After(LOOK_AGAIN)),
    };
    unless_started(context, execution, state, reason, &message).await
}

/// Another replica concluded the run, before the PipelineRun was there: what is pending now must never start.
async fn clear_away(context: &Context, execution: &Execution) -> Result<Next, Trouble> {
    let now = context.ports.executions.get(&execution.subject.id).await?;
    if now.is_none_or(|now| now.state.ended()) {
        stop_pending(context, execution).await?;
    } else {
        context.reconcile.add(execution.subject.name.clone());
    }
    Ok(Next::Done)
}

/// Ends a run that must not start. If a PipelineRun of it is there after all (its creation was never answered): one that
/// runs is taken over, one that is still pending is stopped.
pub async fn unless_started(
    context: &Context,
    execution: &Execution,
    state: ExecutionState,
    reason: &str,
    message: &str,
) -> Result<Next, Trouble> {
    if let Pending::Runs(run_uid) = stop_pending(context, execution).await? {
        let name = &execution.subject.name;
        match context.ticket(&execution.subject.ticket_digest).await {
            Ok(Some(ticket)) => context.track(execution, &ticket),
            // Nobody can judge it any more; the next round stops it.
            Ok(None) | Err(Trouble::Never { .. }) => {}
            Err(later) => return Err(later),
        }
        let owner = execution.uid.as_deref().unwrap_or_default();
        context.started(execution, owner, &run_uid).await?;
        context.record.add(name.clone());
        context.reconcile.add(name.clone());
        return Ok(Next::Done);
    }
    context.conclude(execution, state, reason, message).await?;
    Ok(Next::Done)
}

/// What became of a PipelineRun that must not start.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pending {
    /// It is not there, or was stopped before it started.
    Stopped,
    /// It is not pending any more; its uid.
    Runs(String),
}

/// Stops the run's own PipelineRun while it is pending; exactly as it was read, so that one that was let go in this moment is
/// not taken for stopped.
async fn stop_pending(context: &Context, execution: &Execution) -> Result<Pending, Trouble> {
    let (namespace, name) = (&execution.subject.namespace, &execution.subject.name);
    for _ in 0..ROUNDS {
        let there = match context.calls.get(Kind::PipelineRun, namespace, name).await {
            Ok(there) if belongs(&there, execution) => there,
            Ok(_) | Err(CallError::NotFound(_)) => return Ok(Pending::Stopped),
            Err(other) => return Err(other.into()),
        };
        if there["spec"]["status"] != PENDING {
            return Ok(Pending::Runs(there["metadata"]["uid"].as_str().unwrap_or_default().to_owned()));
        }
        let change = json!({ "spec": { "status": "Cancelled" } });
        match context.calls.merge_read(Kind::PipelineRun, &there, change).await {
            Ok(_) => return Ok(Pending::Stopped),
            Err(CallError::Conflict(_) | CallError::NotFound(_)) => {}
            Err(CallError::Refused { message, .. }) => return Err(not_stopped(&message)),
            Err(other) => return Err(other.into()),
        }
    }
    Err(Trouble::later("the pending PipelineRun changes again and again"))
}

/// Asks Tekton to stop exactly this PipelineRun. One that has ended or gone meanwhile needs no stopping; that it has is the API
/// server's word, not a guess from a refusal: Tekton's webhook refuses any change to one that ended, but rights may be missing
/// too.
pub async fn stop(context: &Context, there: &Value, word: &str) -> Result<(), Trouble> {
    let text = |field: &str| there["metadata"][field].as_str().unwrap_or_default();
    let (namespace, name, uid) = (text("namespace"), text("name"), text("uid"));
    let change = json!({ "spec": { "status": word } });
    let message = match context.calls.merge(Kind::PipelineRun, namespace, name, uid, change).await {
        Ok(_) | Err(CallError::NotFound(_)) => return Ok(()),
        Err(CallError::Refused { message, .. } | CallError::Conflict(message)) => message,
        Err(other) => return Err(other.into()),
    };
    match context.calls.get(Kind::PipelineRun, namespace, name).await {
        Ok(now) if now["metadata"]["uid"] != uid || has_ended(&now) => Ok(()),
        Err(CallError::NotFound(_)) => Ok(()),
        Ok(_) => Err(not_stopped(&message)),
        Err(other) => Err(other.into()),
    }
}

fn not_stopped(why: &str) -> Trouble {
    Trouble::later(format!("its PipelineRun could not be stopped: {why}"))
}

/// Stops a PipelineRun because of `cause`, which then ends the run, whatever the cluster says of the stop meanwhile. While it can't be
/// stopped both are said, and it is tried again.
pub async fn stop_because(context: &Context, there: &Value, cause: Trouble) -> Trouble {
    let name = there["metadata"]["name"].as_str().unwrap_or_default();
    if matches!(cause, Trouble::Never { .. }) {
        context.condemn(name, cause.clone());
    }
    let Err(trouble) = stop(context, there, "Cancelled").await else { return cause };
    let (Trouble::Never { message: first, .. } | Trouble::Later { why: first, .. }) = cause;
    match trouble {
        Trouble::Later { asked, why, .. } => Trouble::Later { asked, why: format!("{first}; {why}"), denied: None },
        Trouble::Never { message, .. } => Trouble::later(format!("{first}; {message}")),
    }
}

/// As it is sent: created, not started.
pub fn pending(built: &Value) -> Value {
    let mut sent = built.clone();
    sent["spec"]["status"] = PENDING.into();
    sent
}

/// `spec.status` is how a run is held, let go and stopped; it is no part of what was approved.
fn without_status(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(spec) = object["spec"].as_object_mut() {
        spec.remove("status");
    }
    object
}

/// Whether it is this run's own.
pub fn belongs(there: &Value, execution: &Execution) -> bool {
    let digest = there["metadata"]["annotations"][DIGEST_ANNOTATION].as_str();
    let owners = there["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    let owned = owners.filter_map(|o| o["uid"].as_str()).any(|uid| Some(uid) == execution.uid.as_deref());
    let same = execution.run_uid.as_deref().is_none_or(|uid| there["metadata"]["uid"] == uid);
    digest == Some(execution.subject.ticket_digest.as_str()) && owned && same
}

/// Whether Tekton has ended it.
pub fn has_ended(there: &Value) -> bool {
    let conditions = there["status"]["conditions"].as_array().into_iter().flatten();
    conditions.filter(|c| c["type"] == "Succeeded").any(|c| c["status"] != "Unknown")
}
