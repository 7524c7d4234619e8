//! Trying a policy on what was decided: the cases are put together from what is kept, each with what had been measured until the
//! day on which it came. What a policy would have said to them is `domain::policy::simulate`'s.

use super::{Services, policing::edited, signing::signed_image, store_fault, tickets::verified};
use domain::{
    decision::{Decision, Verb},
    effectiveness::{DAY_MS, EffectivenessFilter, GroupBy},
    identity::Role,
    ids::ActorId,
    playbook::{PlaybookId, Registration, Version},
    policy::{
        Facts, Measure, Voter,
        simulate::{Approval, Came, Past, Ran, Simulation, differences},
    },
    ports::{Judged, PlaybookRecord, PolicyRecord, VersionDay},
    recommendation::{Proposal, RecommendationState, Strategy},
    services::{Answer, ServiceError},
    target::kinds::Spot,
    ticket::{Plan, images_of},
};
use std::{collections::HashMap, sync::Arc};

/// Cases of one page.
const PAGE: u32 = 200;
/// Cases that are looked at, the newest: more would keep whoever waits for them.
const MOST: usize = 5_000;
/// The longest look back, days.
const MOST_DAYS: u32 = 365;

impl Services {
    /// What this version would have said.
    pub(super) async fn simulated(&self, record: &PolicyRecord, days: u32) -> Answer<Simulation> {
        let Ok(alone) = Arc::clone(&self.simulating).try_acquire_owned() else {
            return Err(ServiceError::Unavailable("another simulation runs; try again in a moment".into()));
        };
        let days = days.clamp(1, MOST_DAYS);
        let since = self.world.clock.now().plus_ms(-i64::from(days) * DAY_MS);
        let (mut past, mut before) = (Vec::new(), None);
        let mut known = Known { measures: self.measures(days).await?, ..Known::default() };
        let cut = loop {
            let page = self.world.recommendations.judged(since, before.take(), PAGE).await.map_err(store_fault)?;
            let last = page.last().map(|one| (one.recommendation.created_at, one.recommendation.id.clone()));
            let full = page.len() >= PAGE as usize;
            for one in page {
                past.extend(self.past(one, &mut known).await?);
            }
            let enough = past.len() >= MOST;
            if !full || enough {
                break full && enough;
            }
            before = last;
        };
        let judged = u32::try_from(past.len()).unwrap_or(u32::MAX);
        let (policy, version, conditions) = (record.policy.clone(), record.version, Arc::clone(&self.world.conditions));
        let work = tokio::task::spawn_blocking(move || {
            let found = differences(&policy, version, &past, conditions.as_ref());
            // It goes on where nobody waits for it any more, and keeps others away until its end.
            drop(alone);
            found
        });
        let differences =
            work.await.map_err(|error| ServiceError::Internal(format!("a simulation failed: {error}")))?;
        Ok(Simulation { version, days, judged, cut, differences })
    }

    /// One case; none where it has no strategy that could run.
    async fn past(&self, one: Judged, known: &mut Known) -> Answer<Option<Past>> {
        let Judged { recommendation, decisions, ticket: stored, run } = one;
        let ticket = stored.as_ref().map(verified).transpose()?;
        let last = decisions.last();
        let place = last.map_or(0, |decision| decision.strategy);
        let Ok(strategy) = Self::strategy(&recommendation, place) else { return Ok(None) };
        let plan = ticket.as_ref().map(|ticket| &ticket.content().plan);
        let playbook = self.playbook_of(strategy, known).await?;
        // As it is known today: what was known then is not kept.
        let images = match (plan, &playbook) {
            (Some(Plan::Steps { steps, .. }), _) => self.signed(&images_of(steps)).await?,
            (_, Some(playbook)) => vec![signed_image(playbook)],
            _ => Vec::new(),
        };
        let registration = playbook.map(|playbook| playbook.registration);
        let measured = known.measured(registration.as_ref(), recommendation.created_at.as_millis().div_euclid(DAY_MS));
        let environment = self.world.settings.environment.as_deref();
        let facts = Facts::of(&recommendation, strategy, plan, registration.as_ref(), measured, environment, &images);
        let edited = plan.is_some_and(|plan| edited(&strategy.proposal, plan));
        let made_by = stored.as_ref().filter(|_| edited);
        let came = match last {
            Some(last) if recommendation.state == RecommendationState::Decided => match last.verb {
                Verb::Approve => Came::Approved,
                Verb::Reject => Came::Rejected { by: last.actor.name.clone() },
            },
            _ => Came::Expired,
        };
        let mut approvals = Vec::new();
        for decision in of_last_ticket(&decisions) {
            approvals.push(Approval {
                actor: decision.actor.clone(),
                at: decision.at,
                voter: self.voter_of(decision, known).await?,
            });
        }
        let run = run.map(|run| Ran {
            object: format!("{} {:?}", run.subject.cluster, run.subject.target().map(Spot::of)),
            from: run.created_at,
            to: run.state.ended().then(|| run.finished_at.unwrap_or(run.created_at)),
            began: run.started_at.is_some(),
        });
        Ok(Some(Past {
            id: recommendation.id.clone(),
            headline: recommendation.headline().to_owned(),
            came_at: recommendation.created_at,
            requester: recommendation.proposer.person().clone(),
            last_editor: made_by.map(|stored| stored.made_by.person().clone()),
            facts,
            came,
            approvals,
            run,
        }))
    }

    /// The person as far as they are known now. Of a token that is nobody's no group is known.
    async fn voter_of(&self, decision: &Decision, known: &mut Known) -> Answer<Voter> {
        let person = decision.actor.person();
        if let Some((name, roles)) = known.people.get(person) {
            return Ok(Voter { person: person.clone(), name: name.clone(), roles: roles.clone() });
        }
        let account = self.world.people.user(person.as_str()).await.map_err(store_fault)?;
        let (name, roles) = account.map(|one| (one.name, one.roles)).unwrap_or_default();
        known.people.insert(person.clone(), (name.clone(), roles.clone()));
        Ok(Voter { person: person.clone(), name, roles })
    }

    async fn playbook_of(&self, strategy: &Strategy, known: &mut Known) -> Answer<Option<PlaybookRecord>> {
        let Proposal::Playbook { workflow_id, version: Some(version), .. } = &strategy.proposal else {
            return Ok(None);
        };
        let key = format!("{workflow_id}@{version}");
        if let Some(found) = known.playbooks.get(&key) {
            return Ok(found.clone());
        }
        let found = match (workflow_id.parse::<PlaybookId>(), version.parse::<Version>()) {
            (Ok(id), Ok(version)) => self.world.catalog.version(&id, &version).await.map_err(store_fault)?,
            _ => None,
        };
        known.playbooks.insert(key, found.clone());
        Ok(found)
    }

    /// All runs of each version until now, and those of each of the last days.
    async fn measures(&self, days: u32) -> Answer<Measures> {
        let all = self.world.effectiveness.counts(GroupBy::Version, &EffectivenessFilter::default()).await;
        let all = all.map_err(store_fault)?.groups.into_iter();
        let lately = self.world.effectiveness.versions_by_day(days + 1).await.map_err(store_fault)?;
        Ok(Measures { all: all.map(|(version, counts)| (version, (counts.runs, counts.succeeded))).collect(), lately })
    }
}

/// What was looked up already.
#[derive(Default)]
struct Known {
    people: HashMap<ActorId, (String, Vec<Role>)>,
    playbooks: HashMap<String, Option<PlaybookRecord>>,
    measures: Measures,
}

#[derive(Default)]
struct Measures {
    all: HashMap<String, (i64, i64)>,
    lately: Vec<VersionDay>,
}

impl Known {
    /// What had been measured of this version before that day (days since 1970).
    fn measured(&self, registration: Option<&Registration>, day: i64) -> Option<Measure> {
        let registration = registration?;
        let version = format!("{}@{}", registration.id, registration.version);
        let (mut runs, mut succeeded) = self.measures.all.get(&version).copied()?;
        for later in self.measures.lately.iter().filter(|one| one.version == version && one.day >= day) {
            runs -= later.runs;
            succeeded -= later.succeeded;
        }
        Measure::of(runs, succeeded)
    }
}

/// The approvals of what was decided on last.
fn of_last_ticket(decisions: &[Decision]) -> impl Iterator<Item = &Decision> {
    let approvals = || decisions.iter().filter(|decision| decision.verb == Verb::Approve);
    let ticket = approvals().next_back().map(|last| last.ticket_digest.as_ref());
    approvals().filter(move |decision| Some(decision.ticket_digest.as_ref()) == ticket)
}
