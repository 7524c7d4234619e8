//! What each list page, search and statistic costs: p50 and p99 over many rounds, each with other values where there are
//! others. Through the ports, so with the pool, the driver and reading the rows.

use anyhow::{Context as _, Result};
use domain::{
    audit::AuditFilter,
    effectiveness::{EffectivenessFilter, GroupBy},
    execution::{Execution, ExecutionState},
    paging::Page,
    ports::{
        ActionFilter, AssessmentStore as _, AuditStore, CatalogFilter, CatalogStore as _, EffectivenessStore as _,
        ExecutionFilter, ExecutionStore, RecommendationFilter, RecommendationStore,
    },
    recommendation::RecommendationState,
    search::BY_QUESTION,
};
use std::time::{Duration, Instant};
use store::Store;

/// Rows on a page, as the pages ask for them.
const LIMIT: u32 = Page::DEFAULT_LIMIT;
/// A query that takes so long is not asked so often.
const SLOW: Duration = Duration::from_millis(50);
const SLOW_ROUNDS: usize = 20;
/// So many pages into the list for "a later page".
const DEEP: usize = 40;

pub async fn run(store: &Store, rounds: u32) -> Result<()> {
    let bench = Bench { store, rounds: rounds as usize };
    println!("| query | p50 ms | p95 ms | p99 ms | max ms | n |\n|---|---|---|---|---|---|");
    bench.all().await
}

struct Bench<'a> {
    store: &'a Store,
    rounds: usize,
}

impl Bench<'_> {
    async fn all(&self) -> Result<()> {
        self.runs().await?;
        self.recommendations().await?;
        self.others().await?;
        self.statistics().await
    }

    async fn runs(&self) -> Result<()> {
        let all = ExecutionFilter::default();
        let (pages, sample) = self.walk().await?;
        let first = sample.first().context("seed the database first")?;
        let only = |state| ExecutionFilter { state: Some(state), ..ExecutionFilter::default() };
        let of = |id: &str| ExecutionFilter { workflow_id: Some(id.into()), ..ExecutionFilter::default() };
        let words = |q: &str| ExecutionFilter { q: Some(q.into()), ..ExecutionFilter::default() };
        self.list("runs, first page", |_| (all.clone(), Page::first(LIMIT))).await?;
        self.list("runs, a later page", |i| {
            let cursor = Some(pages[i % pages.len()].clone());
            (all.clone(), Page { cursor, ..Page::first(LIMIT) })
        })
        .await?;
        self.list("runs, failed", |_| (only(ExecutionState::Failed), Page::first(LIMIT))).await?;
        self.list("runs, running (none)", |_| (only(ExecutionState::Running), Page::first(LIMIT))).await?;
        self.list("runs, of a rare playbook", |_| (of("node-drain"), Page::first(LIMIT))).await?;
        self.list("runs, search: a common word", |_| (words("checkout"), Page::first(LIMIT))).await?;
        let incidents: Vec<_> = sample.iter().map(|run| run.subject.incident_id.clone()).collect();
        self.list("runs, search: an incident", |i| (words(&incidents[i % incidents.len()]), Page::first(LIMIT)))
            .await?;
        self.list("runs, search: nothing found", |i| (words(&format!("zzz{i}")), Page::first(LIMIT))).await?;
        self.time("run with its tasks", async |i| {
            ExecutionStore::get(self.store, &sample[i % sample.len()].subject.id).await?;
            Ok(())
        })
        .await?;
        self.time("runs of an incident's recommendation", async |i| {
            let recommendation_id = Some(sample[i % sample.len()].subject.recommendation_id.to_string());
            let filter = ExecutionFilter { recommendation_id, ..ExecutionFilter::default() };
            ExecutionStore::list(self.store, &filter, &Page::first(LIMIT)).await?;
            Ok(())
        })
        .await?;
        self.time("what ended last", async |_| {
            self.store.last_ended(6).await?;
            Ok(())
        })
        .await?;
        self.time("how many go on", async |_| {
            self.store.standing().await?;
            Ok(())
        })
        .await?;
        self.time("what is unfinished", async |_| {
            self.store.unfinished(&first.subject.cluster).await?;
            Ok(())
        })
        .await
    }

    async fn recommendations(&self) -> Result<()> {
        let open = RecommendationFilter { state: Some(RecommendationState::Open), ..RecommendationFilter::default() };
        let any = RecommendationFilter::default();
        let words = |q: String| RecommendationFilter { q: Some(q), ..RecommendationFilter::default() };
        for (name, filter) in [
            ("approvals, open", open),
            ("approvals, any state", any),
            ("approvals, search: a common word", words("checkout".into())),
            ("approvals, search: nothing found", words("zzzz".into())),
        ] {
            self.time(name, async |_| {
                RecommendationStore::list(self.store, &filter, &Page::first(LIMIT)).await?;
                Ok(())
            })
            .await?;
        }
        self.time("badge: how many wait", async |_| {
            self.store.open_count().await?;
            Ok(())
        })
        .await
    }

    async fn others(&self) -> Result<()> {
        self.time("audit, first page", async |_| {
            AuditStore::list(self.store, &AuditFilter::default(), &Page::first(LIMIT)).await?;
            Ok(())
        })
        .await?;
        let now = self.store.now().await?;
        let since = |days: i64| Some(now.plus_ms(-days * 24 * 60 * 60 * 1000));
        let any = AuditFilter::default;
        for (name, filter) in [
            ("audit, a family of actions", AuditFilter { action: Some("decision.".into()), ..any() }),
            ("audit, a rare family of actions", AuditFilter { action: Some("token.".into()), ..any() }),
            ("audit, the last day", AuditFilter { from: since(1), ..any() }),
            ("audit, a day long ago", AuditFilter { from: since(61), to: since(60), ..any() }),
            ("audit, search: a common word", AuditFilter { q: Some("decision".into()), ..any() }),
            ("audit, search: nothing found", AuditFilter { q: Some("zzzz".into()), ..any() }),
            ("audit, by somebody unknown", AuditFilter { actor: Some("nobody-here".into()), ..any() }),
        ] {
            self.time(name, async |_| {
                AuditStore::list(self.store, &filter, &Page::first(LIMIT)).await?;
                Ok(())
            })
            .await?;
        }
        self.time("action records, first page", async |_| {
            self.store.actions(&ActionFilter::default(), &Page::first(LIMIT)).await?;
            Ok(())
        })
        .await?;
        self.time("catalog, first page", async |_| {
            self.store.search(&CatalogFilter::default(), &Page::first(LIMIT)).await?;
            Ok(())
        })
        .await?;
        let signal = CatalogFilter { signal_type: Some("OOMKilled".into()), ..CatalogFilter::default() };
        self.time("catalog, of a signal", async |_| {
            self.store.search(&signal, &Page::first(LIMIT)).await?;
            Ok(())
        })
        .await?;
        let words = |q: &str| CatalogFilter { q: Some(q.into()), ..CatalogFilter::default() };
        let (common, nothing) = (words("memory"), words("zzzz"));
        let question = words("why do the pods of checkout keep getting killed, they run out of memory");
        let narrowed = CatalogFilter { signal_type: Some("OOMKilled".into()), ..question.clone() };
        for (name, filter) in [
            ("catalog, search: a common word", common),
            ("catalog, search: a question", question),
            ("catalog, search: a question about a signal", narrowed),
            ("catalog, search: nothing found", nothing),
        ] {
            self.time(name, async |_| {
                let hits = self.store.by_text(&filter, BY_QUESTION).await?;
                let page: Vec<_> = hits.into_iter().take(LIMIT as usize).map(|hit| (hit.id, hit.version)).collect();
                self.store.records(&page).await?;
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    async fn statistics(&self) -> Result<()> {
        for by in GroupBy::ALL {
            for days in [Some(90), None] {
                let filter = EffectivenessFilter { days, ..EffectivenessFilter::default() };
                let span = days.map_or("all time".to_owned(), |days| format!("{days} days"));
                self.time(&format!("effectiveness by {}, {span}", by.name()), async |_| {
                    self.store.counts(by, &filter).await?;
                    Ok(())
                })
                .await?;
            }
        }
        for days in [Some(90), None] {
            let filter = EffectivenessFilter { days, ..EffectivenessFilter::default() };
            let span = days.map_or("all time".to_owned(), |days| format!("{days} days"));
            self.time(&format!("calibration, {span}"), async |_| {
                self.store.calibration(&filter).await?;
                Ok(())
            })
            .await?;
        }
        self.time("what has not been looked at whether it helped", async |_| {
            self.store.unassessed("sandbox", 300_000, 20).await?;
            Ok(())
        })
        .await?;
        let filter = EffectivenessFilter { days: Some(91), ..EffectivenessFilter::default() };
        self.time("trend, 91 days", async |_| {
            self.store.by_day(&filter).await?;
            Ok(())
        })
        .await
    }

    /// The cursors of the first pages, and the runs on them.
    async fn walk(&self) -> Result<(Vec<String>, Vec<Execution>)> {
        let (mut cursors, mut runs) = (Vec::new(), Vec::new());
        let mut page = Page::first(LIMIT);
        for _ in 0..DEEP {
            let found = ExecutionStore::list(self.store, &ExecutionFilter::default(), &page).await?;
            runs.extend(found.items);
            let Some(next) = found.next_cursor else { break };
            cursors.push(next.clone());
            page.cursor = Some(next);
        }
        Ok((cursors, runs))
    }

    async fn list(&self, name: &str, ask: impl Fn(usize) -> (ExecutionFilter, Page)) -> Result<()> {
        self.time(name, async |i| {
            let (filter, page) = ask(i);
            self.store.lines(&filter, &page).await?;
            Ok(())
        })
        .await
    }

    /// Asks many times, after a few that don't count, and prints a line.
    async fn time(&self, name: &str, ask: impl AsyncFn(usize) -> Result<()>) -> Result<()> {
        for i in 0..3 {
            ask(i).await?;
        }
        let mut took = Vec::with_capacity(self.rounds);
        for i in 0..self.rounds {
            let began = Instant::now();
            ask(i).await?;
            took.push(began.elapsed());
            if took.len() >= SLOW_ROUNDS && took.iter().sum::<Duration>() > SLOW * u32::try_from(took.len())? {
                break;
            }
        }
        took.sort_unstable();
        let ms = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)].as_secs_f64() * 1000.0;
        println!("| {name} | {:.2} | {:.2} | {:.2} | {:.2} | {} |", ms(50), ms(95), ms(99), ms(100), took.len());
        Ok(())
    }
}
