//! Graphs to draw: the stored ones, and extremes.

use std::path::Path;

use domain::dag::Dag;
use serde::Deserialize;

#[derive(Deserialize)]
struct Stored {
    nodes: Vec<String>,
    edges: Vec<(usize, usize)>,
}

pub fn read(file: &Path) -> Dag {
    let text = std::fs::read_to_string(file).unwrap();
    let stored: Stored = serde_json::from_str(&text).unwrap();
    from_edges(&stored.nodes, &stored.edges)
}

/// `tests/graphs/NAME.json`: layered random graphs of 50, 200 and 1,000 nodes.
pub fn stored(name: &str) -> Dag {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/graphs").join(name).with_extension("json"))
}

/// Edges are (earlier, later).
pub fn from_edges(names: &[String], edges: &[(usize, usize)]) -> Dag {
    let mut tasks: Vec<(&str, Vec<&str>)> = names.iter().map(|name| (name.as_str(), Vec::new())).collect();
    for &(from, to) in edges {
        tasks[to].1.push(&names[from]);
    }
    Dag::new(&tasks).unwrap()
}

pub fn numbered(nodes: usize, edges: &[(usize, usize)]) -> Dag {
    let names: Vec<String> = (0..nodes).map(|i| format!("t{i}")).collect();
    from_edges(&names, edges)
}

pub fn chain(nodes: usize) -> Dag {
    numbered(nodes, &(1..nodes).map(|i| (i - 1, i)).collect::<Vec<_>>())
}

pub fn unconnected(nodes: usize) -> Dag {
    numbered(nodes, &[])
}

/// One, then many in parallel, then one.
pub fn fork_join(parallel: usize) -> Dag {
    numbered(parallel + 2, &(1..=parallel).flat_map(|i| [(0, i), (i, parallel + 1)]).collect::<Vec<_>>())
}

/// Each runs after all before it.
pub fn complete(nodes: usize) -> Dag {
    numbered(nodes, &(0..nodes).flat_map(|to| (0..to).map(move |from| (from, to))).collect::<Vec<_>>())
}

/// Each runs after all of the layer before.
pub fn full_layers(layers: usize, width: usize) -> Dag {
    let edges = (width..layers * width).flat_map(|to| {
        let first = (to / width - 1) * width;
        (first..first + width).map(move |from| (from, to))
    });
    numbered(layers * width, &edges.collect::<Vec<_>>())
}
