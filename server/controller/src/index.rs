//! What the watches have shown of the runs that matter: those that the store has and that have not ended. Synchronous and
//! pure: objects go in, names to look at and readings come out. It makes no call and knows neither clock nor store.

mod owners;
mod warned;

pub use warned::Warnings;

use self::owners::{About, Owners};
use crate::{
    objects::{Child, PipelineRun, Pod, TaskRun, Warned},
    observe,
};
use domain::{
    execution::{Execution, Stage, Task},
    ids::{Digest, ExecutionId},
    observation::Observation,
    playbook::OutputDeclaration,
    time::Timestamp,
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What the console knows of a run that it follows.
#[derive(Clone, Debug)]
pub struct Tracked {
    /// The execution.
    pub id: ExecutionId,
    /// Uid of its WorkflowExecution: a PipelineRun of another owner is not its own.
    pub uid: Option<String>,
    /// Uid of its PipelineRun, once seen: another one under the name is not its own.
    pub run_uid: Option<String>,
    /// The ticket it runs under.
    pub digest: Digest,
    /// Whether the PipelineRun was there already.
    pub started: bool,
    /// What the playbook must report.
    pub outputs: Vec<OutputDeclaration>,
    /// Of the whole run, milliseconds.
    pub timeout_ms: u64,
}

impl Tracked {
    /// From the stored execution and its ticket.
    pub fn new(execution: &Execution, content: &domain::ticket::TicketContent) -> Self {
        let outputs = match &content.plan {
            domain::ticket::Plan::Playbook { outputs, .. } => outputs.clone(),
            domain::ticket::Plan::Steps { .. } => Vec::new(),
        };
        Self {
            id: execution.subject.id.clone(),
            uid: execution.uid.clone(),
            run_uid: execution.run_uid.clone(),
            digest: execution.subject.ticket_digest.clone(),
            started: execution.stage == Stage::Started,
            outputs,
            timeout_ms: content.timeout_ms,
        }
    }

    /// Whether this PipelineRun is the run's own: its ticket, its owner, and the very object that was seen first.
    pub fn owns(&self, object: &PipelineRun) -> bool {
        object.digest.as_deref() == Some(self.digest.as_str())
            && self.uid.is_some()
            && object.owner_uid == self.uid
            && self.run_uid.as_ref().is_none_or(|uid| object.uid == *uid)
    }

    /// Whether its PipelineRun has been there: that it is not there now is a question.
    const fn had_run(&self) -> bool {
        self.started || self.run_uid.is_some()
    }
}

/// Whether a run is ours to follow.
#[derive(Clone, Debug, Default)]
pub enum Known {
    /// Nobody looked it up yet.
    #[default]
    Unknown,
    /// The store has no such run.
    Foreign,
    /// Ours.
    Tracked(Box<Tracked>),
}

/// A run with its objects.
#[derive(Debug, Default)]
struct Run {
    known: Known,
    object: Option<PipelineRun>,
    /// The watch says that its PipelineRun is gone; only a direct question settles it.
    vanished: bool,
    /// Its PipelineRun has lost the label that the watch selects by: only questions tell how it goes on.
    unwatched: bool,
    /// The object is the answer to a question, and has not been read yet.
    answered: bool,
    task_runs: BTreeMap<String, TaskRun>,
    /// TaskRuns that were asked for directly after the run's end: what is known of them now is all there is.
    asked: HashSet<String>,
    pods: HashMap<String, Pod>,
    /// What the store was told last, so that only what changed is told again.
    told: Option<Observation>,
}

impl Run {
    fn put(&mut self, object: TaskRun) {
        match self.task_runs.get_mut(&object.name) {
            Some(known) => known.renew(object),
            None => drop(self.task_runs.insert(object.name.clone(), object)),
        }
    }

    fn saw_end_of(&self, child: &Child) -> bool {
        self.task_runs.get(&child.name).is_some_and(TaskRun::ended)
    }

    /// Uids of all its objects, as far as they were seen.
    fn uids(&self) -> impl Iterator<Item = &str> {
        let own = self.object.iter().map(|object| object.uid.as_str());
        own.chain(self.task_runs.values().map(|t| t.uid.as_str())).chain(self.pods.values().map(|p| p.uid.as_str()))
    }

    fn claims(&self) -> impl Iterator<Item = &str> {
        self.pods.values().flat_map(|pod| &pod.claims).map(String::as_str)
    }
}

/// All runs.
#[derive(Debug, Default)]
pub struct Index {
    runs: HashMap<String, Run>,
    /// A list of all TaskRuns has been complete: one that is not here was not there.
    task_runs_listed: bool,
    /// What Kubernetes warned of.
    warned: Warnings,
    /// Whose the objects are that it warns of.
    owners: Owners,
}

/// What to do about a run.
#[derive(Debug)]
pub enum Look {
    /// Nothing: it is not ours, or has ended.
    Nothing,
    /// It is followed, and there is nothing to read yet.
    Wait,
    /// Look it up in the store.
    AskStore,
    /// Ask the API server whether its PipelineRun is really gone.
    Confirm(Box<Tracked>),
    /// Tell the store.
    Tell(Box<Tracked>, Box<Reading>),
}

/// A reading to be told.
#[derive(Debug)]
pub struct Reading {
    /// The whole of it.
    pub whole: Observation,
    /// Only what the store has not been told yet.
    pub news: Option<Observation>,
    /// When the PipelineRun was created.
    pub created_at: Option<Timestamp>,
    /// It was let go, and Tekton has not begun with it as far as was seen.
    pub untaken: bool,
    /// The PipelineRun has ended, and these TaskRuns of it have not been seen to. What they reported would be missing.
    pub unseen: Vec<String>,
    /// A list of the TaskRuns has been complete, so that the unseen ones are not just still to come.
    pub listed: bool,
}

impl Index {
    /// Follows a run. Objects that came before are kept, and what is known of its PipelineRun is not forgotten.
    pub fn track(&mut self, name: &str, mut tracked: Tracked) {
        let run = self.runs.entry(name.to_owned()).or_default();
        if let Known::Tracked(known) = &run.known
            && known.id == tracked.id
        {
            tracked.started |= known.started;
            tracked.run_uid = tracked.run_uid.or_else(|| known.run_uid.clone());
        }
        run.known = Known::Tracked(Box::new(tracked));
    }

    /// Notes which PipelineRun was made for the run.
    pub fn started(&mut self, name: &str, uid: &str) {
        if let Some(Run { known: Known::Tracked(tracked), .. }) = self.runs.get_mut(name) {
            tracked.started = true;
            tracked.run_uid.get_or_insert_with(|| uid.to_owned());
        }
    }

    /// Whether the run is followed.
    pub fn is_tracked(&self, name: &str) -> bool {
        self.runs.get(name).is_some_and(|run| matches!(run.known, Known::Tracked(_)))
    }

    /// Whether only questions tell how the run goes on.
    pub fn is_unwatched(&self, name: &str) -> bool {
        self.runs.get(name).is_some_and(|run| run.unwatched)
    }

    /// Asks for a direct question about a run's PipelineRun: no watch has shown it here.
    pub fn doubt(&mut self, name: &str) {
        if let Some(run) = self.runs.get_mut(name).filter(|run| run.object.is_none()) {
            run.vanished = true;
        }
    }

    /// Notes that the store has no such run.
    pub fn foreign(&mut self, name: &str) {
        if let Some(run) = self.runs.get_mut(name) {
            *run = Run { known: Known::Foreign, ..Run::default() };
        }
    }

    /// Drops a run that has ended.
    pub fn forget(&mut self, name: &str) {
        if let Some(run) = self.runs.remove(name) {
            self.warned.forget(run.uids(), run.claims());
            self.owners.forget(name);
        }
    }

    /// The run to put an object into: none when nobody needs it.
    fn home(&mut self, name: &str, ended: bool) -> Option<&mut Run> {
        if name.is_empty() {
            return None;
        }
        // What has ended and is followed by nobody is history: the store has it.
        if ended && !self.runs.contains_key(name) {
            return None;
        }
        let run = self.runs.entry(name.to_owned()).or_default();
        (!matches!(run.known, Known::Foreign)).then_some(run)
    }

    /// A PipelineRun is there. The name to look at, if any.
    pub fn pipeline_run(&mut self, object: PipelineRun) -> Option<String> {
        // Somebody may label another PipelineRun as ours; the run's own has the run's name.
        if object.workflow != object.name {
            return None;
        }
        let name = object.name.clone();
        let run = self.home(&name, object.ended())?;
        let own_uid = if let Known::Tracked(tracked) = &run.known { tracked.run_uid.as_ref() } else { None };
        // Another one stands under the name: what its own was stays to be read, whether it is gone is to be asked.
        run.vanished = own_uid.is_some_and(|uid| *uid != object.uid);
        run.unwatched = false;
        if !run.vanished {
            run.object = Some(object);
        }
        Some(name)
    }

    /// A PipelineRun was deleted; its last state came along.
    pub fn pipeline_run_gone(&mut self, object: PipelineRun) -> Option<String> {
        let name = object.name.clone();
        let run = self.runs.get_mut(&name)?;
        if matches!(run.known, Known::Foreign) {
            self.runs.remove(&name);
            return None;
        }
        if run.object.as_ref().is_none_or(|known| known.uid == object.uid) {
            run.object = Some(object);
            run.vanished = true;
        }
        Some(name)
    }

    /// A list of all PipelineRuns is complete. Those that we follow and that are not in it may be gone.
    pub fn pipeline_runs_listed(&mut self, listed: &HashSet<String>) -> Vec<String> {
        let mut names = Vec::new();
        for (name, run) in &mut self.runs {
            if let Known::Tracked(tracked) = &run.known
                && !listed.contains(name)
                && (run.object.is_some() || tracked.started)
            {
                run.vanished = true;
                names.push(name.clone());
            }
        }
        self.runs.retain(|name, run| !matches!(run.known, Known::Foreign) || listed.contains(name));
        names
    }

    /// A TaskRun is there.
    pub fn task_run(&mut self, object: TaskRun) -> Option<String> {
        let name = object.workflow.clone();
        let run = self.home(&name, object.ended())?;
        run.put(object);
        Some(name)
    }

    /// A list of all TaskRuns is complete. The names of the runs that may have waited for it.
    pub fn task_runs_listed(&mut self) -> Vec<String> {
        self.task_runs_listed = true;
        let ended = |run: &Run| run.object.as_ref().is_some_and(PipelineRun::ended);
        self.runs.iter().filter(|(_, run)| ended(run)).map(|(name, _)| name.clone()).collect()
    }

    /// The API server's own answer to where a TaskRun of an ended run is: what it says is all that will be known.
    pub fn task_run_asked(&mut self, name: &str, child: &str, object: Option<TaskRun>) {
        let Some(run) = self.runs.get_mut(name) else { return };
        run.asked.insert(child.to_owned());
        if let Some(object) = object {
            run.put(object);
        }
    }

    /// A pod is there.
    pub fn pod(&mut self, object: Pod) -> Option<String> {
        let name = object.workflow.clone();
        let run = self.home(&name, object.ended)?;
        run.pods.insert(object.name.clone(), object);
        Some(name)
    }

    /// Kubernetes warned of something. The name to look at, if it is new and of a run whose object was looked at: the first look at an
    /// object finds what came before.
    pub fn warned(&mut self, told: Warned) -> Option<String> {
        let Warned { uid, warning } = told;
        let about = About::of(&uid, &warning);
        if !self.warned.put(&uid, warning) {
            return None;
        }
        self.warned.bound(|about| self.owners.run(about).is_some());
        self.owners.run(&about).map(str::to_owned)
    }

    /// What to do about a run now.
    pub fn look(&mut self, name: &str) -> Look {
        let Some(run) = self.runs.get_mut(name) else { return Look::Nothing };
        let tracked = match &mut run.known {
            Known::Foreign => return Look::Nothing,
            Known::Unknown => return Look::AskStore,
            Known::Tracked(tracked) => tracked,
        };
        let Some(object) = run.object.as_ref().filter(|object| tracked.owns(object)) else {
            // Before its start another's object may bear the name; the reconciler finds that out and says so.
            return if tracked.had_run() { Look::Confirm(tracked.clone()) } else { Look::Wait };
        };
        tracked.run_uid.get_or_insert_with(|| object.uid.clone());
        let tracked = tracked.clone();
        let stale = run.vanished || (run.unwatched && !std::mem::take(&mut run.answered));
        if stale && !object.ended() {
            return Look::Confirm(tracked);
        }
        let uids = run.uids().map(|uid| About::Uid(uid.to_owned()));
        self.owners.own(name, uids.chain(run.claims().map(|claim| About::Claim(claim.to_owned()))));
        let mut whole = observe::reading(object, run.task_runs.values(), &run.pods, &self.warned, &tracked.digest);
        observe::validate_outputs(&mut whole, &tracked.outputs);
        let news = news(&whole, run.told.as_ref());
        let seen = |child: &&Child| run.asked.contains(&child.name) || run.saw_end_of(child);
        let unseen = if whole.state.ended() {
            object.children.iter().filter(|child| !seen(child)).map(|child| child.name.clone()).collect()
        } else {
            Vec::new()
        };
        let reading = Reading {
            whole,
            news,
            created_at: object.created_at,
            untaken: object.untaken(),
            unseen,
            listed: self.task_runs_listed,
        };
        Look::Tell(tracked, Box::new(reading))
    }

    /// The store has been told this reading.
    pub fn told(&mut self, name: &str, reading: Observation) {
        if let Some(run) = self.runs.get_mut(name) {
            run.told = Some(reading);
        }
    }

    /// A direct question showed the PipelineRun after all.
    pub fn found(&mut self, object: PipelineRun) {
        if let Some(run) = self.runs.get_mut(&object.name) {
            run.vanished = false;
            run.unwatched = object.workflow != object.name;
            run.answered = true;
            run.object = Some(object);
        }
    }
}

/// What of `whole` the store was not told: only the tasks that differ; nothing when all is known.
fn news(whole: &Observation, told: Option<&Observation>) -> Option<Observation> {
    let Some(told) = told else { return Some(whole.clone()) };
    let known: HashMap<&str, &Task> = told.tasks.iter().map(|task| (task.name.as_str(), task)).collect();
    let fresh = |task: &&Task| known.get(task.name.as_str()).is_none_or(|known| known != task);
    let tasks: Vec<Task> = whole.tasks.iter().filter(fresh).cloned().collect();
    let with = |of: &Observation, tasks| Observation {
        tasks,
        reason: of.reason.clone(),
        message: of.message.clone(),
        uid: of.uid.clone(),
        run_uid: of.run_uid.clone(),
        warnings: of.warnings.clone(),
        ..*of
    };
    let nothing = tasks.is_empty() && with(whole, Vec::new()) == with(told, Vec::new());
    (!nothing).then(|| with(whole, tasks))
}

#[cfg(test)]
mod tests;
