//! Every rule of a registration, each with an example that breaks it.

use domain::playbook::Registration;
use serde_json::{Value, json};

use crate::{parse, places, put};

/// A registration that uses every kind of rule.
fn good() -> Value {
    json!({
        "workflow_id": "restart", "version": "1.0.0", "title": "Restart", "description": "Restarts a workload.\nGently.",
        "container_image": "quay.io/kubernaut/restart:v1.0.0", "image_pull_policy": "Always",
        "parameters": {
            "exposed": [
                {"name": "MODE", "type": "string", "required": true, "enum": ["fast", "slow"], "default": "slow"},
                {"name": "NAMESPACE", "type": "string", "required": true, "pattern": "^[a-z-]+$", "min_length": 2, "max_length": 10,
                 "examples": ["shop"], "description": "Where.", "tekton_mapping": "env.NAMESPACE"},
                {"name": "REPLICAS", "type": "integer", "minimum": 1, "maximum": 9, "default": 3, "examples": [1, 2.0],
                 "depends_on": {"MODE": ["slow"]}},
                {"name": "RATIO", "type": "number", "minimum": 0.5, "maximum": 1.5, "enum": [0.5, 1]},
                {"name": "FORCE", "type": "boolean", "default": false, "depends_on": {"REPLICAS": [3], "MODE": ["slow"]}}
            ],
            "hidden": [
                {"name": "KIND", "value": "restart", "description": "Which branch."},
                {"name": "RETRIES", "value": 3.0},
                {"name": "VERBOSE", "value": true},
                {"name": "TOKEN", "secret_ref": {"name": "restart-token", "key": "token"}}
            ]
        },
        "labels": {"signal_type": "OOMKilled", "tags": ["a", "b"]},
        "internal_steps": ["one"], "remediation_steps": ["two"],
        "execution": {"timeout": "1h30m", "retry_count": 5, "service_account": "restarter"},
        "outputs": [{"name": "restarted", "type": "boolean"}]
    })
}

/// Where and how a document is changed, and the faults that follow.
type Case = (&'static str, Value, &'static [(&'static str, &'static str)]);

fn check(cases: Vec<Case>) {
    for (pointer, value, expected) in cases {
        let mut document = good();
        put(&mut document, pointer, value.clone());
        let faults = Registration::parse(&document).err().map(domain::fault::Faults::into_vec).unwrap_or_default();
        assert_eq!(places(&faults), expected, "{pointer} = {value}\n{faults:#?}");
        assert!(faults.iter().all(|fault| !fault.message.is_empty() && fault.message.len() < 1000));
    }
}

#[test]
fn the_good_one_is_good() {
    let registration = parse(&good());
    let written = serde_json::to_value(&registration).unwrap();
    assert_eq!(written["parameters"]["hidden"][1]["value"], "3");
    assert_eq!(written["parameters"]["hidden"][2]["value"], "true");
    assert_eq!(written["parameters"]["hidden"][3]["secret_ref"], json!({"name": "restart-token", "key": "token"}));
    assert_eq!(written["parameters"]["exposed"][2]["examples"], json!([1, 2]));
    assert_eq!(serde_json::from_value::<Registration>(written).unwrap(), registration);
}

#[test]
fn the_whole() {
    check(vec![
        ("/workflow_id", json!("Restart"), &[("/workflow_id", "malformed")]),
        ("/workflow_id", json!(null), &[("/workflow_id", "required")]),
        ("/version", json!("v1.0.0"), &[("/version", "malformed")]),
        ("/version", json!(1), &[("/version", "wrong_type")]),
        ("/title", json!(" "), &[("/title", "too_short")]),
        ("/title", json!("x".repeat(201)), &[("/title", "too_long")]),
        ("/title", json!("a\nb"), &[("/title", "control_character")]),
        ("/title", json!("a\u{202e}b"), &[("/title", "bidi_control")]),
        ("/description", json!("x".repeat(4097)), &[("/description", "too_long")]),
        ("/description", json!("a\u{1b}[1m"), &[("/description", "control_character")]),
        ("/container_image", json!("restart:v1"), &[("/container_image", "malformed")]),
        ("/container_image", json!("quay.io/kubernaut/restart"), &[("/container_image", "malformed")]),
        ("/image_pull_policy", json!("Sometimes"), &[("/image_pull_policy", "not_allowed")]),
        ("/parameters", json!("none"), &[("/parameters", "wrong_type")]),
        ("/parameters", json!({"exposd": []}), &[("/parameters/exposd", "unknown_field")]),
        ("/internal_steps", json!("one"), &[("/internal_steps", "wrong_type")]),
        ("/internal_steps", json!(vec!["x"; 101]), &[("/internal_steps", "too_many")]),
        (
            "/internal_steps",
            json!(["a", "", 3]),
            &[("/internal_steps/1", "too_short"), ("/internal_steps/2", "wrong_type")],
        ),
        ("/remediation_steps", json!(["x".repeat(1001)]), &[("/remediation_steps/0", "too_long")]),
        ("/exection", json!({}), &[("/exection", "unknown_field")]),
        ("/a~1b", json!(1), &[("/a~01b", "unknown_field")]),
    ]);
}

#[test]
fn labels_execution_and_outputs() {
    check(vec![
        ("/labels", json!([]), &[("/labels", "wrong_type")]),
        ("/labels/signal", json!("x"), &[("/labels/signal", "unknown_field")]),
        ("/labels/severity", json!("x".repeat(129)), &[("/labels/severity", "too_long")]),
        ("/labels/tags", json!(["a", "b", "a"]), &[("/labels/tags/2", "duplicate")]),
        ("/labels/tags", json!(["x".repeat(64)]), &[("/labels/tags/0", "too_long")]),
        ("/labels/tags", json!((0..33).map(|n| n.to_string()).collect::<Vec<_>>()), &[("/labels/tags", "too_many")]),
        ("/execution/timeout", json!("10 minutes"), &[("/execution/timeout", "malformed")]),
        ("/execution/timeout", json!("25h"), &[("/execution/timeout", "out_of_range")]),
        ("/execution/timeout", json!("0s"), &[("/execution/timeout", "out_of_range")]),
        ("/execution/timeout", json!(600), &[("/execution/timeout", "wrong_type")]),
        ("/execution/retry_count", json!(6), &[("/execution/retry_count", "out_of_range")]),
        ("/execution/retry_count", json!(-1), &[("/execution/retry_count", "out_of_range")]),
        ("/execution/retry_count", json!(1.5), &[("/execution/retry_count", "wrong_type")]),
        ("/execution/service_account", json!("Me"), &[("/execution/service_account", "malformed")]),
        ("/execution/retries", json!(1), &[("/execution/retries", "unknown_field")]),
        ("/outputs/0/name", json!("1st"), &[("/outputs/0/name", "malformed")]),
        ("/outputs/0/type", json!("object"), &[("/outputs/0/type", "not_allowed")]),
        ("/outputs/-", json!({"name": "restarted", "type": "string"}), &[("/outputs/1/name", "duplicate")]),
        ("/outputs/-", json!({"name": "x"}), &[("/outputs/1/type", "required")]),
    ]);
}

#[test]
fn names() {
    check(vec![
        ("/parameters/exposed/3/name", json!("ratio"), &[("/parameters/exposed/3/name", "malformed")]),
        ("/parameters/exposed/3/name", json!("LD_PRELOAD"), &[("/parameters/exposed/3/name", "reserved_name")]),
        ("/parameters/exposed/3/name", json!(null), &[("/parameters/exposed/3/name", "required")]),
        ("/parameters/exposed/3/name", json!("NAMESPACE"), &[("/parameters/exposed/3/name", "duplicate")]),
        ("/parameters/exposed/3/name", json!("KIND"), &[("/parameters/hidden/0/name", "parameter_conflict")]),
        ("/parameters/hidden/0/name", json!("RETRIES"), &[("/parameters/hidden/1/name", "duplicate")]),
        ("/parameters/hidden/0/name", json!("PATH"), &[("/parameters/hidden/0/name", "reserved_name")]),
        ("/parameters/exposed/3/defualt", json!(1), &[("/parameters/exposed/3/defualt", "unknown_field")]),
        ("/parameters/exposed/3", json!("RATIO"), &[("/parameters/exposed/3", "wrong_type")]),
        (
            "/parameters/exposed/1/tekton_mapping",
            json!("env.OTHER"),
            &[("/parameters/exposed/1/tekton_mapping", "wrong_mapping")],
        ),
        (
            "/parameters/exposed/1/tekton_mapping",
            json!("NAMESPACE"),
            &[("/parameters/exposed/1/tekton_mapping", "wrong_mapping")],
        ),
    ]);
}

#[test]
fn a_name_that_could_not_be_read_does_not_make_those_who_mention_it_wrong() {
    check(vec![
        (
            "/parameters/exposed/0/name",
            json!("mode"),
            &[
                ("/parameters/exposed/0/name", "malformed"),
                ("/parameters/exposed/2/depends_on/MODE", "unknown_parameter"),
                ("/parameters/exposed/4/depends_on/MODE", "unknown_parameter"),
            ],
        ),
        ("/parameters/exposed/0/type", json!("text"), &[("/parameters/exposed/0/type", "not_allowed")]),
        ("/parameters/exposed/0/description", json!(3), &[("/parameters/exposed/0/description", "wrong_type")]),
    ]);
}

#[test]
fn types_and_constraints() {
    check(vec![
        ("/parameters/exposed/3/type", json!("float"), &[("/parameters/exposed/3/type", "not_allowed")]),
        ("/parameters/exposed/3/required", json!("yes"), &[("/parameters/exposed/3/required", "wrong_type")]),
        ("/parameters/exposed/0/enum", json!([]), &[("/parameters/exposed/0/enum", "too_few")]),
        ("/parameters/exposed/0/enum", json!(["slow", "slow"]), &[("/parameters/exposed/0/enum/1", "duplicate")]),
        ("/parameters/exposed/0/enum", json!(["slow", 1]), &[("/parameters/exposed/0/enum/1", "wrong_type")]),
        (
            "/parameters/exposed/0/enum",
            json!(["slow", "a\tb"]),
            &[("/parameters/exposed/0/enum/1", "control_character")],
        ),
        ("/parameters/exposed/3/enum", json!([1, 1.0]), &[("/parameters/exposed/3/enum/1", "duplicate")]),
        ("/parameters/exposed/3/enum", json!([1, 2]), &[("/parameters/exposed/3/enum/1", "out_of_range")]),
        ("/parameters/exposed/3/pattern", json!("a"), &[("/parameters/exposed/3/pattern", "not_for_type")]),
        ("/parameters/exposed/3/min_length", json!(1), &[("/parameters/exposed/3/min_length", "not_for_type")]),
        ("/parameters/exposed/4/max_length", json!(1), &[("/parameters/exposed/4/max_length", "not_for_type")]),
        ("/parameters/exposed/0/minimum", json!(1), &[("/parameters/exposed/0/minimum", "not_for_type")]),
        ("/parameters/exposed/4/maximum", json!(1), &[("/parameters/exposed/4/maximum", "not_for_type")]),
        ("/parameters/exposed/1/min_length", json!(-1), &[("/parameters/exposed/1/min_length", "out_of_range")]),
        ("/parameters/exposed/1/max_length", json!(4097), &[("/parameters/exposed/1/max_length", "out_of_range")]),
        (
            "/parameters/exposed/1/max_length",
            json!(1),
            &[("/parameters/exposed/1/max_length", "contradiction"), ("/parameters/exposed/1/examples/0", "too_long")],
        ),
        (
            "/parameters/exposed/3/maximum",
            json!(0.1),
            &[
                ("/parameters/exposed/3/maximum", "contradiction"),
                ("/parameters/exposed/3/enum/0", "out_of_range"),
                ("/parameters/exposed/3/enum/1", "out_of_range"),
            ],
        ),
        ("/parameters/exposed/2/minimum", json!(0.5), &[("/parameters/exposed/2/minimum", "wrong_type")]),
        (
            "/parameters/exposed/2/maximum",
            json!(9_007_199_254_740_992_i64),
            &[("/parameters/exposed/2/maximum", "out_of_range")],
        ),
        ("/parameters/exposed/2/maximum", json!("9"), &[("/parameters/exposed/2/maximum", "wrong_type")]),
    ]);
}

#[test]
fn patterns() {
    let bad: &[(&str, &str)] = &[("/parameters/exposed/1/pattern", "bad_pattern")];
    check(vec![
        ("/parameters/exposed/1/pattern", json!("("), bad),
        ("/parameters/exposed/1/pattern", json!("(?=a)b"), bad),
        ("/parameters/exposed/1/pattern", json!("(a)\\1"), bad),
        ("/parameters/exposed/1/pattern", json!("((((a{50}){50}){50}){50})"), bad),
        ("/parameters/exposed/1/pattern", json!("\\p{L}{32}"), bad),
        ("/parameters/exposed/1/pattern", json!("(".repeat(256) + &")".repeat(256)), bad),
        ("/parameters/exposed/1/pattern", json!("x".repeat(513)), &[("/parameters/exposed/1/pattern", "too_long")]),
        ("/parameters/exposed/1/pattern", json!(""), &[("/parameters/exposed/1/pattern", "too_short")]),
        ("/parameters/exposed/1/pattern", json!(1), &[("/parameters/exposed/1/pattern", "wrong_type")]),
    ]);
    let mut document = good();
    put(&mut document, "/parameters/exposed/1/pattern", json!("^(?!kube-)"));
    let faults = Registration::parse(&document).unwrap_err().into_vec();
    assert!(faults[0].message.contains("look-around"), "{}", faults[0].message);
}

#[test]
fn a_pattern_that_explodes_in_other_engines_is_quick_here() {
    let mut document = good();
    put(&mut document, "/parameters/exposed/1/pattern", json!("^(a+)+$"));
    put(&mut document, "/parameters/exposed/1/max_length", json!(4096));
    put(&mut document, "/parameters/exposed/1/examples", json!(["a".repeat(4095) + "!"]));
    let faults = Registration::parse(&document).unwrap_err().into_vec();
    assert_eq!(places(&faults), [("/parameters/exposed/1/examples/0", "pattern_mismatch")]);
}

#[test]
fn values_in_the_registration_keep_its_own_rules() {
    check(vec![
        ("/parameters/exposed/0/default", json!("medium"), &[("/parameters/exposed/0/default", "not_allowed")]),
        ("/parameters/exposed/0/default", json!(1), &[("/parameters/exposed/0/default", "wrong_type")]),
        ("/parameters/exposed/1/default", json!("$(id)"), &[("/parameters/exposed/1/default", "substitution")]),
        ("/parameters/exposed/1/default", json!("SHOP"), &[("/parameters/exposed/1/default", "pattern_mismatch")]),
        ("/parameters/exposed/1/default", json!("a"), &[("/parameters/exposed/1/default", "too_short")]),
        (
            "/parameters/exposed/1/examples",
            json!(["shop", "x".repeat(11)]),
            &[("/parameters/exposed/1/examples/1", "too_long")],
        ),
        (
            "/parameters/exposed/1/examples",
            json!(["shop", "shop"]),
            &[("/parameters/exposed/1/examples/1", "duplicate")],
        ),
        ("/parameters/exposed/2/default", json!(0), &[("/parameters/exposed/2/default", "out_of_range")]),
        ("/parameters/exposed/2/default", json!("3"), &[("/parameters/exposed/2/default", "wrong_type")]),
        (
            "/parameters/exposed/2/examples",
            json!([10, true]),
            &[("/parameters/exposed/2/examples/1", "wrong_type"), ("/parameters/exposed/2/examples/0", "out_of_range")],
        ),
        ("/parameters/exposed/4/default", json!("false"), &[("/parameters/exposed/4/default", "wrong_type")]),
    ]);
}

#[test]
fn dependencies() {
    check(vec![
        ("/parameters/exposed/2/depends_on", json!(["MODE"]), &[("/parameters/exposed/2/depends_on", "wrong_type")]),
        (
            "/parameters/exposed/2/depends_on",
            json!({"MODE": "slow"}),
            &[("/parameters/exposed/2/depends_on/MODE", "wrong_type")],
        ),
        (
            "/parameters/exposed/2/depends_on",
            json!({"MODE": []}),
            &[("/parameters/exposed/2/depends_on/MODE", "too_few")],
        ),
        (
            "/parameters/exposed/2/depends_on",
            json!({"MOOD": ["slow"]}),
            &[("/parameters/exposed/2/depends_on/MOOD", "unknown_parameter")],
        ),
        (
            "/parameters/exposed/2/depends_on",
            json!({"KIND": ["restart"]}),
            &[("/parameters/exposed/2/depends_on/KIND", "unknown_parameter")],
        ),
        (
            "/parameters/exposed/2/depends_on",
            json!({"REPLICAS": [3]}),
            &[("/parameters/exposed/2/depends_on/REPLICAS", "self_dependency")],
        ),
        (
            "/parameters/exposed/2/depends_on",
            json!({"MODE": ["medium"]}),
            &[("/parameters/exposed/2/depends_on/MODE/0", "impossible_value")],
        ),
        (
            "/parameters/exposed/2/depends_on",
            json!({"MODE": ["slow", 1]}),
            &[("/parameters/exposed/2/depends_on/MODE/1", "impossible_value")],
        ),
        (
            "/parameters/exposed/2/depends_on",
            json!({"MODE": ["slow", "slow"]}),
            &[("/parameters/exposed/2/depends_on/MODE/1", "duplicate")],
        ),
        (
            "/parameters/exposed/4/depends_on",
            json!({"REPLICAS": [10]}),
            &[("/parameters/exposed/4/depends_on/REPLICAS/0", "impossible_value")],
        ),
        (
            "/parameters/exposed/4/depends_on",
            json!({"REPLICAS": ["3"]}),
            &[("/parameters/exposed/4/depends_on/REPLICAS/0", "impossible_value")],
        ),
        (
            "/parameters/exposed/4/depends_on",
            json!({"NAMESPACE": ["A"]}),
            &[("/parameters/exposed/4/depends_on/NAMESPACE/0", "impossible_value")],
        ),
        (
            "/parameters/exposed/4/depends_on",
            json!({"REPLICAS": [3], "MODE": ["fast"]}),
            &[("/parameters/exposed/4/depends_on", "contradiction")],
        ),
        (
            "/parameters/exposed/4/depends_on",
            json!({"A": [1], "B": [1], "C": [1], "D": [1], "E": [1], "F": [1], "G": [1], "H": [1], "MODE": ["slow"]}),
            &[
                ("/parameters/exposed/4/depends_on", "too_many"),
                ("/parameters/exposed/4/depends_on/A", "unknown_parameter"),
                ("/parameters/exposed/4/depends_on/B", "unknown_parameter"),
                ("/parameters/exposed/4/depends_on/C", "unknown_parameter"),
                ("/parameters/exposed/4/depends_on/D", "unknown_parameter"),
                ("/parameters/exposed/4/depends_on/E", "unknown_parameter"),
                ("/parameters/exposed/4/depends_on/F", "unknown_parameter"),
                ("/parameters/exposed/4/depends_on/G", "unknown_parameter"),
                ("/parameters/exposed/4/depends_on/H", "unknown_parameter"),
            ],
        ),
    ]);
}

#[test]
fn circles_are_named() {
    let mut document = good();
    put(&mut document, "/parameters/exposed/0/depends_on", json!({"FORCE": [true]}));
    let faults = Registration::parse(&document).unwrap_err().into_vec();
    let circle: Vec<_> = faults.iter().filter(|fault| fault.code == "dependency_cycle").collect();
    assert_eq!(circle[0].pointer, "/parameters/exposed/0/depends_on");
    assert!(circle[0].message.contains("MODE → FORCE → MODE"), "{}", circle[0].message);
    assert!(circle[1].message.contains("MODE → FORCE → REPLICAS → MODE"), "{}", circle[1].message);
    assert_eq!(circle.len(), 2);
}

#[test]
fn hidden_ones() {
    check(vec![
        ("/parameters/hidden/0/value", json!(null), &[("/parameters/hidden/0", "required")]),
        ("/parameters/hidden/0/value", json!(["a"]), &[("/parameters/hidden/0/value", "wrong_type")]),
        ("/parameters/hidden/0/value", json!("a\nb"), &[("/parameters/hidden/0/value", "control_character")]),
        (
            "/parameters/hidden/0/value",
            json!("$(context.pipelineRun.name)"),
            &[("/parameters/hidden/0/value", "substitution")],
        ),
        ("/parameters/hidden/0/value", json!("x".repeat(4097)), &[("/parameters/hidden/0/value", "too_long")]),
        (
            "/parameters/hidden/0/secret_ref",
            json!({"name": "a", "key": "b"}),
            &[("/parameters/hidden/0", "contradiction")],
        ),
        (
            "/parameters/hidden/3/secret_ref",
            json!({"name": "A", "key": "b/c"}),
            &[
                ("/parameters/hidden/3/secret_ref/name", "malformed"),
                ("/parameters/hidden/3/secret_ref/key", "malformed"),
            ],
        ),
        (
            "/parameters/hidden/3/secret_ref",
            json!({"name": "a"}),
            &[("/parameters/hidden/3/secret_ref/key", "required")],
        ),
        ("/parameters/hidden/0/type", json!("string"), &[("/parameters/hidden/0/type", "unknown_field")]),
    ]);
}

#[test]
fn at_most_sixty_four_parameters() {
    let exposed =
        |count: usize| (0..count).map(|n| json!({"name": format!("P{n}"), "type": "string"})).collect::<Vec<_>>();
    let hidden = |count: usize| (0..count).map(|n| json!({"name": format!("H{n}"), "value": "x"})).collect::<Vec<_>>();
    check(vec![
        ("/parameters", json!({"exposed": exposed(32), "hidden": hidden(32)}), &[]),
        ("/parameters", json!({"exposed": exposed(32), "hidden": hidden(33)}), &[("/parameters", "too_many")]),
        ("/parameters", json!(exposed(64)), &[]),
        ("/parameters", json!(exposed(65)), &[("/parameters", "too_many")]),
    ]);
}

#[test]
fn the_flat_list_points_into_itself() {
    check(vec![
        (
            "/parameters",
            json!([{"name": "a", "type": "x"}]),
            &[("/parameters/0/name", "malformed"), ("/parameters/0/type", "not_allowed")],
        ),
        (
            "/parameters",
            json!([{"name": "A", "type": "string"}, {"name": "A", "type": "string"}]),
            &[("/parameters/1/name", "duplicate")],
        ),
    ]);
}

#[test]
fn what_is_no_object_has_one_fault() {
    for value in [json!(null), json!([]), json!("x"), json!(1)] {
        let faults = Registration::parse(&value).unwrap_err().into_vec();
        assert_eq!(places(&faults), [("", "wrong_type")]);
    }
}

#[test]
fn faults_far_apart_are_found_together() {
    let mut document = good();
    for (pointer, value) in [
        ("/title", json!(7)),
        ("/parameters/exposed/1/pattern", json!("(")),
        ("/parameters/exposed/2/default", json!(99)),
        ("/parameters/hidden/1/name", json!("MODE")),
        ("/labels/tags", json!(["x", "x"])),
        ("/execution/timeout", json!("soon")),
        ("/extra", json!(1)),
    ] {
        put(&mut document, pointer, value);
    }
    let faults = Registration::parse(&document).unwrap_err().into_vec();
    let expected = [
        ("/title", "wrong_type"),
        ("/parameters/hidden/1/name", "parameter_conflict"),
        ("/parameters/exposed/1/pattern", "bad_pattern"),
        ("/parameters/exposed/2/default", "out_of_range"),
        ("/labels/tags/1", "duplicate"),
        ("/execution/timeout", "malformed"),
        ("/extra", "unknown_field"),
    ];
    assert_eq!(places(&faults), expected);
}
