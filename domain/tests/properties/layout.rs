use domain::dag::Dag;
use domain::layout::{Layout, NodeBox, Size, layout};
use proptest::prelude::*;

use crate::dag::edges;
use crate::{graphs, picture};

/// Everything a picture must be, whatever the graph.
fn check(dag: &Dag) -> Layout {
    let size = Size::default();
    let picture = layout(dag, size);
    assert_eq!(picture.nodes.len(), dag.len());
    for node in &picture.nodes {
        assert!(node.x >= 0.0 && node.x + node.width <= picture.width, "{node:?}");
        assert!(node.y >= 0.0 && node.y + node.height <= picture.height, "{node:?}");
    }
    let mut columns: Vec<NodeBox> = picture.nodes.clone();
    columns.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    for pair in columns.windows(2) {
        let same_column = pair[1].x - pair[0].x < 0.01;
        if same_column {
            assert!(pair[1].y - pair[0].y >= size.node_height + size.node_gap - 0.01, "too near: {pair:?}");
        } else {
            assert!(pair[1].x - pair[0].x >= size.node_width + size.layer_gap - 0.01, "too near: {pair:?}");
        }
    }
    assert!(picture.edges.iter().map(|edge| (edge.from, edge.to)).eq(dag.edges()));
    for edge in &picture.edges {
        let (from, to) = (picture.nodes[edge.from], picture.nodes[edge.to]);
        let (start, end) = (edge.points[0], edge.points[edge.points.len() - 1]);
        assert_eq!((start.x, start.y), (from.x + from.width, from.y + from.height / 2.0));
        assert_eq!((end.x, end.y), (to.x, to.y + to.height / 2.0));
        assert_eq!(edge.points.len() % 3, 1);
        assert!(edge.points.windows(2).all(|pair| pair[0].x <= pair[1].x), "not from left to right: {edge:?}");
        assert!(edge.points.iter().all(|p| p.y >= 0.0 && p.y <= picture.height), "outside: {edge:?}");
    }
    picture
}

/// How many pieces of edges run into a box other than by the gaps between columns.
fn hidden_pieces(picture: &Layout) -> usize {
    let pieces = picture.edges.iter().flat_map(|edge| picture::pieces(&edge.points));
    let hits = |(a, b): (domain::layout::Point, domain::layout::Point), node: &NodeBox| {
        let (low, high) = (a.y.min(b.y), a.y.max(b.y));
        a.x < node.x + node.width && b.x > node.x && low < node.y + node.height && high > node.y
    };
    pieces.map(|piece| picture.nodes.iter().filter(|node| hits(piece, node)).count()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_dag_gets_a_picture((nodes, edges) in edges(60)) {
        let dag = graphs::numbered(nodes, &edges);
        let picture = check(&dag);
        prop_assert_eq!(hidden_pieces(&picture), 0);
        prop_assert_eq!(layout(&dag, Size::default()), picture);
    }
}

#[test]
fn the_stored_graphs_have_few_crossings() {
    // A little above what was found, and below Graphviz dot (see docs/decisions/0002-dag-layout.md) by 200 nodes on.
    for (name, most) in [("g50", 42), ("g200", 530), ("g1000", 8_100)] {
        let picture = check(&graphs::stored(name));
        let crossings = picture::crossings(&picture);
        assert!(crossings <= most, "{name}: {crossings}");
        assert_eq!(hidden_pieces(&picture), 0, "{name}");
    }
}

#[test]
fn extremes_get_a_picture_too() {
    check(&graphs::unconnected(1000));
    check(&graphs::fork_join(4000));
    check(&graphs::full_layers(5, 30));
    let chain = check(&graphs::chain(1000));
    assert!(chain.nodes.iter().all(|node| node.y < 0.01));
    // Here some edges take the direct way; boxes still keep their distance.
    check(&graphs::complete(100));
}
