//! What the investigator says about which workload, in turn: some answers fit, some run and do not help, some can't run.
//! Pure: from evidence to a strategy in the seeds' form.

use super::{evidence::Evidence, memory::Memory};
use serde_json::{Value, json};

/// One kind of advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Half the replicas: helps where the node is full.
    ScaleDown,
    /// Twice the limit: helps where the limit is too low.
    MoreMemory,
    /// An eighth more: runs, and is not enough.
    LittleMemory,
    /// A leaner configuration.
    Optimize,
    /// The same by the playbook that saves costs.
    OptimizeForCost,
    /// An amount that the playbook refuses.
    FractionalMemory,
    /// A playbook that does not exist.
    InventedPlaybook,
}

/// A workload's part.
#[derive(Debug)]
pub struct Script {
    /// The workload, in the namespace `production`.
    pub workload: &'static str,
    /// Its kind.
    pub kind: &'static str,
    /// How bad it is when it suffers.
    pub severity: &'static str,
    /// How urgent.
    pub priority: &'static str,
    /// Who owns it: business context, not cluster state.
    pub team: &'static str,
    /// What the investigator thinks of touching it.
    pub risk: &'static str,
    /// What each pod needs in trouble, and when the trouble is over; none where the sandbox's own need is trouble enough.
    pub need: Option<(&'static str, &'static str)>,
    /// Whether it shares the small node with others: only one of them is let into trouble at a time.
    pub crowded: bool,
    /// The answers, in turn and then from the beginning; each best strategy first.
    pub answers: &'static [&'static [Move]],
}

use Move::{FractionalMemory, InventedPlaybook, LittleMemory, MoreMemory, Optimize, OptimizeForCost, ScaleDown};

/// The whole script. The first three are in trouble from the start.
pub static SCRIPTS: [Script; 6] = [
    Script {
        workload: "my-app",
        kind: "Deployment",
        severity: "high",
        priority: "P1",
        team: "storefront",
        risk: "medium",
        need: None,
        crowded: true,
        answers: &[&[ScaleDown, Optimize], &[LittleMemory, ScaleDown], &[Optimize]],
    },
    Script {
        workload: "payment-service",
        kind: "Deployment",
        severity: "critical",
        priority: "P0",
        team: "payments",
        risk: "high",
        need: None,
        crowded: false,
        answers: &[&[MoreMemory, Optimize, ScaleDown], &[LittleMemory], &[MoreMemory]],
    },
    Script {
        workload: "inventory",
        kind: "Deployment",
        severity: "medium",
        priority: "P2",
        team: "warehouse",
        risk: "low",
        need: None,
        crowded: false,
        // What goes wrong from the start: a raise that is not enough, to be undone, and the next strategy.
        answers: &[&[LittleMemory, MoreMemory], &[Optimize], &[MoreMemory]],
    },
    Script {
        workload: "checkout",
        kind: "Deployment",
        severity: "high",
        priority: "P1",
        team: "storefront",
        risk: "medium",
        need: Some(("1200Mi", "480Mi")),
        crowded: false,
        answers: &[&[FractionalMemory], &[MoreMemory, Optimize]],
    },
    Script {
        workload: "catalog",
        kind: "Deployment",
        severity: "medium",
        priority: "P2",
        team: "storefront",
        risk: "low",
        need: Some(("880Mi", "400Mi")),
        crowded: true,
        answers: &[&[ScaleDown, MoreMemory], &[MoreMemory]],
    },
    Script {
        workload: "session-store",
        kind: "StatefulSet",
        severity: "high",
        priority: "P1",
        team: "platform",
        risk: "medium",
        need: Some(("1100Mi", "700Mi")),
        crowded: true,
        answers: &[&[InventedPlaybook, MoreMemory], &[OptimizeForCost], &[MoreMemory]],
    },
];

impl Script {
    /// The part of that workload.
    pub fn of(workload: &str) -> Option<&'static Self> {
        SCRIPTS.iter().find(|script| script.workload == workload)
    }

    /// The answer of that turn.
    pub fn answer(&self, turn: usize) -> &'static [Move] {
        self.answers.get(turn % self.answers.len().max(1)).copied().unwrap_or_default()
    }
}

impl Move {
    /// The strategy, as a model would write it. `place` counts the strategies of one answer; later ones are less sure.
    pub fn strategy(self, evidence: &Evidence, risk: &str, place: u32) -> Value {
        let (action_type, workflow_id, confidence) = match self {
            Self::ScaleDown => ("scale_down_replicas", "oomkill-scale-down", 0.85),
            Self::MoreMemory => ("increase_memory_limit", "oomkill-increase-memory", 0.82),
            Self::LittleMemory => ("increase_memory_limit", "oomkill-increase-memory", 0.58),
            Self::FractionalMemory => ("increase_memory_limit", "oomkill-increase-memory", 0.77),
            Self::Optimize => ("optimize_application", "oomkill-optimize-application", 0.74),
            Self::OptimizeForCost => ("optimize_application", "oomkill-cost-optimized", 0.66),
            Self::InventedPlaybook => ("move_to_larger_node", "oomkill-move-to-larger-node", 0.91),
        };
        let confidence = (confidence * 0.8_f64.powi(i32::try_from(place).unwrap_or(i32::MAX)) * 100.0).round() / 100.0;
        let mut strategy = json!({
            "action_type": action_type,
            "workflow_id": workflow_id,
            "confidence": confidence,
            "rationale": self.rationale(evidence),
            "estimated_risk": risk,
            "parameters": self.parameters(evidence),
        });
        if let Some(rollback) = self.rollback(evidence) {
            strategy["rollback_parameters"] = rollback;
        }
        strategy
    }

    fn parameters(self, evidence: &Evidence) -> Value {
        let mut values = target(evidence);
        match self {
            Self::ScaleDown => values["SCALE_TARGET_REPLICAS"] = json!(fewer(evidence.replicas)),
            Self::MoreMemory | Self::LittleMemory => {
                values["MEMORY_LIMIT_NEW"] = json!(self.amount(limit(evidence)).to_string());
            }
            Self::FractionalMemory => {
                // One and a half of it in Gi, as people say it and the playbook's pattern does not take it.
                let tenths = limit(evidence).0 * 15 / 1024;
                values["MEMORY_LIMIT_NEW"] = json!(format!("{}.{}Gi", tenths / 10, tenths % 10));
            }
            Self::Optimize | Self::InventedPlaybook => {}
            Self::OptimizeForCost => values["REMEDIATION_ACTION"] = json!("optimize_application"),
        }
        values
    }

    /// What undoes it, where parameters can.
    fn rollback(self, evidence: &Evidence) -> Option<Value> {
        let mut values = target(evidence);
        match self {
            Self::ScaleDown => values["SCALE_TARGET_REPLICAS"] = json!(evidence.replicas),
            Self::MoreMemory | Self::LittleMemory | Self::FractionalMemory => {
                values["MEMORY_LIMIT_NEW"] = json!(evidence.limit?.to_string());
            }
            Self::Optimize | Self::OptimizeForCost | Self::InventedPlaybook => return None,
        }
        Some(values)
    }

    fn amount(self, present: Memory) -> Memory {
        if self == Self::LittleMemory { Memory(present.0 + present.0 / 8) } else { Memory(present.0 * 2) }
    }

    fn rationale(self, evidence: &Evidence) -> String {
        let Evidence { name, replicas, .. } = evidence;
        let limit = limit(evidence);
        match self {
            Self::ScaleDown => {
                let node = evidence.node.as_ref().map_or_else(
                    || "The node is short of memory.".into(),
                    |n| {
                        format!(
                            "Node {} has {}% of its memory requested.",
                            n.name,
                            n.requested.percent_of(n.allocatable)
                        )
                    },
                );
                let to = fewer(*replicas);
                format!(
                    "{node} Scaling {name} from {replicas} to {to} replicas relieves it at once and leaves time to look for the cause."
                )
            }
            Self::MoreMemory => format!(
                "Containers of {name} are killed at their limit of {limit}. Twice the limit covers what they use and leaves room; the rollout replaces one batch of pods after the other."
            ),
            Self::LittleMemory => format!(
                "Containers of {name} are killed at their limit of {limit}. A small raise should be enough and costs little."
            ),
            Self::FractionalMemory => {
                format!(
                    "Containers of {name} are killed at their limit of {limit}. Half as much again should be enough."
                )
            }
            Self::Optimize => format!(
                "{name} has a lean memory profile that is not switched on. It lowers the footprint without taking memory from its neighbours; caches get smaller."
            ),
            Self::OptimizeForCost => format!("{name} can run with its lean memory profile, which costs nothing more."),
            Self::InventedPlaybook => {
                format!("{name} would fit on a larger node. Moving it there keeps its limit of {limit}.")
            }
        }
    }
}

fn target(evidence: &Evidence) -> Value {
    json!({
        "TARGET_RESOURCE_KIND": evidence.kind,
        "TARGET_RESOURCE_NAME": evidence.name,
        "TARGET_NAMESPACE": evidence.namespace,
    })
}

/// Where nothing is set, a common limit.
fn limit(evidence: &Evidence) -> Memory {
    evidence.limit.unwrap_or(Memory(512))
}

fn fewer(replicas: i64) -> i64 {
    (replicas / 2).max(1)
}
