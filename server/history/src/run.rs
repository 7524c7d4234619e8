//! One run of the past: how it went, from its approval to its verdict.

use crate::{
    APPROVAL_MS, HOUR_MS, Playbook, Remediation,
    paper::{self, Advice},
    profiles::{ADVISORS, Profile, Target},
    weighted,
};
use domain::{
    execution::{
        Assessment, Execution, ExecutionState, ExecutionSubject, LogLine, Stage, Task, TaskAttempt, TaskState,
    },
    identity::Actor,
    ids::{Digest, ExecutionId, RecommendationId},
    pipeline_run::PLAYBOOK_TASK,
    playbook::{
        Registration,
        values::{self, EnvEntry, EnvValue},
    },
    recommendation::{ResourceRef, Risk},
    ticket::dns_label,
    time::{Timestamp, human},
};
use rand::{Rng as _, rngs::StdRng};
use serde_json::{Map, Value, json};

/// The run of a step list may take so long, milliseconds.
const STEPS_TIMEOUT_MS: i64 = 30 * 60 * 1000;
/// Nobody has looked yet at what ended less than so many hours ago.
const UNASSESSED_HOURS: i64 = 6;
/// So many days ago the prompt was changed.
const PROMPT_CHANGED_DAYS: i64 = 40;
/// The seeds' steps: name, and what it waits for.
const STEPS: [(&str, &[&str]); 3] =
    [("restart-pods", &[]), ("scale-deployment", &[]), ("create-gitops-pr", &["restart-pods", "scale-deployment"])];

/// Everything that the runs of a profile share.
pub struct Past<'a> {
    profile: &'a Profile,
    playbook: Option<&'a Playbook>,
    /// What the model proposed and what the container got, by target.
    parameters: Vec<Parameters>,
    approvers: &'a [Actor],
    namespace: &'a str,
}

impl<'a> Past<'a> {
    pub fn new(profile: &'a Profile, library: &'a [Playbook], approvers: &'a [Actor], namespace: &'a str) -> Self {
        let is = |r: &Registration| {
            profile.playbook.is_some_and(|(id, version)| r.id.as_str() == id && r.version.to_string() == version)
        };
        let playbook = library.iter().find(|playbook| is(&playbook.registration));
        let of = |target| playbook.map(|p| Parameters::of(&p.registration, target)).unwrap_or_default();
        Self { profile, playbook, parameters: profile.targets.iter().map(of).collect(), approvers, namespace }
    }

    /// A run that was approved at that time; `now` tells whether it has been assessed.
    pub fn remediation(&self, approved_at: Timestamp, now: Timestamp, dice: &mut StdRng) -> Remediation {
        let profile = self.profile;
        let place = dice.random_range(0..profile.targets.len());
        let advisor = &ADVISORS[weighted(ADVISORS.iter().map(|a| a.weight), dice)];
        let (low, high) = advisor.confidence;
        let sure = dice.random_range(low..high);
        let approved_by = self.approved_by(dice);
        let subject = self.subject(place, approved_at, dice);
        let (subject, paper) = match self.playbook {
            Some(playbook) => {
                let subject = ExecutionSubject { prompt_version: Some(prompt(approved_at, now).to_owned()), ..subject };
                let advice = Advice { profile, playbook, advisor, sure: (sure * 100.0).round() / 100.0 };
                let paper = paper::write(&advice, &self.parameters[place], &subject, &approved_by, approved_at, dice);
                let ticket = &paper.ticket;
                let subject = ExecutionSubject {
                    model: Some(advisor.name.to_owned()),
                    confidence: Some(advice.sure),
                    ticket_digest: ticket.digest().clone(),
                    name: ticket.name(),
                    ..subject
                };
                (subject, Some(paper))
            }
            None => (subject, None),
        };
        // Whoever is surer than usual is right a little more often.
        let succeeds = (profile.succeeds + advisor.skill + (sure - f64::midpoint(low, high)) * 0.15).clamp(0.05, 0.995);
        let state = if dice.random_bool(succeeds) { ExecutionState::Succeeded } else { badly(dice) };
        let started_at = approved_at.plus_ms(dice.random_range(120..650));
        let digest = &subject.ticket_digest;
        let tasks = match self.playbook {
            Some(_) => vec![self.playbook_task(state, started_at, &self.parameters[place].shown, digest, dice)],
            None => self.steps(state, started_at, digest, dice),
        };
        let finished_at = tasks.iter().filter_map(|task| task.finished_at).max().unwrap_or(started_at);
        let finished_at = finished_at.plus_ms(dice.random_range(90..400));
        let (reason, message) = self.reason(state, &subject.name, &tasks);
        let execution = Execution {
            state,
            stage: Stage::Ended,
            revision: 4 + i64::try_from(tasks.len()).unwrap_or_default(),
            reason: Some(reason),
            message: Some(message),
            uid: Some(id(approved_at, dice)),
            run_uid: None,
            approved_by,
            created_at: approved_at,
            expires_at: paper.as_ref().map_or(approved_at.plus_ms(APPROVAL_MS), |p| p.recommendation.expires_at),
            started_at: Some(started_at),
            finished_at: Some(finished_at),
            cancel_requested: state == ExecutionState::Cancelled,
            assessment: verdict(state, profile.helps, now.since(finished_at), dice),
            tasks,
            warnings: Vec::new(),
            subject,
        };
        Remediation { execution, paper }
    }

    /// What it was about, under a name and a ticket that only a step list keeps.
    fn subject(&self, place: usize, approved_at: Timestamp, dice: &mut StdRng) -> ExecutionSubject {
        let profile = self.profile;
        let target = profile.targets[place];
        let digest = Digest::from_bytes(dice.random());
        let incident_id = format!("inc-{:08x}", dice.random::<u32>());
        let (incident, what) = (dns_label(&incident_id, 16), dns_label(profile.action_type, 23));
        let recommended_at = approved_at.plus_ms(-dice.random_range(20_000..600_000));
        let object = ResourceRef {
            kind: target.kind.into(),
            namespace: target.namespace.map(str::to_owned),
            name: target.name.into(),
        };
        ExecutionSubject {
            id: ExecutionId::new(id(approved_at, dice)),
            recommendation_id: RecommendationId::new(id(recommended_at, dice)),
            strategy: 0,
            name: format!("remediation-{incident}-{what}-{}", &digest.hex()[..10]),
            ticket_digest: digest,
            cluster: "sandbox".into(),
            sandbox: true,
            namespace: self.namespace.to_owned(),
            incident_id,
            signal_type: profile.signal_type.into(),
            severity: profile.severity,
            environment: Some("production".into()),
            resource: Some(object.clone()),
            acts_on: Some(object),
            workflow_id: profile.playbook.map(|(id, _)| id.to_owned()),
            version: profile.playbook.map(|(_, version)| version.to_owned()),
            action_type: profile.action_type.into(),
            model: None,
            prompt_version: None,
            confidence: None,
            title: self.playbook.map_or_else(
                || format!("{} alert detected for {}", profile.signal_type, target.name),
                |playbook| playbook.registration.title.clone(),
            ),
        }
    }

    /// One operator, or both for high risk.
    fn approved_by(&self, dice: &mut StdRng) -> Vec<Actor> {
        let first = dice.random_range(0..self.approvers.len().max(1));
        let many = if self.profile.risk == Risk::High { 2 } else { 1 };
        self.approvers.iter().cycle().skip(first).take(many.min(self.approvers.len())).cloned().collect()
    }

    fn timeout_ms(&self) -> i64 {
        self.playbook.map_or(STEPS_TIMEOUT_MS, |p| {
            i64::try_from(p.registration.execution.timeout.as_millis()).unwrap_or(i64::MAX)
        })
    }

    fn running_ms(&self, dice: &mut StdRng) -> i64 {
        // About as often half as long as twice as long.
        let factor = (dice.random_range(-1.0..1.0_f64) + dice.random_range(-1.0..1.0_f64)).exp2();
        #[expect(clippy::cast_possible_truncation, reason = "some minutes in milliseconds")]
        let ms = (self.profile.seconds * 1000.0 * factor) as i64;
        ms.clamp(1500, self.timeout_ms() - 10_000)
    }

    fn playbook_task(
        &self,
        state: ExecutionState,
        started_at: Timestamp,
        parameters: &Map<String, Value>,
        digest: &Digest,
        dice: &mut StdRng,
    ) -> Task {
        let ends = ending(state);
        let retries = self.playbook.map_or(0, |p| p.registration.execution.retry_count);
        let failed = match ends {
            TaskState::Failed => retries,
            TaskState::Succeeded if retries > 0 && dice.random_bool(0.1) => 1,
            _ => 0,
        };
        let mut attempts = Vec::new();
        let mut at = started_at;
        for number in 1..=failed {
            let ran = self.running_ms(dice);
            attempts.push(attempt(number, TaskState::Failed, at, ran, dice));
            at = attempts.last().and_then(|a| a.finished_at).unwrap_or(at);
        }
        let ran = match ends {
            TaskState::TimedOut => self.timeout_ms() - at.since(started_at),
            _ => self.running_ms(dice),
        };
        attempts.push(attempt(failed + 1, ends, at, ran, dice));
        let outputs = match self.playbook.map(|p| &p.registration) {
            Some(registration) if ends == TaskState::Succeeded && !registration.outputs.is_empty() => {
                Map::from_iter([("outputs".to_owned(), outputs(registration, parameters))])
            }
            _ => Map::new(),
        };
        Task { results: outputs, parameters: parameters.clone(), ..task(PLAYBOOK_TASK, &[], attempts, digest) }
    }

    /// The seeds' three steps. What ends badly ends so in one of the first two, and the last is skipped.
    fn steps(&self, state: ExecutionState, started_at: Timestamp, digest: &Digest, dice: &mut StdRng) -> Vec<Task> {
        let trouble = (state != ExecutionState::Succeeded).then(|| dice.random_range(0..2));
        let mut tasks: Vec<Task> = Vec::new();
        for (place, (name, run_after)) in STEPS.into_iter().enumerate() {
            let at = tasks.iter().filter(|t| run_after.contains(&t.name.as_str())).filter_map(|t| t.finished_at).max();
            let attempts = match trouble {
                Some(_) if !run_after.is_empty() => Vec::new(),
                Some(bad) if bad == place => {
                    let ran = if state == ExecutionState::TimedOut { self.timeout_ms() } else { self.running_ms(dice) };
                    vec![attempt(1, ending(state), started_at, ran, dice)]
                }
                _ => {
                    let ran = self.running_ms(dice);
                    vec![attempt(1, TaskState::Succeeded, at.unwrap_or(started_at), ran, dice)]
                }
            };
            tasks.push(task(name, run_after, attempts, digest));
        }
        tasks
    }

    /// Tekton's words for how it ended; the recorder's where a task says more.
    fn reason(&self, state: ExecutionState, name: &str, tasks: &[Task]) -> (String, String) {
        let count = |wanted| tasks.iter().filter(|task| task.state == wanted).count();
        let skipped = count(TaskState::Skipped);
        let (reason, message) = match state {
            ExecutionState::Succeeded => {
                let done = count(TaskState::Succeeded);
                ("Succeeded", format!("Tasks Completed: {done} (Failed: 0, Cancelled 0), Skipped: {skipped}"))
            }
            ExecutionState::TimedOut => {
                let limit = human(self.timeout_ms());
                ("PipelineRunTimeout", format!("PipelineRun \"{name}\" failed to finish within \"{limit}\""))
            }
            ExecutionState::Cancelled => ("Cancelled", format!("PipelineRun \"{name}\" was cancelled")),
            ExecutionState::Lost => {
                ("PipelineRunDeleted", "The PipelineRun was deleted while it ran; it is not created again.".into())
            }
            _ => {
                let task = tasks.iter().find(|task| task.state == TaskState::Failed);
                let said = task.and_then(|task| task.message.as_ref().map(|m| format!("{}: {m}", task.name)));
                ("Failed", said.unwrap_or_default())
            }
        };
        (reason.into(), message)
    }
}

/// The parameters of one target.
#[derive(Default)]
pub struct Parameters {
    /// As the model gave them.
    pub given: Map<String, Value>,
    /// Checked and merged like anybody's: what the ticket holds.
    pub entries: Vec<EnvEntry>,
    /// What the container got, as it is shown.
    pub shown: Map<String, Value>,
}

impl Parameters {
    fn of(registration: &Registration, target: &Target) -> Self {
        let known = |name: &str| match name {
            "TARGET_RESOURCE_KIND" => Some(json!(target.kind)),
            "TARGET_RESOURCE_NAME" | "TARGET_NODE" | "CERTIFICATE_NAME" => Some(json!(target.name)),
            "TARGET_NAMESPACE" => target.namespace.map(|namespace| json!(namespace)),
            "SCALE_TARGET_REPLICAS" if registration.exposed("REMEDIATION_ACTION").is_none() => Some(json!(2)),
            "MEMORY_LIMIT_NEW" if registration.exposed("REMEDIATION_ACTION").is_none() => Some(json!("2Gi")),
            "REMEDIATION_ACTION" => Some(json!("optimize_application")),
            _ => None,
        };
        let names = registration.parameters.exposed.iter().map(|parameter| parameter.name.as_str());
        let given: Map<_, _> = names.filter_map(|name| Some((name.to_owned(), known(name)?))).collect();
        let bound = values::validate(registration, &given).unwrap_or_default();
        let entries = values::merge(registration, &bound, &std::collections::BTreeSet::new()).unwrap_or_default();
        let shown = |value: &EnvValue| match value {
            EnvValue::Text(text) => json!(text),
            EnvValue::Secret { name, key } => json!(format!("secret {name}/{key}")),
        };
        let shown = entries.iter().map(|entry| (entry.name.to_string(), shown(&entry.value))).collect();
        Self { given, entries, shown }
    }
}

/// What the OOMKill playbooks report.
fn outputs(registration: &Registration, parameters: &Map<String, Value>) -> Value {
    let value = |name: &str| match name {
        "previous_replicas" => json!(4),
        "final_replicas" => json!(2),
        "previous_limit" => json!("1Gi"),
        "new_limit" => parameters.get("MEMORY_LIMIT_NEW").cloned().unwrap_or_default(),
        "memory_profile" => json!("lean"),
        "changed" => json!(true),
        _ => Value::Null,
    };
    registration.outputs.iter().map(|o| (o.name.to_string(), value(o.name.as_str()))).collect::<Map<_, _>>().into()
}

fn task(name: &str, run_after: &[&str], attempts: Vec<TaskAttempt>, digest: &Digest) -> Task {
    let last = attempts.last();
    let state = last.map_or(TaskState::Skipped, |attempt| attempt.state);
    let (reason, message) = match state {
        TaskState::Succeeded => ("Succeeded", Some("All Steps have completed executing")),
        TaskState::Failed => ("Failed", Some("\"step-execute\" exited with code 1: Error")),
        TaskState::Skipped => ("Skipped", Some("Parent Tasks were skipped or failed")),
        TaskState::Cancelled | TaskState::TimedOut => ("TaskRunCancelled", None),
        _ => ("Lost", None),
    };
    let mut task = Task {
        name: name.to_owned(),
        state,
        reason: Some(reason.to_owned()),
        message: message.map(str::to_owned),
        run_after: run_after.iter().map(ToString::to_string).collect(),
        finally: false,
        queued_ms: None,
        pulling_ms: None,
        running_ms: None,
        started_at: attempts.first().and_then(|attempt| attempt.running_at),
        finished_at: last.and_then(|attempt| attempt.finished_at),
        results: Map::new(),
        parameters: Map::new(),
        ticket: digest.clone(),
        attempts,
    };
    task.measure();
    task
}

fn attempt(number: u32, state: TaskState, at: Timestamp, ran_ms: i64, dice: &mut StdRng) -> TaskAttempt {
    let queued_at = at.plus_ms(dice.random_range(40..220));
    let pulling_at = queued_at.plus_ms(dice.random_range(60..900));
    let running_at = pulling_at.plus_ms(dice.random_range(700..5200));
    TaskAttempt {
        attempt: number,
        state,
        reason: None,
        pod: None,
        queued_at: Some(queued_at),
        pulling_at: Some(pulling_at),
        running_at: Some(running_at),
        finished_at: Some(running_at.plus_ms(ran_ms)),
    }
}

fn badly(dice: &mut StdRng) -> ExecutionState {
    let ways = [ExecutionState::Failed, ExecutionState::TimedOut, ExecutionState::Cancelled, ExecutionState::Lost];
    ways[weighted([0.68, 0.14, 0.12, 0.06].into_iter(), dice)]
}

fn ending(state: ExecutionState) -> TaskState {
    match state {
        ExecutionState::Succeeded => TaskState::Succeeded,
        ExecutionState::TimedOut => TaskState::TimedOut,
        ExecutionState::Cancelled => TaskState::Cancelled,
        ExecutionState::Lost => TaskState::Lost,
        _ => TaskState::Failed,
    }
}

/// The prompt that the advisors were asked with: another one since some weeks.
fn prompt(approved_at: Timestamp, now: Timestamp) -> &'static str {
    if now.since(approved_at) > PROMPT_CHANGED_DAYS * 24 * HOUR_MS { "6" } else { "7" }
}

fn verdict(state: ExecutionState, helps: f64, ago_ms: i64, dice: &mut StdRng) -> Assessment {
    let (looked, clear, helped) = (dice.random_bool(0.93), dice.random_bool(0.94), dice.random_bool(helps));
    match state {
        _ if ago_ms < UNASSESSED_HOURS * HOUR_MS || !looked => Assessment::NotAssessed,
        ExecutionState::Cancelled | ExecutionState::Lost => Assessment::NotAssessed,
        _ if !clear => Assessment::Inconclusive,
        ExecutionState::Succeeded if helped => Assessment::Effective,
        _ => Assessment::Ineffective,
    }
}

/// An id as it would have been made then: UUIDv7.
pub fn id(at: Timestamp, dice: &mut StdRng) -> String {
    let ms = u64::try_from(at.as_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(ms, &dice.random()).into_uuid().to_string()
}

/// What an attempt would have written.
pub fn log(execution: &Execution, attempt: &TaskAttempt) -> Vec<LogLine> {
    let subject = &execution.subject;
    let target = subject.resource.as_ref().map(|r| format!("{}/{}", r.kind, r.name)).unwrap_or_default();
    let last = match attempt.state {
        TaskState::Succeeded => "=== Remediation Complete ===",
        TaskState::Failed => "error: timed out waiting for the condition",
        _ => "",
    };
    let lines = [
        (attempt.running_at, format!("=== {} ===", subject.title)),
        (attempt.running_at, format!("Target: {target}")),
        (attempt.finished_at, last.to_owned()),
    ];
    let lines = lines.into_iter().filter(|(_, text)| !text.is_empty());
    (1..).zip(lines).map(|(line, (at, text))| LogLine { line, at, text }).collect()
}
