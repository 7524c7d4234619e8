//! `/api/v1/action-types`: the action registry.

use super::{
    query::NoQuery,
    wire::{Linked, json},
};
use crate::doors::{
    access::{Access, Routes, Who},
    gate::Gate,
    problem::Problem,
};
use axum::{
    extract::State,
    http::{Method, StatusCode},
    response::Response,
};
use domain::{
    identity::Right,
    playbook::actions::{ActionType, BadContract},
    services::CatalogService,
};
use serde::Serialize;

/// The registry.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct RegistryBody {
    /// Whether there is one: without, any action type goes.
    configured: bool,
    /// Its types of actions, by name; all of them.
    items: Vec<Linked<ActionType>>,
    /// Keys of the ConfigMap that hold no contract.
    bad: Vec<BadContract>,
    /// Always null: there is one page.
    next_cursor: Option<String>,
}

pub fn routes(routes: Routes) -> Routes {
    routes.add(Method::GET, PATH, Access::Needs(Right::CatalogRead), list)
}

/// Where the registry stands, in the API and in the console.
const PATH: &str = "/api/v1/action-types";
const PAGE: &str = "/catalog/actions";

/// The types of actions that steps may have, with what each takes and its image.
#[utoipa::path(get, path = "/api/v1/action-types", tag = "catalog", responses((status = 200, body = RegistryBody)))]
pub async fn list(State(gate): State<Gate>, Who(caller): Who, _: NoQuery) -> Result<Response, Problem> {
    let found = gate.services.actions(&caller).await?;
    let configured = found.is_some();
    let registry = found.unwrap_or_default();
    let items = registry.actions.into_iter().map(|action| Linked::new(action, PATH.into(), PAGE.into())).collect();
    let body = RegistryBody { configured, items, bad: registry.bad, next_cursor: None };
    Ok(json(StatusCode::OK, &body))
}
