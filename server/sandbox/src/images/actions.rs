//! The seeds' action images: their inputs are one line of JSON in `ACTION_INPUTS`.

use serde_json::{Value, json};

use super::kubectl::{Target, replicas};
use super::{DONE, Exit, FAILED, Machine};
use crate::api::{DeleteOptions, Key};
use crate::digest;

fn inputs(machine: &Machine) -> Result<Value, Exit> {
    let text = machine.required("ACTION_INPUTS")?;
    machine.say(format!("action {}", machine.var("ACTION_TYPE").unwrap_or("without a type")));
    serde_json::from_str(text).map_err(|error| {
        machine.say(format!("ERROR: the inputs are not JSON: {error}"));
        FAILED
    })
}

fn text(machine: &Machine, inputs: &Value, name: &str) -> Result<String, Exit> {
    inputs[name].as_str().map(ToOwned::to_owned).ok_or_else(|| {
        machine.say(format!("ERROR: the input {name} is missing"));
        FAILED
    })
}

/// `kubernetes/restart_pod`: deletes the pods that a label selector picks.
pub(crate) async fn restart(machine: &Machine) -> Result<Exit, Exit> {
    let inputs = inputs(machine)?;
    let (namespace, selector) = (text(machine, &inputs, "namespace")?, text(machine, &inputs, "labelSelector")?);
    machine.say(format!("Restarting pods in {namespace} with {selector}"));
    machine.pause(1_000).await;
    let wanted: Vec<(&str, &str)> = selector.split(',').filter_map(|part| part.trim().split_once('=')).collect();
    if wanted.is_empty() {
        machine.say("ERROR: the selector picks everything; refusing");
        return Err(FAILED);
    }
    let mut restarted = 0;
    for pod in machine.api.list("pods", Some(&namespace)) {
        let picked = wanted.iter().all(|(name, value)| pod.labels.get(*name).is_some_and(|found| found == value));
        if picked
            && machine
                .api
                .delete(&pod.kind, &Key::new(namespace.as_str(), pod.key.name.as_str()), &DeleteOptions::default())
                .is_ok()
        {
            machine.say(format!("pod \"{}\" deleted", pod.key.name));
            restarted += 1;
            machine.pause(400).await;
        }
    }
    if restarted == 0 {
        machine.say(format!("No resources found in {namespace} namespace."));
    }
    machine.pause(3_000).await;
    machine.say(format!("{restarted} pods restarted"));
    machine.report(&json!({"restarted": restarted}));
    Ok(DONE)
}

/// `kubernetes/scale_deployment`.
pub(crate) async fn scale(machine: &Machine) -> Result<Exit, Exit> {
    let inputs = inputs(machine)?;
    let target = Target {
        kind: "Deployment".into(),
        name: text(machine, &inputs, "deployment")?,
        namespace: text(machine, &inputs, "namespace")?,
    };
    let wanted = inputs["replicas"].as_i64().ok_or_else(|| {
        machine.say("ERROR: the input replicas is not an integer");
        FAILED
    })?;
    machine.say(format!("Scaling deployment/{} in {} to {wanted}", target.name, target.namespace));
    machine.pause(1_000).await;
    let before = replicas(&target.require(machine)?);
    target.patch(machine, &json!({"spec": {"replicas": wanted}}))?;
    machine.say(format!("deployment.apps/{} scaled from {before} to {wanted}", target.name));
    let counted = target.wait(machine, 60, |workload| workload["status"]["replicas"].as_i64().unwrap_or(0) == wanted);
    if !counted.await {
        machine.say("error: timed out waiting for the condition");
        return Err(FAILED);
    }
    machine.pause(3_000).await;
    machine.report(&json!({"replicas": wanted, "previous": before}));
    Ok(DONE)
}

/// `git/create-pr`: there is no Git here; the pull request's address is derived from its content.
pub(crate) async fn pull_request(machine: &Machine) -> Result<Exit, Exit> {
    let inputs = inputs(machine)?;
    let (repository, branch) = (text(machine, &inputs, "repository")?, text(machine, &inputs, "branch")?);
    let title = text(machine, &inputs, "title")?;
    machine.say(format!("Cloning {repository} into {}", machine.var("WORKSPACE_PATH").unwrap_or("/tmp")));
    machine.pause(2_500).await;
    machine.say(format!("Pushing branch {branch}"));
    machine.pause(1_500).await;
    let hash = digest::sha256(&["pull", &repository, &branch]);
    let number = u16::from_str_radix(hash.get(7..10).unwrap_or("11"), 16).unwrap_or(17) % 900 + 17;
    let address = format!("{}/pull/{number}", repository.trim_end_matches('/').trim_end_matches(".git"));
    machine.say(format!("Opened \"{title}\": {address}"));
    machine.report(&json!({"pull_request": address, "branch": branch}));
    Ok(DONE)
}
