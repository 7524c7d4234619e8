//! All numbers of all groups. No data is a dash with a word, never zero.

use super::{Asked, Measure, PATH, group_word, phases::measured};
use crate::{
    components::{Section, TableBox},
    pages::playbook::encode,
    words::percent,
};
use domain::{
    effectiveness::{EffectivenessRow, GroupBy, Percentiles, Recurrence, ReturnRate},
    playbook::PlaybookId,
    time::human,
};
use leptos::prelude::*;

#[component]
pub fn Table(
    rows: Vec<EffectivenessRow>,
    /// Runs in all, also of those in no row.
    all: i64,
    asked: Asked,
) -> impl IntoView {
    let by = asked.by;
    let of = asked.clone();
    let csv = move |table: &str| of.csv(table);
    let phases = measured(rows.iter());
    let back = rows.iter().any(|row| row.recurrence_rate.is_some());
    let elsewhere = all - rows.iter().map(|row| row.runs).sum::<i64>();
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
                        {back.then(|| view! { <th scope="col">"Came back in an hour / day / week"</th> })}
                        {phases.iter().map(|phase| view! { <th scope="col">{format!("To {phase}: median / 90 %")}</th> }).collect_view()}
                    </tr></thead>
                    <tbody>{rows.into_iter().map(|row| view! { <Row row asked=asked.clone() back phases=phases.clone() /> }).collect_view()}</tbody>
                </table>
            </TableBox>
            {(elsewhere > 0).then(|| view! { <p class="sub">{apart(by, elsewhere)}</p> })}
            <p class="sub">
                "As CSV: "<a href=csv("groups") download="effectiveness.csv">"these numbers"</a>", "<a href=csv("weeks") download="weeks.csv">"week by week"</a>", "
                <a href=csv("phases") download="phases.csv">"phases"</a>"."
            </p>
        </Section>
    }
    .into_any()
}

/// Why the lines are fewer than all.
fn apart(by: GroupBy, runs: i64) -> String {
    let (count, are, they) = if runs == 1 {
        ("1 run".to_owned(), "is", "it belongs")
    } else {
        (format!("{runs} runs"), "are", "they belong")
    };
    match by {
        GroupBy::Model | GroupBy::PromptVersion => {
            format!("{count} that no model recommended {are} counted above as well.")
        }
        _ => format!("{count} of several steps {are} counted above as well: {they} to no playbook."),
    }
}

#[component]
fn Row(row: EffectivenessRow, asked: Asked, back: bool, phases: Vec<String>) -> impl IntoView {
    let (href, title) = leads_to(&row.group, &asked).unzip();
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
            {back.then(|| view! { <td>{returned(&row)}</td> })}
            {phases.iter().map(|phase| view! { <td>{took(row.recovery_ms.get(phase))}</td> }).collect_view()}
        </tr>
    }
    .into_any()
}

/// How often the signal came back, of those that were watched for so long.
fn returned(row: &EffectivenessRow) -> AnyView {
    let Recurrence { hour, day, week } = row.recurrence;
    if day.rate.or(hour.rate).is_none() {
        return view! { <span class="sub">"– not measured"</span> }.into_any();
    }
    let one =
        |of: ReturnRate| of.rate.map_or_else(|| "–".to_owned(), |rate| format!("{} of {}", percent(rate), of.watched));
    format!("{} / {} / {}", one(hour), one(day), one(week)).into_any()
}

/// What there is to see of a group, and what one finds there.
fn leads_to(group: &str, asked: &Asked) -> Option<(String, &'static str)> {
    // A step list counts under its action, which no playbook is called after.
    let playbook = |id: &str| id.parse::<PlaybookId>().ok();
    match asked.by {
        GroupBy::Playbook => Some((format!("/catalog/{}", playbook(group)?), "The playbook")),
        GroupBy::Version => {
            let (id, version) = group.split_once('@')?;
            Some((format!("/catalog/{}?version={}", playbook(id)?, encode(version)), "This version"))
        }
        GroupBy::SignalType => {
            let query = asked.kept().with("signal_type", Some(group));
            Some((format!("{PATH}{query}"), "What was done about it"))
        }
        GroupBy::ActionType => {
            let query = asked.kept().with("action_type", Some(group).filter(|group| !group.is_empty()));
            Some((format!("{PATH}{query}"), "What did this, by playbook"))
        }
        GroupBy::Model => {
            let query = asked.kept().with("model", Some(group));
            Some((format!("{PATH}{query}"), "What it recommended, by playbook"))
        }
        GroupBy::PromptVersion => {
            let query = asked.kept().with("model", group.rsplit_once('@').map(|(model, _)| model));
            Some((format!("{PATH}{query}"), "What this model recommended, by playbook"))
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Query;

    #[test]
    fn a_group_leads_to_what_there_is_of_it_and_the_time_stays_chosen() {
        let leads = |query: &str, group| leads_to(group, &Asked::of(&Query::parse(query))).map(|(href, _)| href);
        assert_eq!(leads("", "node-drain").as_deref(), Some("/catalog/node-drain"));
        assert_eq!(leads("", "scale_down_replicas"), None, "the action of a step list");
        let version = leads("by=version", "node-drain@1.0.0+b1");
        assert_eq!(version.as_deref(), Some("/catalog/node-drain?version=1.0.0%2Bb1"));
        let signal = leads("by=signal_type&days=7&measure=went_through", "OOMKilled");
        assert_eq!(signal.as_deref(), Some("/effectiveness?days=7&measure=went_through&signal_type=OOMKilled"));
        assert_eq!(leads("by=model", "a-model").as_deref(), Some("/effectiveness?model=a-model"));
        assert_eq!(leads("by=prompt_version", "a-model@7").as_deref(), Some("/effectiveness?model=a-model"));
        assert_eq!(leads("by=action_type", "drain").as_deref(), Some("/effectiveness?action_type=drain"));
    }
}
