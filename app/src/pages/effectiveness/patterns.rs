//! Patterns: what many runs show together, each with where to go on from it.

use super::DAYS;
use crate::{
    components::{Ago, Chip, Empty, Field, PageHead, Select, TableBox, Tone, target},
    page::{Ask, Page},
    query::Query,
    words::humane,
};
use domain::{
    assessment::pattern::{Pattern, PatternKind},
    playbook::PlaybookId,
    services::Answer,
    time::Timestamp,
};
use leptos::prelude::*;
use std::collections::BTreeSet;

const PATH: &str = "/effectiveness/patterns";
/// The most days that the address may ask for.
const MOST_DAYS: u32 = 3650;

/// Asks for the patterns of the time that the address names.
pub async fn page(ask: Ask) -> Answer<Page> {
    let days = days(&ask.query);
    let found = ask.console.effectiveness.patterns(&ask.caller, days).await?;
    Ok(Page::below("Patterns", patterns(found, days, ask.now)).following("execution"))
}

fn days(query: &Query) -> u32 {
    let said = query.get("days").and_then(|days| days.parse::<u32>().ok());
    said.filter(|days| (1..=MOST_DAYS).contains(days)).unwrap_or(DAYS[0])
}

/// The page.
pub fn patterns(found: Vec<Pattern>, days: u32, now: Timestamp) -> AnyView {
    let mut choices = DAYS.to_vec();
    choices.extend((!DAYS.contains(&days)).then_some(days));
    choices.sort_unstable();
    let spans: Vec<Select> =
        choices.into_iter().map(|n| Select { value: n.to_string(), word: format!("Last {n} days") }).collect();
    let clusters: BTreeSet<&str> = found.iter().map(|one| one.cluster.as_str()).collect();
    let several = clusters.len() > 1;
    view! {
        <PageHead title="Patterns" sub=|| "What many runs show together. Each also opens a finding.">
            <a class="btn" href="/effectiveness">"Does it help?"</a>
        </PageHead>
        <form class="filters" method="get" action=PATH autocomplete="off">
            <Field name="days" label="Time" value=days.to_string() choices=spans />
            <button class="btn" type="submit">"Show"</button>
        </form>
        {if found.is_empty() {
            view! {
                <Empty title="No pattern in this time">
                    <p>"No target was remediated again and again, no playbook stopped working, and no signal kept coming back after its runs."</p>
                </Empty>
            }
            .into_any()
        } else {
            view! {
                <TableBox label="Patterns">
                    <table class="grid">
                        <caption class="vh">"Patterns in what ran"</caption>
                        <thead><tr>
                            <th scope="col">"Pattern"</th><th scope="col">"Of"</th><th scope="col" class="num">"Runs"</th>
                            <th scope="col">"The newest ended"</th><th scope="col">"What was seen"</th><th scope="col">"Go on"</th>
                        </tr></thead>
                        <tbody>{found.into_iter().map(|one| view! { <Row one several now /> }).collect_view()}</tbody>
                    </table>
                </TableBox>
            }
            .into_any()
        }}
    }
    .into_any()
}

#[component]
fn Row(
    one: Pattern,
    /// Whether there are patterns of several clusters.
    several: bool,
    now: Timestamp,
) -> impl IntoView {
    let tone = match one.kind {
        PatternKind::StoppedWorking => Tone::Bad,
        PatternKind::Repeated | PatternKind::Flapping => Tone::Wait,
    };
    let name = one.resource.as_ref().map_or_else(|| one.subject.clone(), target);
    // By what its findings and runs are looked for.
    let sought = one.resource.as_ref().map_or_else(|| one.subject.clone(), |resource| resource.name.clone());
    let runs = match &one.workflow_id {
        Some(id) => Query::of(&[("workflow_id", id)]),
        None => Query::of(&[("q", &sought)]),
    };
    let (runs, newest) =
        (format!("/runs{runs}"), one.shown_by.first().map(|run| format!("/runs/{}", run.execution_id)));
    // A step list counts under its action, which no playbook is called after.
    let playbook = one.workflow_id.as_deref().and_then(|id| id.parse::<PlaybookId>().ok());
    let findings = format!("/findings{}", Query::of(&[("kind", one.kind.name()), ("state", "any"), ("q", &sought)]));
    view! {
        <tr>
            <td><Chip word=humane(one.kind.name()) tone /></td>
            <th scope="row">
                {match playbook {
                    Some(id) => view! { <a href=format!("/catalog/{id}")><code>{name}</code></a> }.into_any(),
                    None => name.into_any(),
                }}
                {several.then(|| view! { <span class="sub">" in "{one.cluster}</span> })}
            </th>
            <td class="num">{one.runs}</td>
            <td>
                {match newest {
                    Some(href) => view! { <a href=href><Ago at=one.last_at now /></a> }.into_any(),
                    None => view! { <Ago at=one.last_at now /> }.into_any(),
                }}
            </td>
            <td>{one.words}</td>
            <td><a href=runs>"Its runs"</a>", "<a href=findings>"its finding"</a></td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_in_the_address_asks_for_the_usual_time() {
        for (query, wanted) in
            [("", 90), ("days=7", 7), ("days=400", 400), ("days=0", 90), ("days=all", 90), ("days=9999", 90)]
        {
            assert_eq!(days(&Query::parse(query)), wanted, "{query}");
        }
    }
}
