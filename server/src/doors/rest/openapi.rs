//! The description of all this, generated from the handlers' own annotations.

use super::{
    action_types, audit, catalog, common, effectiveness, events, executions, findings, incidents, notifications,
    policies, query::NoQuery, recommendations, recoveries, wire::json,
};
use crate::doors::{
    access::{Access, Routes},
    declared,
    problem::Told,
};
use axum::{
    http::{Method, StatusCode},
    response::Response,
};
use std::sync::OnceLock;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(title = "Kubernaut Console", description = "Recommendations, run tickets, decisions, executions and the playbook catalog. \
        Errors are application/problem+json; lists are keyset pages; every POST takes an Idempotency-Key."),
    paths(
        catalog::register, catalog::validate, catalog::list, catalog::newest, catalog::versions, catalog::version,
        catalog::schema, catalog::set_status, action_types::list,
        recommendations::submit, recommendations::list, recommendations::get, recommendations::make_ticket,
        recommendations::make_decision, recommendations::ticket, recommendations::decision,
        executions::list, executions::propose, executions::get, executions::ticket, executions::pipeline_run,
        recoveries::rollback, recoveries::retry, recoveries::recoveries,
        findings::list, findings::get, findings::set_status, findings::turn,
        executions::cancel, executions::assessment::assessment, executions::assessment::overrule, executions::list_workspace, executions::actions, executions::action, executions::logs,
        effectiveness::effectiveness, effectiveness::calibration, effectiveness::versions, effectiveness::patterns, audit::list, audit::row, audit::chain, audit::note_export,
        incidents::alertmanager, incidents::list, incidents::get, incidents::close, incidents::investigations, incidents::investigate,
        incidents::investigation,
        policies::list, policies::draft, policies::validate, policies::version, policies::simulate, policies::activate,
        notifications::list, notifications::receivers, notifications::get, notifications::redeliver,
        notifications::discard, notifications::test, events::events, document,
    ),
    components(schemas(Told)),
    modifiers(&Bearer),
    security(("token" = [])),
)]
pub struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

pub fn routes(routes: Routes) -> Routes {
    routes.add(Method::GET, "/api/v1/openapi.json", Access::SignedIn, document)
}

/// The document, made once.
pub fn described() -> &'static serde_json::Value {
    static DOCUMENT: OnceLock<serde_json::Value> = OnceLock::new();
    let complete = || {
        let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
        common::complete(&mut document, &declared());
        document
    };
    DOCUMENT.get_or_init(complete)
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "api", responses((status = 200, body = Object)))]
pub async fn document(_: NoQuery) -> Response {
    json(StatusCode::OK, described())
}
