//! What a version would have said to the decisions of the past: looked at before it is put in force. It changes nothing, so it is
//! a link and no form.

use crate::components::{Ago, Empty, Notice, Section, State, TableBox, Tone};
use domain::{
    policy::simulate::{Difference, Effect, Simulation},
    services::LOOK_BACK_DAYS,
    time::Timestamp,
};
use leptos::prelude::*;

/// Differences that a page shows.
const MOST: usize = 200;

/// The way to try it, and what was found.
#[component]
pub fn Simulator(version: u32, found: Option<Simulation>, now: Timestamp) -> impl IntoView {
    let word =
        if found.is_some() { "Try it again".to_owned() } else { format!("Try it on the last {LOOK_BACK_DAYS} days") };
    let href = format!("{}/{version}?simulate=1#simulator", super::PATH);
    view! {
        <Section title="Simulator" id="simulator">
            <p class="sub">"Judges what was decided and what expired once more, by this version and by what was known then. It changes nothing."</p>
            {found.map(|found| view! { <Found found now /> })}
            <p class="actions"><a class="btn" href=href>{word}</a></p>
        </Section>
    }
    .into_any()
}

#[component]
fn Found(found: Simulation, now: Timestamp) -> impl IntoView {
    let Simulation { days, judged, cut, .. } = found;
    if judged == 0 {
        return view! {
            <Empty title="Nothing to try it on">
                <p>{format!("Nothing was decided and nothing expired in the last {days} days.")}</p>
            </Empty>
        }
        .into_any();
    }
    let counted = counted(&found);
    let differences = found.differences;
    let hidden = differences.len().saturating_sub(MOST);
    let tone = if differences.is_empty() { Tone::Ok } else { Tone::Wait };
    view! {
        <div role="status"><Notice tone><p>{counted}</p></Notice></div>
        {cut.then(|| view! { <p class="sub">{format!("There were more in the last {days} days; these are the newest {judged}.")}</p> })}
        {(!differences.is_empty()).then(|| view! {
            <TableBox label="Decisions that would have been others">
                <table class="grid policy-differences">
                    <caption class="vh">"Decisions that would have been others, newest first"</caption>
                    <thead><tr>
                        <th scope="col">"What"</th><th scope="col">"What was"</th><th scope="col">"What would have been"</th>
                    </tr></thead>
                    <tbody>
                        {differences.into_iter().take(MOST).map(|one| view! { <Row one now /> }).collect_view()}
                    </tbody>
                </table>
            </TableBox>
        })}
        {(hidden > 0).then(|| view! { <p class="sub">{format!("{hidden} older ones are left out here; programs get all of them.")}</p> })}
    }
    .into_any()
}

/// How many would have been otherwise, and in which way.
fn counted(found: &Simulation) -> String {
    let ways = [
        (Effect::Stricter, "would not have run then"),
        (Effect::Looser, "would have run with less"),
        (Effect::Automatic, "would have run without anybody"),
    ];
    let ways: Vec<String> = ways
        .into_iter()
        .map(|(effect, words)| (found.count(effect), words))
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    let judged = found.judged;
    if ways.is_empty() {
        return format!("Of {judged} in the last {} days, none would have been otherwise.", found.days);
    }
    format!("Of {judged} in the last {} days, {}.", found.days, ways.join(", "))
}

#[component]
fn Row(one: Difference, now: Timestamp) -> impl IntoView {
    let Difference { id, headline, came_at, effect, was, would, why } = one;
    let href = format!("/recommendations/{id}");
    view! {
        <tr>
            <th scope="row"><a href=href>{headline}</a><p class="sub"><Ago at=came_at now /></p></th>
            <td>{was}</td>
            <td><State of=effect />" "{would}<p class="sub">{why}</p></td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::RecommendationId;

    #[test]
    fn what_would_have_been_is_counted_by_its_way() {
        let one = |effect| Difference {
            id: RecommendationId::new("r"),
            headline: "h".into(),
            came_at: Timestamp::from_millis(0),
            effect,
            was: "approved".into(),
            would: "still waiting".into(),
            why: "rule".into(),
        };
        let mut found = Simulation { version: 2, days: 90, judged: 7, cut: false, differences: Vec::new() };
        assert_eq!(counted(&found), "Of 7 in the last 90 days, none would have been otherwise.");
        found.differences = vec![one(Effect::Stricter), one(Effect::Automatic), one(Effect::Stricter)];
        assert_eq!(
            counted(&found),
            "Of 7 in the last 90 days, 2 would not have run then, 1 would have run without anybody."
        );
    }
}
