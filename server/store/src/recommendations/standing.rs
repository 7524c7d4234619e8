//! What approvals are worth by now: their givers may decide no more, belong to other groups, or another policy was in force since.

use crate::{able::able, policies::InForce};
use domain::{
    decision::{Decision, Standing, Verb, counting},
    identity::Right,
    ids::ActorId,
    ports::StoreError,
};
use sqlx::AnyConnection;
use std::collections::BTreeSet;

/// These decisions as they count under the policy in force.
pub(super) async fn standing(
    on: &mut AnyConnection,
    decisions: Vec<Decision>,
    in_force: &InForce,
) -> Result<Vec<Decision>, StoreError> {
    let approvals = decisions.iter().filter(|decision| decision.verb == Verb::Approve);
    let people: BTreeSet<ActorId> = approvals.map(|decision| decision.actor.person().clone()).collect();
    let able = able(on, &people, Right::Decide).await?;
    let groups = |voter| in_force.policy.groups_of(voter);
    let able = able.iter().map(|voter| (voter.person.clone(), groups(voter))).collect();
    Ok(counting(decisions, &Standing { since: in_force.since, able }))
}
