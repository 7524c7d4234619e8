//! What was tried on the same object not long ago: whoever decides should know.

use crate::{
    execution::{Assessment, Execution, ExecutionState},
    ids::ExecutionId,
    recommendation::{Proposal, Recommendation, ResourceRef, target::Target},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// A run on the same object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlierRun {
    /// The run.
    pub id: ExecutionId,
    /// What it did, in a line.
    pub title: String,
    /// How it stands.
    pub state: ExecutionState,
    /// Whether it helped.
    pub assessment: Assessment,
    /// When it ended, or was approved while it goes on.
    pub at: Timestamp,
    /// Whether it ran the same playbook.
    pub same_playbook: bool,
}

impl EarlierRun {
    /// What the recommendation's first strategy would act on; none where that is not known.
    pub fn object_of(recommendation: &Recommendation) -> Option<ResourceRef> {
        let strategy = recommendation.content.strategies.first()?;
        Target::of_strategy(&recommendation.content.incident, strategy).acts_on().cloned()
    }

    /// The first of `runs` that acted on what this would act on, in the same cluster; none where it is not known what that is.
    pub fn find(recommendation: &Recommendation, runs: &[Execution]) -> Option<Self> {
        let strategy = recommendation.content.strategies.first()?;
        let object = &Self::object_of(recommendation)?;
        let run = runs.iter().find(|run| {
            run.subject.cluster == recommendation.cluster && run.subject.target().is_some_and(|its| same(object, its))
        })?;
        let same_playbook = match &strategy.proposal {
            Proposal::Playbook { workflow_id, .. } => run.subject.workflow_id.as_ref() == Some(workflow_id),
            Proposal::Steps { .. } => false,
        };
        Some(Self {
            id: run.subject.id.clone(),
            title: run.subject.title.clone(),
            state: run.state,
            assessment: run.assessment,
            at: run.finished_at.unwrap_or(run.created_at),
            same_playbook,
        })
    }
}

fn same(one: &ResourceRef, other: &ResourceRef) -> bool {
    one.kind.eq_ignore_ascii_case(&other.kind) && one.name == other.name && one.namespace == other.namespace
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::{Digest, RecommendationId},
        recommendation::{Origin, RecommendationState, intake},
    };
    use serde_json::json;

    fn object(name: &str) -> serde_json::Value {
        json!({ "kind": "Deployment", "namespace": "production", "name": name })
    }

    fn about(name: &str) -> Recommendation {
        let body = json!({
            "incident": { "id": "inc-1", "signal_type": "OOMKilled", "severity": "high", "resource": object(name) },
            "analysis_summary": "x", "root_cause_assessment": "x",
            "strategies": [{ "action_type": "a", "workflow_id": "w", "confidence": 0.5, "rationale": "r", "estimated_risk": "low" }],
        });
        Recommendation {
            id: RecommendationId::new("r"),
            revision: 1,
            state: RecommendationState::Open,
            origin: Origin::Model,
            proposer: crate::identity::Actor::system("test"),
            cluster: "c".into(),
            created_at: Timestamp::default(),
            expires_at: Timestamp::default(),
            content: intake::parse(&body).expect("of this form"),
        }
    }

    fn run(id: &str, cluster: &str, name: &str, playbook: &str) -> Execution {
        serde_json::from_value(json!({
            "id": id, "recommendation_id": "r", "strategy": 0, "ticket_digest": Digest::from_bytes([1; 32]), "name": id,
            "cluster": cluster, "sandbox": true, "namespace": "n", "incident_id": "i", "signal_type": "s", "severity": "low",
            "environment": null, "resource": object(name), "workflow_id": playbook, "version": null, "action_type": "a",
            "model": null, "confidence": null, "title": "t", "state": "failed", "stage": "ended", "revision": 1,
            "reason": null, "message": null, "uid": null, "run_uid": null, "approved_by": [],
            "created_at": Timestamp::from_millis(1), "expires_at": Timestamp::from_millis(2), "started_at": null,
            "finished_at": Timestamp::from_millis(3), "cancel_requested": false, "assessment": "not_assessed", "tasks": [],
        }))
        .expect("an execution")
    }

    #[test]
    fn the_newest_on_the_same_object_of_the_same_cluster_is_found() {
        let runs = [run("other", "c", "other", "w"), run("away", "d", "my-app", "w"), run("it", "c", "my-app", "v")];
        let found = EarlierRun::find(&about("my-app"), &runs).expect("found");
        assert_eq!((found.id.as_str(), found.same_playbook, found.at), ("it", false, Timestamp::from_millis(3)));
        assert!(EarlierRun::find(&about("my-app"), &[run("it", "c", "my-app", "w")]).expect("found").same_playbook);
        assert_eq!(EarlierRun::find(&about("nobody"), &runs), None);
    }
}
