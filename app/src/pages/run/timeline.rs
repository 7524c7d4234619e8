//! The timeline: a row per item of the picture on one axis; what was queued is hatched, pulling light, running solid, attempt by
//! attempt, with the wait between two. Its geometry stands in SVG attributes, in percent, so that it fits any width.

use super::{
    picture::{Item, Plan, first_and_more},
    selection::Selection,
    times::{Phase, Span, spans, standing, took},
};
use crate::{
    components::{Elapsed, Mark, absolute},
    icon::Glyph,
};
use domain::{
    execution::{Execution, Task, TaskAttempt, TaskState},
    time::{Timestamp, human},
};
use leptos::prelude::*;
use std::collections::HashSet;

/// Steps that an axis may have, in seconds.
const STEPS: [i64; 20] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800];
/// At most so many ticks after the first.
const TICKS: i64 = 5;

/// From when to when the axis goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    from: Timestamp,
    span_ms: i64,
    step_ms: i64,
    now: Option<Timestamp>,
}

impl Axis {
    /// The axis of a run: from its first sign of life to its end, or a step beyond now while it goes on.
    pub fn of(run: &Execution, now: Timestamp) -> Self {
        let all = run.tasks.iter().flat_map(|task| &task.attempts);
        let begun = all.clone().flat_map(spans).map(|span| span.from).min();
        let from = [run.started_at, begun].into_iter().flatten().min().unwrap_or(run.created_at);
        let ended = run.state.ended();
        let last = all.flat_map(spans).filter_map(|span| span.to).max();
        let to = if ended { [run.finished_at, last].into_iter().flatten().max().unwrap_or(now) } else { now };
        let length = to.since(from).max(1000);
        let step_ms = STEPS.iter().map(|s| s * 1000).find(|step| length / step < TICKS).unwrap_or(length / TICKS + 1);
        let span_ms = if ended { length } else { (length / step_ms + 1) * step_ms };
        Self { from, span_ms, step_ms, now: (!ended).then_some(now) }
    }

    /// Where a time stands, in percent.
    fn at(self, time: Timestamp) -> f64 {
        self.percent(time.since(self.from))
    }

    fn percent(self, ms: i64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run fit")]
        let share = ms as f64 / self.span_ms as f64 * 100.0;
        share.clamp(0.0, 100.0)
    }

    /// Milliseconds after the beginning at which there are ticks, but the first.
    fn ticks(self) -> impl Iterator<Item = i64> {
        (1..).map(move |n| n * self.step_ms).take_while(move |ms| *ms <= self.span_ms)
    }
}

fn percent(value: f64) -> String {
    format!("{value:.2}%")
}

/// The rows and their axis.
#[component]
pub fn Timeline(run: Execution, plan: Plan, selection: Selection, now: Timestamp) -> impl IntoView {
    let axis = Axis::of(&run, now);
    let live = axis.now.is_some();
    let critical: HashSet<usize> = plan.critical.into_iter().collect();
    // What runs after all stands under a line of its own.
    let first_after = plan.items.iter().position(|item| run.tasks[item.tasks[0]].finally).filter(|at| *at > 0);
    let tasks = run.tasks;
    view! {
        <div class="time" id="timeline" data-from=live.then(|| axis.from.as_millis().to_string()) data-span=live.then(|| axis.span_ms.to_string())>
            <h2 class="vh">"Timeline"</h2>
            <Patterns />
            <ol class="time-rows">
                {plan.items.into_iter().enumerate().map(|(place, item)| {
                    let critical = item.tasks.iter().any(|task| critical.contains(task));
                    let tasks: Vec<Task> = item.tasks.iter().map(|task| tasks[*task].clone()).collect();
                    let after = first_after == Some(place);
                    view! { <Row item tasks axis selection=selection.clone() critical after now /> }
                }).collect_view()}
            </ol>
            <div class="axis" aria-hidden="true">
                <svg height="20" width="100%">
                    <text class="from" x="0" y="14"><title>{absolute(axis.from)}</title>{clock(axis.from)}</text>
                    {axis.ticks().filter(|ms| *ms * 100 > axis.span_ms * 22).map(|ms| {
                        let end = ms * 100 > axis.span_ms * 94;
                        view! {
                            <text x=percent(axis.percent(ms)) y="14" text-anchor=if end { "end" } else { "middle" }>{human(ms)}</text>
                        }
                    }).collect_view()}
                </svg>
            </div>
            <ul class="legend" aria-hidden="true">
                {[Phase::Queued, Phase::Pulling, Phase::Running].map(|phase| view! {
                    <li><svg class="idle" width="18" height="10"><Bar phase x="0".to_owned() width="18".to_owned() y="0" height="10" /></svg>{phase.word()}</li>
                })}
                <li><b>"bold"</b>" critical path"</li>
            </ul>
        </div>
    }
    .into_any()
}

/// The time of day of the axis' beginning.
fn clock(at: Timestamp) -> String {
    at.to_string().get(11..19).map_or_else(String::new, |time| format!("{time} UTC"))
}

/// The hatching of what is queued, for all rows.
#[component]
fn Patterns() -> impl IntoView {
    view! {
        <svg class="defs" width="0" height="0" aria-hidden="true">
            <defs>
                <pattern id="queued" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(25)">
                    <rect class="hatch" width="2" height="5" />
                </pattern>
            </defs>
        </svg>
    }
    .into_any()
}

/// A row: a task, or tasks that stand alike.
#[component]
fn Row(
    item: Item,
    /// Its tasks.
    tasks: Vec<Task>,
    axis: Axis,
    selection: Selection,
    critical: bool,
    /// The first of those that run after all.
    after: bool,
    now: Timestamp,
) -> impl IntoView {
    let selected = tasks.iter().any(|task| selection.is(task));
    if item.is_folded() {
        return view! { <Many item tasks axis selection critical selected now /> }.into_any();
    }
    let Some(task) = tasks.into_iter().next() else { return ().into_any() };
    let words = standing(&task, now);
    let told = format!("{words}{}", if critical { ", on the critical path" } else { "" });
    let numbers = numbers(&task, now);
    let started = task.started_at.or_else(|| task.attempts.iter().find_map(|a| a.running_at));
    let took_words = took(&task, now).map(human);
    let open = !task.state.ended();
    let mark = Mark::from(task.state);
    let odd = !matches!(task.state, TaskState::Succeeded | TaskState::Running | TaskState::Pending);
    view! {
        <li class:after=after>
            <a class=format!("r {}", task.state.name()) class:sel=selected class:crit=critical href=selection.of_task(&task.name)
                aria-current=selected.then_some("true") data-i=item.tasks[0].to_string() data-name=task.name.clone()>
                <span class="name" title=task.name.clone()>
                    {odd.then(|| view! { <span class=format!("state {}", mark.tone.class())><Glyph of=mark.icon /></span> })}
                    <span class="text">{task.name.clone()}</span>
                    <span class="vh">{told}</span>
                </span>
                <svg class="bars" width="100%" height="30" aria-hidden="true">
                    <Ticks axis />
                    {task.attempts.iter().enumerate().map(|(at, attempt)| view! {
                        <Attempt attempt=attempt.clone() before=at.checked_sub(1).map(|at| task.attempts[at].clone()) axis now />
                    }).collect_view()}
                    <Now axis />
                </svg>
                // What has ended has said so in its words.
                <span class="took" aria-hidden=(!open).then_some("true")>
                    {match (started, took_words) {
                        (Some(from), Some(_)) if open => view! { <Elapsed from to=None now /> }.into_any(),
                        (_, Some(took)) => view! { {took} }.into_any(),
                        _ => view! { <span class="sub" aria-hidden="true">{words}</span> }.into_any(),
                    }}
                </span>
                {(!numbers.is_empty()).then(|| view! { <span class="tip">{numbers}</span> })}
            </a>
        </li>
    }
    .into_any()
}

/// The numbers behind a row's bars, for whoever hovers over it or focuses it, attempt by attempt.
fn numbers(task: &Task, now: Timestamp) -> String {
    let many = task.attempts.len() > 1;
    let attempt = |attempt: &TaskAttempt| {
        let word =
            |span: Span| format!("{} {}", span.phase.word(), human(span.to.unwrap_or(now).since(span.from).max(0)));
        let spans: Vec<String> = spans(attempt).into_iter().map(word).collect();
        let end = (many && attempt.state.ended()).then(|| Mark::from(attempt.state).word.to_lowercase());
        let told = spans.into_iter().chain(end).collect::<Vec<_>>().join(", ");
        if many { format!("{}: {told}", attempt.attempt) } else { told }
    };
    task.attempts.iter().map(attempt).filter(|told| !told.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// Several tasks in one row: from when the first was queued to when the last ended.
#[component]
fn Many(
    item: Item,
    tasks: Vec<Task>,
    axis: Axis,
    selection: Selection,
    critical: bool,
    selected: bool,
    now: Timestamp,
) -> impl IntoView {
    let Some(first) = tasks.first() else { return ().into_any() };
    let mark = Mark::from(first.state);
    let name = first_and_more(&tasks);
    let state = mark.word.to_lowercase();
    let all: Vec<Span> = tasks.iter().flat_map(|task| &task.attempts).flat_map(spans).collect();
    let from = all.iter().map(|span| span.from).min();
    let to = all.iter().map(|span| span.to.unwrap_or(now)).max();
    let reach = from.zip(to);
    let inside = selected.then(|| selection.task.clone()).flatten();
    let told = match &inside {
        Some(name) => format!(", {state}, {name} among them is selected, unfold"),
        None => format!(", {state}, unfold"),
    };
    let href = selection.with_view(|view| view.unfold = view.unfold.and(item.layers));
    view! {
        <li>
            <a class="r many" class:sel=selected class:crit=critical href=href data-i=item.tasks[0].to_string()>
                <span class="name" title=inside>
                    <span class=format!("state {}", mark.tone.class())><Glyph of=mark.icon /></span>
                    <span class="text">{name}</span><span class="vh">{told}</span>
                </span>
                <svg class="bars" width="100%" height="30" aria-hidden="true">
                    <Ticks axis />
                    {reach.map(|(from, to)| {
                        let (x, end) = (axis.at(from), axis.at(to));
                        view! { <g class=mark.tone.class()><rect class="reach" x=percent(x) width=percent((end - x).max(0.4)) y="11" height="8" rx="3" /></g> }
                    })}
                    <Now axis />
                </svg>
                <span class="took" aria-hidden="true">{reach.map(|(from, to)| human(to.since(from) / 1000 * 1000))}</span>
            </a>
        </li>
    }
    .into_any()
}

#[component]
fn Ticks(axis: Axis) -> impl IntoView {
    axis.ticks()
        .map(|ms| {
            let x = percent(axis.percent(ms));
            view! { <line class="tick-line" x1=x.clone() x2=x y1="0" y2="30" /> }
        })
        .collect_view()
        .into_any()
}

#[component]
fn Now(axis: Axis) -> impl IntoView {
    axis.now
        .map(|at| {
            let x = percent(axis.at(at));
            view! { <line class="now" data-now x1=x.clone() x2=x y1="0" y2="30" /> }
        })
        .into_any()
}

/// The bars of an attempt, how it ended where that was not well, and the wait since the one before.
#[component]
fn Attempt(
    attempt: TaskAttempt,
    #[prop(optional_no_strip)] before: Option<TaskAttempt>,
    axis: Axis,
    now: Timestamp,
) -> impl IntoView {
    let mark = Mark::from(attempt.state);
    let spans = spans(&attempt);
    let begins = spans.first().map(|span| span.from);
    let idle = before.and_then(|before| before.finished_at).zip(begins).filter(|(from, to)| to.since(*from) > 0);
    let ends = attempt.finished_at.or_else(|| spans.last().and_then(|span| span.to));
    let ended_badly =
        matches!(attempt.state, TaskState::Failed | TaskState::TimedOut | TaskState::Cancelled | TaskState::Lost);
    let end = ends.filter(|_| ended_badly).map(|at| axis.at(at));
    let last = spans.len().saturating_sub(1);
    view! {
        {idle.map(|(from, to)| view! {
            <line class="idle-gap" x1=percent(axis.at(from)) x2=percent(axis.at(to)) y1="15" y2="15"><title>{format!("waited {} for the next attempt", human(to.since(from)))}</title></line>
        })}
        <g class=format!("{} {}", mark.tone.class(), attempt.state.name())>
            {spans.into_iter().enumerate().map(|(at, span)| {
                let (x, to) = (axis.at(span.from), axis.at(span.to.unwrap_or(now)));
                // Something that took no time is still seen.
                let width = percent((to - x).max(0.4));
                let grows = span.to.is_none().then(|| span.from.as_millis().to_string());
                // The last piece is wide enough to be hit, however short it was; what is drawn over it has the true width.
                let least = at == last;
                view! {
                    {least.then(|| view! { <rect class=format!("least {}", span.phase.word()) x=percent(x) width="10" y="8" height="14" rx="3" /> })}
                    <Bar phase=span.phase x=percent(x) width y="8" height="14" grows />
                }
            }).collect_view()}
            {end.map(|x| view! { <line class="end" x1=percent(x) x2=percent(x) y1="5" y2="25" /> })}
        </g>
    }
    .into_any()
}

/// One piece of a bar.
#[component]
fn Bar(
    phase: Phase,
    x: String,
    width: String,
    y: &'static str,
    height: &'static str,
    /// Since when it grows, in milliseconds since the epoch; none once it has ended.
    #[prop(optional_no_strip)]
    grows: Option<String>,
) -> impl IntoView {
    let fill = (phase == Phase::Queued).then_some("url(#queued)");
    view! { <rect class=phase.word() x=x width=width y=y height=height rx="3" fill=fill data-grows=grows /> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(length_ms: i64) -> (i64, i64) {
        let step = STEPS.iter().map(|s| s * 1000).find(|step| length_ms / step < TICKS).unwrap();
        (step, length_ms / step)
    }

    #[test]
    fn an_axis_has_a_few_round_ticks_whatever_its_length() {
        for length in [1_000, 64_000, 90_000, 599_000, 7_200_000, 86_400_000, 5 * 604_800_000 - 1] {
            let (step, ticks) = axis(length);
            assert!((1..TICKS).contains(&ticks.max(1)), "{length}: {step} {ticks}");
        }
        assert_eq!(axis(64_000), (15_000, 4));
    }
}
