//! What containers do. A small program stands for each image, chosen by the last part of the repository's name; it
//! sees what a container would see: its environment, its log, the cluster's API.
//!
//! | Image | Does |
//! |---|---|
//! | `playbook-oomkill-scale-down`, `-increase-memory`, `-optimize-app`, `-multi`, `-cost` | the seeds' playbooks, on the workloads of the store |
//! | `restart`, `scale`, `git-pr` (under `actions/`) | the seeds' actions |
//! | `playbook-shell`, `playbook-static`, `playbook-root` | the images that the fixtures were recorded with |
//! | name contains `fail` | prints, and exits 1 |
//! | name ends in `sleep` | runs as many seconds as `SLEEP_SECONDS` says |
//! | name ends in `chatty` | writes as many lines as `LINES` says, with levels, colours and groups among them |
//! | name ends in `grouping` | writes one group of as many lines as `LINES` says, and a few before and after it |
//! | name ends in `endless` | writes such lines a few at a time, until it is ended |
//! | name ends in `console` | lists a volume, in which there is nothing: the sandbox keeps no files |
//! | any other | prints the names of its parameters and exits 0 |

mod actions;
mod kubectl;
mod playbooks;
mod recorded;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::api::Api;
use crate::api::logs::Log;
use crate::registry::Reference;

/// How a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i64),
    OutOfMemory,
}

const DONE: Exit = Exit::Code(0);
const FAILED: Exit = Exit::Code(1);

/// What a program runs in.
pub(crate) struct Machine {
    api: Arc<Api>,
    log: Arc<Log>,
    pod: String,
    env: BTreeMap<String, String>,
    files: Mutex<BTreeMap<String, String>>,
}

impl Machine {
    pub(crate) fn new(api: Arc<Api>, log: Arc<Log>, pod: String, env: BTreeMap<String, String>) -> Self {
        Self { api, log, pod, env, files: Mutex::default() }
    }

    /// Writes a line to standard output.
    fn say(&self, line: impl AsRef<str>) {
        self.log.write(self.api.time.now_ms(), line.as_ref());
    }

    async fn pause(&self, world_ms: u64) {
        self.api.time.sleep(world_ms).await;
    }

    fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str)
    }

    /// A variable that must be set, as under `set -u`.
    fn required(&self, name: &str) -> Result<&str, Exit> {
        self.var(name).ok_or_else(|| {
            self.say(format!("{name}: unbound variable"));
            FAILED
        })
    }

    /// Writes the file that `OUTPUTS_PATH` names.
    fn report(&self, outputs: &Value) {
        self.write(outputs.to_string());
    }

    fn write(&self, content: String) {
        if let Some(path) = self.var("OUTPUTS_PATH") {
            self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), content);
        }
    }

    /// Files that were written, by path.
    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Runs an image's program to its end.
pub(crate) async fn run(image: &str, machine: &Machine) -> Exit {
    let reference = Reference::parse(image);
    let name = reference.as_ref().map(Reference::short_name).unwrap_or_default();
    let is_action = reference.as_ref().is_ok_and(|reference| reference.repository.contains("/actions/"));
    let result = match name {
        "playbook-oomkill-scale-down" => playbooks::scale_down(machine).await,
        "playbook-oomkill-increase-memory" => playbooks::increase_memory(machine).await,
        "playbook-oomkill-optimize-app" => playbooks::optimize(machine).await,
        "playbook-oomkill-multi" => playbooks::chosen_by(machine, "REMEDIATION_TYPE").await,
        "playbook-oomkill-cost" => playbooks::chosen_by(machine, "REMEDIATION_ACTION").await,
        "restart" if is_action => actions::restart(machine).await,
        "scale" if is_action => actions::scale(machine).await,
        "git-pr" if is_action => actions::pull_request(machine).await,
        "playbook-shell" | "playbook-root" => recorded::shell(machine).await,
        "playbook-static" => Ok(recorded::static_program(machine)),
        other => unknown(other, machine).await,
    };
    result.unwrap_or_else(|exit| exit)
}

/// Lines that a chatty image writes before it pauses, and for how long, milliseconds.
const CHATTY_AT_ONCE: u32 = 500;
const CHATTY_PAUSE_MS: u64 = 40;
/// The same of an endless one: it is read along, not to its end.
const ENDLESS_AT_ONCE: u32 = 50;
const ENDLESS_PAUSE_MS: u64 = 200;

/// A line of a chatty image.
fn chatter(line: u32) -> String {
    match line % 1000 {
        500 => format!("::group::Batch {}", line / 1000),
        520 => "::endgroup::".to_owned(),
        997 => format!("ERROR: request {line} was refused by the disruption budget of payment-service"),
        n if n % 131 == 0 => format!("\u{1b}[33mwarning:\u{1b}[0m try {line} failed, the next one follows in 250 ms"),
        n => format!("line {line}: reconciling deployment/my-app in production, {} of 17 pods are ready", n % 17),
    }
}

async fn unknown(name: &str, machine: &Machine) -> Result<Exit, Exit> {
    if name.ends_with("sleep") {
        let seconds = machine.var("SLEEP_SECONDS").and_then(|text| text.parse::<u64>().ok()).unwrap_or(60);
        machine.say(format!("sleeping for {seconds} seconds"));
        machine.pause(seconds.saturating_mul(1000)).await;
        machine.say("awake");
        return Ok(DONE);
    }
    if name.ends_with("console") {
        machine.say(json!({"entries": [], "cut": [], "unread": 0}).to_string());
        return Ok(DONE);
    }
    if name.ends_with("chatty") {
        let lines = machine.var("LINES").and_then(|text| text.parse::<u32>().ok()).unwrap_or(1000);
        for line in 1..=lines {
            machine.say(chatter(line));
            // No faster than whoever follows can read: a container's log is rotated.
            if line.is_multiple_of(CHATTY_AT_ONCE) {
                machine.pause(CHATTY_PAUSE_MS).await;
            }
        }
        return Ok(DONE);
    }
    if name.ends_with("grouping") {
        let lines = machine.var("LINES").and_then(|text| text.parse::<u32>().ok()).unwrap_or(450);
        machine.say("before");
        machine.say("::group::Fetch");
        for line in 1..=lines {
            machine.say(format!("layer {line} is there"));
        }
        machine.say("::endgroup::");
        machine.say("after");
        return Ok(DONE);
    }
    if name.ends_with("endless") {
        let mut line = 0_u32;
        loop {
            line = line.wrapping_add(1);
            machine.say(chatter(line));
            if line.is_multiple_of(ENDLESS_AT_ONCE) {
                machine.pause(ENDLESS_PAUSE_MS).await;
            }
        }
    }
    machine.say(format!("{name} starts"));
    let own = [
        "HOME",
        "HOSTNAME",
        "PATH",
        "KUBECONFIG",
        "OUTPUTS_PATH",
        "WORKSPACE_PATH",
        "PLAYBOOK_ID",
        "TEKTON_PLATFORM_COMMANDS",
    ];
    for parameter in machine.env.keys().filter(|name| !own.contains(&name.as_str())) {
        machine.say(format!("parameter {parameter} is set"));
    }
    machine.pause(3_000).await;
    if name.contains("fail") {
        machine.say("ERROR: this image always fails");
        return Err(FAILED);
    }
    machine.say("done");
    Ok(DONE)
}
