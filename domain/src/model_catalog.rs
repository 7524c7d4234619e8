//! The catalog as a model searches it: first by the labels of the signal, where what names it exactly comes before what takes any, then
//! by tags, then by words. Knows filters and labels, not how the catalog finds.

use crate::{playbook::Labels, ports::CatalogFilter};

/// What is asked for, one after the other, until there is enough: all of it; without the words; without the tags, too. Labels are never
/// given up: a playbook for another signal is no answer. What was asked for by words or tags alone is not widened to everything.
pub fn stages(filter: &CatalogFilter) -> Vec<CatalogFilter> {
    let without_words = CatalogFilter { q: None, ..filter.clone() };
    let labels_only = CatalogFilter { tags: Vec::new(), ..without_words.clone() };
    let mut stages = vec![filter.clone()];
    if filter.q.is_some() && (has_labels(filter) || !filter.tags.is_empty()) {
        stages.push(without_words);
    }
    if !filter.tags.is_empty() && has_labels(filter) {
        stages.push(labels_only);
    }
    stages
}

/// How many of the labels that are asked for a playbook names itself, rather than taking any: the more, the more it is made for this.
pub fn exactness(filter: &CatalogFilter, labels: &Labels) -> usize {
    pairs(filter, labels).into_iter().filter(|(wanted, has)| wanted.is_some() && wanted == has).count()
}

/// Whether no label of a playbook says that it is for something else than is asked for: what it does not say, it leaves open.
pub fn fits(filter: &CatalogFilter, labels: &Labels) -> bool {
    pairs(filter, labels).into_iter().all(|(wanted, has)| match (wanted, has) {
        (Some(wanted), Some(has)) => has == "*" || has == wanted,
        _ => true,
    })
}

fn has_labels(filter: &CatalogFilter) -> bool {
    pairs(filter, &Labels::default()).into_iter().any(|(wanted, _)| wanted.is_some())
}

fn pairs<'a>(filter: &'a CatalogFilter, labels: &'a Labels) -> [(Option<&'a str>, Option<&'a str>); 8] {
    [
        (filter.signal_type.as_deref(), labels.signal_type.as_deref()),
        (filter.severity.as_deref(), labels.severity.as_deref()),
        (filter.component.as_deref(), labels.component.as_deref()),
        (filter.environment.as_deref(), labels.environment.as_deref()),
        (filter.priority.as_deref(), labels.priority.as_deref()),
        (filter.risk_tolerance.as_deref(), labels.risk_tolerance.as_deref()),
        (filter.business_category.as_deref(), labels.business_category.as_deref()),
        (filter.category.as_deref(), labels.category.as_deref()),
    ]
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
    fn what_names_the_signal_is_closer_than_what_takes_any() {
        let labels = |signal: &str, environment: &str| Labels {
            signal_type: Some(signal.into()),
            environment: Some(environment.into()),
            ..Labels::default()
        };
        assert_eq!(exactness(&asked(), &labels("OOMKilled", "production")), 2);
        assert_eq!(exactness(&asked(), &labels("OOMKilled", "*")), 1);
        assert_eq!(exactness(&asked(), &labels("*", "*")), 0);
        assert_eq!(exactness(&CatalogFilter::default(), &Labels::default()), 0, "nothing is no label");
    }

    #[test]
    fn what_is_for_something_else_does_not_fit_and_what_says_nothing_does() {
        let labels = |environment: Option<&str>| Labels {
            signal_type: Some("OOMKilled".into()),
            environment: environment.map(str::to_owned),
            ..Labels::default()
        };
        for (environment, right) in
            [(Some("production"), true), (Some("*"), true), (None, true), (Some("staging"), false)]
        {
            assert_eq!(fits(&asked(), &labels(environment)), right, "{environment:?}");
        }
        assert!(fits(&CatalogFilter::default(), &labels(Some("staging"))), "nothing is asked for");
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
