//! What the run pages must show, and what they must never show.

use crate::{
    html,
    runs_samples::{at, attempt, eventful, many, running, task},
    samples,
};
use app::{
    FormOutcome,
    pages::{
        run::{Log, Paper, Quote, RunView, Selection, run_page},
        runs::runs,
    },
    query::Query,
};
use domain::{
    assessment::{AssessmentRecord, Evidence, Looked, Overrule, Says},
    execution::{Assessment, Execution, ExecutionState, TaskState},
    identity::Actor,
    ids::ActorId,
    paging::PageOf,
    ports::ExecutionFilter,
    recommendation::Risk,
    services::{Aftermath, Listings},
    warning::Warning,
};

pub fn page_at(run: Execution, query: &str, log: Option<Log>) -> String {
    page_with(run, query, log, None)
}

fn page_with(run: Execution, query: &str, log: Option<Log>, quote: Option<Quote>) -> String {
    let selection = Selection::of(&run, &Query::parse(query));
    html(|| {
        run_page(RunView {
            run,
            selection,
            log,
            quote,
            paper: Paper::Kept(Box::new(samples::ticket(Risk::Medium))),
            assessment: None,
            may_control: true,
            aftermath: Aftermath::default(),
            listings: Listings::On,
            form: FormOutcome::default(),
            now: samples::NOW,
        })
    })
}

pub fn count(page: &str, text: &str) -> usize {
    page.matches(text).count()
}

#[test]
fn every_task_is_in_the_picture_from_the_first_second_whatever_became_of_it() {
    let page = page_at(eventful(), "", None);
    assert_eq!(count(&page, "class=\"node"), 8, "pending, skipped and finally ones too");
    for word in ["Timed out", "Lost", "Skipped", "Cancelled", "Pending"] {
        assert!(page.contains(word), "{word}");
    }
    assert!(page.contains("runs after all"));
    assert!(page.contains("drain-the-…") || page.contains("…"), "a long name is cut in the picture");
    assert!(
        page.contains("drain-the-node-that-was-chosen-by-the-model-and-has-a-very-long-name-0123456789"),
        "and whole elsewhere"
    );
}

#[test]
fn nothing_carries_a_style_or_a_handler_of_its_own() {
    for page in [page_at(eventful(), "", None), page_at(running(), "tab=attempts", None)] {
        assert!(!page.contains("style=") && !page.contains("onclick"), "the content security policy allows neither");
    }
}

#[test]
fn a_thousand_tasks_make_a_page() {
    let page = page_at(many(1000), "task=task-0550&unfold=all", None);
    assert_eq!(count(&page, "class=\"node"), 1000);
    assert!(page.contains("Critical path: "));
    assert!(page.contains(">Fold<"));
}

#[test]
fn of_a_thousand_tasks_those_that_stand_alike_are_one_until_somebody_unfolds_them() {
    let page = page_at(many(1000), "task=task-0100", None);
    let boxes = count(&page, "class=\"node");
    assert!(boxes < 120, "{boxes}");
    assert!(page.contains("among them is selected") && page.contains("succeeded tasks in "));
    assert!(page.contains("unfold=all"), "all of it is a link away");
    let sought = page_at(many(1000), "seek=task-090", None);
    assert!(sought.contains("10 tasks") && sought.contains("task-0900</a>"), "what is sought is not hidden");
    assert!(sought.contains("data-name=\"task-0909\""));
}

#[test]
fn a_run_that_has_ended_shows_its_layers_and_what_nobody_has_assessed() {
    let mut run = many(120);
    run.state = ExecutionState::Succeeded;
    for task in &mut run.tasks {
        task.state = TaskState::Succeeded;
    }
    let page = page_at(run, "", None).replace("<!>", "");
    // Each after the ones 40 and 53 before it: three layers.
    assert_eq!(count(&page, "class=\"node many"), 3, "{page}");
    assert!(page.contains("task-0000 and 39 more"), "a row is called after its tasks");
    let head = page.split("class=\"runview").next().unwrap();
    assert!(head.contains("#decided\"") && head.contains(">not assessed<"), "{head}");
}

#[test]
fn whether_it_helped_is_told_with_what_it_rests_on_and_may_be_overruled() {
    let mut run = many(2);
    assert!(!page_at(run.clone(), "", None).contains("Overrule the verdict"), "while it goes on nobody can tell");
    run.state = ExecutionState::Succeeded;
    run.finished_at = Some(samples::NOW);
    let unlooked = page_at(run.clone(), "", None);
    assert!(unlooked.contains("Nobody has looked yet.") && unlooked.contains("Overrule the verdict"), "{unlooked}");

    let evidence = |of, says, words: &str| Evidence { of, says, words: words.into() };
    let record = AssessmentRecord {
        found: Assessment::Ineffective,
        evidence: vec![
            evidence(Looked::Signal, Says::DidNot, "it still fires"),
            evidence(Looked::Metric, Says::Nothing, "<b>nobody</b> answers"),
        ],
        at: samples::NOW,
        cleared_at: None,
        recurred_at: None,
        overruled: Some(Overrule {
            verdict: Assessment::Effective,
            by: Actor::new(ActorId::new("user:ada"), "Ada"),
            reason: "<i>the alert was another's</i>".into(),
            at: samples::NOW,
        }),
    };
    let page = html(|| {
        run_page(RunView {
            selection: Selection::of(&run, &Query::default()),
            run,
            log: None,
            quote: None,
            paper: Paper::NotKept,
            assessment: Some(record),
            may_control: false,
            aftermath: Aftermath::default(),
            listings: Listings::On,
            form: FormOutcome::default(),
            now: samples::NOW,
        })
    })
    .replace("<!>", "");
    let told = page.split("id=\"assessment\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(told.contains("Helped") && told.contains("Did not help"), "what counts, and what was found: {told}");
    assert!(told.contains("It still fires.") && told.contains("it did not help") && told.contains("it can't be told"));
    assert!(told.contains("Ada said so") && told.contains("&lt;i&gt;the alert"), "{told}");
    assert!(!told.contains("<b>nobody") && !told.contains("<i>the alert"), "text stays text");
    assert!(!told.contains("Overrule the verdict"), "a viewer may not");
}

#[test]
fn four_thousand_tasks_side_by_side_make_a_small_page_whatever_is_asked() {
    let mut run = many(4000);
    for task in &mut run.tasks {
        task.run_after.clear();
    }
    for query in ["", "unfold=all"] {
        let page = page_at(run.clone(), query, None);
        assert!(count(&page, "class=\"node") < 100, "{query}");
        assert!(page.len() < 600_000, "{} bytes", page.len());
    }
    assert!(page_at(run, "unfold=all", None).contains("Too many tasks to draw each"));
}

#[test]
fn the_table_says_the_same_sorted_and_of_thousands_a_page_at_a_time() {
    let page = page_at(eventful(), "sort=state", None);
    let table = page.split("class=\"as-table\"").nth(1).unwrap();
    assert!(table.contains("aria-sort=\"ascending\""));
    let place = |name: &str| table.find(&format!(">{name}</a>")).unwrap();
    assert!(place("measure") < place("check") && place("notify") < place("uncordon"), "what went wrong comes first");
    let page = page_at(many(1000), "sort=order&rows=400", None);
    assert!(page.contains("Tasks 401 to 600 of 1000"));
}

#[test]
fn each_try_is_in_the_timeline_with_the_wait_between() {
    let page = page_at(eventful(), "", None);
    let row = page.split("time-rows").nth(1).unwrap().split("data-name=\"drain-").nth(1).unwrap();
    let row = row.split("</a>").next().unwrap();
    assert_eq!(count(row, "class=\"running\""), 2, "{row}");
    assert!(row.contains("1: queued 1s, pulling 3s, running 12s, failed · 2: "), "{row}");
    let mut run = eventful();
    run.tasks[1].attempts[1].queued_at = run.tasks[1].attempts[1].queued_at.map(|at| at.plus_ms(4000));
    assert!(page_at(run, "", None).contains("idle-gap"));
}

#[test]
fn a_run_that_went_wrong_says_why_first_and_never_that_its_tasks_are_done() {
    let quote = Quote { task: "measure".into(), text: "ERROR: <b>no</b>".into(), href: "/runs/run-2?line=7#L7".into() };
    let page = page_with(eventful(), "", None, Some(quote));
    let why = page.split("class=\"note bad\"").nth(1).unwrap();
    let place = |text: &str| why.find(text).unwrap_or_else(|| panic!("{text}: {why}"));
    assert!(place("Eviction refused") < place("Its log") && place("Its log") < place("Tasks completed"));
    assert!(why.contains("<q>ERROR: &lt;b&gt;no"), "as text, and marked as the log's");
    assert!(page.contains("2 of 8 succeeded, 1 failed, 1 timed out, 1 lost, 1 cancelled, 1 skipped"), "{page}");
    assert!(!page.contains("tasks done"));
}

#[test]
fn the_target_is_told_also_where_only_the_parameters_name_it() {
    let mut run = running();
    run.subject.resource = None;
    assert!(page_at(run, "", None).contains("· my-app"));
}

#[test]
fn what_went_wrong_is_selected_first_and_the_address_overrules_it() {
    let of = |run: &Execution, query: &str| Selection::of(run, &Query::parse(query)).task;
    assert!(of(&eventful(), "").unwrap().starts_with("drain-the-node"));
    assert_eq!(of(&running(), "").as_deref(), Some("create-gitops-pr"));
    assert_eq!(of(&running(), "task=restart-pods").as_deref(), Some("restart-pods"));
    assert_eq!(of(&running(), "task=no-such").as_deref(), Some("create-gitops-pr"));
}

#[test]
fn long_texts_are_not_carried_twice() {
    let page = page_at(running(), "", None);
    let props: usize = page.split("data-props=\"").skip(1).map(|part| part.find('"').unwrap_or(0)).sum();
    assert!(props < 4000, "{props} bytes of props");
}

#[test]
fn the_end_of_the_critical_path_and_how_long_it_held_everything_up_are_told() {
    let page = page_at(running(), "", None);
    assert!(page.contains("scale-deployment → create-gitops-pr, 1m 04s"), "{page}");
}

#[test]
fn a_run_that_ended_cannot_be_cancelled_and_is_not_followed() {
    let mut run = running();
    assert!(page_at(run.clone(), "", None).contains("/runs/run-1/cancel"));
    run.state = ExecutionState::Succeeded;
    let page = page_at(run, "", None);
    assert!(!page.contains("/cancel\"") && page.contains("data-ended"));
}

#[test]
fn an_empty_list_offers_the_next_step_and_a_filtered_one_the_way_back() {
    let empty = |filter: ExecutionFilter| {
        html(|| runs(PageOf::default(), filter, Query::default(), vec![], true, samples::NOW))
    };
    assert!(empty(ExecutionFilter::default()).contains("href=\"/approvals\""));
    let filter = ExecutionFilter { q: Some("x".into()), ..ExecutionFilter::default() };
    assert!(empty(filter).contains("No run matches"));
}

#[test]
fn by_command_line_nothing_of_the_sandbox_is_in_reach_of_kubectl() {
    let task = |sandbox: bool| {
        let mut run = running();
        run.subject.sandbox = sandbox;
        let page = page_at(run, "task=restart-pods", None);
        let part = page.split("This task by command line").nth(1).unwrap();
        part.split("</details>").next().unwrap().to_owned()
    };
    let (sandbox, real) = (task(true), task(false));
    assert!(!sandbox.contains("kubectl") && !sandbox.contains("tkn "), "{sandbox}");
    assert!(
        real.contains("kubectl logs remediation-pod-1 --namespace") && real.contains("tkn pipelinerun logs"),
        "{real}"
    );
    for part in [&sandbox, &real] {
        assert!(
            part.contains("$KUBERNAUT_TOKEN")
                && part.contains("https://console.example/api/v1/executions/run-1/tasks/")
        );
        assert!(!part.contains("$TOKEN") && !part.contains("$CONSOLE"));
    }
}

#[test]
fn what_a_run_is_called_where_it_lives_and_its_pods_can_be_copied() {
    let page = page_at(running(), "task=restart-pods&tab=attempts", None);
    let namespace = running().subject.namespace;
    for text in ["remediate-payment-oom", &namespace, "remediation-pod-1"] {
        assert!(page.contains(&format!("data-copy=\"{text}\"")), "{text}: {page}");
    }
}

/// One that waits for a Secret, and what Kubernetes warned of while it did.
fn stuck() -> Execution {
    let mut run = running();
    let mut waits = task(
        "scale-deployment",
        &[],
        TaskState::Pending,
        vec![attempt(1, TaskState::Pending, [Some(0), Some(1), None, None])],
    );
    let message = "MountVolume.SetUp failed for volume \"ws\" : secret \"kube<config>\" not found";
    (waits.reason, waits.message) = (Some("FailedMount".into()), Some(message.into()));
    let warning = |of: Option<&str>, object: &str, reason: &str, message: &str, count, first, last| Warning {
        kind: "Pod".into(),
        object: object.into(),
        task: of.map(str::to_owned),
        reason: reason.into(),
        message: message.into(),
        count,
        first_at: at(first),
        last_at: at(last),
    };
    run.warnings = vec![
        warning(Some("scale-deployment"), "scale-pod", "FailedMount", message, 5, 2, 40),
        warning(None, "whole-pod", "InternalError", "of the whole run", 1, 1, 1),
        warning(Some("restart-pods"), "restart-pod", "FailedSync", "of another task", 1, 3, 3),
    ];
    run.tasks[1] = waits;
    run
}

#[test]
fn what_kubernetes_warned_of_stands_amid_a_tasks_events_once_with_its_object_and_how_often() {
    let page = page_at(stuck(), "task=scale-deployment&tab=events", None).replace("<!>", "");
    let events = page.split("class=\"events\"").nth(1).unwrap().split("</ol>").next().unwrap();
    let place = |text: &str| events.find(text).unwrap_or_else(|| panic!("{text}: {events}"));
    assert!(place("Queued") < place("InternalError") && place("InternalError") < place("FailedMount"), "by time");
    assert_eq!(count(events, "kube&lt;config&gt;"), 1, "not also as the task's own word: {events}");
    assert!(
        events.contains("Pod scale-pod") && events.contains("5 times, last ") && !events.contains("1 times"),
        "{events}"
    );
    assert!(events.contains("class=\"state wait\""), "{events}");
    assert!(!page.contains("of another task"));
    let tabs = page.split("class=\"tabs\"").nth(1).unwrap().split("</nav>").next().unwrap();
    assert!(tabs.split("Events").nth(1).unwrap().contains(">2</span>"), "{tabs}");
    let head = page.split("class=\"task-head\"").nth(1).unwrap().split("</div>").next().unwrap();
    assert!(head.contains("FailedMount. MountVolume.SetUp failed"), "{head}");
}

#[test]
fn what_ended_a_task_is_told_where_it_ended_and_not_as_a_warning_too() {
    let mut run = stuck();
    run.tasks[1].state = TaskState::TimedOut;
    run.tasks[1].message = Some("of the whole run".into());
    run.tasks[1].attempts[0].state = TaskState::TimedOut;
    run.tasks[1].attempts[0].finished_at = Some(at(50));
    let page = page_at(run, "task=scale-deployment&tab=events", None);
    let events = page.split("class=\"events\"").nth(1).unwrap().split("</ol>").next().unwrap();
    assert!(!events.contains("InternalError") && events.contains("Of the whole run"), "{events}");
    assert!(events.contains("FailedMount"), "what was warned of on the way stays: {events}");
}
