//! The graph as the later steps want it: every edge joins neighbouring columns.
//!
//! An edge that crosses columns gets a *bend* in each of them: a vertex without a box that keeps a place for it.

use std::ops::Range;

use super::part::Part;

/// So many bends a whole picture may have; edges beyond that are drawn the direct way. A graph of a few hundred
/// kilobytes could otherwise ask for tens of millions.
pub(super) const MOST_PASSAGES: usize = 20_000;

/// A layered graph and the order of each layer. Vertices are numbered: the part's tasks first, then the bends.
pub(super) struct Proper {
    /// The vertices of each column, top to bottom.
    pub layers: Vec<Vec<usize>>,
    /// Each vertex's place in its layer.
    pub position: Vec<usize>,
    /// Each vertex's column.
    pub column: Vec<usize>,
    /// Each vertex's neighbours one column to the left.
    pub before: Neighbours,
    /// Each vertex's neighbours one column to the right.
    pub after: Neighbours,
    /// Each edge's bends from left to right, by its number in the part.
    pub bends: Vec<Range<usize>>,
    /// How many vertices are tasks.
    tasks: usize,
}

impl Proper {
    /// `columns` are the tasks', by their number in the graph; `passages` is how many bends may still be made.
    pub fn new(part: &Part, columns: &[usize], passages: &mut usize) -> Self {
        let mut column: Vec<usize> = part.tasks.iter().map(|&task| columns[task]).collect();
        let spans: Vec<usize> = part.edges.iter().map(|edge| column[edge.to] - column[edge.from]).collect();
        let mut shortest_first: Vec<usize> = (0..part.edges.len()).collect();
        shortest_first.sort_by_key(|&number| spans[number]);
        let mut bends = vec![0..0; part.edges.len()];
        let mut joints = Vec::new();
        for number in shortest_first {
            let edge = part.edges[number];
            let needed = spans[number] - 1;
            if needed > *passages {
                break;
            }
            *passages -= needed;
            let first = column.len();
            column.extend(column[edge.from] + 1..column[edge.to]);
            bends[number] = first..column.len();
            let mut left = edge.from;
            for right in bends[number].clone().chain([edge.to]) {
                joints.push((left, right));
                left = right;
            }
        }
        let before = Neighbours::new(column.len(), joints.iter().map(|&(left, right)| (right, left)));
        let after = Neighbours::new(column.len(), joints.iter().copied());
        let mut layers = vec![Vec::new(); column.iter().max().map_or(0, |last| last + 1)];
        let mut position = vec![0; column.len()];
        for vertex in depth_first(&before, &after) {
            let layer: &mut Vec<usize> = &mut layers[column[vertex]];
            position[vertex] = layer.len();
            layer.push(vertex);
        }
        Self { layers, position, column, before, after, bends, tasks: part.tasks.len() }
    }

    /// Whether the vertex is a bend and has no box.
    pub fn is_bend(&self, vertex: usize) -> bool {
        vertex >= self.tasks
    }

    /// What it costs to look at every vertex and every joint twice.
    pub fn effort(&self) -> usize {
        2 * (self.column.len() + self.after.all.len())
    }

    /// Writes the order of a layer into the positions of its vertices.
    pub fn renumber(&mut self, layer: usize) {
        for (position, &vertex) in self.layers[layer].iter().enumerate() {
            self.position[vertex] = position;
        }
    }
}

/// The neighbours of each vertex on one side, in one allocation.
pub(super) struct Neighbours {
    starts: Vec<usize>,
    all: Vec<usize>,
}

impl Neighbours {
    fn new(vertices: usize, pairs: impl Iterator<Item = (usize, usize)> + Clone) -> Self {
        let mut starts = vec![0; vertices + 1];
        for (vertex, _) in pairs.clone() {
            starts[vertex + 1] += 1;
        }
        for vertex in 0..vertices {
            starts[vertex + 1] += starts[vertex];
        }
        let mut next = starts.clone();
        let mut all = vec![0; starts[vertices]];
        for (vertex, neighbour) in pairs {
            all[next[vertex]] = neighbour;
            next[vertex] += 1;
        }
        Self { starts, all }
    }

    /// Of one vertex.
    pub fn of(&self, vertex: usize) -> &[usize] {
        &self.all[self.starts[vertex]..self.starts[vertex + 1]]
    }
}

/// All vertices, each soon after a neighbour to its left: a first order in which related ones lie together.
fn depth_first(before: &Neighbours, after: &Neighbours) -> Vec<usize> {
    let vertices = before.starts.len() - 1;
    let mut seen = vec![false; vertices];
    let mut order = Vec::with_capacity(vertices);
    let mut stack: Vec<usize> = (0..vertices).rev().filter(|&v| before.of(v).is_empty()).collect();
    while let Some(vertex) = stack.pop() {
        if !std::mem::replace(&mut seen[vertex], true) {
            order.push(vertex);
            stack.extend(after.of(vertex).iter().rev());
        }
    }
    order
}
