//! Claiming: the execution that comes into being with the last approval, in the transaction of the decision.

use super::{actions, rows, targets};
use crate::{sql::Sql, write::Write};
use domain::{
    event::Topic,
    execution::{Assessment, Execution, ExecutionState, Stage},
    identity::Actor,
    ports::{DecideError, NewExecution},
    time::Timestamp,
};
use serde_json::json as object;

/// Writes the claimed execution with its tasks and action records. One ticket, one run: the second is refused by the key.
pub(crate) async fn claim(
    write: &mut Write,
    new: &NewExecution,
    approved_by: &[Actor],
    now: Timestamp,
) -> Result<(), DecideError> {
    let execution = Execution {
        subject: new.subject.clone(),
        state: ExecutionState::Pending,
        stage: Stage::Claimed,
        revision: 1,
        reason: None,
        message: None,
        uid: None,
        run_uid: None,
        approved_by: approved_by.to_vec(),
        created_at: now,
        expires_at: new.expires_at,
        started_at: None,
        finished_at: None,
        cancel_requested: false,
        assessment: Assessment::NotAssessed,
        tasks: new.tasks.clone(),
        warnings: Vec::new(),
    };
    if rows::insert(write, &[&execution]).await? != [true] {
        let taken = Sql::new("execution", "SELECT id FROM executions WHERE ticket_digest = $1")
            .bind(execution.subject.ticket_digest.as_str())
            .maybe(write.on())
            .await?;
        let name = &execution.subject.name;
        return Err(match taken {
            Some(_) => DecideError::TicketUsed,
            None => DecideError::NameUsed(name.clone()),
        });
    }
    targets::insert(write, &[(&execution.subject.id, new.objects.as_slice())]).await?;
    if !new.guard.is_none() {
        Sql::new("execution", "UPDATE executions SET alone = $1, cool_down_ms = $2 WHERE id = $3")
            .bind(new.guard.one_at_a_time)
            .bind(new.guard.cool_down_ms)
            .bind(execution.subject.id.as_str())
            .run(write.on())
            .await?;
    }
    if new.signed {
        Sql::new("execution", "UPDATE executions SET signed = 1 WHERE id = $1")
            .bind(execution.subject.id.as_str())
            .run(write.on())
            .await?;
    }
    for action in &new.actions {
        actions::insert(write, action, now).await?;
    }
    write.event(
        Topic::Execution,
        execution.subject.id.as_str(),
        object!({
            "state": execution.state.name(), "revision": execution.revision, "reason": null,
            "recommendation": execution.subject.recommendation_id,
        }),
    );
    Ok(())
}
