//! What texts mean: vectors of a model of embeddings, kept beside the catalog.

use super::StoreError;
use crate::playbook::{PlaybookId, Registration, Version};
use async_trait::async_trait;

/// A version of a playbook.
pub type VersionKey = (PlaybookId, Version);

/// Why a question has no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMeaning {
    /// No model is configured.
    #[error("no model of embeddings is configured")]
    NotConfigured,
    /// The question's embedding did not come in time, or not at all.
    #[error("the model of embeddings did not answer in time")]
    Late,
}

/// Knows what is near in meaning.
#[async_trait]
pub trait Meanings: Send + Sync {
    /// Whether there is a model to ask.
    fn configured(&self) -> bool;
    /// The versions nearest to a question, the nearest first, with how alike they are (0 to 1): of these, or of all. Answers within a
    /// bound, whatever the model does.
    async fn nearest(
        &self,
        question: &str,
        of: Option<&[VersionKey]>,
        most: usize,
    ) -> Result<Vec<(VersionKey, f32)>, NoMeaning>;
}

/// Where no model is configured.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoModel;

#[async_trait]
impl Meanings for NoModel {
    fn configured(&self) -> bool {
        false
    }

    async fn nearest(&self, _: &str, _: Option<&[VersionKey]>, _: usize) -> Result<Vec<(VersionKey, f32)>, NoMeaning> {
        Err(NoMeaning::NotConfigured)
    }
}

/// The vectors of playbook versions, each of length 1, by model.
#[async_trait]
pub trait VectorStore: Send + Sync {
    /// Registrations that have no vector of this model yet, at most so many.
    async fn without_vector(&self, model: &str, most: u32) -> Result<Vec<Registration>, StoreError>;
    /// Keeps vectors; one that is there already stays.
    async fn keep_vectors(&self, model: &str, vectors: &[(VersionKey, Vec<f32>)]) -> Result<(), StoreError>;
    /// How many vectors of this model there are.
    async fn count_vectors(&self, model: &str) -> Result<i64, StoreError>;
    /// All vectors of this model.
    async fn vectors(&self, model: &str) -> Result<Vec<(VersionKey, Vec<f32>)>, StoreError>;
}
