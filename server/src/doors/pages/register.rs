//! The form that registers a playbook: sent, checked while somebody types, or turned into another way of showing the same.

use super::{Parts, again, who};
use crate::doors::{
    form::{Fields, Form, field},
    gate::Gate,
};
use app::{
    FormOutcome,
    pages::{
        playbook::Done,
        register::{self, Reading},
    },
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    fault::Fault,
    playbook::Registration,
    services::{Answer, CatalogService, ServiceError},
};

const PAGE: &str = "/catalog/new";

/// A button of the form was pressed.
pub async fn sent(State(gate): State<Gate>, parts: Parts, Form(fields): Form) -> Response {
    let action = field(&fields, "action").unwrap_or_default().to_owned();
    if let Some(turned) = register::turn(&fields, &action) {
        let outcome = match turned {
            Ok(fields) => shown(fields, register::TURNED, StatusCode::OK, Vec::new()),
            Err(error) => FormOutcome::refused(without_action(fields), &error),
        };
        return again(&gate, PAGE, parts, outcome).await;
    }
    match registered(&gate, &parts, &fields).await {
        Ok(Some(registration)) => Redirect::to(&Done::Registered.address(&registration)).into_response(),
        Ok(None) => {
            let outcome = shown(without_action(fields), register::VALIDATED, StatusCode::OK, Vec::new());
            again(&gate, PAGE, parts, outcome).await
        }
        Err(error) => again(&gate, PAGE, parts, FormOutcome::refused(without_action(fields), &error)).await,
    }
}

/// The same page as if it had been sent, and nothing else: 200 where nothing is wrong, else 422.
pub async fn check(State(gate): State<Gate>, parts: Parts, Form(fields): Form) -> Response {
    let outcome = match judged(&gate, &parts, &fields).await {
        Ok(faults) => {
            let status = if faults.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            shown(fields, register::CHECKED, status, faults)
        }
        Err(error) => FormOutcome::refused(fields, &error),
    };
    again(&gate, PAGE, parts, outcome).await
}

fn shown(fields: Fields, code: &str, status: StatusCode, faults: Vec<Fault>) -> FormOutcome {
    FormOutcome { fields, code: code.into(), status, faults, ..FormOutcome::default() }
}

/// Which button was pressed is no part of what was typed.
fn without_action(mut fields: Fields) -> Fields {
    fields.retain(|(name, _)| name != "action");
    fields
}

/// All that is wrong with what was typed.
async fn judged(gate: &Gate, parts: &Parts, fields: &Fields) -> Answer<Vec<Fault>> {
    let Reading { document, mut faults } = register::read(fields);
    if document.is_object() {
        let review = gate.services.review(&who(parts)?, &document, register::base(fields)).await?;
        faults.extend(review.faults);
    }
    Ok(faults)
}

/// What was registered, or nothing when it was only to be validated and is fine.
async fn registered(gate: &Gate, parts: &Parts, fields: &Fields) -> Answer<Option<Registration>> {
    let caller = who(parts)?;
    let Reading { document, faults } = register::read(fields);
    if !faults.is_empty() {
        return Err(ServiceError::Invalid(judged(gate, parts, fields).await?));
    }
    if field(fields, "action") == Some("validate") {
        gate.services.validate(&caller, &document).await?;
        return Ok(None);
    }
    if register::to_be_asked(fields) {
        register::ask(&gate.services.review(&caller, &document, register::base(fields)).await?)?;
    }
    let (record, _) = gate.services.register(&caller, &document).await?;
    Ok(Some(record.registration))
}
