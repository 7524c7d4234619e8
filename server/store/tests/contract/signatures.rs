//! Who signed which image.

use crate::support::{Bench, MINUTE, attempt, contract, entry, new_execution, playbook, recommend, seen, ticket};
use domain::{
    decision::Verb,
    execution::{ExecutionState, Stage},
    ids::{DecisionId, ExecutionId},
    playbook::ImageRef,
    ports::{
        CatalogStore, ExecutionStore, Known, NewDecision, NewExecution, Permit, PlaybookStatus, RecommendationStore,
        SignatureStore, StatusChange,
    },
    signature::{ImageSignature, Signature, Signer},
    time::Timestamp,
};
use serde_json::json;
use store::Store;

contract!(
    what_was_found_out_is_kept_with_the_version,
    what_was_found_out_under_other_settings_is_forgotten,
    a_registry_that_is_away_takes_nothing_away_for_a_day,
    what_is_in_use_is_due,
    what_nobody_uses_any_more_is_let_go,
    a_run_that_needs_signatures_starts_only_while_they_are_known,
);

const TRUST: &str = "these settings";

fn image(name: &str) -> ImageRef {
    format!("registry.example/{name}@sha256:{}", "7".repeat(64)).parse().unwrap()
}

fn found(state: Signature, checked_at: Timestamp) -> ImageSignature {
    let signer = state.is_verified().then(|| Signer::Key { name: "release".into() });
    ImageSignature { state, signer, detail: None, checked_at: Some(checked_at) }
}

async fn state(store: &Store, image: &ImageRef) -> Signature {
    store.signatures(std::slice::from_ref(image)).await.unwrap().remove(0).signature.state
}

async fn what_was_found_out_is_kept_with_the_version(bench: Bench) {
    let store = &bench.store;
    let new = playbook("oomkill", "1.0.0", &json!({}));
    let (id, version) = (new.registration.id.clone(), new.registration.version.clone());
    let now = store.now().await.unwrap();
    let known = found(Signature::Verified, now);
    let mut new_one = new.clone();
    new_one.signature = known.clone();
    store.register(new_one, entry("playbook.register")).await.unwrap();
    let record = store.version(&id, &version).await.unwrap().unwrap();
    assert_eq!((&record.signature, &record.image), (&known, &new.image));
    let tag = record.tag();

    let again = found(Signature::Verified, now.plus_ms(1));
    assert_eq!(store.keep_signature(&new.image, again.clone(), TRUST, false).await.unwrap(), again);
    let record = store.version(&id, &version).await.unwrap().unwrap();
    assert_eq!(record.signature, again);
    assert_eq!(record.tag(), tag, "that somebody looked again changes nothing");
    store.keep_signature(&new.image, found(Signature::Missing, now), TRUST, false).await.unwrap();
    let record = store.version(&id, &version).await.unwrap().unwrap();
    assert!(record.signature.state == Signature::Missing && record.tag() != tag);

    let others = [image("unknown"), new.image.clone()];
    let all = store.signatures(&others).await.unwrap();
    assert_eq!(all.iter().map(|one| &one.image).collect::<Vec<_>>(), others.iter().collect::<Vec<_>>());
    assert_eq!(all[0].signature, ImageSignature::default(), "nobody has looked at that one");
    assert_eq!(all[1].signature.state, Signature::Missing);
    assert!(store.signatures(&[]).await.unwrap().is_empty());
}

async fn what_was_found_out_under_other_settings_is_forgotten(bench: Bench) {
    let (store, image) = (&bench.store, image("scale"));
    let now = store.now().await.unwrap();
    store.keep_signature(&image, found(Signature::Verified, now), TRUST, true).await.unwrap();
    assert_eq!(store.forget_signatures(TRUST).await.unwrap(), 0);
    assert_eq!(state(store, &image).await, Signature::Verified);
    assert_eq!(store.forget_signatures("").await.unwrap(), 1, "nobody looks at signatures any more");
    assert_eq!(state(store, &image).await, Signature::Unknown);
    // What was known before is no help to who trusts others.
    store.keep_signature(&image, found(Signature::Verified, now), TRUST, true).await.unwrap();
    let away = found(Signature::Unknown, now);
    let kept = store.keep_signature(&image, away.clone(), "other settings", true).await.unwrap();
    assert_eq!(kept, away);
}

async fn a_registry_that_is_away_takes_nothing_away_for_a_day(bench: Bench) {
    let (store, image) = (&bench.store, image("scale"));
    let now = store.now().await.unwrap();
    let away = found(Signature::Unknown, now);
    for (age, left) in
        [(ImageSignature::HOLDS_MS - 60_000, Signature::Verified), (ImageSignature::HOLDS_MS, Signature::Unknown)]
    {
        let known = found(Signature::Verified, now.plus_ms(-age));
        store.keep_signature(&image, known, TRUST, true).await.unwrap();
        let kept = store.keep_signature(&image, away.clone(), TRUST, true).await.unwrap();
        assert_eq!((kept.state, state(store, &image).await), (left, left));
    }
}

async fn what_is_in_use_is_due(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let mut new = playbook("oomkill", "1.0.0", &json!({}));
    (new.image, new.trust) = (image("playbook"), None);
    let (id, version) = (new.registration.id.clone(), new.registration.version.clone());
    store.register(new, entry("playbook.register")).await.unwrap();
    store
        .keep_signature(&image("proposed"), found(Signature::Missing, now.plus_ms(-5_000)), TRUST, true)
        .await
        .unwrap();
    store
        .keep_signature(&image("unused"), found(Signature::Verified, now.plus_ms(-5_000)), TRUST, false)
        .await
        .unwrap();
    store.keep_signature(&image("away"), found(Signature::Unknown, now.plus_ms(-3_000)), TRUST, true).await.unwrap();
    let due = async |since: i64, unknown: i64, most: u32| {
        let found = store.due_signatures(now.plus_ms(since), now.plus_ms(unknown), most).await.unwrap();
        found
            .iter()
            .map(|image| image.repository().trim_start_matches("registry.example/").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(due(-4_000, -4_000, 9).await, ["playbook", "proposed"], "the longest waiting first");
    assert_eq!(due(-9_000, -1_000, 9).await, ["playbook", "away"], "what is not known sooner");
    assert_eq!(due(0, 0, 1).await, ["playbook"]);
    let status = StatusChange::to(PlaybookStatus::Disabled, None);
    store.set_status(&id, &version, status, entry("playbook.status")).await.unwrap();
    assert_eq!(due(-9_000, -9_000, 9).await, Vec::<String>::new(), "what can't run waits for nobody");
}

async fn what_nobody_uses_any_more_is_let_go(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let mut new = playbook("oomkill", "1.0.0", &json!({}));
    new.image = image("playbook");
    store.register(new, entry("playbook.register")).await.unwrap();
    store.keep_signature(&image("old"), found(Signature::Verified, now), TRUST, true).await.unwrap();
    let ago = "UPDATE image_signatures SET used_at = used_at - CAST(91 AS BIGINT) * 86400000";
    sqlx::query(ago).execute(&mut bench.raw().await).await.unwrap();
    store.keep_signature(&image("new"), found(Signature::Verified, now), TRUST, true).await.unwrap();
    store.sweep().await.unwrap();
    for (name, left) in [("playbook", Signature::Verified), ("old", Signature::Unknown), ("new", Signature::Verified)] {
        assert_eq!(state(store, &image(name)).await, left, "{name}");
    }
}

/// An approved run, of which the policy asked for signatures or not; created in the cluster.
async fn approved(store: &Store, id: &str, number: u8, signed: bool) -> ExecutionId {
    let of = recommend(store, &format!("rec-{id}"), &format!("inc-{id}")).await;
    let until = store.now().await.unwrap().plus_ms(15 * MINUTE);
    store.put_ticket(ticket(number, &of), entry("ticket.make")).await.unwrap();
    let decision = NewDecision {
        id: DecisionId::new(format!("decision-{id}")),
        recommendation_id: of.clone(),
        strategy: 0,
        attempt: attempt("bob", Verb::Approve, number, 1, until),
        known: Known::Any,
        reason: None,
        ticket: None,
        execution: Some(NewExecution { signed, ..new_execution(id, &of, number, until) }),
        audit: entry("decision.approve"),
    };
    let id = store.decide(decision).await.unwrap().execution_id.unwrap();
    store.observe(&id, seen(ExecutionState::Pending, Stage::Created, vec![])).await.unwrap();
    id
}

async fn a_run_that_needs_signatures_starts_only_while_they_are_known(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let image: ImageRef =
        new_execution("x", &recommend(store, "rec-x", "inc-x").await, 9, now).actions[0].image.parse().unwrap();
    let any = approved(store, "any", 1, false).await;
    assert!(matches!(store.begin_start(&any).await.unwrap(), Permit::Given(_)), "nobody asked for signatures");

    let signed = approved(store, "signed", 2, true).await;
    for state in [Signature::Unknown, Signature::Untrusted, Signature::Missing] {
        assert_eq!(store.begin_start(&signed).await.unwrap(), Permit::Unsigned);
        store.keep_signature(&image, found(state, now), TRUST, true).await.unwrap();
    }
    store.keep_signature(&image, found(Signature::Verified, now), TRUST, true).await.unwrap();
    let Permit::Given(epoch) = store.begin_start(&signed).await.unwrap() else { panic!("it may start") };
    // The signature is taken away, and given back, between one look and the next.
    store.keep_signature(&image, found(Signature::Missing, now), TRUST, true).await.unwrap();
    assert_eq!(store.may_start(&signed, epoch, "run").await.unwrap(), Permit::Unsigned);
    store.keep_signature(&image, found(Signature::Verified, now), TRUST, true).await.unwrap();
    assert_eq!(store.may_start(&signed, epoch, "run").await.unwrap(), Permit::Given(epoch));
}
