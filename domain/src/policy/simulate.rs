//! What a policy would have said to the decisions of the past: shown before it is put in force. Each case is judged by itself, by
//! what was known of it then; a run that would not have been is not taken away from those that came after it.

use super::{Conditions, Facts, Grant, Policy, Ruling, Voter, judge};
use crate::{
    identity::Actor,
    ids::{ActorId, RecommendationId},
    time::{Timestamp, human},
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// An approval of the past.
#[derive(Clone, Debug)]
pub struct Approval {
    /// Who.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// The person, as far as they are known now.
    pub voter: Voter,
}

/// What it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// It was approved, by the last of the approvals.
    Approved,
    /// It was rejected.
    Rejected {
        /// By whom.
        by: String,
    },
    /// Nobody decided in time.
    Expired,
}

/// The run that came of it.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What it acted on, in its cluster.
    pub object: String,
    /// From when on it was in the way of others: its approval.
    pub from: Timestamp,
    /// Its end; none while it goes on.
    pub to: Option<Timestamp>,
    /// Whether it was let go at all: what never began needs no time to cool down.
    pub began: bool,
}

/// A case of the past.
#[derive(Clone, Debug)]
pub struct Past {
    /// The recommendation.
    pub id: RecommendationId,
    /// A line about it.
    pub headline: String,
    /// When it came.
    pub came_at: Timestamp,
    /// The person who handed it in.
    pub requester: ActorId,
    /// The person who last edited the parameters, where somebody did.
    pub last_editor: Option<ActorId>,
    /// What it was judged by, as it was then.
    pub facts: Facts,
    /// What it came to.
    pub came: Came,
    /// The approvals of what was decided on, oldest first.
    pub approvals: Vec<Approval>,
    /// The run that came of it, where one did.
    pub run: Option<Ran>,
}

/// In which way it would have been otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It would not have run then, or not with those approvals.
    Stricter,
    /// It would have run with fewer approvals, or where it did not run.
    Looser,
    /// It would have run without anybody.
    Automatic,
}

/// A decision that would have been another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Difference {
    /// The recommendation.
    pub id: RecommendationId,
    /// A line about it.
    pub headline: String,
    /// When it came.
    pub came_at: Timestamp,
    /// In which way.
    pub effect: Effect,
    /// What was.
    pub was: String,
    /// What would have been.
    pub would: String,
    /// The rule that says so.
    pub why: String,
}

/// What a policy would have changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Simulation {
    /// The version that was tried.
    pub version: u32,
    /// How far it looked back, days.
    pub days: u32,
    /// How many cases it judged.
    pub judged: u32,
    /// Whether there are more than it looks at: then these are the newest.
    pub cut: bool,
    /// Those that would have been otherwise, newest first.
    pub differences: Vec<Difference>,
}

impl Simulation {
    /// How many would have been otherwise in this way.
    pub fn count(&self, effect: Effect) -> usize {
        self.differences.iter().filter(|one| one.effect == effect).count()
    }
}

/// The decisions that would have been others, in the order of the cases.
pub fn differences(policy: &Policy, version: u32, past: &[Past], conditions: &dyn Conditions) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut work = || found = compared(policy, version, past, conditions);
    if policy.has_conditions() {
        conditions.together(&mut work);
    } else {
        work();
    }
    found
}

fn compared(policy: &Policy, version: u32, past: &[Past], conditions: &dyn Conditions) -> Vec<Difference> {
    let mut runs: HashMap<&str, Vec<(&RecommendationId, &Ran)>> = HashMap::new();
    for one in past {
        if let Some(run) = &one.run {
            runs.entry(run.object.as_str()).or_default().push((&one.id, run));
        }
    }
    let compared = past.iter().filter_map(|one| {
        let ruling = judge(policy, version, &one.facts, conditions);
        let others = one.run.as_ref().and_then(|run| runs.get(run.object.as_str()));
        let (effect, would) = otherwise(policy, one, &ruling, others.map(Vec::as_slice).unwrap_or_default())?;
        Some(Difference {
            id: one.id.clone(),
            headline: one.headline.clone(),
            came_at: one.came_at,
            effect,
            was: was(one),
            would,
            why: ruling.explanation(),
        })
    });
    compared.collect()
}

fn was(one: &Past) -> String {
    let names = one.approvals.iter().map(|approval| approval.actor.name.as_str()).collect::<Vec<_>>().join(", ");
    match &one.came {
        Came::Approved if names.is_empty() => "approved".into(),
        Came::Approved => format!("approved by {names}"),
        Came::Rejected { by } => format!("rejected by {by}"),
        Came::Expired if names.is_empty() => "expired".into(),
        Came::Expired => format!("expired, though {names} approved"),
    }
}

/// In which way it would have been otherwise; none where it would have come to the same.
fn otherwise(
    policy: &Policy,
    one: &Past,
    ruling: &Ruling,
    others: &[(&RecommendationId, &Ran)],
) -> Option<(Effect, String)> {
    let terms = &ruling.terms;
    let by_itself = one.approvals.iter().any(|approval| approval.actor.is_policy());
    let approved = one.came == Came::Approved;
    if terms.grant == Grant::Never {
        return approved.then(|| (Effect::Stricter, "nobody could have approved it".into()));
    }
    let stopped = |at: Timestamp| stopped(one, ruling, others, at);
    if terms.grant == Grant::Automatic && stopped(one.came_at).is_none() {
        return (!by_itself).then(|| {
            let earlier = one.approvals.last().filter(|_| approved).map(|last| last.at.since(one.came_at));
            let earlier = earlier.map(|ms| format!(", {} earlier", human(ms))).unwrap_or_default();
            (Effect::Automatic, format!("run by itself as soon as it came in{earlier}"))
        });
    }
    let enough = enough(policy, one, ruling);
    match (approved, enough) {
        (true, None) => {
            let have = have(policy, one, ruling, one.approvals.len());
            Some((Effect::Stricter, format!("still waiting: {have} of {} approvals", terms.quorum.need)))
        }
        (true, Some(count)) => {
            let at = one.approvals.get(count - 1).map_or(one.came_at, |last| last.at);
            if let Some(why) = stopped(at) {
                return Some((Effect::Stricter, format!("refused then: {why}")));
            }
            (count < one.approvals.len())
                .then(|| (Effect::Looser, format!("run with {count} of its {} approvals", one.approvals.len())))
        }
        (false, Some(count)) => {
            let at = one.approvals.get(count - 1).map_or(one.came_at, |last| last.at);
            stopped(at).is_none().then(|| (Effect::Looser, "run with the approvals that it had".into()))
        }
        (false, None) => None,
    }
}

/// Why it could not have been approved at that moment.
fn stopped(one: &Past, ruling: &Ruling, others: &[(&RecommendationId, &Ran)], at: Timestamp) -> Option<String> {
    let terms = &ruling.terms;
    if let Some((freeze, until)) = terms.frozen(at) {
        return Some(format!("{} until {until}", freeze.name));
    }
    if ruling.expires_ms.is_some_and(|ms| at >= one.came_at.plus_ms(ms)) {
        return Some("its time was over".into());
    }
    let guard = terms.guard;
    let others = others.iter().filter(|(id, _)| **id != one.id).map(|(_, run)| run);
    others.filter(|run| run.from <= at).find_map(|run| match run.to {
        None => guard.one_at_a_time.then(|| "another run went on on the same object".to_owned()),
        Some(to) if at < to => guard.one_at_a_time.then(|| "another run went on on the same object".to_owned()),
        Some(to) => {
            let cooling = run.began && at < to.plus_ms(guard.cool_down_ms);
            cooling.then(|| "the last run on the same object had ended a short time before".to_owned())
        }
    })
}

/// After how many of its approvals it would have had enough.
fn enough(policy: &Policy, one: &Past, ruling: &Ruling) -> Option<usize> {
    (1..=one.approvals.len()).find(|count| have(policy, one, ruling, *count) >= ruling.terms.quorum.need)
}

/// How many of the first approvals would have counted.
fn have(policy: &Policy, one: &Past, ruling: &Ruling, first: usize) -> u32 {
    let quorum = &ruling.terms.quorum;
    let counts = |approval: &&Approval| {
        let person = approval.actor.person();
        !approval.actor.is_policy()
            && (quorum.requester_counts || *person != one.requester)
            && (quorum.last_editor_counts || Some(person) != one.last_editor.as_ref())
    };
    let counted: Vec<(&Actor, Vec<String>)> = one
        .approvals
        .iter()
        .take(first)
        .filter(counts)
        .map(|approval| (&approval.actor, policy.groups_of(&approval.voter)))
        .collect();
    quorum.have(counted.iter().map(|(actor, groups)| (*actor, groups.as_slice())))
}
