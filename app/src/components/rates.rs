//! How often, with how sure that is and out of how many; and the same week by week. No data is a sentence, never 0 %.

use super::{
    chart::{Measure, Spark},
    time::day,
};
use crate::words::percent;
use domain::{
    effectiveness::{EffectivenessRow, Week},
    stats::Interval,
};
use leptos::prelude::*;

/// An interval in words: `79–97 %`.
pub fn interval(of: Interval) -> String {
    format!("{:.0}–{}", of.low * 100.0, percent(of.high))
}

/// A rate with its interval, its count and its trend.
#[component]
fn One(
    name: &'static str,
    measure: Measure,
    /// Of how many, in words: `of 412 runs`.
    of: String,
    /// What it says without data.
    without: &'static str,
    row: Option<EffectivenessRow>,
    weeks: Vec<Week>,
) -> impl IntoView {
    let measured = row.as_ref().and_then(|row| measure.share(row));
    view! {
        <div class="rate">
            <dt>{name}</dt>
            {match measured {
                Some(share) => view! {
                    <dd class="big">{percent(share.rate)}</dd>
                    <dd class="sub">{format!("{}, {of}", interval(share))}</dd>
                }
                .into_any(),
                None => view! { <dd class="sub none-yet">{without}</dd> }.into_any(),
            }}
            <dd class="trend"><Spark weeks measure /></dd>
        </div>
    }
    .into_any()
}

/// Success and help of all runs, each with its trend, and the trend as a table.
#[component]
pub fn Rates(row: Option<EffectivenessRow>, weeks: Vec<Week>) -> impl IntoView {
    let (runs, assessed) = row.as_ref().map_or((0, 0), |r| (r.runs, r.assessed()));
    let (succeeded, effective) = row.as_ref().map_or((0, 0), |r| (r.succeeded, r.effective));
    let noun = if runs == 1 { "run" } else { "runs" };
    view! {
        <dl class="rates">
            <One name="Went through" measure=Measure::WentThrough of=format!("{succeeded} of {runs} {noun}")
                without="No run has ended in this time." row=row.clone() weeks=weeks.clone() />
            <One name="Helped" measure=Measure::Helped of=format!("{effective} of {assessed} assessed")
                without="Nothing has been assessed in this time." row weeks=weeks.clone() />
        </dl>
        <details class="sub">
            <summary>"Week by week in numbers"</summary>
            <div class="table-box" role="region" aria-label="Week by week in numbers" tabindex="0">
                <table class="grid">
                    <caption class="vh">"Runs, success and help by week, newest first"</caption>
                    <thead><tr>
                        <th scope="col">"Week from"</th><th scope="col" class="num">"Runs"</th>
                        <th scope="col">"Went through"</th><th scope="col">"Helped"</th>
                    </tr></thead>
                    <tbody>{weeks.into_iter().rev().map(|week| view! {
                        <tr>
                            <th scope="row" class="nowrap">{day(week.from)}</th><td class="num">{week.row.runs}</td>
                            <td>{cell(week.row.success(), "no run")}</td>
                            <td>{cell(week.row.help(), "none assessed")}</td>
                        </tr>
                    }).collect_view()}</tbody>
                </table>
            </div>
        </details>
    }
    .into_any()
}

fn cell(of: Option<Interval>, without: &'static str) -> String {
    of.map_or_else(|| format!("– {without}"), |share| format!("{} ({})", percent(share.rate), interval(share)))
}
