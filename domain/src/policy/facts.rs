//! What a policy judges by: of one strategy of one recommendation, or of exactly what its ticket would run. Whatever a model says
//! of itself is among it, so a rule that lets more pass because of it should ask for something measured, too.

use crate::{
    playbook::{
        Labels, Registration,
        values::{EnvEntry, EnvValue},
    },
    recommendation::{Proposal, Recommendation, ResourceRef, Risk, Severity, Strategy},
    signature::{Signature, SignedImage},
    stats,
    target::Scope,
    ticket::Plan,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The facts of one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The cluster.
    pub cluster: String,
    /// What it is for: as the console is set, else as the incident says.
    pub environment: Option<String>,
    /// The namespaces that it acts in, the target's first; none of a cluster-wide object. An empty one beside others: some of it is
    /// in none, or in one that nobody says.
    pub namespaces: Vec<String>,
    /// How bad the incident is.
    pub severity: Severity,
    /// What may go wrong: the higher of the model's word and the registration's.
    pub risk: Risk,
    /// The playbook; none for a step list.
    pub playbook: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// What kind of thing it does.
    pub action_type: String,
    /// The kind of signal.
    pub signal_type: String,
    /// How urgent.
    pub priority: Option<String>,
    /// By which way it came: `model`, `hand`, `cluster`, or made of a run: `rollback`, `retry` or `next_strategy`.
    pub origin: String,
    /// Who handed it in.
    pub requester: String,
    /// The model.
    pub model: Option<String>,
    /// How sure it says it is.
    pub confidence: Option<f64>,
    /// What was measured of this very version; none without runs.
    pub measured: Option<Measure>,
    /// What it acts on.
    pub target: Option<ResourceRef>,
    /// What would run is told, by name; secrets are left out.
    pub parameters: BTreeMap<String, String>,
    /// Who signed what would run: of its images, the worst.
    pub signature: Signature,
    /// Who signed them, in words: a name each; only those that are trusted.
    pub signers: Vec<String>,
    /// The playbook's labels.
    pub labels: BTreeMap<String, String>,
    /// The business context that came with the incident.
    pub context: Map<String, Value>,
}

/// How often something went through.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Runs that ended.
    pub runs: i64,
    /// Of them, ended well.
    pub succeeded: i64,
    /// The one by the other.
    pub rate: f64,
    /// Lower end of the Wilson interval, 95 %.
    pub low: f64,
    /// Upper end of it.
    pub high: f64,
}

impl Measure {
    /// Of these numbers; none without runs.
    pub fn of(runs: i64, succeeded: i64) -> Option<Self> {
        let interval = stats::wilson(u64::try_from(succeeded).ok()?, u64::try_from(runs).ok()?)?;
        Some(Self { runs, succeeded, rate: interval.rate, low: interval.low, high: interval.high })
    }
}

impl Facts {
    /// Of a strategy: by `plan` where it is known what exactly would run, else by what was proposed; with the labels and the risk
    /// of the playbook's registration where that is known. `environment` is what the console is set to, `images` what is known of
    /// the images that would run.
    pub fn of(
        recommendation: &Recommendation,
        strategy: &Strategy,
        plan: Option<&Plan>,
        registration: Option<&Registration>,
        measured: Option<Measure>,
        environment: Option<&str>,
        images: &[SignedImage],
    ) -> Self {
        let incident = &recommendation.content.incident;
        let (playbook, version) = match &strategy.proposal {
            Proposal::Playbook { workflow_id, version, .. } => (Some(workflow_id.clone()), version.clone()),
            Proposal::Steps { .. } => (None, None),
        };
        let scope = match plan {
            Some(plan) => Scope::of_plan(incident.resource.as_ref(), plan),
            None => Scope::of_strategy(incident, strategy),
        };
        let model = recommendation.content.model.as_ref();
        Self {
            cluster: recommendation.cluster.clone(),
            environment: environment.map(str::to_owned).or_else(|| incident.environment.clone()),
            namespaces: scope.namespaces(),
            severity: incident.severity,
            risk: strategy.risk_with(registration.and_then(|one| one.risk)),
            playbook,
            version,
            action_type: strategy.action_type.clone(),
            signal_type: incident.signal_type.clone(),
            priority: incident.priority.clone(),
            origin: recommendation.origin.name().to_owned(),
            requester: recommendation.proposer.name.clone(),
            model: model.and_then(|m| m.name.clone().or_else(|| m.provider.clone())),
            confidence: strategy.confidence,
            measured,
            target: scope.target.acts_on().cloned(),
            parameters: match plan {
                Some(Plan::Playbook { parameters, .. }) => texts(parameters),
                Some(Plan::Steps { .. }) => BTreeMap::new(),
                None => proposed(&strategy.proposal),
            },
            signature: Signature::worst(images.iter().map(|one| one.signature.state)),
            signers: signers(images),
            labels: registration.map(|one| of_labels(&one.labels)).unwrap_or_default(),
            context: incident.business_context.clone(),
        }
    }

    /// The facts as the variables of a condition ([`VARIABLES`]). What nobody says is an empty text; numbers that nobody says
    /// are left out, so that none is ever taken for 0.
    pub fn variables(&self) -> Map<String, Value> {
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        let target = self.target.as_ref();
        let mut model = Map::from_iter([("name".to_owned(), json!(or_empty(&self.model)))]);
        model.extend(self.confidence.map(|sure| ("confidence".to_owned(), json!(sure))));
        let measured = match self.measured {
            Some(measure) => json!(measure),
            None => json!({ "runs": 0 }),
        };
        let all = json!({
            "cluster": self.cluster,
            "environment": or_empty(&self.environment),
            "namespace": self.namespaces.first().cloned().unwrap_or_default(),
            "namespaces": self.namespaces,
            "severity": self.severity.name(),
            "risk": self.risk.name(),
            "playbook": or_empty(&self.playbook),
            "version": or_empty(&self.version),
            "action_type": self.action_type,
            "signal_type": self.signal_type,
            "priority": or_empty(&self.priority),
            "origin": self.origin,
            "requester": self.requester,
            "model": model,
            "measured": measured,
            "target": {
                "kind": target.map(|t| t.kind.clone()).unwrap_or_default(),
                "namespace": target.and_then(|t| t.namespace.clone()).unwrap_or_default(),
                "name": target.map(|t| t.name.clone()).unwrap_or_default(),
            },
            "parameters": self.parameters,
            "signed": self.signature.is_verified(),
            "signers": self.signers,
            "labels": self.labels,
            "context": self.context,
        });
        match all {
            Value::Object(all) => all,
            _ => Map::new(),
        }
    }

    /// Two cases to try a condition on: one of which everything is known, and one of which nothing is that may not be.
    pub fn samples() -> [Self; 2] {
        let map = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let full = Self {
            cluster: "sandbox".into(),
            environment: Some("production".into()),
            namespaces: vec!["payments".into()],
            severity: Severity::High,
            risk: Risk::Medium,
            playbook: Some("oomkill-scale-down".into()),
            version: Some("1.0.0".into()),
            action_type: "scale_down_replicas".into(),
            signal_type: "OOMKilled".into(),
            priority: Some("P1".into()),
            origin: "model".into(),
            requester: "holmesgpt".into(),
            model: Some("holmes-large".into()),
            confidence: Some(0.9),
            measured: Measure::of(40, 38),
            target: Some(ResourceRef {
                kind: "Deployment".into(),
                namespace: Some("payments".into()),
                name: "my-app".into(),
            }),
            parameters: map("SCALE_TARGET_REPLICAS", "1"),
            signature: Signature::Verified,
            signers: vec!["key release".into()],
            labels: map("category", "resource-management"),
            context: Map::from_iter([("team".to_owned(), json!("checkout"))]),
        };
        let bare = Self {
            environment: None,
            namespaces: Vec::new(),
            playbook: None,
            version: None,
            priority: None,
            origin: "hand".into(),
            model: None,
            confidence: None,
            measured: None,
            target: None,
            parameters: BTreeMap::new(),
            signature: Signature::Unknown,
            signers: Vec::new(),
            labels: BTreeMap::new(),
            context: Map::new(),
            ..full.clone()
        };
        [full, bare]
    }
}

/// A variable of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Its type in CEL.
    pub kind: &'static str,
    /// What it holds.
    pub what: &'static str,
}

const fn variable(name: &'static str, kind: &'static str, what: &'static str) -> Variable {
    Variable { name, kind, what }
}

/// All variables that a condition may use.
pub const VARIABLES: [Variable; 21] = [
    variable("cluster", "string", "the cluster's name"),
    variable("environment", "string", "as the console is set, else as the incident says"),
    variable("namespace", "string", "that it acts in; of several the rule is judged for each"),
    variable(
        "namespaces",
        "list(string)",
        "all that it acts in; an empty text for what is in none or in one that nobody says",
    ),
    variable("severity", "string", "info, low, medium, high or critical"),
    variable("risk", "string", "low, medium or high: the higher of the model's word and the registration's"),
    variable("playbook", "string", "the playbook's id; empty for a step list"),
    variable("version", "string", "its version"),
    variable("action_type", "string", "what kind of thing it does"),
    variable("signal_type", "string", "the kind of signal"),
    variable("priority", "string", "the incident's priority"),
    variable("origin", "string", "model, hand, cluster, rollback, retry or next_strategy"),
    variable("requester", "string", "who handed it in"),
    variable("model", "map", "name (string); confidence (double), left out where nobody says"),
    variable("measured", "map", "runs (int); with runs also succeeded (int), rate, low and high (double)"),
    variable("target", "map(string, string)", "kind, namespace and name"),
    variable("parameters", "map(string, string)", "what would run is told, without secrets"),
    variable("signed", "bool", "whether somebody trusted signed all images; false where nobody could tell"),
    variable("signers", "list(string)", "who did: key and its name, or subject and (issuer); only those trusted"),
    variable("labels", "map(string, string)", "the playbook's labels"),
    variable("context", "map", "the incident's business context"),
];

fn texts(parameters: &[EnvEntry]) -> BTreeMap<String, String> {
    let text = |entry: &EnvEntry| match &entry.value {
        EnvValue::Text(text) => Some((entry.name.to_string(), text.clone())),
        EnvValue::Secret { .. } => None,
    };
    parameters.iter().filter_map(text).collect()
}

fn proposed(proposal: &Proposal) -> BTreeMap<String, String> {
    let Proposal::Playbook { parameters, .. } = proposal else { return BTreeMap::new() };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    parameters.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

fn signers(images: &[SignedImage]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for one in images.iter().filter(|one| one.signature.state.is_verified()) {
        let name = one.signature.signer.as_ref().map(ToString::to_string);
        names.extend(name.filter(|name| !names.contains(name)));
    }
    names
}

fn of_labels(labels: &Labels) -> BTreeMap<String, String> {
    let pairs = [
        ("signal_type", &labels.signal_type),
        ("severity", &labels.severity),
        ("component", &labels.component),
        ("environment", &labels.environment),
        ("priority", &labels.priority),
        ("risk_tolerance", &labels.risk_tolerance),
        ("business_category", &labels.business_category),
        ("category", &labels.category),
    ];
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_described_and_nothing_else() {
        for sample in Facts::samples() {
            let given: Vec<String> = sample.variables().keys().cloned().collect();
            let mut described: Vec<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
            described.sort_unstable();
            let mut given: Vec<&str> = given.iter().map(String::as_str).collect();
            given.sort_unstable();
            assert_eq!(given, described);
        }
    }

    #[test]
    fn no_data_is_none_and_never_zero() {
        let [full, bare] = Facts::samples();
        assert_eq!(full.variables()["measured"]["rate"], json!(0.95));
        let bare = bare.variables();
        assert_eq!(bare["measured"], json!({ "runs": 0 }));
        assert!(bare["model"].get("confidence").is_none());
        assert_eq!((Measure::of(0, 0), Measure::of(1, 2)), (None, None));
    }
}
