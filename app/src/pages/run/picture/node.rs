//! A box of the picture: a task, or tasks that stand alike.

use super::{
    super::{
        selection::{Selection, found},
        times::{open_span, standing},
    },
    Item,
};
use crate::{components::Mark, icon::Glyph, words::shorten};
use domain::{
    execution::Task,
    layout::NodeBox,
    time::{Timestamp, human},
};
use leptos::prelude::*;

/// Characters of a name that fit into a box.
const NAME: usize = 19;

/// A box: of one task a link that selects it, of several a link that unfolds them.
#[component]
pub fn Node(
    item: Item,
    /// Its tasks.
    tasks: Vec<Task>,
    place: NodeBox,
    critical: bool,
    selection: Selection,
    now: Timestamp,
) -> impl IntoView {
    let selected = tasks.iter().any(|task| selection.is(task));
    if item.is_folded() {
        return view! { <Many item tasks place critical selected selection /> }.into_any();
    }
    let Some(task) = tasks.into_iter().next() else { return ().into_any() };
    let mark = Mark::from(task.state);
    let words = standing(&task, now);
    let retries = task.attempts.len().saturating_sub(1);
    let label = [
        Some(task.name.clone()),
        Some(words.clone()),
        (retries > 0).then(|| format!("attempt {}", retries + 1)),
        task.finally.then(|| "runs after all".to_owned()),
        critical.then(|| "on the critical path".to_owned()),
    ];
    let label = label.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let open = open_span(&task);
    // How long the attempts took stands in the timeline: the box has room for one of the two.
    let words = if retries > 0 && task.state.ended() { mark.word.to_lowercase() } else { words };
    let suffix = match (retries, task.finally) {
        (0, false) => String::new(),
        (0, true) => " · after all".to_owned(),
        (n, _) => format!(" · attempt {}", n + 1),
    };
    let short = shorten(&task.name, NAME);
    let whole = (short != task.name).then(|| task.name.clone());
    let hit = selection.view.seek.as_deref().is_some_and(|seek| found(&task.name, seek));
    let href = selection.of_task(&task.name);
    view! {
        <a class=format!("node {}", task.state.name()) class:sel=selected class:crit=critical class:hit=hit href=href aria-label=label
            aria-current=selected.then_some("true") data-i=item.tasks[0].to_string() data-name=task.name.clone()>
            {whole.map(|name| view! { <title>{name}</title> })}
            <g transform=format!("translate({} {})", place.x, place.y)>
                <rect width=place.width.to_string() height=place.height.to_string() rx="8" />
                <g class=format!("state {}", mark.tone.class()) transform="translate(14 18)"><Glyph of=mark.icon /></g>
                <text x="40" y="22">{short}</text>
                <text class="d" x="40" y="39">
                    {words}
                    {open.map(|span| view! {
                        " "<tspan data-elapsed=span.from.as_millis().to_string()>{human(now.since(span.from) / 1000 * 1000)}</tspan>
                    })}
                    {suffix}
                </text>
            </g>
        </a>
    }
    .into_any()
}

/// What several tasks are called: `312 succeeded`.
fn called(tasks: &[Task]) -> String {
    let word = tasks.first().map(|task| Mark::from(task.state).word.to_lowercase()).unwrap_or_default();
    format!("{} {word}", tasks.len())
}

/// Which they are: `check and 311 more`.
pub fn first_and_more(tasks: &[Task]) -> String {
    let first = tasks.first().map(|task| task.name.as_str()).unwrap_or_default();
    format!("{first} and {} more", tasks.len().saturating_sub(1))
}

/// Layers of a folded item, in words.
fn layers(item: &Item) -> String {
    match item.layers.1 - item.layers.0 + 1 {
        1 => "side by side".to_owned(),
        n => format!("in {n} layers"),
    }
}

#[component]
fn Many(
    item: Item,
    tasks: Vec<Task>,
    place: NodeBox,
    critical: bool,
    selected: bool,
    selection: Selection,
) -> impl IntoView {
    let name = called(&tasks);
    let Some(mark) = tasks.first().map(|task| Mark::from(task.state)) else { return ().into_any() };
    let inside = selected.then(|| selection.task.clone()).flatten();
    let label = [
        Some(format!("{name} tasks {}", layers(&item))),
        inside.as_ref().map(|name| format!("{name} among them is selected")),
        critical.then(|| "on the critical path".to_owned()),
        Some("unfold".to_owned()),
    ];
    let label = label.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let words = shorten(&inside.unwrap_or_else(|| first_and_more(&tasks)), NAME);
    let href = selection.with_view(|view| view.unfold = view.unfold.and(item.layers));
    let (width, height) = (place.width.to_string(), place.height.to_string());
    view! {
        <a class="node many" class:sel=selected class:crit=critical href=href aria-label=label data-i=item.tasks[0].to_string()>
            <g transform=format!("translate({} {})", place.x, place.y)>
                <rect class="under" x="5" y="5" width=width.clone() height=height.clone() rx="8" />
                <rect width=width height=height rx="8" />
                <g class=format!("state {}", mark.tone.class()) transform="translate(14 18)"><Glyph of=mark.icon /></g>
                <text x="40" y="22">{name}</text>
                <text class="d" x="40" y="39">{words}</text>
            </g>
        </a>
    }
    .into_any()
}
