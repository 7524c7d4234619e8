//! Takes a graph apart into what no edge connects, and puts the tasks without any edge into a grid.
//!
//! Knows nothing of the order inside a part.

use super::{NodeBox, Size};
use crate::dag::Dag;

/// Up to so many tasks without an edge stand in the first column, one below the other, like any other part.
const FEW: usize = 8;

/// A grid is about so many times as wide as it is high.
const ASPECT: f64 = 1.5;

/// Tasks that are connected, whatever the direction of the edges.
pub(super) struct Part {
    /// By number, ascending.
    pub tasks: Vec<usize>,
    /// Between them.
    pub edges: Vec<Edge>,
}

/// An edge inside a part.
#[derive(Clone, Copy)]
pub(super) struct Edge {
    /// The earlier task, as a position in the part's tasks.
    pub from: usize,
    /// The later task, likewise.
    pub to: usize,
    /// Its position in all of the graph's edges.
    pub number: usize,
}

/// The parts, by their lowest task, and the tasks that go into the grid.
pub(super) fn split(dag: &Dag) -> (Vec<Part>, Vec<usize>) {
    let mut part_of = vec![usize::MAX; dag.len()];
    let mut place = vec![0; dag.len()];
    let mut parts: Vec<Part> = Vec::new();
    let is_loose = |task: usize| dag.predecessors(task).is_empty() && dag.successors(task).is_empty();
    let loose: Vec<usize> = (0..dag.len()).filter(|&task| is_loose(task)).collect();
    let loose = if loose.len() > FEW { loose } else { Vec::new() };
    for &task in &loose {
        part_of[task] = 0;
    }
    for root in 0..dag.len() {
        let mut stack = vec![root];
        let first_new = parts.len();
        while let Some(task) = stack.pop() {
            if part_of[task] != usize::MAX {
                continue;
            }
            if parts.len() == first_new {
                parts.push(Part { tasks: Vec::new(), edges: Vec::new() });
            }
            part_of[task] = first_new;
            parts[first_new].tasks.push(task);
            stack.extend(dag.predecessors(task).iter().chain(dag.successors(task)));
        }
    }
    for part in &mut parts {
        part.tasks.sort_unstable();
        for (vertex, &task) in part.tasks.iter().enumerate() {
            place[task] = vertex;
        }
    }
    for (number, (from, to)) in dag.edges().enumerate() {
        parts[part_of[from]].edges.push(Edge { from: place[from], to: place[to], number });
    }
    (parts, loose)
}

/// Places tasks row by row on the columns' raster, from `top` on; at least as wide as the `columns` already in use, as
/// far as there are tasks for it. Returns the lower end.
pub(super) fn wrap(loose: &[usize], columns: usize, size: Size, top: f64, boxes: &mut [NodeBox]) -> f64 {
    let (cell_width, cell_height) = (size.node_width + size.layer_gap, size.node_height + size.node_gap);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small positive count"
    )]
    let square = (loose.len() as f64 * ASPECT * cell_height / cell_width).sqrt().ceil() as usize;
    let columns = square.max(columns.min(loose.len().div_ceil(FEW))).max(1);
    let mut bottom = 0.0;
    for (i, &task) in loose.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a small count")]
        let row = (i / columns) as f64;
        boxes[task] = size.at(i % columns, top + row * cell_height + size.node_height / 2.0);
        bottom = top + row * cell_height + size.node_height;
    }
    bottom
}
