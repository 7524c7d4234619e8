//! The TaskRun controller: a TaskRun becomes a pod, the pod's state becomes its status; retries, limits, cancellation.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::graph::name;
use super::podstatus::{self, Verdict};
use super::substitute::Variables;
use super::{TASK_RUNS, add_all, condition, is_done, pod, provenance, report, resolve, set_condition};
use crate::api::{Api, ApiError, DeleteOptions, Key, Write};
use crate::faults::Effect;
use crate::queue::Queue;
use crate::registry::Registry;
use crate::time;
use crate::value::{list, text};

/// World milliseconds after which a pod that met a quota is tried again.
const QUOTA_RETRY_MS: u64 = 60_000;

struct Controller {
    api: Arc<Api>,
    queue: Arc<Queue<Key>>,
    /// When the present attempt of each TaskRun began: by uid.
    began: HashMap<String, Instant>,
}

/// Runs until it is dropped.
pub(crate) fn run(api: &Arc<Api>) -> impl Future<Output = ()> + Send + use<> {
    let queue = Arc::new(Queue::new());
    let feed = Arc::clone(&queue);
    api.observe(move |change| {
        let object = &change.object;
        if object.kind.qualified == TASK_RUNS {
            feed.push(object.key.clone());
        } else if object.kind.qualified == "pods"
            && let Some(task_run) = object.labels.get("tekton.dev/taskRun")
        {
            feed.push(Key::new(object.key.namespace.as_str(), task_run.as_str()));
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
        let Some(mut run) = self.api.read(TASK_RUNS, key) else { return };
        let uid = text(&run, "/metadata/uid").to_owned();
        if is_done(&run) || run["metadata"].get("deletionTimestamp").is_some() {
            self.began.remove(&uid);
            return;
        }
        let before = run.clone();
        let now = self.api.time.now();
        if run["status"].get("startTime").is_none() {
            run["status"]["startTime"] = now.clone().into();
            set_condition(&mut run["status"], ("Unknown", "Started", ""), &now);
            report(&self.api, None, &run);
            self.began.insert(uid.clone(), Instant::now());
        }
        let began = *self.began.entry(uid).or_insert_with(Instant::now);
        let limit = run["spec"]["timeout"].as_str().and_then(time::parse_duration).filter(|ms| *ms > 0);
        let deadline = limit.map(|ms| began + self.api.time.scaled(ms));
        if run["spec"]["status"] == "TaskRunCancelled" {
            let message = format!("TaskRun \"{}\" was cancelled. {}", key.name, text(&run, "/spec/statusMessage"));
            self.stop(&mut run, "TaskRunCancelled", &message);
        } else if deadline.is_some_and(|at| at <= Instant::now()) {
            let limit = limit.map(time::print_duration).unwrap_or_default();
            let message = format!("TaskRun \"{}\" failed to finish within \"{limit}\"", key.name);
            self.stop(&mut run, "TaskRunTimeout", &message);
        } else if let Some((reason, message)) = stuck(&run) {
            self.stop(&mut run, reason, &message);
        } else {
            self.advance(key, &mut run);
            if let Some(at) = deadline {
                self.queue.push_after(key.clone(), at.saturating_duration_since(Instant::now()));
            }
        }
        self.finish(key, &before, run);
    }

    /// Marks it as failed whatever its pod does, and deletes the pod.
    fn stop(&self, run: &mut Value, reason: &str, message: &str) {
        let now = self.api.time.now();
        set_condition(&mut run["status"], ("False", reason, message), &now);
        run["status"]["completionTime"] = now.clone().into();
        let pod = text(run, "/status/podName").to_owned();
        if pod.is_empty() {
            return;
        }
        let created = run["metadata"]["creationTimestamp"].clone();
        for step in run["status"]["steps"].as_array_mut().into_iter().flatten() {
            let Some(map) = step.as_object_mut() else { continue };
            let running = map.remove("running");
            let waiting = map.remove("waiting");
            let Some(started) =
                running.map(|running| running["startedAt"].clone()).or(waiting.map(|_| created.clone()))
            else {
                continue;
            };
            let message =
                format!("Step {} terminated as pod {pod} is terminated", map["name"].as_str().unwrap_or_default());
            map.insert("terminationReason".into(), reason.into());
            map.insert(
                "terminated".into(),
                json!({"exitCode": 1, "startedAt": started, "finishedAt": now, "reason": reason, "message": message}),
            );
        }
        let key = Key::new(text(run, "/metadata/namespace"), pod);
        if let Ok(kind) = self.api.kind("pods") {
            // It may be gone already.
            let _ = self.api.delete(&kind, &key, &DeleteOptions::default());
        }
    }

    /// Writes what has become of it; a failure with retries left begins anew instead.
    fn finish(&self, key: &Key, before: &Value, mut run: Value) {
        let failed = condition(&run).is_some_and(|(status, ..)| status == "False");
        let tried = list(&run["status"]["retriesStatus"]).len();
        let retries = run["spec"]["retries"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        if failed && run["spec"]["status"] != "TaskRunCancelled" && tried < retries {
            retry(&mut run["status"], &self.api.time.now());
        }
        let (status, labels, annotations) =
            (&run["status"], &run["metadata"]["labels"], &run["metadata"]["annotations"]);
        let written = self.api.modify(TASK_RUNS, key, |current| {
            current["status"] = status.clone();
            add_all(&mut current["metadata"]["labels"], labels);
            if annotations.is_object() {
                add_all(&mut current["metadata"]["annotations"], annotations);
            }
        });
        if let Some(written) = written {
            report(&self.api, condition(before), &written.value());
        }
    }

    /// Makes the pod if there is none, and takes over its state.
    fn advance(&self, key: &Key, run: &mut Value) {
        let now = self.api.time.now();
        run["status"]["provenance"] = provenance();
        let reference = json!({"taskRef": run["spec"]["taskRef"], "taskSpec": run["spec"]["taskSpec"]});
        let Some((task_name, mut task)) = resolve::task_spec(&self.api, &key.namespace, &reference) else {
            let message = format!("error when getting Task for TaskRun {}: not found", key.name);
            set_condition(&mut run["status"], ("False", "TaskRunResolutionFailed", &message), &now);
            run["status"]["completionTime"] = now.into();
            return;
        };
        if !task_name.is_empty() {
            let found = self
                .api
                .read("tasks.tekton.dev", &Key::new(key.namespace.as_str(), task_name.as_str()))
                .unwrap_or_default();
            add_all(&mut run["metadata"]["labels"], &found["metadata"]["labels"]);
            run["metadata"]["labels"]["tekton.dev/task"] = task_name.clone().into();
        }
        let attempt = list(&run["status"]["retriesStatus"]).len();
        fill_in(run, &task_name, attempt, &mut task);
        run["status"]["taskSpec"] = task.clone();
        if run["status"].get("steps").is_none() {
            let steps = list(&task["steps"]).iter().map(|step| json!({"name": name(step), "provenance": {}}));
            run["status"]["steps"] = steps.collect();
        }
        let pod_key = Key::new(key.namespace.as_str(), pod::pod_name(&key.name, attempt));
        let existing = self
            .api
            .read("pods", &pod_key)
            .filter(|pod| text(pod, "/metadata/labels/tekton.dev~1taskRunUID") == text(run, "/metadata/uid"));
        let found = match existing {
            Some(pod) => pod,
            None => match self.create_pod(run, &task, attempt) {
                Ok(pod) => pod,
                Err(error) => {
                    self.refused(key, run, &error);
                    return;
                }
            },
        };
        run["status"]["podName"] = pod_key.name.clone().into();
        self.let_it_begin(&pod_key, &found);
        take_over(&mut run["status"], podstatus::judge(&found, &task), &now);
    }

    /// Tekton's word to its entry point that the step may begin.
    fn let_it_begin(&self, key: &Key, pod: &Value) {
        if pod["status"]["phase"] == "Running" && pod["metadata"]["annotations"]["tekton.dev/ready"] != "READY" {
            self.api.modify("pods", key, |pod| pod["metadata"]["annotations"]["tekton.dev/ready"] = "READY".into());
        }
    }

    fn create_pod(&self, run: &Value, task: &Value, attempt: usize) -> Result<Value, Refused> {
        let namespace = text(run, "/metadata/namespace");
        let account = text(run, "/spec/serviceAccountName");
        if self.api.get("serviceaccounts", &Key::new(namespace, account)).is_none() {
            return Err(Refused::Translation(format!("serviceaccounts \"{account}\" not found")));
        }
        let mut task = task.clone();
        for step in task["steps"].as_array_mut().into_iter().flatten() {
            let image = text(step, "/image").to_owned();
            if step.get("command").is_none() && step.get("script").is_none() {
                let digest = Registry.entrypoint(&image).map_err(|why| Refused::Translation(why.to_string()))?;
                step["image"] = digest.into();
            }
        }
        let pod = pod::build(run, &task, attempt);
        self.quota(namespace, text(&pod, "/metadata/name"))?;
        let kind = self.api.kind("pods")?;
        match self.api.create(&kind, namespace, pod, Write::default()) {
            Ok(created) => Ok(created.value()),
            Err(error) => Err(error.into()),
        }
    }

    fn quota(&self, namespace: &str, pod: &str) -> Result<(), Refused> {
        let exceeded = |quota: &str, used: usize, limit: u64| {
            Refused::Quota(format!(
                "pods \"{pod}\" is forbidden: exceeded quota: {quota}, requested: pods=1, used: pods={used}, limited: pods={limit}"
            ))
        };
        if self.api.faults.holds(&Effect::QuotaExceeded, pod) {
            return Err(exceeded("sandbox", 0, 0));
        }
        for quota in self.api.list("resourcequotas", Some(namespace)) {
            let hard = &quota.value()["spec"]["hard"]["pods"];
            let hard = hard.as_u64().or_else(|| hard.as_str()?.parse().ok());
            let Some(hard) = hard else { continue };
            let ended = |pod: &Value| matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
            let used = self.api.list("pods", Some(namespace)).iter().filter(|pod| !ended(&pod.value())).count();
            if used as u64 >= hard {
                return Err(exceeded(&quota.key.name, used, hard));
            }
        }
        Ok(())
    }

    fn refused(&self, key: &Key, run: &mut Value, error: &Refused) {
        let now = self.api.time.now();
        let status = &mut run["status"];
        status["podName"] = "".into();
        match error {
            Refused::Quota(why) => {
                let message = format!("TaskRun Pod exceeded available resources: {why}");
                set_condition(status, ("Unknown", "ExceededResourceQuota", &message), &now);
                if let Some(map) = status.as_object_mut() {
                    map.remove("startTime");
                }
                self.queue.push_after(key.clone(), self.api.time.scaled(QUOTA_RETRY_MS));
                return;
            }
            Refused::Translation(why) | Refused::Api(why) => {
                let why = if matches!(error, Refused::Translation(_)) {
                    format!("translating TaskSpec to Pod: {why}")
                } else {
                    why.clone()
                };
                let reference = text(run, "/spec/taskRef/name");
                let perhaps = if reference.is_empty() {
                    "invalid TaskSpec".to_owned()
                } else {
                    format!("missing or invalid Task {}/{reference}", key.namespace)
                };
                let message = format!("failed to create task run pod \"{}\": {why}. Maybe {perhaps}", key.name);
                set_condition(&mut run["status"], ("False", "PodCreationFailed", &message), &now);
            }
        }
        run["status"]["completionTime"] = now.into();
    }
}

enum Refused {
    Quota(String),
    /// Before there was a pod to create.
    Translation(String),
    Api(String),
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self::Api(error.message)
    }
}

fn take_over(status: &mut Value, verdict: Verdict, now: &str) {
    if !verdict.steps.is_empty() {
        status["steps"] = verdict.steps.into();
    }
    let (state, reason, message) = verdict.condition;
    set_condition(status, (state, &reason, &message), now);
    if verdict.complete {
        status["completionTime"] = now.into();
        status["artifacts"] = json!({});
        if !verdict.results.is_empty() {
            status["results"] = verdict.results.into();
        }
    }
}

/// A step that cannot start: Tekton waits for nothing more once the kubelet backs off.
fn stuck(run: &Value) -> Option<(&'static str, String)> {
    list(&run["status"]["steps"]).iter().find_map(|step| {
        let waiting = &step["waiting"];
        matches!(waiting["reason"].as_str(), Some("ImagePullBackOff" | "InvalidImageName")).then(|| {
            let message = format!(
                "the step \"{}\" in TaskRun \"{}\" failed to pull the image \"{}\". The pod errored with the message: \"{}.\"",
                name(step),
                text(run, "/metadata/name"),
                text(step, "/imageID"),
                text(waiting, "/message")
            );
            ("TaskRunImagePullFailed", message)
        })
    })
}

/// Moves the attempt to `retriesStatus` and begins anew.
fn retry(status: &mut Value, now: &str) {
    let message = text(status, "/conditions/0/message").to_owned();
    let mut attempt = status.clone();
    if let Some(map) = attempt.as_object_mut() {
        map.remove("retriesStatus");
    }
    if !status["retriesStatus"].is_array() {
        status["retriesStatus"] = json!([]);
    }
    if let Some(attempts) = status["retriesStatus"].as_array_mut() {
        attempts.push(attempt);
    }
    if let Some(map) = status.as_object_mut() {
        for field in ["startTime", "completionTime", "results"] {
            map.remove(field);
        }
        map.insert("podName".into(), "".into());
    }
    set_condition(status, ("Unknown", "ToBeRetried", &message), now);
}

/// Parameters, contexts, result paths and workspaces, in the order of Tekton's rounds.
fn fill_in(run: &Value, task_name: &str, attempt: usize, task: &mut Value) {
    let mut params = Variables::default();
    for param in list(&task["params"]) {
        if let Some(default) = param.get("default") {
            params.set_param(name(param), default);
        }
    }
    for param in list(&run["spec"]["params"]) {
        params.set_param(name(param), &param["value"]);
    }
    let mut contexts = Variables::default();
    contexts.set("context.taskRun.name", text(run, "/metadata/name"));
    contexts.set("context.taskRun.namespace", text(run, "/metadata/namespace"));
    contexts.set("context.taskRun.uid", text(run, "/metadata/uid"));
    contexts.set("context.task.name", task_name);
    contexts.set("context.task.retry-count", attempt.to_string());
    let mut paths = Variables::default();
    for result in list(&task["results"]) {
        paths.set(format!("results.{}.path", name(result)), format!("/tekton/results/{}", name(result)));
    }
    let mut workspaces = Variables::default();
    for workspace in list(&task["workspaces"]) {
        let of = name(workspace);
        let bound = list(&run["spec"]["workspaces"]).iter().find(|binding| name(binding) == of);
        let path = workspace["mountPath"].as_str().map_or_else(|| format!("/workspace/{of}"), Into::into);
        workspaces.set(format!("workspaces.{of}.path"), if bound.is_some() { path } else { String::new() });
        workspaces.set(format!("workspaces.{of}.bound"), bound.is_some().to_string());
        workspaces.set(
            format!("workspaces.{of}.claim"),
            bound.map(|b| text(b, "/persistentVolumeClaim/claimName")).unwrap_or_default(),
        );
    }
    for round in [params, contexts, paths, workspaces] {
        round.apply(&mut task["steps"]);
    }
    for step in task["steps"].as_array_mut().into_iter().flatten() {
        for entry in step["env"].as_array_mut().into_iter().flatten() {
            if entry["value"] == ""
                && let Some(map) = entry.as_object_mut()
            {
                map.remove("value");
            }
        }
        if step["env"].is_null()
            && let Some(map) = step.as_object_mut()
        {
            map.remove("env");
        }
    }
}
