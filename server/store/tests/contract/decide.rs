//! Deciding: one transaction, one outcome, one run.

use crate::accounts::make;
use crate::support::{
    Bench, MINUTE, actor, at_once, attempt, audit_rows, contract, digest, entry, events_after, finished, new_execution,
    recommend, recommendation, ticket,
};
use domain::{
    audit::AuditEntry,
    decision::{Attempt, Refusal, Verb, Verdict, tag},
    execution::{ExecutionState, Stage, TaskState},
    identity::Role,
    ids::{DecisionId, ExecutionId, RecommendationId},
    paging::Page,
    policy::Terms,
    ports::{
        ActionFilter, DecideError, Decided, EventStore, ExecutionFilter, ExecutionStore, Known, NewDecision,
        NewExecution, NewRecommendation, RecommendationStore,
    },
    recommendation::RecommendationState as State,
    time::Timestamp,
};
use serde_json::json;
use sqlx::Executor as _;
use store::Store;

contract!(
    the_last_approval_claims_the_execution,
    a_rejection_ends_it,
    what_is_refused_leaves_no_trace,
    no_row_no_commit,
    a_ticket_runs_once_even_when_the_recommendation_is_open_again,
    only_the_approved_tickets_execution_is_claimed,
    twenty_at_once_come_to_one_outcome_and_one_execution,
    two_approvals_at_the_same_instant_both_count,
    a_decision_counts_only_from_the_state_that_was_read,
    an_approval_counts_only_under_the_policy_in_force,
    what_was_decided_is_handed_out_to_be_judged_again,
);

/// Decides as `by`, handing in the execution of ticket 1.
pub async fn decide(store: &Store, id: &str, of: &RecommendationId, attempt: Attempt) -> Result<Decided, DecideError> {
    let execution = new_execution("e1", of, 1, attempt.ticket_expires_at);
    let audit = entry(&format!("decision.{}", attempt.verb.name()));
    let reason = Some("because".into());
    store.decide(NewDecision { reason, ..new_decision(id, of, attempt, Some(execution), audit) }).await
}

pub fn new_decision(
    id: &str,
    of: &RecommendationId,
    attempt: Attempt,
    execution: Option<NewExecution>,
    audit: AuditEntry,
) -> NewDecision {
    NewDecision {
        id: DecisionId::new(id),
        recommendation_id: of.clone(),
        strategy: 0,
        attempt,
        known: Known::Any,
        reason: None,
        ticket: None,
        execution,
        audit,
    }
}

/// People who may decide.
pub async fn operators(store: &Store, names: &[&str]) {
    for name in names {
        assert!(make(store, name, &[Role::Operator]).await);
    }
}

pub async fn soon(store: &Store) -> Timestamp {
    store.now().await.unwrap().plus_ms(15 * MINUTE)
}

pub async fn recommended(store: &Store) -> RecommendationId {
    let of = recommend(store, "r1", "inc-1").await;
    store.put_ticket(ticket(1, &of), entry("ticket.make")).await.unwrap();
    of
}

async fn state(store: &Store, of: &RecommendationId) -> State {
    RecommendationStore::get(store, of).await.unwrap().unwrap().state
}

pub async fn runs(store: &Store) -> usize {
    ExecutionStore::list(store, &ExecutionFilter::default(), &Page::default()).await.unwrap().items.len()
}

async fn the_last_approval_claims_the_execution(bench: Bench) {
    let store = &bench.store;
    operators(store, &["bob", "eve"]).await;
    let of = recommended(store).await;
    let until = soon(store).await;
    let before = (audit_rows(store).await, store.latest().await.unwrap());

    let first = decide(store, "d1", &of, attempt("bob", Verb::Approve, 1, 2, until)).await.unwrap();
    assert_eq!((first.verdict, first.execution_id.as_ref()), (Verdict::Waiting { have: 1 }, None));
    assert_eq!((state(store, &of).await, runs(store).await), (State::Open, 0));
    let last = decide(store, "d2", &of, attempt("eve", Verb::Approve, 1, 2, until)).await.unwrap();
    assert_eq!(last.verdict, Verdict::Approved { have: 2 });
    assert_eq!(state(store, &of).await, State::Decided);

    let decisions = store.decisions(&of).await.unwrap();
    assert_eq!(decisions, [first.decision, last.decision]);
    assert_eq!(decisions[0].reason.as_deref(), Some("because"));
    assert_eq!(decisions[0].ticket_digest, Some(digest(1)));

    let run = ExecutionStore::get(store, &last.execution_id.unwrap()).await.unwrap().unwrap();
    assert_eq!(run.subject, new_execution("e1", &of, 1, until).subject);
    assert_eq!((run.state, run.stage, run.revision), (ExecutionState::Pending, Stage::Claimed, 1));
    assert_eq!((run.expires_at, run.approved_by), (until, vec![actor("bob"), actor("eve")]));
    assert_eq!(run.tasks, new_execution("e1", &of, 1, until).tasks);
    let actions = store.actions(&ActionFilter::default(), &Page::default()).await.unwrap().items;
    assert_eq!(actions.len(), 2);
    assert!(
        actions.iter().all(|a| a.status == TaskState::Pending && a.inputs == json!({ "SCALE_TARGET_REPLICAS": 1 }))
    );

    assert_eq!(audit_rows(store).await, before.0 + 2);
    let told: Vec<_> = events_after(store, before.1).await;
    let told: Vec<_> = told.iter().map(|(topic, subject, data)| (*topic, subject.as_str(), &data["state"])).collect();
    assert_eq!(
        told,
        [
            ("recommendation", "r1", &json!("open")),
            ("execution", "e1", &json!("pending")),
            ("recommendation", "r1", &json!("decided")),
        ]
    );
}

async fn a_rejection_ends_it(bench: Bench) {
    let store = &bench.store;
    let of = recommended(store).await;
    let until = soon(store).await;
    decide(store, "d1", &of, attempt("bob", Verb::Approve, 1, 2, until)).await.unwrap();
    let rejected = decide(store, "d2", &of, attempt("eve", Verb::Reject, 1, 2, until)).await.unwrap();
    assert_eq!((rejected.verdict, rejected.execution_id), (Verdict::Rejected, None));
    assert_eq!((state(store, &of).await, runs(store).await), (State::Decided, 0));
    let late = decide(store, "d3", &of, attempt("tom", Verb::Approve, 1, 1, until)).await;
    assert!(matches!(late, Err(DecideError::Refused(Refusal::AlreadyDecided { ref who, .. })) if who == "eve"));
    assert_eq!((store.decisions(&of).await.unwrap().len(), runs(store).await), (2, 0));
}

async fn what_is_refused_leaves_no_trace(bench: Bench) {
    let store = &bench.store;
    let of = recommended(store).await;
    let until = soon(store).await;
    let before = (audit_rows(store).await, store.latest().await.unwrap());
    let now = store.now().await.unwrap();

    let own = decide(store, "d1", &of, attempt("holmes", Verb::Approve, 1, 1, until)).await;
    assert!(matches!(own, Err(DecideError::Refused(Refusal::OwnProposal))));
    let late = decide(store, "d2", &of, attempt("bob", Verb::Approve, 1, 1, now.plus_ms(-1))).await;
    assert!(matches!(late, Err(DecideError::Refused(Refusal::Expired { .. }))), "by the database's clock");
    let stale = Attempt { revision: 2, ..attempt("bob", Verb::Approve, 1, 1, until) };
    assert!(matches!(decide(store, "d3", &of, stale).await, Err(DecideError::Refused(Refusal::Changed))));
    let unknown = RecommendationId::new("nothing");
    let missing = decide(store, "d4", &unknown, attempt("bob", Verb::Approve, 1, 1, until)).await;
    assert!(matches!(missing, Err(DecideError::NotFound)));

    assert_eq!((audit_rows(store).await, store.latest().await.unwrap()), before);
    assert!(store.decisions(&of).await.unwrap().is_empty());
    assert_eq!((state(store, &of).await, runs(store).await), (State::Open, 0));

    let short = NewRecommendation { open_for_ms: 1, ..recommendation("r2", "inc-2") };
    let short = store.insert(short, entry("recommendation.submit")).await.unwrap().id;
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let over = decide(store, "d5", &short, attempt("bob", Verb::Reject, 1, 1, until)).await;
    assert!(matches!(over, Err(DecideError::Refused(Refusal::Expired { .. }))));
}

/// An act whose audit row can't be written is none.
async fn no_row_no_commit(bench: Bench) {
    let store = &bench.store;
    let of = recommended(store).await;
    let until = soon(store).await;
    let told = store.latest().await.unwrap();
    let mut raw = bench.raw().await;
    raw.execute("ALTER TABLE audit RENAME TO elsewhere").await.unwrap();
    let refused = decide(store, "d1", &of, attempt("bob", Verb::Approve, 1, 1, until)).await;
    assert!(matches!(refused, Err(DecideError::Store(_))), "{refused:?}");
    assert!(store.put_ticket(ticket(2, &of), entry("ticket.make")).await.is_err());
    raw.execute("ALTER TABLE elsewhere RENAME TO audit").await.unwrap();
    assert_eq!((state(store, &of).await, runs(store).await), (State::Open, 0));
    assert!(store.decisions(&of).await.unwrap().is_empty());
    assert!(RecommendationStore::ticket(store, &digest(2)).await.unwrap().is_none());
    assert_eq!(store.latest().await.unwrap(), told, "nobody was told either");
    decide(store, "d2", &of, attempt("bob", Verb::Approve, 1, 1, until)).await.unwrap();
}

async fn a_ticket_runs_once_even_when_the_recommendation_is_open_again(bench: Bench) {
    let store = &bench.store;
    let of = recommended(store).await;
    let now = store.now().await.unwrap();
    ExecutionStore::import(store, &[finished("other", 1, now, 1, 1000)]).await.unwrap();
    let before = (audit_rows(store).await, store.latest().await.unwrap());
    let again = decide(store, "d1", &of, attempt("bob", Verb::Approve, 1, 1, soon(store).await)).await;
    assert!(matches!(again, Err(DecideError::TicketUsed)), "{again:?}");
    assert_eq!(state(store, &of).await, State::Open);
    assert!(store.decisions(&of).await.unwrap().is_empty());
    assert_eq!((audit_rows(store).await, store.latest().await.unwrap()), before);
}

async fn only_the_approved_tickets_execution_is_claimed(bench: Bench) {
    let store = &bench.store;
    let of = recommended(store).await;
    let until = soon(store).await;
    // Approved is ticket 2, handed in is the execution of ticket 1; or none at all.
    let wrong = decide(store, "d1", &of, attempt("bob", Verb::Approve, 2, 1, until)).await;
    assert!(matches!(wrong, Err(DecideError::Store(_))));
    let approve = attempt("bob", Verb::Approve, 1, 1, until);
    let none = store.decide(new_decision("d2", &of, approve, None, entry("decision.approve"))).await;
    assert!(matches!(none, Err(DecideError::Store(_))));
    assert_eq!((state(store, &of).await, runs(store).await), (State::Open, 0));
    assert!(store.decisions(&of).await.unwrap().is_empty());
}

async fn twenty_at_once_come_to_one_outcome_and_one_execution(bench: Bench) {
    let store = &bench.store;
    let of = recommended(store).await;
    let until = soon(store).await;
    let audited = audit_rows(store).await;
    let answers = at_once(&bench, 20, |store, n| {
        let of = of.clone();
        let verb = if n % 4 == 3 { Verb::Reject } else { Verb::Approve };
        async move {
            let attempt = attempt(&format!("person-{n}"), verb, 1, 1, until);
            // Everybody hands in an execution with an id of their own: only the ticket keeps them apart.
            let mut execution = new_execution(&format!("e{n}"), &of, 1, until);
            execution.subject.name = "remediation-of-ticket-1".into();
            store.decide(new_decision(&format!("d{n}"), &of, attempt, Some(execution), entry("decision"))).await
        }
    })
    .await;
    let won: Vec<_> = answers.iter().filter_map(|a| a.as_ref().ok()).collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    let lost =
        answers.iter().filter(|a| matches!(a, Err(DecideError::Refused(Refusal::AlreadyDecided { .. })))).count();
    assert_eq!(lost, 19, "{answers:?}");
    let approved = usize::from(won[0].execution_id.is_some());
    assert_eq!(runs(store).await, approved);
    assert_eq!(store.decisions(&of).await.unwrap().len(), 1);
    assert_eq!(audit_rows(store).await, audited + 1);
    assert_eq!(state(store, &of).await, State::Decided);
}

async fn two_approvals_at_the_same_instant_both_count(bench: Bench) {
    operators(&bench.store, &["bob", "eve"]).await;
    for round in 0..5_u8 {
        let store = &bench.store;
        let ticket_number = round + 10;
        let of = recommend(store, &format!("r{round}"), &format!("inc-{round}")).await;
        store.put_ticket(ticket(ticket_number, &of), entry("ticket.make")).await.unwrap();
        let until = soon(store).await;
        let decided = at_once(&bench, 2, |store, n| {
            let (of, name) = (of.clone(), ["bob", "eve"][usize::from(n)]);
            async move {
                let attempt = attempt(name, Verb::Approve, ticket_number, 2, until);
                let execution = new_execution(&format!("e{round}"), &of, ticket_number, until);
                let id = format!("d{round}-{name}");
                store.decide(new_decision(&id, &of, attempt, Some(execution), entry("decision.approve"))).await.unwrap()
            }
        })
        .await;
        let mut verdicts: Vec<_> = decided.into_iter().map(|d| format!("{:?}", d.verdict)).collect();
        verdicts.sort();
        assert_eq!(verdicts, ["Approved { have: 2 }", "Waiting { have: 1 }"]);
        assert_eq!(store.decisions(&of).await.unwrap().len(), 2);
        let run = ExecutionStore::get(store, &ExecutionId::new(format!("e{round}"))).await.unwrap().unwrap();
        assert_eq!(run.approved_by.len(), 2);
    }
}

async fn a_decision_counts_only_from_the_state_that_was_read(bench: Bench) {
    let store = &bench.store;
    let of = recommended(store).await;
    let until = soon(store).await;
    let read = tag(&RecommendationStore::get(store, &of).await.unwrap().unwrap(), 0);
    let from = |id: &str, by: &str, known: &str| {
        let attempt = attempt(by, Verb::Approve, 1, 3, until);
        let known = Known::Tags(vec![known.to_owned()]);
        let execution = new_execution("e1", &of, 1, until);
        let decision = new_decision(id, &of, attempt, Some(execution), entry("decision.approve"));
        store.decide(NewDecision { known, ..decision })
    };
    from("d1", "bob", &read).await.unwrap();
    let Err(DecideError::Moved { tag: now }) = from("d2", "eve", &read).await else { panic!("it has moved") };
    assert_eq!(store.decisions(&of).await.unwrap().len(), 1, "a refusal writes nothing");
    from("d3", "eve", &now).await.unwrap();

    // Who reads the same state at the same instant: one of them.
    let of = recommend(store, "r2", "inc-2").await;
    let read = tag(&RecommendationStore::get(store, &of).await.unwrap().unwrap(), 0);
    let answers = at_once(&bench, 10, |store, n| {
        let (of, known) = (of.clone(), Known::Tags(vec![read.clone()]));
        async move {
            let attempt = attempt(&format!("person-{n}"), Verb::Approve, 2, 10, until);
            let decision = new_decision(&format!("x{n}"), &of, attempt, None, entry("decision.approve"));
            store.decide(NewDecision { known, ..decision }).await
        }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    let moved = answers.iter().filter(|answer| matches!(answer, Err(DecideError::Moved { .. }))).count();
    assert_eq!(moved, 9, "{answers:?}");
}

async fn an_approval_counts_only_under_the_policy_in_force(bench: Bench) {
    let store = &bench.store;
    let of = recommended(store).await;
    let until = soon(store).await;
    let under = |version| Attempt { terms: Terms::people(version, 1), ..attempt("bob", Verb::Approve, 1, 1, until) };
    let old = decide(store, "d1", &of, under(7)).await;
    assert!(matches!(old, Err(DecideError::PolicyChanged)), "{old:?}");
    assert!(store.decisions(&of).await.unwrap().is_empty());
    let of_dba = Attempt { stands_for: vec!["dba".into()], ..under(1) };
    let counted = decide(store, "d2", &of, of_dba).await.unwrap();
    assert_eq!(counted.decision.stands_for, ["dba"]);
    assert_eq!(store.decisions(&of).await.unwrap(), [counted.decision]);
    let of = recommend(store, "r2", "inc-2").await;
    let reject = Attempt { terms: Terms::people(7, 1), ..attempt("bob", Verb::Reject, 1, 1, until) };
    decide(store, "d3", &of, reject).await.unwrap();
}

async fn what_was_decided_is_handed_out_to_be_judged_again(bench: Bench) {
    let store = &bench.store;
    let since = store.now().await.unwrap().plus_ms(-MINUTE);
    let until = soon(store).await;
    let approved = recommended(store).await;
    decide(store, "d1", &approved, attempt("bob", Verb::Approve, 1, 1, until)).await.unwrap();
    let rejected = recommend(store, "r2", "inc-2").await;
    decide(store, "d2", &rejected, attempt("eve", Verb::Reject, 2, 1, until)).await.unwrap();
    recommend(store, "r3", "inc-3").await;
    let short = NewRecommendation { open_for_ms: 1, ..recommendation("r4", "inc-4") };
    store.insert(short, entry("recommendation.submit")).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;

    let all = store.judged(since, None, 10).await.unwrap();
    let told: Vec<_> = all.iter().map(|one| (one.recommendation.id.as_str(), one.recommendation.state)).collect();
    assert_eq!(told, [("r4", State::Expired), ("r2", State::Decided), ("r1", State::Decided)], "what is open is not");
    let first = &all[2];
    assert_eq!(first.decisions.len(), 1);
    assert_eq!(first.ticket.as_ref().map(|ticket| &ticket.digest), Some(&digest(1)));
    assert_eq!(first.run.as_ref().map(|run| run.subject.id.as_str()), Some("e1"));
    assert!(all[0].ticket.is_none() && all[0].run.is_none() && all[0].decisions.is_empty());

    let page = store.judged(since, None, 2).await.unwrap();
    let last = page.last().map(|one| (one.recommendation.created_at, one.recommendation.id.clone()));
    let rest = store.judged(since, last, 2).await.unwrap();
    assert_eq!(rest.iter().map(|one| one.recommendation.id.as_str()).collect::<Vec<_>>(), ["r1"]);
    assert!(store.judged(until, None, 2).await.unwrap().is_empty());
}
