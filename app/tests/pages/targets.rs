//! What the recommendation page says of the object that would be acted on, as it was read from the cluster.

use crate::{between, html, samples, tag};
use app::{
    FormOutcome,
    pages::recommendation::{Beside, read_again, recommendation},
};
use domain::{
    execution::{Assessment, ExecutionState},
    recommendation::{ResourceRef, Risk, target::Target},
    services::{TargetView, TicketView},
    target::{
        since::{Moved, Since},
        state::{Autoscaler, Beside as Next, Manager, Reading},
    },
};
use std::time::Duration;

/// The page with the target as it was read, without the marks that only a parser needs.
fn beside(target: TargetView) -> String {
    let beside = Beside { target: Some(target), ..Beside::default() };
    let mut view = samples::view(Risk::Medium);
    view.ticket.as_mut().unwrap().changes.clear();
    let page = html(|| recommendation(view, beside, FormOutcome::default()));
    page.replace("<!>", "").replace("<!---->", "")
}

#[test]
fn the_target_is_shown_as_it_is_and_as_it_would_be() {
    let page = beside(samples::target_view(|_| {}));
    let section = between(&page, "id=\"target\"", "</section>");
    let changed = section.contains("<code>spec.replicas</code>") && section.contains("<del>4</del>");
    assert!(changed && section.contains("<ins>2</ins>"), "{section}");
    for part in [
        "3 of 4 ready",
        "no room: minAvailable 2",
        "memory limit 1Gi, request 512Mi",
        "unchanged",
        "read from the cluster",
    ] {
        assert!(section.contains(part), "{part}: {section}");
    }
    assert!(section.contains("leaves no room: 2 replicas"), "{section}");
    assert!(!page.contains("heed "), "nothing to heed: {page}");
}

#[test]
fn who_may_undo_it_is_told_before_anyone_decides() {
    let page = beside(samples::target_view(|state| {
        state.manager = Some(Manager { tool: "Argo CD".into(), name: Some("shop".into()), reverts: true });
        state.autoscalers = Next::Read(vec![Autoscaler { name: "my-app".into(), least: 3, most: 12, wanted: Some(4) }]);
    }));
    let section = between(&page, "id=\"target\"", "</section>");
    for part in ["Argo CD (shop)", "may undo the change", "3 to 12 replicas, wants 4 now", "2 will be undone"] {
        assert!(section.contains(part), "{part}: {section}");
    }
}

#[test]
fn a_target_that_is_not_there_is_said_beside_the_buttons_and_approving_stays_possible() {
    let gone = TargetView {
        reading: Reading::Missing { read_at: samples::NOW },
        changes: vec![],
        cautions: vec![],
        ..samples::target_view(|_| {})
    };
    let page = beside(gone);
    let decide = &page[page.find("id=\"decide\"").unwrap()..];
    assert!(
        decide.contains("There is no Deployment my-app in production in the cluster. A run would very likely fail."),
        "{decide}"
    );
    assert!(page.contains("Target not found"));
    assert!(!tag(&page, "value=\"approve\"").contains("disabled"));
}

#[test]
fn a_changed_target_is_said_with_what_has_changed() {
    let moved = vec![Moved { fact: "replicas".into(), before: Some("4".into()), after: Some("2".into()) }];
    let changed = TargetView { since: Since::Changed { moved, at: None, by: None }, ..samples::target_view(|_| {}) };
    let page = beside(changed);
    let decide = &page[page.find("id=\"decide\"").unwrap()..];
    assert!(decide.contains("Deployment my-app has changed since the analysis: replicas 4 → 2."), "{decide}");
    assert!(page.contains("Target has changed"));
}

#[test]
fn another_target_than_the_incidents_is_flagged() {
    let object = |name: &str| ResourceRef { kind: "Deployment".into(), namespace: None, name: name.into() };
    let target = Target::Mismatch { acts_on: object("other"), incident: object("my-app") };
    let page = beside(TargetView { target, ..samples::target_view(|_| {}) });
    assert!(page.contains("Another target"));
    assert!(page.contains("This acts on Deployment other, and the incident is about Deployment my-app."));
}

#[test]
fn what_could_not_be_read_is_said_with_what_to_do() {
    for (reading, words) in [
        (Reading::Late, "did not answer in time"),
        (
            Reading::NotAllowed { advice: "kubectl apply -f deploy/base/rbac/targets.yaml lets it.".into() },
            "targets.yaml",
        ),
        (Reading::Unavailable { detail: "connection refused".into() }, "connection refused"),
        (Reading::Unknown, "does not read objects of this kind"),
    ] {
        let page = beside(TargetView { reading, changes: vec![], ..samples::target_view(|_| {}) });
        assert!(between(&page, "id=\"target\"", "</section>").contains(words), "{words}");
        assert!(!tag(&page, "value=\"approve\"").contains("disabled"), "the page stands without");
    }
}

#[test]
fn what_would_change_says_when_it_is_about_values_in_no_ticket() {
    let typed = |digest: [u8; 32]| {
        let preview =
            Some(TicketView { digest: domain::ids::Digest::from_bytes(digest), ..samples::ticket(Risk::Medium) });
        let beside = Beside { preview, target: Some(samples::target_view(|_| {})), ..Beside::default() };
        html(|| recommendation(samples::view(Risk::Medium), beside, FormOutcome::default()))
    };
    assert!(between(&typed([7; 32]), "id=\"target\"", "</section>").contains("They are in no ticket yet."));
    let same = samples::ticket(Risk::Medium);
    let beside = Beside { preview: Some(same), target: Some(samples::target_view(|_| {})), ..Beside::default() };
    let page = html(|| recommendation(samples::view(Risk::Medium), beside, FormOutcome::default()));
    assert!(!page.contains("in no ticket yet"));
}

#[test]
fn what_was_tried_before_and_did_not_help_is_said() {
    let earlier = |state, assessment| {
        let mut run = samples::execution("e1", "Scale down my-app", state, None);
        run.subject.workflow_id = Some("oomkill-scale-down".into());
        (run.state, run.assessment, run.finished_at) = (state, assessment, Some(samples::NOW.plus_ms(-7_200_000)));
        beside(TargetView { earlier: vec![run], ..samples::target_view(|_| {}) })
    };
    let useless = earlier(ExecutionState::Succeeded, Assessment::Ineffective);
    assert!(useless.contains("The same playbook ran on the same object 2h ago and did not help."), "{useless}");
    assert!(useless.contains("Done about the same object in the last seven days"));
    assert!(earlier(ExecutionState::Failed, Assessment::NotAssessed).contains("2h ago and failed."));
    assert!(!earlier(ExecutionState::Succeeded, Assessment::Effective).contains("Tried before"));
}

#[test]
fn a_target_is_read_again_soon_where_the_reading_came_too_late() {
    let read = samples::target_view(|_| {});
    let late = TargetView { reading: Reading::Late, ..read.clone() };
    assert_eq!(read_again([&read]), Some(Duration::from_secs(20)));
    assert_eq!(read_again([&read, &late]), Some(Duration::from_secs(1)));
    assert_eq!(read_again([]), None, "where nothing is read");
}
