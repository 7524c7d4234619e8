//! What is served, for clients that ask: `/version`, `/api`, `/apis` and the resources of each group version.
//! It knows only kinds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Api;
use super::kinds::Kind;

/// The Kubernetes that the sandbox stands in for.
const VERSION: (&str, &str, &str) = ("1", "34", "v1.34.4+sandbox");

impl Api {
    /// The answer to a path that is no resource's; `None` when there is nothing there.
    pub(crate) fn discover(&self, path: &str) -> Option<Value> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            ["version"] => Some(json!({
                "major": VERSION.0, "minor": VERSION.1, "emulationMajor": VERSION.0, "emulationMinor": VERSION.1,
                "minCompatibilityMajor": VERSION.0, "minCompatibilityMinor": "33", "gitVersion": VERSION.2, "gitCommit": "", "gitTreeState": "clean",
                "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "rustc", "platform": "sandbox/sandbox",
            })),
            ["api"] => Some(json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})),
            ["apis"] => Some(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": self.groups()})),
            ["apis", group] => self.groups().into_iter().find(|found| found["name"] == *group),
            ["api", version] => self.resources("", version),
            ["apis", group, version] => self.resources(group, version),
            _ => None,
        }
    }

    fn groups(&self) -> Vec<Value> {
        let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        self.transaction(|tx| {
            for kind in tx.kinds().all().filter(|kind| !kind.group.is_empty()) {
                groups.entry(kind.group.clone()).or_default().insert(kind.version.clone());
            }
        });
        for group in ["authentication.k8s.io", "authorization.k8s.io"] {
            groups.entry(group.into()).or_default().insert("v1".into());
        }
        groups
            .into_iter()
            .map(|(group, versions)| {
                let versions: Vec<Value> =
                    versions.iter().map(|version| json!({"groupVersion": format!("{group}/{version}"), "version": version})).collect();
                json!({"kind": "APIGroup", "apiVersion": "v1", "name": group, "versions": versions, "preferredVersion": versions.last()})
            })
            .collect()
    }

    fn resources(&self, group: &str, version: &str) -> Option<Value> {
        let mut resources = Vec::new();
        self.transaction(|tx| {
            for kind in tx.kinds().all().filter(|kind| kind.group == group && kind.version == version) {
                resources.extend(entries(kind));
            }
        });
        let reviews: &[&str] = match (group, version) {
            ("authentication.k8s.io", "v1") => &["TokenReview"],
            ("authorization.k8s.io", "v1") => &["SelfSubjectAccessReview", "SubjectAccessReview"],
            _ => &[],
        };
        for kind in reviews {
            let name = format!("{}s", kind.to_lowercase());
            resources.push(
                json!({"name": name, "singularName": "", "namespaced": false, "kind": kind, "verbs": ["create"]}),
            );
        }
        let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        (!resources.is_empty())
            .then(|| json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}))
    }
}

fn entries(kind: &Kind) -> Vec<Value> {
    let verbs = json!(["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]);
    let mut entry = json!({"name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind, "verbs": verbs});
    if !kind.short_names.is_empty() {
        entry["shortNames"] = json!(kind.short_names);
    }
    let mut entries = vec![entry];
    let mut sub = |name: &str, kind_name: &str, verbs: Value| {
        entries.push(json!({"name": format!("{}/{name}", kind.plural), "singularName": "", "namespaced": kind.namespaced, "kind": kind_name, "verbs": verbs}));
    };
    if kind.status {
        sub("status", &kind.kind, json!(["get", "patch", "update"]));
    }
    if kind.scale {
        sub("scale", "Scale", json!(["get", "patch", "update"]));
    }
    if kind.qualified == "pods" {
        sub("log", "Pod", json!(["get"]));
    }
    if kind.qualified == "serviceaccounts" {
        sub("token", "TokenRequest", json!(["create"]));
    }
    entries
}
