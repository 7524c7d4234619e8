//! A run: how it stands, and one linked view of its tasks: picture, timeline, table and the selected task's log, parameters,
//! results, attempts and events. What is selected stands in the address, so every link opens what its sender saw.

mod after;
mod assessment;
mod events;
mod head;
mod log;
mod panel;
mod picture;
mod selection;
mod table;
mod timeline;
mod times;
mod workspaces;

pub(crate) use after::MadeOfIt;
pub use head::Quote;
pub use log::{Log, fragment};
pub use selection::{Selection, Tab};

use crate::{
    components::{Equivalent, FormFaults, Section, Still, equivalent},
    context::FormOutcome,
    islands::{LiveRun, RunPicture},
    page::{Ask, Page},
    pages::recommendation::ticket::Whole,
};
use domain::{
    assessment::AssessmentRecord,
    execution::Execution,
    identity::{Caller, Right},
    ids::ExecutionId,
    log::{
        ansi, find,
        window::{CHUNKS, LogAsk},
    },
    pipeline_run::claimed_workspaces,
    recovery::Made,
    services::{Aftermath, Answer, Listings, RunService, ServiceError, TicketView},
    time::Timestamp,
};
use leptos::prelude::*;
use std::collections::HashSet;

/// All that the page shows.
#[derive(Clone, Debug)]
pub struct RunView {
    /// The run, with its tasks.
    pub run: Execution,
    /// What is selected.
    pub selection: Selection,
    /// The selected task's log; none where no task is selected.
    pub log: Option<Log>,
    /// What the log of the task that went wrong says of it.
    pub quote: Option<Quote>,
    /// What it runs under.
    pub paper: Paper,
    /// Whether it helped; none where nobody has looked.
    pub assessment: Option<AssessmentRecord>,
    /// Whether the reader may cancel, overrule, and list what it left.
    pub may_control: bool,
    /// What came before and after it.
    pub aftermath: Aftermath,
    /// Whether what it left can be listed here.
    pub listings: Listings,
    /// A form that was not taken, or a listing that was asked for.
    pub form: FormOutcome,
    /// The server's time.
    pub now: Timestamp,
}

/// The run's ticket, as far as it can be shown.
#[derive(Clone, Debug)]
pub enum Paper {
    /// Here it is.
    Kept(Box<TicketView>),
    /// It is not kept, and neither is its recommendation: the run was taken over from elsewhere.
    NotKept,
    /// It could not be read right now.
    Unread,
}

/// Asks for the run, its ticket, and the log of the task that the address selects.
pub async fn page(ask: Ask) -> Answer<Page> {
    let id = ExecutionId::new(ask.param("id"));
    let run = ask.console.runs.get(&ask.caller, &id).await?;
    let selection = Selection::of(&run, &ask.query);
    let log = match selection.task_of(&run).filter(|_| selection.tab == Tab::Logs) {
        Some(task) => log::read(&*ask.console.runs, &ask.caller, &run, task, &selection, CHUNKS).await?,
        None => None,
    };
    let quote = quote(&*ask.console.runs, &ask.caller, &run, &selection).await;
    // The page is worth showing without it.
    let paper = match ask.console.runs.ticket(&ask.caller, &id).await {
        Ok(ticket) => Paper::Kept(Box::new(ticket)),
        Err(ServiceError::NotFound(_)) => Paper::NotKept,
        Err(_) => Paper::Unread,
    };
    let assessment = if run.state.ended() {
        // The verdict itself stands on the run.
        ask.console.runs.assessment(&ask.caller, &id).await.unwrap_or_default()
    } else {
        None
    };
    let may_control = ask.caller.may(Right::RunsControl);
    let listings = ask.console.runs.listings();
    // The page is worth showing without it.
    let aftermath = ask.console.recoveries.aftermath(&ask.caller, &id).await.unwrap_or_default();
    let made: Vec<String> = aftermath.made.iter().map(followed).collect();
    let title = run.subject.name.clone();
    // Of the logs only the one that is shown.
    let shown = log.is_some().then(|| selection.task_of(&run)).flatten();
    let shown = shown.map(|task| format!(" log:{id}/{}", task.name)).unwrap_or_default();
    let follows = format!("execution:{id} task:{id}{shown}{}", made.concat());
    let (form, now) = (ask.form, ask.now);
    let view = RunView { run, selection, log, quote, paper, assessment, may_control, aftermath, listings, form, now };
    Ok(Page::below(title, run_page(view)).following(follows).with_history(&ask.caller, id.as_str()))
}

/// The events of something that was made of the run.
pub(crate) fn followed(made: &Made) -> String {
    let run = made.execution_id.as_ref().map(|id| format!(" execution:{id}")).unwrap_or_default();
    format!(" recommendation:{}{run}", made.recommendation_id)
}

/// The line that tells best why a run went wrong; the page is worth showing without it.
async fn quote(runs: &dyn RunService, caller: &Caller, run: &Execution, selection: &Selection) -> Option<Quote> {
    let task = selection::went_wrong(&run.tasks).filter(|_| run.state.ended())?;
    let attempt = u32::try_from(task.attempts.len()).ok().filter(|n| *n > 0)?;
    let end = LogAsk { chunks: 2, ..LogAsk::default() };
    let view = runs.log_view(caller, &run.subject.id, &task.name, Some(attempt), &end).await.ok()?;
    let line = find::telling(&view.lines)?;
    let there =
        Selection { task: Some(task.name.clone()), tab: Tab::Logs, attempt: Some(attempt), ..selection.clone() };
    let there = there.with_log(|log| {
        *log = log.of_another();
        log.line = Some(line.line);
    });
    let text = ansi::plain(&line.text).chars().take(QUOTED).collect();
    Some(Quote { task: task.name.clone(), text, href: format!("{}#L{}", there.href(), line.line) })
}

/// Characters of a line that are quoted.
const QUOTED: usize = 400;

/// The page.
pub fn run_page(view: RunView) -> AnyView {
    let RunView { run, selection, log, quote, paper, assessment, may_control, aftermath, listings, form, now } = view;
    let kept = !matches!(paper, Paper::NotKept);
    let id = run.subject.id.to_string();
    let ended = run.state.ended();
    let task = selection.task_of(&run).cloned();
    let have = u32::try_from(run.approved_by.len()).unwrap_or(u32::MAX);
    let (here, query) = (selection.href(), selection.query());
    let commands = equivalent::of_run(&run);
    let workspaces = match &paper {
        Paper::Kept(ticket) => claimed_workspaces(&ticket.content.plan),
        Paper::NotKept | Paper::Unread => &[],
    };
    let plan = picture::plan(&run.tasks, &selection.view, now);
    let critical: HashSet<usize> = plan.critical.iter().copied().collect();
    let wide = selection.log.wide && selection.tab == Tab::Logs;
    view! {
        <div id="run" class="run" data-run=id.clone() data-revision=run.revision.to_string()
            data-ended=ended.then_some("")>
            {form.listing.is_none().then(|| view! { <FormFaults form=form.clone() fields=Vec::new() /> })}
            <head::Head run=run.clone() may_cancel=may_control kept form=form.clone() query=query.clone() quote now live=view! {
                <span class="live">
                    <LiveRun id=id.clone() />
                    {(!ended).then(|| view! {
                        <span class="sub unfollowed">"This page does not refresh by itself."</span>
                        <a class="btn small ghost" href=here>"Reload"</a>
                    })}
                </span>
            }.into_any() />
            <div class="panel runview" class:wide=wide>
                <div class="tasks">
                    <picture::Picture tasks=run.tasks.clone() plan=plan.clone() selection=selection.clone() now />
                    <timeline::Timeline run=run.clone() plan selection=selection.clone() now />
                    <table::Table tasks=run.tasks.clone() critical selection=selection.clone() now />
                    <RunPicture />
                </div>
                <div class="side" id="task">
                    {match task {
                        Some(task) => view! { <panel::Panel run=run.clone() task selection log now /> }.into_any(),
                        None => view! { <p class="none sub">"It has no tasks."</p> }.into_any(),
                    }}
                </div>
            </div>
            <after::After run=run.clone() aftermath may_control form=form.clone() query=query.clone() now />
            <assessment::Helped run=run.clone() record=assessment query=query.clone() may_control form=form.clone() now />
            <Section title="What it runs under">
                {match paper {
                    Paper::Kept(ticket) => {
                        let need = ticket.content.policy.approvals;
                        let ticket = *ticket;
                        view! {
                            <Still id="paper">
                                <details class="run-ticket">
                                    <summary>"Run ticket and PipelineRun"</summary>
                                    <div class="ticket"><Whole ticket have need /></div>
                                </details>
                            </Still>
                        }
                        .into_any()
                    }
                    Paper::NotKept => view! { <p class="sub">"Its ticket and its recommendation are not kept here; only what ran is."</p> }.into_any(),
                    Paper::Unread => view! { <p class="sub">"The ticket can't be shown right now. Load the page again."</p> }.into_any(),
                }}
            </Section>
            {workspaces.iter().map(|workspace| {
                let (run, query, form) = (run.clone(), query.clone(), form.clone());
                view! { <workspaces::Contents run query workspace may_control listings form now /> }
            }).collect_view()}
            <Equivalent commands />
        </div>
    }
    .into_any()
}
