//! An incident's page: the forms that have it investigated, and that close it.

use super::{Parts, again, who};
use crate::{
    doors::{
        form::{Form, field},
        gate::Gate,
    },
    urlencoded,
};
use app::{FormOutcome, pages::incidents::one::CLOSE};
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

/// Back to what became of it.
pub async fn close(State(gate): State<Gate>, Path(id): Path<String>, parts: Parts, Form(fields): Form) -> Response {
    let page = format!("/incidents/{}", urlencoded::segment(&id));
    let reason = field(&fields, "reason").map(str::to_owned);
    let done = async { gate.services.close(&who(&parts)?, &IncidentId::new(&id), reason).await };
    match done.await {
        Ok(_) => Redirect::to(&page).into_response(),
        Err(error) => {
            let outcome = FormOutcome { action: Some(CLOSE.to_owned()), ..FormOutcome::refused(fields, &error) };
            again(&gate, &page, parts, outcome).await
        }
    }
}
