//! The disruption controller, as far as readers need it: how many pods of a budget may be taken away now. It evicts nothing.

use serde_json::{Value, json};

use crate::api::{Api, Object};

const BUDGETS: &str = "poddisruptionbudgets.policy";

/// Counts anew for every budget of a namespace.
pub(super) fn count(api: &Api, namespace: &str) {
    for budget in api.list(BUDGETS, Some(namespace)) {
        let value = budget.value();
        let pods = api.list("pods", Some(namespace));
        let selected: Vec<Value> = pods.iter().filter(|pod| selects(&value, pod)).map(|pod| pod.value()).collect();
        let healthy = selected.iter().filter(|pod| ready(pod)).count();
        let expected = selected.len();
        let desired = desired(&value["spec"], expected);
        let generation = value["metadata"]["generation"].clone();
        api.modify(BUDGETS, &budget.key, |budget| {
            budget["status"] = json!({
                "observedGeneration": generation, "currentHealthy": healthy, "desiredHealthy": desired,
                "disruptionsAllowed": healthy.saturating_sub(desired), "expectedPods": expected,
            });
        });
    }
}

fn selects(budget: &Value, pod: &Object) -> bool {
    let wanted = budget["spec"]["selector"]["matchLabels"].as_object();
    !pod.deleting
        && wanted
            .is_some_and(|wanted| wanted.iter().all(|(name, value)| pod.labels.get(name).is_some_and(|v| value == v)))
}

fn ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.is_some_and(|list| list.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"))
}

/// Pods that must stay, of so many: a number, or a percentage rounded up.
fn desired(spec: &Value, expected: usize) -> usize {
    let amount = |of: &Value| match of {
        Value::Number(number) => number.as_u64().and_then(|n| usize::try_from(n).ok()),
        Value::String(text) => {
            text.strip_suffix('%')?.parse::<usize>().ok().map(|percent| (expected * percent).div_ceil(100))
        }
        _ => None,
    };
    amount(&spec["minAvailable"])
        .or_else(|| amount(&spec["maxUnavailable"]).map(|most| expected.saturating_sub(most)))
        .unwrap_or(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_wants_a_number_or_a_share() {
        for (spec, wanted) in [
            (json!({"minAvailable": 2}), 2),
            (json!({"minAvailable": "50%"}), 3),
            (json!({"maxUnavailable": 1}), 4),
            (json!({"maxUnavailable": 9}), 0),
            (json!({}), 5),
        ] {
            assert_eq!(desired(&spec, 5), wanted, "{spec}");
        }
    }
}
