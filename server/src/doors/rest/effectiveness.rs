//! `/api/v1/effectiveness`.

use super::{
    query::{Query, QueryReader},
    wire::{Linked, json},
};
use crate::{
    doors::{
        access::{Access, Routes, Who},
        gate::Gate,
        problem::Problem,
    },
    urlencoded,
};
use axum::{
    extract::State,
    http::{Method, StatusCode},
    response::Response,
};
use domain::{
    assessment::pattern::Pattern,
    effectiveness::{
        EffectivenessFilter, EffectivenessRow, GroupBy, calibration::Calibration, versions::VersionsCompared,
    },
    identity::Right,
    paging::Page,
    services::EffectivenessService,
};
use serde::Serialize;

/// The rows of one grouping.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct EffectivenessBody {
    /// By what they are grouped.
    group_by: GroupBy,
    /// A row per group, by name.
    items: Vec<Linked<EffectivenessRow>>,
    /// Where the next page begins; null at the end.
    next_cursor: Option<String>,
}

pub fn routes(routes: Routes) -> Routes {
    let read = Access::Needs(Right::RunsRead);
    routes
        .add(Method::GET, "/api/v1/effectiveness", read, effectiveness)
        .add(Method::GET, "/api/v1/effectiveness/calibration", read, calibration)
        .add(Method::GET, "/api/v1/effectiveness/versions", read, versions)
        .add(Method::GET, "/api/v1/patterns", read, patterns)
}

/// What works: a row per group. No data is null, never 0.
#[utoipa::path(get, path = "/api/v1/effectiveness", tag = "effectiveness",
    params(("group_by" = Option<String>, Query), ("group" = Option<String>, Query), ("workflow_id" = Option<String>, Query),
        ("signal_type" = Option<String>, Query), ("action_type" = Option<String>, Query), ("model" = Option<String>, Query),
        ("days" = Option<u32>, Query), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = EffectivenessBody)))]
pub async fn effectiveness(State(gate): State<Gate>, Who(caller): Who, query: Query) -> Result<Response, Problem> {
    let mut query = query.read();
    let by = query.parsed(
        "group_by",
        "one of playbook, version, signal_type, action_type, model, prompt_version",
        GroupBy::from_name,
    );
    let group = query.text("group");
    let filter = filter(&mut query);
    let page = query.page();
    let group_by = by.unwrap_or(GroupBy::Playbook);
    let after = query.cursor_of(&page, |cursor| after(group_by, cursor));
    query.finish()?;
    let mut rows = gate.services.rows(&caller, group_by, &filter).await?;
    rows.retain(|row| group.as_ref().is_none_or(|g| *g == row.group) && after.as_ref().is_none_or(|a| *a < row.group));
    rows.sort_by(|a, b| a.group.cmp(&b.group));
    let (rows, next_cursor) = cut(group_by, rows, &page);
    let items = rows.into_iter().map(|row| linked(row, group_by, &filter)).collect();
    Ok(json(StatusCode::OK, &EffectivenessBody { group_by, items, next_cursor }))
}

/// Which executions count, as a query says it.
fn filter(query: &mut QueryReader) -> EffectivenessFilter {
    EffectivenessFilter {
        workflow_id: query.text("workflow_id"),
        signal_type: query.text("signal_type"),
        action_type: query.text("action_type"),
        model: query.text("model"),
        days: query.parsed("days", "a number from 1 to 3650", |t| t.parse().ok().filter(|d| (1..=3650).contains(d))),
    }
}

/// What models said against what came of it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct CalibrationBody {
    /// A row per model, by name.
    items: Vec<Calibration>,
}

/// Whether the models' word holds: of the runs that a model was so and so sure about, how many helped, in ten bins, and the Brier
/// score. Only runs whose effect could be told.
#[utoipa::path(get, path = "/api/v1/effectiveness/calibration", tag = "effectiveness",
    params(("workflow_id" = Option<String>, Query), ("signal_type" = Option<String>, Query), ("action_type" = Option<String>, Query),
        ("model" = Option<String>, Query), ("days" = Option<u32>, Query)),
    responses((status = 200, body = CalibrationBody)))]
pub async fn calibration(State(gate): State<Gate>, Who(caller): Who, query: Query) -> Result<Response, Problem> {
    let mut query = query.read();
    let filter = filter(&mut query);
    query.finish()?;
    let items = gate.services.calibration(&caller, &filter).await?;
    Ok(json(StatusCode::OK, &CalibrationBody { items }))
}

/// What many runs show together.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct PatternsBody {
    /// By kind, then by subject.
    items: Vec<Pattern>,
}

/// What the runs of the last so many days (90 unless said otherwise) show together: the same target again and again, a playbook that
/// stopped working, a target whose signal clears and comes back.
#[utoipa::path(get, path = "/api/v1/patterns", tag = "effectiveness", params(("days" = Option<u32>, Query)),
    responses((status = 200, body = PatternsBody)))]
pub async fn patterns(State(gate): State<Gate>, Who(caller): Who, query: Query) -> Result<Response, Problem> {
    let mut query = query.read();
    let days = query
        .parsed("days", "a number from 1 to 3650", |t| t.parse::<u32>().ok().filter(|days| (1..=3650).contains(days)));
    query.finish()?;
    let items = gate.services.patterns(&caller, days.unwrap_or(90)).await?;
    Ok(json(StatusCode::OK, &PatternsBody { items }))
}

/// Versions of playbooks side by side.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct VersionsBody {
    /// Each version with the one before it.
    items: Vec<VersionsCompared>,
}

/// How much more often a version helped than the one before it, with the 95 % interval of the difference; `too_early` where that may be
/// either.
#[utoipa::path(get, path = "/api/v1/effectiveness/versions", tag = "effectiveness",
    params(("workflow_id" = Option<String>, Query), ("signal_type" = Option<String>, Query), ("action_type" = Option<String>, Query),
        ("model" = Option<String>, Query), ("days" = Option<u32>, Query)),
    responses((status = 200, body = VersionsBody)))]
pub async fn versions(State(gate): State<Gate>, Who(caller): Who, query: Query) -> Result<Response, Problem> {
    let mut query = query.read();
    let filter = filter(&mut query);
    query.finish()?;
    let items = EffectivenessService::versions(&gate.services, &caller, &filter).await?;
    Ok(json(StatusCode::OK, &VersionsBody { items }))
}

/// A row stands under what narrows all rows down to it.
fn linked(row: EffectivenessRow, by: GroupBy, filter: &EffectivenessFilter) -> Linked<EffectivenessRow> {
    let days = filter.days.map(|days| days.to_string());
    let mut narrow = vec![("group_by", by.name()), ("group", row.group.as_str())];
    let mut shown = vec![("by", by.name()), ("days", days.as_deref().unwrap_or("all"))];
    for (name, value) in [
        ("workflow_id", &filter.workflow_id),
        ("signal_type", &filter.signal_type),
        ("action_type", &filter.action_type),
        ("model", &filter.model),
    ] {
        narrow.extend(value.as_deref().map(|value| (name, value)));
        shown.extend(value.as_deref().map(|value| (name, value)));
    }
    narrow.extend(days.as_deref().map(|days| ("days", days)));
    let this = format!("/api/v1/effectiveness?{}", urlencoded::query(narrow));
    let page = format!("/effectiveness?{}", urlencoded::query(shown));
    Linked::new(row, this, page)
}

/// There are as many groups as playbooks or models: they are counted all at once, and cut into pages here.
fn cut(by: GroupBy, mut rows: Vec<EffectivenessRow>, page: &Page) -> (Vec<EffectivenessRow>, Option<String>) {
    let limit = page.limit as usize;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more);
    let cursor = last.map(|row| hex::encode(format!("{}\n{}", by.name(), row.group)));
    (rows, cursor)
}

/// The group that a cursor goes on from.
fn after(by: GroupBy, cursor: &str) -> Option<String> {
    let text = String::from_utf8(hex::decode(cursor).ok()?).ok()?;
    let (of, group) = text.split_once('\n')?;
    (of == by.name()).then(|| group.to_owned())
}
