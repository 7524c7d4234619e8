//! What a PipelineRun's tasks add up to: which may start, which are skipped and why, and the run's condition, by the
//! rules of Tekton 1.12 (`pkg/reconciler/pipelinerun/resources`). Pure: it knows no store and no clock.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::{Value, json};

use super::graph::{self, Graph};
use super::substitute::{Variables, references};

/// A TaskRun, as far as the run's state depends on it.
#[derive(Debug, Clone)]
pub(crate) struct Child {
    pub(crate) name: String,
    /// `None` while it runs.
    pub(crate) succeeded: Option<bool>,
    pub(crate) reason: String,
    /// Cancelled because the whole run was out of time.
    pub(crate) timed_out_with_run: bool,
    pub(crate) results: Vec<Value>,
}

impl Child {
    fn cancelled(&self) -> bool {
        self.succeeded == Some(false) && self.reason == "TaskRunCancelled"
    }
}

/// A task of the pipeline, with its TaskRun once there is one.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// The pipeline task, parameters and contexts of the run filled in.
    pub(crate) spec: Value,
    pub(crate) is_final: bool,
    pub(crate) child: Option<Child>,
}

impl Task {
    pub(crate) fn name(&self) -> &str {
        graph::name(&self.spec)
    }

    fn succeeded(&self) -> Option<bool> {
        self.child.as_ref()?.succeeded
    }

    fn continues(&self) -> bool {
        self.spec["onError"] == "continue"
    }

    pub(crate) fn running(&self) -> bool {
        self.child.as_ref().is_some_and(|child| child.succeeded.is_none())
    }
}

/// Everything that decides what happens next in a run.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) name: String,
    pub(crate) tasks: Vec<Task>,
    pub(crate) graph: Graph,
    /// `spec.status`.
    pub(crate) asked: String,
    pub(crate) pipeline_timed_out: bool,
    pub(crate) tasks_timed_out: bool,
    pub(crate) finally_timed_out: bool,
    /// What is skipped, by task; a deep pipeline would otherwise ask again and again.
    pub(crate) skips: RefCell<HashMap<String, Option<&'static str>>>,
}

const STOPPING: &str = "PipelineRun was stopping";
const WHEN: &str = "When Expressions evaluated to false";

#[derive(Debug, Default)]
struct Counts {
    succeeded: usize,
    failed: usize,
    ignored: usize,
    cancelled: usize,
    skipped: usize,
    skipped_for_time: usize,
    incomplete: usize,
}

impl Facts {
    fn find(&self, name: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.name() == name)
    }

    fn stopping(&self) -> bool {
        self.tasks.iter().any(|task| !task.is_final && task.succeeded() == Some(false) && !task.continues())
    }

    pub(crate) fn running(&self) -> bool {
        self.tasks.iter().any(|task| !task.is_final && task.running())
    }

    /// Why a task will never run; `None` if it may.
    pub(crate) fn skip(&self, task: &Task) -> Option<&'static str> {
        if task.child.is_some() {
            return None;
        }
        if let Some(known) = self.skips.borrow().get(task.name()) {
            return *known;
        }
        let reason = if task.is_final { self.skip_final(task) } else { self.skip_ordinary(task) };
        self.skips.borrow_mut().insert(task.name().to_owned(), reason);
        reason
    }

    fn skip_ordinary(&self, task: &Task) -> Option<&'static str> {
        if self.stopping() {
            return Some(STOPPING);
        }
        match self.asked.as_str() {
            "CancelledRunFinally" => return Some("PipelineRun was gracefully cancelled"),
            "StoppedRunFinally" => return Some("PipelineRun was gracefully stopped"),
            _ => {}
        }
        let ready = self.parents_done(task);
        if ready && !self.allowed(task) {
            return Some(WHEN);
        }
        let parents = || self.graph.after(task.name()).filter_map(|name| self.find(name));
        if parents().any(|parent| self.skip(parent).is_some_and(|reason| reason != WHEN)) {
            return Some("Parent Tasks were skipped");
        }
        if ready && self.results_missing(task) {
            return Some("Results were missing");
        }
        if ready && self.pipeline_timed_out {
            return Some("PipelineRun timeout has been reached");
        }
        (ready && self.tasks_timed_out).then_some("PipelineRun Tasks timeout has been reached")
    }

    fn skip_final(&self, task: &Task) -> Option<&'static str> {
        if !self.ordinary_done() {
            return None;
        }
        if self.results_missing(task) {
            return Some("Results were missing");
        }
        if !self.allowed(task) {
            return Some(WHEN);
        }
        if self.pipeline_timed_out {
            return Some("PipelineRun timeout has been reached");
        }
        self.finally_timed_out.then_some("PipelineRun Finally timeout has been reached")
    }

    fn done(&self, task: &Task) -> bool {
        task.succeeded().is_some() || self.skip(task).is_some()
    }

    fn parents_done(&self, task: &Task) -> bool {
        self.graph.after(task.name()).filter_map(|name| self.find(name)).all(|parent| self.done(parent))
    }

    fn ordinary_done(&self) -> bool {
        self.tasks.iter().filter(|task| !task.is_final).all(|task| self.done(task))
    }

    fn results_missing(&self, task: &Task) -> bool {
        references(&task.spec, "tasks.").iter().any(|reference| {
            let Some((name, rest)) = reference.split_once('.') else { return false };
            let Some(result) = rest.strip_prefix("results.") else { return false };
            self.find(name).is_some_and(|parent| find_result(parent, result).is_none())
        })
    }

    /// `when`: every expression must hold.
    fn allowed(&self, task: &Task) -> bool {
        if task.spec.get("when").is_none() {
            return true;
        }
        let mut expressions = task.spec["when"].clone();
        // Only a final task may ask how all others went.
        let variables = if task.is_final { self.variables() } else { self.of_tasks() };
        variables.apply(&mut expressions);
        expressions.as_array().into_iter().flatten().all(|expression| {
            let inside = expression["values"].as_array().is_some_and(|values| values.contains(&expression["input"]));
            (expression["operator"] == "in") == inside
        })
    }

    /// Results and states of the tasks, for those that come later.
    pub(crate) fn variables(&self) -> Variables {
        let mut variables = self.of_tasks();
        variables.set("tasks.status", self.aggregate());
        variables
    }

    fn of_tasks(&self) -> Variables {
        let mut variables = Variables::default();
        for task in &self.tasks {
            let name = task.name();
            for result in task.child.iter().flat_map(|child| &child.results) {
                let result_name = result["name"].as_str().unwrap_or_default();
                variables.set(format!("tasks.{name}.results.{result_name}"), result["value"].clone());
            }
            if !task.is_final {
                let state = match task.succeeded() {
                    Some(true) => "Succeeded",
                    Some(false) => "Failed",
                    None => "None",
                };
                variables.set(format!("tasks.{name}.status"), state);
                let reason = task.child.as_ref().map_or("None", |child| child.reason.as_str());
                variables.set(format!("tasks.{name}.reason"), reason);
            }
        }
        variables
    }

    fn aggregate(&self) -> &'static str {
        let ordinary = || self.tasks.iter().filter(|task| !task.is_final);
        if !self.ordinary_done() {
            "None"
        } else if ordinary().any(|task| task.succeeded() == Some(false)) {
            "Failed"
        } else if ordinary().any(|task| self.skip(task).is_some()) {
            "Completed"
        } else {
            "Succeeded"
        }
    }

    /// The tasks that start now, in the pipeline's order.
    pub(crate) fn next(&self) -> Vec<&Task> {
        let waiting = |task: &&Task| task.child.is_none() && self.skip(task).is_none();
        if self.asked == "Cancelled" {
            return Vec::new();
        }
        let mut next: Vec<&Task> = self
            .tasks
            .iter()
            .filter(|task| !task.is_final)
            .filter(waiting)
            .filter(|task| self.parents_done(task))
            .collect();
        if self.ordinary_done() {
            next.extend(self.tasks.iter().filter(|task| task.is_final).filter(waiting));
        }
        next
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for task in &self.tasks {
            match &task.child {
                Some(child) if child.succeeded == Some(true) => counts.succeeded += 1,
                Some(child) if child.cancelled() && child.timed_out_with_run => counts.failed += 1,
                Some(child) if child.cancelled() => counts.cancelled += 1,
                Some(child) if child.succeeded == Some(false) && task.continues() => counts.ignored += 1,
                Some(child) if child.succeeded == Some(false) => counts.failed += 1,
                Some(_) => counts.incomplete += 1,
                None => match self.skip(task) {
                    Some(reason) => {
                        counts.skipped += 1;
                        counts.skipped_for_time += usize::from(reason.contains("timeout"));
                    }
                    None => counts.incomplete += 1,
                },
            }
        }
        counts
    }

    /// Status, reason and message of the condition `Succeeded`, unless the run is out of time.
    pub(crate) fn condition(&self) -> (&'static str, &'static str, String) {
        let counts = self.counts();
        let completed = counts.succeeded + counts.failed + counts.cancelled + counts.ignored;
        let graceful = matches!(self.asked.as_str(), "CancelledRunFinally" | "StoppedRunFinally");
        if counts.incomplete > 0 {
            let final_done = self.tasks.iter().filter(|task| task.is_final).all(|task| self.done(task));
            let reason = match self.asked.as_str() {
                "CancelledRunFinally" => "CancelledRunningFinally",
                "StoppedRunFinally" => "StoppedRunningFinally",
                _ if counts.cancelled > 0 || counts.failed > 0 && final_done => "PipelineRunStopping",
                _ => "Running",
            };
            let message = format!(
                "Tasks Completed: {completed} (Failed: {}, Cancelled {}), Incomplete: {}, Skipped: {}",
                counts.failed, counts.cancelled, counts.incomplete, counts.skipped
            );
            return ("Unknown", reason, message);
        }
        let failed = if counts.ignored > 0 {
            format!("{} (Ignored: {})", counts.failed + counts.ignored, counts.ignored)
        } else {
            counts.failed.to_string()
        };
        let message = format!(
            "Tasks Completed: {completed} (Failed: {failed}, Cancelled {}), Skipped: {}",
            counts.cancelled, counts.skipped
        );
        if counts.failed > 0 || counts.skipped_for_time > 0 {
            ("False", "Failed", message)
        } else if graceful {
            ("False", "Cancelled", format!("PipelineRun \"{}\" was cancelled", self.name))
        } else if counts.cancelled > 0 {
            ("False", "Cancelled", message)
        } else if counts.skipped > 0 {
            ("True", "Completed", message)
        } else {
            ("True", "Succeeded", message)
        }
    }

    /// `status.skippedTasks`.
    pub(crate) fn skipped(&self) -> Vec<Value> {
        let skipped = self.tasks.iter().filter_map(|task| {
            let reason = self.skip(task)?;
            let mut entry = json!({"name": task.name(), "reason": reason});
            if reason == WHEN || !task.is_final && task.spec.get("when").is_some() {
                entry["whenExpressions"] = task.spec["when"].clone();
            }
            Some(entry)
        });
        skipped.collect()
    }

    /// `status.childReferences`.
    pub(crate) fn children(&self) -> Vec<Value> {
        let children = self.tasks.iter().filter_map(|task| {
            let child = task.child.as_ref()?;
            let mut reference = json!({"apiVersion": "tekton.dev/v1", "kind": "TaskRun", "name": child.name, "pipelineTaskName": task.name()});
            if let Some(when) = task.spec.get("when") {
                reference["whenExpressions"] = when.clone();
            }
            Some(reference)
        });
        children.collect()
    }
}

fn find_result(task: &Task, name: &str) -> Option<Value> {
    let results = &task.child.as_ref()?.results;
    results.iter().find(|result| result["name"] == name).map(|result| result["value"].clone())
}

#[cfg(test)]
mod tests;
