//! In-memory stores with the rules of `domain`, a journal of what was written, and a switch that takes the database down.

use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    decision::Decision,
    execution::{
        ActionRecord, Assessment, Execution, ExecutionLine, ExecutionState, ExecutionSubject, LogLine, Progress, Stage,
        Standing, Task, TaskState,
    },
    identity::Actor,
    ids::{ActorId, Digest, ExecutionId},
    observation::{Changed, Observation, merge},
    paging::{Page, PageOf},
    policy::{Concurrency, InTheWay},
    ports::{ActionFilter, Clock, ExecutionFilter, ExecutionStore, Permit, StoreError, StoredTicket},
    recommendation::{Recommendation, ResourceRef, Severity},
    target::kinds::Spot,
    ticket::{Plan, Ticket},
    time::Timestamp,
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};
use tokio::time::Instant;

/// A clock that begins at a fixed time and can be put forward.
pub struct TestClock {
    began: Instant,
    ahead_ms: AtomicI64,
}

impl TestClock {
    pub fn new() -> Self {
        Self { began: Instant::now(), ahead_ms: AtomicI64::new(0) }
    }

    pub fn ms(&self) -> i64 {
        let base = Timestamp::parse("2026-11-23T03:00:00Z").unwrap().as_millis();
        base + i64::try_from(self.began.elapsed().as_millis()).unwrap() + self.ahead_ms.load(Ordering::SeqCst)
    }

    pub fn forward_ms(&self, ms: i64) {
        self.ahead_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.ms())
    }
}

/// What happened, in order, in the store and on the wire.
#[derive(Default)]
pub struct Journal(Mutex<Vec<String>>);

impl Journal {
    pub fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn count(&self, what: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|line| line.contains(what)).count()
    }
}

#[derive(Default)]
pub(super) struct State {
    executions: BTreeMap<ExecutionId, Execution>,
    pub(super) tickets: HashMap<Digest, StoredTicket>,
    logs: HashMap<(ExecutionId, String, u32), Vec<LogLine>>,
    whole_logs: HashSet<(ExecutionId, String, u32)>,
    pub(super) recommendations: HashMap<String, Recommendation>,
    pub(super) decisions: Vec<Decision>,
    epochs: HashMap<ExecutionId, i64>,
}

/// Both stores.
pub struct FakeStore {
    state: Mutex<State>,
    clock: Arc<TestClock>,
    /// How far the database's clock is ahead of the process's.
    pub ahead_ms: AtomicI64,
    pub journal: Arc<Journal>,
    pub down: AtomicBool,
    /// Only the archive of the logs is away.
    pub logs_down: AtomicBool,
    /// Another run is in the way of every start.
    pub busy: AtomicBool,
}

impl FakeStore {
    pub fn new(clock: Arc<TestClock>, journal: Arc<Journal>) -> Self {
        Self {
            state: Mutex::default(),
            clock,
            ahead_ms: AtomicI64::new(0),
            journal,
            down: AtomicBool::new(false),
            logs_down: AtomicBool::new(false),
            busy: AtomicBool::new(false),
        }
    }

    /// By the database's clock.
    fn now(&self) -> Timestamp {
        self.clock.now().plus_ms(self.ahead_ms.load(Ordering::SeqCst))
    }

    /// Why a run may not start; none if it may.
    fn refusal(&self, execution: Option<&Execution>) -> Option<Permit> {
        let held =
            |e: &&Execution| e.state == ExecutionState::Pending && matches!(e.stage, Stage::Created | Stage::Started);
        match execution.filter(held) {
            None => Some(Permit::Over),
            Some(e) if e.cancel_requested => Some(Permit::Cancelled),
            Some(e) if self.now() >= e.expires_at => Some(Permit::Expired),
            Some(_) if self.busy.load(Ordering::SeqCst) => Some(Permit::Busy),
            Some(_) => None,
        }
    }

    /// As another replica would that ends a run.
    pub fn conclude(&self, id: &ExecutionId, state: ExecutionState) {
        let mut all = self.state.lock().unwrap();
        let execution = all.executions.get_mut(id).unwrap();
        (execution.state, execution.stage) = (state, Stage::Ended);
    }

    /// As another replica would that begins a try at starting a run.
    pub fn begin_another_try(&self, id: &ExecutionId) {
        *self.state.lock().unwrap().epochs.entry(id.clone()).or_insert(0) += 1;
    }

    pub(super) fn state(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("the test took it down".into()));
        }
        Ok(self.state.lock().unwrap())
    }

    fn archive(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        if self.logs_down.load(Ordering::SeqCst) {
            return Err(StoreError::Failed("the test took the archive down".into()));
        }
        self.state()
    }

    /// What an approval leaves behind: the ticket and a claimed execution with every task.
    pub fn approve(&self, ticket: &Ticket, open_for_ms: i64) -> ExecutionId {
        let mut state = self.state.lock().unwrap();
        let id = ExecutionId::new(format!("exec-{}", state.executions.len() + 1));
        let now = self.clock.now();
        state.tickets.insert(
            ticket.digest().clone(),
            StoredTicket {
                digest: ticket.digest().clone(),
                canonical: ticket.canonical().to_owned(),
                recommendation_id: ticket.content().recommendation_id.clone(),
                made_by: actor(),
                made_at: now,
            },
        );
        let execution = Execution {
            subject: subject(&id, ticket),
            state: ExecutionState::Pending,
            stage: Stage::Claimed,
            revision: 1,
            reason: None,
            message: None,
            uid: None,
            run_uid: None,
            approved_by: vec![actor()],
            created_at: now,
            expires_at: now.plus_ms(open_for_ms),
            started_at: None,
            finished_at: None,
            cancel_requested: false,
            assessment: Assessment::NotAssessed,
            tasks: tasks(ticket),
            warnings: vec![],
        };
        state.executions.insert(id.clone(), execution);
        id
    }

    /// Changes a stored ticket behind everybody's back.
    pub fn tamper_ticket(&self, digest: &Digest, from: &str, to: &str) {
        let mut state = self.state.lock().unwrap();
        let ticket = state.tickets.get_mut(digest).unwrap();
        assert!(ticket.canonical.contains(from));
        ticket.canonical = ticket.canonical.replace(from, to);
    }

    /// Makes the row disagree with its ticket.
    pub fn move_execution(&self, id: &ExecutionId, cluster: &str, namespace: &str) {
        let mut state = self.state.lock().unwrap();
        let subject = &mut state.executions.get_mut(id).unwrap().subject;
        subject.cluster = cluster.into();
        subject.namespace = namespace.into();
    }

    pub fn ask_to_cancel(&self, id: &ExecutionId) {
        self.state.lock().unwrap().executions.get_mut(id).unwrap().cancel_requested = true;
    }

    pub fn execution(&self, id: &ExecutionId) -> Execution {
        self.state.lock().unwrap().executions[id].clone()
    }

    pub fn log_of(&self, id: &ExecutionId, task: &str, attempt: u32) -> Vec<LogLine> {
        let key = (id.clone(), task.to_owned(), attempt);
        self.state.lock().unwrap().logs.get(&key).cloned().unwrap_or_default()
    }

    pub fn log_is_whole(&self, id: &ExecutionId, task: &str, attempt: u32) -> bool {
        self.state.lock().unwrap().whole_logs.contains(&(id.clone(), task.to_owned(), attempt))
    }

    pub fn put_recommendation(&self, uid: &str, recommendation: Recommendation) {
        self.state.lock().unwrap().recommendations.insert(uid.to_owned(), recommendation);
    }

    pub fn put_decision(&self, decision: Decision) {
        self.state.lock().unwrap().decisions.push(decision);
    }
}

pub fn actor() -> Actor {
    Actor::new(ActorId::new("user:ada"), "Ada")
}

fn subject(id: &ExecutionId, ticket: &Ticket) -> ExecutionSubject {
    let content = ticket.content();
    ExecutionSubject {
        id: id.clone(),
        recommendation_id: content.recommendation_id.clone(),
        strategy: content.strategy,
        ticket_digest: ticket.digest().clone(),
        name: ticket.name(),
        cluster: content.cluster.clone(),
        sandbox: true,
        namespace: content.namespace.clone(),
        incident_id: content.incident_id.clone(),
        signal_type: "OOMKilled".into(),
        severity: Severity::High,
        environment: None,
        resource: None,
        acts_on: None,
        workflow_id: None,
        version: None,
        action_type: content.action_type.clone(),
        model: None,
        prompt_version: None,
        confidence: None,
        title: "a run".into(),
    }
}

fn tasks(ticket: &Ticket) -> Vec<Task> {
    let names: Vec<(String, Vec<String>)> = match &ticket.content().plan {
        Plan::Playbook { .. } => vec![("execute".into(), vec![])],
        Plan::Steps { steps, .. } => steps.iter().map(|s| (s.name.clone(), s.run_after.clone())).collect(),
    };
    let task = |(name, run_after)| Task {
        name,
        state: TaskState::Pending,
        reason: None,
        message: None,
        run_after,
        finally: false,
        attempts: vec![],
        queued_ms: None,
        pulling_ms: None,
        running_ms: None,
        started_at: None,
        finished_at: None,
        results: serde_json::Map::new(),
        parameters: serde_json::Map::new(),
        ticket: ticket.digest().clone(),
    };
    names.into_iter().map(task).collect()
}

#[async_trait]
impl ExecutionStore for FakeStore {
    async fn get(&self, id: &ExecutionId) -> Result<Option<Execution>, StoreError> {
        Ok(self.state()?.executions.get(id).cloned())
    }

    async fn by_name(&self, cluster: &str, name: &str) -> Result<Option<Execution>, StoreError> {
        let state = self.state()?;
        let found = state.executions.values().rev().find(|e| e.subject.cluster == cluster && e.subject.name == name);
        Ok(found.cloned())
    }

    async fn list(&self, _: &ExecutionFilter, _: &Page) -> Result<PageOf<Execution>, StoreError> {
        Ok(PageOf::default())
    }

    async fn lines(&self, _: &ExecutionFilter, _: &Page) -> Result<PageOf<ExecutionLine>, StoreError> {
        Ok(PageOf::default())
    }

    async fn last_ended(&self, many: u32) -> Result<Vec<ExecutionLine>, StoreError> {
        let state = self.state()?;
        let mut ended: Vec<&Execution> = state.executions.values().filter(|e| e.state.ended()).collect();
        ended.sort_by_key(|e| std::cmp::Reverse(e.finished_at));
        let line = |e: &Execution| ExecutionLine {
            execution: Execution { tasks: Vec::new(), ..e.clone() },
            progress: Progress::default(),
        };
        Ok(ended.into_iter().take(many as usize).map(line).collect())
    }

    async fn standing(&self) -> Result<Standing, StoreError> {
        Ok(Standing::default())
    }

    async fn newest_on(&self, _: &[(&str, &ResourceRef)], _: Timestamp) -> Result<Vec<Execution>, StoreError> {
        Ok(Vec::new())
    }

    async fn in_the_way(&self, _: &str, _: &[Spot], _: Concurrency) -> Result<Option<InTheWay>, StoreError> {
        Ok(None)
    }

    async fn unfinished(&self, cluster: &str) -> Result<Vec<Execution>, StoreError> {
        let state = self.state()?;
        self.journal.note("store: all that is unfinished");
        let unfinished = state.executions.values().filter(|e| e.subject.cluster == cluster && !e.state.ended());
        Ok(unfinished.cloned().collect())
    }

    async fn due(&self, cluster: &str) -> Result<Vec<Execution>, StoreError> {
        let state = self.state().inspect_err(|_| self.journal.note("store: away when asked what is due"))?;
        let due = |e: &&Execution| {
            e.subject.cluster == cluster
                && e.stage != Stage::Ended
                && (e.state == ExecutionState::Pending || e.cancel_requested)
        };
        Ok(state.executions.values().filter(due).map(|e| Execution { tasks: vec![], ..e.clone() }).collect())
    }

    async fn take_claim(&self, id: &ExecutionId) -> Result<Option<i64>, StoreError> {
        let mut state = self.state()?;
        let now = self.now();
        let may = state
            .executions
            .get(id)
            .is_some_and(|e| e.stage == Stage::Claimed && now < e.expires_at && !e.cancel_requested);
        self.journal.note(format!("store: claim {id} {}", if may { "given" } else { "refused" }));
        if !may {
            return Ok(None);
        }
        let epoch = state.epochs.entry(id.clone()).or_insert(0);
        *epoch += 1;
        Ok(Some(*epoch))
    }

    async fn begin_start(&self, id: &ExecutionId) -> Result<Permit, StoreError> {
        let mut state = self.state()?;
        if let Some(refused) = self.refusal(state.executions.get(id)) {
            return Ok(refused);
        }
        let epoch = state.epochs.entry(id.clone()).or_insert(0);
        *epoch += 1;
        Ok(Permit::Given(*epoch))
    }

    async fn may_start(&self, id: &ExecutionId, epoch: i64, run_uid: &str) -> Result<Permit, StoreError> {
        let mut state = self.state()?;
        let refused = self.refusal(state.executions.get(id));
        let overtaken = (state.epochs.get(id) != Some(&epoch)).then_some(Permit::Overtaken);
        let permit = refused.or(overtaken).unwrap_or(Permit::Given(epoch));
        self.journal.note(format!("store: permit {id} {permit:?}"));
        if permit == Permit::Given(epoch)
            && let Some(execution) = state.executions.get_mut(id).filter(|e| e.stage == Stage::Created)
        {
            execution.stage = Stage::Started;
            execution.revision += 1;
            execution.run_uid.get_or_insert_with(|| run_uid.to_owned());
            self.journal.note(format!("store: {id} started pending"));
        }
        Ok(permit)
    }

    async fn observe(&self, id: &ExecutionId, seen: Observation) -> Result<Changed, StoreError> {
        let mut state = self.state()?;
        let execution = state.executions.get_mut(id).expect("an execution that exists");
        let before = execution.stage;
        let changed = merge(execution, seen);
        if execution.stage != before {
            self.journal.note(format!("store: {id} {} {}", execution.stage, execution.state));
        }
        Ok(changed)
    }

    async fn request_cancel(&self, id: &ExecutionId, _: AuditEntry) -> Result<bool, StoreError> {
        self.ask_to_cancel(id);
        Ok(true)
    }

    async fn append_log(
        &self,
        id: &ExecutionId,
        task: &str,
        attempt: u32,
        lines: &[LogLine],
    ) -> Result<(), StoreError> {
        let mut state = self.archive()?;
        let log = state.logs.entry((id.clone(), task.to_owned(), attempt)).or_default();
        for line in lines {
            let at = line.line as usize - 1;
            assert!(at <= log.len(), "log lines are numbered without gaps");
            match log.get(at) {
                Some(known) => assert_eq!(known, line, "who archives the same log numbers it the same"),
                None => log.push(line.clone()),
            }
        }
        Ok(())
    }

    async fn log(
        &self,
        id: &ExecutionId,
        task: &str,
        attempt: u32,
        since_line: u32,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError> {
        drop(self.archive()?);
        let log = self.log_of(id, task, attempt);
        Ok(log.into_iter().filter(|line| line.line > since_line).take(limit as usize).collect())
    }

    async fn close_log(&self, id: &ExecutionId, task: &str, attempt: u32) -> Result<(), StoreError> {
        self.archive()?.whole_logs.insert((id.clone(), task.to_owned(), attempt));
        Ok(())
    }

    async fn log_closed(&self, id: &ExecutionId, task: &str, attempt: u32) -> Result<bool, StoreError> {
        Ok(self.archive()?.whole_logs.contains(&(id.clone(), task.to_owned(), attempt)))
    }

    async fn actions(&self, _: &ActionFilter, _: &Page) -> Result<PageOf<ActionRecord>, StoreError> {
        Ok(PageOf::default())
    }

    async fn import(&self, _: &[Execution]) -> Result<(), StoreError> {
        Ok(())
    }
}
