//! A WorkflowExecution that somebody applied: it meets the same checks as any proposal and waits for a decision in the console.
//! It knows the door (`ClusterIntake`) and what became of the recommendation, not the checks.

use super::status;
use crate::{context::Context, queue::Next, trouble::Trouble};
use domain::{
    decision::Verb,
    ports::AppliedWorkflow,
    recommendation::{Recommendation, RecommendationState},
};
use serde_json::Value;
use std::time::Duration;

/// How often a waiting one looks whether it ran out; a decision wakes it.
const LOOK: Duration = Duration::from_secs(15);

/// Hands it over once, then follows what becomes of it.
pub async fn hand_over(context: &Context, object: &Value) -> Result<Next, Trouble> {
    let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
    if !object["metadata"]["deletionTimestamp"].is_null() {
        return Ok(Next::Done);
    }
    if let Some(recommendation) = context.ports.recommendations.by_cluster_uid(uid).await? {
        return follow(context, object, &recommendation).await;
    }
    let applied = AppliedWorkflow {
        name: object["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        uid: uid.to_owned(),
        spec: object["spec"].clone(),
    };
    match context.ports.intake.workflow_applied(applied).await? {
        Ok(id) => {
            tracing::info!(name = %object["metadata"]["name"], recommendation = %id, "an applied WorkflowExecution waits");
            context.waits_for(&id, object["metadata"]["name"].as_str().unwrap_or_default());
            status::awaiting(context, object, &format!("recommendation {id} waits for a decision in the console"))
                .await?;
            Ok(Next::After(LOOK))
        }
        Err(faults) => {
            let list: Vec<String> = faults.iter().map(ToString::to_string).collect();
            status::refuse(context, object, "Invalid", &list.join("; ")).await?;
            Ok(Next::Done)
        }
    }
}

async fn follow(context: &Context, object: &Value, on: &Recommendation) -> Result<Next, Trouble> {
    let over = |reason, message: String| async move { status::refuse(context, object, reason, &message).await };
    match on.state {
        RecommendationState::Open => {
            context.waits_for(&on.id, object["metadata"]["name"].as_str().unwrap_or_default());
            status::awaiting(context, object, &format!("recommendation {} waits for a decision in the console", on.id))
                .await?;
            return Ok(Next::After(LOOK));
        }
        RecommendationState::Expired => {
            over("DecisionExpired", format!("nobody decided before {}; apply it again", on.expires_at)).await?;
        }
        RecommendationState::Superseded => {
            over("Superseded", "a newer recommendation for this incident has taken its place".into()).await?;
        }
        RecommendationState::Decided => {
            let decisions = context.ports.recommendations.decisions(&on.id).await?;
            let Some(rejection) = decisions.iter().find(|d| d.verb == Verb::Reject) else {
                // Approved: the dispatcher marks the object, which brings it here again.
                return Ok(Next::After(LOOK));
            };
            let why = rejection.reason.as_deref().unwrap_or("no reason was given");
            over("Rejected", format!("rejected by {}: {why}", rejection.actor.name)).await?;
        }
    }
    Ok(Next::Done)
}
