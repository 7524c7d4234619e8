//! The seeds' registrations go through as the seeds wrote them.

use domain::playbook::{HiddenSource, Registration, compare, schema, values};
use serde_json::{Value, json};

use crate::{SEEDS, parse, seed, sent};

#[test]
fn every_seed_is_a_registration() {
    for (name, _) in SEEDS {
        let registration = seed(name);
        assert_eq!(registration.id.as_str(), name.trim_start_matches("hidden-"));
        assert_eq!(registration.version.to_string(), "1.0.0");
    }
}

#[test]
fn what_is_written_is_what_is_read() {
    for (name, _) in SEEDS {
        let registration = seed(name);
        let written = serde_json::to_value(&registration).unwrap();
        assert_eq!(serde_json::from_value::<Registration>(written.clone()).unwrap(), registration, "{name}");
        assert_eq!(parse(&written), registration, "{name}: the canonical form is a registration too");
        // Nothing that the author said is lost; only the form of `parameters` and the defaults are added.
        let mut said = sent(name);
        if said["parameters"].is_array() {
            said["parameters"] = json!({"exposed": said["parameters"], "hidden": []});
        }
        contains(&written, &said, name);
    }
}

fn contains(whole: &Value, part: &Value, at: &str) {
    match part {
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| contains(&whole[key], value, &format!("{at}/{key}")));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, value)| contains(&whole[index], value, &format!("{at}/{index}")));
        }
        _ => assert_eq!(whole, part, "{at}"),
    }
}

#[test]
fn what_a_seed_leaves_out_has_the_documented_default() {
    let registration = seed("hidden-oomkill-scale-down");
    assert_eq!(registration.execution.timeout.to_string(), "10m");
    assert_eq!(registration.execution.retry_count, 0);
    assert_eq!(registration.execution.service_account.as_str(), "playbook-executor");
    assert_eq!(registration.labels.signal_type, None);
    let written = serde_json::to_value(&registration).unwrap();
    assert_eq!(written["image_pull_policy"], "IfNotPresent");
}

#[test]
fn the_cost_optimized_seed_keeps_its_settings() {
    let registration = seed("oomkill-cost-optimized");
    assert_eq!(registration.execution.retry_count, 2);
    assert_eq!(registration.labels.component.as_deref(), Some("*"));
    assert_eq!(registration.remediation_steps.len(), 3);
    assert_eq!(registration.image.repository(), "quay.io/kubernaut/playbook-oomkill-cost");
}

#[test]
fn hidden_parameters_come_from_the_registration() {
    let registration = seed("hidden-oomkill-increase-memory");
    let hidden = registration.hidden("REMEDIATION_TYPE").expect("declared");
    assert_eq!(hidden.source, HiddenSource::Value("increase_memory".into()));
    assert!(registration.exposed("REMEDIATION_TYPE").is_none());
}

#[test]
fn what_a_model_may_see_has_neither_hidden_parameters_nor_steps() {
    for (name, _) in SEEDS {
        let registration = seed(name);
        let text = registration.for_model();
        let shown = serde_json::to_string(&text).unwrap() + &schema::json_schema(&registration).to_string();
        assert!(!shown.contains("REMEDIATION_TYPE"), "{name}");
        for step in registration.internal_steps.iter().chain(&registration.remediation_steps) {
            assert!(!shown.contains(step), "{name}: {step}");
        }
    }
}

#[test]
fn the_schema_a_model_is_shown() {
    for (name, _) in SEEDS {
        insta::assert_json_snapshot!(format!("schema-{name}"), schema::json_schema(&seed(name)));
    }
}

#[test]
fn every_shown_schema_is_a_json_schema() {
    for (name, _) in SEEDS {
        let schema = schema::json_schema(&seed(name));
        jsonschema::draft202012::meta::validate(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn the_seeds_recommendation_fits_the_seeds_playbook() {
    let recommendation: Value = serde_json::from_str(include_str!("../seeds/recommendation.json")).unwrap();
    let strategy = &recommendation["strategies"][0];
    let given = strategy["parameters"].as_object().unwrap();
    for name in ["oomkill-scale-down", "hidden-oomkill-scale-down"] {
        let registration = seed(name);
        assert_eq!(strategy["workflow_id"], registration.id.as_str());
        let bound = values::validate(&registration, given).unwrap();
        let lines: Vec<_> = bound.iter().map(|bound| format!("{}={}", bound.name, bound.value)).collect();
        let expected = [
            "TARGET_RESOURCE_KIND=Deployment",
            "TARGET_RESOURCE_NAME=my-app",
            "TARGET_NAMESPACE=production",
            "SCALE_TARGET_REPLICAS=1",
        ];
        assert_eq!(lines, expected);
    }
}

#[test]
fn two_versions_can_be_compared() {
    let old = seed("oomkill-scale-down");
    let mut changed = sent("oomkill-scale-down");
    changed["version"] = json!("1.1.0");
    changed["parameters"][3]["maximum"] = json!(50);
    let pointers: Vec<_> = compare(&old, &parse(&changed)).into_iter().map(|change| change.pointer).collect();
    assert_eq!(pointers, ["/parameters/exposed/3/maximum", "/version"]);
    assert_eq!(compare(&old, &old), []);
}
