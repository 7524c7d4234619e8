//! Making the cluster have what was built: the ConfigMaps, then the PipelineRun. The PipelineRun is created pending; whether
//! and when it is let go is [`super::release`]'s.

use super::{
    dereference::Run,
    release::{self, belongs, has_ended, stop, stop_because},
};
use crate::{
    NOT_AS_APPROVED,
    calls::{CallError, Kind},
    context::Context,
    ensure::{ensure, unchanged},
    objects::PENDING,
    queue::Next,
    trouble::Trouble,
};
use domain::{
    execution::{Execution, ExecutionState},
    pipeline_run::{self, Built, Owner},
    ports::Permit,
};
use serde_json::Value;

/// Creates ConfigMaps and PipelineRun, or adopts those that an earlier try made, and lets the run go in the try of this epoch.
pub async fn start(context: &Context, run: &Run, epoch: i64) -> Result<Next, Trouble> {
    let Run { execution, ticket, object } = run;
    let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
    let owner = Owner { name: execution.subject.name.clone(), uid: uid.to_owned() };
    let built = pipeline_run::build(ticket, Some(&owner));
    let result = async {
        for config_map in &built.config_maps {
            let got = ensure(&context.calls, Kind::ConfigMap, config_map).await?;
            unchanged("ConfigMap", config_map, &got.object)?;
        }
        context.track(execution, ticket);
        let got = ensure(&context.calls, Kind::PipelineRun, &release::pending(&built.pipeline_run)).await?;
        Ok(got)
    };
    let got = match result.await.map_err(|trouble| context.settled(&execution.subject.name, trouble)) {
        Ok(got) => got,
        // An earlier try may have left a pending PipelineRun.
        Err(Trouble::Never { reason, message }) => {
            return release::unless_started(context, execution, ExecutionState::Failed, &reason, &message).await;
        }
        Err(later) => return Err(later),
    };
    if !got.adopted {
        let waited = context.ports.clock.now().since(execution.created_at).max(0);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a wait fit a float's 52 bits")]
        metrics::histogram!("kubernaut_dispatch_seconds").record(waited as f64 / 1000.0);
        tracing::info!(execution = %execution.subject.id, name = owner.name, waited, "PipelineRun created");
    }
    let released = release::release(context, execution, epoch, &built.pipeline_run, got.object).await;
    concluded(context, execution, released).await
}

/// What is left to do for a run whose PipelineRun is there: let it go if a crash came between, look once at what runs, pass a
/// cancellation on.
pub async fn carry_on(context: &Context, execution: &Execution) -> Result<Next, Trouble> {
    let (namespace, name) = (&execution.subject.namespace, &execution.subject.name);
    if execution.state.ended() {
        context.verified().remove(name);
        context.absolve(name);
        return Ok(Next::Done);
    }
    if context.verified().contains(name) && !execution.cancel_requested {
        return Ok(Next::Done);
    }
    let there = match context.calls.get(Kind::PipelineRun, namespace, name).await {
        Ok(there) => there,
        Err(CallError::NotFound(_)) => {
            // The recorder settles whether it is lost.
            context.absolve(name);
            context.record.add(name.clone());
            return Ok(Next::Done);
        }
        Err(other) => return Err(other.into()),
    };
    if !belongs(&there, execution) {
        context.absolve(name);
        return Ok(Next::Done);
    }
    if has_ended(&there) {
        return match context.cause_against(name) {
            // It was stopped, and that could not be written then.
            Some(cause) => concluded(context, execution, Err(cause)).await,
            None => Ok(Next::Done),
        };
    }
    if execution.cancel_requested {
        return pass_on(context, execution, &there).await;
    }
    let resumed = resume(context, execution, there).await;
    concluded(context, execution, resumed).await
}

/// Passes a person's wish to cancel on to Tekton; a pending PipelineRun has no final steps to run.
async fn pass_on(context: &Context, execution: &Execution, there: &Value) -> Result<Next, Trouble> {
    let asked = &there["spec"]["status"];
    let word = if asked == PENDING { "Cancelled" } else { "CancelledRunFinally" };
    if asked != word && asked != "Cancelled" {
        if let Err(Trouble::Later { asked, why, .. }) = stop(context, there, word).await {
            let message = format!("the wish to cancel was not passed on yet: {why}");
            context.says(&execution.subject.id, execution.state, "CancelWaiting", message).await;
            return Err(Trouble::Later { asked, why, denied: None });
        }
        tracing::info!(execution = %execution.subject.id, name = execution.subject.name, "cancellation passed on");
    }
    Ok(Next::Done)
}

/// A crash came after the PipelineRun was there: before it was let go, or before it was looked at again. A permit that was
/// given holds for one attempt, so the next attempt is a try of its own: it is let go if that gets its permit, and stopped
/// otherwise. Letting it go on the old permit would start a run that was cancelled or ran out since; never letting it go would
/// lose one that nothing speaks against.
async fn resume(context: &Context, execution: &Execution, there: Value) -> Result<Next, Trouble> {
    let proved = match context.ticket(&execution.subject.ticket_digest).await {
        Ok(Some(ticket)) => Ok(ticket),
        Ok(None) => Err(Trouble::never("UnknownTicket", "the approved ticket is not in the store any more")),
        Err(tampered @ Trouble::Never { .. }) => Err(tampered),
        Err(later) => return Err(later),
    };
    let ticket = match proved {
        Ok(ticket) => ticket,
        Err(cause) => return Err(stop_because(context, &there, cause).await),
    };
    let owner = Owner { name: execution.subject.name.clone(), uid: execution.uid.clone().unwrap_or_default() };
    let built = pipeline_run::build(&ticket, Some(&owner));
    context.track(execution, &ticket);
    if there["spec"]["status"] != PENDING {
        return release::verify(context, execution, &built.pipeline_run, &there).await;
    }
    let epoch = match context.ports.executions.begin_start(&execution.subject.id).await? {
        Permit::Given(epoch) => epoch,
        refused => return release::withhold(context, execution, refused).await,
    };
    if let Err(difference) = parameters_are_there(context, execution, &built).await {
        return match difference {
            Trouble::Never { .. } => Err(stop_because(context, &there, difference).await),
            later @ Trouble::Later { .. } => Err(later),
        };
    }
    release::release(context, execution, epoch, &built.pipeline_run, there).await
}

/// Looks once more at what the containers will get: somebody may have put other ConfigMaps under the names.
async fn parameters_are_there(context: &Context, execution: &Execution, built: &Built) -> Result<(), Trouble> {
    for config_map in &built.config_maps {
        let name = config_map["metadata"]["name"].as_str().unwrap_or_default();
        match context.calls.get(Kind::ConfigMap, &execution.subject.namespace, name).await {
            Ok(there) => unchanged("ConfigMap", config_map, &there)?,
            Err(CallError::NotFound(why)) => return Err(Trouble::never(NOT_AS_APPROVED, why)),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

/// Ends a run that will never start.
async fn concluded(context: &Context, execution: &Execution, result: Result<Next, Trouble>) -> Result<Next, Trouble> {
    let name = &execution.subject.name;
    match result.map_err(|trouble| context.settled(name, trouble)) {
        Err(Trouble::Never { reason, message }) => {
            context.conclude(execution, ExecutionState::Failed, &reason, &message).await?;
            Ok(Next::Done)
        }
        Ok(next) => {
            context.went_on(name);
            Ok(next)
        }
        later => later,
    }
}
