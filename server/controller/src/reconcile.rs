//! From a WorkflowExecution to its PipelineRun: dereference → validate → build → apply → status. Each step is a module; the
//! recipe is here. Building is `domain::pipeline_run::build`: pure, total, and the same that the decision showed.

mod apply;
mod dereference;
mod release;
mod status;
mod validate;
mod waiting;

use crate::{context::Context, queue::Next, trouble::Trouble};
use dereference::{Found, Run};
use domain::{
    execution::{Execution, ExecutionState},
    ids::ExecutionId,
};
use std::{sync::Arc, time::Duration};
use validate::Verdict;

/// WorkflowExecutions worked on at a time.
const WORKERS: usize = 8;
/// How long the status of a WorkflowExecution may be behind its run. How it ends is written at once.
pub const STATUS_EVERY: Duration = Duration::from_secs(3);
/// When one is looked at again that somebody else seems to be at.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Starts it.
pub fn start(context: &Arc<Context>) {
    for _ in 0..WORKERS {
        let context = Arc::clone(context);
        context.clone().tasks.spawn(async move {
            context.reconcile.work(&context.stop, |name| reconcile(&context, name)).await;
        });
    }
}

async fn reconcile(context: &Context, name: String) -> Next {
    let result = recipe(context, &name).await;
    let outcome = match &result {
        Ok(_) => "ok",
        Err(Trouble::Later { .. }) => "later",
        Err(Trouble::Never { .. }) => "refused",
    };
    metrics::counter!("kubernaut_reconcile_total", "outcome" => outcome).increment(1);
    result.unwrap_or_else(|trouble| {
        tracing::warn!(name, ?trouble, "a WorkflowExecution could not be reconciled");
        trouble.into()
    })
}

async fn recipe(context: &Context, name: &str) -> Result<Next, Trouble> {
    match dereference::find(context, name).await? {
        Found::Nothing => Ok(Next::Done),
        Found::Waiting(object) => waiting::hand_over(context, &object).await,
        Found::Stranger { object, reason, message } => {
            status::refuse(context, &object, reason, &message).await?;
            Ok(Next::Done)
        }
        Found::Deleted(execution) => {
            let message = "the WorkflowExecution was deleted before its PipelineRun was created; it is not made again";
            end(context, &execution, ExecutionState::Lost, "WorkflowExecutionDeleted", message).await
        }
        Found::Unfit { execution, reason, message } => {
            end(context, &execution, ExecutionState::Failed, reason, &message).await
        }
        Found::Started(execution) => {
            let carried = apply::carry_on(context, &execution).await;
            if let Err(Trouble::Later { why, .. }) = &carried
                && !execution.cancel_requested
            {
                let message = format!("not settled yet: {why}");
                context.says(&execution.subject.id, execution.state, "WaitingForCluster", message).await;
            }
            let next = carried?;
            status::follow(context, &execution).await?;
            Ok(next)
        }
        Found::Created(run) => {
            let result = created(context, &run).await;
            if let Err(Trouble::Later { why, .. }) = &result {
                context.waits(&run.execution.subject.id, why).await;
                show(context, &run.execution.subject.id).await;
            }
            result
        }
    }
}

/// Starts it, or ends it. What is judged is judged after the try began: whoever judged before gets no permit any more.
async fn created(context: &Context, run: &Run) -> Result<Next, Trouble> {
    let permit = context.ports.executions.begin_start(&run.execution.subject.id).await?;
    match validate::judge(run, permit) {
        Verdict::Start(epoch) => apply::start(context, run, epoch).await,
        Verdict::Leave => Ok(Next::After(LOOK_AGAIN)),
        Verdict::Wait(why) => Err(Trouble::later(why)),
        Verdict::Stop { state, reason, message } => {
            release::unless_started(context, &run.execution, state, reason, &message).await
        }
    }
}

/// Ends one that can't be judged. That it begins a try of its own keeps an earlier one from starting it meanwhile.
async fn end(
    context: &Context,
    execution: &Execution,
    state: ExecutionState,
    reason: &str,
    message: &str,
) -> Result<Next, Trouble> {
    context.ports.executions.begin_start(&execution.subject.id).await?;
    release::unless_started(context, execution, state, reason, message).await
}

/// Says on the WorkflowExecution how its run stands. It is for people: a run does not wait for it.
async fn show(context: &Context, id: &ExecutionId) {
    let shown = async {
        let Some(execution) = context.ports.executions.get(id).await? else { return Ok(()) };
        status::follow(context, &execution).await
    };
    if let Err(trouble) = shown.await {
        tracing::debug!(execution = %id, ?trouble, "the status of a WorkflowExecution could not be written");
    }
}
