//! All numbers of all groups. No data is a dash with a word, never zero.

use super::{Measure, PATH, group_word, phases::measured};
use crate::{
    components::{Section, TableBox},
    query::Query,
    words::percent,
};
use domain::{
    effectiveness::{EffectivenessRow, GroupBy, Percentiles},
    time::human,
};
use leptos::prelude::*;

#[component]
pub fn Table(rows: Vec<EffectivenessRow>, by: GroupBy) -> impl IntoView {
    let phases = measured(rows.iter());
    view! {
        <Section title="The same in numbers">
            <TableBox label="Effectiveness in numbers">
                <table class="grid effectiveness">
                    <caption class="vh">{format!("Effectiveness by {}", group_word(by).to_lowercase())}</caption>
                    <thead><tr>
                        <th scope="col">{group_word(by)}</th>
                        <th scope="col" class="num">"Runs"</th>
                        <th scope="col">"Helped, 95 %"</th>
                        <th scope="col">"Went through, 95 %"</th>
                        <th scope="col">"Models said"</th>
                        <th scope="col" class="num">"Can't tell"</th><th scope="col" class="num">"Not assessed"</th>
                        <th scope="col">"Came back in a day"</th>
                        {phases.iter().map(|phase| view! { <th scope="col">{format!("To {phase}: median / 90 %")}</th> }).collect_view()}
                    </tr></thead>
                    <tbody>{rows.into_iter().map(|row| view! { <Row row by phases=phases.clone() /> }).collect_view()}</tbody>
                </table>
            </TableBox>
        </Section>
    }
    .into_any()
}

#[component]
fn Row(row: EffectivenessRow, by: GroupBy, phases: Vec<String>) -> impl IntoView {
    let query = |name, value: &str| Query::default().with(name, Some(value));
    let (href, title) = match by {
        GroupBy::Playbook => (Some(format!("/runs{}", query("workflow_id", &row.group))), "Its runs"),
        GroupBy::SignalType => (Some(format!("{PATH}{}", query("signal_type", &row.group))), "What was done about it"),
        _ => (None, ""),
    };
    let name = if row.group.is_empty() { "not named".to_owned() } else { row.group.clone() };
    view! {
        <tr>
            <th scope="row">{match href {
                Some(href) => view! { <a href=href title=title><code>{name}</code></a> }.into_any(),
                None => view! { <code>{name}</code> }.into_any(),
            }}</th>
            <td class="num">{row.runs}</td>
            <td>{numbers(Measure::Helped, &row, "nobody has looked")}</td>
            <td>{numbers(Measure::WentThrough, &row, "no runs")}</td>
            <td>{share(row.said, "said nothing")}</td>
            <td class="num">{row.inconclusive}</td><td class="num">{row.not_assessed}</td>
            <td>{share(row.recurrence_rate, "not measured")}</td>
            {phases.iter().map(|phase| view! { <td>{took(row.recovery_ms.get(phase))}</td> }).collect_view()}
        </tr>
    }
    .into_any()
}

fn numbers(measure: Measure, row: &EffectivenessRow, without: &'static str) -> AnyView {
    match measure.in_numbers(row) {
        Some(numbers) => numbers.into_any(),
        None => view! { <span class="sub">"– "{without}</span> }.into_any(),
    }
}

/// A share, or that there is none.
fn share(value: Option<f64>, without: &'static str) -> AnyView {
    match value {
        Some(share) => percent(share).into_any(),
        None => view! { <span class="sub">"– "{without}</span> }.into_any(),
    }
}

fn took(percentiles: Option<&Percentiles>) -> AnyView {
    match percentiles {
        Some(Percentiles { p50, p90 }) => view! { {human(*p50)}<span class="sub">" / "{human(*p90)}</span> }.into_any(),
        None => view! { <span class="sub">"– not measured"</span> }.into_any(),
    }
}
