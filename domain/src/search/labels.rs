//! How labels fit what is asked for: the same rule for lists, for searches by words and for models.

use crate::{playbook::Labels, ports::CatalogFilter};
use std::cmp::Reverse;

/// How much it counts that a label is exact and not `*`. Each counts more than all after it together: a playbook that was made for the
/// signal stands before one for any signal, whatever else fits.
pub fn weight(label: &str) -> u32 {
    const ORDER: [&str; 8] = [
        "signal_type",
        "component",
        "severity",
        "environment",
        "priority",
        "risk_tolerance",
        "business_category",
        "category",
    ];
    ORDER.iter().rev().zip(0_u32..).find(|(name, _)| **name == label).map_or(0, |(_, place)| 1_u32 << place)
}

/// The labels that a filter asks for, those first that count most: the name, what is asked for, what a playbook says.
pub(super) fn asked<'a>(
    filter: &'a CatalogFilter,
    labels: &'a Labels,
) -> Vec<(&'static str, &'a str, Option<&'a str>)> {
    let both = filter.labels().into_iter().zip(labels.named());
    let mut asked: Vec<_> = both.filter_map(|((name, wanted), (_, has))| Some((name, wanted?, has))).collect();
    asked.sort_by_key(|(name, ..)| Reverse(weight(name)));
    asked
}

/// How general labels are where a filter asks for one: the sum of the [`weight`]s of those that take any, or say nothing.
pub fn general(filter: &CatalogFilter, labels: &Labels) -> u32 {
    let any = asked(filter, labels).into_iter().filter(|(_, _, has)| has.is_none_or(|has| has == "*"));
    any.map(|(name, ..)| weight(name)).sum()
}

/// Whether no label of a playbook says that it is for something else than is asked for: what it does not say, it leaves open.
pub fn fits(filter: &CatalogFilter, labels: &Labels) -> bool {
    asked(filter, labels).into_iter().all(|(_, wanted, has)| has.is_none_or(|has| has == "*" || has == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_for() -> CatalogFilter {
        CatalogFilter {
            signal_type: Some("OOMKilled".into()),
            environment: Some("production".into()),
            ..CatalogFilter::default()
        }
    }

    #[test]
    fn a_label_counts_more_than_all_after_it() {
        assert_eq!((weight("signal_type"), weight("component"), weight("category"), weight("tag")), (128, 64, 1, 0));
        let rest =
            ["component", "severity", "environment", "priority", "risk_tolerance", "business_category", "category"];
        assert!(weight("signal_type") > rest.into_iter().map(weight).sum::<u32>());
    }

    #[test]
    fn only_what_is_asked_for_is_general() {
        let labels = Labels { signal_type: Some("*".into()), severity: Some("*".into()), ..Labels::default() };
        let asked = CatalogFilter { severity: Some("high".into()), priority: Some("P1".into()), ..Default::default() };
        assert_eq!(general(&asked, &labels), weight("severity") + weight("priority"), "what says nothing is for any");
        assert_eq!(general(&CatalogFilter::default(), &labels), 0);
    }

    #[test]
    fn what_names_the_signal_is_closer_than_what_takes_any() {
        let labels = |signal: &str, environment: &str| Labels {
            signal_type: Some(signal.into()),
            environment: Some(environment.into()),
            ..Labels::default()
        };
        assert_eq!(general(&asked_for(), &labels("OOMKilled", "production")), 0);
        assert_eq!(general(&asked_for(), &labels("OOMKilled", "*")), weight("environment"));
        assert!(general(&asked_for(), &labels("*", "production")) > general(&asked_for(), &labels("OOMKilled", "*")));
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
            assert_eq!(fits(&asked_for(), &labels(environment)), right, "{environment:?}");
        }
        assert!(fits(&CatalogFilter::default(), &labels(Some("staging"))), "nothing is asked for");
    }
}
