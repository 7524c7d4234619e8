//! `/api/v1/events`: the one event stream of a browser. A snapshot first, then every change in order; `Last-Event-ID`, or
//! `after` where no header can be set, resumes without a gap.

use super::{query::Query, wire::StreamEvent};
use crate::doors::{
    access::{Access, Routes, Who},
    gate::Gate,
    problem::Problem,
};
use axum::{
    extract::State,
    http::{HeaderMap, Method, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::{identity::Right, services::ShellService};
use futures::{StreamExt as _, stream};
use serde_json::json;
use std::{convert::Infallible, time::Duration};

/// The stream's address.
pub const PATH: &str = "/api/v1/events";

pub fn routes(routes: Routes) -> Routes {
    routes.add(Method::GET, PATH, Access::Needs(Right::RunsRead), events)
}

/// How often a stream on which nothing happens gives a sign of life.
const ALIVE: Duration = Duration::from_secs(15);
/// How long a browser waits before it connects again.
const RETRY: Duration = Duration::from_secs(1);

/// Live events: `snapshot`, then deltas. `after` resumes like `Last-Event-ID`, which goes before it; with `alive=true` the signs
/// of life are events, too, named `alive` and without an id, so that a page can tell a quiet stream from a dead one.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    params(("Last-Event-ID" = Option<i64>, Header), ("after" = Option<i64>, Query), ("alive" = Option<bool>, Query)),
    responses((status = 200, body = StreamEvent, content_type = "text/event-stream")))]
pub async fn events(
    State(gate): State<Gate>,
    Who(caller): Who,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let after = query.parsed("after", "the id of an event", |t| t.parse::<i64>().ok().filter(|id| *id >= 0));
    let alive = query.parsed("alive", "true or false", |t| t.parse::<bool>().ok()).unwrap_or(false);
    query.finish()?;
    let unavailable = |error: domain::ports::StoreError| {
        tracing::error!(%error, "an event stream can't begin");
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the database is not available; try again in a moment",
        )
        .retry_after(2)
    };
    let latest = gate.live.latest().await.map_err(unavailable)?;
    let oldest = gate.live.oldest().await.map_err(unavailable)?;
    let resumed = headers
        .get("last-event-id")
        .and_then(|v| v.to_str().ok()?.parse::<i64>().ok())
        .or(after)
        .filter(|id| *id <= latest && *id + 1 >= oldest);
    let shell = gate.services.shell(&caller).await?;
    let snapshot = json!({
        "last_event_id": resumed.unwrap_or(latest),
        "resumed": resumed.is_some(),
        "waiting": shell.waiting,
        "cluster": shell.cluster,
        "now": shell.now,
    });
    let begin = resumed.unwrap_or(latest);
    let first = Event::default().event("snapshot").id(begin.to_string()).retry(RETRY).data(snapshot.to_string());
    let reader = gate.live.reader(begin);
    let rest = stream::unfold(reader, |mut reader| async move {
        let told = reader.next().await;
        Some((told.wire(), reader))
    });
    let all = stream::once(async { first }).chain(rest).map(Ok::<_, Infallible>);
    let all = all.take_until(gate.stop.clone().cancelled_owned());
    let mut signs = KeepAlive::new().interval(ALIVE);
    if alive {
        signs = signs.event(Event::default().event("alive").data("{}"));
    }
    Ok(Sse::new(all).keep_alive(signs).into_response())
}
