//! Which task comes next, and how the whole stands.

use super::*;

fn facts(tasks: &Value, finals: &Value, ended: &[(&str, Option<bool>, &str)]) -> Facts {
    let list = tasks.as_array().unwrap();
    let child = |name: &str| {
        ended.iter().find(|(of, _, _)| *of == name).map(|(_, succeeded, reason)| Child {
            name: format!("run-{name}"),
            succeeded: *succeeded,
            reason: (*reason).into(),
            timed_out_with_run: false,
            results: Vec::new(),
        })
    };
    let task = |spec: &Value, is_final| Task { child: child(graph::name(spec)), spec: spec.clone(), is_final };
    let all =
        list.iter().map(|spec| task(spec, false)).chain(finals.as_array().unwrap().iter().map(|spec| task(spec, true)));
    Facts {
        name: "run".into(),
        tasks: all.collect(),
        graph: Graph::build(list).unwrap(),
        asked: String::new(),
        pipeline_timed_out: false,
        tasks_timed_out: false,
        finally_timed_out: false,
        skips: RefCell::default(),
    }
}

fn names(facts: &Facts) -> Vec<&str> {
    facts.next().into_iter().map(Task::name).collect()
}

#[test]
fn tasks_start_when_what_they_wait_for_has_ended() {
    let tasks = json!([{"name": "a"}, {"name": "b"}, {"name": "c", "runAfter": ["a", "b"]}]);
    assert_eq!(names(&facts(&tasks, &json!([]), &[])), ["a", "b"]);
    let half = facts(&tasks, &json!([]), &[("a", Some(true), "Succeeded"), ("b", None, "Running")]);
    assert!(names(&half).is_empty());
    assert_eq!(half.condition().2, "Tasks Completed: 1 (Failed: 0, Cancelled 0), Incomplete: 2, Skipped: 0");
    let both = facts(&tasks, &json!([]), &[("a", Some(true), "Succeeded"), ("b", Some(true), "Succeeded")]);
    assert_eq!(names(&both), ["c"]);
}

#[test]
fn a_failure_skips_the_rest_but_not_finally() {
    let tasks = json!([{"name": "a"}, {"name": "b", "runAfter": ["a"]}]);
    let failed = facts(&tasks, &json!([{"name": "tidy"}]), &[("a", Some(false), "StepFailed")]);
    assert_eq!(names(&failed), ["tidy"]);
    assert_eq!(failed.skipped(), [json!({"name": "b", "reason": "PipelineRun was stopping"})]);
    let over = facts(
        &tasks,
        &json!([{"name": "tidy"}]),
        &[("a", Some(false), "StepFailed"), ("tidy", Some(true), "Succeeded")],
    );
    assert_eq!(over.condition(), ("False", "Failed", "Tasks Completed: 2 (Failed: 1, Cancelled 0), Skipped: 1".into()));
}

#[test]
fn when_expressions_skip_one_task_and_not_its_followers() {
    let tasks = json!([{"name": "a", "when": [{"input": "x", "operator": "in", "values": ["y"]}]}, {"name": "b", "runAfter": ["a"]}]);
    let facts = facts(&tasks, &json!([]), &[("b", Some(true), "Succeeded")]);
    assert_eq!(facts.skipped()[0]["reason"], WHEN);
    assert_eq!(
        facts.condition(),
        ("True", "Completed", "Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 1".into())
    );
}
