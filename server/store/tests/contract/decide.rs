//! Deciding: one transaction, one outcome, one run.

use crate::accounts::make;
use crate::policies::{activate, put_in_force};
use crate::support::{
    Bench, MINUTE, actor, at_once, attempt, audit_rows, claimed, contract, digest, entry, events_after, finished,
    new_execution, recommend, recommendation, seen, spot, ticket,
};
use domain::{
    audit::AuditEntry,
    decision::{Attempt, Decision, Refusal, Verb, Verdict, tag},
    execution::{ExecutionState, Stage, TaskState},
    identity::{Actor, Role},
    ids::{ActorId, DecisionId, ExecutionId, RecommendationId},
    paging::Page,
    policy::{Concurrency, Quorum, Terms},
    ports::{
        AccountStore, ActionFilter, DecideError, Decided, EventStore, ExecutionFilter, ExecutionStore, Known,
        NewDecision, NewExecution, NewRecommendation, NewToken, Permit, PolicyStore, ProviderStore,
        RecommendationStore,
    },
    provider::FederatedIdentity,
    recommendation::{RecommendationState as State, ResourceRef},
    target::kinds::Spot,
    time::Timestamp,
};
use serde_json::json;
use sqlx::Executor as _;
use std::collections::BTreeSet;
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
    an_approval_counts_as_long_as_its_giver_may_decide,
    a_revoked_token_that_is_nobodys_approves_no_more,
    what_was_approved_in_person_counts_as_long_as_its_giver_gets_in,
    what_was_approved_before_a_policy_came_back_counts_no_more,
    who_has_left_a_group_stands_for_it_no_more,
    a_decision_counts_only_from_the_state_that_was_read,
    an_approval_counts_only_under_the_policy_in_force,
    runs_on_the_same_object_are_kept_apart,
    runs_are_kept_apart_by_every_object_however_it_is_written,
    of_two_on_the_same_object_at_the_same_instant_one_is_approved,
    what_was_decided_is_handed_out_to_be_judged_again,
);

/// Decides as `by`, handing in the execution of ticket 1.
async fn decide(store: &Store, id: &str, of: &RecommendationId, attempt: Attempt) -> Result<Decided, DecideError> {
    let execution = new_execution("e1", of, 1, attempt.ticket_expires_at);
    let audit = entry(&format!("decision.{}", attempt.verb.name()));
    let reason = Some("because".into());
    store.decide(NewDecision { reason, ..new_decision(id, of, attempt, Some(execution), audit) }).await
}

fn new_decision(
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
async fn operators(store: &Store, names: &[&str]) {
    for name in names {
        assert!(make(store, name, &[Role::Operator]).await);
    }
}

/// Whose approvals among these count no more.
async fn lapsed(store: &Store, all: &[Decision]) -> BTreeSet<ActorId> {
    let counting = store.counting(all.to_vec()).await.unwrap();
    all.iter().filter(|one| !counting.contains(one)).map(|one| one.actor.person().clone()).collect()
}

async fn soon(store: &Store) -> Timestamp {
    store.now().await.unwrap().plus_ms(15 * MINUTE)
}

async fn recommended(store: &Store) -> RecommendationId {
    let of = recommend(store, "r1", "inc-1").await;
    store.put_ticket(ticket(1, &of), entry("ticket.make")).await.unwrap();
    of
}

async fn state(store: &Store, of: &RecommendationId) -> State {
    RecommendationStore::get(store, of).await.unwrap().unwrap().state
}

async fn runs(store: &Store) -> usize {
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

async fn an_approval_counts_as_long_as_its_giver_may_decide(bench: Bench) {
    let store = &bench.store;
    operators(store, &["bob", "eve", "tom"]).await;
    let of = recommended(store).await;
    let until = soon(store).await;
    decide(store, "d1", &of, attempt("bob", Verb::Approve, 1, 2, until)).await.unwrap();
    let all = store.decisions(&of).await.unwrap();
    assert!(lapsed(store, &all).await.is_empty());

    store.set_disabled("bob", true, true, entry("account.disable")).await.unwrap();
    assert_eq!(lapsed(store, &all).await, BTreeSet::from([ActorId::new("user:bob")]));
    let second = decide(store, "d2", &of, attempt("eve", Verb::Approve, 1, 2, until)).await.unwrap();
    assert_eq!(second.verdict, Verdict::Waiting { have: 1 }, "of a disabled person nothing counts");
    assert_eq!(runs(store).await, 0);

    store.set_disabled("bob", false, true, entry("account.enable")).await.unwrap();
    let of_a_group = "UPDATE users SET member_of = '[\"contractors\"]' WHERE id = 'user:bob'";
    sqlx::query(of_a_group).execute(&mut bench.raw().await).await.unwrap();
    assert!(lapsed(store, &all).await.is_empty());
    assert!(store.block_group("contractors", entry("group.block")).await.unwrap());
    assert_eq!(lapsed(store, &all).await, BTreeSet::from([ActorId::new("user:bob")]), "nor of a blocked group");
    assert!(store.unblock_group("contractors", entry("group.unblock")).await.unwrap());
    store.set_roles("bob", &[Role::Viewer], true, entry("account.roles")).await.unwrap();
    store.set_roles("eve", &[Role::Author], true, entry("account.roles")).await.unwrap();
    let third = decide(store, "d3", &of, attempt("tom", Verb::Approve, 1, 2, until)).await.unwrap();
    assert_eq!(third.verdict, Verdict::Waiting { have: 1 }, "nor of who may decide no more");
    assert_eq!(store.decisions(&of).await.unwrap().len(), 3, "what was decided is kept");

    store.set_roles("eve", &[Role::Admin], true, entry("account.roles")).await.unwrap();
    operators(store, &["ann"]).await;
    let last = decide(store, "d4", &of, attempt("ann", Verb::Approve, 1, 3, until)).await.unwrap();
    assert_eq!(last.verdict, Verdict::Approved { have: 3 });
    let run = ExecutionStore::get(store, &last.execution_id.unwrap()).await.unwrap().unwrap();
    assert_eq!(run.approved_by, vec![actor("eve"), actor("tom"), actor("ann")], "only who counted is named");
    store.set_disabled("ann", true, true, entry("account.disable")).await.unwrap();
    let late = decide(store, "d5", &of, attempt("tom", Verb::Approve, 1, 1, until)).await;
    assert!(
        matches!(late, Err(DecideError::Refused(Refusal::AlreadyDecided { ref who, .. })) if who == "ann"),
        "{late:?}"
    );
}

async fn a_revoked_token_that_is_nobodys_approves_no_more(bench: Bench) {
    let store = &bench.store;
    operators(store, &["bob"]).await;
    let of = recommended(store).await;
    let until = soon(store).await;
    let token = |id: &str, owner: Option<&str>| NewToken {
        id: format!("token:{id}"),
        name: id.into(),
        roles: vec![Role::Operator],
        owner: owner.map(ActorId::new),
        secret_hash: format!("hash of {id}"),
        expires_at: None,
    };
    for (id, owner) in [("machine", None), ("bobs", Some("user:bob"))] {
        assert!(store.create_token(token(id, owner), entry("token.create")).await.unwrap());
    }
    let by = |id: &str, owner: Option<&str>| Attempt {
        actor: Actor { owner: owner.map(ActorId::new), ..Actor::new(ActorId::new(format!("token:{id}")), id) },
        ..attempt("x", Verb::Approve, 1, 3, until)
    };
    decide(store, "d1", &of, by("machine", None)).await.unwrap();
    let second = decide(store, "d2", &of, by("bobs", Some("user:bob"))).await.unwrap();
    assert_eq!(second.verdict, Verdict::Waiting { have: 2 });
    let all = store.decisions(&of).await.unwrap();
    store.revoke_token("bobs", entry("token.revoke")).await.unwrap();
    assert!(lapsed(store, &all).await.is_empty(), "a person's token stands for the person");
    store.revoke_token("machine", entry("token.revoke")).await.unwrap();
    assert_eq!(lapsed(store, &all).await, BTreeSet::from([ActorId::new("token:machine")]));

    // One that has run out is as good as revoked.
    let back = "UPDATE tokens SET revoked_at = NULL WHERE id = 'token:machine'";
    sqlx::query(back).execute(&mut bench.raw().await).await.unwrap();
    assert!(lapsed(store, &all).await.is_empty());
    let over = store.now().await.unwrap().plus_ms(-1).as_millis();
    let over = format!("UPDATE tokens SET expires_at = {over} WHERE id = 'token:machine'");
    sqlx::query(&over).execute(&mut bench.raw().await).await.unwrap();
    assert_eq!(lapsed(store, &all).await, BTreeSet::from([ActorId::new("token:machine")]));
}

async fn what_was_approved_in_person_counts_as_long_as_its_giver_gets_in(bench: Bench) {
    let store = &bench.store;
    operators(store, &["bob", "eve", "ada"]).await;
    let from_there = "UPDATE users SET issuer = 'https://sso.example', subject = '1', member_of = '[\"oncall\"]' \
                      WHERE id = 'user:ada'";
    sqlx::query(from_there).execute(&mut bench.raw().await).await.unwrap();
    let of = recommended(store).await;
    let until = soon(store).await;
    let by_token = Attempt {
        actor: Actor {
            owner: Some(ActorId::new("user:eve")),
            ..Actor::new(ActorId::new("token:eves"), "eve (token t)")
        },
        ..attempt("x", Verb::Approve, 1, 4, until)
    };
    decide(store, "d1", &of, attempt("bob", Verb::Approve, 1, 4, until)).await.unwrap();
    decide(store, "d2", &of, by_token).await.unwrap();
    decide(store, "d3", &of, attempt("ada", Verb::Approve, 1, 4, until)).await.unwrap();
    let all = store.decisions(&of).await.unwrap();
    assert!(lapsed(store, &all).await.is_empty());
    let off = bench.without_local_accounts().await;
    let bob = BTreeSet::from([ActorId::new("user:bob")]);
    assert_eq!(lapsed(&off, &all).await, bob, "tokens of local accounts go on");

    // The provider's people may by now what the settings give them now.
    let nothing = store.judge_anew(&|_| Vec::new(), entry("account.roles")).await.unwrap();
    assert_eq!(nothing, 1);
    assert_eq!(lapsed(store, &all).await, BTreeSet::from([ActorId::new("user:ada")]));
    let audited = audit_rows(store).await;
    let again = store.judge_anew(&|_| Vec::new(), entry("account.roles")).await.unwrap();
    assert_eq!((again, audit_rows(store).await), (0, audited), "what is so already is not told");
    let by_group = |from: &FederatedIdentity| {
        assert_eq!((from.issuer.as_str(), from.groups.as_slice()), ("https://sso.example", &["oncall".to_owned()][..]));
        vec![Role::Operator]
    };
    assert_eq!(store.judge_anew(&by_group, entry("account.roles")).await.unwrap(), 1);
    assert_eq!(audit_rows(store).await, audited + 1);
    assert!(lapsed(store, &all).await.is_empty());
}

async fn what_was_approved_before_a_policy_came_back_counts_no_more(bench: Bench) {
    let store = &bench.store;
    operators(store, &["bob", "eve"]).await;
    let of = recommended(store).await;
    let until = soon(store).await;
    decide(store, "d1", &of, attempt("bob", Verb::Approve, 1, 2, until)).await.unwrap();
    // Times are whole milliseconds.
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    put_in_force(store, &json!({ "name": "other", "rules": [{ "name": "all", "approvals": 1 }] })).await;
    activate(store, 1, actor("ada")).await;
    assert_eq!(store.active().await.unwrap().version, 1);
    let all = store.decisions(&of).await.unwrap();
    assert_eq!(lapsed(store, &all).await, BTreeSet::from([ActorId::new("user:bob")]));
    let second = decide(store, "d2", &of, attempt("eve", Verb::Approve, 1, 2, until)).await.unwrap();
    assert_eq!(second.verdict, Verdict::Waiting { have: 1 });
    let again = decide(store, "d3", &of, attempt("bob", Verb::Approve, 1, 2, until)).await.unwrap();
    assert_eq!(again.verdict, Verdict::Approved { have: 2 }, "they can say it again");
    let run = ExecutionStore::get(store, &again.execution_id.unwrap()).await.unwrap().unwrap();
    assert_eq!(run.approved_by, vec![actor("eve"), actor("bob")]);
}

async fn who_has_left_a_group_stands_for_it_no_more(bench: Bench) {
    let store = &bench.store;
    for admin in ["ada", "tom"] {
        assert!(make(store, admin, &[Role::Admin]).await);
    }
    operators(store, &["bob", "eve"]).await;
    let of = vec!["dba".to_owned(), "sre".to_owned()];
    let document = json!({
        "name": "groups", "groups": { "dba": ["role:admin"], "sre": ["bob", "eve"] },
        "rules": [{ "name": "all", "approvals": { "need": 2, "of": of } }],
    });
    let version = put_in_force(store, &document).await;
    let terms = Terms { quorum: Quorum { of, ..Quorum::people(2) }, ..Terms::people(version, 2) };
    let recommended = recommended(store).await;
    let until = soon(store).await;
    let by = |name: &str, group: &str| Attempt {
        terms: terms.clone(),
        stands_for: vec![group.to_owned()],
        ..attempt(name, Verb::Approve, 1, 2, until)
    };
    decide(store, "d1", &recommended, by("tom", "dba")).await.unwrap();
    let all = store.decisions(&recommended).await.unwrap();
    assert!(lapsed(store, &all).await.is_empty());
    store.set_roles("tom", &[Role::Operator], true, entry("account.roles")).await.unwrap();
    assert_eq!(lapsed(store, &all).await, BTreeSet::from([ActorId::new("user:tom")]), "though they may decide still");
    let second = decide(store, "d2", &recommended, by("bob", "sre")).await.unwrap();
    assert_eq!(second.verdict, Verdict::Waiting { have: 1 });
    store.set_roles("tom", &[Role::Admin], true, entry("account.roles")).await.unwrap();
    let third = decide(store, "d3", &recommended, by("eve", "sre")).await.unwrap();
    assert_eq!(third.verdict, Verdict::Approved { have: 3 }, "and does again once they are back");
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

fn on_my_app(mut new: NewExecution, guard: Concurrency) -> NewExecution {
    new.subject.acts_on =
        Some(ResourceRef { kind: "Deployment".into(), namespace: Some("production".into()), name: "my-app".into() });
    NewExecution { objects: vec![spot("Deployment", "production", "my-app")], guard, ..new }
}

/// Approves a ticket of its own that acts on my-app.
async fn approve_on_my_app(store: &Store, n: u8, guard: Concurrency) -> Result<Decided, DecideError> {
    approve_on(store, n, vec![spot("Deployment", "production", "my-app")], guard).await
}

/// The same of what acts on these.
async fn approve_on(store: &Store, n: u8, objects: Vec<Spot>, guard: Concurrency) -> Result<Decided, DecideError> {
    let id = format!("e{n}");
    let of = recommend(store, &format!("rec-{id}"), &format!("inc-{id}")).await;
    let until = soon(store).await;
    let execution = NewExecution { objects, ..on_my_app(new_execution(&id, &of, n, until), guard) };
    let attempt = attempt("bob", Verb::Approve, n, 1, until);
    store.decide(new_decision(&format!("d{n}"), &of, attempt, Some(execution), entry("decision.approve"))).await
}

const ALONE: Concurrency = Concurrency { cool_down_ms: 0, one_at_a_time: true };

async fn runs_on_the_same_object_are_kept_apart(bench: Bench) {
    let store = &bench.store;
    let first = approve_on_my_app(store, 1, Concurrency::default()).await.unwrap().execution_id.unwrap();
    let busy = approve_on_my_app(store, 2, ALONE).await;
    let Err(DecideError::Busy(other)) = busy else { panic!("{busy:?}") };
    assert_eq!((other.id, other.until), (first.clone(), None));
    let beside = approve_on_my_app(store, 3, Concurrency::default()).await;
    assert!(beside.is_ok(), "neither of the two asks for it: {beside:?}");
    claimed(store, "elsewhere", 9).await;

    // Once they have ended: only what was let go needs time to cool down.
    for id in [&first, &beside.unwrap().execution_id.unwrap()] {
        store.observe(id, seen(ExecutionState::Cancelled, Stage::Ended, vec![])).await.unwrap();
    }
    let cooling = Concurrency { cool_down_ms: 60 * MINUTE, one_at_a_time: true };
    let guarded = approve_on_my_app(store, 4, cooling).await.unwrap().execution_id.unwrap();
    let symmetric = approve_on_my_app(store, 5, Concurrency::default()).await;
    assert!(matches!(symmetric, Err(DecideError::Busy(_))), "one that is to be alone is: {symmetric:?}");

    store.observe(&guarded, seen(ExecutionState::Pending, Stage::Created, vec![])).await.unwrap();
    let Permit::Given(epoch) = store.begin_start(&guarded).await.unwrap() else { panic!("it may start") };
    assert_eq!(store.may_start(&guarded, epoch, "run").await.unwrap(), Permit::Given(epoch));
    let now = store.now().await.unwrap();
    let mut ended = seen(ExecutionState::Succeeded, Stage::Ended, vec![]);
    (ended.started_at, ended.finished_at) = (Some(now), Some(now));
    store.observe(&guarded, ended).await.unwrap();
    let busy = approve_on_my_app(store, 6, cooling).await;
    let Err(DecideError::Busy(other)) = busy else { panic!("{busy:?}") };
    assert_eq!(other.until, Some(now.plus_ms(60 * MINUTE)));
    let wanted = on_my_app(new_execution("x", &RecommendationId::new("other"), 8, now), cooling).objects;
    assert_eq!(store.in_the_way("sandbox", &wanted, cooling).await.unwrap(), Some(other));
    approve_on_my_app(store, 7, ALONE).await.unwrap();
}

async fn runs_are_kept_apart_by_every_object_however_it_is_written(bench: Bench) {
    let store = &bench.store;
    let app = || spot("Deployment", "production", "my-app");
    let decoy = spot("Deployment", "dev", "decoy");
    let first = approve_on(store, 1, vec![decoy.clone(), app()], Concurrency::default()).await.unwrap().execution_id.unwrap();
    let same = [
        vec![spot("DEPLOYMENTS", "production", "my-app")],
        vec![spot("Object", "production", "my-app")],
        vec![spot("deploy", "", "my-app")],
        vec![Spot::within("production")],
        vec![Spot::default()],
        vec![spot("Deployment", "dev", "another"), app()],
        vec![decoy],
        vec![],
    ];
    for (n, objects) in (2..).zip(&same) {
        let busy = approve_on(store, n, objects.clone(), ALONE).await;
        assert!(matches!(busy, Err(DecideError::Busy(_))), "{objects:?}: {busy:?}");
    }
    let others = [
        spot("Deployment", "staging", "my-app"),
        spot("Pod", "production", "my-app"),
        spot("Deployment", "production", "other"),
        spot("Node", "production", "worker-1"),
        Spot::within("payments"),
    ];
    for other in &others {
        let free = store.in_the_way("sandbox", std::slice::from_ref(other), ALONE).await.unwrap();
        assert_eq!(free, None, "{other:?}");
    }
    assert_eq!(store.in_the_way("elsewhere", &[app()], ALONE).await.unwrap(), None);
    let filter = ExecutionFilter {
        target: Some(ResourceRef {
            kind: "deployment".into(),
            namespace: Some("production".into()),
            name: "my-app".into(),
        }),
        ..ExecutionFilter::default()
    };
    assert_eq!(ExecutionStore::list(store, &filter, &Page::default()).await.unwrap().items.len(), 1);

    // The same is asked where they start: here of two that were approved without a guard.
    let mut both = vec![first];
    let place =
        approve_on(store, 20, vec![spot("Pod", "dev", "x"), Spot::within("production")], Concurrency::default()).await;
    both.push(place.unwrap().execution_id.unwrap());
    let mut epochs = Vec::new();
    for id in &both {
        store.observe(id, seen(ExecutionState::Pending, Stage::Created, vec![])).await.unwrap();
        let Permit::Given(epoch) = store.begin_start(id).await.unwrap() else { panic!("it may start") };
        epochs.push(epoch);
    }
    let raw = &mut bench.raw().await;
    sqlx::query("UPDATE executions SET alone = 1, cool_down_ms = 3600000 WHERE id = 'e20'").execute(raw).await.unwrap();
    assert_eq!(store.may_start(&both[0], epochs[0], "run").await.unwrap(), Permit::Given(epochs[0]));
    assert_eq!(store.may_start(&both[1], epochs[1], "run").await.unwrap(), Permit::Busy);
    let now = store.now().await.unwrap();
    let mut ended = seen(ExecutionState::Succeeded, Stage::Ended, vec![]);
    (ended.started_at, ended.finished_at) = (Some(now), Some(now));
    store.observe(&both[0], ended).await.unwrap();
    assert_eq!(store.may_start(&both[1], epochs[1], "run").await.unwrap(), Permit::Busy, "it cools down");
}

async fn of_two_on_the_same_object_at_the_same_instant_one_is_approved(bench: Bench) {
    let answers =
        at_once(&bench, 6, |store, n| async move { approve_on_my_app(&store, n + 1, ALONE).await.map(|d| d.verdict) })
            .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| matches!(answer, Ok(_) | Err(DecideError::Busy(_)))), "{answers:?}");
    assert_eq!(runs(&bench.store).await, 1);

    // Approved without a guard beside it, and let go first: who is to be alone waits.
    let store = &bench.store;
    let raw = &mut bench.raw().await;
    sqlx::query("UPDATE executions SET stage = 'ended'").execute(&mut *raw).await.unwrap();
    let mut both = Vec::new();
    for n in [10, 11] {
        let id = approve_on_my_app(store, n, Concurrency::default()).await.unwrap().execution_id.unwrap();
        store.observe(&id, seen(ExecutionState::Pending, Stage::Created, vec![])).await.unwrap();
        let Permit::Given(epoch) = store.begin_start(&id).await.unwrap() else { panic!("it may start") };
        both.push((id, epoch));
    }
    sqlx::query("UPDATE executions SET alone = 1 WHERE id = 'e11'").execute(&mut *raw).await.unwrap();
    let (free, alone) = (&both[0], &both[1]);
    assert_eq!(store.may_start(&free.0, free.1, "run").await.unwrap(), Permit::Given(free.1));
    assert_eq!(store.may_start(&alone.0, alone.1, "run").await.unwrap(), Permit::Busy);
    assert_eq!(store.begin_start(&alone.0).await.unwrap(), Permit::Busy);
    store.observe(&free.0, seen(ExecutionState::Failed, Stage::Ended, vec![])).await.unwrap();
    assert_eq!(store.may_start(&alone.0, alone.1, "run").await.unwrap(), Permit::Given(alone.1));
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
