//! The table that says what picture and timeline say: every task with its times, sorted as the reader likes, for whoever reads
//! tables better. Of thousands a page at a time.

use super::{
    selection::{Selection, Sort, TableLook},
    times::{Phase, held, in_phase, took},
};
use crate::components::{State, TableBox};
use domain::{
    execution::{Task, TaskState},
    time::{Timestamp, human},
};
use leptos::prelude::*;
use std::{cmp::Reverse, collections::HashSet};

/// Rows at a time.
const ROWS: usize = 200;

/// The folded table.
#[component]
pub fn Table(tasks: Vec<Task>, critical: HashSet<usize>, selection: Selection, now: Timestamp) -> impl IntoView {
    let look = selection.table;
    let sort = look.sort.unwrap_or_default();
    let count = tasks.len();
    let skip = look.skip.min(count.saturating_sub(1)) / ROWS * ROWS;
    let mut rows: Vec<(usize, Task)> = tasks.into_iter().enumerate().collect();
    sorted(&mut rows, sort, now);
    let to =
        |sort: Sort, skip: usize| Selection { table: TableLook { sort: Some(sort), skip }, ..selection.clone() }.href();
    let head = |word: &'static str, by: Sort, class: &'static str| {
        let now =
            (look.sort.is_some() && by == sort).then_some(if by == Sort::Took { "descending" } else { "ascending" });
        view! { <th scope="col" class=class aria-sort=now><a href=to(by, 0)>{word}</a></th> }
    };
    let heads = [
        head("Task", Sort::Name, "").into_any(),
        head("State", Sort::State, "").into_any(),
        head("After", Sort::Order, "").into_any(),
    ];
    let longest = head("Took", Sort::Took, "num").into_any();
    let earlier = (skip > 0).then(|| to(sort, skip.saturating_sub(ROWS)));
    let later = (skip + ROWS < count).then(|| to(sort, skip + ROWS));
    let shown = (count > ROWS).then(|| format!("Tasks {} to {} of {count}", skip + 1, count.min(skip + ROWS)));
    view! {
        <details class="as-table" open=look.sort.is_some()>
            <summary>"The same as a table"</summary>
            <TableBox label="Tasks">
                <table class="grid">
                    <caption class="vh">"Tasks of this run"</caption>
                    <thead><tr>
                        {heads}
                        <th scope="col" class="num">"Attempts"</th><th scope="col" class="num">"Queued"</th>
                        <th scope="col" class="num">"Pulling"</th><th scope="col" class="num">"Running"</th>
                        {longest}
                        <th scope="col">"Critical path"</th>
                    </tr></thead>
                    <tbody>
                        {rows.into_iter().skip(skip).take(ROWS).map(|(index, task)| {
                            let (href, selected) = (selection.of_task(&task.name), selection.is(&task));
                            let after = if task.finally { "all others".to_owned() } else { task.run_after.join(", ") };
                            let critical = critical.contains(&index);
                            view! {
                                <tr>
                                    <th scope="row"><a href=href aria-current=selected.then_some("true") data-i=index.to_string()>{task.name.clone()}</a></th>
                                    <td><State of=task.state /></td>
                                    <td class="after">{if after.is_empty() { "–".to_owned() } else { after }}</td>
                                    <td class="num">{task.attempts.len()}</td>
                                    <td class="num">{time(&task, Phase::Queued, now)}</td>
                                    <td class="num">{time(&task, Phase::Pulling, now)}</td>
                                    <td class="num">{time(&task, Phase::Running, now)}</td>
                                    <td class="num">{took(&task, now).map_or_else(|| "–".to_owned(), human)}</td>
                                    <td>{if critical { "yes" } else { "no" }}</td>
                                </tr>
                            }
                        }).collect_view()}
                    </tbody>
                </table>
            </TableBox>
            {shown.map(|shown| view! {
                <p class="table-pages sub">
                    {shown}
                    {earlier.map(|href| view! { " "<a href=href>"Earlier"</a> })}
                    {later.map(|href| view! { " "<a href=href>"Later"</a> })}
                </p>
            })}
        </details>
    }
    .into_any()
}

fn sorted(rows: &mut [(usize, Task)], sort: Sort, now: Timestamp) {
    match sort {
        Sort::Order => {}
        Sort::Name => rows.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name)),
        Sort::State => rows.sort_by_key(|(_, task)| urgency(task.state)),
        Sort::Took => rows.sort_by_cached_key(|(_, task)| Reverse(held(task, now))),
    }
}

/// What went wrong first, then what is at work, then what waits, then what is done.
const fn urgency(state: TaskState) -> u8 {
    match state {
        TaskState::Failed => 0,
        TaskState::TimedOut => 1,
        TaskState::Lost => 2,
        TaskState::Running => 3,
        TaskState::Pending => 4,
        TaskState::Cancelled => 5,
        TaskState::Succeeded => 6,
        TaskState::Skipped => 7,
    }
}

/// The time in a phase, over all attempts, as far as it has gone: once it is over, what the API says.
fn time(task: &Task, phase: Phase, now: Timestamp) -> String {
    let each = task.attempts.iter().filter_map(|attempt| in_phase(attempt, phase, now));
    each.reduce(|a, b| a + b).map_or_else(|| "–".to_owned(), human)
}
