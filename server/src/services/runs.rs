//! Executions: reading them, their logs and tickets, and asking to cancel.

use super::{Services, limits, reason, store_fault};
use async_trait::async_trait;
use domain::{
    assessment::AssessmentRecord,
    audit::AuditEntry,
    execution::{ActionRecord, Assessment, Execution, ExecutionLine, LogLine},
    identity::{Caller, Right},
    ids::ExecutionId,
    log::{
        LogState, ansi, find,
        group::{self, Group},
        level::{self, Level},
        window::{self, Hits, LogAsk, LogView, MOST_HITS, Place},
    },
    paging::{Page, PageOf},
    ports::{ActionFilter, ClusterError, ExecutionFilter, LogOf, LogSlice},
    services::{Answer, Listings, RunService, ServiceError, TicketView},
    workspace::WorkspaceListing,
};
use serde_json::{Value, json};

#[async_trait]
impl RunService for Services {
    async fn list(&self, caller: &Caller, filter: &ExecutionFilter, page: &Page) -> Answer<PageOf<Execution>> {
        caller.require(Right::RunsRead)?;
        limits::short_executions(filter)?;
        self.world.executions.list(filter, page).await.map_err(store_fault)
    }

    async fn lines(&self, caller: &Caller, filter: &ExecutionFilter, page: &Page) -> Answer<PageOf<ExecutionLine>> {
        caller.require(Right::RunsRead)?;
        limits::short_executions(filter)?;
        self.world.executions.lines(filter, page).await.map_err(store_fault)
    }

    async fn get(&self, caller: &Caller, id: &ExecutionId) -> Answer<Execution> {
        caller.require(Right::RunsRead)?;
        self.execution(id).await
    }

    async fn log(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        task: &str,
        attempt: Option<u32>,
        since_line: u32,
        limit: u32,
    ) -> Answer<Vec<LogLine>> {
        caller.require(Right::RunsRead)?;
        let execution = self.execution(id).await?;
        let attempt = attempt_of(&execution, task, attempt)?;
        self.world.executions.log(id, task, attempt, since_line, limit).await.map_err(store_fault)
    }

    async fn log_view(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        task: &str,
        attempt: Option<u32>,
        ask: &LogAsk,
    ) -> Answer<LogView> {
        let state = self.log_state(caller, id, task, attempt).await?;
        let of = LogOf { execution: id, task, attempt: state.attempt };
        let last = self.world.logs.last_line(of).await.map_err(store_fault)?;
        let text = ask.find.as_deref().map(|text| text.chars().take(find::LONGEST).collect::<String>());
        let found = match text {
            Some(text) => Some(self.world.logs.holding(of, &text, MOST_HITS + 1).await.map_err(store_fault)?),
            None => None,
        };
        let mut line = match ask.place {
            Place::Around(line) => Some(line.clamp(1, last.max(1))),
            _ => None,
        };
        let hits = found.as_deref().map(|found| counted(found, ask, line));
        let mut place = ask.place;
        if let (Some(found), Some(hits), Place::End) = (&found, hits, ask.place)
            && let Some(hit) = hits.shown.checked_sub(1).and_then(|at| found.get(at as usize))
        {
            line = Some(*hit);
            place = Place::Around(*hit);
        }
        let (lines, more) = match ask.level {
            Some(level) => self.of_level(of, level, place, ask.chunks).await?,
            None => self.window(of, place, ask.chunks, last).await?,
        };
        let groups = if ask.level.is_none() { self.groups(of, &lines, last).await? } else { Vec::new() };
        Ok(LogView { state, last, lines, groups, more, hits, line })
    }

    async fn log_state(&self, caller: &Caller, id: &ExecutionId, task: &str, attempt: Option<u32>) -> Answer<LogState> {
        caller.require(Right::RunsRead)?;
        let execution = self.execution(id).await?;
        let attempt = attempt_of(&execution, task, attempt)?;
        let closed = self.world.executions.log_closed(id, task, attempt).await.map_err(store_fault)?;
        LogState::of(&execution, task, attempt, closed, self.world.clock.now()).ok_or(ServiceError::NotFound("task"))
    }

    async fn pipeline_run(&self, caller: &Caller, id: &ExecutionId) -> Answer<Value> {
        caller.require(Right::RunsRead)?;
        let execution = self.execution(id).await?;
        let subject = &execution.subject;
        self.cluster()?.pipeline_run(&subject.namespace, &subject.name).await.map_err(|error| match error {
            ClusterError::NotFound => ServiceError::NotFound("PipelineRun in the cluster"),
            other => ServiceError::Unavailable(other.to_string()),
        })
    }

    async fn ticket(&self, caller: &Caller, id: &ExecutionId) -> Answer<TicketView> {
        caller.require(Right::RunsRead)?;
        let execution = self.execution(id).await?;
        self.stored_ticket_view(&execution.subject.ticket_digest).await
    }

    async fn cancel(&self, caller: &Caller, id: &ExecutionId, reason: Option<String>) -> Answer<Execution> {
        caller.require(Right::RunsControl)?;
        let execution = self.execution(id).await?;
        let reason = reason::checked(reason)?;
        let mut audit = AuditEntry::by(caller, "execution.cancel", "execution", id.as_str());
        audit.before = Some(json!({ "state": execution.state }));
        audit.reason = reason;
        if !self.world.executions.request_cancel(id, audit).await.map_err(store_fault)? {
            let now = self.execution(id).await?;
            return Err(ServiceError::Conflict {
                code: "ended",
                detail: format!("this execution has ended already: {}", now.state),
                differences: Vec::new(),
            });
        }
        self.wake_cluster();
        // It is done, whether or not it can be read again.
        Ok(self.execution(id).await.unwrap_or(Execution { cancel_requested: true, ..execution }))
    }

    async fn assessment(&self, caller: &Caller, id: &ExecutionId) -> Answer<Option<AssessmentRecord>> {
        self.kept_assessment(caller, id).await
    }

    async fn overrule(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        verdict: Assessment,
        reason: Option<String>,
    ) -> Answer<AssessmentRecord> {
        self.overrule_assessment(caller, id, verdict, reason).await
    }

    fn listings(&self) -> Listings {
        self.workspace_listings()
    }

    async fn list_workspace(&self, caller: &Caller, id: &ExecutionId, workspace: &str) -> Answer<WorkspaceListing> {
        caller.require(Right::RunsControl)?;
        self.workspace_listing(caller, id, workspace).await
    }

    async fn actions(&self, caller: &Caller, filter: &ActionFilter, page: &Page) -> Answer<PageOf<ActionRecord>> {
        caller.require(Right::RunsRead)?;
        limits::short([("workflow_id", &filter.workflow_id), ("action_type", &filter.action_type)])?;
        self.world.executions.actions(filter, page).await.map_err(store_fault)
    }
}

/// How many hits there are, and which is shown: the one that is asked for, or the one that the line is.
fn counted(found: &[u32], ask: &LogAsk, line: Option<u32>) -> Hits {
    let more = found.len() > MOST_HITS as usize;
    let count = u32::try_from(found.len()).unwrap_or(u32::MAX).min(MOST_HITS);
    let here =
        line.and_then(|line| found.iter().position(|hit| *hit == line)).and_then(|at| u32::try_from(at + 1).ok());
    Hits { count, more, shown: window::which_hit(ask.hit.or(here), count) }
}

impl Services {
    /// A window of whole chunks.
    async fn window(
        &self,
        of: LogOf<'_>,
        place: Place,
        chunks: u32,
        last: u32,
    ) -> Answer<(Vec<LogLine>, (bool, bool))> {
        let span = window::span(place, chunks, last);
        let (first, end) = (*span.start(), *span.end());
        let limit = end.saturating_sub(first).saturating_add(1);
        let slice = LogSlice { after: first - 1, before: end.checked_add(1), limit, ..LogSlice::default() };
        let lines =
            if span.is_empty() { Vec::new() } else { self.world.logs.slice(of, &slice).await.map_err(store_fault)? };
        Ok((lines, (first > 1 && last > 0, end < last)))
    }

    /// The groups that the lines of a window are in, also those that begin before it or end after it. Where none does, this
    /// costs one bounded reading.
    async fn groups(&self, of: LogOf<'_>, lines: &[LogLine], last: u32) -> Answer<Vec<Group>> {
        let (Some(first), Some(end)) = (lines.first(), lines.last()) else { return Ok(Vec::new()) };
        let (first, end) = (first.line, end.line);
        let read = async |slice: LogSlice| self.world.logs.slice(of, &slice).await.map_err(store_fault);
        // A line may look like a mark and be none: some more are read than the one that is wanted.
        let marks = LogSlice { like: vec![group::needle()], limit: 20, ..LogSlice::default() };
        let after = first.saturating_sub(group::REACH + 1);
        let before = read(LogSlice { after, before: Some(first), from_end: true, ..marks.clone() }).await?;
        let mut groups = group::groups(lines, before.iter().rfind(|line| group::is_mark(line)), last);
        if let Some(open) = groups.last_mut().filter(|group| !group.ended && end < last) {
            let before = Some(end.saturating_add(group::REACH));
            let next = read(LogSlice { after: end, before, ..marks }).await?;
            open.end(next.iter().find(|line| group::is_mark(line)), last);
        }
        // Only what nobody has looked at yet can still hide trouble.
        let beyond = |group: &&mut Group| group.is_quiet() && (group.opening < first || group.last > end);
        for group in groups.iter_mut().filter(beyond) {
            let limit = window::CHUNK;
            let (after, before) = (group.opening, Some(group.last));
            let like = Level::Warning.needles();
            let found = read(LogSlice { after, before, like, limit, ..LogSlice::default() }).await?;
            group.calm = found.len() < limit as usize && !found.iter().any(group::is_trouble);
        }
        Ok(groups)
    }

    /// As many lines of a level or a graver one as a window holds. The database finds candidates, the rule decides.
    async fn of_level(
        &self,
        of: LogOf<'_>,
        level: Level,
        place: Place,
        chunks: u32,
    ) -> Answer<(Vec<LogLine>, (bool, bool))> {
        let wanted = (chunks.max(1) * window::CHUNK) as usize;
        let from_end = matches!(place, Place::End | Place::Before(_));
        let mut after = match place {
            Place::From(line) => line.saturating_sub(1),
            Place::Around(line) => line.saturating_sub(window::CHUNK / 2),
            Place::End | Place::Before(_) => 0,
        };
        let mut before = match place {
            Place::Before(line) => Some(line),
            _ => None,
        };
        let (began, mut lines, mut over) = (after, Vec::new(), false);
        while !over && lines.len() <= wanted {
            let slice = LogSlice { after, before, from_end, like: level.needles(), limit: window::CHUNK * 4 };
            let candidates = self.world.logs.slice(of, &slice).await.map_err(store_fault)?;
            over = candidates.len() < slice.limit as usize;
            if from_end {
                before = candidates.first().map(|line| line.line);
            } else {
                after = candidates.last().map_or(after, |line| line.line);
            }
            let mut kept: Vec<LogLine> =
                candidates.into_iter().filter(|line| level::of(&ansi::plain(&line.text)) >= Some(level)).collect();
            if from_end {
                kept.append(&mut lines);
                lines = kept;
            } else {
                lines.append(&mut kept);
            }
        }
        let cut = lines.len().saturating_sub(wanted);
        if from_end {
            lines.drain(..cut);
            Ok((lines, (cut > 0, !matches!(place, Place::End))))
        } else {
            lines.truncate(wanted);
            Ok((lines, (began > 0, cut > 0)))
        }
    }

    pub(super) async fn execution(&self, id: &ExecutionId) -> Answer<Execution> {
        self.world.executions.get(id).await.map_err(store_fault)?.ok_or(ServiceError::NotFound("execution"))
    }
}

/// The attempt that is meant: the newest where none is named.
fn attempt_of(execution: &Execution, task: &str, attempt: Option<u32>) -> Answer<u32> {
    let newest = LogState::newest(execution, task).ok_or(ServiceError::NotFound("task"))?;
    let attempt = attempt.unwrap_or(newest);
    if attempt == 0 || attempt > newest {
        return Err(ServiceError::NotFound("attempt of this task"));
    }
    Ok(attempt)
}
