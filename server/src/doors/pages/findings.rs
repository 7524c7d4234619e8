//! The forms of a finding's page: its state, and a recommendation that is made of it.

use super::{Parts, again, invalid, page_of, who};
use crate::{
    doors::{
        access::{Access, Routes},
        form::{Fields, Form, field},
        gate::Gate,
    },
    urlencoded,
};
use app::{
    FormOutcome,
    pages::findings::card::{TRIAGE, TURN},
};
use axum::{
    extract::{Path, State},
    http::Method,
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    fault::{Fault, Faults, code},
    finding::FindingState,
    identity::Right,
    ids::FindingId,
    json::pointer::join,
    playbook::PlaybookId,
    reader::quoted,
    recommendation::Recommendation,
    services::{Answer, CatalogService, FindingService, ServiceError},
};
use serde_json::Map;

pub fn routes(routes: Routes) -> Routes {
    let decide = Access::Needs(Right::Decide);
    routes.add(Method::POST, "/findings/{id}/status", decide, status).add(
        Method::POST,
        "/findings/{id}/recommendation",
        decide,
        recommendation,
    )
}

fn address(id: &str) -> String {
    format!("/findings/{}", urlencoded::segment(id))
}

async fn status(State(gate): State<Gate>, Path(id): Path<String>, parts: Parts, Form(fields): Form) -> Response {
    let done = async {
        let said = field(&fields, "status").and_then(FindingState::from_name);
        let state = said.ok_or_else(|| invalid("/status", code::REQUIRED, "press the button of a state"))?;
        let reason = field(&fields, "reason").map(str::to_owned);
        gate.services.triage(&who(&parts)?, &FindingId::new(&id), state, reason).await
    };
    match done.await {
        Ok(_) => Redirect::to(&address(&id)).into_response(),
        Err(error) => refused(&gate, &id, TRIAGE, parts, fields, &error).await,
    }
}

async fn recommendation(
    State(gate): State<Gate>,
    Path(id): Path<String>,
    parts: Parts,
    Form(fields): Form,
) -> Response {
    match turned(&gate, &FindingId::new(&id), &parts, &fields).await {
        Ok(made) => Redirect::to(&page_of(made.id.as_str())).into_response(),
        Err(error) => refused(&gate, &id, TURN, parts, fields, &error).await,
    }
}

async fn turned(gate: &Gate, id: &FindingId, parts: &Parts, fields: &Fields) -> Answer<Recommendation> {
    let caller = who(parts)?;
    let playbook = field(fields, "workflow_id").and_then(|text| text.parse::<PlaybookId>().ok());
    let playbook = playbook.ok_or_else(|| invalid("/workflow_id", code::REQUIRED, "name the playbook first"))?;
    let registration = CatalogService::newest(&gate.services, &caller, &playbook).await?.registration;
    let (mut values, mut faults) = (Map::new(), Faults::new());
    for (name, text) in fields.iter().filter_map(|(name, text)| Some((name.strip_prefix("p.")?, text))) {
        if let Some(parameter) = registration.exposed(name) {
            values.extend(parameter.from_text(text).map(|value| (name.to_owned(), value)));
        } else {
            let message = format!("this playbook has no parameter {}; load the page again", quoted(name));
            faults.push(Fault::new(join("/parameters", name), code::UNKNOWN_FIELD, message));
        }
    }
    if !faults.is_empty() {
        return Err(ServiceError::Invalid(faults.into_vec()));
    }
    let reason = field(fields, "why").unwrap_or_default().trim().to_owned();
    let made = gate.services.turn(&caller, id, &playbook, reason, values).await;
    made.map_err(|error| match error {
        ServiceError::Invalid(faults) => ServiceError::Invalid(faults.into_iter().map(at_its_field).collect()),
        other => other,
    })
}

/// Beside the reason of the triage the form has a name of its own for this one.
fn at_its_field(fault: Fault) -> Fault {
    let pointer = if fault.pointer == "/reason" { "/why".to_owned() } else { fault.pointer };
    Fault { pointer, ..fault }
}

async fn refused(gate: &Gate, id: &str, action: &str, parts: Parts, fields: Fields, error: &ServiceError) -> Response {
    let outcome = FormOutcome { action: Some(action.to_owned()), ..FormOutcome::refused(fields, error) };
    again(gate, &address(id), parts, outcome).await
}
