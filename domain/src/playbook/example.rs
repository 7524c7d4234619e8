//! Values to show what a playbook is told: for each exposed parameter one that the registration itself offers, else a
//! placeholder with its name. They are for looking at, not for running.

use std::collections::BTreeMap;

use serde_json::{Number, Value, json};

use super::parameter::{Parameter, ParameterType};
use super::values::{Bound, BoundSource};
use super::{Registration, scalar};

/// A value for each parameter that would be told, in registration order.
pub fn values(registration: &Registration) -> Vec<Bound> {
    let exposed = &registration.parameters.exposed;
    let all: BTreeMap<&str, Value> = exposed.iter().map(|p| (p.name.as_str(), value(p))).collect();
    let told = exposed.iter().filter(|parameter| {
        parameter.depends_on.iter().all(|(name, values)| all.get(name.as_str()).is_some_and(|v| values.contains(v)))
    });
    told.map(|parameter| {
        let is_default = parameter.default.is_some();
        Bound {
            name: parameter.name.clone(),
            value: all.get(parameter.name.as_str()).map(scalar::written).unwrap_or_default(),
            source: if is_default { BoundSource::Default } else { BoundSource::Given },
        }
    })
    .collect()
}

fn value(parameter: &Parameter) -> Value {
    let offered = parameter.default.as_ref().or(parameter.examples.first()).or(parameter.allowed.first());
    if let Some(offered) = offered {
        return offered.clone();
    }
    let number = |number: &Option<Number>| number.clone().map(Value::Number);
    match parameter.kind {
        ParameterType::String => json!(format!("<{}>", parameter.name.as_str().to_lowercase().replace('_', " "))),
        ParameterType::Boolean => json!(true),
        ParameterType::Integer | ParameterType::Number => {
            number(&parameter.minimum).or_else(|| number(&parameter.maximum)).unwrap_or_else(|| json!(1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_registration_offers_comes_first() {
        let registration: Registration = serde_json::from_value(json!({
            "workflow_id": "a", "version": "1.0.0", "title": "A", "description": "A", "container_image": "quay.io/a/b:c",
            "parameters": {"exposed": [
                {"name": "MODE", "type": "string", "enum": ["scale", "drain"]},
                {"name": "TARGET_NAMESPACE", "type": "string", "pattern": "^[a-z]+$"},
                {"name": "REPLICAS", "type": "integer", "minimum": 2, "depends_on": {"MODE": ["scale"]}},
                {"name": "FORCE", "type": "boolean", "depends_on": {"MODE": ["drain"]}},
                {"name": "GRACE", "type": "number", "default": 1.5, "examples": [7]},
            ]},
        }))
        .unwrap();
        let told: Vec<_> = values(&registration).into_iter().map(|b| format!("{}={}", b.name, b.value)).collect();
        assert_eq!(told, ["MODE=scale", "TARGET_NAMESPACE=<target namespace>", "REPLICAS=2", "GRACE=1.5"]);
    }
}
