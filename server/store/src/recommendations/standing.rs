//! What approvals are worth by now: their givers may decide no more, belong to other groups, or another policy was in force since.

use crate::{
    able::{Today, able},
    policies::InForce,
};
use domain::{
    decision::{Decision, Standing, Verb, counting},
    identity::{Actor, Right},
    ports::StoreError,
};
use sqlx::AnyConnection;

/// These decisions as they count under the policy in force.
pub(super) async fn standing(
    today: Today,
    on: &mut AnyConnection,
    decisions: Vec<Decision>,
    in_force: &InForce,
) -> Result<Vec<Decision>, StoreError> {
    let approvals = decisions.iter().filter(|decision| decision.verb == Verb::Approve);
    let givers: Vec<&Actor> = approvals.map(|decision| &decision.actor).collect();
    let able = able(today, on, &givers, Right::Decide).await?;
    let groups = |voter| in_force.policy.groups_of(voter);
    let able = able.iter().map(|voter| (voter.person.clone(), groups(voter))).collect();
    Ok(counting(decisions, &Standing { since: in_force.since, able }))
}
