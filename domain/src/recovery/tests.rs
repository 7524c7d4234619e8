use super::*;
use crate::{
    execution::{Assessment as A, ExecutionState as S},
    recommendation::RecommendationState as R,
};
use serde_json::json;

fn step(name: &str, after: &[&str], idempotent: bool) -> Step {
    serde_json::from_value(json!({
        "name": name, "actionType": "a", "image": format!("quay.io/a/b@sha256:{}", "a1".repeat(32)),
        "runAfter": after, "idempotent": idempotent,
    }))
    .expect("a step")
}

fn task(name: &str, state: TaskState) -> Task {
    let started = !matches!(state, TaskState::Pending | TaskState::Skipped);
    serde_json::from_value(json!({
        "name": name, "state": state, "run_after": [], "attempts": [], "results": {}, "parameters": {},
        "started_at": started.then(|| Timestamp::from_millis(1)), "ticket": format!("sha256:{}", "a1".repeat(32)),
    }))
    .expect("a task")
}

fn run(state: ExecutionState, assessment: Assessment) -> Execution {
    serde_json::from_value(json!({
        "id": "e", "recommendation_id": "r", "strategy": 0, "ticket_digest": format!("sha256:{}", "a1".repeat(32)),
        "name": "n", "cluster": "c", "sandbox": true, "namespace": "k", "incident_id": "i", "signal_type": "s",
        "severity": "high", "action_type": "a", "title": "t", "state": state, "stage": "ended", "revision": 1,
        "approved_by": [], "created_at": Timestamp::from_millis(1), "expires_at": Timestamp::from_millis(2),
        "started_at": Timestamp::from_millis(1), "cancel_requested": false, "assessment": assessment, "tasks": [],
    }))
    .expect("a run")
}

#[test]
fn what_is_left_of_a_list_begins_at_the_failed_step() {
    let steps =
        [step("a", &[], false), step("b", &["a"], true), step("c", &["a", "b"], false), step("d", &["c"], false)];
    let tasks = [
        task("a", TaskState::Succeeded),
        task("b", TaskState::Failed),
        task("c", TaskState::Skipped),
        task("d", TaskState::Pending),
    ];
    let left = remaining(&steps, &tasks).expect("b may be repeated");
    let told: Vec<(&str, Vec<&str>)> =
        left.iter().map(|s| (s.name.as_str(), s.run_after.iter().map(String::as_str).collect())).collect();
    assert_eq!(told, [("b", vec![]), ("c", vec!["b"]), ("d", vec!["c"])]);
}

#[test]
fn what_had_begun_is_repeated_only_where_it_says_so() {
    let steps = [step("a", &[], true), step("b", &[], false)];
    // Both had begun: the one was stopped because the other failed.
    let tasks = [task("a", TaskState::Failed), task("b", TaskState::Cancelled)];
    assert_eq!(remaining(&steps, &tasks), Err(NoRetry::NotSafe("b".into())));
    // What nobody observed may have begun.
    assert_eq!(remaining(&steps, &tasks[..1]), Err(NoRetry::NotSafe("b".into())));
    let done = [task("a", TaskState::Succeeded), task("b", TaskState::Succeeded)];
    assert_eq!(remaining(&steps, &done), Err(NoRetry::Nothing));
}

#[test]
fn files_of_a_run_that_ended_are_gone() {
    let mut steps = [step("a", &[], true), step("b", &["a"], true)];
    let tasks = [task("a", TaskState::Succeeded), task("b", TaskState::Failed)];
    steps[1].uses_workspace = true;
    assert!(remaining(&steps, &tasks).is_ok(), "nothing was left in the volume");
    steps[0].uses_workspace = true;
    assert_eq!(remaining(&steps, &tasks), Err(NoRetry::Workspace("b".into())));
}

#[test]
fn what_has_to_change_back_takes_the_place_of_what_it_ran_with() {
    let ran = json!({ "NAME": "app", "REPLICAS": 1 });
    let back = json!({ "REPLICAS": 4 });
    let whole = undoing(ran.as_object().expect("one"), back.as_object().expect("one"));
    assert_eq!(Value::Object(whole), json!({ "NAME": "app", "REPLICAS": 4 }));
}

#[test]
fn nothing_happens_by_itself_unless_it_is_allowed_and_went_wrong() {
    for state in S::ALL {
        for assessment in A::ALL {
            let run = run(*state, *assessment);
            assert_eq!(by_itself(Recovery::None, &run, None), None);
            let wrong =
                matches!(state, S::Failed | S::TimedOut) || (*state == S::Succeeded && *assessment == A::Ineffective);
            let wanted = wrong.then_some(Way::Rollback);
            assert_eq!(by_itself(Recovery::Rollback, &run, None), wanted, "{state} {assessment}");
        }
    }
    let mut never_begun = run(S::Failed, A::NotAssessed);
    never_begun.started_at = None;
    assert_eq!(by_itself(Recovery::Rollback, &never_begun, None), None);
}

/// Whatever becomes of each run and whatever the policy says, a line comes to its end.
#[test]
fn a_line_of_recoveries_has_no_loop() {
    for (_, allowed) in Recovery::WORDS {
        let mut lines = vec![(None, Vec::new())];
        while let Some((of, made)) = lines.pop() {
            assert!(made.len() <= 2, "{made:?}");
            for state in S::ALL {
                for assessment in A::ALL {
                    if let Some(way) = by_itself(*allowed, &run(*state, *assessment), of) {
                        assert!(!made.contains(&way), "{way:?} twice");
                        let mut longer: Vec<Way> = made.clone();
                        longer.push(way);
                        lines.push((Some((way, true)), longer));
                    }
                }
            }
        }
    }
    // What a person asked for is a person's to go on with.
    for way in Way::ALL {
        let failed = run(S::Failed, A::NotAssessed);
        assert_eq!(by_itself(Recovery::RollbackThenNextStrategy, &failed, Some((way, false))), None);
    }
}

#[test]
fn one_thing_at_a_time_is_made_of_a_run_and_it_is_undone_once() {
    let made = |way, state, run| Made {
        way,
        automatic: false,
        recommendation_id: RecommendationId::new("r"),
        state,
        at: Timestamp::default(),
        execution_id: None,
        run,
    };
    for (one, way, blocks) in [
        (made(Way::Rollback, R::Open, None), Way::Rollback, true),
        (made(Way::Rollback, R::Open, None), Way::Retry, true),
        (made(Way::Rollback, R::Decided, None), Way::Rollback, false),
        (made(Way::Rollback, R::Expired, None), Way::Rollback, false),
        (made(Way::Rollback, R::Decided, Some(S::Running)), Way::Retry, true),
        (made(Way::Rollback, R::Decided, Some(S::Failed)), Way::Rollback, false),
        (made(Way::Rollback, R::Decided, Some(S::Succeeded)), Way::Rollback, true),
        (made(Way::Rollback, R::Decided, Some(S::Succeeded)), Way::Retry, false),
        (made(Way::Retry, R::Decided, Some(S::Succeeded)), Way::Rollback, false),
    ] {
        assert_eq!(in_the_way(way, std::slice::from_ref(&one)).is_some(), blocks, "{one:?} before {way:?}");
    }
}

#[test]
fn words_round_trip() {
    for way in Way::ALL {
        assert_eq!(Way::from_name(way.name()), Some(way));
        assert_eq!(serde_json::to_value(way).ok(), Some(json!(way.name())));
    }
    for (word, recovery) in Recovery::WORDS {
        assert_eq!(serde_json::to_value(recovery).ok(), Some(json!(word)));
    }
}

#[test]
fn what_is_captured_is_what_a_parameter_can_hold() {
    let wanted: Vec<Capture> = serde_json::from_value(json!([
        { "field": "/spec/replicas", "parameter": "REPLICAS" },
        { "field": "/spec/template", "parameter": "TEMPLATE" },
        { "field": "/spec/paused", "parameter": "PAUSED" },
        { "field": "/metadata/labels/x", "parameter": "LABEL" },
    ]))
    .expect("captures");
    let kept = captured(&wanted, vec![Some(json!(4)), Some(json!({})), Some(json!(false))]);
    assert_eq!(Value::Object(kept.values), json!({ "REPLICAS": 4, "PAUSED": false }));
    let trouble = kept.trouble.expect("two are missing");
    assert!(trouble.contains("/spec/template") && trouble.contains("/metadata/labels/x was not set"), "{trouble}");
}
