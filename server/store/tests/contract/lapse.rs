//! What an approval is worth by now: its giver, their groups and the policy may have changed since.

use crate::accounts::make;
use crate::decide::{decide, operators, recommended, runs, soon};
use crate::policies::{activate, put_in_force};
use crate::support::{Bench, actor, attempt, audit_rows, contract, entry};
use domain::{
    decision::{Attempt, Decision, Refusal, Verb, Verdict},
    identity::{Actor, Role},
    ids::ActorId,
    policy::{Quorum, Terms},
    ports::{AccountStore, DecideError, ExecutionStore, NewToken, PolicyStore, ProviderStore, RecommendationStore},
    provider::FederatedIdentity,
};
use serde_json::json;
use std::collections::BTreeSet;
use store::Store;

contract!(
    an_approval_counts_as_long_as_its_giver_may_decide,
    a_revoked_token_that_is_nobodys_approves_no_more,
    what_was_approved_in_person_counts_as_long_as_its_giver_gets_in,
    what_was_approved_before_a_policy_came_back_counts_no_more,
    who_has_left_a_group_stands_for_it_no_more,
);

/// Whose approvals among these count no more.
async fn lapsed(store: &Store, all: &[Decision]) -> BTreeSet<ActorId> {
    let counting = store.counting(all.to_vec()).await.unwrap();
    all.iter().filter(|one| !counting.contains(one)).map(|one| one.actor.person().clone()).collect()
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
