//! Making a graph of thousands small enough to be looked at: tasks of one layer that stand alike become one, and layers that
//! stand alike as a whole become one. What came before still comes before: a layer, or whole layers in a row, have no way out
//! and back in, so that nothing can run in a circle. Pure.

use super::Dag;

/// What of a graph is folded.
pub struct Folding<'a, K> {
    /// How each task stands, by number; none is never folded.
    pub kinds: &'a [Option<K>],
    /// Fewer than this are not folded.
    pub least: usize,
    /// Layers whose tasks stay apart.
    pub apart: &'a dyn Fn(usize) -> bool,
    /// Layers that are not joined with others.
    pub alone: &'a dyn Fn(usize) -> bool,
}

/// A task, or several as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The tasks, by number, ascending; never empty.
    pub tasks: Vec<usize>,
    /// The first and the last of its layers.
    pub layers: (usize, usize),
}

/// A graph of items in place of tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    /// The items, in the order of their first tasks.
    pub items: Vec<Item>,
    /// The item that each task is in, by number.
    pub of: Vec<usize>,
    /// The items and what each runs after.
    pub dag: Dag,
}

/// Folds; none only where the graph is none.
pub fn fold<K: Copy + Eq>(dag: &Dag, folding: &Folding<'_, K>) -> Option<Folded> {
    let layers = dag.layers();
    let mut items: Vec<Item> = Vec::new();
    // The item of the layer before, if that layer stands alike as a whole, and how it stands.
    let mut joined: Option<(usize, K)> = None;
    for (number, tasks) in layers.iter().enumerate() {
        let kind = tasks.first().and_then(|task| *folding.kinds.get(*task)?);
        let whole =
            kind.filter(|kind| alike(tasks, *kind, folding) && !(folding.apart)(number) && !(folding.alone)(number));
        match (joined, whole) {
            (Some((at, before)), Some(kind)) if before == kind => {
                items[at].tasks.extend(tasks);
                items[at].layers.1 = number;
            }
            (_, Some(kind)) => {
                joined = Some((items.len(), kind));
                items.push(Item { tasks: tasks.clone(), layers: (number, number) });
            }
            (_, None) => {
                joined = None;
                items.extend(layer(number, tasks, folding));
            }
        }
    }
    let items: Vec<Item> = items.into_iter().flat_map(|item| unjoined(item, &layers, folding.least)).collect();
    assembled(dag, items)
}

/// The items of one layer.
fn layer<K: Copy + Eq>(number: usize, tasks: &[usize], folding: &Folding<'_, K>) -> Vec<Item> {
    let single = |task: usize| Item { tasks: vec![task], layers: (number, number) };
    if (folding.apart)(number) {
        return tasks.iter().copied().map(single).collect();
    }
    let mut groups: Vec<(Option<K>, Vec<usize>)> = Vec::new();
    for &task in tasks {
        let kind = folding.kinds.get(task).copied().flatten();
        match groups.iter_mut().find(|(known, _)| kind.is_some() && *known == kind) {
            Some((_, group)) => group.push(task),
            None => groups.push((kind, vec![task])),
        }
    }
    let group = |(_, tasks): (Option<K>, Vec<usize>)| {
        if tasks.len() >= folding.least {
            vec![Item { tasks, layers: (number, number) }]
        } else {
            tasks.into_iter().map(single).collect()
        }
    };
    groups.into_iter().flat_map(group).collect()
}

fn alike<K: Copy + Eq>(tasks: &[usize], kind: K, folding: &Folding<'_, K>) -> bool {
    tasks.iter().all(|task| folding.kinds.get(*task).copied().flatten() == Some(kind))
}

/// Joined layers that have too few tasks together are taken apart again.
fn unjoined(item: Item, layers: &[Vec<usize>], least: usize) -> Vec<Item> {
    if item.tasks.len() >= least || item.tasks.len() == 1 {
        return vec![item];
    }
    let (from, to) = item.layers;
    let apart = (from..=to).flat_map(|layer| layers[layer].iter().map(move |task| (layer, *task)));
    apart.map(|(layer, task)| Item { tasks: vec![task], layers: (layer, layer) }).collect()
}

fn assembled(dag: &Dag, mut items: Vec<Item>) -> Option<Folded> {
    for item in &mut items {
        item.tasks.sort_unstable();
    }
    items.sort_unstable_by_key(|item| item.tasks[0]);
    let mut of = vec![0; dag.len()];
    for (number, item) in items.iter().enumerate() {
        for task in &item.tasks {
            of[*task] = number;
        }
    }
    let name = |item: usize| dag.names()[items[item].tasks[0]].as_str();
    let pairs: Vec<(&str, Vec<&str>)> = (0..items.len())
        .map(|number| {
            let before = items[number].tasks.iter().flat_map(|task| dag.predecessors(*task)).map(|task| of[*task]);
            let mut before: Vec<usize> = before.filter(|other| *other != number).collect();
            before.sort_unstable();
            before.dedup();
            (name(number), before.into_iter().map(name).collect())
        })
        .collect();
    let dag = Dag::new(&pairs).ok()?;
    Some(Folded { items, of, dag })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Layers of so many tasks, each after all of the layer before.
    fn layered(sizes: &[usize]) -> Dag {
        let mut tasks: Vec<(String, Vec<String>)> = Vec::new();
        let mut before: Vec<String> = Vec::new();
        for (layer, size) in sizes.iter().enumerate() {
            let names: Vec<String> = (0..*size).map(|i| format!("t{layer}-{i}")).collect();
            tasks.extend(names.iter().map(|name| (name.clone(), before.clone())));
            before = names;
        }
        Dag::new(&tasks).unwrap()
    }

    fn folded(dag: &Dag, kinds: &[Option<char>], apart: &[usize], alone: &[usize]) -> Folded {
        let (apart, alone) = (|layer: usize| apart.contains(&layer), |layer: usize| alone.contains(&layer));
        fold(dag, &Folding { kinds, least: 4, apart: &apart, alone: &alone }).unwrap()
    }

    fn sizes(folded: &Folded) -> Vec<usize> {
        folded.items.iter().map(|item| item.tasks.len()).collect()
    }

    #[test]
    fn tasks_of_a_layer_that_stand_alike_become_one() {
        let dag = layered(&[1, 6, 1]);
        let kinds = [None, Some('s'), Some('s'), Some('s'), Some('s'), None, Some('p'), Some('p')];
        let found = folded(&dag, &kinds, &[], &[]);
        assert_eq!(sizes(&found), [1, 4, 1, 1, 1]);
        assert_eq!(found.dag.predecessors(4), [1, 2, 3], "once for all that were folded");
        assert_eq!(found.of[2], 1);
        assert_eq!(sizes(&folded(&dag, &kinds, &[1], &[])), [1; 8], "unless they are to stay apart");
    }

    #[test]
    fn finished_layers_in_a_row_become_one() {
        let dag = layered(&[5, 5, 1, 5, 2, 2]);
        // Layers 0 to 2 are done, in layer 3 one is at work, 4 and 5 wait.
        let kinds: Vec<_> = (0..20).map(|i| (i != 13).then_some(if i < 15 { 's' } else { 'p' })).collect();
        let found = folded(&dag, &kinds, &[], &[]);
        assert_eq!(sizes(&found), [11, 1, 1, 1, 1, 1, 4]);
        assert_eq!(found.items[0].layers, (0, 2));
        assert_eq!(found.dag.layers().len(), 3);
        let alone = folded(&dag, &kinds, &[], &[1]);
        assert_eq!(sizes(&alone), [5, 5, 1, 1, 1, 1, 1, 1, 4], "a layer that stands alone parts those around it");
    }

    #[test]
    fn a_chain_folds_and_a_short_one_does_not() {
        let dag = layered(&[1; 10]);
        assert_eq!(sizes(&folded(&dag, &[Some('s'); 10], &[], &[])), [10]);
        let dag = layered(&[1; 3]);
        assert_eq!(sizes(&folded(&dag, &[Some('s'); 3], &[], &[])), [1, 1, 1]);
        assert!(folded(&Dag::default(), &[], &[], &[]).items.is_empty());
    }
}
