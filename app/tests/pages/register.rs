//! What the register page must show, and what its live half relies on.

use crate::{catalog_samples as samples, html};
use app::{
    FormOutcome,
    pages::register::{CHECKED, as_fields, register},
};
use domain::{
    fault::{Fault, code},
    playbook::{Comparison, Registration, schema},
    services::{BaseView, DraftView, Review},
};
use http::StatusCode;
use serde_json::json;

fn draft(registration: Registration) -> DraftView {
    let schema = schema::json_schema(&registration);
    DraftView { schema, pipeline_run: json!({"kind": "PipelineRun"}), registration }
}

fn filled(faults: Vec<Fault>, code: &str) -> FormOutcome {
    let registration = samples::registration("oomkill-scale-down", "1.2.0", "Scale down");
    let fields = as_fields(&serde_json::to_value(registration).unwrap()).unwrap();
    FormOutcome { fields, faults, code: code.into(), status: StatusCode::OK, ..FormOutcome::default() }
}

/// The page as text: what the framework puts between texts is taken out.
fn shown(form: FormOutcome, review: Option<Review>) -> String {
    html(|| register(form, review)).replace("<!>", "")
}

#[test]
fn a_fresh_form_is_empty_and_calls_nothing_wrong() {
    let page = shown(FormOutcome::default(), None);
    assert!(page.contains("name=\"exposed.0.name\"") && page.contains("name=\"hidden.0.name\""));
    assert!(!page.contains("aria-invalid") && !page.contains("role=\"alert\""));
    assert!(page.contains("novalidate") && page.contains("data-check=\"/catalog/new/check\""));
    assert!(!page.contains("style=") && !page.contains("onclick"));
    // Enter in a field presses the first button: one that stores nothing.
    let first = page.split("<button").nth(1).unwrap();
    assert!(first.contains("value=\"validate\""), "{first}");
}

#[test]
fn a_fault_is_told_by_its_label_and_its_pointer() {
    let faults = vec![
        Fault::new("/container_image", code::MALFORMED, "name the registry"),
        Fault::new("/parameters/exposed/2/maximum", code::WRONG_TYPE, "no number"),
        Fault::new("/remediation_steps/0", code::TOO_LONG, "shorten it"),
    ];
    let page = shown(filled(faults.clone(), "invalid"), Some(Review { faults, ..Review::default() }));
    assert!(page.contains("Container image</a>") && page.contains("(<code>/container_image</code>)"), "{page}");
    assert!(page.contains("SCALE_TARGET_REPLICAS, most</a>") && page.contains("#f-exposed-2-maximum"));
    assert!(page.contains("id=\"f-container_image-error\"") && page.contains("role=\"alert\""));
    assert!(page.contains("The document") && page.contains("/remediation_steps/0"));
}

#[test]
fn while_somebody_types_only_what_they_left_is_told_and_the_rest_is_a_list() {
    let faults =
        vec![Fault::new("/version", code::REQUIRED, "add it"), Fault::new("/title", code::TOO_LONG, "shorten it")];
    let page = shown(filled(faults.clone(), CHECKED), Some(Review { faults, ..Review::default() }));
    assert!(!page.contains("role=\"alert\""), "nothing has been sent yet");
    assert!(page.contains("Still to fill in: <a href=\"#f-version\">Version</a>"), "{page}");
}

#[test]
fn no_field_stands_in_what_is_taken_over_while_somebody_types() {
    let registration = samples::registration("oomkill-scale-down", "1.2.0", "Scale down");
    let review = Review { draft: Some(draft(registration)), ..Review::default() };
    let page = shown(filled(vec![], CHECKED), Some(review));
    // The last such element is the panel beside the form.
    let beside = page.split(" data-checked").last().unwrap();
    for control in ["<input", "<select", "<textarea"] {
        assert!(!beside.contains(control), "{control}");
    }
    assert!(page.contains("id=\"review\" data-checked"));
}

#[test]
fn a_breaking_change_says_which_version_it_asks_for() {
    let old = samples::registration("oomkill-scale-down", "1.1.0", "Scale down");
    let mut new = samples::registration("oomkill-scale-down", "1.2.0", "Scale down");
    new.parameters.exposed.remove(1);
    let base = BaseView {
        id: old.id.clone(),
        version: old.version.clone(),
        renamed: false,
        comparison: Comparison::of(&old, &new),
        proposed: "2.0.0".parse().unwrap(),
        same: false,
        enough: false,
    };
    let review = Review { draft: Some(draft(new)), base: Some(base), ..Review::default() };
    let page = shown(filled(vec![], CHECKED), Some(review));
    assert!(page.contains("A breaking change: what was stored for 1.1.0 may not fit any more."), "{page}");
    assert!(page.contains("value=\"version.2.0.0\"") && page.contains("Breaking"));
    assert!(page.contains("TARGET_RESOURCE_NAME</code> is gone"));
}

#[test]
fn what_has_no_field_is_kept_and_told() {
    let document = json!({"workflow_id": "a", "remediation_steps": ["Look"], "parameters": {"exposed": [
        {"name": "A", "type": "string", "tekton_mapping": "env.A"}]}});
    let form = FormOutcome { fields: as_fields(&document).unwrap(), ..FormOutcome::default() };
    let page = shown(form, None);
    assert!(page.contains("Also kept") && page.contains("/parameters/exposed/0/tekton_mapping"));
    assert!(page.contains("name=\"kept\"") && page.contains("name=\"exposed.0.kept\""));
}

#[test]
fn as_many_parameters_as_there_may_be_fit() {
    let rows: Vec<_> = (0..64).map(|n| json!({"name": format!("PARAMETER_{n}"), "type": "string"})).collect();
    let form = FormOutcome { fields: as_fields(&json!({"parameters": rows})).unwrap(), ..FormOutcome::default() };
    let page = shown(form, None);
    assert!(page.contains("name=\"exposed.63.name\"") && page.contains("A playbook has at most 64 parameters."));
}

/// What stands in a text area is not escaped by the framework: a description could end it and go on as a form of its own.
#[test]
fn a_description_stays_inside_its_text_area() {
    let words = "\nFine.</textarea><form action=/settings/accounts><button>Start</button></form><textarea> &lt;b&gt;";
    let mut form = filled(Vec::new(), CHECKED);
    for (name, text) in &mut form.fields {
        if name == "description" {
            words.clone_into(text);
        }
    }
    let page = shown(form, None);
    assert!(!page.contains("<form action=/settings"), "{page}");
    let kept = "\n\nFine.&lt;/textarea&gt;&lt;form action=/settings/accounts&gt;&lt;button&gt;Start&lt;/button&gt;";
    assert!(page.contains(kept), "as it was typed, its first line break too: {page}");
    assert!(page.contains("&lt;textarea&gt; &amp;lt;b&amp;gt;</textarea>"), "{page}");
}
