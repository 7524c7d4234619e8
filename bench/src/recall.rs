//! How many of the playbooks that answer a question are among the first five that a search finds (recall@5): by text alone, and by text
//! and meaning. The questions are as operators ask them at night.

use anyhow::{Context as _, Result};
use domain::{
    audit::AuditEntry,
    identity::{Actor, Way},
    ids::Digest,
    playbook::Registration,
    ports::{CatalogFilter, CatalogStore as _, Meanings, NewPlaybook, NoMeaning, NoModel},
    search::{BY_QUESTION, order},
    signature::ImageSignature,
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::{collections::HashMap, path::Path};
use store::{Options, Store, sqlite_url};

const PLAYBOOKS: &str = include_str!("../recall/playbooks.json");
const QUESTIONS: &str = include_str!("../recall/questions.json");
/// So many hits count.
const FIRST: usize = 5;

#[derive(Deserialize)]
struct Question {
    asked: String,
    answers: Vec<String>,
}

/// What came of all questions.
pub struct Recall {
    /// The share of answers that are among the first five, averaged over the questions.
    pub at_five: f64,
    /// The questions of which not all answers are, with what was found instead.
    pub missed: Vec<(String, Vec<String>)>,
}

/// Prints both figures; `model` is a sentence-transformers directory.
pub async fn run(model: Option<&Path>) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let store = filled(scratch.path()).await?;
    report("text alone", &measure(&store, &NoModel).await?);
    if let Some(directory) = model {
        report("text and meaning", &measure(&store, &meanings(directory, &store).await?).await?);
    }
    store.close().await;
    Ok(())
}

fn report(name: &str, recall: &Recall) {
    println!("{name}: recall@{FIRST} {:.3}, {} questions not answered whole", recall.at_five, recall.missed.len());
    for (asked, found) in &recall.missed {
        println!("  {asked}: {}", found.join(", "));
    }
}

#[cfg(feature = "local")]
async fn meanings(directory: &Path, store: &Store) -> Result<meaning::Keeper> {
    let model = meaning::Local::open(directory)?;
    let keeper = meaning::Keeper::new(std::sync::Arc::new(model), std::sync::Arc::new(store.clone()));
    keeper.keep_up().await?;
    Ok(keeper)
}

#[cfg(not(feature = "local"))]
#[expect(clippy::unused_async, reason = "as it is with the feature")]
async fn meanings(_: &Path, _: &Store) -> Result<NoModel> {
    anyhow::bail!("build it with --features local: `cargo xtask recall --model DIR` does")
}

/// A catalog with the playbooks of the fixture.
pub async fn filled(directory: &Path) -> Result<Store> {
    let store = Store::open(&sqlite_url(&directory.join("recall.sqlite")), Options::default()).await?;
    let all: Vec<Registration> = serde_json::from_str(PLAYBOOKS)?;
    for registration in all {
        let digest = Sha256::digest(registration.image.to_string());
        let image = registration.image.with_digest(Digest::from_bytes(digest.into()));
        let by = Actor::system("bench");
        let entry = AuditEntry {
            actor: by.clone(),
            way: Way::default(),
            route: "bench recall".into(),
            action: "playbook.register".into(),
            object_kind: "playbook".into(),
            object_id: registration.id.to_string(),
            before: None,
            after: None,
            reason: None,
            request_id: "bench".into(),
        };
        store
            .register(NewPlaybook { registration, image, signature: ImageSignature::default(), trust: None, by }, entry)
            .await?;
    }
    Ok(store)
}

/// Asks all questions as the service does, without labels.
pub async fn measure(store: &Store, meanings: &dyn Meanings) -> Result<Recall> {
    let questions: Vec<Question> = serde_json::from_str(QUESTIONS)?;
    let many = u32::try_from(questions.len()).context("a number of questions")?;
    let (mut sum, mut missed) = (0.0, Vec::new());
    for Question { asked, answers } in questions {
        let filter = CatalogFilter { q: Some(asked.clone()), ..CatalogFilter::default() };
        let text = store.by_text(&filter, BY_QUESTION).await?;
        let near = near(store, meanings, &filter, &asked).await?;
        let ranked = order(text, near);
        let found: Vec<String> = ranked.iter().take(FIRST).map(|ranked| ranked.hit.id.to_string()).collect();
        let right = answers.iter().filter(|answer| found.contains(answer)).count();
        sum += f64::from(u32::try_from(right)?) / f64::from(u32::try_from(answers.len())?);
        if right < answers.len() {
            missed.push((asked, found));
        }
    }
    Ok(Recall { at_five: sum / f64::from(many), missed })
}

async fn near(
    store: &Store,
    meanings: &dyn Meanings,
    filter: &CatalogFilter,
    asked: &str,
) -> Result<Vec<(domain::search::CatalogHit, f32)>> {
    let near = loop {
        match meanings.nearest(asked, None, BY_QUESTION).await {
            Ok(near) => break near,
            Err(NoMeaning::NotConfigured) => return Ok(Vec::new()),
            // What comes late is kept: here it is waited for.
            Err(NoMeaning::Late) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    };
    let keys: Vec<_> = near.iter().map(|(key, _)| key.clone()).collect();
    let hits = store.admitted(filter, Some(&keys), BY_QUESTION).await?;
    let mut hits: HashMap<_, _> = hits.into_iter().map(|hit| ((hit.id.clone(), hit.version.clone()), hit)).collect();
    Ok(near.into_iter().filter_map(|(key, alike)| Some((hits.remove(&key)?, alike))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn text_alone_answers_most_of_the_questions() {
        let scratch = tempfile::tempdir().unwrap();
        let store = filled(scratch.path()).await.unwrap();
        let recall = measure(&store, &NoModel).await.unwrap();
        assert!(recall.at_five > 0.75, "{:.3}: {:#?}", recall.at_five, recall.missed);
    }

    #[cfg(feature = "local")]
    #[tokio::test(flavor = "multi_thread")]
    async fn meaning_answers_more_than_text_alone() {
        let Some(directory) = std::env::var_os("TEST_EMBEDDINGS_DIR") else {
            eprintln!("skipped: TEST_EMBEDDINGS_DIR is not set");
            return;
        };
        let scratch = tempfile::tempdir().unwrap();
        let store = filled(scratch.path()).await.unwrap();
        let text = measure(&store, &NoModel).await.unwrap();
        let both = measure(&store, &meanings(Path::new(&directory), &store).await.unwrap()).await.unwrap();
        assert!(both.at_five > text.at_five, "{:.3} and {:.3}: {:#?}", text.at_five, both.at_five, both.missed);
    }
}
