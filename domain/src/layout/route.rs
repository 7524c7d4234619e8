//! The curves of the edges: level across a column, an S between two columns.
//!
//! Knows rows and columns only; what lies beside an edge was settled when its bends got their places.

use std::fmt::Write as _;

use super::part::Edge;
use super::proper::Proper;
use super::{Point, Size};

/// The way of the part's edge `number`; `centers` are the heights of its vertices below `top`.
pub(super) fn points(proper: &Proper, number: usize, edge: Edge, centers: &[f64], size: Size, top: f64) -> Vec<Point> {
    let bends = &proper.bends[number];
    let height = |vertex: usize| top + centers[vertex];
    let start = size.column(proper.column[edge.from]) + size.node_width;
    let mut points = vec![Point { x: start, y: height(edge.from) }];
    for (column, bend) in (proper.column[edge.from] + 1..).zip(bends.clone()) {
        let left = size.column(column);
        curve(&mut points, Point { x: left, y: height(bend) });
        curve(&mut points, Point { x: left + size.node_width, y: height(bend) });
    }
    curve(&mut points, Point { x: size.column(proper.column[edge.to]), y: height(edge.to) });
    points
}

/// Goes on to `end`, arriving level; a level piece grows instead of being followed by another.
fn curve(points: &mut Vec<Point>, end: Point) {
    if let [.., start, _, _, last] = points[..]
        && level(start, last)
        && level(last, end)
    {
        points.truncate(points.len() - 3);
    }
    if let Some(&start) = points.last() {
        let middle = f64::midpoint(start.x, end.x);
        points.extend([Point { x: middle, y: start.y }, Point { x: middle, y: end.y }, end]);
    }
}

fn level(a: Point, b: Point) -> bool {
    (a.y - b.y).abs() < 0.01
}

/// The curves as SVG path data, with two decimals at most.
pub(super) fn to_svg(points: &[Point]) -> String {
    let Some((start, curves)) = points.split_first() else { return String::new() };
    let short = |value: f64| (value * 100.0).round() / 100.0;
    let mut out = format!("M{} {}", short(start.x), short(start.y));
    let mut last = *start;
    for curve in curves.chunks_exact(3) {
        if level(last, curve[2]) {
            // Writing to a String can't fail.
            let _ = write!(out, "H{}", short(curve[2].x));
        } else {
            for (sign, point) in ["C", " ", " "].iter().zip(curve) {
                let _ = write!(out, "{sign}{} {}", short(point.x), short(point.y));
            }
        }
        last = curve[2];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(ways: &[(f64, f64)]) -> Vec<Point> {
        let mut points = vec![Point { x: ways[0].0, y: ways[0].1 }];
        for &(x, y) in &ways[1..] {
            curve(&mut points, Point { x, y });
        }
        points
    }

    #[test]
    fn level_pieces_become_one() {
        assert_eq!(to_svg(&path(&[(0.0, 5.0), (60.0, 5.0), (256.0, 5.0), (316.0, 5.0)])), "M0 5H316");
    }

    #[test]
    fn an_s_leaves_and_arrives_level() {
        let points = path(&[(196.0, 26.0), (256.0, 64.333_333), (452.0, 64.333_333)]);
        assert_eq!(to_svg(&points), "M196 26C226 26 226 64.33 256 64.33H452");
        assert_eq!(to_svg(&[]), "");
    }
}
