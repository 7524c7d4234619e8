//! `$(…)` in any text of a spec, one round at a time: what a round does not know it leaves for the next, which is how
//! values come to be rewritten twice. It knows no objects.

use std::collections::BTreeMap;

use serde_json::Value;

/// Variables of one round: `params.x`, `context.taskRun.name`, `tasks.a.results.b`, …
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables(BTreeMap<String, Value>);

impl Variables {
    pub(crate) fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// A parameter in the three ways in which it can be written.
    pub(crate) fn set_param(&mut self, name: &str, value: &Value) {
        for form in [format!("params.{name}"), format!("params['{name}']"), format!("params[\"{name}\"]")] {
            self.set(form, value.clone());
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Array(_) | Value::Object(_) | Value::Null => None,
            scalar => Some(scalar.to_string()),
        }
    }

    /// Replaces in every text below `value`.
    pub(crate) fn apply(&self, value: &mut Value) {
        match value {
            Value::String(text) if text.contains("$(") => *text = self.replace(text),
            Value::Array(items) => self.apply_items(items),
            Value::Object(map) => map.values_mut().for_each(|value| self.apply(value)),
            _ => {}
        }
    }

    /// `$(params.list[*])` alone in a list stands for all its items.
    fn apply_items(&self, items: &mut Vec<Value>) {
        let mut out = Vec::with_capacity(items.len());
        for mut item in std::mem::take(items) {
            let star = item.as_str().and_then(|text| text.strip_prefix("$(")?.strip_suffix("[*])"));
            if let Some(Value::Array(list)) = star.and_then(|name| self.0.get(name)) {
                out.extend(list.iter().cloned());
            } else {
                self.apply(&mut item);
                out.push(item);
            }
        }
        *items = out;
    }

    fn replace(&self, text: &str) -> String {
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some((before, after)) = rest.split_once("$(") {
            out.push_str(before);
            let known = after.split_once(')').and_then(|(name, tail)| Some((self.text(name)?, tail)));
            if let Some((value, tail)) = known {
                out.push_str(&value);
                rest = tail;
            } else {
                out.push_str("$(");
                rest = after;
            }
        }
        out.push_str(rest);
        out
    }
}

/// Names after `prefix` in all `$(…)` below `value`: with `tasks.`, the tasks whose results or status are used.
pub(crate) fn references(value: &Value, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, prefix, &mut found);
    found
}

fn collect(value: &Value, prefix: &str, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            for part in text.split("$(").skip(1) {
                if let Some(name) = part.split(')').next().and_then(|inner| inner.strip_prefix(prefix)) {
                    found.push(name.to_owned());
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, prefix, found)),
        Value::Object(map) => map.values().for_each(|value| collect(value, prefix, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_round_replaces_what_it_knows() {
        let mut variables = Variables::default();
        variables.set_param("image", &json!("busybox"));
        variables.set_param("list", &json!(["a", "b"]));
        variables.set("context.taskRun.name", "run");
        let mut spec = json!({"image": "$(params.image)", "args": ["x", "$(params.list[*])", "$(params['image'])-$(unknown)"],
            "env": [{"value": "$(context.taskRun.name) $$(HOME) $(params.image"}]});
        variables.apply(&mut spec);
        assert_eq!(
            spec,
            json!({"image": "busybox", "args": ["x", "a", "b", "busybox-$(unknown)"],
                "env": [{"value": "run $$(HOME) $(params.image"}]})
        );
    }

    #[test]
    fn references_are_found_wherever_they_stand() {
        let task = json!({"params": [{"value": "$(tasks.a.results.x)/$(tasks.b.results.y)"}], "when": [{"input": "$(tasks.c.status)"}]});
        assert_eq!(references(&task, "tasks."), ["a.results.x", "b.results.y", "c.status"]);
    }
}
