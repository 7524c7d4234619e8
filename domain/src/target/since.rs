//! Whether a target is still what was analysed. The console looks at it when the recommendation comes and keeps what it saw; where
//! it could not look then, the API server's own times are all there is, and they may tell nothing.

use super::state::TargetState;
use crate::{recommendation::ResourceRef, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A target as it was when the recommendation came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Seen {
    /// The object.
    pub resource: ResourceRef,
    /// Its uid.
    pub uid: String,
    /// The count of its spec's changes, where the kind has one.
    pub generation: Option<i64>,
    /// What was worth noting in it: replicas, images, requests and limits.
    pub facts: BTreeMap<String, String>,
}

impl Seen {
    /// What there is to note.
    pub fn of(state: &TargetState) -> Self {
        Self {
            resource: state.resource.clone(),
            uid: state.uid.clone(),
            generation: state.generation,
            facts: facts(state),
        }
    }
}

fn facts(state: &TargetState) -> BTreeMap<String, String> {
    let mut facts = state.facts.clone();
    if let Some(pods) = state.pods.filter(|_| state.resource.kind != "DaemonSet") {
        facts.insert("replicas".into(), pods.wanted.to_string());
    }
    for container in &state.containers {
        let of = |what: &str| {
            if state.containers.len() == 1 { what.to_owned() } else { format!("{what} of {}", container.name) }
        };
        facts.insert(of("image"), container.image.clone());
        for (word, amounts) in [("request", &container.requests), ("limit", &container.limits)] {
            for (resource, amount) in amounts {
                facts.insert(of(&format!("{resource} {word}")), amount.clone());
            }
        }
    }
    facts
}

/// A fact that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Which.
    pub fact: String,
    /// As it was; none where it was not there.
    pub before: Option<String>,
    /// As it is; none where it is gone.
    pub after: Option<String>,
}

/// Whether it is still the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Since {
    /// Nothing that counts has changed.
    Same,
    /// Nobody can tell.
    Unknown,
    /// It was made after the recommendation had come: another object under the name.
    Replaced,
    /// Its spec has changed.
    Changed {
        /// What of the facts; empty where it is something else in the spec.
        moved: Vec<Moved>,
        /// When, where the API server tells.
        at: Option<Timestamp>,
        /// By what, where the API server tells.
        by: Option<String>,
    },
}

/// Compares the target with what was seen of it at `came`, when the recommendation came.
pub fn since(seen: &[Seen], state: &TargetState, came: Timestamp) -> Since {
    let changed = |moved: Vec<Moved>| {
        let told = state.spec_changed_at.filter(|at| *at > came);
        let by = told.and(state.spec_changed_by.clone());
        Since::Changed { moved, at: told, by }
    };
    let Some(seen) = seen.iter().find(|seen| seen.resource == state.resource) else {
        return match (state.created_at, state.spec_changed_at) {
            (Some(made), _) if made > came => Since::Replaced,
            (_, Some(at)) if at > came => changed(Vec::new()),
            (_, Some(_)) => Since::Same,
            (_, None) => Since::Unknown,
        };
    };
    if seen.uid != state.uid {
        return Since::Replaced;
    }
    let now = facts(state);
    let names: std::collections::BTreeSet<&String> = seen.facts.keys().chain(now.keys()).collect();
    let moved: Vec<Moved> = names
        .into_iter()
        .filter(|name| seen.facts.get(*name) != now.get(*name))
        .map(|name| Moved { fact: name.clone(), before: seen.facts.get(name).cloned(), after: now.get(name).cloned() })
        .collect();
    let counted = matches!((seen.generation, state.generation), (Some(then), Some(now)) if then != now);
    if counted || !moved.is_empty() { changed(moved) } else { Since::Same }
}

#[cfg(test)]
mod tests {
    use super::super::state::{Beside, Container, Pods};
    use super::*;

    const CAME: Timestamp = Timestamp::from_millis(1_000_000);

    fn state() -> TargetState {
        TargetState {
            resource: ResourceRef { kind: "Deployment".into(), namespace: Some("p".into()), name: "my-app".into() },
            uid: "u".into(),
            generation: Some(3),
            created_at: Some(Timestamp::from_millis(1)),
            spec_changed_at: None,
            spec_changed_by: None,
            deleting: false,
            pods: Some(Pods { wanted: 4, ready: 4, updated: 4 }),
            containers: vec![Container {
                name: "app".into(),
                image: "app:1".into(),
                limits: BTreeMap::from([("memory".into(), "1Gi".into())]),
                ..Container::default()
            }],
            facts: BTreeMap::new(),
            complaints: vec![],
            owners: vec![],
            manager: None,
            budgets: Beside::Read(vec![]),
            autoscalers: Beside::Read(vec![]),
            read_at: CAME,
        }
    }

    #[test]
    fn what_was_seen_is_compared_fact_by_fact() {
        let seen = [Seen::of(&state())];
        assert_eq!(since(&seen, &state(), CAME), Since::Same);
        let mut now = state();
        now.pods = Some(Pods { wanted: 2, ready: 1, updated: 2 });
        now.generation = Some(4);
        now.containers[0].limits.clear();
        let Since::Changed { moved, .. } = since(&seen, &now, CAME) else { panic!("it has changed") };
        let told: Vec<_> = moved.iter().map(|m| (m.fact.as_str(), m.before.as_deref(), m.after.as_deref())).collect();
        assert_eq!(told, [("memory limit", Some("1Gi"), None), ("replicas", Some("4"), Some("2"))]);
        let elsewhere = TargetState { generation: Some(9), ..state() };
        assert_eq!(since(&seen, &elsewhere, CAME), Since::Changed { moved: vec![], at: None, by: None });
        let pods_only = TargetState { pods: Some(Pods { wanted: 4, ready: 0, updated: 4 }), ..state() };
        assert_eq!(since(&seen, &pods_only, CAME), Since::Same, "pods that come and go are no change of the target");
        let another = TargetState { uid: "v".into(), ..state() };
        assert_eq!(since(&seen, &another, CAME), Since::Replaced);
    }

    #[test]
    fn what_was_not_seen_is_judged_by_the_api_servers_times() {
        assert_eq!(since(&[], &state(), CAME), Since::Unknown);
        let made_later = TargetState { created_at: Some(CAME.plus_ms(1)), ..state() };
        assert_eq!(since(&[], &made_later, CAME), Since::Replaced);
        let at = |ms| TargetState {
            spec_changed_at: Some(CAME.plus_ms(ms)),
            spec_changed_by: Some("kubectl-edit".into()),
            ..state()
        };
        assert_eq!(since(&[], &at(-1), CAME), Since::Same);
        let later = Since::Changed { moved: vec![], at: Some(CAME.plus_ms(5)), by: Some("kubectl-edit".into()) };
        assert_eq!(since(&[], &at(5), CAME), later);
    }
}
