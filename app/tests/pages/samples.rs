//! One small world for looking at pages: the parameter seed's out-of-memory incident and what surrounds it.

use domain::{
    decision::{Decision, Verb},
    effectiveness::{Counts, DAY_MS, EffectivenessRow, Week},
    execution::{Assessment, Execution, ExecutionLine, ExecutionState, ExecutionSubject, Progress, Stage, Standing},
    fault::Fault,
    identity::Actor,
    ids::{ActorId, DecisionId, Digest, ExecutionId, FindingId, RecommendationId},
    json::diff::Change,
    pipeline_run,
    playbook::{
        ImageRef, Parameter, PlaybookId, PullPolicy, Version,
        values::{EnvEntry, EnvSource, EnvValue},
    },
    policy::PolicyTerms,
    ports::{ClusterHealth, Signature},
    recommendation::{
        Content, Finding, Incident, Model, Origin, Proposal, Recommendation, RecommendationState, ResourceRef, Risk,
        Severity, Strategy, target::Target,
    },
    services::{InboxItem, OverviewView, RecommendationView, StrategyView, TargetView, TicketView},
    target::{
        change,
        since::Since,
        state::{Beside, Budget, Container, Pods, Reading, TargetState},
    },
    ticket::{FORMAT, Plan, Ticket, TicketContent},
    time::Timestamp,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub const NOW: Timestamp = Timestamp::from_millis(1_795_402_800_000);

pub fn cluster() -> ClusterHealth {
    ClusterHealth {
        name: "sandbox".into(),
        sandbox: true,
        version: Some("v1.34.4".into()),
        ready: true,
        problems: vec![],
        acting: None,
    }
}

pub fn track(succeeded: i64, runs: i64) -> EffectivenessRow {
    let counts = Counts {
        runs,
        succeeded,
        effective: succeeded - 2,
        ineffective: 3,
        inconclusive: 1,
        not_assessed: runs - succeeded - 2,
        recurred: Some(2),
        ..Counts::default()
    };
    EffectivenessRow::new("oomkill-scale-down", &counts)
}

#[expect(clippy::needless_pass_by_value, reason = "called with json!(…)")]
fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

pub fn form() -> Vec<Parameter> {
    serde_json::from_value(json!([
        {"name": "TARGET_RESOURCE_KIND", "description": "Kubernetes resource kind", "type": "string", "required": true,
         "enum": ["Deployment", "StatefulSet", "DaemonSet"]},
        {"name": "TARGET_RESOURCE_NAME", "description": "Name of the Kubernetes resource", "type": "string", "required": true,
         "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
        {"name": "TARGET_NAMESPACE", "description": "Kubernetes namespace", "type": "string", "required": true},
        {"name": "SCALE_TARGET_REPLICAS", "description": "Target replica count", "type": "integer", "required": true,
         "minimum": 0, "maximum": 100},
        {"name": "DRY_RUN", "description": "Only say what would be done", "type": "boolean", "default": false},
    ]))
    .unwrap()
}

fn strategy(action_type: &str, workflow_id: &str, confidence: Option<f64>, risk: Risk) -> Strategy {
    Strategy {
        action_type: action_type.into(),
        confidence,
        rationale: "worker-2 has 95 % of its memory requests allocated. Scaling my-app down relieves it at once and leaves time to \
                    look for the leak."
            .into(),
        estimated_risk: risk,
        declared_risk: None,
        proposal: Proposal::Playbook {
            workflow_id: workflow_id.into(),
            version: Some("1.0.0".into()),
            parameters: object(json!({"TARGET_RESOURCE_KIND": "Deployment", "TARGET_RESOURCE_NAME": "my-app",
                "TARGET_NAMESPACE": "production", "SCALE_TARGET_REPLICAS": 1})),
            rollback_parameters: Some(object(json!({"SCALE_TARGET_REPLICAS": 4}))),
        },
        errors: vec![],
    }
}

pub fn recommendation(id: &str, headline: &str, risk: Risk, left_ms: i64) -> Recommendation {
    let second = Strategy {
        errors: vec![Fault::new(
            "/parameters/MEMORY_LIMIT_NEW",
            "required",
            "add MEMORY_LIMIT_NEW: this playbook needs it",
        )],
        ..strategy("increase_memory_limits", "oomkill-increase-memory", Some(0.62), Risk::Medium)
    };
    Recommendation {
        id: RecommendationId::new(id),
        revision: 1,
        state: RecommendationState::Open,
        origin: Origin::Model,
        proposer: Actor::new(ActorId::new("token:holmesgpt"), "holmesgpt"),
        cluster: "sandbox".into(),
        created_at: NOW.plus_ms(-372_000),
        expires_at: NOW.plus_ms(left_ms),
        content: Content {
            incident: Incident {
                id: format!("inc-{id}"),
                signal_type: "OOMKilled".into(),
                severity: Severity::High,
                environment: Some("production".into()),
                priority: Some("P1".into()),
                fingerprint: None,
                resource: Some(ResourceRef {
                    kind: "Deployment".into(),
                    namespace: Some("production".into()),
                    name: "my-app".into(),
                }),
                started_at: Some(NOW.plus_ms(-372_000)),
                business_context: Map::new(),
            },
            model: Some(Model {
                provider: Some("HolmesGPT".into()),
                name: Some("sonnet".into()),
                prompt_version: Some("7".into()),
                investigation_id: Some("12345".into()),
            }),
            analysis_summary: format!(
                "{headline}. Node worker-2 shows 95 % memory pressure, with several pods affected."
            ),
            root_cause_assessment:
                "Node memory pressure due to over-allocation of resources. Several deployments compete for \
                                    limited memory."
                    .into(),
            strategies: vec![strategy("scale_down_replicas", "oomkill-scale-down", Some(0.85), risk), second],
            warnings: vec![
                "Scaling down will reduce application capacity.".into(),
                "Monitor application performance after scaling.".into(),
            ],
            context_used: object(json!({"cluster_state": "Node memory pressure detected on worker-2",
                "resource_availability": "95 % of memory requests allocated", "blast_radius": "A single deployment"})),
            additional_findings: vec![Finding {
                id: FindingId::new("f1"),
                title: "worker-2 has no memory headroom".into(),
                description: "Three deployments on it have no memory limit.".into(),
                severity: Some(Severity::Medium),
                resource: Some(ResourceRef { kind: "Node".into(), namespace: None, name: "worker-2".into() }),
                suggested_workflow_id: Some("node-drain".into()),
            }],
            needs_human_review: false,
            seen: Vec::new(),
        },
    }
}

fn env(name: &str, value: &str, source: EnvSource) -> EnvEntry {
    EnvEntry { name: name.parse().unwrap(), value: EnvValue::Text(value.into()), source }
}

pub fn ticket(risk: Risk) -> TicketView {
    let content = TicketContent {
        format: FORMAT.into(),
        recommendation_id: RecommendationId::new("001"),
        revision: 1,
        strategy: 0,
        incident_id: "inc-001".into(),
        action_type: "scale_down_replicas".into(),
        reason: "my-app is being killed for memory".into(),
        cluster: "sandbox".into(),
        namespace: "kubernaut-system".into(),
        adopts: None,
        plan: Plan::Playbook {
            workflow_id: "oomkill-scale-down".parse::<PlaybookId>().unwrap(),
            version: "1.0.0".parse::<Version>().unwrap(),
            image: format!("quay.io/kubernaut/playbook-oomkill-multi:v1.0.0@{}", Digest::from_bytes([0xde; 32]))
                .parse::<ImageRef>()
                .unwrap(),
            image_pull_policy: PullPolicy::IfNotPresent,
            parameters: vec![
                env("TARGET_RESOURCE_KIND", "Deployment", EnvSource::Model),
                env("TARGET_RESOURCE_NAME", "my-app", EnvSource::Model),
                env("TARGET_NAMESPACE", "production", EnvSource::Model),
                env("SCALE_TARGET_REPLICAS", "2", EnvSource::Operator),
                env("DRY_RUN", "false", EnvSource::Default),
                env("REMEDIATION_TYPE", "scale_down", EnvSource::Registration),
            ],
            outputs: vec![],
        },
        service_account: "playbook-executor".into(),
        timeout_ms: 600_000,
        retry_count: 2,
        kubeconfig_secret: None,
        policy: PolicyTerms::default_for(risk),
        expires_at: NOW.plus_ms(684_000),
        business_context: Map::new(),
    };
    let ticket = Ticket::new(content);
    TicketView {
        digest: ticket.digest().clone(),
        content: ticket.content().clone(),
        canonical: ticket.canonical().to_owned(),
        name: ticket.name(),
        changes: vec![Change {
            pointer: "/SCALE_TARGET_REPLICAS".into(),
            before: Some(json!(1)),
            after: Some(json!(2)),
        }],
        warnings: vec![],
        pipeline_run: pipeline_run::build(&ticket, None).pipeline_run,
        signature: Signature::Verified,
        ruling: None,
        expires_at: NOW.plus_ms(684_000),
    }
}

pub fn view(risk: Risk) -> RecommendationView {
    let recommendation =
        recommendation("001", "my-app is being killed for memory, and so is the node it runs on", risk, 684_000);
    let view_of = |strategy: &Strategy, title: &str, track: Option<EffectivenessRow>| StrategyView {
        strategy: strategy.clone(),
        title: Some(title.into()),
        image: None,
        version_track: track.clone(),
        track,
        form: form(),
        steps: vec!["Validate".into(), "Scale the Deployment".into()],
    };
    let strategies = &recommendation.content.strategies;
    RecommendationView {
        strategies: vec![
            view_of(&strategies[0], "OOMKill Remediation - Scale Down Replicas", Some(track(39, 43))),
            view_of(&strategies[1], "OOMKill Remediation - Increase Memory Limits", None),
        ],
        selected: 0,
        ticket: Some(ticket(risk)),
        ticket_faults: vec![],
        parameters: object(json!({"TARGET_RESOURCE_KIND": "Deployment", "TARGET_RESOURCE_NAME": "my-app",
            "TARGET_NAMESPACE": "production", "SCALE_TARGET_REPLICAS": 2})),
        decisions: vec![],
        lapsed: std::collections::BTreeSet::new(),
        have: 0,
        need: if risk == Risk::High { 2 } else { 1 },
        ruling: None,
        cannot_approve: None,
        cannot_reject: None,
        run: None,
        newer: None,
        for_incident: None,
        now: NOW,
        recommendation,
    }
}

pub fn decision(verb: Verb, reason: Option<&str>) -> Decision {
    Decision {
        id: DecisionId::new("d1"),
        recommendation_id: RecommendationId::new("001"),
        verb,
        strategy: 0,
        ticket_digest: Some(Digest::from_bytes([0x9f; 32])),
        reason: reason.map(str::to_owned),
        stands_for: vec![],
        actor: Actor::new(ActorId::new("user:a.lindqvist"), "a.lindqvist"),
        at: NOW.plus_ms(-40_000),
    }
}

pub fn inbox_item(recommendation: Recommendation, track: Option<EffectivenessRow>) -> InboxItem {
    let need = if recommendation.risk() == Risk::High { 2 } else { 1 };
    InboxItem { recommendation, track, have: 0, need, decided: None, earlier: None, changed: Vec::new() }
}

pub fn inbox() -> Vec<InboxItem> {
    let item = |id, headline, risk, left, track| inbox_item(recommendation(id, headline, risk, left), track);
    vec![
        item("002", "payment-service restarts every two minutes", Risk::High, 250_000, Some(track(12, 17))),
        item(
            "001",
            "my-app is being killed for memory, and so is the node it runs on",
            Risk::Medium,
            684_000,
            Some(track(39, 43)),
        ),
        item("003", "node worker-7 has no disk left", Risk::Low, 1_920_000, None),
    ]
}

pub fn execution(id: &str, title: &str, state: ExecutionState, reason: Option<&str>) -> Execution {
    Execution {
        subject: ExecutionSubject {
            id: ExecutionId::new(id),
            recommendation_id: RecommendationId::new("001"),
            strategy: 0,
            ticket_digest: Digest::from_bytes([0x51; 32]),
            name: format!("remediation-{id}"),
            cluster: "sandbox".into(),
            sandbox: true,
            namespace: "kubernaut-system".into(),
            incident_id: "inc-014".into(),
            signal_type: "OOMKilled".into(),
            severity: Severity::High,
            environment: Some("production".into()),
            resource: None,
            acts_on: None,
            workflow_id: Some("oomkill-scale-down".into()),
            version: Some("1.0.0".into()),
            action_type: "scale_down_replicas".into(),
            model: None,
            confidence: Some(0.85),
            title: title.into(),
        },
        state,
        stage: Stage::Started,
        revision: 3,
        reason: reason.map(str::to_owned),
        message: None,
        uid: None,
        run_uid: None,
        approved_by: vec![],
        created_at: NOW.plus_ms(-70_000),
        expires_at: NOW.plus_ms(600_000),
        started_at: Some(NOW.plus_ms(-64_000)),
        finished_at: state.ended().then(|| NOW.plus_ms(-9_000)),
        cancel_requested: false,
        assessment: Assessment::NotAssessed,
        tasks: vec![],
        warnings: vec![],
    }
}

/// The same in a list; three of its five tasks have ended.
pub fn line(id: &str, title: &str, state: ExecutionState, reason: Option<&str>) -> ExecutionLine {
    ExecutionLine { execution: execution(id, title, state, reason), progress: Progress { ended: 3, tasks: 5 } }
}

pub fn overview() -> OverviewView {
    use ExecutionState as S;
    OverviewView {
        waiting: inbox(),
        waiting_count: 3,
        unanswered: vec![],
        unanswered_count: 0,
        running: vec![
            line("a", "Scale down replicas: payment-service", S::Running, None),
            line("b", "Prune images: worker-3", S::Pending, Some("ExceededResourceQuota")),
        ],
        standing: Standing { running: 1, pending: 1, pending_since: Some(NOW.plus_ms(-9_000)) },
        ended: vec![
            line("c", "Restart pods: checkout", S::Succeeded, None),
            line("d", "Drain node worker-1", S::Failed, Some("eviction refused by budget")),
            line("e", "Increase memory limits: cart", S::TimedOut, Some("PipelineRunTimeout")),
        ],
        helped: Some(track(361, 412)),
        weeks: (0..12)
            .map(|n| Week {
                from: NOW.plus_ms((n - 12) * 7 * DAY_MS),
                // A quiet week has nothing to tell.
                row: if n == 4 { EffectivenessRow::new("week", &Counts::default()) } else { track(20 + n, 30 + n) },
            })
            .collect(),
        cluster: cluster(),
        now: NOW,
    }
}

/// The target as the cluster shows it: four replicas, a budget, and whatever is laid over it.
pub fn target_view(change: impl FnOnce(&mut TargetState)) -> TargetView {
    let resource =
        ResourceRef { kind: "Deployment".into(), namespace: Some("production".into()), name: "my-app".into() };
    let amounts = |memory: &str| BTreeMap::from([("memory".to_owned(), memory.to_owned())]);
    let mut state = TargetState {
        resource: resource.clone(),
        uid: "u".into(),
        generation: Some(3),
        created_at: Some(NOW.plus_ms(-9_000_000)),
        spec_changed_at: None,
        spec_changed_by: None,
        deleting: false,
        pods: Some(Pods { wanted: 4, ready: 3, updated: 4 }),
        containers: vec![Container {
            name: "app".into(),
            image: "registry.example.com/shop/my-app:1.0.0".into(),
            requests: amounts("512Mi"),
            limits: amounts("1Gi"),
        }],
        facts: BTreeMap::new(),
        complaints: vec![],
        owners: vec![],
        manager: None,
        budgets: Beside::Read(vec![Budget {
            name: "my-app".into(),
            rule: "minAvailable 2".into(),
            least: Some(2),
            allowed: Some(0),
        }]),
        autoscalers: Beside::Read(vec![]),
        read_at: NOW.plus_ms(-3_000),
    };
    change(&mut state);
    let values = [("SCALE_TARGET_REPLICAS", "2".to_owned())];
    let changes = change::changes(values, &state);
    TargetView {
        cautions: change::cautions(&changes, &state),
        changes,
        target: Target::Agreed(resource),
        since: Since::Same,
        reading: Reading::Found(Box::new(state)),
        earlier: vec![],
    }
}
