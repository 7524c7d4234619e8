//! The PipelineRun controller: from a run's objects to its next step. Each reconciliation reads everything anew and
//! decides; what it remembers is only when a run began, because the status keeps whole seconds.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::child;
use super::facts::{Child, Facts, Task};
use super::limits::Limits;
use super::resolve::{self, Fault, Pipeline};
use super::{PIPELINE_RUNS, TASK_RUNS, add_all, condition, is_done, names, provenance, report, set_condition};
use crate::api::{Api, Key};
use crate::manifests;
use crate::queue::Queue;
use crate::value::{owner, text};

const CANCELLED: &str = "TaskRun cancelled as the PipelineRun it belongs to has been cancelled.";
const TIMED_OUT: &str = "TaskRun cancelled as the PipelineRun it belongs to has timed out.";

struct Controller {
    api: Arc<Api>,
    queue: Arc<Queue<Key>>,
    /// When each running run, and its finally part, began: by uid.
    began: HashMap<String, (Instant, Option<Instant>)>,
}

/// Runs until it is dropped.
pub(crate) fn run(api: &Arc<Api>) -> impl Future<Output = ()> + Send + use<> {
    let queue = Arc::new(Queue::new());
    let feed = Arc::clone(&queue);
    api.observe(move |change| {
        let object = &change.object;
        match object.kind.qualified.as_str() {
            PIPELINE_RUNS => feed.push(object.key.clone()),
            TASK_RUNS => {
                if let Some(run) = object.labels.get("tekton.dev/pipelineRun") {
                    feed.push(Key::new(object.key.namespace.as_str(), run.as_str()));
                }
            }
            _ => {}
        }
    });
    let mut controller = Controller { api: Arc::clone(api), queue, began: HashMap::new() };
    async move {
        loop {
            let key = controller.queue.next().await;
            controller.api.faults.tekton_works().await;
            controller.reconcile(&key);
        }
    }
}

impl Controller {
    fn reconcile(&mut self, key: &Key) {
        let Some(run) = self.api.read(PIPELINE_RUNS, key) else { return };
        let uid = text(&run, "/metadata/uid").to_owned();
        if is_done(&run) || run["metadata"].get("deletionTimestamp").is_some() {
            self.began.remove(&uid);
            return;
        }
        let asked = text(&run, "/spec/status").to_owned();
        if asked == "PipelineRunPending" && run["status"].get("startTime").is_none() {
            let message = format!("PipelineRun \"{}\" is pending", key.name);
            self.write(key, |run, now| {
                set_condition(&mut run["status"], ("Unknown", "PipelineRunPending", &message), now);
            });
            return;
        }
        let run = self.start(key, run, &uid);
        if asked == "Cancelled" {
            self.cancel(key, &run);
            return;
        }
        match resolve::pipeline(&self.api, &run) {
            Ok(pipeline) => self.advance(key, &run, &uid, &pipeline),
            Err(fault) => self.fail(key, &fault),
        }
    }

    /// Sets the start once, and says so.
    fn start(&mut self, key: &Key, run: Value, uid: &str) -> Value {
        self.began.entry(uid.to_owned()).or_insert((Instant::now(), None));
        if run["status"].get("startTime").is_some() {
            return run;
        }
        let mut started = run;
        started["status"] = json!({"startTime": self.api.time.now()});
        set_condition(&mut started["status"], ("Unknown", "Started", ""), &self.api.time.now());
        report(&self.api, None, &started);
        let name = if started["spec"]["pipelineRef"].is_object() {
            text(&started, "/spec/pipelineRef/name").to_owned()
        } else {
            key.name.clone()
        };
        started["metadata"]["labels"]["tekton.dev/pipeline"] = name.into();
        started
    }

    /// Writes the run's status and reports a changed condition.
    fn write(&self, key: &Key, change: impl FnOnce(&mut Value, &str)) {
        let now = self.api.time.now();
        let mut before = None;
        let written = self.api.modify(PIPELINE_RUNS, key, |run| {
            before = Some(run.clone());
            change(run, &now);
        });
        if let (Some(before), Some(after)) = (before, written) {
            report(&self.api, condition(&before), &after.value());
        }
    }

    fn fail(&self, key: &Key, fault: &Fault) {
        self.write(key, |run, now| {
            begin(run, now);
            label(run, &key.name);
            if let Some(found) = &fault.found {
                add_all(&mut run["metadata"]["labels"], &found.labels);
                run["status"]["pipelineSpec"] = found.spec.clone();
            }
            run["status"]["provenance"] = provenance();
            set_condition(&mut run["status"], ("False", fault.reason, &fault.message), now);
            run["status"]["completionTime"] = now.into();
        });
    }

    fn cancel(&self, key: &Key, run: &Value) {
        for child in self.children(run) {
            self.stop_task_run(&child, CANCELLED);
        }
        let message = format!("PipelineRun \"{}\" was cancelled", key.name);
        self.write(key, |run, now| {
            begin(run, now);
            label(run, &key.name);
            set_condition(&mut run["status"], ("False", "Cancelled", &message), now);
            run["status"]["completionTime"] = now.into();
        });
    }

    fn children(&self, run: &Value) -> Vec<Value> {
        self.api.owned(text(run, "/metadata/uid"), TASK_RUNS).iter().map(|object| object.value()).collect()
    }

    fn stop_task_run(&self, task_run: &Value, why: &str) {
        if is_done(task_run) {
            return;
        }
        let key = Key::new(text(task_run, "/metadata/namespace"), text(task_run, "/metadata/name"));
        self.api.modify(TASK_RUNS, &key, |task_run| {
            task_run["spec"]["status"] = "TaskRunCancelled".into();
            task_run["spec"]["statusMessage"] = why.into();
        });
    }

    /// One step of a run that can run: start what may start, then write down where it stands.
    fn advance(&mut self, key: &Key, run: &Value, uid: &str, pipeline: &Pipeline) {
        let mut run = run.clone();
        add_all(&mut run["metadata"]["labels"], &pipeline.found.labels);
        add_all(&mut run["metadata"]["annotations"], &pipeline.found.annotations);
        let limits = self.limits(&run, uid);
        let mut facts = self.facts(&run, pipeline, &limits);
        if facts.asked == "CancelledRunFinally" && facts.running() {
            self.stop(&run, &facts, CANCELLED, |task| !task.is_final);
        }
        if limits.tasks.expired() && !limits.finally_began {
            self.stop(&run, &facts, TIMED_OUT, |task| !task.is_final);
        }
        if limits.finally.expired() && limits.finally_began {
            self.stop(&run, &facts, TIMED_OUT, |task| task.is_final);
        }
        if !limits.pipeline.expired() {
            self.claims(&run);
            self.start_next(&run, pipeline, &facts);
            facts = self.facts(&run, pipeline, &limits);
        }
        let final_began = facts.tasks.iter().any(|task| task.is_final && task.child.is_some());
        if let Some((_, finally)) = self.began.get_mut(uid)
            && final_began
        {
            finally.get_or_insert_with(Instant::now);
        }
        if limits.pipeline.expired() {
            self.stop(&run, &facts, TIMED_OUT, |_| true);
        }
        self.conclude(key, &run, pipeline, &facts, &limits, final_began);
        if let Some(wait) = self.limits(&run, uid).next() {
            self.queue.push_after(key.clone(), wait);
        }
    }

    fn stop(&self, run: &Value, facts: &Facts, why: &str, which: impl Fn(&Task) -> bool) {
        let children = self.children(run);
        for task in facts.tasks.iter().filter(|task| task.running() && which(task)) {
            let name = task.child.as_ref().map(|child| child.name.as_str()).unwrap_or_default();
            if let Some(child) = children.iter().find(|child| text(child, "/metadata/name") == name) {
                self.stop_task_run(child, why);
            }
        }
    }

    fn conclude(&self, key: &Key, run: &Value, pipeline: &Pipeline, facts: &Facts, limits: &Limits, final_began: bool) {
        let (mut state, mut reason, mut message) = facts.condition();
        if limits.pipeline.expired() {
            (state, reason) = ("False", "PipelineRunTimeout");
            message = format!("PipelineRun \"{}\" failed to finish within \"{}\"", key.name, limits.pipeline.text);
        } else if limits.tasks.expired() {
            (state, reason) = ("False", "PipelineRunTimeout");
            message = format!(
                "PipelineRun \"{}\" failed due to tasks failed to finish within \"{}\"",
                key.name, limits.tasks.text
            );
        }
        let mut promised = Vec::new();
        if state != "Unknown" {
            match resolve::results(&pipeline.found.spec, &facts.variables()) {
                Ok(results) => promised = results,
                // A run that failed anyway keeps its own reason.
                Err(missing) if state == "True" => {
                    (state, reason) = ("False", "CouldntGetPipelineResult");
                    message = format!(
                        "Failed to get PipelineResult from TaskRun Results for PipelineRun {}: invalid pipelineresults [{}], the \
                         referenced results don't exist",
                        key.name,
                        missing.join(" ")
                    );
                }
                Err(_) => {}
            }
        }
        self.write(key, |current, now| {
            add_all(&mut current["metadata"]["labels"], &run["metadata"]["labels"]);
            if run["metadata"]["annotations"].is_object() {
                add_all(&mut current["metadata"]["annotations"], &run["metadata"]["annotations"]);
            }
            begin(current, now);
            let status = &mut current["status"];
            status["provenance"] = provenance();
            status["pipelineSpec"] = pipeline.found.spec.clone();
            set_list(status, "childReferences", facts.children());
            set_list(status, "skippedTasks", facts.skipped());
            set_list(status, "results", promised);
            if final_began && status.get("finallyStartTime").is_none() {
                status["finallyStartTime"] = now.into();
            }
            set_condition(status, (state, reason, &message), now);
            if state != "Unknown" {
                status["completionTime"] = now.into();
            }
        });
    }

    fn facts(&self, run: &Value, pipeline: &Pipeline, limits: &Limits) -> Facts {
        let children = self.children(run);
        let child = |name: &str| {
            let found =
                children.iter().find(|child| text(child, "/metadata/labels/tekton.dev~1pipelineTask") == name)?;
            let (status, reason, _) = condition(found).unwrap_or(("Unknown", "", ""));
            Some(Child {
                name: text(found, "/metadata/name").to_owned(),
                succeeded: match status {
                    "True" => Some(true),
                    "False" => Some(false),
                    _ => None,
                },
                reason: reason.to_owned(),
                timed_out_with_run: text(found, "/spec/statusMessage") == TIMED_OUT,
                results: found["status"]["results"].as_array().cloned().unwrap_or_default(),
            })
        };
        let part = |name: &'static str, is_final: bool| {
            let tasks = pipeline.found.spec[name].as_array().into_iter().flatten();
            tasks.map(move |spec| Task { spec: spec.clone(), is_final, child: None })
        };
        let mut tasks: Vec<Task> = part("tasks", false).chain(part("finally", true)).collect();
        for task in &mut tasks {
            task.child = child(task.name());
        }
        Facts {
            name: text(run, "/metadata/name").to_owned(),
            tasks,
            graph: pipeline.graph.clone(),
            asked: text(run, "/spec/status").to_owned(),
            pipeline_timed_out: limits.pipeline.expired(),
            tasks_timed_out: limits.tasks.expired(),
            finally_timed_out: limits.finally.expired(),
            skips: std::cell::RefCell::default(),
        }
    }

    fn limits(&self, run: &Value, uid: &str) -> Limits {
        let (began, finally) = self.began.get(uid).copied().unwrap_or((Instant::now(), None));
        Limits::of(&run["spec"]["timeouts"], began, finally, &self.api.time)
    }

    /// Claims for the volume claim templates of the run.
    fn claims(&self, run: &Value) {
        for binding in run["spec"]["workspaces"].as_array().into_iter().flatten() {
            let Some(template) = binding.get("volumeClaimTemplate") else { continue };
            let name = names::claim(text(binding, "/name"), text(run, "/metadata/uid"));
            let namespace = text(run, "/metadata/namespace");
            if self.api.get("persistentvolumeclaims", &Key::new(namespace, name.as_str())).is_some() {
                continue;
            }
            let claim = json!({"metadata": {"name": name, "ownerReferences": [owner(run)]}, "spec": template["spec"]});
            manifests::create(&self.api, "persistentvolumeclaims", namespace, claim);
        }
    }

    fn start_next(&self, run: &Value, pipeline: &Pipeline, facts: &Facts) {
        let variables = facts.variables();
        for task in facts.next() {
            let mut spec = task.spec.clone();
            variables.apply(&mut spec);
            let task_run = child::task_run(run, pipeline, task, &spec);
            manifests::create(&self.api, TASK_RUNS, text(run, "/metadata/namespace"), task_run);
        }
    }
}

fn begin(run: &mut Value, now: &str) {
    if run["status"].get("startTime").is_none() {
        run["status"]["startTime"] = now.into();
    }
}

fn label(run: &mut Value, run_name: &str) {
    let name = run["spec"]["pipelineRef"]["name"].as_str().unwrap_or(run_name).to_owned();
    run["metadata"]["labels"]["tekton.dev/pipeline"] = name.into();
}

fn set_list(status: &mut Value, field: &str, list: Vec<Value>) {
    if list.is_empty() {
        if let Some(map) = status.as_object_mut() {
            map.remove(field);
        }
    } else {
        status[field] = list.into();
    }
}
