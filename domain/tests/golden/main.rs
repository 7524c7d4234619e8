//! Golden files: the PipelineRun of every example in the seeds, byte for byte. A change here is a change of what runs.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use domain::{
    ids::{Digest, RecommendationId},
    pipeline_run::{Owner, build},
    playbook::{ImageRef, Registration, values},
    policy::PolicyTerms,
    recommendation::{Risk, intake},
    ticket::{FORMAT, Plan, Ticket, TicketContent, TicketError},
    time::Timestamp,
    workflow::StepPlan,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

fn seed(name: &str) -> Value {
    let path = format!("{}/tests/seeds/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect(&path)).expect("JSON")
}

fn digest() -> Digest {
    Digest::from_bytes([0xab; 32])
}

fn content(plan: Plan) -> TicketContent {
    TicketContent {
        format: FORMAT.into(),
        recommendation_id: RecommendationId::new("0193a000-0000-7000-8000-000000000001"),
        revision: 1,
        strategy: 0,
        incident_id: "inc-001".into(),
        action_type: "scale_down_replicas".into(),
        reason: "OOMKilled event detected on deployment my-app".into(),
        cluster: "sandbox".into(),
        namespace: "kubernaut-system".into(),
        adopts: None,
        plan,
        service_account: "playbook-executor".into(),
        kubeconfig_secret: Some("kubeconfig-remediation".into()),
        timeout_ms: 600_000,
        retry_count: 0,
        policy: PolicyTerms::default_for(Risk::Medium),
        expires_at: Timestamp::parse("2026-11-23T03:15:00Z").expect("a time"),
        business_context: Map::from_iter([("team".to_owned(), json!("checkout"))]),
    }
}

fn playbook(file: &str, parameters: &Value) -> Ticket {
    let registration = Registration::parse(&seed(file)).expect("a registration of the seeds");
    let bound =
        values::validate(&registration, parameters.as_object().expect("an object")).expect("values of the seeds");
    let merged = values::merge(&registration, &bound, &BTreeSet::new()).expect("disjoint");
    Ticket::new(TicketContent {
        retry_count: registration.execution.retry_count,
        ..content(Plan::Playbook {
            workflow_id: registration.id.clone(),
            version: registration.version.clone(),
            image: registration.image.with_digest(digest()),
            image_pull_policy: registration.image_pull_policy,
            parameters: merged,
            outputs: registration.outputs,
        })
    })
}

fn target(more: &Value) -> Value {
    let mut parameters = json!({ "TARGET_RESOURCE_KIND": "Deployment", "TARGET_RESOURCE_NAME": "my-app", "TARGET_NAMESPACE": "production" });
    for (name, value) in more.as_object().expect("an object") {
        parameters[name] = value.clone();
    }
    parameters
}

fn steps() -> Ticket {
    let mut plan = StepPlan::parse(&seed("workflow-execution-spec.json")).expect("the seed's steps");
    for step in &mut plan.steps {
        step.image = step.image.with_digest(digest());
    }
    Ticket::new(TicketContent {
        action_type: plan.workflow_type.clone(),
        ..content(Plan::Steps { workflow_type: plan.workflow_type, steps: plan.steps })
    })
}

fn built(ticket: &Ticket) -> Value {
    let owner = Owner { name: ticket.name(), uid: "00000000-0000-0000-0000-000000000001".into() };
    let built = build(ticket, Some(&owner));
    json!({ "config_maps": built.config_maps, "pipeline_run": built.pipeline_run })
}

#[test]
fn every_example_of_the_seeds() {
    let recommendation = {
        let mut body = seed("recommendation.json");
        body["incident"] = json!({ "id": "inc-001", "signal_type": "OOMKilled", "severity": "high" });
        intake::parse(&body).expect("the seeds' recommendation")
    };
    assert_eq!(recommendation.strategies.len(), 1);
    let replicas = target(&json!({ "SCALE_TARGET_REPLICAS": 1 }));
    let memory = target(&json!({ "MEMORY_LIMIT_NEW": "2Gi" }));
    let nothing = target(&json!({}));
    let scale_down = target(&json!({ "REMEDIATION_ACTION": "scale_down", "SCALE_TARGET_REPLICAS": 2 }));
    for (name, ticket) in [
        ("oomkill-scale-down", playbook("oomkill-scale-down.json", &replicas)),
        ("oomkill-increase-memory", playbook("oomkill-increase-memory.json", &memory)),
        ("oomkill-optimize-application", playbook("oomkill-optimize-application.json", &nothing)),
        ("oomkill-cost-optimized", playbook("oomkill-cost-optimized.json", &scale_down)),
        ("hidden-oomkill-scale-down", playbook("hidden-oomkill-scale-down.json", &replicas)),
        ("hidden-oomkill-increase-memory", playbook("hidden-oomkill-increase-memory.json", &memory)),
        ("hidden-oomkill-optimize-application", playbook("hidden-oomkill-optimize-application.json", &nothing)),
        ("workflow-execution", steps()),
    ] {
        insta::assert_json_snapshot!(name, built(&ticket));
    }
}

#[test]
fn a_ticket_is_its_text_and_its_digest() {
    let ticket = steps();
    let read = Ticket::verify(ticket.canonical(), ticket.digest()).expect("its own text");
    assert_eq!(read, ticket);
    let tampered = ticket.canonical().replace("\"replicas\":10", "\"replicas\":0");
    assert_ne!(tampered, ticket.canonical());
    assert!(matches!(Ticket::verify(&tampered, ticket.digest()), Err(TicketError::Tampered { .. })));
    assert!(matches!(Ticket::verify("{}", ticket.digest()), Err(TicketError::Unreadable(_))));
    let spaced = ticket.canonical().replacen(':', ": ", 1);
    assert!(Ticket::verify(&spaced, ticket.digest()).is_err(), "only the canonical text counts");
}

#[test]
fn names_are_readable_short_and_follow_the_digest() {
    let (one, other) = (steps(), playbook("oomkill-scale-down.json", &target(&json!({ "SCALE_TARGET_REPLICAS": 1 }))));
    assert!(other.name().starts_with("remediation-inc-001-oomkill-scale-down-"), "{}", other.name());
    for ticket in [&one, &other] {
        assert!(ticket.name().len() <= 63);
        assert!(ticket.name().ends_with(&ticket.digest().hex()[..10]));
    }
    let changed = Ticket::new(TicketContent { revision: 2, ..one.content().clone() });
    assert_ne!(changed.name(), one.name());
    assert_eq!(one.differences(&changed).iter().map(|c| c.pointer.as_str()).collect::<Vec<_>>(), ["/revision"]);
}

proptest! {
    /// What passed validation can be built, whatever the incident is called, and names and labels stay legal.
    #[test]
    fn building_is_total(
        incident in "\\PC{1,128}", action in "\\PC{1,128}", keys in proptest::collection::btree_set("\\PC{1,80}", 1..4),
        id in "[a-z][a-z0-9-]{0,58}[a-z0-9]", retries in 0_u32..=5,
    ) {
        let ticket = playbook("oomkill-scale-down.json", &target(&json!({ "SCALE_TARGET_REPLICAS": 1 })));
        let mut plan = ticket.content().plan.clone();
        if let Plan::Playbook { workflow_id, .. } = &mut plan {
            *workflow_id = id.parse().unwrap();
        }
        let ticket = Ticket::new(TicketContent {
            incident_id: incident, action_type: action, retry_count: retries, plan,
            business_context: keys.iter().map(|key| (key.clone(), json!({ "a": 1 }))).collect(), ..ticket.content().clone()
        });
        let run = build(&ticket, None).pipeline_run;
        let legal = |text: &str| text.len() <= 63 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        prop_assert!(run["metadata"]["labels"].as_object().unwrap().values().all(|v| legal(v.as_str().unwrap())));
        prop_assert!(legal(run["metadata"]["name"].as_str().unwrap()));
        let context: Vec<_> = run["metadata"]["annotations"].as_object().unwrap().keys()
            .filter_map(|name| name.strip_prefix("business-context.kubernaut.io/")).collect();
        prop_assert_eq!(context.len(), keys.len(), "none is lost");
        let ends = |name: &str| name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.ends_with(|c: char| c.is_ascii_alphanumeric());
        prop_assert!(context.iter().all(|name| legal(name) && ends(name)), "{:?}", context);
        let images: Vec<_> = run["spec"]["params"].as_array().unwrap().iter().filter(|p| p["name"] == "playbook-image").collect();
        prop_assert!(images[0]["value"].as_str().unwrap().parse::<ImageRef>().unwrap().digest().is_some());
    }
}
