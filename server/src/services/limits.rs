//! How much may be searched for at once. A pattern of tens of thousands of characters, or hundreds of tags, is no search: the
//! databases refuse such statements, and nobody should find that out by a fault of ours.

use domain::{
    fault::{Fault, code},
    ports::{CatalogFilter, ExecutionFilter, RecommendationFilter},
    services::{Answer, ServiceError},
};

/// The most characters in a text to be searched for.
pub const MAX_TEXT: usize = 256;
/// The most tags at once.
pub const MAX_TAGS: usize = 32;

/// What is wrong with a text to be searched for, if anything.
pub fn too_long(name: &str, text: &str) -> Option<Fault> {
    let message = || format!("shorten {name} to at most {MAX_TEXT} characters");
    (text.chars().nth(MAX_TEXT).is_some()).then(|| Fault::new(format!("/{name}"), code::TOO_LONG, message()))
}

/// What is wrong with this many tags, if anything.
pub fn too_many_tags(count: usize) -> Option<Fault> {
    let message = || format!("give at most {MAX_TAGS} tags");
    (count > MAX_TAGS).then(|| Fault::new("/tag", code::TOO_MANY, message()))
}

/// Whether all these texts, by their parameters' names, are short enough to be searched for.
pub(super) fn short<'t>(texts: impl IntoIterator<Item = (&'static str, &'t Option<String>)>) -> Answer<()> {
    let faults = texts.into_iter().filter_map(|(name, text)| too_long(name, text.as_deref()?));
    refuse(faults.collect())
}

/// The same for the catalog.
pub(super) fn short_catalog(filter: &CatalogFilter) -> Answer<()> {
    short([
        ("q", &filter.q),
        ("signal_type", &filter.signal_type),
        ("severity", &filter.severity),
        ("component", &filter.component),
        ("environment", &filter.environment),
        ("priority", &filter.priority),
        ("risk_tolerance", &filter.risk_tolerance),
        ("business_category", &filter.business_category),
        ("category", &filter.category),
    ])?;
    let tags = filter.tags.iter().filter_map(|tag| too_long("tag", tag));
    refuse(too_many_tags(filter.tags.len()).into_iter().chain(tags).collect())
}

/// The same for recommendations.
pub(super) fn short_recommendations(filter: &RecommendationFilter) -> Answer<()> {
    short([
        ("q", &filter.q),
        ("incident", &filter.incident),
        ("signal_type", &filter.signal_type),
        ("severity", &filter.severity),
        ("workflow_id", &filter.workflow_id),
    ])
}

/// The same for executions.
pub(super) fn short_executions(filter: &ExecutionFilter) -> Answer<()> {
    short([("q", &filter.q), ("workflow_id", &filter.workflow_id), ("recommendation", &filter.recommendation_id)])
}

fn refuse(faults: Vec<Fault>) -> Answer<()> {
    if faults.is_empty() { Ok(()) } else { Err(ServiceError::Invalid(faults)) }
}
