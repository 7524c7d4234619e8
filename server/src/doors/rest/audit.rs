//! `/api/v1/audit`.

use super::{
    query::{NoQuery, Query},
    wire::{Linked, List, json},
};
use crate::doors::{
    access::{Access, Routes, Who},
    gate::Gate,
    problem::Problem,
    urlencoded,
};
use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    audit::{AuditFilter, AuditRecord},
    identity::{Door, Right},
    services::{AuditService, ServiceError},
};
use futures::stream;

/// Rows of the audit trail read at a time for an export.
const EXPORT_BATCH: u32 = 1_000;

pub fn routes(routes: Routes) -> Routes {
    let read = Access::Needs(Right::AuditRead);
    routes.add(Method::GET, "/api/v1/audit", read, list).add(Method::GET, "/api/v1/audit/{sequence}", read, row)
}

fn linked(row: AuditRecord) -> Linked<AuditRecord> {
    let this = format!("/api/v1/audit/{}", row.sequence);
    let page = format!("/audit?{}", urlencoded::query([("object", row.object_id.as_str())]));
    Linked::new(row, this, page)
}

/// The audit trail, newest first; `format=jsonl` is all that the filters let through, oldest first, a row a line.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit",
    params(("actor" = Option<String>, Query), ("action" = Option<String>, Query), ("object" = Option<String>, Query), ("door" = Option<String>, Query), ("q" = Option<String>, Query),
        ("from" = Option<String>, Query), ("to" = Option<String>, Query),
        ("format" = Option<String>, Query), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = List<Linked<AuditRecord>>)))]
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
    let lines = query.parsed("format", "json or jsonl", |t| match t {
        "json" => Some(false),
        "jsonl" => Some(true),
        _ => None,
    });
    let page = query.page();
    query.finish()?;
    if lines != Some(true) {
        let found = AuditService::list(&gate.services, &caller, &filter, &page).await?;
        return Ok(json(StatusCode::OK, &List::from(found.map(linked))));
    }
    let rows = stream::try_unfold(0, move |sequence| {
        let (gate, caller, filter) = (gate.clone(), caller.clone(), filter.clone());
        async move {
            let rows = gate.services.after(&caller, &filter, sequence, EXPORT_BATCH).await;
            let rows = rows.map_err(std::io::Error::other)?;
            let Some(last) = rows.last().map(|r| r.sequence) else { return Ok(None) };
            let mut text = String::new();
            for row in rows {
                text.push_str(&serde_json::to_string(&linked(row))?);
                text.push('\n');
            }
            Ok::<_, std::io::Error>(Some((Bytes::from(text), last)))
        }
    });
    let name = "attachment; filename=\"audit.jsonl\"";
    let headers = [(header::CONTENT_TYPE, "application/jsonl"), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(rows)).into_response())
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
