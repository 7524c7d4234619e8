//! Letting go of raw history, and keeping the rest.

use crate::support::{Bench, claimed, contract, finished, recommend};
use domain::{
    audit::AuditFilter,
    effectiveness::{EffectivenessFilter, GroupBy},
    execution::LogLine,
    ids::ExecutionId,
    paging::Page,
    ports::{
        AuditStore, EffectivenessStore, EventStore, ExecutionFilter, ExecutionStore, RecommendationFilter,
        RecommendationStore,
    },
};
use store::Pruned;

contract!(old_history_goes_and_what_counts_stays);

async fn old_history_goes_and_what_counts_stays(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let old = finished("old", 1, now, 91, 1000);
    ExecutionStore::import(store, &[old, finished("young", 2, now, 89, 1000)]).await.unwrap();
    let line = LogLine { line: 1, at: None, text: "x".into() };
    store.append_log(&ExecutionId::new("old"), "check", 1, &[line]).await.unwrap();
    claimed(store, "waiting", 3).await;
    let open = recommend(store, "open", "inc-9").await;
    recommend(store, "superseded", "inc-10").await;
    recommend(store, "newer", "inc-10").await;
    let raw = &mut bench.raw().await;
    for sql in [
        "UPDATE recommendations SET created_at = created_at - 7862400000",
        "UPDATE executions SET created_at = created_at - 7862400000 WHERE id = 'waiting'",
        "UPDATE events SET at = at - 7862400000 WHERE id > 2",
    ] {
        sqlx::query(sql).execute(&mut *raw).await.unwrap();
    }
    let (latest, audited) =
        (store.latest().await.unwrap(), store.after(&AuditFilter::default(), 0, 100).await.unwrap().len());

    let pruned = store.prune(90).await.unwrap();
    assert_eq!((pruned.executions, pruned.recommendations), (1, 1));
    assert_eq!(pruned.events, u64::try_from(latest).unwrap() - 3, "all old ones but the newest");

    let runs = ExecutionStore::list(store, &ExecutionFilter::default(), &Page::default()).await.unwrap();
    let runs: Vec<_> = runs.items.iter().map(|e| e.subject.id.as_str()).collect();
    assert_eq!(runs, ["young", "waiting"], "what has not ended stays");
    assert!(store.log(&ExecutionId::new("old"), "check", 1, 0, 10).await.unwrap().is_empty());
    let left = RecommendationStore::list(store, &RecommendationFilter::default(), &Page::default()).await.unwrap();
    let mut left: Vec<_> = left.items.iter().map(|r| r.id.as_str()).collect();
    left.sort_unstable();
    assert_eq!(left, ["newer", open.as_str(), "rec-waiting"], "open ones and those with a run stay");
    assert_eq!((store.oldest().await.unwrap(), store.latest().await.unwrap()), (1, latest));
    assert_eq!(store.after(&AuditFilter::default(), 0, 100).await.unwrap().len(), audited);
    let counted = store.counts(GroupBy::Playbook, &EffectivenessFilter::default()).await.unwrap().groups;
    assert_eq!(counted[0].1.runs, 2);
    assert_eq!(store.prune(90).await.unwrap(), Pruned::default());
}
