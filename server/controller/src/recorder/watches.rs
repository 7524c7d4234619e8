//! One watch per kind. Each puts what it sees into the index and asks for a look; a list that is complete tells what is gone,
//! which is a question, never an answer.

use crate::{
    context::Context,
    health::Watched,
    objects::{
        EventObject, PipelineRun, PipelineRunObject, Pod, PodObject, TaskRun, TaskRunObject, Warned, Workflow,
        WorkflowObject,
    },
};
use domain::pipeline_run::WORKFLOW_LABEL;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Resource, ResourceExt,
    runtime::{
        WatchStreamExt,
        watcher::{self, watcher},
    },
};
use serde::de::DeserializeOwned;
use std::{collections::HashSet, fmt::Debug, sync::Arc};

/// What a watch saw.
pub enum Seen<T> {
    /// It is there.
    There(T),
    /// It was deleted; this was its last state.
    Gone(T),
    /// A list is complete: these names are there.
    Listed(HashSet<String>),
}

/// Starts all watches.
pub fn start(context: &Arc<Context>) {
    // A WorkflowExecution that a person applies bears none of our labels.
    run::<WorkflowObject, Workflow>(context, Watched::Workflows, watcher::Config::default(), workflow);
    let labelled = || watcher::Config::default().labels(WORKFLOW_LABEL);
    run::<PipelineRunObject, PipelineRun>(context, Watched::PipelineRuns, labelled(), pipeline_run);
    run::<TaskRunObject, TaskRun>(context, Watched::TaskRuns, labelled(), task_run);
    run::<PodObject, Pod>(context, Watched::Pods, labelled(), pod);
    // Events bear no labels. Of those that are no Warnings the objects themselves say more.
    // Anybody may write large ones: few at a time.
    let warnings = watcher::Config::default().fields("type=Warning").page_size(50);
    run::<EventObject, Warned>(context, Watched::Events, warnings, warned);
}

/// Watches a kind until the end; `put` hears of all that is seen.
pub fn run<O, T>(context: &Arc<Context>, watched: Watched, config: watcher::Config, put: fn(&Context, Seen<T>))
where
    O: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Send + 'static,
    T: From<O> + 'static,
{
    let context = Arc::clone(context);
    context.clone().tasks.spawn(async move {
        let api = Api::<O>::namespaced(context.client.clone(), &context.config.namespace);
        let events = watcher(api, config).default_backoff().take_until(context.stop.cancelled());
        let mut events = std::pin::pin!(events);
        let mut listed = HashSet::new();
        loop {
            match events.try_next().await {
                Ok(None) => return,
                Ok(Some(event)) => handle(&context, watched, event, &mut listed, put),
                Err(error) => {
                    metrics::counter!("kubernaut_watch_restarts_total", "kind" => watched.name()).increment(1);
                    context.health.broke(watched, &error);
                }
            }
        }
    });
}

fn handle<O, T>(
    context: &Context,
    watched: Watched,
    event: watcher::Event<O>,
    listed: &mut HashSet<String>,
    put: fn(&Context, Seen<T>),
) where
    O: Resource,
    T: From<O>,
{
    match event {
        watcher::Event::Init => listed.clear(),
        watcher::Event::InitApply(object) => {
            listed.insert(object.name_any());
            put(context, Seen::There(object.into()));
        }
        watcher::Event::InitDone => {
            put(context, Seen::Listed(std::mem::take(listed)));
            context.health.synced(watched);
        }
        watcher::Event::Apply(object) => {
            context.health.alive(watched);
            put(context, Seen::There(object.into()));
        }
        watcher::Event::Delete(object) => put(context, Seen::Gone(object.into())),
    }
}

/// Asks for a reconciliation when something that matters is new: our own status writes are not.
fn workflow(context: &Context, seen: Seen<Workflow>) {
    match seen {
        Seen::There(workflow) if workflow.ended => {
            context.seen().remove(&workflow.name);
        }
        Seen::There(workflow) => {
            let name = workflow.name.clone();
            let before = context.seen().insert(name.clone(), workflow.clone());
            if before.as_ref() != Some(&workflow) {
                context.reconcile.add(name);
            }
        }
        Seen::Gone(workflow) => {
            context.seen().remove(&workflow.name);
            context.fresh().remove(&workflow.name);
            context.reconcile.add(workflow.name);
        }
        Seen::Listed(names) => {
            let gone: Vec<String> = {
                let mut seen = context.seen();
                let gone = seen.keys().filter(|name| !names.contains(*name)).cloned().collect();
                seen.retain(|name, _| names.contains(name));
                gone
            };
            for name in gone {
                context.reconcile.add(name);
            }
        }
    }
}

fn pipeline_run(context: &Context, seen: Seen<PipelineRun>) {
    let names: Vec<String> = match seen {
        Seen::There(object) => context.index().pipeline_run(object).into_iter().collect(),
        Seen::Gone(object) => context.index().pipeline_run_gone(object).into_iter().collect(),
        Seen::Listed(names) => context.index().pipeline_runs_listed(&names),
    };
    for name in names {
        context.record.add(name);
    }
}

fn task_run(context: &Context, seen: Seen<TaskRun>) {
    // A TaskRun that is gone changes nothing: what it was is known, and its PipelineRun says how the run stands.
    let names: Vec<String> = match seen {
        Seen::There(object) => context.index().task_run(object).into_iter().collect(),
        Seen::Gone(_) => Vec::new(),
        Seen::Listed(_) => context.index().task_runs_listed(),
    };
    for name in names {
        context.record.add(name);
    }
}

fn pod(context: &Context, seen: Seen<Pod>) {
    // What is known of a pod that is gone stays until its run ends: it tells when the container started.
    if let Seen::There(object) | Seen::Gone(object) = seen {
        let name = context.index().pod(object);
        if let Some(name) = name {
            context.record.add(name);
        }
    }
}

fn warned(context: &Context, seen: Seen<Warned>) {
    // An Event that is gone was only forgotten: what it told stays with its run.
    let Seen::There(mut told) = seen else { return };
    // When something was told is for its writer to say, but not that it is yet to come.
    let now = context.cluster_now();
    told.warning.last_at = told.warning.last_at.min(now);
    told.warning.first_at = told.warning.first_at.min(told.warning.last_at);
    let name = context.index().warned(told);
    if let Some(name) = name {
        context.record.add(name);
    }
}
