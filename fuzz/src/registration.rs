//! A playbook's registration: whatever is taken can be written and read again, shows a model nothing that is hidden, and judges values so that
//! none gets through that something later would expand.

use crate::{Came, document, kind, refused};
use domain::{
    playbook::{Registration, schema, values},
    text::check_value,
};
use serde_json::Value;
use std::collections::BTreeSet;

pub const SEEDS: &[&[u8]] = &[
    include_bytes!("../../domain/tests/seeds/hidden-oomkill-scale-down.json"),
    include_bytes!("../../domain/tests/seeds/hidden-oomkill-optimize-application.json"),
    include_bytes!("../../domain/tests/seeds/oomkill-cost-optimized.json"),
];

pub fn run(input: &[u8]) -> Came {
    let document = match document(input) {
        Ok(document) => document,
        Err(came) => return came,
    };
    let registration = match Registration::parse(&document) {
        Ok(registration) => registration,
        Err(faults) => return refused(&document, faults.as_slice()),
    };
    let written = serde_json::to_value(&registration).expect("plain data");
    match Registration::parse(&written) {
        Ok(again) => assert_eq!(again, registration, "what is read again is the same"),
        Err(faults) => panic!("what was taken is refused when it is read again: {:?}", faults.as_slice()),
    }
    let shown = schema::json_schema(&registration);
    for hidden in &registration.parameters.hidden {
        assert!(registration.exposed(hidden.name.as_str()).is_none(), "{} is both", hidden.name);
        assert!(shown["properties"].get(hidden.name.as_str()).is_none(), "{} is shown to a model", hidden.name);
    }
    let for_model = registration.for_model();
    assert!(for_model.parameters.hidden.is_empty() && for_model.internal_steps.is_empty());
    // The same document as an answer to it, and its own examples and defaults.
    let given = document.as_object().cloned().unwrap_or_default();
    let examples = registration.parameters.exposed.iter().filter_map(|parameter| {
        let example = serde_json::to_value(parameter).ok()?;
        let value = example["examples"].get(0).or(example.get("default")).or(example["enum"].get(0))?.clone();
        Some((parameter.name.to_string(), value))
    });
    let mut taken = 0;
    for given in [given, examples.collect()] {
        if let Ok(bound) = values::validate(&registration, &given) {
            for value in &bound {
                assert!(check_value(&value.value).is_ok(), "{value:?} got through");
            }
            let merged = values::merge(&registration, &bound, &BTreeSet::new()).expect("what was judged can be merged");
            assert_eq!(merged.len(), bound.len() + registration.parameters.hidden.len());
            taken += 1;
        }
    }
    let has = |member: &str| document.get(member).is_some_and(|value| *value != Value::Null);
    Came::Taken(kind((taken, registration.parameters.exposed.len(), has("labels"), has("outputs"))))
}
