//! Playbooks, audit rows and measurements for looking at pages.

use crate::samples::{NOW, line, signed, track};
use app::{
    FormOutcome,
    pages::audit::{AuditView, Titles},
    query::Query,
};
use domain::{
    assessment::recurrence::Returned,
    audit::{AuditFilter, AuditRecord},
    effectiveness::{Counts, EffectivenessRow, Week},
    execution::ExecutionState,
    identity::{Actor, Door},
    ids::{ActorId, Digest},
    paging::PageOf,
    playbook::{Registration, schema},
    ports::{PlaybookRecord, PlaybookStatus},
    services::{CatalogItem, EffectivenessReport, PlaybookView, TrailCheck, TrailView},
    signature::ImageSignature,
    time::Timestamp,
};
use serde_json::{Value, json};

fn actor(name: &str) -> Actor {
    Actor::new(ActorId::new(format!("user:{name}")), name)
}

pub fn registration(id: &str, version: &str, title: &str) -> Registration {
    serde_json::from_value(json!({
        "workflow_id": id, "version": version, "title": title,
        "description": "Reduces replica count for deployments experiencing OOMKilled due to node memory pressure.",
        "container_image": "quay.io/kubernaut/playbook-oomkill-multi:v1.0.0",
        "parameters": {
            "exposed": [
                {"name": "TARGET_RESOURCE_KIND", "description": "Kubernetes resource kind", "type": "string", "required": true,
                 "enum": ["Deployment", "StatefulSet", "DaemonSet"]},
                {"name": "TARGET_RESOURCE_NAME", "description": "Name of the Kubernetes resource", "type": "string",
                 "required": true, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
                {"name": "SCALE_TARGET_REPLICAS", "description": "Target replica count", "type": "integer", "required": true,
                 "minimum": 0, "maximum": 100},
            ],
            "hidden": [{"name": "REMEDIATION_TYPE", "value": "scale_down"},
                {"name": "GIT_TOKEN", "secret_ref": {"name": "git", "key": "token"}}],
        },
        "labels": {"signal_type": "OOMKilled", "severity": "high", "component": "*", "tags": ["memory", "oom"]},
        "internal_steps": ["Read the deployment", "Scale it", "Wait until it is ready"],
        "execution": {"timeout": "10m", "retry_count": 2, "service_account": "playbook-executor"},
    }))
    .unwrap()
}

pub fn record(id: &str, version: &str, title: &str, status: PlaybookStatus) -> PlaybookRecord {
    let registration = registration(id, version, title);
    PlaybookRecord {
        image: registration.image.with_digest(Digest::from_bytes([0xde; 32])),
        signature: signed("release"),
        status,
        status_reason: (status != PlaybookStatus::Active).then(|| "Superseded by vertical scaling".into()),
        registered_at: NOW.plus_ms(-86_400_000 * 9),
        registered_by: actor("a.lindqvist"),
        registration,
    }
}

pub fn items() -> Vec<CatalogItem> {
    use PlaybookStatus::{Active, Deprecated};
    let item = |id: &str, title: &str, status, track, matched: &[&str]| CatalogItem {
        playbook: record(id, "1.0.0", title, status),
        track,
        matched: matched.iter().map(|m| (*m).to_owned()).collect(),
    };
    vec![
        item("oomkill-scale-down", "OOMKill Remediation - Scale Down Replicas", Active, Some(track(39, 43)), &[]),
        item(
            "oomkill-increase-memory",
            "OOMKill Remediation - Increase Memory Limits",
            Active,
            Some(track(12, 17)),
            &["signal OOMKilled", "text \"memory\""],
        ),
        item(
            "a-very-long-playbook-identifier-that-somebody-chose-0123456789",
            "A playbook with a title that goes on and on because its author wanted to say everything at once",
            Deprecated,
            None,
            &[],
        ),
    ]
}

pub fn playbook() -> PlaybookView {
    use PlaybookStatus::{Active, Deprecated};
    let title = "OOMKill Remediation - Scale Down Replicas";
    let newest = record("oomkill-scale-down", "1.1.0", title, Active);
    let mut older = record("oomkill-scale-down", "1.0.0", title, Deprecated);
    older.signature = ImageSignature::default();
    older.registration.execution = domain::playbook::ExecutionSettings::default();
    let row = |group: &str, succeeded, runs| EffectivenessRow { group: group.into(), ..track(succeeded, runs) };
    PlaybookView {
        schema: schema::json_schema(&newest.registration),
        versions: vec![newest, older],
        track: Some(track(39, 43)),
        by_version: vec![row("oomkill-scale-down@1.0.0", 39, 43)],
        recent: vec![
            line("c", "Scale down replicas: payment-service", ExecutionState::Succeeded, None),
            line("d", "Scale down replicas: checkout", ExecutionState::Failed, Some("TaskRunRetriesExhausted")),
        ],
    }
}

pub fn rows() -> Vec<EffectivenessRow> {
    let row = |group: &str, succeeded, runs, effective, phases: &[(&str, [i64; 3])]| {
        let counts = Counts {
            runs,
            succeeded,
            effective,
            ineffective: (succeeded - effective).min(3),
            inconclusive: 1,
            not_assessed: runs - effective,
            returned: [Returned { watched: effective, came_back: effective / 12 }; 3],
            said: runs,
            said_milli: runs * 820,
            phases_ms: phases.iter().map(|(phase, ms)| ((*phase).to_owned(), ms.to_vec())).collect(),
        };
        EffectivenessRow::new(group, &counts)
    };
    let phases = [("decide", [120_000, 240_000, 900_000]), ("run", [40_000, 64_000, 120_000])];
    vec![
        row("oomkill-increase-memory", 12, 17, 10, &phases),
        row("pod-restart-rolling", 120, 128, 110, &phases),
        row("oomkill-scale-down", 39, 43, 35, &phases),
        row("node-drain", 3, 6, 0, &[]),
        row("a-very-long-playbook-identifier-that-somebody-chose-0123456789", 1, 1, 0, &[]),
        EffectivenessRow::new("never-run", &Counts::default()),
    ]
}

/// The rows with what they come to, and six weeks of which one is empty.
pub fn report() -> EffectivenessReport {
    let week = |place: i64, runs| {
        let counts =
            Counts { runs, succeeded: runs / 2, effective: runs / 3, ineffective: runs / 6, ..Counts::default() };
        Week {
            from: Timestamp::from_millis(NOW.as_millis() - place * 604_800_000),
            row: EffectivenessRow::new("week", &counts),
        }
    };
    let all = Counts {
        runs: 195,
        succeeded: 175,
        effective: 155,
        ineffective: 12,
        returned: [Returned { watched: 167, came_back: 12 }; 3],
        phases_ms: [("decide".to_owned(), vec![240_000]), ("run".to_owned(), vec![64_000])].into(),
        ..Counts::default()
    };
    EffectivenessReport {
        rows: rows(),
        total: Some(EffectivenessRow::new("all", &all)),
        calibration: vec![],
        versions: vec![],
        weeks: [(5, 12), (4, 30), (3, 0), (2, 24), (1, 18), (0, 6)].map(|(place, runs)| week(place, runs)).to_vec(),
    }
}

pub fn audit() -> Vec<AuditRecord> {
    let record = |sequence: i64,
                  who: &str,
                  action: &str,
                  kind: &str,
                  id: &str,
                  before: Option<Value>,
                  after: Option<Value>,
                  reason: Option<&str>| AuditRecord {
        sequence,
        at: NOW.plus_ms((sequence - 1042) * 97_000),
        actor: actor(who),
        door: Door::Page,
        address: "10.0.0.7".parse().ok(),
        route: "POST /recommendations/{id}".into(),
        action: action.into(),
        object_kind: kind.into(),
        object_id: id.into(),
        before,
        after,
        reason: reason.map(str::to_owned),
        request_id: "01jd7m3k9x4q".into(),
        key: Some("k-2026-11-01-9f86d081".into()),
        mac: "9f".repeat(32).parse().ok(),
    };
    vec![
        record(
            1042,
            "m.okafor",
            "decision.approve",
            "recommendation",
            "01jd7m3k9x4qvb2n",
            None,
            Some(json!({"strategy": 0, "ticket_digest": "sha256:51aa07c4"})),
            Some("The node will not hold another hour, and scaling down is reversible."),
        ),
        record(
            1041,
            "a.lindqvist",
            "playbook.status",
            "playbook",
            "oomkill-scale-down@1.0.0",
            Some(json!({"status": "active"})),
            Some(json!({"status": "deprecated"})),
            Some("Superseded by 1.1.0"),
        ),
        record(1040, "dispatcher", "execution.create", "execution", "01jd7m3k9x4qvb2p", None, None, None),
        record(1039, "nobody", "account.refused", "account", "admin", None, None, None),
    ]
}

/// A trail that somebody looked at and found unbroken.
pub fn trail() -> TrailView {
    TrailView {
        rows: 1042,
        first: 1,
        last: 1042,
        mac: "9f".repeat(32).parse().unwrap(),
        key: "k-2026-11-01-9f86d081".into(),
        checked: Some(TrailCheck { at: NOW.plus_ms(-300_000), rows: 1040, broken: None }),
        checking: false,
        hold: None,
    }
}

/// The audit page of these rows.
pub fn audit_view(items: Vec<AuditRecord>) -> AuditView {
    AuditView {
        list: PageOf { items, next_cursor: None },
        titles: Titles::default(),
        trail: trail(),
        filter: AuditFilter::default(),
        query: Query::default(),
        may_hold: false,
        form: FormOutcome::default(),
        now: NOW,
    }
}
