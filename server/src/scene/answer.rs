//! The investigator's answer as a whole: the seeds' JSON, made of evidence and script. Pure.

use super::{
    evidence::{Evidence, Node},
    script::{Move, Script},
};
use domain::{ids::Digest, time::Timestamp};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// From so many percent of a node's memory requested, the node itself is worth a word.
const FULL_PERCENT: u64 = 85;

/// The incident of an alert: the same as long as the alert goes on firing.
pub fn incident_id(alert: &sandbox::Alert) -> String {
    let hash = digest(&[&alert.namespace, &alert.kind, &alert.name, &alert.since_ms.to_string()]);
    format!("inc-{}", &hash.hex()[..6])
}

/// The fingerprint of an alert: the same whenever it fires.
pub fn fingerprint(alert: &sandbox::Alert) -> String {
    digest(&[alert.signal_type, &alert.namespace, &alert.kind, &alert.name]).hex()[..16].to_owned()
}

fn digest(parts: &[&str]) -> Digest {
    Digest::from_bytes(Sha256::digest(parts.join("\n")).into())
}

/// The answer to this alert, with the strategies of this turn.
pub fn answer(script: &Script, alert: &sandbox::Alert, evidence: &Evidence, turn: usize) -> Value {
    let Evidence { kind, namespace, name, .. } = evidence;
    let moves = script.answer(turn);
    let strategies: Vec<Value> =
        (0_u32..).zip(moves).map(|(place, one)| one.strategy(evidence, script.risk, place)).collect();
    json!({
        "incident": {
            "id": incident_id(alert),
            "signal_type": alert.signal_type,
            "severity": script.severity,
            "environment": namespace,
            "priority": script.priority,
            "fingerprint": fingerprint(alert),
            "resource": { "kind": kind, "namespace": namespace, "name": name },
            "started_at": Timestamp::from_millis(alert.since_ms).to_string(),
            "business_context": { "team": script.team },
        },
        "model": { "provider": "the demo's script", "name": "sandbox-investigator", "prompt_version": "1" },
        "analysis_summary": summary(evidence),
        "root_cause_assessment": root_cause(moves, evidence),
        "strategies": strategies,
        "warnings": warnings(moves, evidence),
        "context_used": context(evidence),
        "additional_findings": findings(evidence),
    })
}

/// What an answer comes to, in a line.
pub fn choice(answer: &Value) -> String {
    let strategies = answer["strategies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let first = strategies.first().and_then(|first| first["workflow_id"].as_str()).unwrap_or("nothing");
    match strategies.len() {
        0 | 1 => format!("Proposes {first}"),
        many => format!("Proposes {first} first, of {many} strategies"),
    }
}

fn summary(evidence: &Evidence) -> String {
    let Evidence { kind, namespace, name, replicas, ready, kills, .. } = evidence;
    let kills = if *kills == 1 { "one kill".to_owned() } else { format!("{kills} kills") };
    format!(
        "{name} is killed for its memory. {kind} {name} in {namespace} has {ready} of {replicas} pods ready after {kills}; {}, {}.",
        evidence
            .limit
            .map_or_else(|| "its containers have no memory limit".into(), |l| format!("each container may use {l}")),
        node_words(evidence),
    )
}

fn node_words(evidence: &Evidence) -> String {
    let full = |n: &Node| {
        let percent = n.requested.percent_of(n.allocatable);
        format!("and {percent}% of the memory of node {} is requested ({} of {})", n.name, n.requested, n.allocatable)
    };
    evidence.node.as_ref().map_or_else(|| "and its pods are bound to no node".into(), full)
}

/// What the model believes, which goes with what it recommends first; the evidence beside it may tell otherwise.
fn root_cause(moves: &[Move], evidence: &Evidence) -> String {
    let limit = evidence.limit.map_or_else(|| "its limit".into(), |limit| format!("{limit}"));
    match moves.first() {
        Some(Move::ScaleDown | Move::InventedPlaybook) => {
            "Node memory pressure due to over-allocation of resources. Several workloads compete for limited memory."
                .into()
        }
        Some(Move::Optimize | Move::OptimizeForCost) => format!(
            "The application keeps more in memory than {limit} allows; its memory profile is the default one, which favours speed."
        ),
        _ => format!("The application needs more memory than {limit}; it is killed whenever it reaches that."),
    }
}

fn warnings(moves: &[Move], evidence: &Evidence) -> Vec<String> {
    let mut warnings = Vec::new();
    if moves.contains(&Move::ScaleDown) {
        warnings.push("Scaling down reduces the application's capacity".into());
        if let Some((least, most)) = evidence.autoscaler {
            warnings.push(format!(
                "An autoscaler holds it between {least} and {most} replicas and may undo a change of them"
            ));
        }
    }
    if let Some(budget) = evidence.budget {
        warnings.push(match budget {
            1 => "Its disruption budget wants one pod available".to_owned(),
            more => format!("Its disruption budget wants {more} pods available"),
        });
    }
    if let Some(application) = &evidence.application {
        warnings.push(format!("Argo CD owns it (application {application}) and may reset it at its next sync"));
    }
    if moves.iter().any(|one| !matches!(one, Move::ScaleDown)) {
        warnings.push("All pods are replaced, one batch after the other".into());
    }
    warnings
}

fn context(evidence: &Evidence) -> Map<String, Value> {
    let Evidence { kind, name, replicas, ready, .. } = evidence;
    let mut context = Map::new();
    let or_none = |memory: Option<super::memory::Memory>| memory.map_or_else(|| "none".to_owned(), |m| m.to_string());
    let (request, limit) = (or_none(evidence.request), or_none(evidence.limit));
    let state = format!("{ready} of {replicas} pods ready; memory request {request}, limit {limit}");
    context.insert("cluster_state".into(), state.into());
    if let Some(node) = &evidence.node {
        let percent = node.requested.percent_of(node.allocatable);
        context
            .insert("resource_availability".into(), format!("{percent}% of {}'s memory requested", node.name).into());
    }
    context.insert("blast_radius".into(), format!("{kind} {name}, {replicas} pods").into());
    context
}

fn findings(evidence: &Evidence) -> Vec<Value> {
    let mut findings = Vec::new();
    if let Some(node) = evidence.node.as_ref().filter(|n| n.requested.percent_of(n.allocatable) >= FULL_PERCENT) {
        findings.push(json!({
            "title": format!("Node {} has little memory left to promise", node.name),
            "description": format!("{} of {} are requested by pods; what is used above the requests may not be there.", node.requested, node.allocatable),
            "severity": "medium",
            "resource": { "kind": "Node", "name": node.name },
        }));
    }
    if evidence.replicas == 1 {
        findings.push(json!({
            "title": format!("{} {} runs as a single pod", evidence.kind, evidence.name),
            "description": "Every restart of it is an outage.",
            "severity": "low",
            "resource": { "kind": evidence.kind, "namespace": evidence.namespace, "name": evidence.name },
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{memory::Memory, script::SCRIPTS};
    use super::*;
    use domain::{
        playbook::{Registration, values},
        recommendation::{Proposal, Strategy, intake},
    };
    use history::library::registrations;

    fn alert(script: &Script) -> sandbox::Alert {
        sandbox::Alert {
            signal_type: "OOMKilled",
            namespace: "production".into(),
            kind: script.kind.into(),
            name: script.workload.into(),
            state: sandbox::AlertState::Firing,
            since_ms: 1_763_900_000_000,
            kills: 4,
            summary: String::new(),
        }
    }

    fn evidence(script: &Script) -> Evidence {
        Evidence {
            kind: script.kind.into(),
            namespace: "production".into(),
            name: script.workload.into(),
            replicas: 4,
            ready: 1,
            kills: 4,
            request: Some(Memory(512)),
            limit: Some(Memory(1024)),
            node: Some(Node { name: "worker-2".into(), allocatable: Memory(4352), requested: Memory(3840) }),
            autoscaler: Some((3, 12)),
            budget: Some(2),
            application: Some("shop".into()),
        }
    }

    fn newest<'a>(library: &'a [Registration], id: &str) -> Option<&'a Registration> {
        library.iter().filter(|r| r.id.as_str() == id).max_by_key(|r| &r.version)
    }

    /// The code of what keeps a strategy from running, as the services would find it.
    fn trouble(library: &[Registration], strategy: &Strategy) -> Option<String> {
        let Proposal::Playbook { workflow_id, parameters, .. } = &strategy.proposal else { panic!("a playbook") };
        let Some(registration) = newest(library, workflow_id) else { return Some("unknown_playbook".into()) };
        values::validate(registration, parameters).err().map(|faults| faults[0].code.to_string())
    }

    fn expected(one: Move) -> Option<String> {
        match one {
            Move::FractionalMemory => Some("pattern_mismatch".into()),
            Move::InventedPlaybook => Some("unknown_playbook".into()),
            _ => None,
        }
    }

    #[test]
    fn every_answer_is_taken_in_and_only_the_wrong_ones_cannot_run() {
        let library = registrations().unwrap();
        for script in &SCRIPTS {
            for turn in 0..script.answers.len() {
                let body = answer(script, &alert(script), &evidence(script), turn);
                let content = intake::parse(&body).unwrap_or_else(|f| panic!("{}: {f:?}", script.workload));
                assert_eq!(content.strategies.len(), script.answer(turn).len());
                for (one, strategy) in script.answer(turn).iter().zip(&content.strategies) {
                    assert_eq!(trouble(&library, strategy), expected(*one), "{} turn {turn}", script.workload);
                    let Proposal::Playbook { workflow_id, rollback_parameters, .. } = &strategy.proposal else {
                        panic!()
                    };
                    if let (Some(rollback), Some(registration)) = (rollback_parameters, newest(&library, workflow_id)) {
                        assert!(values::validate(registration, rollback).is_ok(), "{} can be undone", script.workload);
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_three_wait_with_each_risk_and_can_run() {
        let library = registrations().unwrap();
        let mut risks = Vec::new();
        for script in &SCRIPTS[..3] {
            let content = intake::parse(&answer(script, &alert(script), &evidence(script), 0)).unwrap();
            assert_eq!(trouble(&library, &content.strategies[0]), None);
            risks.push(content.strategies[0].estimated_risk.name());
        }
        risks.sort_unstable();
        assert_eq!(risks, ["high", "low", "medium"]);
    }

    #[test]
    fn an_incident_lasts_as_long_as_its_alert() {
        let one = alert(&SCRIPTS[0]);
        let later = sandbox::Alert { kills: 9, ..one.clone() };
        let again = sandbox::Alert { since_ms: one.since_ms + 1, ..one.clone() };
        assert_eq!(incident_id(&one), incident_id(&later));
        assert_ne!(incident_id(&one), incident_id(&again));
    }

    #[test]
    fn numbers_in_the_answer_are_those_of_the_evidence() {
        let body = answer(&SCRIPTS[0], &alert(&SCRIPTS[0]), &evidence(&SCRIPTS[0]), 0);
        assert_eq!(body["strategies"][0]["parameters"]["SCALE_TARGET_REPLICAS"], 2);
        assert_eq!(body["strategies"][0]["rollback_parameters"]["SCALE_TARGET_REPLICAS"], 4);
        assert_eq!(body["context_used"]["resource_availability"], "88% of worker-2's memory requested");
        let lean = Evidence { autoscaler: None, budget: None, application: None, ..evidence(&SCRIPTS[0]) };
        let quiet = answer(&SCRIPTS[0], &alert(&SCRIPTS[0]), &lean, 0);
        assert!(quiet["warnings"].as_array().unwrap().len() < body["warnings"].as_array().unwrap().len());
        assert_eq!(choice(&body), "Proposes oomkill-scale-down first, of 2 strategies");
    }
}
