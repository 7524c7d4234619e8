//! A list of steps, and the graph that it makes: what is taken has an order that each step's neighbours agree with, and can be drawn; what is
//! refused has a fault.

use crate::{Came, document, kind, refused};
use domain::{
    dag::Dag,
    layout::{Size, layout},
    workflow::StepPlan,
};

pub const SEEDS: &[&[u8]] = &[include_bytes!("../../domain/tests/seeds/workflow-execution-spec.json")];

/// A graph of more than this is drawn for too long to be tried often.
const DRAWN: usize = 40;

pub fn run(input: &[u8]) -> Came {
    // The first byte says which of the two readers it is for.
    match input.split_first() {
        Some((b'g', rest)) => graph(rest),
        _ => plan(input),
    }
}

fn plan(input: &[u8]) -> Came {
    let document = match document(input) {
        Ok(document) => document,
        Err(came) => return came,
    };
    let plan = match StepPlan::parse(&document) {
        Ok(plan) => plan,
        Err(faults) => return refused(&document, faults.as_slice()),
    };
    let written = serde_json::to_value(&plan).expect("plain data");
    let again = StepPlan::parse(&written).map_err(|faults| faults.into_vec());
    assert_eq!(again.as_ref(), Ok(&plan), "what is read again is the same");
    let tasks: Vec<(&str, &[String])> =
        plan.steps.iter().map(|step| (step.name.as_str(), step.run_after.as_slice())).collect();
    let dag = Dag::new(&tasks).expect("the plan was taken");
    ordered(&dag);
    Came::Taken(kind((dag.len(), dag.edges().count())))
}

/// Each byte is a task: its upper half names it, its lower half what it runs after; `0xff` lets a task run after one more.
fn graph(input: &[u8]) -> Came {
    let mut tasks: Vec<(String, Vec<String>)> = Vec::new();
    let mut more = false;
    for byte in input.iter().take(200) {
        let (name, after) = ((byte >> 4).to_string(), (byte & 0x0f).to_string());
        match (byte, tasks.last_mut()) {
            (0xff, _) => more = true,
            (_, Some(last)) if more => {
                last.1.push(after);
                more = false;
            }
            _ => {
                let name = if tasks.len() < 16 { name } else { format!("{name}-{}", tasks.len()) };
                tasks.push((name, if after == "0" { Vec::new() } else { vec![after] }));
            }
        }
    }
    match Dag::new(&tasks) {
        Ok(dag) => {
            ordered(&dag);
            Came::Taken(kind((dag.len(), dag.edges().count(), dag.layers().len())))
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a reason");
            let mut codes: Vec<&str> = faults.iter().map(|fault| fault.code()).collect();
            for fault in &faults {
                let (task, reference) = fault.place();
                let (_, after) = tasks.get(task).expect("a fault is at a task");
                assert!(reference.is_none_or(|at| at < after.len()), "{fault} is at a reference");
            }
            codes.sort_unstable();
            codes.dedup();
            Came::Refused(kind(codes))
        }
    }
}

/// Each task comes once, after all that it runs after; its layer is beyond theirs; a longest way is one; and all of it can be drawn.
fn ordered(dag: &Dag) {
    let order = dag.topological_order();
    let mut place = vec![usize::MAX; dag.len()];
    for (at, &task) in order.iter().enumerate() {
        assert_eq!(place[task], usize::MAX, "a task comes twice");
        place[task] = at;
    }
    assert_eq!(order.len(), dag.len());
    assert!(dag.edges().all(|(before, after)| place[before] < place[after]));
    let layers = dag.layers();
    assert_eq!(layers.iter().map(Vec::len).sum::<usize>(), dag.len());
    let durations: Vec<u64> = (0..dag.len() as u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let path = dag.critical_path(&durations);
    assert!(path.windows(2).all(|pair| dag.successors(pair[0]).contains(&pair[1])), "a way that is none: {path:?}");
    assert_eq!(path.is_empty(), dag.is_empty());
    if dag.len() <= DRAWN {
        let drawn = layout(dag, Size::default());
        let overlap = drawn.nodes.iter().enumerate().any(|(n, one)| {
            drawn.nodes[n + 1..].iter().any(|other| {
                one.x < other.x + other.width
                    && other.x < one.x + one.width
                    && one.y < other.y + other.height
                    && other.y < one.y + one.height
            })
        });
        assert!(!overlap, "boxes overlap");
        assert_eq!(drawn.edges.len(), dag.edges().count());
    }
}
