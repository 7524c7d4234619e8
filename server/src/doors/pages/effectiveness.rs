//! The tables of the effectiveness page as CSV: the same numbers, for what the address asks for.

use super::{Parts, invalid, who};
use crate::doors::{
    access::{Access, Routes},
    export::harmless,
    gate::Gate,
    problem::Problem,
};
use app::{
    pages::effectiveness::{Asked, verdict_word},
    query::Query,
};
use axum::{
    extract::{RawQuery, State},
    http::{Method, header},
    response::{IntoResponse as _, Response},
};
use domain::{
    effectiveness::{EffectivenessRow, ReturnRate},
    identity::Right,
    services::{Answer, EffectivenessReport, EffectivenessService as _, ServiceError},
    stats::Interval,
};

pub fn routes(routes: Routes) -> Routes {
    routes.add(Method::GET, "/effectiveness/csv", Access::Needs(Right::RunsRead), table)
}

async fn table(State(gate): State<Gate>, RawQuery(query): RawQuery, parts: Parts) -> Response {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    match written(&gate, &parts, &query).await {
        Ok(text) => ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

async fn written(gate: &Gate, parts: &Parts, query: &Query) -> Answer<Vec<u8>> {
    let caller = who(parts)?;
    let asked = Asked::of(query);
    let report = gate.services.report(&caller, asked.by, &asked.filter).await?;
    let lines = match query.get("table").unwrap_or("groups") {
        "groups" => groups(&report),
        "weeks" => weeks(&report),
        "phases" => phases(&report),
        "calibration" => calibration(&report),
        "versions" => versions(&report),
        _ => {
            return Err(invalid("/table", "not_allowed", "choose groups, weeks, phases, calibration or versions"));
        }
    };
    let mut table = csv::Writer::from_writer(Vec::new());
    for line in lines {
        // A negative number is no formula.
        let cells = line.iter().map(|cell| if cell.parse::<f64>().is_ok() { cell.clone() } else { harmless(cell) });
        table.write_record(cells).map_err(|error| ServiceError::Internal(error.to_string()))?;
    }
    table.into_inner().map_err(|error| ServiceError::Internal(error.to_string()))
}

type Lines = Vec<Vec<String>>;

fn head(columns: &[&str]) -> Vec<String> {
    columns.iter().map(ToString::to_string).collect()
}

/// No data is an empty cell, never zero.
fn number(value: Option<f64>) -> String {
    value.map(|value| format!("{value:.4}")).unwrap_or_default()
}

fn interval(value: Option<Interval>) -> [String; 3] {
    [value.map(|of| of.rate), value.map(|of| of.low), value.map(|of| of.high)].map(number)
}

fn row(first: String, row: &EffectivenessRow) -> Vec<String> {
    let mut cells = vec![first, row.runs.to_string(), row.succeeded.to_string()];
    cells.extend(interval(row.success()));
    cells.extend([row.effective, row.ineffective, row.inconclusive, row.not_assessed].map(|n| n.to_string()));
    cells.extend(interval(row.help()));
    cells.push(number(row.said));
    let returned = |of: ReturnRate| [of.watched.to_string(), of.came_back.to_string()];
    cells.extend([row.recurrence.hour, row.recurrence.day, row.recurrence.week].into_iter().flat_map(returned));
    cells
}

fn columns(first: &str) -> Vec<String> {
    head(&[
        first,
        "runs",
        "succeeded",
        "success_rate",
        "success_low",
        "success_high",
        "effective",
        "ineffective",
        "inconclusive",
        "not_assessed",
        "effective_rate",
        "effective_low",
        "effective_high",
        "said",
        "watched_hour",
        "came_back_hour",
        "watched_day",
        "came_back_day",
        "watched_week",
        "came_back_week",
    ])
}

fn groups(report: &EffectivenessReport) -> Lines {
    let rows = report.rows.iter().chain(&report.total).map(|one| row(one.group.clone(), one));
    std::iter::once(columns("group")).chain(rows).collect()
}

fn weeks(report: &EffectivenessReport) -> Lines {
    let rows = report.weeks.iter().map(|week| row(week.from.to_string(), &week.row));
    std::iter::once(columns("week_from")).chain(rows).collect()
}

fn phases(report: &EffectivenessReport) -> Lines {
    let rows = report.rows.iter().chain(&report.total).flat_map(|one| {
        let of = |(phase, took): (&String, &domain::effectiveness::Percentiles)| {
            vec![one.group.clone(), phase.clone(), took.p50.to_string(), took.p90.to_string()]
        };
        one.recovery_ms.iter().map(of).collect::<Vec<_>>()
    });
    std::iter::once(head(&["group", "phase", "median_ms", "p90_ms"])).chain(rows).collect()
}

fn calibration(report: &EffectivenessReport) -> Lines {
    let rows = report.calibration.iter().flat_map(|model| {
        let of = |bin: &domain::effectiveness::calibration::CalibrationBin| {
            let mut cells = vec![model.model.clone(), format!("{:.1}", bin.from), format!("{:.1}", bin.to)];
            cells.extend([bin.runs.to_string(), bin.helped.to_string(), number(Some(bin.said))]);
            cells.extend(interval(Some(bin.measured)));
            cells.extend([model.runs.to_string(), number(Some(model.brier))]);
            cells
        };
        model.bins.iter().map(of).collect::<Vec<_>>()
    });
    let columns =
        ["model", "said_from", "said_to", "runs", "helped", "said", "rate", "low", "high", "all_runs", "brier"];
    std::iter::once(head(&columns)).chain(rows).collect()
}

fn versions(report: &EffectivenessReport) -> Lines {
    let rows = report.versions.iter().map(|pair| {
        let by = pair.helped;
        vec![
            pair.newer.clone(),
            pair.newer_assessed.to_string(),
            pair.older.clone(),
            pair.older_assessed.to_string(),
            number(by.map(|by| by.difference)),
            number(by.map(|by| by.low)),
            number(by.map(|by| by.high)),
            verdict_word(pair.verdict).to_owned(),
        ]
    });
    let columns = ["newer", "newer_assessed", "older", "older_assessed", "difference", "low", "high", "verdict"];
    std::iter::once(head(&columns)).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::effectiveness::Counts;

    #[test]
    fn no_data_is_an_empty_cell_and_every_line_has_its_columns() {
        let total = EffectivenessRow::new("all", &Counts::default());
        let report = EffectivenessReport {
            rows: vec![],
            total: Some(total),
            weeks: vec![],
            calibration: vec![],
            versions: vec![],
        };
        let lines = groups(&report);
        assert_eq!(lines[0].len(), lines[1].len());
        let cell = |name: &str| lines[1][lines[0].iter().position(|column| column == name).unwrap()].as_str();
        assert_eq!((cell("group"), cell("runs"), cell("success_rate"), cell("said")), ("all", "0", "", ""));
        assert_eq!((weeks(&report).len(), calibration(&report).len(), versions(&report).len()), (1, 1, 1));
    }
}
