//! What holds for any input: nothing panics, and what was registered can be used.

use std::collections::BTreeMap;

use domain::playbook::values::{merge, validate};
use domain::playbook::{Comparison, Reach, Registration, schema};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{put, sent};

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop_oneof![
        Just("name"),
        Just("type"),
        Just("enum"),
        Just("string"),
        Just("integer"),
        Just("default"),
        Just("depends_on"),
        Just("value"),
        Just("exposed"),
        Just("hidden"),
        Just("A"),
        Just("secret_ref"),
        Just("pattern"),
        Just("minimum"),
        Just("maximum"),
        Just("parameters"),
        Just("labels"),
        Just("tags"),
        Just("execution"),
        Just("workflow_id"),
        Just("10m"),
        Just("REMEDIATION_ACTION"),
    ]
    .prop_map(str::to_owned);
    let text = prop_oneof![3 => words, 1 => any::<String>(), 1 => "\\PC{0,8}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(text.clone(), inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A valid parameter of any type, with values that fit it.
#[derive(Debug, Clone)]
struct Case {
    parameter: Value,
    good: Vec<Value>,
}

fn parameter() -> impl Strategy<Value = Case> {
    let case = |parameter: Value, good: Vec<Value>| Case { parameter, good };
    let bounded = (-1000_i64..1000, 0_i64..1000, prop::collection::vec(any::<prop::sample::Index>(), 1..4)).prop_map(
        move |(least, span, picks)| {
            let good = picks
                .iter()
                .map(|pick| json!(least + i64::try_from(pick.index(usize::try_from(span).unwrap() + 1)).unwrap()));
            case(json!({"type": "integer", "minimum": least, "maximum": least + span}), good.collect())
        },
    );
    let free_integer = (-9_007_199_254_740_991_i64..=9_007_199_254_740_991)
        .prop_map(move |number| case(json!({"type": "integer"}), vec![json!(number)]));
    let number = (-1e6..1e6_f64, 0.0..1e6_f64).prop_map(move |(least, span)| {
        let good = vec![json!(least), json!(least + span), json!(least + span / 2.0)];
        case(json!({"type": "number", "minimum": least, "maximum": least + span}), good)
    });
    let boolean = Just(()).prop_map(move |()| case(json!({"type": "boolean"}), vec![json!(true), json!(false)]));
    let pattern = ("[a-z]{3,8}", "[a-z]{3,8}").prop_map(move |(one, other)| {
        case(
            json!({"type": "string", "pattern": "^[a-z]+$", "min_length": 3, "max_length": 8}),
            vec![json!(one), json!(other)],
        )
    });
    let words = prop::collection::btree_set("[A-Za-z0-9 ._-]{0,12}", 1..5).prop_map(move |words| {
        case(json!({"type": "string", "enum": words}), words.iter().map(|word| json!(word)).collect())
    });
    prop_oneof![bounded, free_integer, number, boolean, pattern, words]
}

/// Parameters of which each may depend on earlier ones, and a way to fill them.
fn registration() -> impl Strategy<Value = (Value, Map<String, Value>)> {
    let entry = (
        parameter(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        prop::option::of(any::<prop::sample::Index>()),
        any::<prop::sample::Index>(),
    );
    prop::collection::vec(entry, 0..8).prop_map(|entries| {
        let mut declared: Vec<Value> = Vec::new();
        let mut goods: Vec<Vec<Value>> = Vec::new();
        // What a run would get; the rules of depends_on, told once more and more simply than in the code under test.
        let mut effective: BTreeMap<String, Value> = BTreeMap::new();
        let mut given = Map::new();
        for (index, (case, required, with_default, give, on, pick)) in entries.into_iter().enumerate() {
            let name = format!("P{index}");
            let mut parameter = case.parameter;
            parameter["name"] = json!(name);
            parameter["required"] = json!(required);
            let value = case.good[pick.index(case.good.len())].clone();
            if with_default {
                parameter["default"] = value.clone();
            }
            let mut allowed = true;
            if let (Some(on), false) = (on, goods.is_empty()) {
                let other = on.index(goods.len());
                let wanted = goods[other][0].clone();
                allowed = effective.get(&format!("P{other}")).is_some_and(|value| same(value, &wanted));
                parameter["depends_on"] = json!({format!("P{other}"): [wanted]});
            }
            if allowed && (give || (required && !with_default)) {
                given.insert(name.clone(), value.clone());
                effective.insert(name, value);
            } else if allowed && with_default {
                effective.insert(name, value);
            }
            declared.push(parameter);
            goods.push(case.good);
        }
        let mut registration = sent("hidden-oomkill-scale-down");
        put(&mut registration, "/parameters/exposed", Value::from(declared));
        (registration, given)
    })
}

/// Equal as JSON Schema has it.
fn same(left: &Value, right: &Value) -> bool {
    left == right || (left.is_number() && left.as_f64() == right.as_f64())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parsing_never_panics(value in any_json()) {
        if let Err(faults) = Registration::parse(&value) {
            prop_assert!(!faults.is_empty());
        }
    }

    #[test]
    fn parsing_never_panics_deep_inside(place in any::<prop::sample::Index>(), value in any_json()) {
        let mut document = sent("oomkill-cost-optimized");
        document["parameters"] = json!({"exposed": document["parameters"], "hidden": [{"name": "H", "value": "x"}]});
        let places = [
            "/workflow_id", "/version", "/container_image", "/parameters", "/parameters/exposed", "/parameters/exposed/0", "/parameters/exposed/4/depends_on",
            "/parameters/exposed/4/default", "/parameters/exposed/5/pattern", "/parameters/exposed/3/enum", "/parameters/exposed/4/minimum",
            "/parameters/exposed/3/name", "/parameters/hidden/0", "/parameters/hidden/0/value", "/labels", "/execution", "/execution/timeout", "/outputs",
        ];
        let pointer = places[place.index(places.len())];
        put(&mut document, pointer, value);
        match Registration::parse(&document) {
            // Every fault points at something that was sent, or at a member of something that was sent.
            Err(faults) => for fault in faults {
                let parent = fault.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
                prop_assert!(document.pointer(&fault.pointer).or_else(|| document.pointer(parent)).is_some(), "{fault}");
            },
            Ok(registration) => {
                let written = serde_json::to_value(&registration).unwrap();
                prop_assert_eq!(Registration::parse(&written).map_err(domain::fault::Faults::into_vec), Ok(registration));
            }
        }
    }

    #[test]
    fn patterns_never_panic(pattern in "[\\\\a-z\\[\\]()?*+{}|^$.,0-9&~-]{0,24}") {
        let mut document = sent("oomkill-cost-optimized");
        put(&mut document, "/parameters/1/pattern", json!(pattern));
        let _ = Registration::parse(&document);
    }

    #[test]
    fn judging_never_panics(value in any_json()) {
        let registration = crate::seed("oomkill-cost-optimized");
        let mut given = value.as_object().cloned().unwrap_or_default();
        given.insert("REMEDIATION_ACTION".into(), value);
        prop_assert!(validate(&registration, &given).is_err());
    }

    #[test]
    fn what_is_registered_can_be_filled((document, given) in registration()) {
        let registration = Registration::parse(&document);
        // Two parameters may ask for different values of a third: that is refused, and nothing else is.
        let registration = match registration {
            Err(faults) => {
                prop_assert!(faults.as_slice().iter().all(|fault| fault.code == "contradiction"), "{:#?}", faults.into_vec());
                return Ok(());
            }
            Ok(registration) => registration,
        };
        let bound = validate(&registration, &given).map_err(|faults| TestCaseError::fail(format!("{faults:#?}")))?;
        let shown = jsonschema::draft202012::new(&schema::json_schema(&registration)).unwrap();
        prop_assert!(shown.is_valid(&Value::Object(given.clone())));
        prop_assert!(given.keys().all(|name| bound.iter().any(|bound| bound.name.as_str() == name)));
        let merged = merge(&registration, &bound, &std::collections::BTreeSet::new()).unwrap();
        prop_assert_eq!(merged.len(), bound.len() + 1);
    }

    #[test]
    fn schema_and_judge_agree_on_what_is_allowed((document, given) in registration(), drop in any::<prop::sample::Index>(), swap in any_json()) {
        let Ok(registration) = Registration::parse(&document) else { return Ok(()) };
        let mut given = given;
        let names: Vec<_> = (0..8).map(|index| format!("P{index}")).collect();
        let name = &names[drop.index(names.len())];
        if given.remove(name).is_none() {
            given.insert(name.clone(), swap);
        }
        let shown = jsonschema::draft202012::new(&schema::json_schema(&registration)).unwrap();
        let judged = validate(&registration, &given);
        // The judge is stricter only in what JSON Schema cannot say: text rules and the range of whole numbers.
        if let Err(faults) = &judged && shown.is_valid(&Value::Object(given.clone())) {
            let beyond = ["control_character", "bidi_control", "substitution", "too_long", "out_of_range"];
            prop_assert!(faults.iter().all(|fault| beyond.contains(&fault.code.as_ref())), "{given:?} {faults:#?}");
        }
        prop_assert!(judged.is_err() || shown.is_valid(&Value::Object(given)));
    }
}

/// Something that an author might do to a parameter, or to the list of them.
fn mutate(parameters: &mut Vec<Value>, how: u8, at: prop::sample::Index, fresh: &Case, spare: bool) {
    if how == 0 || parameters.is_empty() {
        let mut parameter = fresh.parameter.clone();
        parameter["name"] = json!("NEW");
        parameter["required"] = json!(spare);
        if how == 0 && spare {
            parameter["default"] = fresh.good[0].clone();
        }
        parameters.insert(at.index(parameters.len() + 1), parameter);
        return;
    }
    let place = at.index(parameters.len());
    let parameter = parameters[place].as_object_mut().unwrap();
    let number = |parameter: &Map<String, Value>, name: &str| parameter.get(name).and_then(Value::as_f64);
    match how {
        1 => drop(parameters.remove(place)),
        2 => drop(parameter.insert("required".into(), json!(spare))),
        3 => drop(parameter.remove("default")),
        4 => {
            let values = parameter.get("enum").and_then(Value::as_array).cloned().unwrap_or_default();
            if let Some(value) = values.last() {
                parameter.insert("default".into(), value.clone());
            }
        }
        5 => drop(parameter.remove("depends_on")),
        6 => {
            for (name, by) in [("minimum", -1.0), ("maximum", 1.0)] {
                if let Some(bound) = number(parameter, name) {
                    parameter.insert(name.into(), json!(bound + if spare { by } else { -by }));
                }
            }
        }
        7 => {
            if let Some(values) = parameter.get_mut("enum").and_then(Value::as_array_mut) {
                if spare {
                    values.push(json!("one more"));
                } else if values.len() > 1 {
                    values.pop();
                }
            }
        }
        8 => {
            for name in ["pattern", "min_length", "max_length", "enum", "minimum"] {
                parameter.remove(name);
            }
        }
        9 if parameter["type"] == "integer" => drop(parameter.insert("type".into(), json!("number"))),
        _ => {
            if let Some(conditions) = parameter.get_mut("depends_on").and_then(Value::as_object_mut)
                && let Some(values) = conditions.values_mut().next().and_then(Value::as_array_mut)
            {
                values.push(fresh.good[0].clone());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_valid_stays_valid_after_a_compatible_change(
        (document, given) in registration(),
        steps in prop::collection::vec((0_u8..11, any::<prop::sample::Index>(), parameter(), any::<bool>()), 1..4),
    ) {
        let Ok(old) = Registration::parse(&document) else { return Ok(()) };
        let mut changed = document;
        let parameters = changed["parameters"]["exposed"].as_array_mut().unwrap();
        for (how, at, fresh, spare) in &steps {
            mutate(parameters, *how, *at, fresh, *spare);
        }
        let Ok(new) = Registration::parse(&changed) else { return Ok(()) };
        let comparison = Comparison::of(&old, &new);
        prop_assert_eq!(comparison.reach().is_none(), old == new);
        if comparison.reach() < Some(Reach::Breaking) {
            prop_assert!(validate(&old, &given).is_ok());
            let after = validate(&new, &given);
            prop_assert!(after.is_ok(), "{:#?}\n{:#?}", comparison, after);
        }
    }
}
