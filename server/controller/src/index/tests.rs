//! Objects go in, names and readings come out.

use super::*;
use crate::objects::Condition;
use domain::execution::{ExecutionState, TaskState};

const RUN: &str = "remediation-x";

fn run(status: Option<(&str, &str)>) -> PipelineRun {
    PipelineRun {
        name: RUN.into(),
        uid: "pr-1".into(),
        workflow: RUN.into(),
        owner_uid: Some("wfe-1".into()),
        digest: Some(digest().to_string()),
        condition: status.map(|(status, reason)| Condition {
            status: status.into(),
            reason: reason.into(),
            message: String::new(),
            since: None,
        }),
        created_at: None,
        held: false,
        started_at: Some(Timestamp::from_millis(0)),
        finished_at: None,
        tasks: vec![
            crate::objects::PipelineTask { name: "a".into(), ..Default::default() },
            crate::objects::PipelineTask { name: "b".into(), ..Default::default() },
        ],
        children: vec![],
        skipped: vec![],
    }
}

fn child(task: &str) -> Child {
    Child { name: format!("{RUN}-{task}"), task: task.into() }
}

fn digest() -> Digest {
    Digest::from_bytes([7; 32])
}

fn tracked() -> Tracked {
    Tracked {
        id: ExecutionId::new("e-1"),
        uid: Some("wfe-1".into()),
        run_uid: None,
        digest: digest(),
        started: false,
        outputs: vec![],
        timeout_ms: 600_000,
    }
}

fn task_run(task: &str, status: &str) -> TaskRun {
    TaskRun {
        name: format!("{RUN}-{task}"),
        uid: format!("tr-{task}"),
        workflow: RUN.into(),
        owner_uid: Some("pr-1".into()),
        task: task.into(),
        created_at: None,
        asked_because: None,
        now: crate::objects::Attempt {
            condition: Some(Condition {
                status: status.into(),
                reason: "x".into(),
                message: String::new(),
                since: None,
            }),
            ..Default::default()
        },
        earlier: vec![],
        replaced: vec![],
    }
}

fn index() -> Index {
    let mut index = Index::default();
    index.track(RUN, tracked());
    index
}

fn tell(index: &mut Index) -> Reading {
    match index.look(RUN) {
        Look::Tell(_, reading) => *reading,
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_what_is_new_is_told() {
    let mut index = index();
    assert_eq!(index.pipeline_run(run(Some(("Unknown", "Running")))).as_deref(), Some(RUN));
    let first = tell(&mut index);
    assert_eq!(first.news.as_ref().unwrap().tasks.len(), 2);
    index.told(RUN, first.whole);
    assert!(tell(&mut index).news.is_none(), "nothing changed");
    index.task_run(task_run("b", "True"));
    let second = tell(&mut index);
    let news = second.news.unwrap();
    assert_eq!(news.tasks.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(news.tasks[0].state, TaskState::Succeeded);
    assert_eq!(second.whole.tasks.len(), 2);
}

#[test]
fn a_watch_that_shows_nothing_only_asks() {
    let mut index = index();
    index.pipeline_run(run(Some(("Unknown", "Running"))));
    assert!(index.pipeline_runs_listed(&HashSet::from([RUN.to_owned()])).is_empty());
    assert!(matches!(index.look(RUN), Look::Tell(..)));
    assert_eq!(index.pipeline_runs_listed(&HashSet::new()), [RUN]);
    assert!(matches!(index.look(RUN), Look::Confirm(_)), "an empty list is a question");
    index.found(run(Some(("Unknown", "Running"))));
    assert!(matches!(index.look(RUN), Look::Tell(..)), "it was there after all");
}

#[test]
fn a_run_that_had_started_before_is_asked_for_when_it_is_not_listed() {
    let mut index = Index::default();
    index.track(RUN, Tracked { started: true, ..tracked() });
    assert_eq!(index.pipeline_runs_listed(&HashSet::new()), [RUN]);
    assert!(matches!(index.look(RUN), Look::Confirm(_)));
    let mut fresh = Index::default();
    fresh.track(RUN, tracked());
    assert!(fresh.pipeline_runs_listed(&HashSet::new()).is_empty(), "it is only about to be created");
}

#[test]
fn one_that_ended_and_was_then_deleted_is_not_lost() {
    let mut index = index();
    index.pipeline_run(run(Some(("Unknown", "Running"))));
    index.pipeline_run_gone(run(Some(("True", "Succeeded"))));
    assert_eq!(tell(&mut index).whole.state, ExecutionState::Succeeded);
    index.pipeline_run_gone(run(Some(("Unknown", "Running"))));
    assert!(matches!(index.look(RUN), Look::Confirm(_)));
}

#[test]
fn another_owners_pipeline_run_is_not_read() {
    let mut index = index();
    index.pipeline_run(PipelineRun { owner_uid: Some("other".into()), ..run(Some(("True", "Succeeded"))) });
    assert!(matches!(index.look(RUN), Look::Wait));
    index.pipeline_run(PipelineRun { digest: None, ..run(Some(("True", "Succeeded"))) });
    assert!(matches!(index.look(RUN), Look::Wait));
    assert!(index.pipeline_run(PipelineRun { name: "else".into(), ..run(None) }).is_none(), "only the label is ours");
}

#[test]
fn history_takes_no_room() {
    let mut index = Index::default();
    for n in 0..1000 {
        let name = format!("r{n}");
        let object = PipelineRun { name: name.clone(), workflow: name.clone(), ..run(Some(("True", "Succeeded"))) };
        assert!(index.pipeline_run(object).is_none());
        assert!(index.task_run(TaskRun { workflow: name, ..task_run("a", "True") }).is_none());
    }
    assert_eq!(index.runs.len(), 0);
    index.pipeline_run(run(Some(("Unknown", "Running"))));
    assert!(matches!(index.look(RUN), Look::AskStore), "one that runs is looked up");
    index.foreign(RUN);
    index.task_run(task_run("a", "Unknown"));
    assert!(matches!(index.look(RUN), Look::Nothing));
}

#[test]
fn a_second_task_run_of_a_name_is_a_second_attempt() {
    let mut index = index();
    index.pipeline_run(run(Some(("Unknown", "Running"))));
    index.task_run(task_run("a", "Unknown"));
    index.task_run(TaskRun { uid: "tr-a-2".into(), ..task_run("a", "Unknown") });
    index.task_run(TaskRun { uid: "tr-a-2".into(), ..task_run("a", "True") });
    let whole = tell(&mut index).whole;
    let attempts: Vec<_> = whole.tasks[0].attempts.iter().map(|a| (a.attempt, a.state)).collect();
    assert_eq!(attempts, [(1, TaskState::Failed), (2, TaskState::Succeeded)]);
    assert_eq!(whole.tasks[0].attempts[0].reason.as_deref(), Some(crate::objects::DELETED));
}

#[test]
fn an_end_is_incomplete_until_the_task_runs_have_ended_too() {
    let mut index = index();
    let ended = PipelineRun { children: vec![child("a")], ..run(Some(("True", "Succeeded"))) };
    index.pipeline_run(ended);
    assert_eq!(tell(&mut index).unseen, [format!("{RUN}-a")], "the other watch is behind");
    index.task_run(task_run("a", "Unknown"));
    assert!(!tell(&mut index).unseen.is_empty());
    index.task_run(task_run("a", "True"));
    assert!(tell(&mut index).unseen.is_empty());
}

#[test]
fn a_list_that_is_complete_wakes_the_runs_that_wait_for_it() {
    let mut index = index();
    index.pipeline_run(PipelineRun { children: vec![child("a")], ..run(Some(("True", "Succeeded"))) });
    assert!(!tell(&mut index).listed);
    assert_eq!(index.task_runs_listed(), [RUN]);
    assert!(tell(&mut index).listed);
}

#[test]
fn what_the_api_server_said_of_a_task_run_is_all_there_is() {
    let mut index = index();
    index.pipeline_run(PipelineRun { children: vec![child("a"), child("b")], ..run(Some(("True", "Succeeded"))) });
    index.task_run_asked(RUN, &child("a").name, Some(task_run("a", "True")));
    index.task_run_asked(RUN, &child("b").name, None);
    let reading = tell(&mut index);
    assert!(reading.unseen.is_empty());
    let tasks: Vec<_> = reading.whole.tasks.iter().map(|t| (t.state, t.reason.as_deref())).collect();
    let deleted = Some(crate::objects::DELETED);
    assert_eq!(tasks, [(TaskState::Succeeded, Some("x")), (TaskState::Succeeded, deleted)], "as their run ended");
    index.pipeline_run(PipelineRun { children: vec![child("b")], ..run(Some(("False", "Failed"))) });
    assert_eq!(tell(&mut index).whole.tasks[1].state, TaskState::Lost);
}

#[test]
fn a_run_that_was_there_and_is_not_its_own_any_more_is_asked_for() {
    for change in [
        |object: &mut PipelineRun| object.digest = None,
        |object: &mut PipelineRun| object.owner_uid = None,
        |object: &mut PipelineRun| object.uid = "pr-2".into(),
    ] {
        let mut index = index();
        index.pipeline_run(run(Some(("Unknown", "Running"))));
        assert_eq!(tell(&mut index).whole.run_uid.as_deref(), Some("pr-1"));
        let mut changed = run(Some(("True", "Succeeded")));
        change(&mut changed);
        index.pipeline_run(changed);
        assert!(matches!(index.look(RUN), Look::Confirm(_)));
        assert!(matches!(index.look(RUN), Look::Confirm(_)), "until it is answered");
    }
}

#[test]
fn the_pipeline_run_that_was_made_is_the_only_one() {
    let mut index = index();
    index.started(RUN, "pr-1");
    index.track(RUN, tracked());
    index.pipeline_run(PipelineRun { uid: "pr-2".into(), ..run(Some(("True", "Succeeded"))) });
    assert!(matches!(index.look(RUN), Look::Confirm(_)), "a later snapshot of the store does not undo it");
    let mut unowned = Index::default();
    unowned.track(RUN, Tracked { uid: None, ..tracked() });
    unowned.pipeline_run(run(Some(("True", "Succeeded"))));
    assert!(matches!(unowned.look(RUN), Look::Wait), "nobody knows yet whose it would have to be");
}

#[test]
fn one_that_ended_before_another_took_its_name_is_still_read() {
    let mut index = index();
    index.pipeline_run(run(Some(("Unknown", "Running"))));
    tell(&mut index);
    index.pipeline_run_gone(run(Some(("True", "Succeeded"))));
    index.pipeline_run(PipelineRun { uid: "pr-2".into(), ..run(Some(("Unknown", "Running"))) });
    assert_eq!(tell(&mut index).whole.state, ExecutionState::Succeeded);
}

#[test]
fn without_its_label_only_questions_tell_how_it_goes_on() {
    let mut index = index();
    index.pipeline_run(run(Some(("Unknown", "Running"))));
    tell(&mut index);
    index.pipeline_run_gone(run(Some(("Unknown", "Running"))));
    let unlabelled = |status| PipelineRun { workflow: String::new(), ..run(Some(status)) };
    index.found(unlabelled(("Unknown", "Running")));
    assert!(matches!(index.look(RUN), Look::Tell(..)), "the answer is read");
    assert!(matches!(index.look(RUN), Look::Confirm(_)), "and asked for again");
    index.found(unlabelled(("True", "Succeeded")));
    assert_eq!(tell(&mut index).whole.state, ExecutionState::Succeeded);
}

fn pod(task: &str, claims: &[&str]) -> Pod {
    Pod {
        name: format!("{RUN}-{task}-pod"),
        uid: format!("pod-{task}"),
        workflow: RUN.into(),
        owner_uid: Some(format!("tr-{task}")),
        scheduled_at: None,
        unscheduled: None,
        set_up: false,
        claims: claims.iter().map(|name| (*name).to_owned()).collect(),
        steps: vec![],
        ended: false,
    }
}

fn warned(uid: &str, kind: &str, object: &str, reason: &str) -> Warned {
    let warning = domain::warning::Warning {
        kind: kind.into(),
        object: object.into(),
        task: None,
        reason: reason.into(),
        message: format!("{reason} of {object}"),
        count: 1,
        first_at: Timestamp::from_millis(1000),
        last_at: Timestamp::from_millis(1000),
    };
    Warned { uid: uid.into(), warning }
}

/// What was warned of, as reason and task.
fn told_of(index: &mut Index) -> Vec<(String, Option<String>)> {
    let mut told: Vec<_> = tell(index).whole.warnings.into_iter().map(|w| (w.reason, w.task)).collect();
    told.sort();
    told
}

#[test]
fn a_warning_is_of_the_run_whose_object_it_is_about_by_uid_whichever_comes_first() {
    let mut index = index();
    index.pipeline_run(run(Some(("Unknown", "Running"))));
    index.task_run(TaskRun {
        now: crate::objects::Attempt { pod: Some(format!("{RUN}-a-pod")), ..task_run("a", "Unknown").now },
        ..task_run("a", "Unknown")
    });
    assert!(index.warned(warned("pod-a", "Pod", "x", "Early")).is_none(), "nobody has seen its pod");
    assert!(index.warned(warned("of-claim", "PersistentVolumeClaim", "pvc-1", "NoVolume")).is_none());
    index.pod(pod("a", &["pvc-1"]));
    // Each object is looked at, which finds what came before it.
    assert_eq!(told_of(&mut index).len(), 2);
    assert_eq!(index.warned(warned("pod-a", "Pod", "x", "Late")).as_deref(), Some(RUN));
    assert!(index.warned(warned("pod-a", "Pod", "x", "Late")).is_none(), "nothing new");
    assert_eq!(index.warned(warned("pr-1", "PipelineRun", RUN, "Whole")).as_deref(), Some(RUN));
    assert_eq!(index.warned(warned("tr-a", "TaskRun", "x", "Step")).as_deref(), Some(RUN));
    assert!(
        index.warned(warned("another", "Pod", &format!("{RUN}-a-pod"), "Another")).is_none(),
        "a name is not enough"
    );
    let (a, some) = (Some("a".to_owned()), |reason: &str| reason.to_owned());
    assert_eq!(
        told_of(&mut index),
        [
            (some("Early"), a.clone()),
            (some("Late"), a.clone()),
            (some("NoVolume"), None),
            (some("Step"), a),
            (some("Whole"), None)
        ]
    );
}

#[test]
fn a_new_warning_is_news_of_the_run_and_goes_with_it() {
    let mut index = index();
    index.pipeline_run(run(Some(("Unknown", "Running"))));
    index.task_run(task_run("a", "Unknown"));
    let first = tell(&mut index).whole;
    index.told(RUN, first);
    assert!(tell(&mut index).news.is_none());
    index.warned(warned("tr-a", "TaskRun", "x", "Step"));
    let news = tell(&mut index).news.expect("news");
    assert_eq!((news.warnings.len(), news.tasks.len()), (1, 0));
    index.forget(RUN);
    assert!(index.warned.of("tr-a").is_empty());
    assert!(index.warned(warned("tr-a", "TaskRun", "x", "Late")).is_none(), "nobody's any more");
}

#[test]
fn warnings_about_objects_that_only_bear_the_label_are_nobodys() {
    let mut index = index();
    index.pipeline_run(run(Some(("Unknown", "Running"))));
    index.task_run(TaskRun { owner_uid: Some("else".into()), ..task_run("a", "Unknown") });
    index.pod(Pod { owner_uid: Some("tr-b".into()), ..pod("a", &["pvc-1"]) });
    index.warned(warned("tr-a", "TaskRun", "x", "Forged"));
    index.warned(warned("pod-a", "Pod", "x", "Forged"));
    index.warned(warned("of-claim", "PersistentVolumeClaim", "pvc-1", "Forged"));
    assert!(told_of(&mut index).is_empty());
}

#[test]
fn a_task_run_ended_when_that_was_said_first() {
    let ended_at = |seconds: i64| {
        let mut ended = task_run("a", "False");
        ended.now.finished_at = Some(Timestamp::from_millis(seconds * 1000));
        ended
    };
    let mut known = ended_at(1);
    known.renew(ended_at(2));
    assert_eq!(known, ended_at(1));
    let mut known = task_run("a", "Unknown");
    known.renew(ended_at(2));
    assert_eq!(known, ended_at(2));
}
