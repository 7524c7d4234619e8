//! From a PipelineRun to the pipeline that it runs: references looked up, checked, and parameters filled in.
//! Faults carry the reason and message that Tekton puts on the run. It reads the store and writes nothing.

use serde_json::{Value, json};

use super::admission;
use super::graph::{self, Graph};
use super::substitute::Variables;
use crate::api::{Api, Key};
use crate::value::{list, text};

/// Why a run cannot start: the condition's reason and message.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    /// What was found before the fault.
    pub(crate) found: Option<Box<Found>>,
}

impl Fault {
    fn new(reason: &'static str, message: String) -> Self {
        Self { reason, message, found: None }
    }
}

/// A pipeline as it was looked up.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The Pipeline's name, or the run's when it is embedded.
    pub(crate) name: String,
    /// Labels and annotations that the run takes over from its Pipeline.
    pub(crate) labels: Value,
    pub(crate) annotations: Value,
    pub(crate) spec: Value,
}

/// What a run runs.
#[derive(Debug)]
pub(crate) struct Pipeline {
    /// Parameters and contexts filled in.
    pub(crate) found: Found,
    pub(crate) graph: Graph,
}

/// Looks up the pipeline of a run and checks that the run fits it.
pub(crate) fn pipeline(api: &Api, run: &Value) -> Result<Pipeline, Fault> {
    let mut found = fetch(api, run)?;
    match fit(api, run, &mut found) {
        Ok(graph) => Ok(Pipeline { found, graph }),
        Err(fault) => Err(Fault { found: Some(Box::new(found)), ..fault }),
    }
}

fn fit(api: &Api, run: &Value, found: &mut Found) -> Result<Graph, Fault> {
    let (namespace, run_name) = (text(run, "/metadata/namespace"), text(run, "/metadata/name"));
    let of = format!("PipelineRun {namespace}/{run_name}");
    let pipeline = format!("Pipeline {namespace}/{}", found.name);
    let faults = admission::pipeline_faults(&found.spec, "spec");
    if !faults.is_empty() {
        let message = format!("[User error] {pipeline} can't be Run; it has an invalid spec: {}", faults.join("\n"));
        return Err(Fault::new("PipelineValidationFailed", message));
    }
    let given = list(&run["spec"]["params"]);
    let missing: Vec<&str> = list(&found.spec["params"])
        .iter()
        .filter(|param| param.get("default").is_none())
        .map(graph::name)
        .filter(|name| !given.iter().any(|param| graph::name(param) == *name))
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "[User error] {of} is missing some parameters required by {pipeline}: pipelineRun missing parameters: [{}]",
            missing.join(" ")
        );
        return Err(Fault::new("ParameterMissing", message));
    }
    check_workspaces(run, &found.spec, &of, &pipeline)?;
    check_task_run_specs(run, &found.spec, &of)?;
    fill_in(run, &found.name, &mut found.spec);
    check_tasks(api, run, &found.name, &found.spec)?;
    Graph::build(list(&found.spec["tasks"]))
        .map_err(|why| Fault::new("PipelineInvalidGraph", format!("{of}'s Pipeline DAG is invalid: {why}")))
}

fn fetch(api: &Api, run: &Value) -> Result<Found, Fault> {
    let (namespace, run_name) = (text(run, "/metadata/namespace"), text(run, "/metadata/name"));
    if let Some(stored) = run["status"].get("pipelineSpec") {
        // Once begun, a run keeps the pipeline that it began with.
        let name = if run["spec"]["pipelineRef"].is_object() { text(run, "/spec/pipelineRef/name") } else { run_name };
        return Ok(Found { name: name.into(), labels: Value::Null, annotations: Value::Null, spec: stored.clone() });
    }
    if run["spec"]["pipelineSpec"].is_object() {
        let spec = run["spec"]["pipelineSpec"].clone();
        return Ok(Found { name: run_name.into(), labels: Value::Null, annotations: Value::Null, spec });
    }
    let name = text(run, "/spec/pipelineRef/name");
    let Some(pipeline) = api.read("pipelines.tekton.dev", &Key::new(namespace, name)) else {
        let message = format!(
            "Error retrieving pipeline for pipelinerun {namespace}/{run_name}: error when getting Pipeline for PipelineRun \
             {run_name}: tekton client cannot get pipeline {name} from local cluster: pipelines.tekton.dev \"{name}\" not found"
        );
        return Err(Fault::new("CouldntGetPipeline", message));
    };
    Ok(Found {
        name: name.into(),
        labels: pipeline["metadata"]["labels"].clone(),
        annotations: pipeline["metadata"]["annotations"].clone(),
        spec: pipeline["spec"].clone(),
    })
}

fn check_workspaces(run: &Value, spec: &Value, of: &str, pipeline: &str) -> Result<(), Fault> {
    let bound = list(&run["spec"]["workspaces"]);
    let lacking = list(&spec["workspaces"]).iter().find(|workspace| {
        workspace["optional"] != Value::Bool(true) && !bound.iter().any(|b| graph::name(b) == graph::name(workspace))
    });
    match lacking {
        None => Ok(()),
        Some(workspace) => Err(Fault::new(
            "InvalidWorkspaceBindings",
            format!(
                "[User error] {of} doesn't bind {pipeline}'s Workspaces correctly: pipeline requires workspace with name \"{}\" be \
                 provided by pipelinerun",
                graph::name(workspace)
            ),
        )),
    }
}

fn check_task_run_specs(run: &Value, spec: &Value, of: &str) -> Result<(), Fault> {
    let known =
        |name: &str| list(&spec["tasks"]).iter().chain(list(&spec["finally"])).any(|task| graph::name(task) == name);
    let wrong = list(&run["spec"]["taskRunSpecs"])
        .iter()
        .map(|entry| text(entry, "/pipelineTaskName"))
        .find(|name| !known(name));
    match wrong {
        None => Ok(()),
        Some(name) => Err(Fault::new(
            "InvalidTaskRunSpecs",
            format!(
                "[User error] {of} doesn't define taskRunSpecs correctly: pipelineRun's taskrunSpecs defined wrong taskName: \
                 \"{name}\", does not exist in Pipeline"
            ),
        )),
    }
}

/// Each referenced Task exists, and each task has the parameters that it needs.
fn check_tasks(api: &Api, run: &Value, pipeline: &str, spec: &Value) -> Result<(), Fault> {
    let (namespace, run_name) = (text(run, "/metadata/namespace"), text(run, "/metadata/name"));
    for task in list(&spec["tasks"]).iter().chain(list(&spec["finally"])) {
        let Some((name, wanted)) = task_spec(api, namespace, task) else {
            let name = text(task, "/taskRef/name");
            let message = format!(
                "Pipeline {namespace}/{pipeline} can't be Run; it contains Tasks that don't exist: Couldn't retrieve Task \
                 \"{name}\": tasks.tekton.dev \"{name}\" not found"
            );
            return Err(Fault::new("CouldntGetTask", message));
        };
        let given = list(&task["params"]);
        let missing: Vec<&str> = list(&wanted["params"])
            .iter()
            .filter(|param| param.get("default").is_none())
            .map(graph::name)
            .filter(|name| !given.iter().any(|param| graph::name(param) == *name))
            .filter(|name| {
                task["taskRef"].is_object() || !list(&run["spec"]["params"]).iter().any(|p| graph::name(p) == *name)
            })
            .collect();
        if !missing.is_empty() {
            let message = format!(
                "[User error] Validation failed for pipelinerun {run_name} with error invalid input params for task {name}: missing \
                 values for these params which have no default values: [{}]",
                missing.join(" ")
            );
            return Err(Fault::new("PipelineValidationFailed", message));
        }
    }
    Ok(())
}

/// The name and spec of a pipeline task's Task.
pub(crate) fn task_spec(api: &Api, namespace: &str, task: &Value) -> Option<(String, Value)> {
    if task["taskSpec"].is_object() {
        return Some((String::new(), embedded(&task["taskSpec"])));
    }
    let name = text(task, "/taskRef/name");
    let found = api.read("tasks.tekton.dev", &Key::new(namespace, name))?;
    Some((name.to_owned(), found["spec"].clone()))
}

/// An embedded task spec without what belongs to its embedding.
pub(crate) fn embedded(spec: &Value) -> Value {
    let mut spec = spec.clone();
    if let Some(map) = spec.as_object_mut() {
        map.remove("metadata");
        map.remove("spec");
        map.remove("apiVersion");
        map.remove("kind");
    }
    spec
}

/// Parameters, contexts and workspaces of the run, in every task.
fn fill_in(run: &Value, pipeline: &str, spec: &mut Value) {
    let mut params = Variables::default();
    for param in list(&spec["params"]) {
        if let Some(default) = param.get("default") {
            params.set_param(graph::name(param), default);
        }
    }
    for param in list(&run["spec"]["params"]) {
        params.set_param(graph::name(param), &param["value"]);
    }
    let mut contexts = Variables::default();
    contexts.set("context.pipelineRun.name", text(run, "/metadata/name"));
    contexts.set("context.pipelineRun.namespace", text(run, "/metadata/namespace"));
    contexts.set("context.pipelineRun.uid", text(run, "/metadata/uid"));
    contexts.set("context.pipeline.name", pipeline);
    let mut workspaces = Variables::default();
    for workspace in list(&spec["workspaces"]) {
        let bound = list(&run["spec"]["workspaces"]).iter().any(|b| graph::name(b) == graph::name(workspace));
        workspaces.set(format!("workspaces.{}.bound", graph::name(workspace)), bound.to_string());
    }
    for part in ["tasks", "finally"] {
        for task in spec[part].as_array_mut().into_iter().flatten() {
            fill_in_task(task, &params);
            contexts.apply(task);
            workspaces.apply(task);
        }
    }
    if spec["finally"].is_null()
        && let Some(map) = spec.as_object_mut()
    {
        map.remove("finally");
    }
}

/// In an embedded task, its own parameters win over the run's.
fn fill_in_task(task: &mut Value, run_params: &Variables) {
    let embedded = task.as_object_mut().and_then(|task| task.remove("taskSpec"));
    run_params.apply(task);
    if let Some(mut spec) = embedded {
        let mut params = run_params.clone();
        for param in list(&spec["params"]) {
            if let Some(default) = param.get("default") {
                params.set_param(graph::name(param), default);
            }
        }
        for param in list(&task["params"]) {
            params.set_param(graph::name(param), &param["value"]);
        }
        params.apply(&mut spec);
        task["taskSpec"] = spec;
    }
}

/// The results that the pipeline promises; `Err` names those whose source is missing.
pub(crate) fn results(spec: &Value, variables: &Variables) -> Result<Vec<Value>, Vec<String>> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for result in list(&spec["results"]) {
        let mut value = result["value"].clone();
        variables.apply(&mut value);
        if value.as_str().is_some_and(|text| text.contains("$(tasks.")) {
            missing.push(graph::name(result).to_owned());
        } else {
            found.push(json!({"name": result["name"], "value": value}));
        }
    }
    if missing.is_empty() { Ok(found) } else { Err(missing) }
}
