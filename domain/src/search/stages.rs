//! The catalog as a model searches it: by the labels of the signal, then by tags, then by words.

use crate::ports::CatalogFilter;

/// What is asked for, one after the other, until there is enough: all of it; without the words; without the tags, too. Labels are never
/// given up: a playbook for another signal is no answer. What was asked for by words or tags alone is not widened to everything.
pub fn stages(filter: &CatalogFilter) -> Vec<CatalogFilter> {
    let without_words = CatalogFilter { q: None, ..filter.clone() };
    let labels_only = CatalogFilter { tags: Vec::new(), ..without_words.clone() };
    let mut stages = vec![filter.clone()];
    if filter.q.is_some() && (filter.has_labels() || !filter.tags.is_empty()) {
        stages.push(without_words);
    }
    if !filter.tags.is_empty() && filter.has_labels() {
        stages.push(labels_only);
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> CatalogFilter {
        CatalogFilter {
            signal_type: Some("OOMKilled".into()),
            environment: Some("production".into()),
            ..CatalogFilter::default()
        }
    }

    #[test]
    fn words_are_given_up_before_tags_and_labels_never() {
        let all = CatalogFilter { q: Some("memory".into()), tags: vec!["fast".into()], ..asked() };
        let stages_of_all = stages(&all);
        assert_eq!(stages_of_all.len(), 3);
        assert_eq!(stages_of_all[0], all);
        assert_eq!((stages_of_all[1].q.as_deref(), stages_of_all[1].tags.len()), (None, 1));
        assert_eq!(stages_of_all[2], asked());
        let words = CatalogFilter { q: Some("memory".into()), ..CatalogFilter::default() };
        assert_eq!(stages(&words), std::slice::from_ref(&words), "words alone are not widened to the whole catalog");
        assert_eq!(stages(&asked()).len(), 1);
    }
}
