//! What texts mean: a model of embeddings turns each playbook version into a vector, in the background and once, and a question when
//! it is asked. All vectors are held in memory and compared one by one: ten thousand of 384 numbers are 15 MB and a few milliseconds.
//! A search never waits longer than [`WITHIN`] for the model. It knows the ports of `domain`, no database and no HTTP.

#[cfg(feature = "local")]
mod local;

#[cfg(feature = "local")]
pub use local::Local;

use async_trait::async_trait;
use domain::{
    ports::{Meanings, NoMeaning, StoreError, VectorStore, VersionKey},
    search,
};
use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;

/// The longest that a search waits for its question's vector.
pub const WITHIN: Duration = Duration::from_millis(300);
/// Versions in one call of the model.
const AT_ONCE: u32 = 16;
/// The pause after all versions have their vectors, or when something failed.
const PAUSE: Duration = Duration::from_secs(10);
/// Questions whose vectors are kept: whoever turns pages, or asks again, does not wait.
const KEPT: usize = 128;
/// Questions that the model is asked at a time; of more the search goes on without.
const TURNS: usize = 4;

/// Why a model gave no vectors. Without what it was asked, and without its key.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct EmbedError(pub String);

/// A model of embeddings.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// Names the model: vectors of another name are not compared with its own.
    fn model(&self) -> &str;
    /// A vector for each text, in this order, of any length.
    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError>;
}

/// Keeps the vectors of the catalog, and answers what is near. Cheap to clone.
#[derive(Clone)]
pub struct Keeper(Arc<Inner>);

/// The vectors of versions.
type Held = Vec<(VersionKey, Vec<f32>)>;

struct Inner {
    embedder: Arc<dyn Embedder>,
    store: Arc<dyn VectorStore>,
    held: Mutex<Arc<Held>>,
    questions: Mutex<VecDeque<(String, Arc<Vec<f32>>)>>,
    turns: Arc<Semaphore>,
}

#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Embed(#[from] EmbedError),
}

impl Keeper {
    /// Over this model and store; nothing is held yet.
    pub fn new(embedder: Arc<dyn Embedder>, store: Arc<dyn VectorStore>) -> Self {
        let turns = Arc::new(Semaphore::new(TURNS));
        Self(Arc::new(Inner { embedder, store, held: Mutex::default(), questions: Mutex::default(), turns }))
    }

    /// Gives every version its vector, now and when new ones come. Never ends.
    pub async fn keep(self) {
        loop {
            match self.round().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "playbooks can't be given their vectors; it is tried again"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Gives every version that is there now its vector.
    ///
    /// # Errors
    /// The words of the model, or of the store.
    pub async fn keep_up(&self) -> Result<(), EmbedError> {
        while self.round().await.map_err(|error| EmbedError(error.to_string()))? {}
        Ok(())
    }

    /// Gives some versions their vectors; whether there may be more.
    async fn round(&self) -> Result<bool, KeepError> {
        let Inner { embedder, store, .. } = &*self.0;
        let missing = store.without_vector(embedder.model(), AT_ONCE).await?;
        if missing.is_empty() {
            let kept = store.count_vectors(embedder.model()).await?;
            if usize::try_from(kept).is_ok_and(|kept| kept != self.held().len()) {
                *lock(&self.0.held) = Arc::new(store.vectors(embedder.model()).await?);
            }
            return Ok(false);
        }
        let texts: Vec<String> = missing.iter().map(search::said).collect();
        let vectors = embedder.embed(&texts).await?;
        if vectors.len() != missing.len() {
            let words = format!("{} texts came back as {} vectors", missing.len(), vectors.len());
            return Err(EmbedError(words).into());
        }
        let of = missing.into_iter().map(|registration| (registration.id, registration.version));
        let units = vectors.into_iter().map(|vector| {
            search::unit(vector).ok_or_else(|| EmbedError("a vector has no length, or what is no number in it".into()))
        });
        let kept = of.zip(units).map(|(key, unit)| Ok((key, unit?))).collect::<Result<Vec<_>, EmbedError>>()?;
        store.keep_vectors(embedder.model(), &kept).await?;
        Ok(true)
    }

    fn held(&self) -> Arc<Held> {
        Arc::clone(&lock(&self.0.held))
    }

    fn known(&self, question: &str) -> Option<Arc<Vec<f32>>> {
        let questions = lock(&self.0.questions);
        questions.iter().find(|(asked, _)| asked == question).map(|(_, vector)| Arc::clone(vector))
    }

    fn remember(&self, question: String, vector: &Arc<Vec<f32>>) {
        let mut questions = lock(&self.0.questions);
        questions.retain(|(asked, _)| *asked != question);
        questions.push_back((question, Arc::clone(vector)));
        if questions.len() > KEPT {
            questions.pop_front();
        }
    }

    /// Asks the model. What comes too late is kept for whoever asks again.
    async fn ask(&self, question: &str) -> Result<Arc<Vec<f32>>, NoMeaning> {
        let Ok(turn) = Arc::clone(&self.0.turns).try_acquire_owned() else { return Err(NoMeaning::Late) };
        let (keeper, question) = (self.clone(), question.to_owned());
        let asked = tokio::spawn(async move {
            let _turn = turn;
            let vectors = match keeper.0.embedder.embed(std::slice::from_ref(&question)).await {
                Ok(vectors) => vectors,
                Err(error) => {
                    tracing::warn!(%error, "a question can't be given its vector");
                    return None;
                }
            };
            let vector = Arc::new(search::unit(vectors.into_iter().next()?)?);
            keeper.remember(question, &vector);
            Some(vector)
        });
        match tokio::time::timeout(WITHIN, asked).await {
            Ok(Ok(Some(vector))) => Ok(vector),
            _ => Err(NoMeaning::Late),
        }
    }
}

#[async_trait]
impl Meanings for Keeper {
    fn configured(&self) -> bool {
        true
    }

    async fn nearest(
        &self,
        question: &str,
        of: Option<&[VersionKey]>,
        most: usize,
    ) -> Result<Vec<(VersionKey, f32)>, NoMeaning> {
        let vector = match self.known(question) {
            Some(vector) => vector,
            None => self.ask(question).await?,
        };
        let held = self.held();
        let wanted: Option<HashSet<&VersionKey>> = of.map(|of| of.iter().collect());
        let among = held.iter().filter(|(key, _)| wanted.as_ref().is_none_or(|wanted| wanted.contains(key)));
        let near = search::nearest(&vector, among.map(|(key, vector)| (key, vector)), most);
        Ok(near.into_iter().map(|(key, alike)| (key.clone(), alike)).collect())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::playbook::Registration;
    use serde_json::json;
    use std::{
        sync::atomic::{AtomicU64, AtomicUsize, Ordering},
        time::Instant,
    };

    const NAME: &str = "words";

    /// A model of two dimensions: how often a text says memory, and how often disk.
    #[derive(Default)]
    struct Words {
        slow_ms: AtomicU64,
        calls: AtomicUsize,
    }

    #[async_trait]
    impl Embedder for Words {
        fn model(&self) -> &str {
            NAME
        }

        async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
            self.calls.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(self.slow_ms.load(Ordering::SeqCst))).await;
            let has = |text: &str, word: &str| if text.contains(word) { 2.0 } else { 0.1 };
            Ok(texts.iter().map(|text| vec![has(text, "memory"), has(text, "disk")]).collect())
        }
    }

    #[derive(Default)]
    struct Shelf {
        playbooks: Mutex<Vec<Registration>>,
        vectors: Mutex<Held>,
    }

    #[async_trait]
    impl VectorStore for Shelf {
        async fn without_vector(&self, _: &str, most: u32) -> Result<Vec<Registration>, StoreError> {
            let vectors = self.vectors.lock().unwrap();
            let has = |registration: &&Registration| !vectors.iter().any(|((id, _), _)| *id == registration.id);
            Ok(self.playbooks.lock().unwrap().iter().filter(has).take(most as usize).cloned().collect())
        }

        async fn keep_vectors(&self, _: &str, vectors: &[(VersionKey, Vec<f32>)]) -> Result<(), StoreError> {
            self.vectors.lock().unwrap().extend_from_slice(vectors);
            Ok(())
        }

        async fn count_vectors(&self, _: &str) -> Result<i64, StoreError> {
            Ok(i64::try_from(self.vectors.lock().unwrap().len()).unwrap())
        }

        async fn vectors(&self, _: &str) -> Result<Held, StoreError> {
            Ok(self.vectors.lock().unwrap().clone())
        }
    }

    fn playbook(id: &str, title: &str) -> Registration {
        serde_json::from_value(
            json!({ "workflow_id": id, "version": "1.0.0", "title": title, "description": "Mends it.",
            "container_image": "quay.io/kubernaut/mender:v1" }),
        )
        .unwrap()
    }

    fn names(near: &[(VersionKey, f32)]) -> Vec<&str> {
        near.iter().map(|((id, _), _)| id.as_str()).collect()
    }

    #[tokio::test]
    async fn every_version_gets_its_vector_once_and_the_nearest_come_first() {
        let (words, shelf) = (Arc::new(Words::default()), Arc::new(Shelf::default()));
        let many = (0..40).map(|n| playbook(&format!("disk-{n}"), "More disk"));
        *shelf.playbooks.lock().unwrap() = many.chain([playbook("memory", "More memory")]).collect();
        let keeper = Keeper::new(words.clone(), shelf.clone());
        keeper.keep_up().await.unwrap();
        assert_eq!((shelf.vectors.lock().unwrap().len(), words.calls.load(Ordering::SeqCst)), (41, 3));
        keeper.keep_up().await.unwrap();
        assert_eq!(words.calls.load(Ordering::SeqCst), 3, "once");
        let near = keeper.nearest("out of memory", None, 5).await.unwrap();
        assert_eq!(names(&near), ["memory"]);
        assert!(near[0].1 > 0.99, "vectors have length 1: {near:?}");
        let of: [VersionKey; 1] = [("disk-7".parse().unwrap(), "1.0.0".parse().unwrap())];
        assert_eq!(names(&keeper.nearest("disk full", Some(&of), 5).await.unwrap()), ["disk-7"]);
        // Another console gave one more its vector.
        shelf.vectors.lock().unwrap().push((("other".parse().unwrap(), "1.0.0".parse().unwrap()), vec![1.0, 0.0]));
        keeper.keep_up().await.unwrap();
        assert_eq!(keeper.nearest("out of memory", None, 5).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_search_does_not_wait_for_a_slow_model_and_what_comes_late_is_kept() {
        let (words, shelf) = (Arc::new(Words::default()), Arc::new(Shelf::default()));
        *shelf.playbooks.lock().unwrap() = vec![playbook("memory", "More memory")];
        let keeper = Keeper::new(words.clone(), shelf);
        keeper.keep_up().await.unwrap();
        words.slow_ms.store(600, Ordering::SeqCst);
        let began = Instant::now();
        assert_eq!(keeper.nearest("memory", None, 5).await, Err(NoMeaning::Late));
        assert!(began.elapsed() < Duration::from_millis(580), "{:?}", began.elapsed());
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert_eq!(keeper.nearest("memory", None, 5).await.unwrap().len(), 1, "it is known by now");
    }
}
