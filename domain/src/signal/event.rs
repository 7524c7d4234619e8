//! What a Warning of Kubernetes means as a signal. An Event tells that something happened, never that it is over: that is taken from its
//! silence, by whoever keeps signals.

use super::{Facts, SignalSource, Told, Word, group, mapping::Mapping};
use crate::{recommendation::ResourceRef, target::kinds::is_cluster_wide, warning::Warning};
use std::collections::BTreeMap;

/// The signal of a Warning in this namespace; none for reasons that the mapping does not name: most Warnings pass by themselves.
/// What belongs together is what is told of one object.
pub fn signal(namespace: &str, warning: &Warning, mapping: &Mapping) -> Option<Told> {
    let (signal_type, severity) = mapping.of_event(&warning.reason)?;
    let resource = ResourceRef {
        kind: warning.kind.clone(),
        namespace: (!is_cluster_wide(&warning.kind)).then(|| namespace.to_owned()),
        name: warning.object.clone(),
    };
    if resource.kind.is_empty() || resource.name.is_empty() {
        return None;
    }
    let labels = [
        ("namespace", namespace),
        ("reason", warning.reason.as_str()),
        ("kind", warning.kind.as_str()),
        ("name", warning.object.as_str()),
    ];
    let facts = Facts {
        name: warning.reason.clone(),
        signal_type,
        severity,
        environment: None,
        resource: Some(resource),
        summary: Some(warning.message.clone()).filter(|text| !text.is_empty()),
        link: None,
        labels: labels.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>(),
    };
    Some(Told {
        source: SignalSource::Kubernetes,
        fingerprint: group(&[namespace, &warning.kind, &warning.object, &warning.reason]),
        group: group(&[namespace, &warning.kind, &warning.object]),
        starts_at: warning.first_at,
        word: Word::Firing { seen_at: Some(warning.last_at) },
        facts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{recommendation::Severity, time::Timestamp};

    fn warning(kind: &str, name: &str, reason: &str) -> Warning {
        Warning {
            kind: kind.into(),
            object: name.into(),
            task: None,
            reason: reason.into(),
            message: "Back-off restarting failed container".into(),
            count: 3,
            first_at: Timestamp::from_millis(1000),
            last_at: Timestamp::from_millis(9000),
        }
    }

    fn of(warning: &Warning) -> Option<Told> {
        signal("shop", warning, &Mapping::default())
    }

    #[test]
    fn a_warning_is_a_signal_of_its_object() {
        let told = of(&warning("Pod", "web-1", "BackOff")).unwrap();
        assert_eq!((told.facts.signal_type.as_str(), told.facts.severity), ("CrashLoopBackOff", Severity::Medium));
        let resource = told.facts.resource.clone().unwrap();
        assert_eq!((resource.kind.as_str(), resource.namespace.as_deref()), ("Pod", Some("shop")));
        assert_eq!(told.word, Word::Firing { seen_at: Some(Timestamp::from_millis(9000)) });
        let other = of(&warning("Pod", "web-1", "Unhealthy")).unwrap();
        assert_eq!(told.group, other.group, "of one object");
        assert_ne!(told.fingerprint, other.fingerprint);
        assert_ne!(told.group, of(&warning("Pod", "web-2", "BackOff")).unwrap().group);
    }

    #[test]
    fn what_is_not_named_or_about_nothing_is_no_signal() {
        assert_eq!(of(&warning("Pod", "web-1", "DNSConfigForming")), None);
        assert_eq!(of(&warning("", "web-1", "BackOff")), None);
        let node = of(&warning("Node", "worker-1", "OOMKilling")).unwrap();
        assert_eq!(node.facts.resource.unwrap().namespace, None);
    }
}
