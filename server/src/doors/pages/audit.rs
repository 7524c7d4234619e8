//! The forms of the audit page: an export, which leaves a row of its own, looking at the chain anew, and the legal hold.

use super::{Parts, again, invalid, who};
use crate::doors::{
    access::{Access, Routes},
    export::{self, Format},
    form::{Fields, Form, field},
    gate::Gate,
};
use app::{FormOutcome, pages::audit, query::Query};
use axum::{
    extract::State,
    http::Method,
    response::{IntoResponse as _, Redirect, Response},
};
use domain::{
    identity::Right,
    services::{Answer, AuditService as _},
};

const PAGE: &str = "/audit";

pub fn routes(routes: Routes) -> Routes {
    let (read, hold) = (Access::Needs(Right::AuditRead), Access::Needs(Right::AuditHold));
    routes
        .add(Method::POST, "/audit/exports", read, export)
        .add(Method::POST, "/audit/check", read, check)
        .add(Method::POST, "/audit/hold", hold, set_hold)
        .add(Method::POST, "/audit/release", hold, release_hold)
}

async fn export(State(gate): State<Gate>, parts: Parts, Form(fields): Form) -> Response {
    match exported(&gate, &parts, &fields).await {
        Ok(file) => file,
        Err(error) => again(&gate, PAGE, parts, FormOutcome::refused(fields, &error)).await,
    }
}

async fn exported(gate: &Gate, parts: &Parts, fields: &Fields) -> Answer<Response> {
    let caller = who(parts)?;
    let format = field(fields, "format").and_then(Format::from_name);
    let format = format.ok_or_else(|| invalid("/format", "not_allowed", "choose JSON lines or CSV"))?;
    let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let filter = audit::filter(&Query::of(&pairs));
    // No row, no file.
    gate.services.note_export(&caller, &filter, format.name()).await?;
    export::file(&gate.services, &caller, filter, format).await
}

async fn check(State(gate): State<Gate>, parts: Parts) -> Response {
    let checked = async { gate.services.check(&who(&parts)?).await };
    done(&gate, checked.await, parts, Vec::new()).await
}

async fn set_hold(State(gate): State<Gate>, parts: Parts, Form(fields): Form) -> Response {
    let reason = field(&fields, "reason").map(str::to_owned);
    let set = async { gate.services.set_hold(&who(&parts)?, reason).await };
    done(&gate, set.await, parts, fields).await
}

async fn release_hold(State(gate): State<Gate>, parts: Parts, Form(fields): Form) -> Response {
    let reason = field(&fields, "reason").map(str::to_owned);
    let released = async { gate.services.release_hold(&who(&parts)?, reason).await };
    done(&gate, released.await, parts, fields).await
}

async fn done(gate: &Gate, outcome: Answer<()>, parts: Parts, fields: Fields) -> Response {
    match outcome {
        Ok(()) => Redirect::to(PAGE).into_response(),
        Err(error) => again(gate, PAGE, parts, FormOutcome::refused(fields, &error)).await,
    }
}
