//! `/api/v1/audit`.

use super::{
    query::{NoQuery, Query},
    wire::{Linked, List, json},
};
use crate::{
    doors::{
        access::{Access, Routes, Who},
        body::{self, Json},
        export::{self, Format},
        gate::Gate,
        problem::Problem,
    },
    urlencoded,
};
use axum::{
    extract::{Path, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    audit::{AuditFilter, AuditRecord},
    identity::{Door, Right},
    reader,
    services::{AuditService, ServiceError, TrailView},
};
use serde::Serialize;

pub fn routes(routes: Routes) -> Routes {
    let read = Access::Needs(Right::AuditRead);
    routes
        .add(Method::GET, "/api/v1/audit", read, list)
        .add(Method::GET, "/api/v1/audit/chain", read, chain)
        .add(Method::POST, "/api/v1/audit/exports", read, note_export)
        .add(Method::GET, "/api/v1/audit/{sequence}", read, row)
}

fn linked(row: AuditRecord) -> Linked<AuditRecord> {
    let this = format!("/api/v1/audit/{}", row.sequence);
    let page = format!("/audit?{}", urlencoded::query([("object", row.object_id.as_str())]));
    Linked::new(row, this, page)
}

/// The audit trail, newest first; `format=jsonl` and `format=csv` are all that the filters let through, oldest first. A file of all
/// rows in JSON lines can be checked by `kubernaut-console audit verify`; this address leaves no row itself.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit",
    params(("actor" = Option<String>, Query), ("action" = Option<String>, Query), ("object" = Option<String>, Query),
        ("door" = Option<String>, Query), ("q" = Option<String>, Query),
        ("from" = Option<String>, Query), ("to" = Option<String>, Query),
        ("format" = Option<String>, Query), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, content((List<Linked<AuditRecord>> = "application/json"), (String = "application/jsonl")))))]
pub async fn list(State(gate): State<Gate>, Who(caller): Who, query: Query) -> Result<Response, Problem> {
    let mut query = query.read();
    let filter = AuditFilter {
        actor: query.text("actor"),
        action: query.text("action"),
        object: query.text("object"),
        door: query.parsed("door", "page, api, cli, cluster or console", Door::from_name),
        q: query.text("q"),
        from: query.time("from"),
        to: query.time("to"),
    };
    let format = query.parsed("format", "json, jsonl or csv", |name| match name {
        "json" => Some(None),
        name => Format::from_name(name).map(Some),
    });
    let page = query.page();
    query.finish()?;
    if let Some(format) = format.flatten() {
        return Ok(export::file(&gate.services, &caller, filter, format).await?);
    }
    let found = AuditService::list(&gate.services, &caller, &filter, &page).await?;
    Ok(json(StatusCode::OK, &List::from(found.map(linked))))
}

/// How the trail stands, and what came of looking at every row of it, which is done by the hour.
#[utoipa::path(get, path = "/api/v1/audit/chain", tag = "audit", responses((status = 200, body = TrailView)))]
pub async fn chain(State(gate): State<Gate>, Who(caller): Who, _: NoQuery) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &gate.services.trail(&caller).await?))
}

/// Where an export is.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ExportPlace {
    /// The address of the file.
    pub file: String,
}

/// Writes down in the trail that the caller exports it, and says where the file is.
#[utoipa::path(post, path = "/api/v1/audit/exports", tag = "audit", responses((status = 201, body = ExportPlace)))]
pub async fn note_export(
    State(gate): State<Gate>,
    Who(caller): Who,
    _: NoQuery,
    Json(sent): Json,
) -> Result<Response, Problem> {
    const FORMATS: &[(&str, Format)] = &[("jsonl", Format::Jsonl), ("csv", Format::Csv)];
    const DOORS: &[(&str, Door)] = &[
        ("page", Door::Page),
        ("api", Door::Api),
        ("cli", Door::Cli),
        ("cluster", Door::Cluster),
        ("console", Door::Console),
    ];
    let (format, filter) = body::read(&sent, |o| {
        let format = o.required("format", reader::one_of(FORMATS));
        let filter = AuditFilter {
            actor: o.optional("actor", reader::line(1..=256)),
            action: o.optional("action", reader::line(1..=256)),
            object: o.optional("object", reader::line(1..=256)),
            door: o.optional("door", reader::one_of(DOORS)),
            q: o.optional("q", reader::line(1..=256)),
            from: o.optional("from", reader::parsed()),
            to: o.optional("to", reader::parsed()),
        };
        Some((format?, filter))
    })?;
    gate.services.note_export(&caller, &filter, format.name()).await?;
    let place = ExportPlace { file: address(&filter, format) };
    Ok(([(header::LOCATION, place.file.clone())], json(StatusCode::CREATED, &place)).into_response())
}

/// The address of the file of what this filter lets through.
fn address(filter: &AuditFilter, format: Format) -> String {
    let times = [filter.from, filter.to].map(|at| at.map(|at| at.to_string()));
    let all = [
        ("actor", filter.actor.as_deref()),
        ("action", filter.action.as_deref()),
        ("object", filter.object.as_deref()),
        ("door", filter.door.map(Door::name)),
        ("q", filter.q.as_deref()),
        ("from", times[0].as_deref()),
        ("to", times[1].as_deref()),
    ];
    let given = all.into_iter().filter_map(|(name, value)| Some((name, value?)));
    format!("/api/v1/audit?{}", urlencoded::query([("format", format.name())].into_iter().chain(given)))
}

/// One row of the audit trail.
#[utoipa::path(get, path = "/api/v1/audit/{sequence}", tag = "audit", params(("sequence" = i64, Path)),
    responses((status = 200, body = Linked<AuditRecord>)))]
pub async fn row(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(sequence): Path<String>,
    _: NoQuery,
) -> Result<Response, Problem> {
    let sequence = sequence.parse().map_err(|_| ServiceError::NotFound("row of the audit trail"))?;
    Ok(json(StatusCode::OK, &linked(gate.services.audit_row(&caller, sequence).await?)))
}
