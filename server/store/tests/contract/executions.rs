//! The executions' port: reading, listing, claiming, logs.

use crate::support::{
    Bench, DAY, MINUTE, Set, at_once, audit_rows, claimed, contract, digest, entry, events_after, finished, seen, task,
};
use domain::{
    execution::{Execution, ExecutionState, LogLine, Progress, Stage, Standing, Task, TaskState},
    ids::ExecutionId,
    log::level::Needle,
    paging::{Page, PageOf},
    ports::{ActionFilter, EventStore, ExecutionFilter, ExecutionStore, LogOf, LogReader, LogSlice, Permit},
    recommendation::ResourceRef,
    time::Timestamp,
};
use serde_json::json;
use store::Store;

contract!(
    a_claim_is_taken_while_it_may_be,
    a_run_starts_with_a_permit_or_not_at_all,
    of_many_tries_at_once_the_last_may_start,
    an_execution_is_found_by_its_name_in_its_cluster,
    what_has_not_ended_is_caught_up_with,
    what_waits_for_the_dispatcher_is_all_that_it_is_told,
    lists_are_newest_first_and_each_filter_narrows,
    words_are_found_where_they_are_common_and_where_they_are_rare,
    pages_hold_still_while_executions_come,
    a_line_tells_how_far_its_run_has_got,
    what_ended_last_is_first_whenever_it_began,
    what_goes_on_is_counted,
    log_lines_are_kept_once_and_in_order,
    a_log_is_read_from_either_end_and_searched,
    the_end_of_a_log_is_noted_and_told_once,
    the_wish_to_cancel_is_noted_until_it_has_ended,
    action_records_are_filtered_and_paged,
);

async fn read(store: &Store, id: &ExecutionId) -> Execution {
    ExecutionStore::get(store, id).await.unwrap().unwrap()
}

async fn list(store: &Store, filter: &ExecutionFilter, page: &Page) -> PageOf<Execution> {
    ExecutionStore::list(store, filter, page).await.unwrap()
}

async fn a_claim_is_taken_while_it_may_be(bench: Bench) {
    let store = &bench.store;
    let id = claimed(store, "e1", 1).await;
    assert_eq!(store.take_claim(&id).await.unwrap(), Some(1));
    assert_eq!(store.take_claim(&id).await.unwrap(), Some(2));
    assert_eq!(read(store, &id).await.revision, 1, "an attempt is nothing to show");

    store.observe(&id, seen(ExecutionState::Pending, Stage::Created, vec![])).await.unwrap();
    assert_eq!(store.take_claim(&id).await.unwrap(), None, "it was created");

    let cancelled = claimed(store, "e2", 2).await;
    assert!(store.request_cancel(&cancelled, entry("execution.cancel")).await.unwrap());
    assert_eq!(store.take_claim(&cancelled).await.unwrap(), None);

    let late = claimed(store, "e3", 3).await;
    let sql = "UPDATE executions SET expires_at = 5 WHERE id = 'e3'";
    sqlx::query(sql).execute(&mut bench.raw().await).await.unwrap();
    assert_eq!(store.take_claim(&late).await.unwrap(), None, "it expired by the database's clock");
    assert_eq!(store.take_claim(&ExecutionId::new("nothing")).await.unwrap(), None);

    let once = claimed(store, "e4", 4).await;
    let mut epochs = at_once(&bench, 8, |store, _| {
        let id = once.clone();
        async move { store.take_claim(&id).await.unwrap().unwrap() }
    })
    .await;
    epochs.sort_unstable();
    assert_eq!(epochs, [1, 2, 3, 4, 5, 6, 7, 8], "no two attempts share an epoch");
}

/// One that was created and waits for its PipelineRun.
async fn created(store: &Store, id: &str, n: u8) -> ExecutionId {
    let id = claimed(store, id, n).await;
    store.observe(&id, seen(ExecutionState::Pending, Stage::Created, vec![])).await.unwrap();
    id
}

async fn begun(store: &Store, id: &ExecutionId) -> i64 {
    match store.begin_start(id).await.unwrap() {
        Permit::Given(epoch) => epoch,
        refused => panic!("{refused:?}"),
    }
}

async fn a_run_starts_with_a_permit_or_not_at_all(bench: Bench) {
    let store = &bench.store;
    let id = created(store, "e1", 1).await;
    let first = begun(store, &id).await;
    let second = begun(store, &id).await;
    assert_eq!(store.may_start(&id, first, "run").await.unwrap(), Permit::Overtaken);
    assert_eq!(read(store, &id).await.stage, Stage::Created, "a refusal writes nothing");
    assert_eq!(store.may_start(&id, second, "run").await.unwrap(), Permit::Given(second));
    let started = read(store, &id).await;
    assert_eq!((started.stage, started.revision), (Stage::Started, 3));
    assert_eq!(store.may_start(&id, second, "run").await.unwrap(), Permit::Given(second), "an attempt that asks again");
    assert_eq!(read(store, &id).await.revision, 3, "which is nothing to show");
    store.observe(&id, seen(ExecutionState::Running, Stage::Started, vec![])).await.unwrap();
    assert_eq!(store.may_start(&id, second, "run").await.unwrap(), Permit::Over, "it runs");
    assert_eq!(store.begin_start(&id).await.unwrap(), Permit::Over);

    let cancelled = created(store, "e2", 2).await;
    let epoch = begun(store, &cancelled).await;
    assert!(store.request_cancel(&cancelled, entry("execution.cancel")).await.unwrap());
    assert_eq!(store.may_start(&cancelled, epoch, "run").await.unwrap(), Permit::Cancelled);
    assert_eq!(store.begin_start(&cancelled).await.unwrap(), Permit::Cancelled);

    let late = created(store, "e3", 3).await;
    let epoch = begun(store, &late).await;
    let sql = "UPDATE executions SET expires_at = 5 WHERE id = 'e3'";
    sqlx::query(sql).execute(&mut bench.raw().await).await.unwrap();
    assert_eq!(store.may_start(&late, epoch, "run").await.unwrap(), Permit::Expired, "by the database's clock");
    assert_eq!(store.begin_start(&late).await.unwrap(), Permit::Expired);

    let over = created(store, "e4", 4).await;
    let epoch = begun(store, &over).await;
    store.observe(&over, seen(ExecutionState::Cancelled, Stage::Ended, vec![])).await.unwrap();
    assert_eq!(store.may_start(&over, epoch, "run").await.unwrap(), Permit::Over);
    assert_eq!(read(store, &over).await.state, ExecutionState::Cancelled, "what has ended stays as it ended");

    let early = claimed(store, "e5", 5).await;
    assert_eq!(store.begin_start(&early).await.unwrap(), Permit::Over, "it was not created yet");
    assert_eq!(store.begin_start(&ExecutionId::new("nothing")).await.unwrap(), Permit::Over);
}

async fn of_many_tries_at_once_the_last_may_start(bench: Bench) {
    let id = created(&bench.store, "e1", 1).await;
    let permits = at_once(&bench, 8, |store, _| {
        let id = id.clone();
        async move {
            let epoch = begun(&store, &id).await;
            (epoch, store.may_start(&id, epoch, "run").await.unwrap())
        }
    })
    .await;
    for (epoch, permit) in &permits {
        assert!([Permit::Given(*epoch), Permit::Overtaken].contains(permit), "{permits:?}");
    }
    let last = permits.iter().max_by_key(|(epoch, _)| *epoch).unwrap();
    assert_eq!(last.1, Permit::Given(last.0), "{permits:?}");
}

async fn an_execution_is_found_by_its_name_in_its_cluster(bench: Bench) {
    let store = &bench.store;
    let id = claimed(store, "e1", 1).await;
    let found = store.by_name("sandbox", "remediation-e1").await.unwrap().unwrap();
    assert_eq!((found.subject.id, found.tasks.len()), (id, 2));
    assert!(store.by_name("prod", "remediation-e1").await.unwrap().is_none());
}

async fn what_has_not_ended_is_caught_up_with(bench: Bench) {
    let store = &bench.store;
    let first = claimed(store, "e1", 1).await;
    let ended = claimed(store, "e2", 2).await;
    let second = claimed(store, "e3", 3).await;
    store.observe(&ended, seen(ExecutionState::Failed, Stage::Ended, vec![])).await.unwrap();
    let found = store.unfinished("sandbox").await.unwrap();
    let ids: Vec<_> = found.iter().map(|e| &e.subject.id).collect();
    assert_eq!(ids, [&first, &second]);
    assert!(found.iter().all(|e| e.tasks.iter().map(|t| t.name.as_str()).eq(["check", "scale"])));
    assert!(store.unfinished("prod").await.unwrap().is_empty());
}

async fn what_waits_for_the_dispatcher_is_all_that_it_is_told(bench: Bench) {
    let store = &bench.store;
    let running = || seen(ExecutionState::Running, Stage::Started, vec![]);
    let waits = claimed(store, "e1", 1).await;
    let runs = claimed(store, "e2", 2).await;
    let to_cancel = claimed(store, "e3", 3).await;
    let ended = claimed(store, "e4", 4).await;
    let held = created(store, "e5", 5).await;
    for id in [&runs, &to_cancel] {
        store.observe(id, running()).await.unwrap();
    }
    store.request_cancel(&to_cancel, entry("execution.cancel")).await.unwrap();
    store.request_cancel(&ended, entry("execution.cancel")).await.unwrap();
    store.observe(&ended, seen(ExecutionState::Cancelled, Stage::Ended, vec![])).await.unwrap();
    let due = store.due("sandbox").await.unwrap();
    assert!(due.iter().map(|e| &e.subject.id).eq([&waits, &to_cancel, &held]), "{due:?}");
    assert!(due.iter().all(|e| e.tasks.is_empty()));
    assert!(store.due("prod").await.unwrap().is_empty());
}

fn deployment(namespace: &str, name: &str) -> ResourceRef {
    ResourceRef { kind: "Deployment".into(), namespace: Some(namespace.into()), name: name.into() }
}

async fn lists_are_newest_first_and_each_filter_narrows(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let mut old = finished("old", 1, now, 3, 1000);
    old.state = ExecutionState::Failed;
    old.subject.workflow_id = Some("other".into());
    old.subject.title = "Restart 100% of it".into();
    old.subject.incident_id = "inc-old".into();
    old.subject.resource = Some(deployment("production", "my-app"));
    store.import(&[old, finished("new", 2, now, 1, 1000)]).await.unwrap();

    let cases: [(Set<ExecutionFilter>, &[&str]); 12] = [
        (|_| (), &["new", "old"]),
        (|f| f.state = Some(ExecutionState::Failed), &["old"]),
        (|f| f.state = Some(ExecutionState::Running), &[]),
        (|f| f.workflow_id = Some("oomkill-scale-down".into()), &["new"]),
        (|f| f.recommendation_id = Some("rec-old".into()), &["old"]),
        (|f| f.q = Some("100% restart".into()), &["old"]),
        (|f| f.q = Some("INC-OLD".into()), &["old"]),
        (|f| f.target = Some(deployment("production", "my-app")), &["old"]),
        (|f| f.target = Some(deployment("production", "my")), &[]),
        (|f| f.target = Some(deployment("staging", "my-app")), &[]),
        (|f| f.q = Some("remediation-".into()), &["new", "old"]),
        (|f| f.since = Some(Timestamp::from_millis(i64::MAX)), &[]),
    ];
    for (set, expected) in cases {
        let mut filter = ExecutionFilter::default();
        set(&mut filter);
        let found = list(store, &filter, &Page::default()).await;
        assert!(found.items.iter().map(|e| e.subject.id.as_str()).eq(expected.iter().copied()), "{filter:?}");
        for one in &found.items {
            let whole = ExecutionStore::get(store, &one.subject.id).await.unwrap().unwrap();
            assert!(!one.tasks.is_empty());
            assert_eq!(one, &whole, "a list shows the same as one alone");
        }
    }
    let names = |found: Vec<Execution>| found.iter().map(|e| e.subject.id.to_string()).collect::<Vec<_>>();
    let (mine, other) = (deployment("production", "my-app"), deployment("staging", "my-app"));
    let on = async |objects: &[(&str, &ResourceRef)], since| names(store.newest_on(objects, since).await.unwrap());
    assert_eq!(on(&[("sandbox", &mine), ("sandbox", &other)], Timestamp::default()).await, ["old"]);
    assert!(on(&[("sandbox", &mine)], now.plus_ms(-2 * DAY)).await.is_empty(), "not since then");
    assert!(on(&[("elsewhere", &mine)], Timestamp::default()).await.is_empty(), "in another cluster");
    let mut again = finished("again", 3, now, 1, 1000);
    again.subject.resource = Some(mine.clone());
    store.import(&[again]).await.unwrap();
    assert_eq!(on(&[("sandbox", &mine)], Timestamp::default()).await, ["again"], "the newest alone");
    assert!(on(&[], Timestamp::default()).await.is_empty());
    let some = [ExecutionId::new("old"), ExecutionId::new("none")];
    assert_eq!(names(ExecutionStore::these(store, &some).await.unwrap()), ["old"]);
    assert!(ExecutionStore::these(store, &[]).await.unwrap().is_empty());
}

async fn words_are_found_where_they_are_common_and_where_they_are_rare(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let all: Vec<_> = (0..700_u32)
        .map(|n| {
            let mut one = finished(&format!("e{n:03}"), 0, now, i64::from(n / 10), 1000);
            one.subject.ticket_digest = format!("sha256:{n:064x}").try_into().unwrap();
            one.subject.title = if n % 100 == 50 { "Quite \"rare\" one".into() } else { "Common one".into() };
            one
        })
        .collect();
    store.import(&all).await.unwrap();
    let find = async |q: &str| {
        let filter = ExecutionFilter { q: Some(q.into()), ..ExecutionFilter::default() };
        let (mut page, mut found) = (Page::first(200), Vec::new());
        loop {
            let some = list(store, &filter, &page).await;
            assert!(some.items.is_sorted_by(|a, b| a.created_at >= b.created_at), "newest first");
            found.extend(some.items.into_iter().map(|e| e.subject.id.to_string()));
            page.cursor = some.next_cursor;
            if page.cursor.is_none() {
                return found;
            }
        }
    };
    assert_eq!(find("common").await.len(), 693);
    assert_eq!(find("o").await.len(), 700, "shorter than what is indexed");
    assert_eq!(find("\"rare\"").await, ["e050", "e150", "e250", "e350", "e450", "e550", "e650"]);
    assert_eq!(find("remediation-e35 RAR").await, ["e350"], "all words, parts of them, in any case");
    assert_eq!(find("common rare").await, [""; 0]);
    store.prune(40).await.unwrap();
    assert_eq!(find("rare").await, ["e050", "e150", "e250", "e350"], "what is gone is found no more");
}

async fn pages_hold_still_while_executions_come(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let all: Vec<_> = (1..=7_u8).map(|n| finished(&format!("e{n}"), n, now, i64::from(n), 10)).collect();
    store.import(&all).await.unwrap();
    let mut page = Page::first(3);
    let mut walked = Vec::new();
    for come in 0..3_u8 {
        let found = list(store, &ExecutionFilter::default(), &page).await;
        walked.extend(found.items.iter().map(|e| e.subject.id.to_string()));
        store.import(&[finished(&format!("late{come}"), 100 + come, now, 0, 10)]).await.unwrap();
        page.cursor = found.next_cursor;
    }
    assert_eq!(page.cursor, None);
    assert_eq!(walked, ["e1", "e2", "e3", "e4", "e5", "e6", "e7"]);
}

async fn a_line_tells_how_far_its_run_has_got(bench: Bench) {
    let store = &bench.store;
    let open = claimed(store, "e1", 1).await;
    let check = Task { state: TaskState::Failed, finished_at: Some(Timestamp::from_millis(9)), ..task("check", 1) };
    store.observe(&open, seen(ExecutionState::Running, Stage::Started, vec![check])).await.unwrap();
    store.import(&[finished("e2", 2, store.now().await.unwrap(), 1, 10)]).await.unwrap();

    let first = store.lines(&ExecutionFilter::default(), &Page::first(1)).await.unwrap();
    assert_eq!(first.items[0].execution, Execution { tasks: vec![], ..read(store, &open).await });
    assert_eq!(first.items[0].progress, Progress { ended: 1, tasks: 2 });
    let page = Page { cursor: first.next_cursor, ..Page::first(1) };
    let second = store.lines(&ExecutionFilter::default(), &page).await.unwrap();
    assert_eq!(second.items[0].execution.subject.id.as_str(), "e2");
    assert_eq!(second.items[0].progress, Progress::default(), "nobody asks how far what has ended has got");
}

async fn what_ended_last_is_first_whenever_it_began(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let long = finished("long", 1, now, 1, 9 * DAY);
    store.import(&[finished("older", 2, now, 3, 10), long, finished("old", 3, now, 2, 10)]).await.unwrap();
    claimed(store, "open", 4).await;
    let ended = store.last_ended(2).await.unwrap();
    let ids: Vec<_> = ended.iter().map(|line| line.execution.subject.id.as_str()).collect();
    assert_eq!(ids, ["long", "old"]);
}

async fn what_goes_on_is_counted(bench: Bench) {
    let store = &bench.store;
    assert_eq!(store.standing().await.unwrap(), Standing::default());
    let first = claimed(store, "e1", 1).await;
    claimed(store, "e2", 2).await;
    let running = claimed(store, "e3", 3).await;
    store.observe(&running, seen(ExecutionState::Running, Stage::Started, vec![])).await.unwrap();
    store.import(&[finished("e4", 4, store.now().await.unwrap(), 1, 10)]).await.unwrap();
    let pending_since = Some(read(store, &first).await.created_at);
    assert_eq!(store.standing().await.unwrap(), Standing { running: 1, pending: 2, pending_since });
}

async fn log_lines_are_kept_once_and_in_order(bench: Bench) {
    let store = &bench.store;
    let id = claimed(store, "e1", 1).await;
    let before = store.latest().await.unwrap();
    let line = |n: u32, text: &str| LogLine { line: n, at: Some(Timestamp::from_millis(n.into())), text: text.into() };
    let many: Vec<_> = (1..=450).map(|n| line(n, &format!("line {n}"))).collect();
    store.append_log(&id, "check", 1, &many[..300]).await.unwrap();
    // A recorder that restarts reads from the beginning.
    store.append_log(&id, "check", 1, &many).await.unwrap();
    store.append_log(&id, "check", 1, &[line(1, "another text")]).await.unwrap();
    store.append_log(&id, "check", 2, &[LogLine { at: None, ..line(1, "a\0b") }]).await.unwrap();
    store.append_log(&id, "check", 2, &[]).await.unwrap();

    assert_eq!(store.log(&id, "check", 1, 0, 1000).await.unwrap(), many);
    assert_eq!(store.log(&id, "check", 1, 440, 5).await.unwrap(), many[440..445]);
    assert!(store.log(&id, "check", 1, 450, 5).await.unwrap().is_empty());
    assert_eq!(store.log(&id, "check", 2, 0, 5).await.unwrap()[0].text, "a\u{fffd}b");
    let told = |attempt: u32, lines: u32| {
        ("task", "e1".to_owned(), json!({ "task": "check", "attempt": attempt, "lines": lines }))
    };
    assert_eq!(events_after(store, before).await, [told(1, 300), told(1, 450), told(2, 1)]);
}

async fn a_log_is_read_from_either_end_and_searched(bench: Bench) {
    let store = &bench.store;
    let id = claimed(store, "e1", 1).await;
    let of = LogOf { execution: &id, task: "check", attempt: 1 };
    assert_eq!(store.last_line(of).await.unwrap(), 0);
    let text = |n: u32| match n {
        7 => "ERROR: 100% lost".to_owned(),
        30 => "\u{1b}[31mÄrger\u{1b}[0m".to_owned(),
        31 => "E1126 20:17:15 x".to_owned(),
        35 => "pods \u{1b}[32mrea\u{1b}[1mdy\u{1b}[0m".to_owned(),
        _ => format!("line {n}"),
    };
    let lines: Vec<_> = (1..=40).map(|line| LogLine { line, at: None, text: text(line) }).collect();
    store.append_log(&id, "check", 1, &lines).await.unwrap();
    store.append_log(&id, "check", 2, &lines[..3]).await.unwrap();
    assert_eq!(store.last_line(of).await.unwrap(), 40);

    let part = async |slice: LogSlice| {
        let found = store.slice(of, &LogSlice { limit: 3, ..slice }).await.unwrap();
        found.into_iter().map(|line| line.line).collect::<Vec<_>>()
    };
    assert_eq!(part(LogSlice { after: 10, ..LogSlice::default() }).await, [11, 12, 13]);
    assert_eq!(part(LogSlice { from_end: true, ..LogSlice::default() }).await, [38, 39, 40]);
    assert_eq!(part(LogSlice { before: Some(3), from_end: true, ..LogSlice::default() }).await, [1, 2]);
    let like = vec![Needle::Holds("error".into()), Needle::Begins("e1".into())];
    assert_eq!(part(LogSlice { like, ..LogSlice::default() }).await, [7, 31]);

    let holding = async |text: &str, limit: u32| store.holding(of, text, limit).await.unwrap();
    assert_eq!(holding("100%", 9).await, [7]);
    assert_eq!(holding("LINE 3", 2).await, [3, 32], "whatever the case, no more than asked for");
    assert_eq!(holding("Ärger", 9).await, [30]);
    assert_eq!(holding("pods ready", 9).await, [35], "whatever its colours");
    assert!(holding("31m", 9).await.is_empty(), "a colour is no text");
    assert!(holding("line _", 9).await.is_empty(), "what is typed is no pattern");
}

async fn the_end_of_a_log_is_noted_and_told_once(bench: Bench) {
    let store = &bench.store;
    let id = claimed(store, "e1", 1).await;
    let line = LogLine { line: 1, at: None, text: "done".into() };
    store.append_log(&id, "check", 1, &[line]).await.unwrap();
    let before = store.latest().await.unwrap();
    assert!(!store.log_closed(&id, "check", 1).await.unwrap());
    store.close_log(&id, "check", 1).await.unwrap();
    store.close_log(&id, "check", 1).await.unwrap();
    assert!(store.log_closed(&id, "check", 1).await.unwrap());
    assert!(!store.log_closed(&id, "check", 2).await.unwrap());
    // A container that wrote nothing has a log too.
    store.close_log(&id, "scale", 1).await.unwrap();
    let told = |task: &str, lines: u32| {
        ("task", "e1".to_owned(), json!({ "task": task, "attempt": 1, "lines": lines, "whole": true }))
    };
    assert_eq!(events_after(store, before).await, [told("check", 1), told("scale", 0)]);
}

async fn the_wish_to_cancel_is_noted_until_it_has_ended(bench: Bench) {
    let store = &bench.store;
    let id = claimed(store, "e1", 1).await;
    let (audited, before) = (audit_rows(store).await, store.latest().await.unwrap());
    assert!(store.request_cancel(&id, entry("execution.cancel")).await.unwrap());
    assert!(store.request_cancel(&id, entry("execution.cancel")).await.unwrap(), "asked twice is no fault");
    let run = read(store, &id).await;
    assert_eq!((run.cancel_requested, run.revision, run.state), (true, 2, ExecutionState::Pending));
    assert_eq!(audit_rows(store).await, audited + 2);
    let told = events_after(store, before).await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].0, &told[0].2["cancel_requested"], &told[0].2["revision"]),
        ("execution", &json!(true), &json!(2))
    );

    store.observe(&id, seen(ExecutionState::Cancelled, Stage::Ended, vec![])).await.unwrap();
    assert!(!store.request_cancel(&id, entry("execution.cancel")).await.unwrap());
    assert!(!store.request_cancel(&ExecutionId::new("nothing"), entry("execution.cancel")).await.unwrap());
    assert_eq!(audit_rows(store).await, audited + 2);
}

async fn action_records_are_filtered_and_paged(bench: Bench) {
    let store = &bench.store;
    for n in 1..=3_u8 {
        claimed(store, &format!("e{n}"), n).await;
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    }
    let mut check = task("check", 2);
    check.state = TaskState::Succeeded;
    check.started_at = Some(Timestamp::from_millis(5 * MINUTE));
    check.finished_at = Some(Timestamp::from_millis(6 * MINUTE));
    check.results.insert("freed".into(), json!("10Mi"));
    assert_eq!(check.ticket, digest(2));
    let at = ExecutionId::new("e2");
    store.observe(&at, seen(ExecutionState::Running, Stage::Started, vec![check])).await.unwrap();

    let cases: [(Set<ActionFilter>, usize); 7] = [
        (|_| (), 6),
        (|f| f.workflow_id = Some("oomkill-scale-down".into()), 6),
        (|f| f.action_type = Some("other".into()), 0),
        (|f| f.status = Some("pending".into()), 5),
        (|f| f.status = Some("succeeded".into()), 1),
        (|f| f.from = Some(Timestamp::from_millis(5 * MINUTE)), 1),
        (|f| f.to = Some(Timestamp::from_millis(5 * MINUTE)), 0),
    ];
    for (set, expected) in cases {
        let mut filter = ActionFilter::default();
        set(&mut filter);
        let found = store.actions(&filter, &Page::default()).await.unwrap();
        assert_eq!(found.items.len(), expected, "{filter:?}");
    }
    let done = ActionFilter { status: Some("succeeded".into()), ..ActionFilter::default() };
    let done = store.actions(&done, &Page::default()).await.unwrap().items.remove(0);
    assert_eq!((done.task.as_str(), done.outputs), ("check", Some(json!({ "freed": "10Mi" }))));
    assert_eq!(done.finished_at, Some(Timestamp::from_millis(6 * MINUTE)));

    let mut walked = Vec::new();
    let mut page = Page::first(4);
    loop {
        let found = store.actions(&ActionFilter::default(), &page).await.unwrap();
        walked.extend(found.items.iter().map(|a| a.id.to_string()));
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    let newest_first = ["e3-scale", "e3-check", "e2-scale", "e2-check", "e1-scale", "e1-check"];
    assert_eq!(walked, newest_first.map(|id| format!("action-{id}")));
}
