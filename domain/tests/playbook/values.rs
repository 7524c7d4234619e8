//! Judging values, and merging them with what the registration sets.

use std::collections::BTreeSet;

use domain::fault::Fault;
use domain::playbook::values::{Bound, BoundSource, EnvSource, EnvValue, merge, validate};
use domain::playbook::{ParameterName, Registration};
use serde_json::{Map, Value, json};

use crate::{parse, places, seed};

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

fn scale_down(changes: Value) -> Map<String, Value> {
    let mut given = object(json!({
        "TARGET_RESOURCE_KIND": "Deployment", "TARGET_RESOURCE_NAME": "my-app", "TARGET_NAMESPACE": "production",
        "SCALE_TARGET_REPLICAS": 1
    }));
    for (name, value) in object(changes) {
        if value == json!("LEAVE OUT") {
            given.remove(&name)
        } else {
            given.insert(name, value)
        };
    }
    given
}

fn faults(registration: &Registration, given: &Map<String, Value>) -> Vec<Fault> {
    validate(registration, given).err().unwrap_or_default()
}

fn one_message(changes: Value) -> String {
    let faults = faults(&seed("hidden-oomkill-scale-down"), &scale_down(changes));
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults[0].message.clone()
}

#[test]
fn wrong_values_are_refused_with_the_place() {
    let registration = seed("oomkill-scale-down");
    for (changes, pointer, code) in [
        (json!({"SCALE_TARGET_REPLICAS": "1"}), "/SCALE_TARGET_REPLICAS", "wrong_type"),
        (json!({"SCALE_TARGET_REPLICAS": 1.5}), "/SCALE_TARGET_REPLICAS", "wrong_type"),
        (json!({"SCALE_TARGET_REPLICAS": null}), "/SCALE_TARGET_REPLICAS", "wrong_type"),
        (json!({"SCALE_TARGET_REPLICAS": [1]}), "/SCALE_TARGET_REPLICAS", "wrong_type"),
        (json!({"SCALE_TARGET_REPLICAS": -1}), "/SCALE_TARGET_REPLICAS", "out_of_range"),
        (json!({"SCALE_TARGET_REPLICAS": 101}), "/SCALE_TARGET_REPLICAS", "out_of_range"),
        (json!({"SCALE_TARGET_REPLICAS": 1e300}), "/SCALE_TARGET_REPLICAS", "out_of_range"),
        (json!({"SCALE_TARGET_REPLICAS": "LEAVE OUT"}), "/SCALE_TARGET_REPLICAS", "required"),
        (json!({"TARGET_RESOURCE_KIND": "Pod"}), "/TARGET_RESOURCE_KIND", "not_allowed"),
        (json!({"TARGET_RESOURCE_KIND": 1}), "/TARGET_RESOURCE_KIND", "wrong_type"),
        (json!({"TARGET_RESOURCE_NAME": "My App"}), "/TARGET_RESOURCE_NAME", "pattern_mismatch"),
        (json!({"TARGET_RESOURCE_NAME": ""}), "/TARGET_RESOURCE_NAME", "pattern_mismatch"),
        (json!({"TARGET_NAMESPCE": "a"}), "/TARGET_NAMESPCE", "undeclared_parameter"),
        (json!({"a/b~c": "a"}), "/a~1b~0c", "undeclared_parameter"),
    ] {
        let faults = faults(&registration, &scale_down(changes.clone()));
        let ours: Vec<_> = places(&faults).into_iter().filter(|place| place.0 == pointer).collect();
        assert_eq!(ours, [(pointer, code)], "{changes}: {faults:#?}");
    }
}

#[test]
fn text_rules_hold_where_no_pattern_does() {
    let registration = seed("hidden-oomkill-scale-down");
    for (text, code) in [
        ("a\nb".to_owned(), "control_character"),
        ("a\tb".to_owned(), "control_character"),
        ("a\0".to_owned(), "control_character"),
        ("a\u{9b}".to_owned(), "control_character"),
        ("a\u{2028}b".to_owned(), "control_character"),
        ("a\u{202e}b".to_owned(), "bidi_control"),
        ("a\u{2066}b".to_owned(), "bidi_control"),
        ("$(params.playbook-image)".to_owned(), "substitution"),
        ("x".repeat(4097), "too_long"),
    ] {
        let faults = faults(&registration, &scale_down(json!({"TARGET_NAMESPACE": text})));
        assert_eq!(places(&faults), [("/TARGET_NAMESPACE", code)]);
    }
    assert_eq!(faults(&registration, &scale_down(json!({"TARGET_NAMESPACE": "ünïcode $HOME ${X} ´`;|&"}))), []);
}

#[test]
fn messages_tell_a_model_what_to_send() {
    assert_eq!(one_message(json!({"SCALE_TARGET_REPLICAS": "3"})), "send the number 3, not the string \"3\"");
    assert_eq!(one_message(json!({"SCALE_TARGET_REPLICAS": 101})), "send at most 100, not 101");
    assert_eq!(
        one_message(json!({"TARGET_RESOURCE_KIND": "Pod"})),
        "choose one of \"Deployment\", \"StatefulSet\", \"DaemonSet\", not \"Pod\""
    );
    assert_eq!(
        one_message(json!({"SCALE_TARGET_REPLICAS": "LEAVE OUT"})),
        "add SCALE_TARGET_REPLICAS (integer): it is required"
    );
    assert_eq!(one_message(json!({"REPLICAS": 1})), "leave \"REPLICAS\" out: did you mean SCALE_TARGET_REPLICAS?");
    assert_eq!(
        one_message(json!({"REMEDIATION_TYPE": "scale_down"})),
        "leave \"REMEDIATION_TYPE\" out: declared are TARGET_RESOURCE_KIND, TARGET_RESOURCE_NAME, TARGET_NAMESPACE, SCALE_TARGET_REPLICAS"
    );
}

#[test]
fn a_hidden_parameter_cannot_be_given_and_a_guess_tells_nothing() {
    let told = |name: &str| {
        let faults = faults(&seed("hidden-oomkill-scale-down"), &scale_down(json!({name: "scale_down"})));
        assert_eq!(places(&faults), [(format!("/{name}").as_str(), "undeclared_parameter")]);
        faults[0].message.replace(name, "…")
    };
    assert_eq!(told("REMEDIATION_TYPE"), told("REMEDIATION_TYPO"));
}

#[test]
fn all_faults_come_at_once() {
    let given = scale_down(json!({
        "TARGET_NAMESPACE": "LEAVE OUT", "SCALE_TARGET_REPLICAS": "1", "TARGET_RESOURCE_KIND": "Pod", "X": 1
    }));
    let faults = faults(&seed("oomkill-scale-down"), &given);
    let mut found = places(&faults);
    found.sort_unstable();
    let expected = [
        ("/SCALE_TARGET_REPLICAS", "wrong_type"),
        ("/TARGET_NAMESPACE", "required"),
        ("/TARGET_RESOURCE_KIND", "not_allowed"),
        ("/X", "undeclared_parameter"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_whole_number_is_written_without_a_point() {
    let bound = validate(&seed("oomkill-scale-down"), &scale_down(json!({"SCALE_TARGET_REPLICAS": 2.0}))).unwrap();
    assert_eq!(bound[3].value, "2");
}

#[test]
fn every_type_is_written_in_one_way() {
    let registration = parse(&json!({
        "workflow_id": "all", "version": "1.0.0", "title": "All", "description": "All types",
        "container_image": "quay.io/x/y:1",
        "parameters": [
            {"name": "TEXT", "type": "string"}, {"name": "WHOLE", "type": "integer"},
            {"name": "RATIO", "type": "number"}, {"name": "FLAG", "type": "boolean"}
        ]
    }));
    let given = object(json!({"FLAG": true, "RATIO": 1e21, "TEXT": " a=b ", "WHOLE": -0.0}));
    let bound = validate(&registration, &given).unwrap();
    let texts: Vec<_> = bound.iter().map(|bound| (bound.name.as_str(), bound.value.as_str())).collect();
    assert_eq!(texts, [("TEXT", " a=b "), ("WHOLE", "0"), ("RATIO", "1e+21"), ("FLAG", "true")]);
    for number in [json!(9_007_199_254_740_993_i64), json!(u64::MAX)] {
        assert_eq!(places(&faults(&registration, &object(json!({"WHOLE": number})))), [("/WHOLE", "out_of_range")]);
        assert_eq!(places(&faults(&registration, &object(json!({"RATIO": number})))), [("/RATIO", "out_of_range")]);
    }
}

#[test]
fn a_playbook_without_parameters_takes_none() {
    let registration = parse(&json!({
        "workflow_id": "none", "version": "1.0.0", "title": "None", "description": "No parameters",
        "container_image": "quay.io/x/y:1"
    }));
    assert_eq!(validate(&registration, &Map::new()), Ok(vec![]));
    assert_eq!(places(&faults(&registration, &object(json!({"A": 1})))), [("/A", "undeclared_parameter")]);
}

#[test]
fn given_values_come_first_and_hidden_ones_last() {
    let registration = seed("hidden-oomkill-scale-down");
    let bound = validate(&registration, &scale_down(json!({}))).unwrap();
    let edited = BTreeSet::from(["SCALE_TARGET_REPLICAS".parse::<ParameterName>().unwrap()]);
    let merged = merge(&registration, &bound, &edited).unwrap();
    let shown: Vec<_> = merged.iter().map(|entry| (entry.name.as_str(), entry.value.clone(), entry.source)).collect();
    let text = |text: &str| EnvValue::Text(text.to_owned());
    let expected = [
        ("TARGET_RESOURCE_KIND", text("Deployment"), EnvSource::Model),
        ("TARGET_RESOURCE_NAME", text("my-app"), EnvSource::Model),
        ("TARGET_NAMESPACE", text("production"), EnvSource::Model),
        ("SCALE_TARGET_REPLICAS", text("1"), EnvSource::Operator),
        ("REMEDIATION_TYPE", text("scale_down"), EnvSource::Registration),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn a_secret_is_named_and_never_read() {
    let registration = parse(&json!({
        "workflow_id": "secret", "version": "1.0.0", "title": "Secret", "description": "Needs a token",
        "container_image": "quay.io/x/y:1",
        "parameters": {"hidden": [{"name": "TOKEN", "secret_ref": {"name": "registry", "key": "token"}}]}
    }));
    let merged = merge(&registration, &[], &BTreeSet::new()).unwrap();
    let wire =
        json!([{"name": "TOKEN", "value": {"secret": {"name": "registry", "key": "token"}}, "source": "registration"}]);
    assert_eq!(serde_json::to_value(&merged).unwrap(), wire);
}

#[test]
fn merging_trusts_nobody() {
    let registration = seed("hidden-oomkill-scale-down");
    let bound = |name: &str, value: &str| Bound {
        name: name.parse().unwrap(),
        value: value.into(),
        source: BoundSource::Given,
    };
    let code = |registration: &Registration, bound: &[Bound]| {
        let fault = merge(registration, bound, &BTreeSet::new()).unwrap_err();
        (fault.pointer, fault.code.into_owned())
    };
    let expect = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    assert_eq!(
        code(&registration, &[bound("REMEDIATION_TYPE", "x")]),
        expect("/REMEDIATION_TYPE", "undeclared_parameter")
    );
    assert_eq!(code(&registration, &[bound("OTHER", "x")]), expect("/OTHER", "undeclared_parameter"));
    let twice = [bound("TARGET_NAMESPACE", "x"), bound("TARGET_NAMESPACE", "y")];
    assert_eq!(code(&registration, &twice), expect("/TARGET_NAMESPACE", "duplicate"));
    assert_eq!(code(&registration, &[bound("TARGET_NAMESPACE", "$(x)")]), expect("/TARGET_NAMESPACE", "substitution"));

    let mut tampered = registration.clone();
    tampered.parameters.hidden[0].name = "TARGET_NAMESPACE".parse().unwrap();
    assert_eq!(code(&tampered, &[]), expect("/TARGET_NAMESPACE", "parameter_conflict"));
    let mut tampered = registration;
    let again = tampered.parameters.hidden[0].clone();
    tampered.parameters.hidden.push(again);
    assert_eq!(code(&tampered, &[]), expect("/REMEDIATION_TYPE", "parameter_conflict"));
}

#[test]
fn a_request_buys_no_answer_larger_than_itself() {
    let registration = seed("oomkill-scale-down");
    let given: Map<String, Value> = (0..14_000).map(|n| (format!("UNKNOWN_{n:05}"), json!(1))).collect();
    let told = faults(&registration, &given);
    let undeclared = told.iter().filter(|fault| fault.code == "undeclared_parameter").count();
    assert!((2..=17).contains(&undeclared), "{undeclared}");
    assert!(told.iter().any(|fault| fault.message.contains("13984 more names")), "{told:#?}");
    let bytes: usize = told.iter().map(|fault| fault.message.len() + fault.pointer.len()).sum();
    assert!(bytes < 8_000, "{bytes}");
}
