//! A past that might have been: executions as they would stand in the store, from a fixed seed and the time now. The same
//! twice gives the same twice. For the demo scene, and for measuring with many. Pure.

pub mod library;
mod paper;
mod profiles;
mod run;

pub use run::log;

use domain::{
    decision::Decision,
    execution::Execution,
    identity::Actor,
    playbook::{ImageRef, Registration},
    ports::{DecidedRecommendation, StoredTicket},
    recommendation::Recommendation,
    ticket::Ticket,
    time::Timestamp,
};
use profiles::{PROFILES, Profile};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use run::Past;

const SEED: u64 = 0x6b75_6265_726e_6175;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// How long a recommendation could be decided and its approval held.
const APPROVAL_MS: i64 = 15 * MINUTE_MS;
/// The newest of the history is at least so old.
const BEFORE_MS: i64 = 30 * MINUTE_MS;
/// How busy each hour of the day is (UTC): people at work, and batches in the night.
const HOURS: [f64; 24] = [
    1.0, 1.2, 2.6, 2.2, 1.0, 0.8, 1.0, 2.0, 3.4, 4.4, 4.6, 4.0, 3.0, 3.8, 4.4, 4.2, 3.6, 3.0, 2.4, 2.0, 1.8, 1.6, 1.4,
    1.2,
];
/// Against a weekday.
const WEEKEND: f64 = 0.55;

/// A playbook that was used.
#[derive(Clone, Debug)]
pub struct Playbook {
    /// As it was registered.
    pub registration: Registration,
    /// Its image by digest.
    pub image: ImageRef,
}

/// A remediation of the past.
#[derive(Clone, Debug, PartialEq)]
pub struct Remediation {
    /// How it went.
    pub execution: Execution,
    /// What led to it; none for step lists, which came from elsewhere.
    pub paper: Option<Paper>,
}

/// What led to a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Paper {
    /// What was recommended; decided.
    pub recommendation: Recommendation,
    /// The ticket that was approved.
    pub ticket: Ticket,
    /// Who approved it, in their order.
    pub decisions: Vec<Decision>,
}

impl Paper {
    /// As the store takes it: the ticket with its text, made by whoever proposed.
    pub fn decided(self) -> DecidedRecommendation {
        let Self { recommendation, ticket, decisions } = self;
        let ticket = StoredTicket {
            digest: ticket.digest().clone(),
            canonical: ticket.canonical().to_owned(),
            recommendation_id: recommendation.id.clone(),
            made_by: recommendation.proposer.clone(),
            made_at: recommendation.created_at,
        };
        DecidedRecommendation { recommendation, ticket: Some(ticket), decisions }
    }
}

/// Over which time, and how busy it was.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// So many times ninety days.
    pub quarters: u32,
    /// So many times the runs of a small team.
    pub busier: f64,
}

impl Span {
    /// Ninety days of a small team.
    pub const DEMO: Self = Self { quarters: 1, busier: 1.0 };
}

/// The history up to `now`, oldest first, one day (UTC) after the other.
pub fn days<'a>(
    now: Timestamp,
    span: Span,
    library: &'a [Playbook],
    approvers: &'a [Actor],
    namespace: &'a str,
) -> impl Iterator<Item = Vec<Remediation>> + 'a {
    // Each profile has its own dice: a change to one leaves the others as they are.
    let mut pasts: Vec<_> = (0_u64..)
        .zip(&PROFILES)
        .map(|(place, profile)| {
            let dice = StdRng::seed_from_u64(SEED ^ (place << 32));
            (profile, Past::new(profile, library, approvers, namespace), dice)
        })
        .collect();
    let oldest = PROFILES.iter().map(|profile| profile.days.0).max().unwrap_or_default() * span.quarters;
    (0..oldest).rev().map(move |ago| {
        let mut day = Vec::new();
        for (profile, past, dice) in &mut pasts {
            for approved_at in moments(profile, span, now, ago, dice) {
                let remediation = past.remediation(approved_at, now, dice);
                let ended = remediation.execution.finished_at.unwrap_or(approved_at);
                if now.since(ended) >= BEFORE_MS {
                    day.push(remediation);
                }
            }
        }
        day.sort_by(|a, b| {
            let key = |one: &Remediation| (one.execution.created_at, one.execution.subject.id.clone());
            key(a).cmp(&key(b))
        });
        day
    })
}

/// When this profile's runs of the day so many days ago were approved.
fn moments(profile: &Profile, span: Span, now: Timestamp, ago: u32, dice: &mut StdRng) -> Vec<Timestamp> {
    let (from, to) = profile.days;
    if !(to * span.quarters..from * span.quarters).contains(&ago) {
        return Vec::new();
    }
    let day = now.as_millis().div_euclid(DAY_MS) - i64::from(ago);
    // The first of January 1970 was a Thursday.
    let weekend = matches!((day + 4).rem_euclid(7), 0 | 6);
    let mean = profile.per_day * span.busier * if weekend { WEEKEND } else { 1.0 };
    let moment = |dice: &mut StdRng| {
        let hour = i64::try_from(weighted(HOURS.iter().copied(), dice)).unwrap_or_default();
        Timestamp::from_millis(day * DAY_MS + hour * HOUR_MS + dice.random_range(0..HOUR_MS))
    };
    (0..poisson(mean, dice)).map(|_| moment(dice)).collect()
}

/// How many, when so many are usual (Knuth's way: the means are small).
fn poisson(mean: f64, dice: &mut StdRng) -> u32 {
    let (limit, mut product, mut count) = ((-mean).exp(), dice.random::<f64>(), 0);
    while product > limit {
        product *= dice.random::<f64>();
        count += 1;
    }
    count
}

/// A place, each as likely as its weight says.
fn weighted(weights: impl Iterator<Item = f64> + Clone, dice: &mut StdRng) -> usize {
    let mut left = dice.random::<f64>() * weights.clone().sum::<f64>();
    let mut last = 0;
    for (place, weight) in weights.enumerate() {
        last = place;
        left -= weight;
        if left < 0.0 {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        execution::{Assessment, ExecutionState},
        ids::{ActorId, Digest},
    };
    use std::collections::BTreeSet;

    fn people() -> Vec<Actor> {
        ["a", "b"].map(|name| Actor::new(ActorId::new(format!("user:{name}")), name)).to_vec()
    }

    fn playbooks() -> Vec<Playbook> {
        let pinned = |registration: Registration| {
            let image = registration.image.with_digest(Digest::from_bytes([7; 32]));
            Playbook { registration, image }
        };
        library::registrations().unwrap().into_iter().map(pinned).collect()
    }

    fn remediations() -> Vec<Remediation> {
        let now = Timestamp::parse("2026-11-23T03:00:00Z").unwrap();
        days(now, Span::DEMO, &playbooks(), &people(), "kubernaut-system").flatten().collect()
    }

    fn sample() -> Vec<Execution> {
        remediations().into_iter().map(|one| one.execution).collect()
    }

    fn of<'a>(all: &'a [Execution], id: &str, version: &str) -> Vec<&'a Execution> {
        let is = |have: &Option<String>, wanted: &str| have.as_deref() == Some(wanted);
        all.iter().filter(|e| is(&e.subject.workflow_id, id) && is(&e.subject.version, version)).collect()
    }

    fn percent(part: usize, whole: usize) -> usize {
        part * 100 / whole
    }

    #[test]
    fn the_same_seed_gives_the_same_history() {
        let (once, twice) = (remediations(), remediations());
        assert_eq!(once, twice);
        assert!((600..=1500).contains(&once.len()), "{} executions", once.len());
    }

    #[test]
    fn a_longer_and_busier_past_has_more_of_all() {
        let now = Timestamp::parse("2026-11-23T03:00:00Z").unwrap();
        let (library, people) = (playbooks(), people());
        let span = Span { quarters: 2, busier: 3.0 };
        let long: Vec<_> = days(now, span, &library, &people, "kubernaut-system").collect();
        assert_eq!(long.len(), 180);
        let (many, few) = (long.iter().map(Vec::len).sum::<usize>(), sample().len());
        assert!((few * 5..few * 7).contains(&many), "{many} against {few}");
        assert!(long.iter().flatten().is_sorted_by_key(|one| one.execution.created_at));
    }

    #[test]
    fn everything_is_unique_ended_and_the_sandboxs() {
        let all = sample();
        let unique = |of: fn(&Execution) -> String| all.iter().map(of).collect::<BTreeSet<_>>().len();
        for of in [
            |e: &Execution| e.subject.id.to_string(),
            |e: &Execution| e.subject.recommendation_id.to_string(),
            |e: &Execution| e.subject.ticket_digest.to_string(),
            |e: &Execution| e.subject.name.clone(),
        ] {
            assert_eq!(unique(of), all.len());
        }
        let now = Timestamp::parse("2026-11-23T03:00:00Z").unwrap();
        for one in &all {
            assert!(one.subject.sandbox && one.subject.cluster == "sandbox");
            assert!(one.state.ended() && one.tasks.iter().all(|task| task.state.ended()), "{one:?}");
            assert!(one.subject.name.len() <= 63, "{}", one.subject.name);
            assert!(one.finished_at.unwrap() <= now && one.created_at <= one.started_at.unwrap());
            assert!(now.since(one.created_at) <= 91 * DAY_MS);
            assert!(!one.approved_by.is_empty());
            for attempt in one.tasks.iter().flat_map(|task| &task.attempts) {
                let times = [attempt.queued_at, attempt.pulling_at, attempt.running_at, attempt.finished_at];
                assert!(times.iter().flatten().is_sorted(), "{attempt:?}");
            }
        }
    }

    #[test]
    fn newer_versions_do_better_and_playbooks_differ() {
        let all = sample();
        let rate = |id: &str, version: &str| {
            let runs = of(&all, id, version);
            percent(runs.iter().filter(|e| e.state == ExecutionState::Succeeded).count(), runs.len())
        };
        assert!(rate("pod-restart-rolling", "1.1.0") > rate("pod-restart-rolling", "1.0.0"));
        assert!(rate("oomkill-scale-down", "1.1.0") > rate("oomkill-scale-down", "1.0.0"));
        assert!(rate("node-drain", "1.0.0") + 10 < rate("disk-prune-images", "1.0.0"));
        let helped = |id: &str, version: &str| {
            let runs = of(&all, id, version);
            let count = |verdict| runs.iter().filter(|e| e.assessment == verdict).count();
            percent(count(Assessment::Effective), count(Assessment::Effective) + count(Assessment::Ineffective))
        };
        assert!(helped("oomkill-optimize-application", "1.0.0") + 20 < helped("oomkill-scale-down", "1.1.0"));
    }

    #[test]
    fn every_way_to_end_and_every_verdict_is_there_and_people_differ() {
        let all = sample();
        for state in ExecutionState::ALL.iter().filter(|state| state.ended()) {
            assert!(all.iter().any(|e| e.state == *state), "{state}");
        }
        for verdict in Assessment::ALL {
            assert!(all.iter().any(|e| e.assessment == *verdict), "{verdict}");
        }
        assert!(people().iter().all(|person| all.iter().any(|e| e.approved_by == [person.clone()])));
        assert!(all.iter().any(|e| e.approved_by.len() == 2));
        let models: BTreeSet<_> = all.iter().filter_map(|e| e.subject.model.as_deref()).collect();
        assert_eq!(models.len(), profiles::ADVISORS.len());
        let retried = all.iter().flat_map(|e| &e.tasks).any(|task| task.attempts.len() > 1);
        assert!(retried, "some tasks needed more than one attempt");
    }

    #[test]
    fn what_ran_is_what_was_approved() {
        let all = remediations();
        let with_paper = all.iter().filter(|one| one.paper.is_some()).count();
        assert!(with_paper * 10 > all.len() * 9, "{with_paper} of {}", all.len());
        for Remediation { execution, paper } in &all {
            assert_eq!(paper.is_some(), execution.subject.workflow_id.is_some());
            let Some(Paper { recommendation, ticket, decisions }) = paper else { continue };
            assert_eq!(
                (ticket.digest(), ticket.name()),
                (&execution.subject.ticket_digest, execution.subject.name.clone())
            );
            assert_eq!(Ticket::verify(ticket.canonical(), ticket.digest()).unwrap(), *ticket);
            assert_eq!(recommendation.id, execution.subject.recommendation_id);
            assert!(decisions.iter().map(|d| &d.actor).eq(&execution.approved_by));
            assert!(decisions.is_sorted_by_key(|d| d.at));
            assert!(decisions.iter().all(|d| recommendation.created_at < d.at && d.at < recommendation.expires_at));
            assert_eq!(decisions.last().unwrap().at, execution.created_at);
        }
    }

    #[test]
    fn mornings_are_busier_than_nights() {
        let all = sample();
        let between = |from: i64, to: i64| {
            let hour = |e: &&Execution| e.created_at.as_millis().rem_euclid(DAY_MS) / HOUR_MS;
            all.iter().filter(|e| (from..to).contains(&hour(e))).count()
        };
        assert!(between(8, 12) > 2 * between(20, 24));
    }
}
