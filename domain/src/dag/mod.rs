//! Tasks and what they run after: a directed acyclic graph that is proven to be one when it is made.
//!
//! Knows names and order only: not what a task does, how it went, or where it is drawn. Tasks are numbered from 0 in
//! the order in which they were given; everything that could be ordered in several ways goes by these numbers.

mod fault;
pub mod fold;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

pub use fault::DagFault;

/// The tasks of one run and their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dag {
    names: Vec<String>,
    index: HashMap<String, usize>,
    predecessors: Vec<Vec<usize>>,
    successors: Vec<Vec<usize>>,
    order: Vec<usize>,
}

impl Dag {
    /// From pairs of a name and the names it runs after (`runAfter` in Tekton). Every fault is found in one pass; of
    /// tasks that wait for each other in several ways, one shortest cycle is named.
    pub fn new<N, L, R>(tasks: &[(N, L)]) -> Result<Self, Vec<DagFault>>
    where
        N: AsRef<str>,
        L: AsRef<[R]>,
        R: AsRef<str>,
    {
        let mut faults = Vec::new();
        let mut index = HashMap::with_capacity(tasks.len());
        for (task, (name, _)) in tasks.iter().enumerate() {
            let first = *index.entry(name.as_ref().to_owned()).or_insert(task);
            if first != task {
                faults.push(DagFault::DuplicateTask { task, name: name.as_ref().to_owned(), first });
            }
        }
        let mut predecessors = vec![Vec::new(); tasks.len()];
        for (task, (_, run_after)) in tasks.iter().enumerate() {
            fault::check_references(task, tasks, run_after.as_ref(), &index, &mut predecessors[task], &mut faults);
        }
        let mut successors = vec![Vec::new(); tasks.len()];
        for (task, before) in predecessors.iter().enumerate() {
            for &p in before {
                successors[p].push(task);
            }
        }
        let names: Vec<String> = tasks.iter().map(|(name, _)| name.as_ref().to_owned()).collect();
        let order = topological(&predecessors, &successors);
        if order.len() < tasks.len() {
            let cycles = fault::cycles(&successors, &predecessors);
            faults.extend(cycles.into_iter().map(|tasks| {
                let names = tasks.iter().map(|&task| names[task].clone()).collect();
                DagFault::Cycle { tasks, names }
            }));
        }
        if faults.is_empty() { Ok(Self { names, index, predecessors, successors, order }) } else { Err(faults) }
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no task.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names, by number.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of the task with this name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// What the task runs after, in the order given; nothing for a number that is no task.
    pub fn predecessors(&self, task: usize) -> &[usize] {
        self.predecessors.get(task).map_or(&[], Vec::as_slice)
    }

    /// What runs after the task, ascending; nothing for a number that is no task.
    pub fn successors(&self, task: usize) -> &[usize] {
        self.successors.get(task).map_or(&[], Vec::as_slice)
    }

    /// Every pair (earlier, later), by the later task.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.predecessors.iter().enumerate().flat_map(|(task, before)| before.iter().map(move |&p| (p, task)))
    }

    /// The tasks so that each comes after everything it runs after; among those that could be next, the lowest number.
    pub fn topological_order(&self) -> &[usize] {
        &self.order
    }

    /// The tasks by the longest chain that leads to them: those of one layer can run at the same time, once all of the
    /// layers before are done.
    pub fn layers(&self) -> Vec<Vec<usize>> {
        let mut layer = vec![0; self.len()];
        for &task in &self.order {
            layer[task] = self.predecessors[task].iter().map(|&p| layer[p] + 1).max().unwrap_or(0);
        }
        let mut layers = vec![Vec::new(); layer.iter().max().map_or(0, |last| last + 1)];
        for (task, &l) in layer.iter().enumerate() {
            layers[l].push(task);
        }
        layers
    }

    /// The chain of tasks that takes longest, first to last, given each task's milliseconds by number (missing ones
    /// count 0). Among equally long ones, the chain with more tasks, then the one with the lower numbers.
    pub fn critical_path(&self, durations_ms: &[u64]) -> Vec<usize> {
        let mut best: Vec<(u64, usize)> = vec![(0, 0); self.len()];
        let mut next: Vec<Option<usize>> = vec![None; self.len()];
        for &task in self.order.iter().rev() {
            let follower = self.successors[task].iter().copied().max_by_key(|&s| (best[s], Reverse(s)));
            let (rest, count) = follower.map_or((0, 0), |s| best[s]);
            best[task] = (rest.saturating_add(durations_ms.get(task).copied().unwrap_or(0)), count + 1);
            next[task] = follower;
        }
        let first = (0..self.len()).max_by_key(|&task| (best[task], Reverse(task)));
        std::iter::successors(first, |&task| next[task]).collect()
    }
}

/// Kahn's algorithm; shorter than the list of tasks if there is a cycle.
fn topological(predecessors: &[Vec<usize>], successors: &[Vec<usize>]) -> Vec<usize> {
    let mut waiting: Vec<usize> = predecessors.iter().map(Vec::len).collect();
    let ready = waiting.iter().enumerate().filter(|(_, waits)| **waits == 0);
    let mut ready: BinaryHeap<Reverse<usize>> = ready.map(|(task, _)| Reverse(task)).collect();
    let mut order = Vec::with_capacity(waiting.len());
    while let Some(Reverse(task)) = ready.pop() {
        order.push(task);
        for &s in &successors[task] {
            waiting[s] -= 1;
            if waiting[s] == 0 {
                ready.push(Reverse(s));
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dag(tasks: &[(&str, &[&str])]) -> Dag {
        Dag::new(tasks).unwrap()
    }

    #[test]
    fn knows_order_layers_and_neighbours() {
        let dag = dag(&[("pr", &["scale", "restart"]), ("restart", &[]), ("scale", &["check"]), ("check", &[])]);
        assert_eq!(dag.index_of("scale"), Some(2));
        assert_eq!(dag.index_of("scal"), None);
        assert_eq!(dag.predecessors(0), [2, 1]);
        assert_eq!(dag.successors(3), [2]);
        assert_eq!(dag.successors(99), [] as [usize; 0]);
        assert_eq!(dag.edges().collect::<Vec<_>>(), [(2, 0), (1, 0), (3, 2)]);
        assert_eq!(dag.topological_order(), [1, 3, 2, 0]);
        assert_eq!(dag.layers(), [vec![1, 3], vec![2], vec![0]]);
    }

    #[test]
    fn takes_owned_names_too() {
        let tasks = vec![("a".to_owned(), vec![]), ("b".to_owned(), vec!["a".to_owned()])];
        assert_eq!(Dag::new(&tasks).unwrap().names(), ["a", "b"]);
    }

    #[test]
    fn nothing_is_a_dag() {
        let dag = dag(&[]);
        assert!(dag.is_empty());
        assert!(dag.layers().is_empty());
        assert!(dag.critical_path(&[]).is_empty());
    }

    #[test]
    fn the_critical_path_is_the_longest_in_time() {
        let dag = dag(&[("a", &[]), ("b", &["a"]), ("c", &["a"]), ("d", &["b", "c"]), ("e", &["d"])]);
        assert_eq!(dag.critical_path(&[10, 5, 7, 1, 1]), [0, 2, 3, 4]);
        assert_eq!(dag.critical_path(&[10, 7, 5, 1, 1]), [0, 1, 3, 4]);
        assert_eq!(dag.critical_path(&[]), [0, 1, 3, 4], "no times yet: the chain with most tasks");
        assert_eq!(dag.critical_path(&[0, u64::MAX, 9, u64::MAX]), [0, 1, 3, 4]);
    }
}
