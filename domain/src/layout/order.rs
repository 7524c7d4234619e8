//! Orders the vertices of each layer so that few edges cross.
//!
//! Sweeps that put each vertex at the mean of its neighbours (Sugiyama's barycenter) find a rough order; then each layer
//! in turn is improved vertex by vertex between its two fixed neighbours (sifting: Matuszewski, Schönfeld and Molitor
//! 1999). To get out of local optima a few vertices are displaced and the layers around them sifted again, as long as
//! that helps and the allowance lasts. Knows nothing of coordinates.

use super::proper::{Neighbours, Proper};

/// What a whole picture may cost, counted in neighbours looked at and pairs compared; some 12 ms in an optimised build.
const ALLOWANCE: u64 = 5_000_000;

/// Sweeps without a better result before the rough order is taken as found.
const SWEEPS_IN_VAIN: usize = 4;

/// Displacements without a better result before the order is final.
const DISPLACEMENTS_IN_VAIN: usize = 40;

/// Vertices displaced at a time, in two layers next to each other.
const DISPLACED: usize = 12;

/// Larger layers are not sifted: it takes the square of their size.
const SIFTED: usize = 400;

/// Changes the order of the layers of a part that has `tasks` of the picture's `all` tasks.
pub(super) fn reduce_crossings(proper: &mut Proper, tasks: usize, all: usize) {
    let mut allowance = Allowance(ALLOWANCE * wide(tasks) / wide(all.max(1)));
    let mut best = Best::of(proper);
    sweep_until_settled(proper, &mut best, &mut allowance);
    if best.crossings > 0 {
        sift_until_settled(proper, vec![true; proper.layers.len()], &mut allowance);
        best.keep(proper, &mut allowance);
        best.restore(proper);
    }
    let mut dice = Dice(1);
    let mut in_vain = 0;
    while best.crossings > 0 && in_vain < DISPLACEMENTS_IN_VAIN && !allowance.is_spent() {
        let stale = displace(proper, &mut dice);
        sift_until_settled(proper, stale, &mut allowance);
        in_vain = if best.keep(proper, &mut allowance) { 0 } else { in_vain + 1 };
        best.restore(proper);
    }
}

/// How much may still be done; counted, so that the same graph always gets the same picture.
struct Allowance(u64);

impl Allowance {
    fn spend(&mut self, cost: usize) {
        self.0 = self.0.saturating_sub(wide(cost));
    }

    fn is_spent(&self) -> bool {
        self.0 == 0
    }
}

/// Counts that a 32-bit `usize` (WebAssembly's) could not hold.
fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// The best order so far.
struct Best {
    crossings: u64,
    layers: Vec<Vec<usize>>,
}

impl Best {
    fn of(proper: &Proper) -> Self {
        Self { crossings: crossings(proper), layers: proper.layers.clone() }
    }

    /// Remembers the present order if it is better, and leaves it as it is. Returns whether it is better.
    fn keep(&mut self, proper: &Proper, allowance: &mut Allowance) -> bool {
        allowance.spend(proper.effort());
        let crossings = crossings(proper);
        let better = crossings < self.crossings;
        if better {
            self.crossings = crossings;
            self.layers.clone_from(&proper.layers);
        }
        better
    }

    fn restore(&self, proper: &mut Proper) {
        proper.layers.clone_from(&self.layers);
        for layer in 0..proper.layers.len() {
            proper.renumber(layer);
        }
    }
}

/// How many pairs of edges cross.
fn crossings(proper: &Proper) -> u64 {
    let mut right_ends = Vec::new();
    let mut total = 0;
    for pair in proper.layers.windows(2) {
        right_ends.clear();
        for &vertex in &pair[0] {
            let start = right_ends.len();
            right_ends.extend(proper.after.of(vertex).iter().map(|&right| proper.position[right]));
            right_ends[start..].sort_unstable();
        }
        total += inversions(&right_ends, pair[1].len());
    }
    total
}

/// Pairs in which a larger value precedes a smaller one; `values` are below `limit`. A Fenwick tree counts those seen.
fn inversions(values: &[usize], limit: usize) -> u64 {
    let mut tree = vec![0_usize; limit + 1];
    let mut total = 0;
    for (seen, &value) in values.iter().enumerate() {
        let mut not_larger = 0;
        let mut i = value + 1;
        while i > 0 {
            not_larger += tree[i];
            i &= i - 1;
        }
        total += wide(seen - not_larger);
        i = value + 1;
        while i <= limit {
            tree[i] += 1;
            i += i & i.wrapping_neg();
        }
    }
    total
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Before,
    After,
}

impl Side {
    fn of(self, proper: &Proper) -> &Neighbours {
        match self {
            Self::Before => &proper.before,
            Self::After => &proper.after,
        }
    }
}

/// Sweeps to and fro until that no longer helps, and leaves the best order in place.
fn sweep_until_settled(proper: &mut Proper, best: &mut Best, allowance: &mut Allowance) {
    let mut in_vain = 0;
    while best.crossings > 0 && in_vain < SWEEPS_IN_VAIN && !allowance.is_spent() {
        let mut better = false;
        for side in [Side::Before, Side::After] {
            sweep(proper, side, in_vain % 2 == 1, allowance);
            better |= best.keep(proper, allowance);
        }
        in_vain = if better { 0 } else { in_vain + 1 };
    }
    best.restore(proper);
}

fn sweep(proper: &mut Proper, side: Side, flip: bool, allowance: &mut Allowance) {
    let last = proper.layers.len();
    match side {
        Side::Before => (1..last).for_each(|layer| pull_to_neighbours(proper, layer, side, flip)),
        Side::After => (0..last - 1).rev().for_each(|layer| pull_to_neighbours(proper, layer, side, flip)),
    }
    allowance.spend(proper.effort());
}

/// Sorts a layer by the mean place of each vertex's neighbours; vertices without any keep their places. Equal ones stay
/// in order, or change it if `flip`.
fn pull_to_neighbours(proper: &mut Proper, layer: usize, side: Side, flip: bool) {
    let neighbours = side.of(proper);
    #[expect(clippy::cast_precision_loss, reason = "places in a layer are small")]
    let mean = |vertex: usize| {
        let near = neighbours.of(vertex);
        near.iter().map(|&n| proper.position[n]).sum::<usize>() as f64 / near.len() as f64
    };
    let order = &proper.layers[layer];
    let slots: Vec<usize> = (0..order.len()).filter(|&slot| !neighbours.of(order[slot]).is_empty()).collect();
    let mut moving: Vec<(f64, usize)> = slots.iter().map(|&slot| (mean(order[slot]), order[slot])).collect();
    if flip {
        moving.reverse();
    }
    moving.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (slot, (_, vertex)) in slots.into_iter().zip(moving) {
        proper.layers[layer][slot] = vertex;
    }
    proper.renumber(layer);
}

/// Numbers that look random and are the same each time (Knuth's linear congruential generator, MMIX).
struct Dice(u64);

impl Dice {
    /// From 0 to below `limit`, which is not 0.
    fn throw(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }
}

/// Puts a few vertices of two layers elsewhere. Returns which layers may be improved now.
fn displace(proper: &mut Proper, dice: &mut Dice) -> Vec<bool> {
    let layers = proper.layers.len();
    let mut stale = vec![false; layers];
    let first = dice.throw(layers);
    for _ in 0..DISPLACED {
        let layer = (first + dice.throw(2)).min(layers - 1);
        let order = &mut proper.layers[layer];
        let (from, to) = (dice.throw(order.len()), dice.throw(order.len()));
        let vertex = order.remove(from);
        order.insert(to, vertex);
        proper.renumber(layer);
        mark_around(&mut stale, layer);
        stale[layer] = true;
    }
    stale
}

fn mark_around(stale: &mut [bool], layer: usize) {
    if layer > 0 {
        stale[layer - 1] = true;
    }
    if let Some(next) = stale.get_mut(layer + 1) {
        *next = true;
    }
}

/// Sifts the stale layers, and those around each one that changes, until none is stale.
fn sift_until_settled(proper: &mut Proper, mut stale: Vec<bool>, allowance: &mut Allowance) {
    let layers = proper.layers.len();
    let mut forward = true;
    while stale.contains(&true) && !allowance.is_spent() {
        for step in 0..layers {
            let layer = if forward { step } else { layers - 1 - step };
            if std::mem::take(&mut stale[layer]) && sift(proper, layer, allowance) {
                mark_around(&mut stale, layer);
            }
        }
        forward = !forward;
    }
}

/// Moves each vertex of a layer to where it causes the fewest crossings with both neighbouring layers, until no move
/// helps. Returns whether one did.
fn sift(proper: &mut Proper, layer: usize, allowance: &mut Allowance) -> bool {
    let size = proper.layers[layer].len();
    if !(2..=SIFTED).contains(&size) {
        return false;
    }
    let gains = Gains::of(proper, layer, allowance);
    let mut order: Vec<usize> = (0..size).collect();
    let mut changed = false;
    let mut again = true;
    while again && !allowance.is_spent() {
        again = false;
        for vertex in 0..size {
            let from = order.iter().position(|&v| v == vertex).unwrap_or(0);
            let to = gains.best_place(&order, from);
            if to != from {
                order.remove(from);
                order.insert(to, vertex);
                again = true;
            }
        }
        changed |= again;
        allowance.spend(size * size);
    }
    if changed {
        let vertices = &proper.layers[layer];
        proper.layers[layer] = order.into_iter().map(|i| vertices[i]).collect();
        proper.renumber(layer);
    }
    changed
}

/// For each two vertices of a layer, what it would cost to have the first above the second instead of below.
struct Gains {
    size: usize,
    cost: Vec<i64>,
}

impl Gains {
    fn of(proper: &Proper, layer: usize, allowance: &mut Allowance) -> Self {
        let vertices = &proper.layers[layer];
        let size = vertices.len();
        let mut cost = vec![0; size * size];
        for side in [Side::Before, Side::After] {
            let near: Vec<Vec<usize>> = vertices
                .iter()
                .map(|&vertex| {
                    let mut near: Vec<usize> = side.of(proper).of(vertex).iter().map(|&n| proper.position[n]).collect();
                    near.sort_unstable();
                    near
                })
                .collect();
            for above in 0..size {
                for below in above + 1..size {
                    let difference = difference(&near[above], &near[below]);
                    cost[above * size + below] += difference;
                    cost[below * size + above] -= difference;
                }
            }
            allowance.spend(near.iter().map(Vec::len).sum::<usize>() * size);
        }
        Self { size, cost }
    }

    /// Where in `order` the vertex at `from` is best; where it is, unless another place is really better.
    fn best_place(&self, order: &[usize], from: usize) -> usize {
        let row = &self.cost[order[from] * self.size..(order[from] + 1) * self.size];
        let (mut best, mut best_cost) = (from, 0);
        let mut cost = 0;
        for to in (0..from).rev() {
            cost += row[order[to]];
            if cost < best_cost {
                (best, best_cost) = (to, cost);
            }
        }
        cost = 0;
        for (to, &other) in order.iter().enumerate().skip(from + 1) {
            cost -= row[other];
            if cost < best_cost {
                (best, best_cost) = (to, cost);
            }
        }
        best
    }
}

/// Crossings between the edges of two vertices with the first above, less those with the second above. Both lists are
/// sorted places of neighbours.
fn difference(above: &[usize], below: &[usize]) -> i64 {
    let pairs = signed(above.len()) * signed(below.len());
    // Most lists don't overlap.
    if above.last() < below.first() {
        return -pairs;
    }
    if below.last() < above.first() {
        return pairs;
    }
    let (mut smaller, mut not_larger, mut total) = (0, 0, 0);
    for a in above {
        while below.get(smaller).is_some_and(|b| b < a) {
            smaller += 1;
        }
        while below.get(not_larger).is_some_and(|b| b <= a) {
            not_larger += 1;
        }
        // Those that cross, less those that don't, shifted by all: `smaller - (all - not_larger)`.
        total += signed(smaller + not_larger);
    }
    total - pairs
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
