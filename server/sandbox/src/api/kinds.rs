//! Which kinds are served: the built-in ones, and those that a CustomResourceDefinition adds.
//! It knows no objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::schema::Schema;

/// One served kind in one version.
#[expect(clippy::struct_field_names, reason = "the wire calls it kind")]
#[derive(Debug)]
pub struct Kind {
    /// Empty for the core group.
    pub group: String,
    pub version: String,
    pub kind: String,
    pub plural: String,
    pub singular: String,
    pub short_names: Vec<String>,
    pub namespaced: bool,
    /// Has a status subresource; then ordinary writes leave `status` alone.
    pub status: bool,
    pub scale: bool,
    /// Comes from a CustomResourceDefinition.
    pub custom: bool,
    pub schema: Option<Schema>,
    /// `plural`, or `plural.group`: how messages name it, and the key of its objects in the store.
    pub qualified: String,
}

impl Kind {
    /// `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Fields that a field selector may name.
    pub(crate) fn selectable(&self) -> Vec<&'static str> {
        let own: &[&str] = match self.qualified.as_str() {
            "pods" => &[
                "spec.nodeName",
                "spec.restartPolicy",
                "spec.schedulerName",
                "spec.serviceAccountName",
                "status.phase",
                "status.podIP",
            ],
            "events" => &[
                "involvedObject.kind",
                "involvedObject.namespace",
                "involvedObject.name",
                "involvedObject.uid",
                "involvedObject.apiVersion",
                "involvedObject.resourceVersion",
                "involvedObject.fieldPath",
                "reason",
                "reportingComponent",
                "source",
                "type",
            ],
            "secrets" => &["type"],
            "namespaces" => &["status.phase"],
            "nodes" => &["spec.unschedulable"],
            _ => &[],
        };
        ["metadata.name", "metadata.namespace"].into_iter().chain(own.iter().copied()).collect()
    }

    /// Whether writes to its spec count up `metadata.generation`.
    pub(crate) fn has_generation(&self) -> bool {
        self.custom || self.group == "apps" || self.group == "policy" || self.group == "autoscaling"
    }

    fn builtin(row: &Row) -> Self {
        Self {
            group: row.group.into(),
            version: row.version.into(),
            kind: row.kind.into(),
            plural: row.plural.into(),
            singular: row.kind.to_lowercase(),
            short_names: row.short.split(' ').filter(|s| !s.is_empty()).map(Into::into).collect(),
            namespaced: row.has('n'),
            status: row.has('s'),
            scale: row.has('c'),
            custom: row.group == "tekton.dev",
            schema: None,
            qualified: qualified(row.plural, row.group),
        }
    }
}

pub(crate) fn qualified(plural: &str, group: &str) -> String {
    if group.is_empty() { plural.into() } else { format!("{plural}.{group}") }
}

struct Row {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    short: &'static str,
    /// n: namespaced, s: status subresource, c: scale subresource.
    flags: &'static str,
}

impl Row {
    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }
}

const fn row(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    short: &'static str,
    flags: &'static str,
) -> Row {
    Row { group, version, kind, plural, short, flags }
}

const BUILTIN: &[Row] = &[
    row("", "v1", "Namespace", "namespaces", "ns", "s"),
    row("", "v1", "Node", "nodes", "no", "s"),
    row("", "v1", "Pod", "pods", "po", "ns"),
    row("", "v1", "ConfigMap", "configmaps", "cm", "n"),
    row("", "v1", "Secret", "secrets", "", "n"),
    row("", "v1", "ServiceAccount", "serviceaccounts", "sa", "n"),
    row("", "v1", "Service", "services", "svc", "ns"),
    row("", "v1", "Event", "events", "ev", "n"),
    row("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "pvc", "ns"),
    row("", "v1", "ResourceQuota", "resourcequotas", "quota", "ns"),
    row("apps", "v1", "Deployment", "deployments", "deploy", "nsc"),
    row("apps", "v1", "StatefulSet", "statefulsets", "sts", "nsc"),
    row("apps", "v1", "ReplicaSet", "replicasets", "rs", "nsc"),
    row("apps", "v1", "DaemonSet", "daemonsets", "ds", "ns"),
    row("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "pdb", "ns"),
    row("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", "ns"),
    row("coordination.k8s.io", "v1", "Lease", "leases", "", "n"),
    row("rbac.authorization.k8s.io", "v1", "Role", "roles", "", "n"),
    row("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", "", "n"),
    row("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", "", ""),
    row("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", "", ""),
    row("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", "netpol", "n"),
    row("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", "", "s"),
    row(
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        "",
        "",
    ),
    row("storage.k8s.io", "v1", "StorageClass", "storageclasses", "sc", ""),
    row("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", "crd crds", "s"),
    row("tekton.dev", "v1", "Task", "tasks", "", "n"),
    row("tekton.dev", "v1", "Pipeline", "pipelines", "", "n"),
    row("tekton.dev", "v1", "TaskRun", "taskruns", "tr trs", "ns"),
    row("tekton.dev", "v1", "PipelineRun", "pipelineruns", "pr prs", "ns"),
];

/// All kinds served now.
#[derive(Debug)]
pub struct Kinds {
    /// By group, version and plural.
    served: BTreeMap<(String, String, String), Arc<Kind>>,
}

impl Default for Kinds {
    fn default() -> Self {
        let served = BUILTIN.iter().map(|row| {
            let kind = Kind::builtin(row);
            ((kind.group.clone(), kind.version.clone(), kind.plural.clone()), Arc::new(kind))
        });
        Self { served: served.collect() }
    }
}

impl Kinds {
    pub(crate) fn by_plural(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
        self.served.get(&(group.into(), version.into(), plural.into())).cloned()
    }

    /// By `apiVersion` and `kind`, as objects name themselves.
    pub(crate) fn by_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Kind>> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.served.values().find(|k| k.group == group && k.version == version && k.kind == kind).cloned()
    }

    /// By the store's key, in any version.
    pub(crate) fn by_qualified(&self, qualified: &str) -> Option<Arc<Kind>> {
        self.served.values().find(|kind| kind.qualified == qualified).cloned()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.served.values()
    }

    /// Serves what an (already checked) CustomResourceDefinition describes.
    pub(crate) fn add_crd(&mut self, crd: &Value) {
        self.remove_crd(crd);
        let spec = &crd["spec"];
        let text = |pointer: &str| spec.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (group, plural, kind) = (text("/group"), text("/names/plural"), text("/names/kind"));
        let strings = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(Value::as_str).map(Into::into).collect()
        };
        for version in spec["versions"].as_array().into_iter().flatten() {
            if version["served"] != Value::Bool(true) {
                continue;
            }
            let name = version["name"].as_str().unwrap_or_default().to_owned();
            let entry = Kind {
                group: group.clone(),
                version: name.clone(),
                kind: kind.clone(),
                plural: plural.clone(),
                singular: spec["names"]["singular"].as_str().map_or_else(|| kind.to_lowercase(), Into::into),
                short_names: strings(&spec["names"]["shortNames"]),
                namespaced: spec["scope"] == "Namespaced",
                status: version["subresources"].get("status").is_some(),
                scale: version["subresources"].get("scale").is_some(),
                custom: true,
                schema: version["schema"].get("openAPIV3Schema").map(Schema::new),
                qualified: qualified(&plural, &group),
            };
            self.served.insert((group.clone(), name, plural.clone()), Arc::new(entry));
        }
    }

    pub(crate) fn remove_crd(&mut self, crd: &Value) {
        let group = crd["spec"]["group"].as_str().unwrap_or_default();
        let plural = crd["spec"]["names"]["plural"].as_str().unwrap_or_default();
        self.served.retain(|_, kind| !(kind.custom && kind.group == group && kind.plural == plural));
    }
}
