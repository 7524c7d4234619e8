//! The form by which an operator puts values in place of the model's: a new ticket, nothing runs yet.

use super::{Parts, again, page_of, who};
use crate::doors::{
    form::{Fields, Form, field},
    gate::Gate,
};
use app::{
    FormOutcome,
    pages::recommendation::{CHECKED, changed},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use domain::{
    fault::{Fault, Faults, code},
    ids::{Digest, RecommendationId},
    json::pointer::join,
    reader::quoted,
    services::{Answer, ApprovalService, RecommendationView, ServiceError},
};
use serde_json::Map;

pub async fn parameters(
    State(gate): State<Gate>,
    Path(id): Path<String>,
    parts: Parts,
    Form(fields): Form,
) -> Response {
    let strategy: u32 = field(&fields, "strategy").and_then(|s| s.parse().ok()).unwrap_or(0);
    match edited(&gate, &RecommendationId::new(&id), strategy, &parts, &fields).await {
        Ok(digest) => {
            Redirect::to(&format!("{}?strategy={strategy}&ticket={digest}#ticket-title", page_of(&id))).into_response()
        }
        Err(error) => {
            let outcome = FormOutcome::refused(fields.clone(), &error);
            again(&gate, &format!("{}?strategy={strategy}", page_of(&id)), parts, outcome).await
        }
    }
}

/// Looks at the form without any effect: the page again, with the ticket that its values would make, or what is wrong with them.
pub async fn check(State(gate): State<Gate>, Path(id): Path<String>, parts: Parts, Form(fields): Form) -> Response {
    let strategy: u32 = field(&fields, "strategy").and_then(|s| s.parse().ok()).unwrap_or(0);
    let outcome = FormOutcome { fields, code: CHECKED.to_owned(), status: StatusCode::OK, ..FormOutcome::default() };
    again(&gate, &format!("{}?strategy={strategy}", page_of(&id)), parts, outcome).await
}

/// Whoever changed a value and then pressed Approve would approve the ticket without it: that is refused, whatever else holds.
pub fn nothing_unsaved(view: &RecommendationView, fields: &Fields) -> Answer<()> {
    let Some(chosen) = view.strategies.get(view.selected as usize) else { return Ok(()) };
    // What can't run any more has no form; why is told when the ticket is made again.
    let known =
        |name: &str| view.ticket.is_none() || chosen.form.iter().any(|parameter| parameter.name.as_str() == name);
    if let Some(name) = fields.iter().filter_map(|(name, _)| name.strip_prefix("p.")).find(|name| !known(name)) {
        return Err(ServiceError::Invalid(vec![unknown(name)]));
    }
    let changed = changed(view, fields);
    if changed.is_empty() {
        return Ok(());
    }
    Err(ServiceError::Conflict {
        code: "unsaved_changes",
        detail: format!(
            "you changed {}, and this ticket is without that: make a new ticket and approve that one",
            changed.join(", ")
        ),
        differences: Vec::new(),
    })
}

fn unknown(name: &str) -> Fault {
    let message = format!("this playbook has no parameter {}; load the page again", quoted(name));
    Fault::new(join("/parameters", name), code::UNKNOWN_FIELD, message)
}

async fn edited(gate: &Gate, id: &RecommendationId, strategy: u32, parts: &Parts, fields: &Fields) -> Answer<Digest> {
    let caller = who(parts)?;
    let view = gate.services.view(&caller, id, Some(strategy), None).await?;
    let chosen =
        view.strategies.get(strategy as usize).ok_or(ServiceError::NotFound("strategy in this recommendation"))?;
    let (mut values, mut faults) = (Map::new(), Faults::new());
    for (name, text) in fields.iter().filter_map(|(name, text)| Some((name.strip_prefix("p.")?, text))) {
        match chosen.form.iter().find(|p| p.name.as_str() == name) {
            Some(parameter) => values.extend(parameter.from_text(text).map(|value| (name.to_owned(), value))),
            None => faults.push(unknown(name)),
        }
    }
    if !faults.is_empty() {
        return Err(ServiceError::Invalid(faults.into_vec()));
    }
    let ticket = ApprovalService::ticket(&gate.services, &caller, id, strategy, Some(values)).await?;
    Ok(ticket.digest)
}
