//! What the labels of an alert mean: which kind of signal it is, how bad, on what, where. Sane for the alerts that come with
//! kube-prometheus; a document in the console's settings (`--signal-mapping`) adds to it. Knows no wire form of alerts.

use super::Facts;
use crate::{
    fault::{Complaint, Faults, code},
    json::pointer::join,
    reader::{self, ObjectReader},
    recommendation::{ResourceRef, Severity},
    target::kinds::is_cluster_wide,
    text::one_line,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// The label with an alert's name.
const ALERTNAME: &str = "alertname";
/// The label by which an alert says itself which kind of signal it is.
const SIGNAL_TYPE: &str = "signal_type";
/// The longest word that is taken from a label, in characters.
const WORD: usize = 128;
/// The longest environment, as recommendations have it.
const ENVIRONMENT: usize = 63;
/// The longest name of an object.
const NAME: usize = 253;
/// The most entries of a list or a table in the document.
const MAX_ENTRIES: usize = 1000;

/// Alerts and the kind of signal that each is. Those that are not named here are kinds of their own.
const TYPES: [(&str, &str); 22] = [
    ("KubePodCrashLooping", "CrashLoopBackOff"),
    ("KubePodNotReady", "PodNotReady"),
    ("KubeContainerWaiting", "ContainerWaiting"),
    ("KubeDeploymentReplicasMismatch", "ReplicasMismatch"),
    ("KubeDeploymentGenerationMismatch", "RolloutStuck"),
    ("KubeDeploymentRolloutStuck", "RolloutStuck"),
    ("KubeStatefulSetReplicasMismatch", "ReplicasMismatch"),
    ("KubeStatefulSetGenerationMismatch", "RolloutStuck"),
    ("KubeStatefulSetUpdateNotRolledOut", "RolloutStuck"),
    ("KubeDaemonSetRolloutStuck", "RolloutStuck"),
    ("KubeJobFailed", "JobFailed"),
    ("KubeJobNotCompleted", "JobNotCompleted"),
    ("KubeHpaMaxedOut", "AutoscalerMaxedOut"),
    ("KubeNodeNotReady", "NodeNotReady"),
    ("KubeNodeUnreachable", "NodeNotReady"),
    ("KubePersistentVolumeFillingUp", "VolumeFillingUp"),
    ("NodeFilesystemSpaceFillingUp", "NodeDiskPressure"),
    ("NodeFilesystemAlmostOutOfSpace", "NodeDiskPressure"),
    ("CPUThrottlingHigh", "CPUThrottling"),
    ("KubePodOOMKilled", "OOMKilled"),
    ("ContainerOOMKilled", "OOMKilled"),
    ("KubernetesContainerOomKiller", "OOMKilled"),
];

/// Words of severity labels.
const SEVERITIES: [(&str, Severity); 9] = [
    ("page", Severity::Critical),
    ("critical", Severity::Critical),
    ("error", Severity::High),
    ("high", Severity::High),
    ("warning", Severity::Medium),
    ("medium", Severity::Medium),
    ("low", Severity::Low),
    ("info", Severity::Info),
    ("none", Severity::Info),
];

/// Alerts that tell nothing of anything in trouble.
const IGNORED: [&str; 2] = ["Watchdog", "InfoInhibitor"];

/// Labels that name an object, the most telling first: a Deployment is more than one of its pods. `job` is the name of what was scraped.
const RESOURCES: [(&str, &str); 12] = [
    ("deployment", "Deployment"),
    ("statefulset", "StatefulSet"),
    ("daemonset", "DaemonSet"),
    ("cronjob", "CronJob"),
    ("job_name", "Job"),
    ("horizontalpodautoscaler", "HorizontalPodAutoscaler"),
    ("persistentvolumeclaim", "PersistentVolumeClaim"),
    ("persistentvolume", "PersistentVolume"),
    ("pod", "Pod"),
    ("node", "Node"),
    ("service", "Service"),
    ("namespace", "Namespace"),
];

/// What names of alerts about nodes begin with: their other labels are those of the exporter that told of it.
const NODES: [&str; 3] = ["Node", "KubeNode", "Kubelet"];

/// Reasons of Warnings that are signals, the kind of signal and how bad.
const EVENTS: [(&str, &str, Severity); 9] = [
    ("BackOff", "CrashLoopBackOff", Severity::Medium),
    ("OOMKilling", "OOMKilled", Severity::High),
    ("SystemOOM", "OOMKilled", Severity::High),
    ("FailedScheduling", "FailedScheduling", Severity::Medium),
    ("Unhealthy", "Unhealthy", Severity::Medium),
    ("FailedMount", "FailedMount", Severity::Medium),
    ("Evicted", "Evicted", Severity::Medium),
    ("NodeNotReady", "NodeNotReady", Severity::High),
    ("FailedCreate", "FailedCreate", Severity::Medium),
];

/// What labels mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    types: BTreeMap<String, String>,
    severities: BTreeMap<String, Severity>,
    ignored: Vec<String>,
    environments: Vec<String>,
    resources: Vec<(String, String)>,
    nodes: Vec<String>,
    events: BTreeMap<String, (String, Severity)>,
}

impl Default for Mapping {
    fn default() -> Self {
        let owned = |text: &&str| (*text).to_owned();
        Self {
            types: TYPES.iter().map(|(name, kind)| (owned(name), owned(kind))).collect(),
            severities: SEVERITIES.iter().map(|(word, severity)| (owned(word), *severity)).collect(),
            ignored: IGNORED.iter().map(owned).collect(),
            environments: ["environment", "env"].iter().map(owned).collect(),
            resources: RESOURCES.iter().map(|(label, kind)| (owned(label), owned(kind))).collect(),
            nodes: NODES.iter().map(owned).collect(),
            events: EVENTS.iter().map(|(reason, kind, severity)| (owned(reason), (owned(kind), *severity))).collect(),
        }
    }
}

impl Mapping {
    /// The usual mapping with what a document says. Its tables (`signal_types`, `severities`, `events`) are added to the usual ones, its
    /// lists (`ignored`, `environment_labels`, `node_alerts`, `resources`) take their place.
    pub fn read(document: &Value) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let mut object = ObjectReader::new(document, "", &mut faults);
        let types = object.optional("signal_types", table(reader::line(1..=WORD)));
        let severities = object.optional("severities", table(severity));
        let events = object.optional("events", table(event));
        let ignored = object.optional("ignored", words());
        let environments = object.optional("environment_labels", words());
        let nodes = object.optional("node_alerts", words());
        let resources = object.optional("resources", reader::array(0..=MAX_ENTRIES, resource));
        object.finish();
        let mut mapping = Self::default();
        mapping.types.extend(types.into_iter().flatten());
        mapping.severities.extend(severities.into_iter().flatten().map(|(word, is)| (word.to_lowercase(), is)));
        mapping.events.extend(events.into_iter().flatten());
        mapping.ignored = ignored.unwrap_or(mapping.ignored);
        mapping.environments = environments.unwrap_or(mapping.environments);
        mapping.nodes = nodes.unwrap_or(mapping.nodes);
        mapping.resources = resources.unwrap_or(mapping.resources);
        faults.into_result(mapping)
    }

    /// Whether an alert with these labels is left out.
    pub fn ignores(&self, labels: &BTreeMap<String, String>) -> bool {
        labels.get(ALERTNAME).is_some_and(|name| self.ignored.contains(name))
    }

    /// What these labels say. There is no summary and no link in them.
    pub fn facts(&self, labels: BTreeMap<String, String>) -> Facts {
        let name = word(&labels, ALERTNAME, WORD).unwrap_or_else(|| "Alert".into());
        let signal_type = word(&labels, SIGNAL_TYPE, WORD);
        let signal_type = signal_type.or_else(|| self.types.get(&name).cloned()).unwrap_or_else(|| name.clone());
        let severity = labels.get("severity").and_then(|said| self.severities.get(&said.trim().to_lowercase()));
        let severity = severity.copied().unwrap_or(Severity::Medium);
        let environment = self.environments.iter().find_map(|label| word(&labels, label, ENVIRONMENT));
        let resource = self.resource(&name, &labels);
        Facts { name, signal_type, severity, environment, resource, summary: None, link: None, labels }
    }

    /// The kind of signal of a Warning's reason and how bad it is; none where it is no signal.
    pub fn of_event(&self, reason: &str) -> Option<(String, Severity)> {
        self.events.get(reason).cloned()
    }

    /// The object that these labels name.
    fn resource(&self, alert: &str, labels: &BTreeMap<String, String>) -> Option<ResourceRef> {
        if self.nodes.iter().any(|begins| alert.starts_with(begins.as_str())) {
            let named = word(labels, "node", NAME);
            let name = named.or_else(|| word(labels, "instance", NAME).map(|instance| without_port(&instance)))?;
            return Some(ResourceRef { kind: "Node".into(), namespace: None, name });
        }
        let (name, kind) = self.resources.iter().find_map(|(label, kind)| Some((word(labels, label, NAME)?, kind)))?;
        let namespace = (!is_cluster_wide(kind)).then(|| word(labels, "namespace", ENVIRONMENT)).flatten();
        Some(ResourceRef { kind: kind.clone(), namespace, name })
    }
}

/// What a label says, on one line; none where it is not there or blank.
fn word(labels: &BTreeMap<String, String>, label: &str, most: usize) -> Option<String> {
    labels.get(label).map(|text| one_line(text, most)).filter(|text| !text.is_empty())
}

/// `worker-1:9100` is worker-1.
fn without_port(instance: &str) -> String {
    let port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    match instance.rsplit_once(':') {
        Some((host, after)) if port(after) => host.to_owned(),
        _ => instance.to_owned(),
    }
}

fn words() -> impl Fn(&Value, &str, &mut Faults) -> Option<Vec<String>> {
    reader::array(0..=MAX_ENTRIES, reader::line(1..=WORD))
}

/// An object with names of somebody's own.
fn table<T>(
    read: impl Fn(&Value, &str, &mut Faults) -> Option<T>,
) -> impl Fn(&Value, &str, &mut Faults) -> Option<BTreeMap<String, T>> {
    move |value, pointer, faults| {
        let Some(object) = value.as_object() else {
            return reader::wrong_type(value, pointer, faults, "an object {…}");
        };
        if object.len() > MAX_ENTRIES {
            let message = format!("shorten the table: {} entries, at most {MAX_ENTRIES}", object.len());
            return reader::refuse(Complaint::new(code::TOO_MANY, message), pointer, faults);
        }
        let entry = |(name, value): (&String, &Value)| Some((name.clone(), read(value, &join(pointer, name), faults)?));
        Some(object.iter().filter_map(entry).collect())
    }
}

fn severity(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Severity> {
    const WORDS: &[(&str, Severity)] = &[
        ("critical", Severity::Critical),
        ("high", Severity::High),
        ("medium", Severity::Medium),
        ("low", Severity::Low),
        ("info", Severity::Info),
    ];
    reader::one_of(WORDS)(value, pointer, faults)
}

fn event(value: &Value, pointer: &str, faults: &mut Faults) -> Option<(String, Severity)> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let kind = object.required("signal_type", reader::line(1..=WORD));
    let severity = object.required("severity", severity);
    object.finish();
    Some((kind?, severity?))
}

fn resource(value: &Value, pointer: &str, faults: &mut Faults) -> Option<(String, String)> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let label = object.required("label", reader::line(1..=WORD));
    let kind = object.required("kind", reader::line(1..=63));
    object.finish();
    Some((label?, kind?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn facts(pairs: &[(&str, &str)]) -> Facts {
        Mapping::default().facts(labels(pairs))
    }

    fn object(facts: &Facts) -> String {
        let resource = facts.resource.as_ref().expect("an object");
        format!("{}/{}/{}", resource.namespace.as_deref().unwrap_or_default(), resource.kind, resource.name)
    }

    #[test]
    fn the_alerts_of_kube_prometheus_are_known() {
        let crash = facts(&[
            ("alertname", "KubePodCrashLooping"),
            ("severity", "warning"),
            ("namespace", "shop"),
            ("pod", "web-1"),
            ("job", "kube-state-metrics"),
            ("container", "web"),
        ]);
        assert_eq!((crash.signal_type.as_str(), crash.severity), ("CrashLoopBackOff", Severity::Medium));
        assert_eq!(object(&crash), "shop/Pod/web-1");
        let replicas = facts(&[
            ("alertname", "KubeDeploymentReplicasMismatch"),
            ("severity", "critical"),
            ("namespace", "shop"),
            ("deployment", "web"),
            ("pod", "web-1"),
            ("env", "production"),
        ]);
        assert_eq!((object(&replicas), replicas.severity), ("shop/Deployment/web".into(), Severity::Critical));
        assert_eq!(replicas.environment.as_deref(), Some("production"));
    }

    #[test]
    fn an_alert_about_a_node_is_not_about_its_exporter() {
        let disk =
            [("alertname", "NodeFilesystemAlmostOutOfSpace"), ("namespace", "monitoring"), ("pod", "exporter-x")];
        let of = |more: &[(&str, &str)]| object(&facts(&[&disk[..], more].concat()));
        assert_eq!(of(&[("instance", "worker-1:9100")]), "/Node/worker-1");
        assert_eq!(of(&[("instance", "10.0.0.1:9100"), ("node", "worker-2")]), "/Node/worker-2");
        assert_eq!(of(&[("instance", "worker-1")]), "/Node/worker-1");
        assert_eq!(facts(&disk).resource, None, "nobody says which");
    }

    #[test]
    fn what_is_not_said_is_not_made_up() {
        let bare = facts(&[]);
        assert_eq!((bare.name.as_str(), bare.signal_type.as_str()), ("Alert", "Alert"));
        assert_eq!((bare.severity, bare.environment, bare.resource), (Severity::Medium, None, None));
        let own = facts(&[("alertname", "CheckoutSlow"), ("severity", "sev-9"), ("signal_type", "HighLatency")]);
        assert_eq!((own.signal_type.as_str(), own.severity), ("HighLatency", Severity::Medium));
        assert_eq!(facts(&[("alertname", "CheckoutSlow")]).signal_type, "CheckoutSlow");
    }

    #[test]
    fn a_document_adds_to_tables_and_replaces_lists() {
        let document = json!({
            "signal_types": { "CheckoutSlow": "HighLatency" }, "severities": { "SEV1": "critical" },
            "ignored": [], "environment_labels": ["stage"], "resources": [{ "label": "app", "kind": "Deployment" }],
            "events": { "Killing": { "signal_type": "Killed", "severity": "low" } },
        });
        let mapping = Mapping::read(&document).unwrap();
        let said = [("alertname", "CheckoutSlow"), ("severity", "sev1"), ("stage", "qa"), ("app", "web"), ("pod", "w")];
        let facts = mapping.facts(labels(&said));
        assert_eq!((facts.signal_type.as_str(), facts.severity), ("HighLatency", Severity::Critical));
        assert_eq!((facts.environment.as_deref(), object(&facts)), (Some("qa"), "/Deployment/web".into()));
        assert_eq!(mapping.facts(labels(&[("alertname", "KubePodNotReady")])).signal_type, "PodNotReady");
        assert!(!mapping.ignores(&labels(&[("alertname", "Watchdog")])));
        assert!(Mapping::default().ignores(&labels(&[("alertname", "Watchdog")])));
        assert_eq!(mapping.of_event("Killing"), Some(("Killed".into(), Severity::Low)));
        assert!(mapping.of_event("BackOff").is_some() && mapping.of_event("Pulled").is_none());
    }

    #[test]
    fn a_document_with_faults_is_refused_with_their_places() {
        let document = json!({
            "signal_type": {}, "severities": { "x": "awful" }, "resources": [{ "label": "app" }], "ignored": "Watchdog",
            "events": { "Killing": { "signal_type": "Killed", "severity": 1 } },
        });
        let mut places: Vec<String> =
            Mapping::read(&document).expect_err("refused").into_iter().map(|fault| fault.pointer).collect();
        places.sort();
        let expected = ["/events/Killing/severity", "/ignored", "/resources/0/kind", "/severities/x", "/signal_type"];
        assert_eq!(places, expected);
    }
}
