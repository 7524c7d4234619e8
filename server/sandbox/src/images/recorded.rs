//! The images that the fixtures were recorded with (`fixtures/README.md`): they print their environment, wait, and end
//! as they are told. `RUN_UNTIL` is of tests alone: the ConfigMap (`namespace/name`) for which it waits before anything else.

use super::{DONE, Exit, FAILED, Machine};
use crate::api::Key;

/// The environment but for what Tekton's entry point looks for in it and leaves there.
fn printed(machine: &Machine) -> impl Iterator<Item = (&String, &String)> {
    machine.env.iter().filter(|(name, _)| *name != "TEKTON_PLATFORM_COMMANDS")
}

/// busybox with a script, user 65532.
pub(crate) async fn shell(machine: &Machine) -> Result<Exit, Exit> {
    machine.say(format!("started as 65532 on {}", machine.pod));
    for (name, value) in printed(machine) {
        if name == "PATH" {
            machine.say("PATH=/bin");
        } else {
            machine.say(format!("{name}={value}"));
        }
        if name.as_str() <= "PWD"
            && machine.env.keys().find(|next| *next > name).is_none_or(|next| next.as_str() > "PWD")
        {
            machine.say("PWD=/");
        }
    }
    if let Some((namespace, name)) = machine.var("RUN_UNTIL").and_then(|of| of.split_once('/')) {
        while machine.api.read("configmaps", &Key::new(namespace, name)).is_none() {
            machine.pause(1_000).await;
        }
    }
    let seconds = machine.var("RUN_SECONDS").and_then(|text| text.parse().ok());
    let (by_type, outputs) = match machine.var("ACTION_TYPE") {
        Some("kubernetes/restart_pod") => (3, "{\"restarted\":3}"),
        Some("kubernetes/scale_deployment") => (5, "{\"replicas\":10}"),
        Some(_) => (2, "{\"pull_request\":\"https://github.com/company/k8s-configs/pull/17\"}"),
        None => (0, "{\"observed\":\"ok\"}"),
    };
    machine.pause(seconds.unwrap_or(by_type) * 1_000).await;
    match machine.var("FAIL") {
        Some("memory") => return Err(Exit::OutOfMemory),
        Some("always") => {
            machine.say("about to fail");
            return Err(FAILED);
        }
        Some("first") if !machine.pod.contains("-pod-retry") => {
            machine.say("about to fail");
            return Err(FAILED);
        }
        _ => {}
    }
    match machine.var("OUTPUTS") {
        Some("") => {}
        Some(outputs) => machine.write(outputs.to_owned()),
        None => machine.write(outputs.to_owned()),
    }
    machine.say("done");
    Ok(DONE)
}

/// One static program without a shell: it prints its environment as JSON strings.
pub(crate) fn static_program(machine: &Machine) -> Exit {
    for (name, value) in printed(machine) {
        machine.say(serde_json::Value::from(format!("{name}={value}")).to_string());
    }
    machine.write("{\"observed\":\"ok\"}".into());
    DONE
}
