//! Figures, not judgements: `cargo test -p controller --test suite measure -- --ignored --nocapture`.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "figures for people to read")]

use super::{tickets::shell_ticket, world::World};
use serde_json::json;
use std::{fmt::Write, time::Duration};
use tokio::time::Instant;

fn quantiles(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!("{what}: p50 {:?}, p99 {:?}, max {:?} ({} samples)", at(50), at(99), at(100), times.len());
}

/// Until the PipelineRun of a ticket was asked for.
async fn started(world: &World, name: &str) {
    while world.pipeline_run(name).await.is_none() {
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
}

fn ticket(n: usize) -> domain::ticket::Ticket {
    shell_ticket(&[("RUN_SECONDS", "1"), ("N", &n.to_string())], &json!([]), |_| {})
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn approval_to_pipeline_run() {
    let world = World::start().await;
    world.eventually("ready", async || world.cluster().health().ready.then_some(())).await;
    let mut times = Vec::new();
    for n in 0..200 {
        let ticket = ticket(n);
        let before = Instant::now();
        let id = world.approve(&ticket);
        started(&world, &ticket.name()).await;
        times.push(before.elapsed());
        world.ended(&id).await;
    }
    quantiles("approval to PipelineRun created, one at a time", times);
    let mut calls = String::new();
    for verb in ["POST", "PATCH"] {
        let _ = write!(calls, "{verb} {:.1} ", world.journal.count(verb) as f64 / 200.0);
    }
    println!("writes to the API server per execution: {calls}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn a_burst_of_a_thousand() {
    let world = World::start().await;
    world.eventually("ready", async || world.cluster().health().ready.then_some(())).await;
    let before = Instant::now();
    let ids: Vec<_> = (0..1000).map(|n| world.approve(&ticket(n))).collect();
    while world.journal.count("POST /apis/tekton.dev") < ids.len() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("starts per second in a burst of {}: {:.0}", ids.len(), ids.len() as f64 / before.elapsed().as_secs_f64());
    for id in &ids {
        world.ended(id).await;
    }
    println!("all ended after {:?}", before.elapsed());
}
