//! The order of a pipeline's tasks: what must end before what, and what is wrong with it, in Tekton's words.
//! It knows no store.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::substitute::references;

/// For each task, what it waits for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    after: BTreeMap<String, BTreeSet<String>>,
}

pub(crate) fn name(task: &Value) -> &str {
    task["name"].as_str().unwrap_or_default()
}

/// What a task waits for: `runAfter`, and the tasks whose results it uses.
fn dependencies(task: &Value) -> Vec<String> {
    let named = task["runAfter"].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(Into::into));
    let used = references(task, "tasks.").into_iter().filter_map(|reference| {
        let (task, rest) = reference.split_once('.')?;
        rest.starts_with("results").then(|| task.to_owned())
    });
    named.chain(used).collect()
}

impl Graph {
    /// The faults are those of `dag.Build` in Tekton.
    pub(crate) fn build(tasks: &[Value]) -> Result<Self, String> {
        let mut after = BTreeMap::new();
        for task in tasks {
            if after.insert(name(task).to_owned(), BTreeSet::new()).is_some() {
                let name = name(task);
                return Err(format!(
                    "task {name} is already present in Graph, can't add it again: duplicate pipeline task"
                ));
            }
        }
        let mut graph = Self { after };
        for task in tasks {
            for wanted in dependencies(task) {
                graph.link(name(task), &wanted)?;
            }
        }
        match graph.cycle() {
            Some((task, on)) => Err(format!("cycle detected; task \"{task}\" depends on \"{on}\"")),
            None => Ok(graph),
        }
    }

    fn link(&mut self, task: &str, wanted: &str) -> Result<(), String> {
        if !self.after.contains_key(wanted) {
            return Err(format!(
                "couldn't add link between {task} and {wanted}: task {task} depends on {wanted} but {wanted} wasn't present in Pipeline"
            ));
        }
        self.after.entry(task.to_owned()).or_default().insert(wanted.to_owned());
        Ok(())
    }

    /// Takes away tasks that wait for nothing until none is left, or only a cycle.
    fn cycle(&self) -> Option<(String, String)> {
        let mut left = self.after.clone();
        loop {
            let free: Vec<String> =
                left.iter().filter(|(_, wanted)| wanted.is_empty()).map(|(task, _)| task.clone()).collect();
            if free.is_empty() {
                break;
            }
            for task in free {
                left.remove(&task);
                for wanted in left.values_mut() {
                    wanted.remove(&task);
                }
            }
        }
        let (task, wanted) = left.into_iter().next()?;
        let on = wanted.into_iter().next()?;
        Some((task, on))
    }

    pub(crate) fn after(&self, task: &str) -> impl Iterator<Item = &String> {
        self.after.get(task).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn build(tasks: &Value) -> Result<Graph, String> {
        Graph::build(tasks.as_array().unwrap())
    }

    #[test]
    fn order_comes_from_run_after_and_from_results() {
        let graph = build(&json!([{"name": "a"}, {"name": "b"},
            {"name": "c", "runAfter": ["a"], "params": [{"name": "x", "value": "$(tasks.b.results.y)"}]}]))
        .unwrap();
        assert_eq!(graph.after("c").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(graph.after("a").count(), 0);
    }

    #[test]
    fn faults_are_said_in_tekton_words() {
        let fault = |tasks| build(&tasks).unwrap_err();
        assert!(fault(json!([{"name": "a"}, {"name": "a"}])).contains("already present in Graph"));
        assert_eq!(
            fault(json!([{"name": "a", "runAfter": ["nowhere"]}])),
            "couldn't add link between a and nowhere: task a depends on nowhere but nowhere wasn't present in Pipeline"
        );
        assert_eq!(
            fault(json!([{"name": "a", "runAfter": ["b"]}, {"name": "b", "runAfter": ["a"]}])),
            "cycle detected; task \"a\" depends on \"b\""
        );
    }
}
