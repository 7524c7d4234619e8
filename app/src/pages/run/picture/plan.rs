//! What stands in the picture and where: every task, or in a large run the tasks that stand alike as one. Picture and timeline
//! show the same items in the same order.

use super::{
    super::{selection::found, times::held},
    View,
};
use domain::{
    dag::{
        Dag,
        fold::{self, Folding},
    },
    execution::{Task, TaskState},
    layout::{NodeBox, Size, layout},
    time::Timestamp,
};
use std::collections::{HashMap, HashSet};

/// Runs of more tasks than this are folded unless the address says otherwise.
pub const FOLD_OVER: usize = 60;
/// Fewer tasks than this are not worth folding.
const LEAST: usize = 4;
/// More tasks than this that one has to look at are folded too.
const MOST_APART: usize = 40;
/// More layers than this of a run that has ended are folded together.
const MOST_LAYERS: usize = 24;
/// More boxes than this are never drawn, whatever is asked.
const MOST_BOXES: usize = 2_000;

/// One task, or several that stand alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Their numbers in the run, ascending; never empty.
    pub tasks: Vec<usize>,
    /// The layers of a folded item.
    pub layers: (usize, usize),
}

impl Item {
    /// Whether it stands for more than one task.
    pub fn is_folded(&self) -> bool {
        self.tasks.len() > 1
    }
}

/// All that picture and timeline have in common, and the picture's geometry.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What is shown, in the run's order.
    pub items: Vec<Item>,
    /// Numbers of the tasks on the critical path, first to last.
    pub critical: Vec<usize>,
    /// The picture; none where the order of the tasks is no order.
    pub drawing: Option<Drawing>,
    /// Whether everything was asked for and is too much.
    pub too_many: bool,
}

/// Where everything stands.
#[derive(Clone, Debug, Default)]
pub struct Drawing {
    /// Boxes, by item.
    pub boxes: Vec<NodeBox>,
    /// Edges as SVG, and whether they are on the critical path.
    pub edges: Vec<(String, bool)>,
    /// Left of what runs after all.
    pub divider: Option<f64>,
    /// Width of the whole.
    pub width: f64,
    /// Height of the whole.
    pub height: f64,
}

/// Plans the picture. Tasks that run after all stand in a column of their own at the right.
pub fn plan(tasks: &[Task], view: &View, now: Timestamp) -> Plan {
    let (last, main): (Vec<usize>, Vec<usize>) = (0..tasks.len()).partition(|&i| tasks[i].finally);
    let pairs: Vec<(&str, &[String])> =
        main.iter().map(|&i| (tasks[i].name.as_str(), tasks[i].run_after.as_slice())).collect();
    let Ok(dag) = Dag::new::<_, _, String>(&pairs) else {
        let single = |task| Item { tasks: vec![task], layers: (0, 0) };
        return Plan { items: (0..tasks.len()).map(single).collect(), ..Plan::default() };
    };
    let too_many = view.unfold.all && main.len() > MOST_BOXES;
    let kinds = kinds(tasks, &main, view, too_many);
    let apart = |layer: usize| view.unfold.apart(layer);
    // Of what has ended the shape is told, layer by layer; while it goes on, what is done steps back behind what is at work.
    let told = main.iter().all(|&i| tasks[i].state.ended()) && dag.layers().len() <= MOST_LAYERS;
    let alone = |layer: usize| told || view.unfold.alone(layer);
    let folding = Folding { kinds: &kinds, least: LEAST, apart: &apart, alone: &alone };
    let Some(folded) = fold::fold(&dag, &folding) else { return Plan::default() };

    let durations: Vec<u64> = main.iter().map(|&i| held(&tasks[i], now)).collect();
    // Before anything was measured there is no critical path to speak of.
    let critical = if durations.iter().any(|ms| *ms > 0) { dag.critical_path(&durations) } else { Vec::new() };
    let steps: HashSet<(usize, usize)> =
        critical.windows(2).map(|pair| (folded.of[pair[0]], folded.of[pair[1]])).collect();
    let size = Size::default();
    let picture = layout(&folded.dag, size);
    let left = if main.is_empty() { 0.0 } else { picture.width + size.layer_gap };
    let mut boxes = picture.nodes;
    let mut items: Vec<Item> = folded
        .items
        .into_iter()
        .map(|item| Item { tasks: item.tasks.into_iter().map(|task| main[task]).collect(), layers: item.layers })
        .collect();
    let mut top = 0.0;
    for &task in &last {
        boxes.push(NodeBox { x: left, y: top, width: size.node_width, height: size.node_height });
        items.push(Item { tasks: vec![task], layers: (0, 0) });
        top += size.node_height + size.node_gap;
    }
    let divider = (!last.is_empty() && !main.is_empty()).then_some(left - size.layer_gap / 2.0);
    let drawing = Drawing {
        boxes,
        edges: picture.edges.iter().map(|edge| (edge.to_svg(), steps.contains(&(edge.from, edge.to)))).collect(),
        divider,
        width: if last.is_empty() { picture.width } else { left + size.node_width },
        height: picture.height.max(top - size.node_gap),
    };
    Plan { items, critical: critical.into_iter().map(|i| main[i]).collect(), drawing: Some(drawing), too_many }
}

/// How each task may be folded: what has ended as it should or waits, and what there is so much of that nobody looks at each.
/// What is sought stays.
fn kinds(tasks: &[Task], main: &[usize], view: &View, too_many: bool) -> Vec<Option<TaskState>> {
    if main.len() <= FOLD_OVER || (view.unfold.all && !too_many) {
        return vec![None; main.len()];
    }
    let mut many: HashMap<TaskState, usize> = HashMap::new();
    for &i in main {
        *many.entry(tasks[i].state).or_default() += 1;
    }
    let sought = |task: &Task| view.seek.as_deref().is_some_and(|seek| found(&task.name, seek));
    let few_sought = main.iter().filter(|&&i| sought(&tasks[i])).count() <= MOST_APART;
    let kind = |&i: &usize| {
        let task = &tasks[i];
        let quiet =
            matches!(task.state, TaskState::Succeeded | TaskState::Skipped | TaskState::Cancelled | TaskState::Pending);
        let crowd = many.get(&task.state).is_some_and(|n| *n > MOST_APART);
        ((quiet || crowd) && !(few_sought && sought(task))).then_some(task.state)
    };
    main.iter().map(kind).collect()
}
