//! What catalog, effectiveness and audit must show.

use crate::{catalog_samples as samples, html, samples::NOW};
use app::{
    FormOutcome,
    pages::{
        actions::actions,
        audit::audit,
        catalog::catalog,
        effectiveness::{Asked, Measure, effectiveness},
        playbook::playbook,
    },
    query::Query,
};
use domain::{
    effectiveness::{EffectivenessFilter, GroupBy},
    paging::PageOf,
    playbook::actions::ActionRegistry,
    ports::{CatalogFilter, Facet, FacetValue, PlaybookStatus},
    search::Meaning,
    services::Found,
};

#[test]
fn the_catalog_says_what_was_measured_and_why_something_was_found() {
    let list = PageOf { items: samples::items(), next_cursor: Some("x".into()) };
    let found = Found { page: list, meaning: Meaning::Late };
    let page = html(|| catalog(found, vec![], CatalogFilter::default(), Query::parse("q=memory"), true, false));
    assert!(page.contains("Found by text alone"), "what did not answer is said");
    assert!(page.contains("of 40 (") && page.contains("no runs yet"));
    // Texts that follow each other are parted by a comment.
    assert!(page.replace("<!>", "").contains("Found by signal OOMKilled"));
    assert!(page.contains("/catalog?q=memory&amp;cursor=x") || page.contains("/catalog?q=memory&cursor=x"));
    assert!(!page.contains("/catalog/new"), "who may not register is not led to it");
    assert!(!page.contains("0\u{a0}%"), "no data is not zero");
}

#[test]
fn a_playbook_keeps_what_a_model_sees_apart_from_what_it_never_sees() {
    let page = html(|| playbook(samples::playbook(), 0, None, true, FormOutcome::default(), NOW));
    let (seen, hidden) = page.split_once("Parameters the model never sees").unwrap();
    assert!(seen.contains("SCALE_TARGET_REPLICAS") && !seen.contains("GIT_TOKEN"));
    assert!(hidden.contains("from the Secret") && hidden.contains("git/token"));
    assert!(page.contains("/catalog/oomkill-scale-down/versions/1.1.0/status"));
    for href in
        ["/effectiveness?workflow_id=oomkill-scale-down&amp;by=version", "/approvals?workflow_id=oomkill-scale-down"]
    {
        assert!(page.contains(&format!("href=\"{href}\"")), "{href}: {page}");
    }
    let reader = html(|| playbook(samples::playbook(), 1, None, false, FormOutcome::default(), NOW));
    assert!(!reader.contains("/status\"") && reader.contains("The newest is "));
}

#[test]
fn a_version_says_who_registered_it_or_that_it_came_from_the_cluster() {
    let mut view = samples::playbook();
    view.versions[0].registered_by = domain::identity::Actor::cluster();
    let page = html(|| playbook(view, 0, None, true, FormOutcome::default(), NOW)).replace("<!>", "");
    assert!(page.contains(" from the cluster</d"), "{page}");
    assert!(page.contains(" by a.lindqvist</td>"), "the other version");
    assert!(page.contains("--field-selector spec.workflowId=oomkill-scale-down"));
}

#[test]
fn no_data_is_a_dash_with_a_word() {
    let page = html(|| effectiveness(samples::report(), &asked(None)));
    let row = page.rsplit("never-run").next().unwrap().split("</tr>").next().unwrap();
    assert!(row.contains("– ") && row.contains("no runs") && row.contains("not measured"));
    assert!(!row.contains("0\u{a0}%"));
    assert!(!page.contains("style="));
}

#[test]
fn the_charts_say_what_they_measure_and_fall_back_to_what_there_is() {
    let page = html(|| effectiveness(samples::report(), &asked(None)));
    assert!(page.contains("By playbook: how often it helped"), "somebody has looked: that is the question");
    let page = html(|| effectiveness(samples::report(), &asked(Some(Measure::WentThrough))));
    assert!(page.contains("how often it went through") && page.contains("Week by week"));
    assert!(page.contains("tabindex=\"0\" role=\"img\" aria-label=\"oomkill-scale-down: went through"), "{page}");
    let mut nobody = samples::report();
    for row in nobody.rows.iter_mut().chain(&mut nobody.total) {
        (row.effective, row.ineffective) = (0, 0);
    }
    let page = html(|| effectiveness(nobody, &asked(None)));
    assert!(page.contains("how often it went through") && page.contains("nobody has looked yet"));
}

fn asked(measure: Option<Measure>) -> Asked {
    Asked { by: GroupBy::Playbook, filter: EffectivenessFilter::default(), measure }
}

#[test]
fn a_row_of_the_trail_tells_the_reason_as_it_was_given_and_nothing_where_none_was() {
    let page = html(|| audit(samples::audit_view(samples::audit())));
    assert!(page.contains("The node will not hold another hour"));
    assert_eq!(page.matches("class=\"prose reason\"").count(), 2);
    assert!(page.contains("href=\"/recommendations/01jd7m3k9x4qvb2n\""));
}

#[test]
fn what_is_chosen_can_be_taken_away_and_what_can_be_chosen_counts() {
    let value = |value: &str, count| FacetValue { value: value.into(), count };
    let facets = vec![
        Facet { name: "signal_type".into(), values: vec![value("OOMKilled", 3), value("*", 1)] },
        Facet { name: "tag".into(), values: vec![value("memory", 2), value("oom", 1)] },
    ];
    let query = Query::parse("q=scale&signal_type=OOMKilled&tag=memory&cursor=x");
    let list = PageOf { items: samples::items(), next_cursor: None };
    let found = Found { page: list, meaning: Meaning::Used };
    let filter = CatalogFilter { q: Some("scale".into()), ..CatalogFilter::default() };
    let page = html(|| catalog(found, facets, filter, query, false, false)).replace("<!>", "").replace("&amp;", "&");
    assert!(page.contains("href=\"/catalog?q=scale&tag=memory\""), "one is taken away, the others stay: {page}");
    assert!(page.contains("href=\"/catalog?q=scale&signal_type=OOMKilled&tag=memory&tag=oom\""), "tags add up");
    assert!(page.contains("href=\"/catalog?q=scale&tag=memory&signal_type=*\""), "another value takes its place");
    assert!(page.contains("<input type=\"hidden\" name=\"signal_type\" value=\"OOMKilled\""), "a search keeps them");
    assert!(page.contains("signal: OOMKilled, take it away") && !page.contains("Found by text alone"));
}

#[test]
fn the_action_registry_says_what_steps_may_do_and_what_can_not_be_read() {
    let none = html(|| actions(None));
    assert!(none.contains("No registry is configured") && none.contains("kubernaut-actions"));
    let contract = serde_json::json!({ "actionType": "kubernetes/scale", "version": "1.0.0", "description": "Scales it.",
        "image": "quay.io/kubernaut/scale:v1", "inputs": { "type": "object", "required": ["replicas"] } });
    let bad = Err(domain::fault::Fault::new("/inputs", "required", "add the field \"inputs\""));
    let registry = ActionRegistry::of([("scale.json".to_owned(), Ok(contract)), ("<b>.json".to_owned(), bad)]);
    let page = html(|| actions(Some(registry)));
    for words in [
        "kubernetes/scale",
        "Scales it.",
        "quay.io/kubernaut/scale:v1",
        "replicas",
        "&lt;b&gt;.json",
        "/inputs: add the field",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(html(|| actions(Some(ActionRegistry::default()))).contains("No step is accepted"));
}

#[test]
fn two_versions_are_compared_in_words_and_line_by_line() {
    let page = html(|| playbook(samples::playbook(), 0, Some((1, 0)), true, FormOutcome::default(), NOW));
    let page = page.replace("<!>", "");
    assert!(page.contains("Compatible: whatever fits 1.0.0 fits 1.1.0, too."), "{page}");
    assert!(page.contains("<b>Retries</b> 0 became 2"));
    assert!(page.contains("<del>") && page.contains("<ins>") && page.contains("lines are the same"));
    assert!(page.contains("/catalog/new?from=oomkill-scale-down@1.1.0"));
}

#[test]
fn a_version_that_is_not_to_be_used_says_why_and_where_to_go() {
    let page = html(|| playbook(samples::playbook(), 1, None, false, FormOutcome::default(), NOW)).replace("<!>", "");
    assert!(page.contains("It runs only where it is asked for by version."));
    assert!(page.contains("Why: Superseded by vertical scaling."));
    assert!(page.contains("The newest active version is 1.1.0"));
}

#[test]
fn forty_versions_are_folded_and_the_one_that_is_shown_is_open() {
    let mut view = samples::playbook();
    let title = "Scale down";
    view.versions = (0..40)
        .rev()
        .map(|n| samples::record("oomkill-scale-down", &format!("1.{n}.0"), title, PlaybookStatus::Active))
        .collect();
    let page = html(|| playbook(view.clone(), 0, None, false, FormOutcome::default(), NOW)).replace("<!>", "");
    assert!(page.contains("30 older versions") && page.contains("<details class=\"older\"><summary>"), "{page}");
    let page = html(|| playbook(view, 35, None, false, FormOutcome::default(), NOW)).replace("<!>", "");
    assert!(page.contains("<details open class=\"older\""));
}
