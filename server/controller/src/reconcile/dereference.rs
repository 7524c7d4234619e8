//! Finding all that a WorkflowExecution stands for: the object itself, its execution, and the approved ticket. It decides
//! nothing but which of them are there.

use crate::{
    calls::{CallError, Kind},
    context::Context,
    crd::Phase,
    trouble::Trouble,
};
use domain::{
    execution::{Execution, Stage},
    ids::Digest,
    pipeline_run::DIGEST_ANNOTATION,
    ticket::Ticket,
};
use serde_json::Value;
use std::time::Duration;

/// What this console has just created is not asked for once more.
const FRESH: Duration = Duration::from_secs(1);

/// All that belongs to a run that may start.
pub struct Run {
    /// The WorkflowExecution as the API server told it last, a second ago at most.
    pub object: Value,
    /// Its execution.
    pub execution: Execution,
    /// Its ticket, proved.
    pub ticket: Ticket,
}

/// What stands under a name.
pub enum Found {
    /// Nothing to do: no such object, history, or the dispatcher has not written its stage yet.
    Nothing,
    /// Somebody applied it; it has no ticket yet.
    Waiting(Value),
    /// It claims a decision that there is not.
    Stranger {
        /// The object.
        object: Value,
        /// A word for programs.
        reason: &'static str,
        /// A sentence for people.
        message: String,
    },
    /// Its execution is there, and it or its ticket is not what was approved.
    Unfit {
        /// The execution.
        execution: Box<Execution>,
        /// A word for programs.
        reason: &'static str,
        /// A sentence for people.
        message: String,
    },
    /// Its execution is there, the object is not.
    Deleted(Box<Execution>),
    /// It may start.
    Created(Box<Run>),
    /// Its PipelineRun is there, or it has ended.
    Started(Box<Execution>),
}

/// Looks it all up.
pub async fn find(context: &Context, name: &str) -> Result<Found, Trouble> {
    let fresh = context.fresh().remove(name).filter(|(_, at)| at.elapsed() < FRESH).map(|(object, _)| object);
    let execution = context.ports.executions.by_name(&context.config.cluster_name, name).await?;
    let execution = match execution {
        // The dispatcher is at it, and will ask for this name again.
        Some(execution) if execution.stage == Stage::Claimed => return Ok(Found::Nothing),
        // Somebody applied another object under the name of a run that has ended.
        Some(execution) if execution.stage == Stage::Ended && is_another(context, name, &execution) => None,
        Some(execution) if matches!(execution.stage, Stage::Started | Stage::Ended) => {
            return Ok(Found::Started(Box::new(execution)));
        }
        other => other,
    };
    let object = match fresh {
        Some(object) => Ok(object),
        None => context.calls.get(Kind::Workflow, &context.config.namespace, name).await,
    };
    let object = match object {
        Ok(object) => object,
        Err(CallError::NotFound(_)) => {
            return Ok(execution.map_or(Found::Nothing, |execution| Found::Deleted(Box::new(execution))));
        }
        Err(other) => return Err(other.into()),
    };
    let phase: Phase = serde_json::from_value(object["status"]["phase"].clone()).unwrap_or_default();
    let claimed = object["metadata"]["annotations"][DIGEST_ANNOTATION].as_str().map(str::to_owned);
    let Some(execution) = execution else {
        return Ok(match claimed {
            _ if phase.ended() => Found::Nothing,
            None => Found::Waiting(object),
            Some(digest) => unknown(object, &digest),
        });
    };
    with_ticket(context, object, execution, claimed).await
}

fn is_another(context: &Context, name: &str, execution: &Execution) -> bool {
    let seen = context.seen().get(name).map(|workflow| workflow.uid.clone());
    execution.uid.is_some() && seen.is_some() && seen != execution.uid
}

async fn with_ticket(
    context: &Context,
    object: Value,
    execution: Execution,
    claimed: Option<String>,
) -> Result<Found, Trouble> {
    let digest = claimed.and_then(|text| Digest::try_from(text).ok());
    let unfit = |execution, reason, message| Found::Unfit { execution: Box::new(execution), reason, message };
    if digest.as_ref() != Some(&execution.subject.ticket_digest) {
        let message = "the annotation with the ticket's digest was changed after the object was created";
        return Ok(unfit(execution, crate::NOT_AS_APPROVED, message.into()));
    }
    match context.ticket(&execution.subject.ticket_digest).await {
        Ok(Some(ticket)) => Ok(Found::Created(Box::new(Run { object, execution, ticket }))),
        Ok(None) => {
            let message = "the approved ticket is not in the store any more; nothing runs";
            Ok(unfit(execution, "UnknownTicket", message.into()))
        }
        Err(Trouble::Never { message, .. }) => Ok(unfit(execution, "TicketTampered", message)),
        Err(later) => Err(later),
    }
}

fn unknown(object: Value, digest: &str) -> Found {
    let message = format!("no approved run has the ticket {digest}; nothing runs");
    Found::Stranger { object, reason: "UnknownTicket", message }
}
