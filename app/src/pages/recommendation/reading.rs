//! What a reading of the target says, in words.

use super::Beside;
use domain::{
    recommendation::ResourceRef,
    target::{
        since::Since,
        state::{Budget, Container, Pods, Reading, TargetState},
    },
};

/// The target, where it was read.
pub fn found(beside: &Beside) -> Option<&TargetState> {
    match &beside.target.as_ref()?.reading {
        Reading::Found(state) => Some(state),
        _ => None,
    }
}

/// `Deployment my-app`.
pub fn name(resource: &ResourceRef) -> String {
    format!("{} {}", resource.kind, resource.name)
}

/// Why nothing can be shown of it; none where something can.
pub fn nothing(reading: &Reading, resource: &ResourceRef) -> Option<String> {
    match reading {
        Reading::Found(_) => None,
        Reading::Missing { .. } => {
            let place = resource.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
            Some(format!("There is no {}{place} in the cluster. A run would very likely fail.", name(resource)))
        }
        Reading::NotAllowed { advice } => Some(advice.clone()),
        Reading::Late => Some("The cluster did not answer in time, so the target is not shown.".to_owned()),
        Reading::Unavailable { detail } => Some(format!("The cluster can't be asked: {detail}")),
        Reading::Unknown => Some("The console does not read objects of this kind.".to_owned()),
    }
}

/// `3 of 4 ready`, and how far a rollout is.
pub fn pods(pods: Pods) -> String {
    let ready = format!("{} of {} ready", pods.ready, pods.wanted);
    if pods.updated < pods.wanted { format!("{ready}, {} of the newest template", pods.updated) } else { ready }
}

/// `memory 1Gi (asks for 512Mi), cpu no limit (asks for 100m)`.
pub fn resources(container: &Container) -> String {
    let one = |resource: &str| match (container.limits.get(resource), container.requests.get(resource)) {
        (Some(limit), Some(request)) if limit == request => Some(format!("{resource} {limit}")),
        (Some(limit), Some(request)) => Some(format!("{resource} limit {limit}, request {request}")),
        (Some(limit), None) => Some(format!("{resource} limit {limit}")),
        (None, Some(request)) => Some(format!("{resource} request {request}, no limit")),
        (None, None) => None,
    };
    let known = ["memory", "cpu"].into_iter().filter_map(one).collect::<Vec<_>>().join(" · ");
    if known.is_empty() { "no requests, no limits".to_owned() } else { known }
}

/// `minAvailable 2, room for 1`; whether there is room.
pub fn budget(budget: &Budget) -> (String, bool) {
    match budget.allowed {
        Some(0) => (format!("no room: {}", budget.rule), false),
        Some(n) => (format!("{}, room for {n}", budget.rule), true),
        None => (budget.rule.clone(), true),
    }
}

/// What has changed since the recommendation came; none where nothing has or nobody can tell.
pub fn changed(since: &Since) -> Option<String> {
    match since {
        Since::Same | Since::Unknown => None,
        Since::Replaced => Some("another object of this name has taken its place".to_owned()),
        Since::Changed { moved, by, .. } => {
            let none = || "none".to_owned();
            let facts = moved.iter().map(|fact| {
                let (before, after) =
                    (fact.before.clone().unwrap_or_else(none), fact.after.clone().unwrap_or_else(none));
                format!("{} {before} → {after}", fact.fact)
            });
            let what = facts.collect::<Vec<_>>().join(", ");
            let what = if what.is_empty() { "its spec was changed".to_owned() } else { what };
            Some(by.as_ref().map_or_else(|| what.clone(), |by| format!("{what} (by {by})")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::target::since::Moved;
    use std::collections::BTreeMap;

    #[test]
    fn resources_read_as_people_say_them() {
        let amounts = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, amount)| ((*name).to_owned(), (*amount).to_owned())).collect()
        };
        let of = |limits: &[(&str, &str)], requests: &[(&str, &str)]| {
            resources(&Container { limits: amounts(limits), requests: amounts(requests), ..Container::default() })
        };
        assert_eq!(of(&[("memory", "1Gi")], &[("memory", "512Mi")]), "memory limit 1Gi, request 512Mi");
        assert_eq!(
            of(&[("memory", "1Gi")], &[("memory", "1Gi"), ("cpu", "100m")]),
            "memory 1Gi · cpu request 100m, no limit"
        );
        assert_eq!(of(&[], &[]), "no requests, no limits");
    }

    #[test]
    fn a_change_is_told_fact_by_fact_and_no_change_not_at_all() {
        let moved = vec![Moved { fact: "replicas".into(), before: Some("4".into()), after: Some("2".into()) }];
        let changed_by = Since::Changed { moved, at: None, by: Some("kubectl-edit".into()) };
        assert_eq!(changed(&changed_by).unwrap(), "replicas 4 → 2 (by kubectl-edit)");
        let elsewhere = Since::Changed { moved: vec![], at: None, by: None };
        assert_eq!(changed(&elsewhere).unwrap(), "its spec was changed");
        assert_eq!(changed(&Since::Same), None);
        assert_eq!(changed(&Since::Unknown), None);
    }
}
