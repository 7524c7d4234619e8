//! An incident's page: the form that has it investigated.

use super::{Parts, again, who};
use crate::{
    doors::{form::Form, gate::Gate},
    urlencoded,
};
use app::FormOutcome;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{ids::IncidentId, services::IncidentService};

/// Where it is told how the investigation goes.
pub async fn investigate(
    State(gate): State<Gate>,
    Path(id): Path<String>,
    parts: Parts,
    Form(fields): Form,
) -> Response {
    let page = format!("/incidents/{}", urlencoded::segment(&id));
    let done = async { gate.services.investigate(&who(&parts)?, &IncidentId::new(&id)).await };
    match done.await {
        Ok(_) => Redirect::to(&format!("{page}#investigations")).into_response(),
        Err(error) => again(&gate, &page, parts, FormOutcome::refused(fields, &error)).await,
    }
}
