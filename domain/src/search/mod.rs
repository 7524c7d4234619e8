//! Searching the catalog: which words a playbook is found by, what a question asks for, and in which order hits stand
//! (`docs/search.md`). Pure: the databases look words up, somebody else gives texts their meaning.

mod labels;
mod rank;
mod reasons;
mod stages;
mod words;

pub use labels::{fits, general, weight};
pub use rank::{BY_QUESTION, CatalogHit, LEAST_ALIKE, Ranked, nearest, order, unit};
pub use reasons::reasons;
pub use stages::stages;
pub use words::{Question, Term, Texts, said};

/// What meaning had to do with a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// Nothing was asked in words.
    NotAsked,
    /// No model of embeddings is configured: text alone.
    NotConfigured,
    /// Text and meaning.
    Used,
    /// The question's embedding did not come in time, or not at all: text alone.
    Late,
}

impl Meaning {
    /// What a person is told, where there is something to tell.
    pub const fn note(self) -> Option<&'static str> {
        match self {
            Self::Late => Some("Found by text alone: the model that knows meanings did not answer in time."),
            Self::NotAsked | Self::NotConfigured | Self::Used => None,
        }
    }
}
