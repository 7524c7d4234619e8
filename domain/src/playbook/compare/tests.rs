use serde_json::{Value, json};

use super::*;
use crate::playbook::Version;

fn registration(change: impl FnOnce(&mut Value)) -> Registration {
    let mut document = json!({
        "workflow_id": "oomkill", "version": "1.1.0", "title": "Scale down", "description": "When a node is full.",
        "container_image": "quay.io/kubernaut/oomkill:v1",
        "parameters": {
            "exposed": [
                {"name": "MODE", "type": "string", "required": true, "enum": ["scale", "drain"]},
                {"name": "REPLICAS", "type": "integer", "required": true, "minimum": 1, "maximum": 10},
                {"name": "NOTE", "type": "string", "pattern": "^[a-z]*$", "max_length": 40},
                {"name": "GRACE", "type": "integer", "default": 30},
                {"name": "FORCE", "type": "boolean", "depends_on": {"MODE": ["drain"]}},
            ],
            "hidden": [{"name": "ROUTE", "value": "scale_down"}],
        },
        "labels": {"signal_type": "OOMKilled", "tags": ["memory"]},
        "outputs": [{"name": "replicas", "type": "integer"}],
    });
    change(&mut document);
    Registration::parse(&document).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// What becomes of the registration by this change, as `subject: words` with how far it reaches.
fn told(change: impl FnOnce(&mut Value)) -> Vec<(Reach, String)> {
    let comparison = Comparison::of(&registration(|_| {}), &registration(change));
    comparison.alterations.into_iter().map(|a| (a.reach, format!("{}: {}", a.subject, a.words))).collect()
}

/// The reach of a change that is told in one line, which begins so.
#[track_caller]
fn one(begins: &str, change: impl FnOnce(&mut Value)) -> Reach {
    let told = told(change);
    let [(reach, words)] = told.as_slice() else { panic!("{told:#?}") };
    assert!(words.starts_with(begins), "{words}");
    *reach
}

fn set(pointer: &str, value: Value) -> impl FnOnce(&mut Value) {
    move |document| {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
            other => other[key] = value,
        }
    }
}

fn drop_key(pointer: &str) -> impl FnOnce(&mut Value) {
    move |document| {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Value::Array(items) => drop(items.remove(key.parse().unwrap())),
            other => drop(other.as_object_mut().unwrap().remove(key)),
        }
    }
}

fn push(pointer: &str, value: Value) -> impl FnOnce(&mut Value) {
    move |document| document.pointer_mut(pointer).unwrap().as_array_mut().unwrap().push(value)
}

const EXPOSED: &str = "/parameters/exposed";

#[test]
fn nothing_changed_is_nothing() {
    assert_eq!(told(|_| {}), []);
    assert_eq!(Comparison::default().reach(), None);
    // The version itself is no change.
    assert_eq!(told(set("/version", json!("2.0.0"))), []);
}

#[test]
fn what_a_stored_answer_may_trip_over_breaks() {
    use Reach::Breaking;
    let needed = json!({"name": "ZONE", "type": "string", "required": true});
    assert_eq!(one("ZONE: is new and needed:", push(EXPOSED, needed)), Breaking);
    let needed = json!({"name": "ZONE", "type": "string", "required": true, "depends_on": {"MODE": ["drain"]}});
    assert_eq!(one("ZONE: is new and needed where", push(EXPOSED, needed)), Breaking);
    assert_eq!(one("GRACE: is gone", drop_key("/parameters/exposed/3")), Breaking);
    assert_eq!(one("GRACE: is called PATIENCE now", set("/parameters/exposed/3/name", json!("PATIENCE"))), Breaking);
    assert_eq!(one("MODE: does not take \"scale\"", drop_key("/parameters/exposed/0/enum/0")), Breaking);
    assert_eq!(one("GRACE: takes only 30", set("/parameters/exposed/3/enum", json!([30]))), Breaking);
    assert_eq!(one("REPLICAS: least 2 instead of 1", set("/parameters/exposed/1/minimum", json!(2))), Breaking);
    assert_eq!(one("REPLICAS: most 9 instead of 10", set("/parameters/exposed/1/maximum", json!(9))), Breaking);
    assert_eq!(one("GRACE: most 60 instead of any", set("/parameters/exposed/3/maximum", json!(60))), Breaking);
    assert_eq!(one("NOTE: most characters 8", set("/parameters/exposed/2/max_length", json!(8))), Breaking);
    assert_eq!(one("NOTE: fewest characters 1", set("/parameters/exposed/2/min_length", json!(1))), Breaking);
    assert_eq!(one("NOTE: must match ^[a-z]+$", set("/parameters/exposed/2/pattern", json!("^[a-z]+$"))), Breaking);
    assert_eq!(one("NOTE: is needed", set("/parameters/exposed/2/required", json!(true))), Breaking);
    assert_eq!(one("GRACE: is 5 instead of 30", set("/parameters/exposed/3/default", json!(5))), Breaking);
    assert_eq!(one("GRACE: is nothing instead of 30", drop_key("/parameters/exposed/3/default")), Breaking);
    assert_eq!(one("NOTE: is \"x\" unless given: a run", set("/parameters/exposed/2/default", json!("x"))), Breaking);
    assert_eq!(one("FORCE: is string instead", set("/parameters/exposed/4/type", json!("string"))), Breaking);
    let fewer = json!({"MODE": ["drain"], "REPLICAS": [1]});
    assert_eq!(one("FORCE: is allowed in fewer", set("/parameters/exposed/4/depends_on", fewer)), Breaking);
    assert_eq!(one("ROUTE: hidden, was scale_down and", set("/parameters/hidden/0/value", json!("drain"))), Breaking);
    assert_eq!(one("ROUTE: hidden, is not set", drop_key("/parameters/hidden/0")), Breaking);
    assert_eq!(one("replicas: is not reported", drop_key("/outputs/0")), Breaking);
    assert_eq!(one("replicas: is reported as string", set("/outputs/0/type", json!("string"))), Breaking);
}

#[test]
fn what_only_allows_more_is_compatible() {
    use Reach::Compatible;
    let optional = json!({"name": "ZONE", "type": "string"});
    assert_eq!(one("ZONE: is new, and may be left out", push(EXPOSED, optional)), Compatible);
    let defaulted = json!({"name": "ZONE", "type": "string", "required": true, "default": "a"});
    assert_eq!(one("ZONE: is new: \"a\" unless given", push(EXPOSED, defaulted)), Compatible);
    assert_eq!(one("MODE: takes \"cordon\", too", push("/parameters/exposed/0/enum", json!("cordon"))), Compatible);
    assert_eq!(one("MODE: is not tied to a list", drop_key("/parameters/exposed/0/enum")), Compatible);
    assert_eq!(one("REPLICAS: least 0 instead of 1", set("/parameters/exposed/1/minimum", json!(0))), Compatible);
    assert_eq!(one("REPLICAS: most any instead of 10", drop_key("/parameters/exposed/1/maximum")), Compatible);
    assert_eq!(one("REPLICAS: takes fractions", set("/parameters/exposed/1/type", json!("number"))), Compatible);
    assert_eq!(one("NOTE: need not match", drop_key("/parameters/exposed/2/pattern")), Compatible);
    assert_eq!(one("NOTE: most characters 80", set("/parameters/exposed/2/max_length", json!(80))), Compatible);
    assert_eq!(one("REPLICAS: may be left out", set("/parameters/exposed/1/required", json!(false))), Compatible);
    assert_eq!(one("REPLICAS: is 2 unless given", set("/parameters/exposed/1/default", json!(2))), Compatible);
    assert_eq!(one("GRACE: is needed, and has its", set("/parameters/exposed/3/required", json!(true))), Compatible);
    assert_eq!(one("FORCE: is allowed in more", drop_key("/parameters/exposed/4/depends_on")), Compatible);
    assert_eq!(
        one("TOKEN: hidden, is new", push("/parameters/hidden", json!({"name": "TOKEN", "value": "x"}))),
        Compatible
    );
    assert_eq!(one("Signal: OOMKilled became *", set("/labels/signal_type", json!("*"))), Compatible);
    assert_eq!(one("Timeout: 10m became 5m", set("/execution", json!({"timeout": "5m"}))), Compatible);
    assert_eq!(one("Risk: none became high", set("/risk", json!("high"))), Compatible);
    assert_eq!(
        one("spare: is reported, too", push("/outputs", json!({"name": "spare", "type": "string"}))),
        Compatible
    );
    // The list settles it: whatever it holds was held against the new pattern when that was registered.
    assert_eq!(
        one("MODE: is held to other rules", set("/parameters/exposed/0/pattern", json!("^[a-z]+$"))),
        Compatible
    );
}

#[test]
fn what_only_people_read_is_a_patch() {
    use Reach::Patch;
    assert_eq!(one("Title: Scale down became Scale", set("/title", json!("Scale"))), Patch);
    assert_eq!(one("Description: says something else", set("/description", json!("When it burns."))), Patch);
    assert_eq!(one("MODE: is described", set("/parameters/exposed/0/description", json!("How"))), Patch);
    assert_eq!(one("Container image: quay.io/", set("/container_image", json!("quay.io/kubernaut/oomkill:v2"))), Patch);
    assert_eq!(one("Tags: new: oom", push("/labels/tags", json!("oom"))), Patch);
    assert_eq!(one("Steps: are", set("/internal_steps", json!(["Look"]))), Patch);
    let swapped = |document: &mut Value| document["parameters"]["exposed"].as_array_mut().unwrap().swap(0, 1);
    assert_eq!(one("Parameters: stand in another order", swapped), Patch);
}

#[test]
fn a_condition_that_grows_breaks_where_something_follows_from_it() {
    let dependent = |extra: Value| {
        move |document: &mut Value| {
            let mut parameter = json!({"name": "X", "type": "string", "depends_on": {"MODE": ["drain"]}});
            parameter.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            push(EXPOSED, parameter)(document);
        }
    };
    for (extra, reach) in [
        (json!({}), Reach::Compatible),
        (json!({"required": true}), Reach::Breaking),
        (json!({"default": "a"}), Reach::Breaking),
    ] {
        let old = registration(dependent(extra.clone()));
        let new = registration(|document| {
            dependent(extra.clone())(document);
            document["parameters"]["exposed"][5]["depends_on"]["MODE"] = json!(["scale", "drain"]);
        });
        assert_eq!(Comparison::of(&old, &new).reach(), Some(reach), "{extra}");
    }
}

#[test]
fn breaking_changes_come_first() {
    let told = told(|document| {
        document["title"] = json!("Other");
        document["parameters"]["exposed"][0]["enum"] = json!(["scale", "drain", "cordon"]);
        document["parameters"]["exposed"][1]["minimum"] = json!(3);
    });
    let reaches: Vec<_> = told.iter().map(|(reach, _)| *reach).collect();
    assert_eq!(reaches, [Reach::Breaking, Reach::Compatible, Reach::Patch]);
}

#[test]
fn the_version_follows_from_the_reach() {
    use Reach::{Breaking, Compatible, Patch};
    let version = |text: &str| text.parse::<Version>().unwrap();
    for (old, reach, taken, next) in [
        ("1.1.0", Patch, &[][..], "1.1.1"),
        ("1.1.4", Compatible, &[], "1.2.0"),
        ("1.1.0", Breaking, &[], "2.0.0"),
        ("0.3.1", Breaking, &[], "0.4.0"),
        ("0.3.1", Compatible, &[], "0.3.2"),
        ("1.1.0-rc.1", Breaking, &[], "1.1.0"),
        ("1.0.0", Compatible, &["1.1.0", "1.2.0", "2.0.0"], "1.3.0"),
        ("1.0.0-rc.1", Patch, &["1.0.0"], "1.0.1"),
        ("18446744073709551615.0.0", Breaking, &["18446744073709551615.0.0"], "18446744073709551615.0.0"),
    ] {
        let taken: Vec<_> = taken.iter().map(|text| version(text)).collect();
        assert_eq!(proposed(&version(old), reach, &taken).to_string(), next, "{old} {reach:?}");
    }
    for (new, reach, enough) in [
        ("1.1.1", Patch, true),
        ("1.1.1", Compatible, false),
        ("1.4.0", Compatible, true),
        ("1.2.0", Breaking, false),
        ("2.0.0", Breaking, true),
        ("2.0.0-rc.1", Breaking, true),
        ("1.2.0-rc.1", Breaking, false),
        ("1.0.9", Patch, false),
        ("1.1.0", Patch, false),
    ] {
        assert_eq!(says_enough(&version("1.1.0"), &version(new), reach), enough, "{new} {reach:?}");
    }
}
