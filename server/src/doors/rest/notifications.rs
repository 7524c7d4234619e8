//! `/api/v1/notifications`.

use super::{
    query::{NoQuery, Query},
    wire::{Linked, List, json},
};
use crate::{
    doors::{
        access::{Access, Routes, Who},
        body::{self, OptionalJson},
        gate::Gate,
        problem::Problem,
    },
    urlencoded,
};
use axum::{
    extract::{Path, State},
    http::{Method, StatusCode},
    response::Response,
};
use domain::{
    identity::Right,
    ports::{NotificationFilter, NotificationRecord, NotificationState},
    services::{NotificationService as _, ReceiverView},
};

/// Where people see them.
const PAGE: &str = "/settings/notifications";

pub fn routes(routes: Routes) -> Routes {
    let (read, write) = (Access::Needs(Right::NotificationsRead), Access::Needs(Right::NotificationsWrite));
    routes
        .add(Method::GET, "/api/v1/notifications", read, list)
        .add(Method::GET, "/api/v1/notifications/receivers", read, receivers)
        .add(Method::POST, "/api/v1/notifications/receivers/{receiver}/test", write, test)
        .add(Method::GET, "/api/v1/notifications/{id}", read, get)
        .add(Method::POST, "/api/v1/notifications/{id}/redeliver", write, redeliver)
        .add(Method::POST, "/api/v1/notifications/{id}/discard", write, discard)
}

fn linked(record: NotificationRecord) -> Linked<NotificationRecord> {
    let this = format!("/api/v1/notifications/{}", urlencoded::segment(&record.id));
    Linked::new(record, this, PAGE.into())
}

/// A body without members, which may be left out.
fn nothing(sent: Option<&serde_json::Value>) -> Result<(), Problem> {
    sent.map_or(Ok(()), |sent| body::read(sent, |_| Some(())))
}

/// Notifications, newest first, each with how it stands.
#[utoipa::path(get, path = "/api/v1/notifications", tag = "notifications",
    params(("state" = Option<String>, Query), ("receiver" = Option<String>, Query), ("limit" = Option<u32>, Query),
        ("cursor" = Option<String>, Query)),
    responses((status = 200, body = List<Linked<NotificationRecord>>)))]
pub async fn list(State(gate): State<Gate>, Who(caller): Who, query: Query) -> Result<Response, Problem> {
    let mut query = query.read();
    let state = query.parsed("state", "waiting, delivered, dead or discarded", NotificationState::from_name);
    let filter = NotificationFilter { states: state.into_iter().collect(), receiver: query.text("receiver") };
    let page = query.page();
    query.finish()?;
    let found = gate.notifications.notifications(&caller, &filter, &page).await?;
    Ok(json(StatusCode::OK, &List::from(found.map(linked))))
}

/// The receivers of the settings and how things stand with each; those that the settings no longer name have no host. All of them: there is
/// no next page.
#[utoipa::path(get, path = "/api/v1/notifications/receivers", tag = "notifications",
    responses((status = 200, body = List<ReceiverView>)))]
pub async fn receivers(State(gate): State<Gate>, Who(caller): Who, _: NoQuery) -> Result<Response, Problem> {
    let items = gate.notifications.receivers(&caller).await?;
    Ok(json(StatusCode::OK, &List { items, next_cursor: None }))
}

/// One.
#[utoipa::path(get, path = "/api/v1/notifications/{id}", tag = "notifications", params(("id" = String, Path)),
    responses((status = 200, body = Linked<NotificationRecord>)))]
pub async fn get(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
) -> Result<Response, Problem> {
    let record = gate.notifications.notification(&caller, &id).await?;
    Ok(json(StatusCode::OK, &linked(record)))
}

/// Delivers a dead or discarded one again, with as many tries as a new one has.
#[utoipa::path(post, path = "/api/v1/notifications/{id}/redeliver", tag = "notifications", params(("id" = String, Path)),
    responses((status = 202, body = Linked<NotificationRecord>)))]
pub async fn redeliver(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
    OptionalJson(sent): OptionalJson,
) -> Result<Response, Problem> {
    nothing(sent.as_ref())?;
    let record = gate.notifications.redeliver(&caller, &id).await?;
    Ok(json(StatusCode::ACCEPTED, &linked(record)))
}

/// Discards a waiting or dead one: it is not delivered. One that is being sent at this moment may arrive.
#[utoipa::path(post, path = "/api/v1/notifications/{id}/discard", tag = "notifications", params(("id" = String, Path)),
    responses((status = 200, body = Linked<NotificationRecord>)))]
pub async fn discard(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
    OptionalJson(sent): OptionalJson,
) -> Result<Response, Problem> {
    nothing(sent.as_ref())?;
    let record = gate.notifications.discard(&caller, &id).await?;
    Ok(json(StatusCode::OK, &linked(record)))
}

/// Sends a test to a receiver. It is delivered like any other: its own address says what came of it.
#[utoipa::path(post, path = "/api/v1/notifications/receivers/{receiver}/test", tag = "notifications",
    params(("receiver" = String, Path)), responses((status = 202, body = Linked<NotificationRecord>)))]
pub async fn test(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(receiver): Path<String>,
    _: NoQuery,
    OptionalJson(sent): OptionalJson,
) -> Result<Response, Problem> {
    nothing(sent.as_ref())?;
    let record = gate.notifications.test(&caller, &receiver).await?;
    Ok(json(StatusCode::ACCEPTED, &linked(record)))
}
