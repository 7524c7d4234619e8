//! Prints how long a layout takes and how many edges cross in it, for the graphs in `tests/graphs` and some extremes.
//!
//! `cargo run --release -p domain --example layout_bench`; add a file name to get that graph's picture as SVG instead.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a report for a terminal, by people at hand")]

#[path = "../tests/properties/graphs.rs"]
mod graphs;
#[path = "../tests/properties/picture.rs"]
mod picture;

use std::fmt::Write as _;
use std::time::Instant;

use domain::dag::Dag;
use domain::layout::{Layout, NodeBox, Size, layout};

const RUNS: usize = 15;

fn main() {
    let mut arguments = std::env::args().skip(1);
    if let Some(file) = arguments.next() {
        let dag = graphs::read(file.as_ref());
        println!("{}", to_svg(&layout(&dag, Size::default())));
        return;
    }
    println!("{:<24}{:>8}{:>8}{:>12}{:>12}{:>12}", "graph", "nodes", "edges", "crossings", "least ms", "median ms");
    for name in ["g50", "g200", "g1000"] {
        report(name, &graphs::stored(name));
    }
    report("1,000 in a chain", &graphs::chain(1000));
    report("1,000 unconnected", &graphs::unconnected(1000));
    report("4,000 in parallel", &graphs::fork_join(4000));
    report("200, every pair", &graphs::complete(200));
    report("50 layers of 40, full", &graphs::full_layers(50, 40));
}

fn report(name: &str, dag: &Dag) {
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(layout(std::hint::black_box(dag), Size::default()));
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let crossings = picture::crossings(&layout(dag, Size::default()));
    let (nodes, edges) = (dag.len(), dag.edges().count());
    println!("{name:<24}{nodes:>8}{edges:>8}{crossings:>12}{:>12.2}{:>12.2}", times[0], times[RUNS / 2]);
}

fn to_svg(picture: &Layout) -> String {
    let mut out = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='-10 -10 {} {}'><rect x='-10' y='-10' width='100%' height='100%' fill='white'/>",
        picture.width + 20.0,
        picture.height + 20.0
    );
    for edge in &picture.edges {
        write!(out, "<path d='{}' fill='none' stroke='#888' stroke-width='1.5'/>", edge.to_svg()).unwrap();
    }
    for (number, NodeBox { x, y, width, height }) in picture.nodes.iter().enumerate() {
        let (tx, ty) = (x + 12.0, y + height / 2.0 + 5.0);
        write!(out, "<rect x='{x}' y='{y}' width='{width}' height='{height}' rx='7' fill='white' stroke='#333'/>")
            .unwrap();
        write!(out, "<text x='{tx}' y='{ty}' font-family='sans-serif' font-size='14'>t{number}</text>").unwrap();
    }
    out + "</svg>"
}
