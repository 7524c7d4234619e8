//! Several recommendations decided by one form: each with the digest of the ticket that was shown for it and a confirmation
//! of its own, each judged by itself. What can't be taken does not stop the others.

use super::{Parts, again, digest, invalid, reauthentication::Sent, verb, who};
use crate::doors::{
    form::{Fields, field},
    gate::Gate,
};
use app::{
    FormOutcome,
    pages::review::{MOST, address},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use domain::{
    decision::Verb,
    fault::Fault,
    identity::Caller,
    ids::RecommendationId,
    ports::Known,
    services::{Answer, ApprovalService as _, DecisionRequest, ServiceError},
};

/// Takes the form. When each one was decided it leads to what became of them; else the page is shown again, and says at each
/// one what it came to.
pub async fn decide(State(gate): State<Gate>, sent: Sent) -> Response {
    let ids: Vec<RecommendationId> =
        sent.fields.iter().filter_map(|(name, _)| name.strip_prefix("item.")).map(RecommendationId::new).collect();
    let page = address(&ids);
    let refused = match each(&gate, &sent.parts, &sent.fields, &ids).await {
        Ok(refused) => refused,
        Err(ServiceError::SignInAgain(why)) => return sent.ask(&gate, why).await,
        Err(error) => return again(&gate, &page, sent.parts, FormOutcome::refused(sent.fields, &error)).await,
    };
    if refused.is_empty() {
        return Redirect::to(&page).into_response();
    }
    let outcome = FormOutcome {
        fields: sent.fields,
        faults: refused,
        code: "some_refused".into(),
        status: StatusCode::CONFLICT,
        ..FormOutcome::default()
    };
    again(&gate, &page, sent.parts, outcome).await
}

/// Decides one after the other; what was refused, each at the field it belongs to. An error means that nothing was decided.
async fn each(gate: &Gate, parts: &Parts, fields: &Fields, ids: &[RecommendationId]) -> Answer<Vec<Fault>> {
    let caller = who(parts)?;
    let decision = verb(fields)?;
    if ids.len() > MOST {
        return Err(invalid("/item", "too_many", &format!("decide at most {MOST} at once")));
    }
    let taken: Vec<&RecommendationId> =
        ids.iter().filter(|id| field(fields, &format!("take.{id}")).is_some()).collect();
    if taken.is_empty() {
        return Err(invalid("", "required", "tick what you have read; nothing else is decided"));
    }
    if decision == Verb::Reject && field(fields, "reason").is_none() {
        return Err(invalid("/reason", "required", "say why: the reason goes into the audit trail"));
    }
    // Asked for before anything is decided: what was decided already could not be sent again.
    if decision == Verb::Approve {
        // One that can't be read is told of when it is decided.
        let chosen = |id: &&RecommendationId| Some(((*id).clone(), strategy_of(fields, id).ok()?));
        let chosen: Vec<(RecommendationId, u32)> = taken.iter().filter_map(chosen).collect();
        gate.services.confirmed_together(&caller, &chosen).await?;
    }
    let mut refused = Vec::new();
    for id in taken {
        if let Err(error) = one(gate, &caller, decision, fields, id).await {
            refused.extend(told(id, error));
        }
    }
    Ok(refused)
}

async fn one(gate: &Gate, caller: &Caller, decision: Verb, fields: &Fields, id: &RecommendationId) -> Answer<()> {
    let strategy = strategy_of(fields, id)?;
    let ticket_digest = digest("", field(fields, &format!("ticket.{id}")))?;
    let text = |name: &str| field(fields, name).map(str::to_owned);
    let (reason, confirm) = (text("reason"), text(&format!("confirm.{id}")));
    let request = DecisionRequest { decision, strategy, ticket_digest, reason, confirm, known: Known::Any };
    gate.services.decide(caller, id, request).await?;
    Ok(())
}

fn strategy_of(fields: &Fields, id: &RecommendationId) -> Answer<u32> {
    let named = field(fields, &format!("strategy.{id}")).map_or(Ok(0), str::parse);
    named.map_err(|_| invalid("", "malformed", "name the strategy by its number; load the page again"))
}

/// A refusal as faults of this one of several: at its own fields where it names one of them.
fn told(id: &RecommendationId, error: ServiceError) -> Vec<Fault> {
    let own = format!("/take.{id}");
    match error {
        ServiceError::Invalid(faults) => {
            let at = |fault: Fault| {
                let pointer = if fault.pointer == "/confirm" { format!("/confirm.{id}") } else { own.clone() };
                Fault { pointer, ..fault }
            };
            faults.into_iter().map(at).collect()
        }
        ServiceError::Conflict { code, detail, differences } => {
            let places = differences.iter().map(|change| change.pointer.as_str()).collect::<Vec<_>>().join(", ");
            let detail = if places.is_empty() { detail } else { format!("{detail} (changed: {places})") };
            vec![Fault::new(own, code, detail)]
        }
        ServiceError::Internal(detail) => {
            tracing::error!(%id, detail, "one of several decisions failed");
            vec![Fault::new(own, "internal", "something went wrong on our side; it was not decided")]
        }
        other => vec![Fault::new(own, "refused", other.to_string())],
    }
}
