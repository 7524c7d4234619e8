//! The picture of a run: every task from the first second, in the order in which they can run, the critical path marked. Each
//! box is a link that selects its task. In a large run tasks that stand alike are one box until somebody unfolds it.

mod node;
mod plan;
mod tools;
mod view;

pub use node::first_and_more;
pub use plan::{FOLD_OVER, Item, Plan, plan};
pub use view::{View, Zoom};

use self::{
    node::Node,
    tools::{Map, Tools},
};
use super::{selection::Selection, times::held};
use crate::{
    components::{Notice, Tone},
    islands::zoom::FAR,
};
use domain::{
    execution::Task,
    time::{Timestamp, human},
};
use leptos::prelude::*;
use std::collections::HashSet;

/// Room around the picture, so that outlines are not cut.
const EDGE: f64 = 8.0;
/// More steps of the critical path than this are told by their number.
const TOLD: usize = 5;
/// A picture of more boxes, or wider or higher than this, has tools and a map.
const LARGE: (usize, f64, f64) = (12, 1300.0, 640.0);

/// The picture.
#[component]
pub fn Picture(tasks: Vec<Task>, plan: Plan, selection: Selection, now: Timestamp) -> impl IntoView {
    let Plan { items, critical, drawing, too_many } = plan;
    let Some(drawing) = drawing else {
        return view! {
            <div class="dag"><Notice tone=Tone::Wait><p>"What runs after what can't be drawn: the order of the tasks is not consistent. The timeline has them all."</p></Notice></div>
        }
        .into_any();
    };
    let on_path: HashSet<usize> = critical.iter().copied().collect();
    // Its line is there from the first second, so that nothing below it moves when it can be told.
    let awaited = !drawing.edges.is_empty() && tasks.iter().any(|task| !task.state.ended());
    let words = path_words(&tasks, &critical, now).or_else(|| awaited.then(|| "not known yet".to_owned()));
    let count = tasks.len();
    let large = items.len() > LARGE.0 || drawing.width > LARGE.1 || drawing.height > LARGE.2 || count > FOLD_OVER;
    let (width, height) = (drawing.width + 2.0 * EDGE, drawing.height + 2.0 * EDGE);
    let view_box = format!("{} {} {width} {height}", -EDGE, -EDGE);
    let zoom = selection.view.zoom;
    let scale = f64::from(zoom.percent()) / 100.0;
    let (fit, far) = (zoom == Zoom::Fit, zoom.percent() < FAR);
    let size = |length: f64| if fit { None } else { Some(format!("{:.0}", length * scale)) };
    let divider = drawing.divider;
    let bottom = drawing.height;
    let tools = large.then(|| {
        let folded = items.iter().any(Item::is_folded);
        view! { <Tools tasks=tasks.clone() selection=selection.clone() folded too_many /> }
    });
    let map = large.then(|| {
        let marks =
            items.iter().zip(&drawing.boxes).map(|(item, place)| (tasks[item.tasks[0]].state, *place)).collect();
        view! { <Map marks view_box=view_box.clone() /> }
    });
    // Edges of the critical path last, so that no other crosses over them.
    let (critical, others): (Vec<_>, Vec<_>) = drawing.edges.into_iter().partition(|(_, critical)| *critical);
    view! {
        {tools}
        <div class="dag-frame" id="dag-frame">
            <div class="dag" class:fit=fit class:far=far role="region" aria-label="What runs after what" tabindex="0" data-w=width.to_string() data-h=height.to_string()>
                <svg width=size(width) height=size(height) viewBox=view_box role="group"
                    aria-label=format!("{count} tasks, from left to right in the order in which they can run")>
                    {others.into_iter().chain(critical).map(|(d, critical)| view! {
                        <path class="edge" class:crit=critical d=d />
                    }).collect_view()}
                    {divider.map(|x| view! {
                        <line class="divider" x1=x.to_string() x2=x.to_string() y1="0" y2=bottom.to_string() />
                    })}
                    {items.into_iter().zip(drawing.boxes).map(|(item, place)| {
                        let critical = item.tasks.iter().any(|task| on_path.contains(task));
                        let tasks: Vec<Task> = item.tasks.iter().map(|task| tasks[*task].clone()).collect();
                        view! { <Node item tasks place critical selection=selection.clone() now /> }
                    }).collect_view()}
                </svg>
            </div>
            {map}
        </div>
        {words.map(|words| view! { <p class="crit-words sub"><b>"Critical path: "</b>{words}</p> })}
    }
    .into_any()
}

/// The critical path in words: `restart-pods → create-gitops-pr, 1m 04s`.
fn path_words(tasks: &[Task], path: &[usize], now: Timestamp) -> Option<String> {
    if path.len() < 2 {
        return None;
    }
    let total: u64 = path.iter().map(|&i| held(&tasks[i], now)).sum();
    let name = |i: &usize| tasks[*i].name.clone();
    let steps = if path.len() <= TOLD {
        path.iter().map(name).collect::<Vec<_>>().join(" → ")
    } else {
        format!("{} → … → {}, {} tasks", name(&path[0]), name(&path[path.len() - 1]), path.len())
    };
    Some(format!("{steps}, {}", human(i64::try_from(total).unwrap_or(i64::MAX) / 1000 * 1000)))
}
