use domain::dag::{Dag, DagFault};
use proptest::prelude::*;

use crate::graphs::numbered;

/// How many tasks, and pairs (earlier, later) without repetition.
pub fn edges(most: usize) -> impl Strategy<Value = (usize, Vec<(usize, usize)>)> {
    (2..most).prop_flat_map(|nodes| {
        let pair = (0..nodes, 0..nodes).prop_filter_map("an edge goes forward", |(a, b)| (a < b).then_some((a, b)));
        let pairs = proptest::collection::btree_set(pair, 0..nodes * 2);
        (Just(nodes), pairs.prop_map(|pairs| pairs.into_iter().collect()))
    })
}

proptest! {
    #[test]
    fn order_and_layers_respect_every_edge((nodes, edges) in edges(40)) {
        let dag = numbered(nodes, &edges);
        let order = dag.topological_order();
        let place = |task: usize| order.iter().position(|&t| t == task).unwrap();
        let layers = dag.layers();
        let layer = |task: usize| layers.iter().position(|l| l.contains(&task)).unwrap();
        prop_assert_eq!(order.len(), nodes);
        prop_assert_eq!(layers.iter().map(Vec::len).sum::<usize>(), nodes);
        for (from, to) in edges {
            prop_assert!(place(from) < place(to));
            prop_assert!(layer(from) < layer(to));
        }
    }

    #[test]
    fn the_critical_path_is_a_path_and_no_single_task_takes_longer(
        (nodes, edges) in edges(30),
        durations in proptest::collection::vec(0_u64..1000, 30),
    ) {
        let dag = numbered(nodes, &edges);
        let path = dag.critical_path(&durations);
        for pair in path.windows(2) {
            prop_assert!(dag.successors(pair[0]).contains(&pair[1]));
        }
        prop_assert!(dag.predecessors(path[0]).is_empty());
        prop_assert!(dag.successors(*path.last().unwrap()).is_empty());
        // The longest time by brute force: the end of each task, in order.
        let mut end = vec![0; nodes];
        for &task in dag.topological_order() {
            let start = dag.predecessors(task).iter().map(|&p| end[p]).max().unwrap_or(0);
            end[task] = start + durations[task];
        }
        prop_assert_eq!(path.iter().map(|&t| durations[t]).sum::<u64>(), *end.iter().max().unwrap());
    }

    #[test]
    fn an_edge_back_is_always_found((nodes, mut edges) in edges(30), back in any::<prop::sample::Index>()) {
        prop_assume!(!edges.is_empty());
        let (from, to) = edges[back.index(edges.len())];
        edges.push((to, from));
        let names: Vec<String> = (0..nodes).map(|i| i.to_string()).collect();
        let mut tasks: Vec<(&str, Vec<&str>)> = names.iter().map(|name| (name.as_str(), Vec::new())).collect();
        for &(from, to) in &edges {
            tasks[to].1.push(&names[from]);
        }
        let faults = Dag::new(&tasks).unwrap_err();
        prop_assert_eq!(faults.len(), 1);
        let DagFault::Cycle { tasks: cycle, .. } = &faults[0] else { return Err(TestCaseError::fail("a cycle")) };
        for (i, &task) in cycle.iter().enumerate() {
            let next = cycle[(i + 1) % cycle.len()];
            prop_assert!(edges.contains(&(task, next)), "{} does not run after {}", next, task);
        }
    }
}
