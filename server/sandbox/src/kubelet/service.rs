//! A pod that runs for ever, as those of Deployments do: it comes up, and is killed for its memory, again and again, as
//! long as it does not get what it needs.

use serde_json::{Value, json};

use super::{Pod, schedule, status};

/// World milliseconds: to come up, to grow until it is killed, the first and the longest pause before a restart.
const START_MS: u64 = 1_500;
const GROW_MS: u64 = 8_000;
const FIRST_BACK_OFF_MS: u64 = 10_000;
const LONGEST_BACK_OFF_MS: u64 = 300_000;

pub(crate) async fn live(pod: &Pod) {
    pod.pause(30).await;
    schedule::schedule(pod).await;
    let Some(object) = pod.read() else { return };
    let container = object["spec"]["containers"][0]["name"].as_str().unwrap_or_default().to_owned();
    let now = pod.cluster.api.time.now();
    pod.update(|status| status::arrived(&object, status, &now));
    let mut back_off = FIRST_BACK_OFF_MS;
    let mut pressure = pod.cluster.demand.pressure();
    loop {
        pod.pause(START_MS).await;
        let started = start(pod, &object, &container);
        loop {
            pressure.borrow_and_update();
            if pod.cluster.demand.suffers(pod.cluster.api.as_ref(), &pod.key) {
                pod.pause(GROW_MS).await;
                // Room may have been made while it grew.
                if pod.cluster.demand.suffers(pod.cluster.api.as_ref(), &pod.key) {
                    break;
                }
                continue;
            }
            back_off = FIRST_BACK_OFF_MS;
            if pressure.changed().await.is_err() {
                return;
            }
        }
        kill(pod, &object, &container, &started, back_off);
        tokio::select! {
            () = pod.pause(back_off) => back_off = (back_off * 2).min(LONGEST_BACK_OFF_MS),
            // The kubelet would wait; but people who have just made room should not.
            () = relieved(pod) => back_off = FIRST_BACK_OFF_MS,
        }
    }
}

async fn relieved(pod: &Pod) {
    let mut pressure = pod.cluster.demand.pressure();
    while pod.cluster.demand.suffers(pod.cluster.api.as_ref(), &pod.key) {
        if pressure.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn start(pod: &Pod, object: &Value, container: &str) -> String {
    let now = pod.cluster.api.time.now();
    pod.event(object, Some(container), false, "Started", &format!("Started container {container}"));
    pod.update(|status| {
        status::set_condition(status, "PodReadyToStartContainers", Ok(""), &now);
        status::set_state(status, "containerStatuses", container, &json!({"running": {"startedAt": now}}));
        status["phase"] = "Running".into();
        status::set_ready(status, Ok(""), &now);
    });
    let log = pod.cluster.api.logs.open(&pod.uid, container);
    log.write(pod.cluster.api.time.now_ms(), &format!("{container} is up"));
    now
}

fn kill(pod: &Pod, object: &Value, container: &str, started: &str, back_off: u64) {
    let now = pod.cluster.api.time.now();
    let last = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled", "startedAt": started, "finishedAt": now}});
    let message = format!("back-off {}s restarting failed container={container} pod={}", back_off / 1000, pod.key.name);
    let waiting = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
    pod.update(|status| {
        status::set_state(status, "containerStatuses", container, &waiting);
        for entry in
            status["containerStatuses"].as_array_mut().into_iter().flatten().filter(|entry| entry["name"] == container)
        {
            entry["lastState"] = last.clone();
            entry["restartCount"] = json!(entry["restartCount"].as_u64().unwrap_or(0) + 1);
        }
        let unready = format!("containers with unready status: [{container}]");
        status::set_ready(status, Err(("ContainersNotReady", &unready)), &now);
    });
    pod.event(
        object,
        Some(container),
        true,
        "BackOff",
        &format!("Back-off restarting failed container {container} in pod {}", pod.key.name),
    );
    if let Some(log) = pod.cluster.api.logs.get(&pod.uid, container) {
        log.close();
    }
}
