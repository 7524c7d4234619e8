//! What can be wrong with a list of tasks, and how it is found.

use std::collections::{HashMap, HashSet, VecDeque};

/// Names less similar than this (Jaro-Winkler, 0 to 1) are no help as a suggestion.
const SIMILAR: f64 = 0.7;

/// Beyond so many faults no nearest name is looked for: it takes the product of faults and tasks.
const HELPED: usize = 50;

/// One thing wrong with a list of tasks. The message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DagFault {
    /// Two tasks of one name.
    #[error("the name \"{name}\" is used twice; give each task its own name")]
    DuplicateTask {
        /// The later task.
        task: usize,
        /// Their name.
        name: String,
        /// The task that had the name first.
        first: usize,
    },
    /// Runs after a task that is not there.
    #[error("\"{task_name}\" runs after \"{name}\", but there is no such task{}", suggestion(nearest.as_deref()))]
    UnknownTask {
        /// The task that refers.
        task: usize,
        /// Its name.
        task_name: String,
        /// Which of its references, from 0.
        reference: usize,
        /// The name that is not there.
        name: String,
        /// The name that may have been meant.
        nearest: Option<String>,
    },
    /// Runs after itself.
    #[error("\"{name}\" runs after itself; remove the reference")]
    SelfReference {
        /// The task.
        task: usize,
        /// Which of its references, from 0.
        reference: usize,
        /// Its name.
        name: String,
    },
    /// Names the same task twice.
    #[error("\"{task_name}\" names \"{name}\" twice; keep one of them")]
    RepeatedReference {
        /// The task that refers.
        task: usize,
        /// Its name.
        task_name: String,
        /// Which of its references is the repetition, from 0.
        reference: usize,
        /// The name that stands there twice.
        name: String,
    },
    /// Tasks that wait for each other: each runs after the one before it, and the first after the last.
    #[error("these tasks wait for each other: {}; remove one of the references", ring(names))]
    Cycle {
        /// The tasks, from the lowest number on.
        tasks: Vec<usize>,
        /// Their names.
        names: Vec<String>,
    },
}

impl DagFault {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DuplicateTask { .. } => "dag_duplicate_task",
            Self::UnknownTask { .. } => "dag_unknown_task",
            Self::SelfReference { .. } => "dag_self_reference",
            Self::RepeatedReference { .. } => "dag_repeated_reference",
            Self::Cycle { .. } => "dag_cycle",
        }
    }

    /// The task the fault is shown at, and which of its references it is about, both from 0.
    pub fn place(&self) -> (usize, Option<usize>) {
        match self {
            Self::DuplicateTask { task, .. } => (*task, None),
            Self::UnknownTask { task, reference, .. }
            | Self::SelfReference { task, reference, .. }
            | Self::RepeatedReference { task, reference, .. } => (*task, Some(*reference)),
            Self::Cycle { tasks, .. } => (tasks.first().copied().unwrap_or(0), None),
        }
    }
}

fn suggestion(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!("; did you mean \"{name}\"?"),
        None => "; add the task or remove the reference".to_owned(),
    }
}

fn ring(names: &[String]) -> String {
    names.iter().chain(names.first()).map(String::as_str).collect::<Vec<_>>().join(" → ")
}

/// Resolves what one task runs after into `predecessors`, leaving out what is faulty.
pub(super) fn check_references<N: AsRef<str>, L, R: AsRef<str>>(
    task: usize,
    tasks: &[(N, L)],
    run_after: &[R],
    index: &HashMap<String, usize>,
    predecessors: &mut Vec<usize>,
    faults: &mut Vec<DagFault>,
) {
    let task_name = tasks[task].0.as_ref();
    let mut seen = HashSet::new();
    for (reference, name) in run_after.iter().map(AsRef::as_ref).enumerate() {
        let fault = if !seen.insert(name) {
            DagFault::RepeatedReference { task, task_name: task_name.into(), reference, name: name.into() }
        } else if name == task_name {
            DagFault::SelfReference { task, reference, name: name.into() }
        } else if let Some(&predecessor) = index.get(name) {
            predecessors.push(predecessor);
            continue;
        } else {
            let others = tasks.iter().map(|(name, _)| name.as_ref()).filter(|n| *n != task_name);
            let nearest = if faults.len() < HELPED { nearest(name, others) } else { None };
            DagFault::UnknownTask { task, task_name: task_name.into(), reference, name: name.into(), nearest }
        };
        faults.push(fault);
    }
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let scored = known.map(|candidate| (strsim::jaro_winkler(name, candidate), candidate));
    // `reduce` with `>` keeps the first of equally near ones.
    let best = scored.filter(|(score, _)| *score >= SIMILAR).reduce(|a, b| if b.0 > a.0 { b } else { a });
    best.map(|(_, candidate)| candidate.to_owned())
}

/// One shortest cycle through the lowest task of each group of tasks that wait for each other.
pub(super) fn cycles(successors: &[Vec<usize>], predecessors: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let group = groups(successors, predecessors);
    let mut done = HashSet::new();
    let firsts = (0..successors.len()).filter(|&task| done.insert(group[task]));
    firsts.filter_map(|task| shortest_cycle(task, successors, &group)).collect()
}

/// Which strongly connected component each task is in: Kosaraju's algorithm, without recursion.
fn groups(successors: &[Vec<usize>], predecessors: &[Vec<usize>]) -> Vec<usize> {
    let mut finished = Vec::with_capacity(successors.len());
    let mut visited = vec![false; successors.len()];
    for root in 0..successors.len() {
        let mut stack = Vec::new();
        if !std::mem::replace(&mut visited[root], true) {
            stack.push((root, 0));
        }
        while let Some((task, next)) = stack.last_mut() {
            if let Some(&s) = successors[*task].get(*next) {
                *next += 1;
                if !std::mem::replace(&mut visited[s], true) {
                    stack.push((s, 0));
                }
            } else {
                finished.push(*task);
                stack.pop();
            }
        }
    }
    let mut group = vec![usize::MAX; successors.len()];
    for &root in finished.iter().rev() {
        let mut stack = vec![root];
        while let Some(task) = stack.pop() {
            if group[task] == usize::MAX {
                group[task] = root;
                stack.extend(&predecessors[task]);
            }
        }
    }
    group
}

/// The shortest way from `start` back to itself within its group, beginning with `start`.
fn shortest_cycle(start: usize, successors: &[Vec<usize>], group: &[usize]) -> Option<Vec<usize>> {
    let mut came_from: HashMap<usize, usize> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(task) = queue.pop_front() {
        for &s in successors[task].iter().filter(|&&s| group[s] == group[start]) {
            if s == start {
                let mut cycle: Vec<usize> = std::iter::successors(Some(task), |t| came_from.get(t).copied()).collect();
                cycle.reverse();
                return Some(cycle);
            }
            if let std::collections::hash_map::Entry::Vacant(entry) = came_from.entry(s) {
                entry.insert(task);
                queue.push_back(s);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::Dag;
    use super::*;

    fn faults(tasks: &[(&str, &[&str])]) -> Vec<DagFault> {
        Dag::new(tasks).unwrap_err()
    }

    #[test]
    fn finds_every_fault_in_one_pass() {
        let found = faults(&[
            ("restart-pods", &["restart-pods"]),
            ("scale", &["restart-pod", "nothing-like-it"]),
            ("scale", &["restart-pods", "restart-pods"]),
            ("a", &["b"]),
            ("b", &["a"]),
        ]);
        let places: Vec<_> = found.iter().map(|fault| (fault.code(), fault.place())).collect();
        assert_eq!(
            places,
            [
                ("dag_duplicate_task", (2, None)),
                ("dag_self_reference", (0, Some(0))),
                ("dag_unknown_task", (1, Some(0))),
                ("dag_unknown_task", (1, Some(1))),
                ("dag_repeated_reference", (2, Some(1))),
                ("dag_cycle", (3, None)),
            ]
        );
        let messages: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            messages[2],
            "\"scale\" runs after \"restart-pod\", but there is no such task; did you mean \"restart-pods\"?"
        );
        assert_eq!(
            messages[3],
            "\"scale\" runs after \"nothing-like-it\", but there is no such task; add the task or remove the reference"
        );
        assert_eq!(messages[5], "these tasks wait for each other: a → b → a; remove one of the references");
    }

    #[test]
    fn names_a_cycle_in_running_order() {
        let found = faults(&[("start", &[]), ("c", &["b"]), ("a", &["c", "start"]), ("b", &["a"]), ("end", &["b"])]);
        let names = ["c", "a", "b"].map(str::to_owned).to_vec();
        assert_eq!(found, [DagFault::Cycle { tasks: vec![1, 2, 3], names }]);
    }

    #[test]
    fn names_one_shortest_cycle_for_each_group() {
        let found =
            faults(&[("a", &["b", "d"]), ("b", &["a"]), ("c", &["b"]), ("d", &["c"]), ("x", &["y"]), ("y", &["x"])]);
        let cycles: Vec<_> = found.iter().map(DagFault::place).collect();
        assert_eq!(cycles, [(0, None), (4, None)]);
        assert!(matches!(&found[0], DagFault::Cycle { tasks, .. } if *tasks == [0, 1]));
    }

    #[test]
    fn a_long_cycle_does_not_exhaust_the_stack() {
        let n = 50_000;
        let names: Vec<String> = (0..n).map(|i| format!("t{i}")).collect();
        let tasks: Vec<(&str, [&str; 1])> =
            (0..n).map(|i| (names[i].as_str(), [names[(i + n - 1) % n].as_str()])).collect();
        let found = Dag::new(&tasks).unwrap_err();
        assert!(matches!(&found[..], [DagFault::Cycle { tasks, .. }] if tasks.len() == n));
    }
}
