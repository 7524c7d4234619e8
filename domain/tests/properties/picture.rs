//! Judging a finished picture from the outside: only its boxes and paths.

use std::collections::BTreeMap;

use domain::layout::{Layout, Point};

/// The pieces of an edge between two columns: (left end, right end).
pub fn pieces(points: &[Point]) -> impl Iterator<Item = (Point, Point)> + '_ {
    points.iter().step_by(3).zip(points.iter().skip(3).step_by(3)).map(|(a, b)| (*a, *b))
}

/// Crossings between columns, taking each curve for its straight line; edges that share an end don't cross there. Level
/// pieces over several columns are cut at the others' ends.
pub fn crossings(picture: &Layout) -> usize {
    let Some(first) = picture.nodes.first() else { return 0 };
    let mut gaps: BTreeMap<u64, Vec<(f64, f64)>> = BTreeMap::new();
    let mut lefts: Vec<f64> = picture.nodes.iter().map(|b| b.x + b.width).collect();
    lefts.sort_by(f64::total_cmp);
    lefts.dedup();
    let gap_width = lefts.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min) - first.width;
    for edge in &picture.edges {
        for (a, b) in pieces(&edge.points) {
            for &left in lefts.iter().filter(|left| **left >= a.x - 0.1 && **left + gap_width <= b.x + 0.1) {
                let at = |x: f64| a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x);
                gaps.entry(left.to_bits()).or_default().push((at(left), at(left + gap_width)));
            }
        }
    }
    gaps.values_mut().map(|lines| crossings_in_gap(lines)).sum()
}

fn crossings_in_gap(lines: &mut [(f64, f64)]) -> usize {
    lines.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut ends: Vec<f64> = lines.iter().map(|line| line.1).collect();
    inversions(&mut ends)
}

/// Merge sort that counts the pairs it turns round.
fn inversions(values: &mut [f64]) -> usize {
    if values.len() < 2 {
        return 0;
    }
    let (left, right) = values.split_at_mut(values.len() / 2);
    let mut total = inversions(left) + inversions(right);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut i, mut j) = (0, 0);
    while i < left.len() || j < right.len() {
        if j == right.len() || (i < left.len() && left[i] <= right[j]) {
            merged.push(left[i]);
            i += 1;
        } else {
            merged.push(right[j]);
            total += left.len() - i;
            j += 1;
        }
    }
    values.copy_from_slice(&merged);
    total
}
