//! What a large picture needs: a search for a task, its size, folding, and a map of the whole. Each is a link or a form; the
//! map alone needs the browser's help and is not there without it.

use super::{
    super::selection::{Selection, found},
    Zoom,
};
use crate::{
    components::{Mark, Tone},
    icon::{Glyph, Icon},
};
use domain::{
    execution::{Task, TaskState},
    layout::NodeBox,
};
use leptos::prelude::*;
use std::fmt::Write as _;

/// Matches that are named; the others are counted.
const NAMED: usize = 12;

/// The tools.
#[component]
pub fn Tools(tasks: Vec<Task>, selection: Selection, folded: bool, too_many: bool) -> impl IntoView {
    let (smaller, larger) = selection.view.zoom.steps();
    let zoom = |zoom: Zoom| selection.with_view(|view| view.zoom = zoom);
    let percent = selection.view.zoom.percent();
    let shown = if selection.view.zoom == Zoom::Fit { "Fit".to_owned() } else { format!("{percent} %") };
    let unfold = folded.then(|| (selection.with_view(|view| view.unfold.all = true), "Unfold all"));
    let fold = selection
        .view
        .unfold
        .any()
        .then(|| (selection.with_view(|view| view.unfold = super::view::Unfold::default()), "Fold"));
    let fits = (selection.view.zoom == Zoom::Fit).then_some("true");
    view! {
        <div class="dag-tools" id="dag-tools">
            <Seek tasks selection=selection.clone() />
            <ul class="sizes" aria-label="Size of the picture">
                <li><a href=zoom(smaller) data-zoom="-" aria-label="Smaller">"−"</a></li>
                <li><a href=zoom(Zoom::Natural) data-zoom="100" class="now" title="Back to 100 %">{shown}</a></li>
                <li><a href=zoom(larger) data-zoom="+" aria-label="Larger">"+"</a></li>
                <li><a href=zoom(Zoom::Fit) data-zoom="fit" aria-current=fits>"Fit"</a></li>
                {fold.into_iter().chain(unfold).map(|(href, word)| view! { <li><a href=href>{word}</a></li> }).collect_view()}
            </ul>
            {too_many.then(|| view! { <p class="sub">"Too many tasks to draw each: unfold layer by layer, or search."</p> })}
        </div>
    }
    .into_any()
}

/// The search: it marks what it finds and, where that is folded, lists it.
#[component]
fn Seek(tasks: Vec<Task>, selection: Selection) -> impl IntoView {
    let seek = selection.view.seek.clone();
    let hits: Vec<String> = match &seek {
        Some(seek) => tasks.iter().filter(|task| found(&task.name, seek)).map(|task| task.name.clone()).collect(),
        None => Vec::new(),
    };
    let mut bare = selection.clone();
    (bare.view.seek, bare.task) = (None, None);
    let action = format!("/runs/{}", bare.run);
    let clear = selection.with_view(|view| view.seek = None);
    let count = hits.len();
    let told = seek.as_ref().map(|_| match count {
        0 => "No task is called so".to_owned(),
        1 => "1 task".to_owned(),
        n => format!("{n} tasks"),
    });
    view! {
        <form class="dag-seek" method="get" action=action role="search" aria-label="Among the tasks">
            {bare.query().pairs().map(|(name, value)| view! { <input type="hidden" name=name.to_owned() value=value.to_owned() /> }).collect_view()}
            <div class="find">
                <Glyph of=Icon::Find />
                <input type="search" name="seek" value=seek.clone().unwrap_or_default() aria-label="Find a task" placeholder="Find a task" autocomplete="off" maxlength="64" />
            </div>
            {told.map(|told| view! { <span class="hits" role="status">{told}</span><a href=clear>"Clear"</a> })}
        </form>
        {(count > 1).then(|| view! {
            <ul class="matches" aria-label="Tasks that were found">
                {hits.into_iter().take(NAMED).map(|name| {
                    let href = selection.of_task(&name);
                    let current = (selection.task.as_ref() == Some(&name)).then_some("true");
                    view! { <li><a href=href aria-current=current>{name}</a></li> }
                }).collect_view()}
                {(count > NAMED).then(|| view! { <li class="sub">{format!("and {} more", count - NAMED)}</li> })}
            </ul>
        })}
    }
    .into_any()
}

/// The whole picture in small: boxes by the colours of their states, one shape for each. Where one is in it is the island's.
#[component]
pub fn Map(marks: Vec<(TaskState, NodeBox)>, view_box: String) -> impl IntoView {
    let tones = [Tone::Idle, Tone::Ok, Tone::Run, Tone::Wait, Tone::Bad];
    let shapes = tones.map(|tone| {
        let mut d = String::new();
        for (_, b) in marks.iter().filter(|(state, _)| Mark::from(*state).tone == tone) {
            let _ = write!(d, "M{:.0} {:.0}h{:.0}v{:.0}h-{:.0}z", b.x, b.y, b.width, b.height, b.width);
        }
        (!d.is_empty()).then(|| view! { <path class=tone.class() d=d /> })
    });
    view! {
        <div class="dag-map" aria-hidden="true">
            <svg viewBox=view_box.clone() preserveAspectRatio="none">{shapes}</svg>
            <svg class="seen" data-own="seen" viewBox=view_box preserveAspectRatio="none"><rect rx="6" /></svg>
        </div>
    }
    .into_any()
}
