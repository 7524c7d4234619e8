//! What a run left in its volume, on its page: whether it may be asked for, and the answer.

use crate::{
    html,
    runs_samples::{eventful, running},
    samples,
};
use app::{
    FormOutcome,
    pages::run::{Paper, RunView, Selection, run_page},
    query::Query,
};
use domain::{
    execution::Execution,
    recommendation::Risk,
    services::{Aftermath, Listings},
    ticket::Plan,
    workspace::{Cut, EntryKind, WorkspaceEntry, WorkspaceListing},
};
use serde_json::json;

const WORKSPACE: &str = "shared-workspace";
const ACTION: &str = "action=\"/runs/run-2/workspaces/shared-workspace/listing";

/// A run's page; of steps that share a volume, unless it is a playbook's.
fn page(run: Execution, shares: bool, listings: Listings, may_control: bool, form: FormOutcome) -> String {
    let mut ticket = samples::ticket(Risk::Medium);
    if shares {
        let image = format!("quay.io/kubernaut/action@sha256:{}", "ab".repeat(32));
        let step = json!({"name": "one", "actionType": "x/y", "image": image, "usesWorkspace": true});
        let plan = json!({"kind": "steps", "workflow_type": "x", "steps": [step]});
        ticket.content.plan = serde_json::from_value::<Plan>(plan).unwrap();
    }
    let paper = Paper::Kept(Box::new(ticket));
    let selection = Selection::of(&run, &Query::default());
    let (log, quote, now, aftermath) = (None, None, samples::NOW, Aftermath::default());
    let assessment = None;
    html(move || {
        run_page(RunView { run, selection, log, quote, paper, assessment, may_control, aftermath, listings, form, now })
    })
}

/// A run that has ended, and had a PipelineRun.
fn ended() -> Execution {
    Execution { run_uid: Some("run-uid".into()), ..eventful() }
}

/// The section of a run that has ended and may be listed.
fn section(listing: Option<WorkspaceListing>) -> String {
    let form = FormOutcome { listing: listing.map(|it| (WORKSPACE.to_owned(), Some(it))), ..FormOutcome::default() };
    let page = page(ended(), true, Listings::On, true, form).replace("<!>", "");
    page.split("id=\"workspace\"").nth(1).unwrap().split("</section>").next().unwrap().to_owned()
}

fn entry(path: &str, kind: EntryKind, size: Option<u64>) -> WorkspaceEntry {
    WorkspaceEntry { path: path.into(), kind, size, modified_at: Some(samples::NOW.plus_ms(-60_000)) }
}

#[test]
fn a_run_that_has_ended_can_be_asked_what_it_left() {
    let asked = section(None);
    assert!(asked.contains(ACTION) && asked.contains("method=\"post\"") && asked.contains("List contents"), "{asked}");
    assert!(!asked.contains("<table"));
}

#[test]
fn who_cannot_ask_is_told_why() {
    let none = FormOutcome::default;
    for (page, words) in [
        (page(running(), true, Listings::On, true, none()), "when it has ended"),
        (page(ended(), true, Listings::On, false, none()), "Operators and admins"),
        (page(ended(), true, Listings::Off, true, none()), "deploy/components/listing"),
        (page(ended(), true, Listings::Sandbox, true, none()), "The sandbox keeps no files"),
    ] {
        assert!(page.contains(words) && !page.contains("/listing\"") && !page.contains(ACTION), "{words}");
    }
    let playbook = page(ended(), false, Listings::On, true, none());
    assert!(!playbook.contains("Workspace contents"), "it has no volume");
}

#[test]
fn what_was_found_is_a_table_and_nothing_of_it_is_markup() {
    let found = section(Some(WorkspaceListing {
        entries: vec![
            entry("out", EntryKind::Directory, None),
            entry("out/<b>report</b>.txt", EntryKind::File, Some(1536)),
            WorkspaceEntry { modified_at: None, ..entry("out/link", EntryKind::Link, None) },
        ],
        cut: vec![Cut::Entries, Cut::Time],
        unread: 2,
    }));
    for words in ["<code>out</code>", "directory", "1.5 KiB", "title=\"1536 bytes\"", "link", "List again"] {
        assert!(found.contains(words), "{words}: {found}");
    }
    assert!(found.contains("&lt;b&gt;report") && !found.contains("<b>report"), "{found}");
    assert!(found.contains("This is not all: there are more than 5000 entries, it took longer than 10 s."), "{found}");
    assert!(found.contains("2 entries could not be read."));
}

#[test]
fn an_empty_volume_is_empty_and_one_that_could_not_be_read_is_not() {
    assert!(section(Some(WorkspaceListing::default())).contains("It is empty"));
    let unread = section(Some(WorkspaceListing { unread: 1, ..WorkspaceListing::default() }));
    assert!(!unread.contains("It is empty") && unread.contains("One entry could not be read."), "{unread}");
}

#[test]
fn a_listing_of_another_workspace_is_not_shown_for_this_one() {
    let listing = WorkspaceListing { entries: vec![entry("x", EntryKind::File, Some(1))], ..Default::default() };
    let form = FormOutcome { listing: Some(("another".into(), Some(listing))), ..FormOutcome::default() };
    assert!(!page(ended(), true, Listings::On, true, form).contains("class=\"grid volume\""));
}

#[test]
fn a_refusal_is_told_where_it_was_asked() {
    let refused = FormOutcome { message: Some("its volume is gone".into()), ..FormOutcome::default() };
    let form = FormOutcome { listing: Some((WORKSPACE.into(), None)), ..refused };
    let page = page(ended(), true, Listings::On, true, form);
    let (above, section) = page.split_once("id=\"workspace\"").unwrap();
    assert!(section.contains("Its volume is gone") && !above.contains("Its volume is gone"), "{section}");
}

#[test]
fn a_run_that_never_started_left_nothing() {
    let page = page(Execution { run_uid: None, ..ended() }, true, Listings::On, true, FormOutcome::default());
    assert!(page.contains("The run never started, so it left nothing.") && !page.contains(ACTION));
}
