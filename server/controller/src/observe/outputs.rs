//! Validation after a run: a playbook that declares outputs must have reported them, with their types (parameter seed,
//! "Post-Execution Validation"). Exit codes are judged where tasks are read. Pure.

use domain::{
    execution::{ExecutionState, Task, TaskState},
    observation::Observation,
    pipeline_run::PLAYBOOK_TASK,
    playbook::{OutputDeclaration, ParameterType},
};
use serde_json::Value;

/// The reason given to a run that succeeded but did not report what it promised.
pub const OUTPUTS_INVALID: &str = "OutputsInvalid";

/// Turns a success into a failure where the declared outputs are not all there. What nobody could read is not there: a
/// run that declares outputs succeeds by them alone, never by Tekton's word for the whole.
pub fn validate_outputs(reading: &mut Observation, declared: &[OutputDeclaration]) {
    if declared.is_empty() {
        return;
    }
    let task = reading.tasks.iter_mut().find(|t| t.name == PLAYBOOK_TASK);
    let faults = match &task {
        Some(task) if task.state == TaskState::Succeeded => faults(task, declared),
        _ if reading.state != ExecutionState::Succeeded => return,
        _ => vec![format!("there is no task {PLAYBOOK_TASK} that ended well")],
    };
    if faults.is_empty() {
        return;
    }
    let message = format!("the playbook ended well but its outputs are not what it declares: {}", faults.join("; "));
    if let Some(task) = task {
        task.state = TaskState::Failed;
        task.reason = Some(OUTPUTS_INVALID.into());
        task.message = Some(message.clone());
        if let Some(last) = task.attempts.last_mut() {
            last.state = TaskState::Failed;
            last.reason = Some(OUTPUTS_INVALID.into());
        }
    }
    if reading.state == ExecutionState::Succeeded {
        reading.state = ExecutionState::Failed;
        reading.reason = Some(OUTPUTS_INVALID.into());
        reading.message = Some(message);
    }
}

fn faults(task: &Task, declared: &[OutputDeclaration]) -> Vec<String> {
    let Some(outputs) = task.results.get("outputs") else {
        if task.attempts.is_empty() {
            return vec!["they can't be read any more, the TaskRun is gone".into()];
        }
        return vec!["nothing was written to OUTPUTS_PATH".into()];
    };
    let Value::Object(outputs) = outputs else {
        return vec!["what was written to OUTPUTS_PATH is no JSON object".into()];
    };
    let mut found = Vec::new();
    for output in declared {
        let name = output.name.as_str();
        match outputs.get(name) {
            None => found.push(format!("{name} is missing")),
            Some(value) if !fits(value, output.kind) => found.push(format!("{name} is no {}", output.kind)),
            Some(_) => {}
        }
    }
    found
}

fn fits(value: &Value, kind: ParameterType) -> bool {
    match kind {
        ParameterType::String => value.is_string(),
        ParameterType::Integer => value.is_i64() || value.is_u64(),
        ParameterType::Number => value.is_number(),
        ParameterType::Boolean => value.is_boolean(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{execution::Stage, ids::Digest};
    use serde_json::{Map, json};

    fn run(outputs: Option<Value>) -> Observation {
        let attempt = domain::execution::TaskAttempt {
            attempt: 1,
            state: TaskState::Succeeded,
            reason: None,
            pod: None,
            queued_at: None,
            pulling_at: None,
            running_at: None,
            finished_at: None,
        };
        let task = Task {
            name: PLAYBOOK_TASK.into(),
            state: TaskState::Succeeded,
            reason: None,
            message: None,
            run_after: vec![],
            finally: false,
            attempts: vec![attempt],
            queued_ms: None,
            pulling_ms: None,
            running_ms: None,
            started_at: None,
            finished_at: None,
            results: outputs.map(|o| Map::from_iter([("outputs".to_owned(), o)])).unwrap_or_default(),
            parameters: Map::new(),
            ticket: Digest::from_bytes([0; 32]),
        };
        Observation {
            state: ExecutionState::Succeeded,
            stage: Stage::Ended,
            reason: Some("Succeeded".into()),
            message: None,
            uid: None,
            run_uid: None,
            started_at: None,
            finished_at: None,
            tasks: vec![task],
            warnings: vec![],
        }
    }

    fn judge(mut reading: Observation) -> Observation {
        let declared: Vec<OutputDeclaration> = serde_json::from_value(
            json!([{"name": "replicas", "type": "integer"}, {"name": "note", "type": "string"}]),
        )
        .unwrap();
        validate_outputs(&mut reading, &declared);
        reading
    }

    fn judged(outputs: Option<Value>) -> Observation {
        judge(run(outputs))
    }

    #[test]
    fn what_nobody_could_read_is_no_success() {
        let without = |change: fn(&mut Observation)| {
            let mut reading = run(Some(json!({"replicas": 2, "note": "ok"})));
            change(&mut reading);
            let reading = judge(reading);
            (reading.state, reading.message.unwrap_or_default())
        };
        for change in [
            |r: &mut Observation| r.tasks.clear(),
            |r: &mut Observation| r.tasks[0].state = TaskState::Pending,
            |r: &mut Observation| r.tasks[0].state = TaskState::Skipped,
        ] {
            let (state, message) = without(change);
            assert_eq!(state, ExecutionState::Failed);
            assert!(message.contains("no task execute that ended well"), "{message}");
        }
        let (state, message) = without(|r| {
            r.tasks[0].attempts.clear();
            r.tasks[0].results.clear();
        });
        assert!(state == ExecutionState::Failed && message.contains("the TaskRun is gone"), "{message}");
        let (state, _) = without(|r| {
            r.state = ExecutionState::Cancelled;
            r.tasks.clear();
        });
        assert_eq!(state, ExecutionState::Cancelled, "only a success is judged");
    }

    #[test]
    fn declared_outputs_must_be_there_with_their_types() {
        assert_eq!(judged(Some(json!({"replicas": 2, "note": "ok", "more": true}))).state, ExecutionState::Succeeded);
        for (outputs, why) in [
            (None, "nothing was written"),
            (Some(json!("plain text")), "no JSON object"),
            (Some(json!({"replicas": 2})), "note is missing"),
            (Some(json!({"replicas": 2.5, "note": "ok"})), "replicas is no integer"),
            (Some(json!({"replicas": "2", "note": "ok"})), "replicas is no integer"),
        ] {
            let reading = judged(outputs);
            assert_eq!(reading.state, ExecutionState::Failed, "{why}");
            assert_eq!(reading.reason.as_deref(), Some(OUTPUTS_INVALID));
            assert!(reading.message.unwrap().contains(why), "{why}");
            assert_eq!(reading.tasks[0].state, TaskState::Failed);
        }
    }

    #[test]
    fn without_declarations_nothing_is_asked() {
        let mut reading = run(None);
        validate_outputs(&mut reading, &[]);
        assert_eq!(reading, run(None));
    }
}
