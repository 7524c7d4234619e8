//! Realistic history of any length: the demo scene's past, over more time and with more runs a day.

use anyhow::{Context, Result};
use domain::{
    audit::AuditEntry,
    execution::Execution,
    identity::{Actor, Way},
    ids::{ActorId, Digest, RecommendationId},
    playbook::{PlaybookId, Registration},
    ports::{CatalogStore as _, ExecutionStore, NewPlaybook, NewRecommendation, RecommendationStore},
    recommendation::Content,
    signature::{ImageSignature, Signature},
};
use history::{Paper, Playbook, Remediation, Span, days, library};
use sha2::{Digest as _, Sha256};
use std::time::Instant;
use store::Store;

const NAMESPACE: &str = "kubernaut-system";
/// So many runs belong to ninety days before more days are added.
const RUNS_A_QUARTER: u32 = 20_000;
/// Three years: what is kept at most.
const MOST_QUARTERS: u32 = 12;
/// So many recommendations wait in the inbox.
const WAITING: usize = 60;
const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;

pub async fn run(store: &Store, executions: u32, playbooks: u32) -> Result<()> {
    let began = Instant::now();
    let now = store.now().await?;
    let library = catalog(store, playbooks).await?;
    let people = ["a.lindqvist", "m.okafor", "s.novak"];
    let people = people.map(|name| Actor::new(ActorId::new(format!("user:{name}")), name)).to_vec();

    let usual: usize = days(now, Span::DEMO, &library, &people, NAMESPACE).map(|day| day.len()).sum();
    let quarters = executions.div_ceil(RUNS_A_QUARTER).clamp(1, MOST_QUARTERS);
    let usual = u32::try_from(usual).context("the demo's history is small")?;
    let span = Span { quarters, busier: f64::from(executions) / f64::from(usual * quarters) };
    let (mut written, mut waiting) = (0, Vec::new());
    for day in days(now, span, &library, &people, NAMESPACE) {
        written += day.len();
        waiting
            .extend(day.iter().filter_map(|one| one.paper.as_ref()).map(|paper| paper.recommendation.content.clone()));
        waiting.drain(..waiting.len().saturating_sub(WAITING));
        write(store, day).await?;
    }
    for (place, content) in waiting.into_iter().enumerate() {
        wait(store, place, content).await?;
    }
    println!(
        "{written} executions with what led to them, {playbooks} playbooks: {:.1} s",
        began.elapsed().as_secs_f64()
    );
    Ok(())
}

async fn write(store: &Store, day: Vec<Remediation>) -> Result<()> {
    let decided: Vec<_> = day.iter().filter_map(|one| one.paper.clone()).map(Paper::decided).collect();
    RecommendationStore::import(store, &decided).await?;
    let runs: Vec<Execution> = day.into_iter().map(|one| one.execution).collect();
    ExecutionStore::import(store, &runs).await?;
    Ok(())
}

/// One that waits for its decision; for each an audit row.
async fn wait(store: &Store, place: usize, mut content: Content) -> Result<()> {
    content.incident.id = format!("inc-waiting-{place}");
    let new = NewRecommendation {
        id: RecommendationId::new(format!("waiting-{place}")),
        origin: domain::recommendation::Origin::Model,
        proposer: Actor::system("bench"),
        cluster: "sandbox".into(),
        open_for_ms: WEEK_MS,
        content,
    };
    let entry = entry("recommendation.receive", "recommendation", new.id.as_str());
    store.insert(new, entry).await?;
    Ok(())
}

/// The library, and copies of it under other names until there are so many.
async fn catalog(store: &Store, many: u32) -> Result<Vec<Playbook>> {
    let library = library::registrations()?;
    let mut used = Vec::new();
    for (place, registration) in library.iter().cycle().take(many.max(13) as usize).enumerate() {
        let mut registration = registration.clone();
        if place >= library.len() {
            rename(&mut registration, place)?;
        }
        let digest = Sha256::digest(registration.image.to_string());
        let image = registration.image.with_digest(Digest::from_bytes(digest.into()));
        let object = format!("{}@{}", registration.id, registration.version);
        let new = NewPlaybook {
            registration: registration.clone(),
            image: image.clone(),
            signature: ImageSignature { state: Signature::Verified, ..ImageSignature::default() },
            trust: Some("sandbox".into()),
            by: Actor::system("bench"),
        };
        store.register(new, entry("playbook.register", "playbook", &object)).await?;
        if place < library.len() {
            used.push(Playbook { registration, image });
        }
    }
    Ok(used)
}

fn rename(registration: &mut Registration, place: usize) -> Result<()> {
    let id = format!("{}-{place:05}", registration.id);
    registration.id = id.parse::<PlaybookId>().map_err(|fault| anyhow::anyhow!("{id}: {fault}"))?;
    registration.title = format!("{} (team {place})", registration.title);
    Ok(())
}

fn entry(action: &str, object_kind: &str, object_id: &str) -> AuditEntry {
    AuditEntry {
        actor: Actor::system("bench"),
        way: Way::default(),
        route: "bench seed".into(),
        action: action.into(),
        object_kind: object_kind.into(),
        object_id: object_id.into(),
        before: None,
        after: None,
        reason: None,
        request_id: "bench".into(),
    }
}
