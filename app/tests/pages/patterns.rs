//! What the page of patterns must show.

use crate::{html, samples::NOW};
use app::pages::effectiveness::patterns::patterns;
use domain::{
    assessment::pattern::{Pattern, PatternKind, Shown},
    ids::ExecutionId,
    recommendation::ResourceRef,
};

fn pattern(kind: PatternKind, cluster: &str, name: &str) -> Pattern {
    let of_playbook = kind == PatternKind::StoppedWorking;
    let resource = ResourceRef { kind: "Deployment".into(), namespace: Some("shop".into()), name: name.into() };
    Pattern {
        kind,
        cluster: cluster.into(),
        subject: if of_playbook { name.to_owned() } else { format!("shop/Deployment/{name}") },
        resource: Some(resource).filter(|_| !of_playbook),
        workflow_id: Some(name.to_owned()).filter(|_| of_playbook),
        version: None,
        runs: 4,
        last_at: NOW.plus_ms(-60_000),
        words: "4 runs on it ended within seven days.".into(),
        shown_by: vec![Shown { execution_id: ExecutionId::new("e1"), name: "run".into(), at: NOW.plus_ms(-60_000) }],
    }
}

fn page(found: Vec<Pattern>) -> String {
    html(|| patterns(found, 90, NOW)).replace("<!>", "").replace("&amp;", "&")
}

#[test]
fn each_pattern_leads_to_its_runs_its_playbook_and_its_finding() {
    let page = page(vec![
        pattern(PatternKind::Repeated, "here", "cart"),
        pattern(PatternKind::StoppedWorking, "here", "oomkill-scale-down"),
    ]);
    for href in [
        "/runs?q=cart",
        "/findings?kind=repeated&state=any&q=cart",
        "/catalog/oomkill-scale-down",
        "/runs?workflow_id=oomkill-scale-down",
        "/findings?kind=stopped_working&state=any&q=oomkill-scale-down",
        "/runs/e1",
    ] {
        assert!(page.contains(&format!("href=\"{href}\"")), "{href}: {page}");
    }
    for words in ["Stopped working", "shop / Deployment cart", "4 runs on it ended"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("in here"), "there is but one cluster: {page}");
}

#[test]
fn names_are_text_and_clusters_are_told_apart() {
    let page = page(vec![
        pattern(PatternKind::Flapping, "east", "<b>cart</b>"),
        pattern(PatternKind::Flapping, "west", "<b>cart</b>"),
    ]);
    assert!(!page.contains("<b>cart"), "{page}");
    assert!(page.contains(" in east") && page.contains(" in west"), "{page}");
}

#[test]
fn without_patterns_it_says_so() {
    let page = page(vec![]);
    assert!(page.contains("No pattern in this time") && !page.contains("<table"), "{page}");
}
