//! `depends_on`: a parameter is allowed, and if required then needed, only when each named parameter has one of the values.
//! Tried through the schema that a model is shown, and through the judging of values: both say the same.

use domain::playbook::values::{BoundSource, validate};
use domain::playbook::{Registration, schema};
use serde_json::{Value, json};

use crate::{parse, places, seed};

fn with_parameters(parameters: Value) -> Registration {
    let mut registration = json!({
        "workflow_id": "dependent", "version": "1.0.0", "title": "Dependent", "description": "Parameters that depend",
        "container_image": "quay.io/x/y:1"
    });
    registration["parameters"] = parameters;
    parse(&registration)
}

/// Each case: what is given, and the faults. The bare schema must agree on whether there are any.
fn check(registration: &Registration, cases: &[(Value, &[(&str, &str)])]) {
    let shown = jsonschema::draft202012::new(&schema::json_schema(registration)).unwrap();
    for (given, expected) in cases {
        let faults = validate(registration, given.as_object().unwrap()).err().unwrap_or_default();
        assert_eq!(places(&faults), *expected, "{given}: {faults:#?}");
        assert_eq!(shown.is_valid(given), expected.is_empty(), "the schema on {given}");
    }
}

#[test]
fn the_seed() {
    let base = |action: &str| {
        json!({
            "TARGET_RESOURCE_KIND": "Deployment", "TARGET_RESOURCE_NAME": "a", "TARGET_NAMESPACE": "b",
            "REMEDIATION_ACTION": action
        })
    };
    let with = |action: &str, name: &str, value: Value| {
        let mut given = base(action);
        given[name] = value;
        given
    };
    check(
        &seed("oomkill-cost-optimized"),
        &[
            (base("scale_down"), &[]),
            (with("scale_down", "SCALE_TARGET_REPLICAS", json!(1)), &[]),
            (with("increase_memory", "MEMORY_LIMIT_NEW", json!("1Gi")), &[]),
            (with("scale_down", "MEMORY_LIMIT_NEW", json!("1Gi")), &[("/MEMORY_LIMIT_NEW", "dependency_not_met")]),
            (
                with("increase_memory", "SCALE_TARGET_REPLICAS", json!(1)),
                &[("/SCALE_TARGET_REPLICAS", "dependency_not_met")],
            ),
            (
                with("optimize_application", "SCALE_TARGET_REPLICAS", json!(1)),
                &[("/SCALE_TARGET_REPLICAS", "dependency_not_met")],
            ),
        ],
    );
}

#[test]
fn the_message_says_when_it_would_be_allowed() {
    let given = json!({
        "TARGET_RESOURCE_KIND": "Deployment", "TARGET_RESOURCE_NAME": "a", "TARGET_NAMESPACE": "b",
        "REMEDIATION_ACTION": "scale_down", "MEMORY_LIMIT_NEW": "1Gi"
    });
    let faults = validate(&seed("oomkill-cost-optimized"), given.as_object().unwrap()).unwrap_err();
    assert_eq!(
        faults[0].message,
        "leave MEMORY_LIMIT_NEW out: it is allowed only when REMEDIATION_ACTION is \"increase_memory\"; \
         now REMEDIATION_ACTION is \"scale_down\""
    );
}

#[test]
fn required_means_needed_when_it_is_allowed() {
    let registration = with_parameters(json!([
        {"name": "ACTION", "type": "string", "required": true, "enum": ["scale", "grow", "stop"]},
        {"name": "REPLICAS", "type": "integer", "required": true, "depends_on": {"ACTION": ["scale", "grow"]}}
    ]));
    check(
        &registration,
        &[
            (json!({"ACTION": "scale"}), &[("/REPLICAS", "required")]),
            (json!({"ACTION": "grow", "REPLICAS": 2}), &[]),
            (json!({"ACTION": "stop"}), &[]),
            (json!({"ACTION": "stop", "REPLICAS": 2}), &[("/REPLICAS", "dependency_not_met")]),
            (json!({"REPLICAS": 2}), &[("/ACTION", "required"), ("/REPLICAS", "dependency_not_met")]),
        ],
    );
}

#[test]
fn every_named_parameter_counts() {
    let registration = with_parameters(json!([
        {"name": "A", "type": "boolean"}, {"name": "B", "type": "integer"},
        {"name": "C", "type": "string", "required": true, "depends_on": {"A": [true], "B": [1, 2]}}
    ]));
    check(
        &registration,
        &[
            (json!({}), &[]),
            (json!({"A": true}), &[]),
            (json!({"A": true, "B": 3}), &[]),
            (json!({"A": true, "B": 2}), &[("/C", "required")]),
            (json!({"A": true, "B": 2.0, "C": "x"}), &[]),
            (json!({"A": false, "B": 2, "C": "x"}), &[("/C", "dependency_not_met")]),
            (json!({"A": true, "C": "x"}), &[("/C", "dependency_not_met")]),
        ],
    );
}

#[test]
fn a_default_is_a_value_of_the_parameter_that_was_left_out() {
    let registration = with_parameters(json!([
        {"name": "MODE", "type": "string", "default": "slow", "enum": ["slow", "fast"]},
        {"name": "PAUSE", "type": "integer", "required": true, "depends_on": {"MODE": ["slow"]}},
        {"name": "BURST", "type": "integer", "default": 5, "required": true, "depends_on": {"MODE": ["fast"]}}
    ]));
    check(
        &registration,
        &[
            (json!({}), &[("/PAUSE", "required")]),
            (json!({"PAUSE": 1}), &[]),
            (json!({"MODE": "fast"}), &[]),
            (json!({"MODE": "fast", "PAUSE": 1}), &[("/PAUSE", "dependency_not_met")]),
            (json!({"BURST": 1, "PAUSE": 1}), &[("/BURST", "dependency_not_met")]),
            (json!({"MODE": "fast", "BURST": 1}), &[]),
        ],
    );
}

#[test]
fn defaults_are_filled_only_where_they_are_allowed() {
    let registration = with_parameters(json!([
        {"name": "LAST", "type": "string", "default": "z", "depends_on": {"BURST": [5]}},
        {"name": "BURST", "type": "integer", "default": 5, "depends_on": {"MODE": ["fast"]}},
        {"name": "MODE", "type": "string", "default": "slow", "enum": ["slow", "fast"]}
    ]));
    let bound = |given: Value| -> Vec<(String, String, BoundSource)> {
        let bound = validate(&registration, given.as_object().unwrap()).unwrap();
        bound.into_iter().map(|bound| (bound.name.to_string(), bound.value, bound.source)).collect()
    };
    let entry = |name: &str, value: &str, source| (name.to_owned(), value.to_owned(), source);
    assert_eq!(bound(json!({})), [entry("MODE", "slow", BoundSource::Default)]);
    assert_eq!(
        bound(json!({"MODE": "fast"})),
        [
            entry("LAST", "z", BoundSource::Default),
            entry("BURST", "5", BoundSource::Default),
            entry("MODE", "fast", BoundSource::Given),
        ]
    );
    assert_eq!(
        bound(json!({"MODE": "fast", "BURST": 6})),
        [entry("BURST", "6", BoundSource::Given), entry("MODE", "fast", BoundSource::Given),]
    );
}

#[test]
fn a_chain_with_defaults_is_followed_to_its_end() {
    let registration = with_parameters(json!([
        {"name": "MODE", "type": "string", "enum": ["slow", "fast"]},
        {"name": "BURST", "type": "integer", "default": 5, "depends_on": {"MODE": ["fast"]}},
        {"name": "LIMIT", "type": "integer", "required": true, "depends_on": {"BURST": [5]}}
    ]));
    check(
        &registration,
        &[
            (json!({}), &[]),
            (json!({"MODE": "slow"}), &[]),
            (json!({"MODE": "fast"}), &[("/LIMIT", "required")]),
            (json!({"MODE": "fast", "BURST": 6}), &[]),
            (json!({"MODE": "fast", "LIMIT": 1}), &[]),
            (json!({"LIMIT": 1}), &[("/LIMIT", "dependency_not_met")]),
            (json!({"MODE": "slow", "BURST": 5, "LIMIT": 1}), &[("/BURST", "dependency_not_met")]),
        ],
    );
}
