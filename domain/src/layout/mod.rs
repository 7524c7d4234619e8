//! Where the tasks of a run are drawn: a layered picture from left to right (Sugiyama, Tagawa and Toda 1981).
//!
//! Knows sizes and order only: not what a task is called, how it goes, or what draws it. The same graph and sizes give
//! the same picture everywhere; there is no randomness, and work is bounded by counting it, not by a clock.
//!
//! A task's column is the earliest step at which it could run ([`Dag::layers`]). Parts that no edge connects are
//! stacked; more than a handful of tasks without any edge are wrapped into a grid below the rest.
//! Why not a library, with figures: `docs/decisions/0002-dag-layout.md`.

mod order;
mod part;
mod place;
mod proper;
mod route;

use serde::{Deserialize, Serialize};

use crate::dag::Dag;
use proper::Proper;

/// Sizes in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Size {
    /// Width of a task's box.
    pub node_width: f64,
    /// Height of a task's box.
    pub node_height: f64,
    /// Least distance between boxes above each other.
    pub node_gap: f64,
    /// Distance between columns: room for the edges.
    pub layer_gap: f64,
}

impl Default for Size {
    fn default() -> Self {
        Self { node_width: 196.0, node_height: 52.0, node_gap: 24.0, layer_gap: 60.0 }
    }
}

impl Size {
    /// The left side of a column.
    fn column(self, layer: usize) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "columns are counted in thousands")]
        let layer = layer as f64;
        layer * (self.node_width + self.layer_gap)
    }

    /// The box in a column whose middle is at the height `center`.
    fn at(self, layer: usize, center: f64) -> NodeBox {
        let Self { node_width: width, node_height: height, .. } = self;
        NodeBox { x: self.column(layer), y: center - height / 2.0, width, height }
    }
}

/// A picture with its upper left corner at 0, 0; y grows downwards.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Layout {
    /// One box for each task, by number.
    pub nodes: Vec<NodeBox>,
    /// One path for each edge, in the order of [`Dag::edges`].
    pub edges: Vec<EdgePath>,
    /// Width of the whole.
    pub width: f64,
    /// Height of the whole.
    pub height: f64,
}

/// A task's box.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct NodeBox {
    /// Left side.
    pub x: f64,
    /// Upper side.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// The way from one task to a later one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EdgePath {
    /// The earlier task.
    pub from: usize,
    /// The later task.
    pub to: usize,
    /// A chain of cubic Bézier curves: the start, then for each curve its two control points and its end.
    pub points: Vec<Point>,
}

impl EdgePath {
    /// As the `d` of an SVG `path`.
    pub fn to_svg(&self) -> String {
        route::to_svg(&self.points)
    }
}

/// A place in the picture; on the wire `[x, y]`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "[f64; 2]", into = "[f64; 2]")]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

impl From<[f64; 2]> for Point {
    fn from([x, y]: [f64; 2]) -> Self {
        Self { x, y }
    }
}

impl From<Point> for [f64; 2] {
    fn from(point: Point) -> Self {
        [point.x, point.y]
    }
}

/// Draws the graph. Boxes never overlap and every edge runs from left to right, whatever the graph. Edges pass between
/// the boxes of the columns they cross; only where there are tens of thousands of such passages, the longest edges take
/// the direct way.
pub fn layout(dag: &Dag, size: Size) -> Layout {
    let column = columns(dag);
    let (parts, loose) = part::split(dag);
    let mut boxes = vec![NodeBox::default(); dag.len()];
    let mut paths = Vec::new();
    let mut bottom = 0.0;
    let mut passages = proper::MOST_PASSAGES;
    for part in &parts {
        let top = if bottom > 0.0 { bottom + size.node_gap } else { 0.0 };
        let mut proper = Proper::new(part, &column, &mut passages);
        order::reduce_crossings(&mut proper, part.tasks.len(), dag.len());
        let rows = place::rows(&proper, size);
        for (vertex, &task) in part.tasks.iter().enumerate() {
            boxes[task] = size.at(column[task], top + rows.centers[vertex]);
        }
        for (number, edge) in part.edges.iter().enumerate() {
            let (from, to) = (part.tasks[edge.from], part.tasks[edge.to]);
            let points = route::points(&proper, number, *edge, &rows.centers, size, top);
            paths.push((edge.number, EdgePath { from, to, points }));
        }
        bottom = top + rows.height;
    }
    let top = if bottom > 0.0 { bottom + size.node_gap } else { 0.0 };
    let height = part::wrap(&loose, columns_used(&column), size, top, &mut boxes).max(bottom);
    paths.sort_unstable_by_key(|(number, _)| *number);
    Layout {
        width: boxes.iter().map(|b| b.x + b.width).fold(0.0, f64::max),
        height,
        nodes: boxes,
        edges: paths.into_iter().map(|(_, path)| path).collect(),
    }
}

/// Each task's column.
fn columns(dag: &Dag) -> Vec<usize> {
    let mut column = vec![0; dag.len()];
    for (number, tasks) in dag.layers().iter().enumerate() {
        for &task in tasks {
            column[task] = number;
        }
    }
    column
}

fn columns_used(column: &[usize]) -> usize {
    column.iter().max().map_or(0, |last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(tasks: &[(&str, &[&str])]) -> Layout {
        layout(&Dag::new(tasks).unwrap(), Size::default())
    }

    fn corners(picture: &Layout) -> Vec<(f64, f64)> {
        picture.nodes.iter().map(|b| (b.x, b.y)).collect()
    }

    #[test]
    fn nothing_is_an_empty_picture() {
        assert_eq!(draw(&[]), Layout::default());
    }

    #[test]
    fn one_task_fills_the_picture() {
        let picture = draw(&[("a", &[])]);
        assert_eq!(picture.nodes, [NodeBox { x: 0.0, y: 0.0, width: 196.0, height: 52.0 }]);
        assert_eq!((picture.width, picture.height), (196.0, 52.0));
    }

    #[test]
    fn two_that_join_lie_symmetrically() {
        let picture = draw(&[("restart-pods", &[]), ("scale", &[]), ("pr", &["restart-pods", "scale"])]);
        assert_eq!(corners(&picture), [(0.0, 0.0), (0.0, 76.0), (256.0, 38.0)]);
        assert_eq!((picture.width, picture.height), (452.0, 128.0));
        let paths: Vec<_> = picture.edges.iter().map(EdgePath::to_svg).collect();
        assert_eq!(paths, ["M196 26C226 26 226 64 256 64", "M196 102C226 102 226 64 256 64"]);
    }

    #[test]
    fn a_fork_and_join_of_four_lies_symmetrically_in_the_order_given() {
        let picture = draw(&[
            ("a", &[]),
            ("b", &["a"]),
            ("c", &["a"]),
            ("d", &["a"]),
            ("e", &["a"]),
            ("f", &["b", "c", "d", "e"]),
        ]);
        let rows: Vec<f64> = picture.nodes.iter().map(|b| b.y).collect();
        assert_eq!(rows, [114.0, 0.0, 76.0, 152.0, 228.0, 114.0]);
    }

    #[test]
    fn a_long_edge_goes_straight_past_the_boxes_between() {
        let picture = draw(&[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &["a", "c"])]);
        let long = picture.edges.iter().find(|edge| (edge.from, edge.to) == (0, 3)).unwrap();
        // Down, along, up: three curves.
        assert_eq!(long.points.len(), 10);
        let y = long.points[3].y;
        assert!((long.points[6].y - y).abs() < 0.01);
        for node in &picture.nodes[1..3] {
            assert!(y < node.y || y > node.y + node.height);
        }
        assert!(y >= 0.0 && y <= picture.height);
    }

    #[test]
    fn unconnected_parts_are_stacked() {
        let picture = draw(&[("a", &[]), ("x", &[]), ("b", &["a"]), ("y", &["x"])]);
        assert_eq!(corners(&picture), [(0.0, 0.0), (0.0, 76.0), (256.0, 0.0), (256.0, 76.0)]);
    }

    #[test]
    fn a_few_tasks_without_edges_stand_in_one_column_and_many_in_a_grid() {
        let names: Vec<String> = (0..1000).map(|i| i.to_string()).collect();
        let tasks: Vec<(&str, [&str; 0])> = names.iter().map(|name| (name.as_str(), [])).collect();
        let few = layout(&Dag::new(&tasks[..8]).unwrap(), Size::default());
        assert_eq!((few.width, few.height), (196.0, 8.0 * 52.0 + 7.0 * 24.0));
        let many = layout(&Dag::new(&tasks).unwrap(), Size::default());
        let ratio = many.width / many.height;
        assert!((1.0..2.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn points_are_pairs_on_the_wire() {
        let picture = draw(&[("a", &[]), ("b", &["a"])]);
        let json = serde_json::to_value(&picture).unwrap();
        assert_eq!(json["edges"][0]["points"][0], serde_json::json!([196.0, 26.0]));
        assert_eq!(serde_json::from_value::<Layout>(json).unwrap(), picture);
    }
}
