//! Deciding: the decision, its audit row, its live events and the claimed execution, all of it in one transaction or none of
//! it. The rule itself is `domain::decision::judge`.

use super::{
    close, keep,
    rows::{self, COLUMNS, recommendation},
    standing::standing,
};
use crate::{
    Store,
    executions::{claim, in_the_way},
    outbox, policies,
    sql::{Sql, json},
    write::{Lock, Write},
};
use domain::{
    decision::{Decision, Verb, Verdict, judge, tag},
    event::Topic,
    identity::Actor,
    ids::RecommendationId,
    notification::{Notice, Occasion},
    ports::{DecideError, Decided, NewDecision, NewExecution, StoreError},
    recommendation::{Recommendation, RecommendationState as State},
    time::Timestamp,
};
use serde_json::json as object;

pub(super) async fn decide(store: &Store, new: NewDecision) -> Result<Decided, DecideError> {
    let NewDecision { id, recommendation_id, strategy, attempt, known, reason, ticket, execution, audit } = new;
    let mut write = store.write().await?;
    let clock = store.dialect().clock();
    let (on, now) = lock(&mut write, clock, &recommendation_id).await?.ok_or(DecideError::NotFound)?;
    let mut prior = rows::decisions(write.on(), &recommendation_id).await?;
    let position = prior.len();
    // The tag tells what was said, whatever of it counts.
    let tag = tag(&on, position);
    if !known.includes(&tag) {
        return Err(DecideError::Moved { tag });
    }
    let approves = attempt.verb == Verb::Approve && on.state == State::Open;
    let in_force = if approves { policies::hold(&mut write).await? } else { None };
    if let Some(in_force) = &in_force {
        prior = standing(store.today(), write.on(), prior, in_force).await?;
    }
    let verdict = judge(now, &on, &prior, &attempt)?;
    if approves && in_force.is_none_or(|held| held.version != attempt.terms.version) {
        return Err(DecideError::PolicyChanged);
    }
    let need = attempt.terms.quorum.need;
    let decision = Decision {
        id,
        recommendation_id: recommendation_id.clone(),
        verb: attempt.verb,
        strategy,
        ticket_digest: attempt.ticket_digest,
        reason,
        actor: attempt.actor,
        stands_for: attempt.stands_for,
        at: now,
    };
    insert(&mut write, position, &decision).await?;
    if let Some(ticket) = &ticket {
        keep(&mut write, ticket).await?;
    }
    let execution_id = match verdict {
        Verdict::Waiting { .. } => None,
        Verdict::Approved { .. } => {
            let new = fitting(execution, &decision)?;
            still_enabled(&mut write, &new).await?;
            nothing_in_the_way(&mut write, clock, &new).await?;
            claim(&mut write, &new, &approvers(&prior, &decision), now).await?;
            close(&mut write, &recommendation_id, State::Decided).await?;
            Some(new.subject.id)
        }
        Verdict::Rejected => {
            close(&mut write, &recommendation_id, State::Decided).await?;
            None
        }
    };
    let (state, have) = match verdict {
        Verdict::Waiting { have } => (State::Open, Some(have)),
        Verdict::Approved { have } => (State::Decided, Some(have)),
        Verdict::Rejected => (State::Decided, None),
    };
    if state == State::Decided {
        let notice = Notice::decided(&on, decision.verb, decision.strategy);
        outbox::put(&mut write, Occasion::Decided, &recommendation_id, &notice, now).await?;
    }
    write.event(
        Topic::Recommendation,
        recommendation_id.as_str(),
        object!({
            "state": state.name(), "decision": decision.verb.name(), "by": decision.actor.name,
            "have": have, "need": need, "execution": execution_id,
        }),
    );
    write.audit(audit);
    write.commit().await?;
    Ok(Decided { decision, verdict, execution_id })
}

/// Locks the recommendation until the end of the transaction; it and the time are read under that lock.
pub(super) async fn lock(
    write: &mut Write,
    clock: &str,
    id: &RecommendationId,
) -> Result<Option<(Recommendation, Timestamp)>, StoreError> {
    let sql =
        format!("UPDATE recommendations SET revision = revision WHERE id = $1 RETURNING {COLUMNS}, {clock} AS now");
    let Some(row) = Sql::new("recommendation", sql).bind(id.as_str()).maybe(write.on()).await? else { return Ok(None) };
    Ok(Some((recommendation(&row)?, row.time("now")?)))
}

pub(super) async fn insert(write: &mut Write, position: usize, decision: &Decision) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "decision",
        "INSERT INTO decisions (id, recommendation_id, position, verb, strategy, ticket_digest, reason, actor, \
         stands_for, decided_at) VALUES ",
    );
    sql.tuple([
        decision.id.as_str().into(),
        decision.recommendation_id.as_str().into(),
        i64::try_from(position).unwrap_or(i64::MAX).into(),
        decision.verb.name().into(),
        decision.strategy.into(),
        decision.ticket_digest.as_ref().map(domain::ids::Digest::as_str).into(),
        decision.reason.as_deref().into(),
        json(&decision.actor)?.into(),
        json(&decision.stands_for)?.into(),
        decision.at.into(),
    ]);
    sql.run(write.on()).await?;
    Ok(())
}

/// The execution handed in, if it is the one that was approved: another ticket's must never be claimed.
fn fitting(execution: Option<NewExecution>, decision: &Decision) -> Result<NewExecution, StoreError> {
    let Some(new) = execution else {
        return Err(StoreError::Failed("the last approval came without its execution".into()));
    };
    let fits = Some(&new.subject.ticket_digest) == decision.ticket_digest.as_ref()
        && new.subject.recommendation_id == decision.recommendation_id;
    if fits { Ok(new) } else { Err(StoreError::Failed("the execution is not that of the approved ticket".into())) }
}

/// Of two that are approved at the same moment one sees the other.
async fn nothing_in_the_way(write: &mut Write, clock: &str, new: &NewExecution) -> Result<(), DecideError> {
    write.lock(Lock::Targets).await?;
    match in_the_way(write.on(), clock, &new.subject.cluster, &new.objects, new.guard).await? {
        None => Ok(()),
        Some(other) => Err(DecideError::Busy(other)),
    }
}

/// A playbook may have been disabled after the ticket was found current and before this transaction.
async fn still_enabled(write: &mut Write, new: &NewExecution) -> Result<(), DecideError> {
    let (Some(id), Some(version)) = (&new.subject.workflow_id, &new.subject.version) else { return Ok(()) };
    let sql = "SELECT status FROM playbook_versions WHERE workflow_id = $1 AND version = $2 AND status = 'disabled'";
    match Sql::new("playbook", sql).bind(id.as_str()).bind(version.as_str()).maybe(write.on()).await? {
        None => Ok(()),
        Some(_) => Err(DecideError::PlaybookDisabled(format!("{id} {version}"))),
    }
}

/// Who approved this ticket and counts, oldest first.
fn approvers(prior: &[Decision], last: &Decision) -> Vec<Actor> {
    let all = prior.iter().chain([last]);
    all.filter(|d| d.verb == Verb::Approve && d.ticket_digest == last.ticket_digest).map(|d| d.actor.clone()).collect()
}
