//! What the databases mean to do for each query that is measured: no list, search or statistic may read a table that grows from
//! end to end, or sort what it has not narrowed down. Times differ from machine to machine, plans do not.

use crate::{queries, seed};
use sqlx::{AnyConnection, Connection as _, Row as _};
use std::{
    collections::BTreeSet,
    fmt::Debug,
    sync::{Arc, Mutex},
};
use store::{Options, Store};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
};

/// Tables that grow with what happens. Others (accounts, tokens, statistics by spans) stay small.
const GROWING: [&str; 10] = [
    "executions",
    "execution_targets",
    "recommendations",
    "strategies",
    "tasks",
    "action_records",
    "audit",
    "events",
    "log_lines",
    "rollups",
];

/// What leaves so little that it may be sorted: what has not ended; what an index of substrings found, which is not read when it is
/// much; the tasks of one run; what a label leaves of the catalog.
const LITTLE: [&str; 4] =
    ["stage <> 'ended'", " MATCH ", "FROM tasks WHERE execution_id = $1", " AS BIGINT), p.workflow_id LIMIT "];

/// The statements that the driver tells it has run.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<BTreeSet<String>>>);

#[derive(Default)]
struct Statement {
    whole: String,
    summary: String,
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "db.statement" => value.trim().clone_into(&mut self.whole),
            "summary" => value.clone_into(&mut self.summary),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

impl<S: Subscriber> Layer<S> for Heard {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            let mut said = Statement::default();
            event.record(&mut said);
            let text = if said.whole.is_empty() { said.summary } else { said.whole };
            if text.starts_with("SELECT") || text.starts_with("WITH") {
                self.0.lock().unwrap().insert(text);
            }
        }
    }
}

/// Every statement of the measured queries on this database, and a connection past the store.
async fn asked(heard: &Heard, url: &str) -> (BTreeSet<String>, AnyConnection) {
    let store = Store::open(url, Options::default()).await.unwrap();
    seed::run(&store, 1500, 13).await.unwrap();
    heard.0.lock().unwrap().clear();
    queries::run(&store, 1).await.unwrap();
    store.close().await;
    let statements = std::mem::take(&mut *heard.0.lock().unwrap());
    assert!(statements.len() > 30, "the driver tells what it runs: {statements:#?}");
    (statements, AnyConnection::connect(url).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_query_reads_a_growing_table_from_end_to_end() {
    let heard = Heard::default();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(heard.clone())).unwrap();

    let directory = tempfile::tempdir().unwrap();
    let (statements, mut on) = asked(&heard, &store::sqlite_url(&directory.path().join("plans.sqlite"))).await;
    let mut faults = Vec::new();
    for statement in &statements {
        let plan = sqlx::raw_sql(&format!("EXPLAIN QUERY PLAN {statement}")).fetch_all(&mut on).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get::<String, _>("detail")).collect();
        if plan.iter().any(|step| reads_all(statement, step) || sorts_all(statement, step)) {
            faults.push(format!("{statement}\n    {}", plan.join("\n    ")));
        }
    }
    assert!(faults.is_empty(), "SQLite:\n{}", faults.join("\n\n"));

    let Some(url) = postgres().await else { return };
    let (statements, mut on) = asked(&heard, &url).await;
    // With so few rows reading all of them would be right; where it is told not to, it shows whether it could do otherwise.
    for setting in ["ANALYZE", "SET enable_seqscan = off", "SET plan_cache_mode = force_generic_plan"] {
        sqlx::raw_sql(setting).execute(&mut on).await.unwrap();
    }
    for (number, statement) in statements.iter().enumerate() {
        let values = (1..=99).take_while(|n| statement.contains(&format!("${n}"))).count();
        let nulls = vec!["NULL"; values].join(", ");
        let call = if values == 0 { format!("q{number}") } else { format!("q{number}({nulls})") };
        sqlx::raw_sql(&format!("PREPARE q{number} AS {statement}")).execute(&mut on).await.unwrap();
        let plan = sqlx::raw_sql(&format!("EXPLAIN EXECUTE {call}")).fetch_all(&mut on).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get::<String, _>(0)).collect();
        let scans = |step: &String| GROWING.iter().any(|table| step.contains(&format!("Seq Scan on {table} ")));
        if plan.iter().any(scans) {
            faults.push(format!("{statement}\n    {}", plan.join("\n    ")));
        }
    }
    assert!(faults.is_empty(), "PostgreSQL:\n{}", faults.join("\n\n"));
}

/// Whether a step of SQLite's plan reads a growing table from end to end: all of it, or in an index's order without stopping.
fn reads_all(statement: &str, step: &str) -> bool {
    let Some(name) = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next()) else { return false };
    let growing = |table: &&str| *table == name || statement.contains(&format!(" {table} {name} "));
    GROWING.iter().any(growing) && !(step.contains(" USING ") && statement.contains(" LIMIT "))
}

/// Whether a step of SQLite's plan sorts what has not been narrowed down.
fn sorts_all(statement: &str, step: &str) -> bool {
    step == "USE TEMP B-TREE FOR ORDER BY" && !LITTLE.iter().any(|narrow| statement.contains(narrow))
}

/// An empty database on the test server; none where there is no server.
async fn postgres() -> Option<String> {
    let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI must set TEST_POSTGRES_URL: plans are looked at on both databases"
        );
        eprintln!("skipped for PostgreSQL: TEST_POSTGRES_URL is not set");
        return None;
    };
    let mut on = AnyConnection::connect(&server).await.unwrap();
    let name = format!("plans_{}", std::process::id());
    sqlx::raw_sql(&format!("CREATE DATABASE {name}")).execute(&mut on).await.unwrap();
    let (address, _) = server.rsplit_once('/').unwrap();
    Some(format!("{address}/{name}"))
}
