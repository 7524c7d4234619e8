//! How often, with how sure that is and out of how many; and the same week by week. No data is a sentence, never 0 %.

use super::absolute;
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

/// Which rate of a row.
type Rate = fn(&EffectivenessRow) -> Option<Interval>;

/// A rate with its interval, its count and its trend.
#[component]
fn One(
    name: &'static str,
    rate: Rate,
    /// Of how many, in words: `of 412 runs`.
    of: String,
    /// What it says without data.
    without: &'static str,
    row: Option<EffectivenessRow>,
    weeks: Vec<Week>,
) -> impl IntoView {
    let measured = row.as_ref().and_then(rate);
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
            <dd class="trend"><Trend name rate weeks /></dd>
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
            <One name="Went through" rate=EffectivenessRow::success of=format!("{succeeded} of {runs} {noun}")
                without="No run has ended in this time." row=row.clone() weeks=weeks.clone() />
            <One name="Helped" rate=EffectivenessRow::help of=format!("{effective} of {assessed} assessed")
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
                            <th scope="row" class="nowrap">{day(&week)}</th><td class="num">{week.row.runs}</td>
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

fn day(week: &Week) -> String {
    absolute(week.from).chars().take(10).collect()
}

/// Measures of the picture, in its own units.
const SLOT: i32 = 20;
const HEIGHT: f64 = 40.0;
const EDGE: f64 = 4.0;

/// A dot in its interval for every week in which something was measured.
#[component]
fn Trend(name: &'static str, rate: Rate, weeks: Vec<Week>) -> impl IntoView {
    if weeks.iter().all(|week| rate(&week.row).is_none()) {
        return ().into_any();
    }
    let count = i32::try_from(weeks.len()).unwrap_or(0);
    let width = count * SLOT;
    let y = |share: f64| format!("{:.1}", EDGE + (1.0 - share.clamp(0.0, 1.0)) * (HEIGHT - 2.0 * EDGE));
    let label = format!("{name}, week by week for {count} weeks; the table below says the same");
    view! {
        <svg class="trend-chart" role="img" aria-label=label viewBox=format!("0 0 {width} {HEIGHT}")>
            <line class="ground" x1="0" x2=width.to_string() y1=y(1.0) y2=y(1.0) />
            <line class="ground" x1="0" x2=width.to_string() y1=y(0.0) y2=y(0.0) />
            {weeks.into_iter().zip(0..).filter_map(|(week, at): (Week, i32)| {
                let share = rate(&week.row)?;
                let x = (at * SLOT + SLOT / 2).to_string();
                let told = format!("Week from {}: {} ({})", day(&week), percent(share.rate), interval(share));
                Some(view! {
                    <g>
                        <title>{told}</title>
                        <line class="interval" x1=x.clone() x2=x.clone() y1=y(share.high) y2=y(share.low) />
                        <circle class="dot" cx=x cy=y(share.rate) r="3.5" />
                    </g>
                })
            }).collect_view()}
        </svg>
    }
    .into_any()
}
