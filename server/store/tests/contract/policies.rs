//! Approval policies: one is in force at any moment, and how it came there is written down.

use crate::accounts::make;
use crate::support::{Bench, actor, at_once, contract, entry};
use domain::{
    audit::AuditFilter,
    identity::{Actor, Role},
    ids::Digest,
    paging::Page,
    policy::{Conditions, DEFAULT_YAML, Facts, Policy, read},
    ports::{
        AccountStore, Activated, Activation, AuditStore, EffectivenessStore, ExecutionStore, NewPolicy, PolicyOrigin,
        PolicyRecord, PolicyState, PolicyStore, ProviderStore,
    },
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::Store;

contract!(
    the_default_policy_is_in_force_from_the_start,
    a_draft_is_kept_as_it_was_written,
    one_takes_the_place_of_the_other_with_its_row,
    two_must_agree_where_the_policy_in_force_says_so,
    one_is_in_force_however_many_are_activated_at_once,
    the_second_who_agrees_at_the_same_instant_puts_it_in_force_once,
    an_agreement_counts_as_long_as_its_giver_may_write_policies,
    versions_are_counted_by_day,
);

struct NoConditions;

impl Conditions for NoConditions {
    fn check(&self, _: &str) -> Option<String> {
        Some("not here".into())
    }

    fn holds(&self, _: &str, _: &Facts) -> Result<bool, String> {
        Err("not here".into())
    }
}

fn policy(name: &str, people: u32) -> Policy {
    let document =
        json!({ "name": name, "activation": { "approvals": people }, "rules": [{ "name": "rest", "approvals": 1 }] });
    read(&document, &NoConditions).unwrap()
}

async fn draft(store: &Store, name: &str, people: u32) -> PolicyRecord {
    let yaml = format!("name: {name}\n");
    let new = NewPolicy { policy: policy(name, people), yaml, origin: PolicyOrigin::Console, by: actor("ada") };
    store.draft(new, entry("policy.draft")).await.unwrap()
}

/// Puts what this document says in force by ada's word alone; its version.
pub async fn put_in_force(store: &Store, document: &Value) -> u32 {
    let policy = read(document, &NoConditions).unwrap();
    let (yaml, by) = (document.to_string(), actor("ada"));
    let new = NewPolicy { policy, yaml, origin: PolicyOrigin::Console, by: by.clone() };
    let version = store.draft(new, entry("policy.draft")).await.unwrap().version;
    assert!(matches!(activate(store, version, by).await, Activated::Done(_)));
    version
}

/// People who may write policies.
async fn admins(store: &Store, names: &[&str]) {
    for name in names {
        assert!(make(store, name, &[Role::Admin]).await);
    }
}

pub async fn activate(store: &Store, version: u32, by: Actor) -> Activated {
    let reason = Some("we talked about it".into());
    store.activate(Activation { version, by, reason, need: None }, entry("policy.activate")).await.unwrap()
}

async fn in_force(store: &Store) -> u32 {
    store.active().await.unwrap().version
}

async fn audited(store: &Store, action: &str) -> Vec<(String, Option<Value>)> {
    let filter = AuditFilter { action: Some(action.into()), ..AuditFilter::default() };
    let rows = store.after(&filter, 0, 1000).await.unwrap();
    rows.into_iter().map(|row| (row.object_id, row.after)).collect()
}

async fn the_default_policy_is_in_force_from_the_start(bench: Bench) {
    let active = bench.store.active().await.unwrap();
    assert_eq!((active.version, active.state, active.origin), (1, PolicyState::Active, PolicyOrigin::BuiltIn));
    assert_eq!(active.yaml, DEFAULT_YAML);
    assert_eq!(active.digest, Digest::from_bytes(Sha256::digest(DEFAULT_YAML).into()));
    let document = json!({
        "name": "default",
        "rules": [
            { "name": "high-risk", "match": { "risk": "high" }, "approvals": 2 },
            { "name": "everything-else", "approvals": 1 },
        ],
    });
    assert_eq!(active.policy, read(&document, &NoConditions).unwrap());
    assert!(active.activated_at.is_some() && active.retired_at.is_none());
}

async fn a_draft_is_kept_as_it_was_written(bench: Bench) {
    let store = &bench.store;
    let made = draft(store, "strict", 2).await;
    assert_eq!((made.version, made.state), (2, PolicyState::Draft));
    assert_eq!(store.policy(2).await.unwrap(), Some(made));
    assert_eq!(store.policy(9).await.unwrap(), None);
    assert_eq!(in_force(store).await, 1);
    draft(store, "other", 1).await;
    let page = store.policies(&Page::first(2)).await.unwrap();
    assert_eq!(page.items.iter().map(|one| one.version).collect::<Vec<_>>(), [3, 2]);
    let next = store.policies(&Page { limit: 2, cursor: page.next_cursor }).await.unwrap();
    assert_eq!(next.items.iter().map(|one| one.version).collect::<Vec<_>>(), [1]);
    let rows = audited(store, "policy.draft").await;
    assert_eq!(rows.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["2", "3"]);
}

async fn one_takes_the_place_of_the_other_with_its_row(bench: Bench) {
    let store = &bench.store;
    draft(store, "strict", 1).await;
    let Activated::Done(record) = activate(store, 2, actor("ada")).await else { panic!("one is enough") };
    assert_eq!((record.state, record.agreed), (PolicyState::Active, vec![actor("ada")]));
    assert_eq!(in_force(store).await, 2);
    let old = store.policy(1).await.unwrap().unwrap();
    assert!(old.state == PolicyState::Retired && old.retired_at.is_some());
    assert_eq!(activate(store, 2, actor("ada")).await, Activated::InForce);
    assert_eq!(activate(store, 9, actor("ada")).await, Activated::Missing);
    assert!(matches!(activate(store, 1, actor("bob")).await, Activated::Done(_)), "and back");
    assert_eq!(in_force(store).await, 1);
    let rows = audited(store, "policy.activate").await;
    assert_eq!(rows.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["2", "1"]);
}

async fn two_must_agree_where_the_policy_in_force_says_so(bench: Bench) {
    let store = &bench.store;
    admins(store, &["ada", "bob", "eve"]).await;
    draft(store, "strict", 2).await;
    activate(store, 2, actor("ada")).await;
    draft(store, "looser", 1).await;
    draft(store, "other", 1).await;
    let waiting = activate(store, 3, actor("ada")).await;
    assert!(matches!(waiting, Activated::Waiting { have: 1, need: 2, .. }), "{waiting:?}");
    let token = Actor { owner: Some(actor("ada").id), ..Actor::new(domain::ids::ActorId::new("token:ci"), "ci") };
    assert_eq!(activate(store, 3, token).await, Activated::Already { need: 2 }, "a person and their token are one");
    assert_eq!(in_force(store).await, 2);
    assert_eq!(audited(store, "policy.agree").await.len(), 1);

    // What was agreed to under one policy does not count under another.
    activate(store, 4, actor("ada")).await;
    assert!(matches!(activate(store, 4, actor("bob")).await, Activated::Done(_)));
    draft(store, "strict", 2).await;
    assert!(matches!(activate(store, 5, actor("eve")).await, Activated::Done(_)), "the one in force asks for one");
    let again = activate(store, 3, actor("bob")).await;
    assert!(matches!(again, Activated::Waiting { have: 1, need: 2, .. }), "{again:?}");
    let file = Activation { version: 3, by: Actor::system("policy file"), reason: None, need: Some(1) };
    assert!(matches!(store.activate(file, entry("policy.activate")).await.unwrap(), Activated::Done(_)));
}

async fn one_is_in_force_however_many_are_activated_at_once(bench: Bench) {
    for n in 0..8 {
        draft(&bench.store, &format!("p{n}"), 1).await;
    }
    let answers = at_once(&bench, 8, |store, n| async move {
        (activate(&store, u32::from(n) + 2, actor(&format!("person-{n}"))).await, in_force(&store).await)
    })
    .await;
    assert!(answers.iter().all(|(answer, _)| matches!(answer, Activated::Done(_))), "{answers:?}");
    let page = bench.store.policies(&Page::default()).await.unwrap();
    let active: Vec<_> = page.items.iter().filter(|one| one.state == PolicyState::Active).collect();
    assert_eq!(active.len(), 1);
    let rows = audited(&bench.store, "policy.activate").await;
    assert_eq!(rows.len(), 8);
    assert_eq!(rows.last().map(|(id, _)| id.clone()), Some(active[0].version.to_string()), "the last row tells which");
}

async fn the_second_who_agrees_at_the_same_instant_puts_it_in_force_once(bench: Bench) {
    let store = &bench.store;
    for n in 0..8 {
        admins(store, &[format!("person-{n}").as_str()]).await;
    }
    draft(store, "strict", 2).await;
    activate(store, 2, actor("ada")).await;
    draft(store, "next", 1).await;
    let answers =
        at_once(&bench, 8, |store, n| async move { activate(&store, 3, actor(&format!("person-{n}"))).await }).await;
    let count = |wanted: fn(&Activated) -> bool| answers.iter().filter(|answer| wanted(answer)).count();
    assert_eq!(count(|answer| matches!(answer, Activated::Waiting { have: 1, .. })), 1, "{answers:?}");
    assert_eq!(count(|answer| matches!(answer, Activated::Done(_))), 1, "{answers:?}");
    assert_eq!(count(|answer| *answer == Activated::InForce), 6, "{answers:?}");
    assert_eq!(store.active().await.unwrap().agreed.len(), 2);
}

async fn an_agreement_counts_as_long_as_its_giver_may_write_policies(bench: Bench) {
    let store = &bench.store;
    admins(store, &["ada", "bob", "eve", "tom"]).await;
    draft(store, "strict", 3).await;
    activate(store, 2, actor("ada")).await;
    draft(store, "next", 1).await;
    let agreed = || async {
        let record = store.policy(3).await.unwrap().unwrap();
        record.agreed.into_iter().map(|actor| actor.name).collect::<Vec<_>>()
    };
    let waiting =
        |answer: &Activated, wanted: u32| matches!(answer, Activated::Waiting { have, .. } if *have == wanted);
    activate(store, 3, actor("bob")).await;
    assert_eq!(agreed().await, ["bob"]);

    store.set_roles("bob", &[Role::Operator], true, entry("account.roles")).await.unwrap();
    assert!(agreed().await.is_empty(), "who may write no policies agrees to none");
    let second = activate(store, 3, actor("eve")).await;
    assert!(waiting(&second, 1), "{second:?}");
    store.set_roles("bob", &[Role::Admin], true, entry("account.roles")).await.unwrap();
    assert_eq!(agreed().await, ["bob", "eve"]);
    store.set_disabled("bob", true, true, entry("account.disable")).await.unwrap();
    assert_eq!(agreed().await, ["eve"], "nor who is disabled");
    store.set_disabled("bob", false, true, entry("account.enable")).await.unwrap();
    let of_a_group = "UPDATE users SET member_of = '[\"contractors\"]' WHERE id = 'user:bob'";
    sqlx::query(of_a_group).execute(&mut bench.raw().await).await.unwrap();
    assert!(store.block_group("contractors", entry("group.block")).await.unwrap());
    let third = activate(store, 3, actor("tom")).await;
    assert!(waiting(&third, 2), "nor who is of a blocked group: {third:?}");
    assert_eq!(in_force(store).await, 2);
    assert_eq!(activate(store, 3, actor("tom")).await, Activated::Already { need: 3 });

    let Activated::Done(record) = activate(store, 3, actor("ada")).await else { panic!("three agree") };
    let mut named: Vec<_> = record.agreed.into_iter().map(|actor| actor.name).collect();
    named.sort();
    assert_eq!(named, ["ada", "eve", "tom"], "only who counted is named");

    // Who agreed already puts it in force once those who lapsed count again.
    draft(store, "strict", 2).await;
    activate(store, 4, actor("ada")).await;
    draft(store, "last", 1).await;
    activate(store, 5, actor("eve")).await;
    store.set_disabled("eve", true, true, entry("account.disable")).await.unwrap();
    activate(store, 5, actor("tom")).await;
    store.set_disabled("eve", false, true, entry("account.enable")).await.unwrap();
    assert!(matches!(activate(store, 5, actor("tom")).await, Activated::Done(_)));
}

async fn versions_are_counted_by_day(bench: Bench) {
    use crate::support::{DAY, finished};
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let mut all: Vec<_> =
        [0, 1, 1, 9].into_iter().zip(1..).map(|(ago, n)| finished(&format!("e{n}"), n, now, ago, 1000)).collect();
    all[1].state = domain::execution::ExecutionState::Failed;
    all[3].subject.version = Some("2.0.0".into());
    ExecutionStore::import(store, &all).await.unwrap();
    let today = now.as_millis() / DAY;
    let found = store.versions_by_day(30).await.unwrap();
    let told: Vec<_> = found.iter().map(|d| (d.version.as_str(), today - d.day, d.runs, d.succeeded)).collect();
    let one = "oomkill-scale-down@1.0.0";
    assert_eq!(told, [(one, 1, 2, 1), (one, 0, 1, 1), ("oomkill-scale-down@2.0.0", 9, 1, 1)]);
    assert_eq!(store.versions_by_day(2).await.unwrap().len(), 2);
}
