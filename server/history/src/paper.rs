//! What led to a run of the past: the recommendation, the ticket that was approved, and who approved it when.

use crate::{
    APPROVAL_MS, Paper, Playbook,
    profiles::{Advisor, Profile},
    run::{Parameters, id},
};
use domain::{
    decision::{Decision, Verb},
    execution::ExecutionSubject,
    identity::Actor,
    ids::DecisionId,
    policy::PolicyTerms,
    recommendation::{
        Content, Incident, Model, Origin, Proposal, Recommendation, RecommendationState, ResourceRef, Strategy,
    },
    ticket::{FORMAT, Plan, Ticket, TicketContent},
    time::Timestamp,
};
use rand::{Rng as _, rngs::StdRng};
use serde_json::{Map, json};

/// What people wrote who gave a reason.
const REASONS: [&str; 6] = [
    "same as last week, it helped",
    "checked the dashboards, the node is full",
    "the team that owns it agrees",
    "quiet hour, little to lose",
    "alert has fired for ten minutes",
    "limit was set too low in the last release",
];

/// Who advised what, and how sure they were.
pub struct Advice<'a> {
    pub profile: &'a Profile,
    pub playbook: &'a Playbook,
    pub advisor: &'a Advisor,
    pub sure: f64,
}

/// The papers of a run that was approved at that time; `subject` says what it was about.
pub fn write(
    advice: &Advice<'_>,
    parameters: &Parameters,
    subject: &ExecutionSubject,
    approved_by: &[Actor],
    approved_at: Timestamp,
    dice: &mut StdRng,
) -> Paper {
    let recommended_at = approved_at.plus_ms(-dice.random_range(20_000..600_000));
    let began_at = recommended_at.plus_ms(-dice.random_range(35_000..240_000));
    let recommendation = Recommendation {
        id: subject.recommendation_id.clone(),
        revision: 1,
        state: RecommendationState::Decided,
        origin: Origin::Model,
        proposer: Actor::system(advice.advisor.name),
        cluster: subject.cluster.clone(),
        created_at: recommended_at,
        expires_at: recommended_at.plus_ms(APPROVAL_MS),
        content: content(advice, parameters, subject, began_at),
    };
    let ticket = ticket(advice, parameters, subject, &recommendation);
    let mut decisions = Vec::new();
    let mut at = approved_at;
    // The last one's is the moment of the approval; whoever came before was some seconds earlier.
    for actor in approved_by.iter().rev() {
        let reason = dice.random_bool(0.6).then(|| REASONS[dice.random_range(0..REASONS.len())].to_owned());
        decisions.push(Decision {
            id: DecisionId::new(id(at, dice)),
            recommendation_id: recommendation.id.clone(),
            verb: Verb::Approve,
            strategy: 0,
            ticket_digest: Some(ticket.digest().clone()),
            reason,
            actor: actor.clone(),
            stands_for: Vec::new(),
            at,
        });
        at = at.plus_ms(-dice.random_range(2_000..18_000));
    }
    decisions.reverse();
    Paper { recommendation, ticket, decisions }
}

fn content(advice: &Advice<'_>, parameters: &Parameters, subject: &ExecutionSubject, began_at: Timestamp) -> Content {
    let registration = &advice.playbook.registration;
    let target = subject.resource.as_ref().map(in_words).unwrap_or_default();
    Content {
        incident: Incident {
            id: subject.incident_id.clone(),
            signal_type: subject.signal_type.clone(),
            severity: subject.severity,
            environment: subject.environment.clone(),
            priority: None,
            fingerprint: None,
            resource: subject.resource.clone(),
            started_at: Some(began_at),
            business_context: Map::new(),
        },
        model: Some(Model {
            name: Some(advice.advisor.name.to_owned()),
            prompt_version: subject.prompt_version.clone(),
            ..Model::default()
        }),
        analysis_summary: format!("{} on {target}.", subject.signal_type),
        root_cause_assessment: format!("{target} shows what {} is made for.", registration.title),
        strategies: vec![Strategy {
            action_type: subject.action_type.clone(),
            confidence: Some(advice.sure),
            rationale: registration.description.clone(),
            estimated_risk: advice.profile.risk,
            declared_risk: None,
            proposal: Proposal::Playbook {
                workflow_id: registration.id.to_string(),
                version: Some(registration.version.to_string()),
                parameters: parameters.given.clone(),
                rollback_parameters: None,
            },
            errors: Vec::new(),
            rollback_errors: Vec::new(),
        }],
        warnings: Vec::new(),
        context_used: Map::from_iter([("history".to_owned(), json!("written by the demo scene"))]),
        additional_findings: Vec::new(),
        needs_human_review: false,
        seen: Vec::new(),
    }
}

fn in_words(target: &ResourceRef) -> String {
    match &target.namespace {
        Some(namespace) => format!("{} {} in {namespace}", target.kind, target.name),
        None => format!("{} {}", target.kind, target.name),
    }
}

fn ticket(
    advice: &Advice<'_>,
    parameters: &Parameters,
    subject: &ExecutionSubject,
    recommendation: &Recommendation,
) -> Ticket {
    let Playbook { registration, image } = advice.playbook;
    Ticket::new(TicketContent {
        format: FORMAT.into(),
        recommendation_id: recommendation.id.clone(),
        revision: recommendation.revision,
        strategy: 0,
        incident_id: subject.incident_id.clone(),
        action_type: subject.action_type.clone(),
        reason: recommendation.reason(),
        cluster: subject.cluster.clone(),
        namespace: subject.namespace.clone(),
        adopts: None,
        plan: Plan::Playbook {
            workflow_id: registration.id.clone(),
            version: registration.version.clone(),
            image: image.clone(),
            image_pull_policy: registration.image_pull_policy,
            parameters: parameters.entries.clone(),
            outputs: registration.outputs.clone(),
        },
        service_account: registration.execution.service_account.to_string(),
        kubeconfig_secret: None,
        timeout_ms: registration.execution.timeout.as_millis(),
        retry_count: registration.execution.retry_count,
        policy: PolicyTerms::default_for(advice.profile.risk),
        expires_at: recommendation.expires_at,
        business_context: Map::new(),
    })
}
