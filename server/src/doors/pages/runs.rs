//! A run's page: a part of its log, and its forms: cancelling it, saying whether it helped, and listing what it left.

use super::{Parts, again, page_of, who};
use crate::{
    doors::{
        form::{Fields, Form, field},
        gate::Gate,
        problem::Problem,
        visible::visible,
    },
    urlencoded,
};
use app::{FormOutcome, query::Query};
use axum::{
    extract::{Path, RawQuery, State},
    response::{Html, IntoResponse, Redirect, Response},
};
use domain::{
    execution::Assessment,
    fault::{Fault, code},
    ids::ExecutionId,
    recommendation::Recommendation,
    services::{Answer, RecoveryService, RunService, ServiceError},
};

/// A part of a log, for a page that has the rest: the same lines as on the page.
pub async fn log(
    State(gate): State<Gate>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    parts: Parts,
) -> Response {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let done = async {
        let caller = who(&parts)?;
        app::pages::run::fragment(&gate.services, &caller, &ExecutionId::new(&id), &query).await
    };
    match done.await {
        Ok(html) => visible(Html(html).into_response()).await,
        Err(error) => Problem::from(error).into_response(),
    }
}

/// Where a run's page is, with what of the query such a page knows.
fn address(id: &str, query: Option<&str>) -> String {
    format!("/runs/{}{}", urlencoded::segment(id), Query::parse(query.unwrap_or_default()))
}

pub async fn cancel(
    State(gate): State<Gate>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    parts: Parts,
    Form(fields): Form,
) -> Response {
    let page = address(&id, query.as_deref());
    let reason = field(&fields, "reason").map(str::to_owned);
    let done = async { gate.services.cancel(&who(&parts)?, &ExecutionId::new(&id), reason).await };
    match done.await {
        Ok(_) => Redirect::to(&page).into_response(),
        Err(error) => {
            let outcome = FormOutcome::refused(fields.clone(), &error);
            again(&gate, &page, parts, outcome).await
        }
    }
}

pub async fn rollback(
    State(gate): State<Gate>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    parts: Parts,
    Form(fields): Form,
) -> Response {
    let reason = field(&fields, "reason").map(str::to_owned);
    let done = async { gate.services.rollback(&who(&parts)?, &ExecutionId::new(&id), reason).await };
    made(done.await, &gate, &address(&id, query.as_deref()), parts, fields).await
}

pub async fn retry(
    State(gate): State<Gate>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    parts: Parts,
    Form(fields): Form,
) -> Response {
    let reason = field(&fields, "reason").map(str::to_owned);
    let done = async { gate.services.retry(&who(&parts)?, &ExecutionId::new(&id), reason).await };
    made(done.await, &gate, &address(&id, query.as_deref()), parts, fields).await
}

/// Leads to what was made of a run; where nothing was, the run's page says why.
async fn made(done: Answer<Recommendation>, gate: &Gate, page: &str, parts: Parts, fields: Fields) -> Response {
    match done {
        Ok(made) => Redirect::to(&page_of(made.id.as_str())).into_response(),
        Err(error) => again(gate, page, parts, FormOutcome::refused(fields, &error)).await,
    }
}

pub async fn overrule(
    State(gate): State<Gate>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    parts: Parts,
    Form(fields): Form,
) -> Response {
    let page = address(&id, query.as_deref());
    let verdict = field(&fields, "verdict").and_then(Assessment::from_name);
    let reason = field(&fields, "reason").map(str::to_owned);
    let done = async {
        let verdict = verdict.filter(|verdict| *verdict != Assessment::NotAssessed).ok_or_else(|| {
            ServiceError::Invalid(vec![Fault::new("/verdict", code::REQUIRED, "choose what it came to")])
        })?;
        gate.services.overrule(&who(&parts)?, &ExecutionId::new(&id), verdict, reason).await
    };
    match done.await {
        Ok(_) => Redirect::to(&format!("{page}#assessment")).into_response(),
        Err(error) => {
            let outcome = FormOutcome::refused(fields.clone(), &error);
            again(&gate, &page, parts, outcome).await
        }
    }
}

/// What was found is shown in the answer itself: it is kept nowhere.
pub async fn list_workspace(
    State(gate): State<Gate>,
    Path((id, workspace)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    parts: Parts,
    Form(fields): Form,
) -> Response {
    let page = address(&id, query.as_deref());
    let done = async { gate.services.list_workspace(&who(&parts)?, &ExecutionId::new(&id), &workspace).await };
    let outcome = match done.await {
        Ok(listing) => FormOutcome { listing: Some((workspace, Some(listing))), ..FormOutcome::default() },
        Err(error) => FormOutcome { listing: Some((workspace, None)), ..FormOutcome::refused(fields, &error) },
    };
    again(&gate, &page, parts, outcome).await
}
