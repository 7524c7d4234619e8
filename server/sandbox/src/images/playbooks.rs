//! The seeds' OOMKill playbooks. Each works on the target's real object in the store, by the five steps of its
//! registration, and writes a log like the seed's shell script.

use serde_json::{Value, json};

use super::kubectl::{Target, replicas, rolled_out};
use super::{DONE, Exit, FAILED, Machine};
use crate::quantity;

fn head(machine: &Machine, title: &str, target: &Target) {
    machine.say(format!("=== OOMKill {title} Remediation ==="));
    machine.say(format!("Target: {}/{} in {}", target.kind, target.name, target.namespace));
}

/// The branch is in a parameter: hidden for the image with several strategies, exposed for the cost-optimised one.
pub(crate) async fn chosen_by(machine: &Machine, parameter: &str) -> Result<Exit, Exit> {
    let target = Target::of(machine)?;
    let kind = machine.required(parameter)?;
    machine.say(format!("Starting {kind} for {}/{}", target.kind, target.name));
    match kind {
        "scale_down" => scale_down(machine).await,
        "increase_memory" => increase_memory(machine).await,
        "optimize_application" => optimize(machine).await,
        other => {
            machine.say(format!("ERROR: unknown {parameter}: {other}"));
            Err(FAILED)
        }
    }
}

pub(crate) async fn scale_down(machine: &Machine) -> Result<Exit, Exit> {
    let target = Target::of(machine)?;
    let wanted = machine.required("SCALE_TARGET_REPLICAS")?;
    head(machine, "Scale Down", &target);
    machine.say(format!("Target Replicas: {wanted}"));
    let wanted: i64 = wanted.parse().map_err(|_| {
        machine.say(format!("ERROR: SCALE_TARGET_REPLICAS is not a number: {wanted}"));
        FAILED
    })?;
    machine.pause(600).await;
    machine.say("Step 1: Validating current state...");
    machine.pause(900).await;
    let before = replicas(&target.require(machine)?);
    machine.say(format!("Current replicas: {before}"));
    machine.say(format!("Step 2: Target replicas validated: {wanted}"));
    machine.pause(500).await;
    machine.say("Step 3: Scaling deployment...");
    target.patch(machine, &json!({"spec": {"replicas": wanted}}))?;
    machine.say(format!("{}.apps/{} scaled", target.kind.to_lowercase(), target.name));
    machine.say("Step 4: Verifying scaling operation...");
    let done = target.wait(machine, 60, |workload| {
        replicas(workload) == wanted && workload["status"]["replicas"].as_i64().unwrap_or(0) == wanted
    });
    if !done.await {
        machine.say("error: timed out waiting for the condition");
        return Err(FAILED);
    }
    machine.say(format!("{}.apps/{} condition met", target.kind.to_lowercase(), target.name));
    machine.say("Step 5: Monitoring for stability...");
    machine.pause(6_000).await;
    let after = replicas(&target.require(machine)?);
    machine.say("=== Remediation Complete ===");
    machine.say(format!("Final replicas: {after}"));
    machine.report(&json!({"previous_replicas": before, "final_replicas": after}));
    Ok(DONE)
}

/// The first container's memory limit.
fn limit(workload: &Value) -> String {
    let limit = &workload["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"];
    limit.as_str().unwrap_or("none").to_owned()
}

fn container(workload: &Value) -> String {
    workload["spec"]["template"]["spec"]["containers"][0]["name"].as_str().unwrap_or_default().to_owned()
}

async fn roll_out(machine: &Machine, target: &Target) -> Result<(), Exit> {
    machine.say(format!("Waiting for {} \"{}\" rollout to finish...", target.kind.to_lowercase(), target.name));
    if target.wait(machine, 90, rolled_out).await {
        machine.say(format!("{} \"{}\" successfully rolled out", target.kind.to_lowercase(), target.name));
        return Ok(());
    }
    machine.say("error: timed out waiting for the condition");
    Err(FAILED)
}

pub(crate) async fn increase_memory(machine: &Machine) -> Result<Exit, Exit> {
    let target = Target::of(machine)?;
    let wanted = machine.required("MEMORY_LIMIT_NEW")?.to_owned();
    head(machine, "Increase Memory", &target);
    machine.say(format!("New memory limit: {wanted}"));
    machine.pause(600).await;
    machine.say("Step 1: Analyzing current memory usage...");
    machine.pause(900).await;
    let workload = target.require(machine)?;
    let before = limit(&workload);
    machine.say(format!("Current memory limit: {before}"));
    machine.say("Step 2: Checking new memory limit...");
    let (Some(old), Some(new)) = (quantity::parse(&before).or(Some(0)), quantity::parse(&wanted)) else {
        machine.say(format!("ERROR: not a memory quantity: {wanted}"));
        return Err(FAILED);
    };
    if new < old {
        machine.say("This is less than before: right for a rollback only");
    }
    machine.pause(500).await;
    machine.say("Step 3: Updating resource specification...");
    let patch = json!({"spec": {"template": {"spec": {"containers": [
        {"name": container(&workload), "resources": {"limits": {"memory": wanted}}},
    ]}}}});
    target.patch(machine, &patch)?;
    machine.say(format!("{}.apps/{} resource requirements updated", target.kind.to_lowercase(), target.name));
    machine.say("Step 4: Rolling restart...");
    roll_out(machine, &target).await?;
    machine.say("Step 5: Validating that pods start...");
    machine.pause(4_000).await;
    machine.say("=== Remediation Complete ===");
    machine.say(format!("Memory limit: {before} -> {wanted}"));
    machine.report(&json!({"previous_limit": before, "new_limit": wanted}));
    Ok(DONE)
}

pub(crate) async fn optimize(machine: &Machine) -> Result<Exit, Exit> {
    let target = Target::of(machine)?;
    head(machine, "Optimize Application", &target);
    machine.pause(600).await;
    machine.say("Step 1: Analyzing application configuration...");
    machine.pause(1_200).await;
    let workload = target.require(machine)?;
    machine.say("Step 2: Identifying optimization opportunities...");
    machine.pause(800).await;
    let env = workload["spec"]["template"]["spec"]["containers"][0]["env"].as_array().cloned().unwrap_or_default();
    let lean = env.iter().any(|entry| entry["name"] == "MEMORY_PROFILE" && entry["value"] == "lean");
    machine.say(if lean { "MEMORY_PROFILE is lean already" } else { "MEMORY_PROFILE can be lean" });
    machine.say("Step 3: Applying configuration changes...");
    let patch = json!({"spec": {"template": {"spec": {"containers": [
        {"name": container(&workload), "env": [{"name": "MEMORY_PROFILE", "value": "lean"}]},
    ]}}}});
    target.patch(machine, &patch)?;
    machine.say("Step 4: Rolling restart...");
    roll_out(machine, &target).await?;
    machine.say("Step 5: Monitoring memory usage...");
    machine.pause(4_000).await;
    machine.say("=== Remediation Complete ===");
    machine.report(&json!({"memory_profile": "lean", "changed": !lean}));
    Ok(DONE)
}
