//! Kinds of objects, however they are written: by the API (`Deployment`), or as kubectl takes them (`deploy`, `deployments.apps`).
//! The same object must not be two by its spelling.

use crate::recommendation::ResourceRef;

/// What to call an object whose kind nobody said.
pub const SOME: &str = "Object";

/// The kind, whether its objects are in no namespace, and other words for it.
type Known = (&'static str, bool, &'static [&'static str]);

static KNOWN: [Known; 16] = [
    ("Deployment", false, &["deployments", "deploy"]),
    ("StatefulSet", false, &["statefulsets", "sts"]),
    ("DaemonSet", false, &["daemonsets", "ds"]),
    ("ReplicaSet", false, &["replicasets", "rs"]),
    ("Pod", false, &["pods", "po"]),
    ("Job", false, &["jobs"]),
    ("CronJob", false, &["cronjobs", "cj"]),
    ("Service", false, &["services", "svc"]),
    ("ConfigMap", false, &["configmaps", "cm"]),
    ("Secret", false, &["secrets"]),
    ("Ingress", false, &["ingresses", "ing"]),
    ("HorizontalPodAutoscaler", false, &["horizontalpodautoscalers", "hpa"]),
    ("PersistentVolumeClaim", false, &["persistentvolumeclaims", "pvc"]),
    ("PersistentVolume", true, &["persistentvolumes", "pv"]),
    ("Node", true, &["nodes", "no"]),
    ("Namespace", true, &["namespaces", "ns"]),
];

/// Groups of the API whose kinds these are; the core group has no name.
const GROUPS: [&str; 4] = ["apps", "batch", "autoscaling", "networking.k8s.io"];

/// The known kind that a word means.
pub fn known(word: &str) -> Option<&'static str> {
    found(word).map(|(kind, ..)| *kind)
}

/// Whether the objects of this kind are in no namespace; of kinds that are not known it can't be told.
pub fn is_cluster_wide(word: &str) -> bool {
    found(word).is_some_and(|(_, cluster_wide, _)| *cluster_wide)
}

fn found(word: &str) -> Option<&'static Known> {
    let word = word.trim().to_ascii_lowercase();
    let (kind, group) = word.split_once('.').unwrap_or((word.as_str(), ""));
    // `deployments.v1.apps` is of the group, too.
    let of_group = |known: &&str| group == *known || group.ends_with(&format!(".{known}"));
    if !group.is_empty() && group != "v1" && !GROUPS.iter().any(of_group) {
        return None;
    }
    KNOWN.iter().find(|(known, _, words)| known.eq_ignore_ascii_case(kind) || words.contains(&kind))
}

/// The object with its kind as the API calls it, where that is known; in no namespace where there are none of that kind.
pub fn canonical(object: &ResourceRef) -> ResourceRef {
    let kind = known(&object.kind).map_or_else(|| object.kind.trim().to_owned(), str::to_owned);
    let namespace = object.namespace.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let namespace = namespace.filter(|_| !is_cluster_wide(&kind)).map(str::to_owned);
    ResourceRef { kind, namespace, name: object.name.trim().to_owned() }
}

/// An object as runs are kept apart by it. What nobody says is empty, and may be any: two that differ only in that are taken for
/// the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Spot {
    /// Its namespace; empty for what is in none, too.
    pub namespace: String,
    /// Its kind in lower case.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl Spot {
    /// Of an object that is named.
    pub fn of(object: &ResourceRef) -> Self {
        let ResourceRef { kind, namespace, name } = canonical(object);
        let kind = if kind.eq_ignore_ascii_case(SOME) { String::new() } else { kind.to_lowercase() };
        Self { namespace: namespace.unwrap_or_default(), kind, name }
    }

    /// Anything in this namespace.
    pub fn within(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_one_however_it_is_written() {
        for word in ["Deployment", "deployment", " DEPLOYMENTS ", "deploy", "deployments.apps", "deployment.v1.apps"] {
            assert_eq!(known(word), Some("Deployment"), "{word}");
        }
        for (word, kind) in
            [("no", "Node"), ("pods", "Pod"), ("sts", "StatefulSet"), ("hpa", "HorizontalPodAutoscaler")]
        {
            assert_eq!(known(word), Some(kind), "{word}");
        }
        for word in ["", "Application", "services.serving.knative.dev", "deployments.myapps"] {
            assert_eq!(known(word), None, "{word}");
        }
    }

    #[test]
    fn a_spot_has_neither_the_spelling_nor_what_nobody_says() {
        let spot = |kind: &str, namespace: Option<&str>| {
            Spot::of(&ResourceRef { kind: kind.into(), namespace: namespace.map(Into::into), name: "x".into() })
        };
        assert_eq!(spot("DEPLOY", Some("p")), spot("Deployment", Some(" p ")));
        assert_eq!(spot("Node", Some("p")), spot("nodes", None));
        assert_eq!(spot("Application", None), Spot { kind: "application".into(), name: "x".into(), ..Spot::default() });
        assert_eq!(spot(SOME, Some("p")), Spot { name: "x".into(), ..Spot::within("p") });
    }
}
