//! Gives each vertex its height: close to its neighbours, never too near to the next, runs without a branch level.
//!
//! Layer by layer, vertices go to the weighted mean of their neighbours as far as the order and the distances allow;
//! the least squares for one layer are an isotonic regression. Repeated, this settles at the least sum of squared
//! height differences over all edges: compact and symmetric. (Brandes and Köpf's four alignments, the usual choice, made
//! pictures several times as high: see `docs/decisions/0002-dag-layout.md`.) Keeps the order of the layers.

use super::Size;
use super::proper::Proper;

/// Sweeps that look to one side only, and bring distant neighbours near quickly.
const ROUGH: usize = 4;

/// Sweeps that look to both sides, until little moves.
const FINE: usize = 24;

/// The heights of a part.
pub(super) struct Rows {
    /// Each vertex's middle in whole pixels, from the part's upper end.
    pub centers: Vec<f64>,
    /// From the upper to the lower end.
    pub height: f64,
}

/// Finds the heights.
pub(super) fn rows(proper: &Proper, size: Size) -> Rows {
    let mut stack = Stack::new(proper, size);
    for round in 0..ROUGH + FINE {
        let forward = round % 2 == 0;
        for step in 0..proper.layers.len() {
            let layer = if forward { step } else { proper.layers.len() - 1 - step };
            stack.settle(layer, round >= ROUGH || !forward, round >= ROUGH || forward);
        }
    }
    let runs = runs(proper);
    for run in &runs {
        stack.level(run);
    }
    stack.follow(&runs, size.node_gap / 2.0);
    stack.finish(size)
}

/// The vertices at their heights.
struct Stack<'a> {
    proper: &'a Proper,
    /// Half of what each vertex occupies, with its share of the gap to the next.
    half: Vec<f64>,
    center: Vec<f64>,
}

impl<'a> Stack<'a> {
    /// Each layer as closely packed as it goes, all on one axis.
    fn new(proper: &'a Proper, size: Size) -> Self {
        let occupied =
            |v| if proper.is_bend(v) { size.node_gap / 4.0 } else { f64::midpoint(size.node_height, size.node_gap) };
        let half: Vec<f64> = (0..proper.column.len()).map(occupied).collect();
        let mut center = vec![0.0; half.len()];
        for layer in &proper.layers {
            let mut y = -layer.iter().map(|&v| half[v]).sum::<f64>();
            for &v in layer {
                center[v] = y + half[v];
                y += 2.0 * half[v];
            }
        }
        Self { proper, half, center }
    }

    /// Moves a layer as close to its neighbours on the given sides as its order and distances allow.
    fn settle(&mut self, layer: usize, after: bool, before: bool) {
        let mut blocks: Vec<Block> = Vec::with_capacity(self.proper.layers[layer].len());
        let mut offset = 0.0;
        let mut last_half = None;
        for &vertex in &self.proper.layers[layer] {
            offset += last_half.map_or(0.0, |last: f64| last + self.half[vertex]);
            last_half = Some(self.half[vertex]);
            let (weight, mean) = self.pull(vertex, before, after);
            let mut block = Block { weight, mean: mean - offset, size: 1 };
            while let Some(above) = blocks.pop_if(|above| above.mean >= block.mean) {
                block = above.joined(&block);
            }
            blocks.push(block);
        }
        let mut vertices = self.proper.layers[layer].iter();
        let mut offset = 0.0;
        let mut last_half = None;
        for block in blocks {
            for &vertex in vertices.by_ref().take(block.size) {
                offset += last_half.map_or(0.0, |last: f64| last + self.half[vertex]);
                last_half = Some(self.half[vertex]);
                self.center[vertex] = block.mean + offset;
            }
        }
    }

    /// Where the neighbours would have a vertex, and how strongly. Without any, it would rather stay.
    fn pull(&self, vertex: usize, before: bool, after: bool) -> (f64, f64) {
        let (mut weight, mut moment) = (0.0, 0.0);
        let sides = [(before, &self.proper.before), (after, &self.proper.after)];
        for &neighbour in sides.iter().filter(|(wanted, _)| *wanted).flat_map(|(_, side)| side.of(vertex)) {
            // Gansner et al. 1993: the longer an edge, the straighter it should be.
            let strength = match (self.proper.is_bend(vertex), self.proper.is_bend(neighbour)) {
                (true, true) => 8.0,
                _ => 1.0,
            };
            weight += strength;
            moment += strength * self.center[neighbour];
        }
        if weight > 0.0 { (weight, moment / weight) } else { (0.01, self.center[vertex]) }
    }

    /// How high and how low a vertex may be with the others of its layer where they are.
    fn room(&self, vertex: usize) -> (f64, f64) {
        let layer = &self.proper.layers[self.proper.column[vertex]];
        let position = self.proper.position[vertex];
        let distance = |other: usize| self.half[other] + self.half[vertex];
        let above = position.checked_sub(1).map(|p| layer[p]);
        let below = layer.get(position + 1).copied();
        (
            above.map_or(f64::NEG_INFINITY, |other| self.center[other] + distance(other)),
            below.map_or(f64::INFINITY, |other| self.center[other] - distance(other)),
        )
    }

    /// Puts stretches of a run, each as long as it can be, on one height.
    fn level(&mut self, run: &[usize]) {
        let mut rest = run;
        while !rest.is_empty() {
            let (mut high, mut low) = (f64::NEG_INFINITY, f64::INFINITY);
            let mut length = 0;
            for &vertex in rest {
                let (vertex_high, vertex_low) = self.room(vertex);
                if vertex_high.max(high) > vertex_low.min(low) {
                    break;
                }
                (high, low) = (vertex_high.max(high), vertex_low.min(low));
                length += 1;
            }
            let (stretch, others) = rest.split_at(length.max(1));
            #[expect(clippy::cast_precision_loss, reason = "a small count")]
            let mean = stretch.iter().map(|&v| self.center[v]).sum::<f64>() / stretch.len() as f64;
            if length > 0 {
                for &vertex in stretch {
                    self.center[vertex] = mean.clamp(high, low);
                }
            }
            rest = others;
        }
    }

    /// Moves the vertices that are on no run to their neighbours once more, as far as there is room; where one of these
    /// is almost level, quite.
    fn follow(&mut self, runs: &[Vec<usize>], almost: f64) {
        let mut on_run = vec![false; self.center.len()];
        for &vertex in runs.iter().flatten() {
            on_run[vertex] = true;
        }
        for vertex in self.proper.layers.iter().flatten().copied().filter(|&v| !on_run[v]) {
            let (high, low) = self.room(vertex);
            if high <= low {
                let mean = self.pull(vertex, true, true).1;
                let neighbours = self.proper.before.of(vertex).iter().chain(self.proper.after.of(vertex));
                let heights = neighbours.map(|&n| self.center[n]).filter(|y| (y - mean).abs() <= almost);
                let level = heights.reduce(|a, b| if (b - mean).abs() < (a - mean).abs() { b } else { a });
                self.center[vertex] = level.unwrap_or(mean).clamp(high, low);
            }
        }
    }

    fn finish(self, size: Size) -> Rows {
        // Whole pixels keep the boxes' borders sharp. Rounding keeps distances that are whole.
        let centers: Vec<f64> = self.center.iter().map(|y| y.round()).collect();
        // Between boxes there is a gap on either side of each; at the rim there is none.
        let rim = |v: usize| if self.proper.is_bend(v) { self.half[v] } else { size.node_height / 2.0 };
        let top = centers.iter().enumerate().map(|(v, y)| y - rim(v)).fold(f64::INFINITY, f64::min);
        let bottom = centers.iter().enumerate().map(|(v, y)| y + rim(v)).fold(f64::NEG_INFINITY, f64::max);
        Rows { centers: centers.into_iter().map(|y| y - top).collect(), height: bottom - top }
    }
}

/// Vertices that must keep exactly their distances for now, at the weighted mean of where each would be.
struct Block {
    weight: f64,
    mean: f64,
    size: usize,
}

impl Block {
    fn joined(&self, below: &Self) -> Self {
        let weight = self.weight + below.weight;
        let mean = (self.weight * self.mean + below.weight * below.mean) / weight;
        Self { weight, mean, size: self.size + below.size }
    }
}

/// Paths of at least two vertices, from left to right, on which no edge branches off or joins.
fn runs(proper: &Proper) -> Vec<Vec<usize>> {
    let next = |vertex: usize| match proper.after.of(vertex) {
        &[next] if proper.before.of(next).len() == 1 => Some(next),
        _ => None,
    };
    let is_first = |vertex: &usize| match proper.before.of(*vertex) {
        &[before] => next(before).is_none(),
        _ => true,
    };
    let first = proper.layers.iter().flatten().copied().filter(is_first);
    first
        .map(|vertex| std::iter::successors(Some(vertex), |&v| next(v)).collect::<Vec<_>>())
        .filter(|run| run.len() > 1)
        .collect()
}
