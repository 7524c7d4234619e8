//! Approving, rejecting, editing, expiring and superseding at the same instant, from twenty connections: whatever comes first, it
//! comes to one outcome, the same one wherever it is read; and whoever was told that their approval counts finds it kept.

use crate::accounts::make;
use crate::support::{
    Bench, MINUTE, actor, at_once, attempt, contract, digest, entry, events_after, new_execution, recommend,
    recommendation, ticket,
};
use domain::{
    audit::AuditFilter,
    decision::{Refusal, Verb, Verdict},
    identity::Role,
    ids::{DecisionId, RecommendationId},
    paging::Page,
    ports::{
        AuditStore, DecideError, Decided, EventStore, ExecutionFilter, ExecutionStore, Known, NewDecision,
        RecommendationStore,
    },
    recommendation::RecommendationState as State,
    time::Timestamp,
};
use sqlx::{AnyConnection, Connection as _};
use store::Store;

contract!(whatever_races_comes_to_one_outcome_and_no_approval_is_lost);

const CONNECTIONS: u8 = 20;
/// So many must approve: some approvals count before any outcome.
const NEED: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Approve,
    Reject,
    Edit,
    Expire,
    Supersede,
}

/// Who takes part in each round; the connections take turns.
const ROUNDS: [&[Act]; 6] = [
    &[Act::Approve, Act::Reject, Act::Edit, Act::Expire, Act::Supersede],
    &[Act::Approve, Act::Approve, Act::Approve, Act::Edit, Act::Expire],
    &[Act::Approve, Act::Approve, Act::Approve, Act::Edit, Act::Supersede],
    &[Act::Approve, Act::Approve, Act::Approve, Act::Reject],
    &[Act::Approve, Act::Edit],
    &[Act::Expire, Act::Supersede, Act::Approve, Act::Approve],
];

/// What one of them was told.
#[derive(Debug)]
enum Told {
    Decided(Box<Result<Decided, DecideError>>),
    Edited(u8, bool),
    Nothing,
}

struct Round {
    number: u8,
    of: RecommendationId,
    incident: String,
    /// The ticket that is approved; edits make others.
    ticket: u8,
    until: Timestamp,
    url: String,
}

impl Round {
    async fn act(&self, store: Store, n: u8, act: Act) -> Told {
        match act {
            Act::Approve => Told::Decided(Box::new(self.decide(&store, n, Verb::Approve).await)),
            Act::Reject => Told::Decided(Box::new(self.decide(&store, n, Verb::Reject).await)),
            Act::Edit => {
                let edited = 100 + n;
                let kept = store.put_ticket(ticket(self.edited(edited), &self.of), entry("ticket.make")).await.unwrap();
                Told::Edited(self.edited(edited), kept)
            }
            Act::Expire => {
                // Its time is over at this very moment.
                let mut raw = AnyConnection::connect(&self.url).await.unwrap();
                let sql = format!("UPDATE recommendations SET expires_at = 1 WHERE id = '{}'", self.of);
                sqlx::query(&sql).execute(&mut raw).await.unwrap();
                store.expire_due().await.unwrap();
                Told::Nothing
            }
            Act::Supersede => {
                let id = format!("newer-{}-{n}", self.number);
                store.insert(recommendation(&id, &self.incident), entry("recommendation.submit")).await.unwrap();
                Told::Nothing
            }
        }
    }

    /// A number of its own for each edit of each round.
    fn edited(&self, n: u8) -> u8 {
        n + self.number * CONNECTIONS
    }

    async fn decide(&self, store: &Store, n: u8, verb: Verb) -> Result<Decided, DecideError> {
        let mut execution = new_execution(&format!("e{}-{n}", self.number), &self.of, self.ticket, self.until);
        execution.subject.name = format!("remediation-{}", self.number);
        let new = NewDecision {
            id: DecisionId::new(format!("d{}-{n}", self.number)),
            recommendation_id: self.of.clone(),
            strategy: 0,
            attempt: attempt(&format!("person-{n}"), verb, self.ticket, NEED, self.until),
            known: Known::Any,
            reason: None,
            ticket: None,
            execution: Some(execution),
            audit: entry(&format!("decision.{}", verb.name())),
        };
        store.decide(new).await
    }
}

async fn whatever_races_comes_to_one_outcome_and_no_approval_is_lost(bench: Bench) {
    for n in 0..CONNECTIONS {
        assert!(make(&bench.store, &format!("person-{n}"), &[Role::Operator]).await);
    }
    for (number, acts) in (0_u8..).zip(ROUNDS) {
        let store = &bench.store;
        let incident = format!("inc-{number}");
        let of = recommend(store, &format!("r{number}"), &incident).await;
        let until = store.now().await.unwrap().plus_ms(15 * MINUTE);
        store.put_ticket(ticket(number + 1, &of), entry("ticket.make")).await.unwrap();
        let (audited, heard) = (decisions_audited(store).await, store.latest().await.unwrap());
        let told = at_once(&bench, CONNECTIONS, |store, n| {
            let act = acts[usize::from(n) % acts.len()];
            let round = Round {
                number,
                of: of.clone(),
                incident: incident.clone(),
                ticket: number + 1,
                until,
                url: bench.url.clone(),
            };
            async move { round.act(store, n, act).await }
        })
        .await;
        one_outcome(&bench, &of, number, &told, heard).await;
        let counted = told.iter().filter(|told| matches!(told, Told::Decided(answer) if answer.is_ok())).count();
        assert_eq!(decisions_audited(store).await, audited + counted, "round {number}: a row for each that counts");
    }
}

async fn decisions_audited(store: &Store) -> usize {
    let filter = AuditFilter { action: Some("decision.".into()), ..AuditFilter::default() };
    store.after(&filter, 0, 100_000).await.unwrap().len()
}

async fn one_outcome(bench: &Bench, of: &RecommendationId, number: u8, told: &[Told], heard: i64) {
    let store = &bench.store;
    let decided: Vec<_> = told
        .iter()
        .filter_map(|told| if let Told::Decided(answer) = told { Some(answer.as_ref()) } else { None })
        .collect();
    let counted: Vec<_> = decided.iter().filter_map(|answer| answer.as_ref().ok()).collect();

    // Nothing that counted is lost, and nothing else is kept.
    let mut kept: Vec<_> = store.decisions(of).await.unwrap().into_iter().map(|d| d.id.to_string()).collect();
    let mut promised: Vec<_> = counted.iter().map(|one| one.decision.id.to_string()).collect();
    kept.sort();
    promised.sort();
    assert_eq!(kept, promised, "round {number}");

    // One outcome, told once, the same wherever it is read.
    let state = RecommendationStore::get(store, of).await.unwrap().unwrap().state;
    let elsewhere = RecommendationStore::get(&bench.another().await, of).await.unwrap().unwrap().state;
    assert_eq!(state, elsewhere, "round {number}");
    let closed: Vec<_> = events_after(store, heard)
        .await
        .into_iter()
        .filter(|(topic, subject, data)| {
            *topic == "recommendation" && subject == of.as_str() && data["state"] != "open"
        })
        .map(|(_, _, data)| data["state"].as_str().unwrap().to_owned())
        .collect();
    let ends = counted.iter().filter(|one| !matches!(one.verdict, Verdict::Waiting { .. })).count();
    match state {
        State::Open => assert!(closed.is_empty() && ends == 0, "round {number}: {closed:?}"),
        ended => {
            assert_eq!(closed, [ended.name()], "round {number}");
            assert_eq!(ends, usize::from(ended == State::Decided), "round {number}: {counted:?}");
        }
    }
    for answer in decided.iter().filter_map(|answer| answer.as_ref().err()) {
        let fits = match answer {
            DecideError::Refused(Refusal::AlreadyDecided { .. }) => state == State::Decided,
            DecideError::Refused(Refusal::Superseded) => state == State::Superseded,
            DecideError::Refused(Refusal::Expired { .. }) => state != State::Decided && state != State::Open,
            _ => false,
        };
        assert!(fits, "round {number}: told {answer:?}, and it is {state}");
    }

    // A run exactly where the last approval was counted, with all who approved.
    let runs = ExecutionStore::list(store, &ExecutionFilter::default(), &Page::first(200)).await.unwrap().items;
    let runs: Vec<_> = runs.into_iter().filter(|run| run.subject.recommendation_id == *of).collect();
    let approved = counted.iter().find(|one| matches!(one.verdict, Verdict::Approved { .. }));
    assert_eq!(runs.len(), usize::from(approved.is_some()), "round {number}");
    if let Some(run) = runs.first() {
        assert_eq!(run.approved_by.len(), usize::try_from(NEED).unwrap(), "round {number}");
        assert!(run.approved_by.iter().all(|by| *by != actor("holmes")));
    }
    for (edited, was_kept) in
        told.iter().filter_map(|told| if let Told::Edited(n, kept) = told { Some((*n, *kept)) } else { None })
    {
        assert_eq!(store.ticket(&digest(edited)).await.unwrap().is_some(), was_kept, "round {number}: ticket {edited}");
    }
}
