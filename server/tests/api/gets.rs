//! No GET has an effect: each one there is, by whoever asks, leaves the database as it was.

use crate::{
    rights::lines,
    support::{Console, Database},
    world::World,
};
use reqwest::{Client, Method, redirect::Policy};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What may change by reading, and why.
const MAY_CHANGE: [(&str, &[&str]); 2] = [
    // When a token was last used is noted, once a minute at most: whoever looks for tokens that nobody needs reads it.
    ("tokens", &["last_used_at"]),
    // A session that is used lives on: its last use is noted, once a minute at most. Its cookie changes only after its person's roles did,
    // which they do not here.
    ("sessions", &["used_at"]),
];

/// Tables that lose rows by the clock: a name that nobody tried lately is forgotten.
const BY_THE_CLOCK: [&str; 1] = ["sign_in_tries"];

/// Every row of every table, but for what may change.
fn rows(console: &Console) -> BTreeMap<String, Vec<String>> {
    let tables = console.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1");
    let of = |table: &str| {
        let left_out =
            MAY_CHANGE.iter().find(|(name, _)| *name == table).map_or::<&[&str], _>(&[], |(_, columns)| *columns);
        let row = format!("(to_jsonb(t) - '{{{}}}'::text[])::text", left_out.join(","));
        let text = console.sql(&format!("SELECT {row} FROM \"{table}\" t ORDER BY 1"));
        text.lines().map(str::to_owned).collect::<Vec<String>>()
    };
    tables.lines().filter(|table| !BY_THE_CLOCK.contains(table)).map(|table| (table.to_owned(), of(table))).collect()
}

/// What pages and lists are asked with besides their bare address.
fn asked_otherwise(world: &World) -> Vec<String> {
    let World { open, ticket, execution, .. } = world;
    let logs = format!("/api/v1/executions/{execution}/tasks/execute/logs");
    let mut all: Vec<String> = [
        "/approvals?state=decided",
        "/runs?state=succeeded&q=oomkill",
        "/catalog?q=oomkill&status=any",
        "/catalog/new?from=oomkill-scale-down",
        "/effectiveness?by=version&days=30",
        "/effectiveness/csv?table=calibration&by=model",
        "/effectiveness/patterns?days=7",
        "/audit?q=approve&door=api",
        "/findings?state=any&severity=medium&q=worker",
        "/search?q=oomkill",
        "/settings/cluster?preflight",
        "/settings/policies?from=1",
        "/settings/policies/1?simulate=1",
        "/nowhere",
        "/api/v1/audit?format=jsonl",
        "/api/v1/audit?format=csv&door=api",
        "/api/v1/playbooks?q=oomkill&status=any",
        "/api/v1/effectiveness?group_by=version",
        "/api/v1/policies/1/simulate?days=7",
        "/api/v1/nowhere",
    ]
    .map(str::to_owned)
    .into();
    all.extend([
        format!("/approvals/review?id={open}"),
        format!("/recommendations/{open}?strategy=0&ticket={ticket}"),
        format!("/runs/{execution}?task=execute"),
        format!("/runs/{execution}/log?task=execute&find=a"),
        format!("{logs}?timestamps=true"),
        format!("{logs}?follow=true"),
    ]);
    all
}

#[tokio::test]
async fn nothing_is_changed_by_reading() {
    let Some(console) = Console::start_on(Database::Postgres) else { return };
    let world = World::of(&console).await;
    let routes = lines().into_iter().filter(|line| line.method == Method::GET);
    let mut addresses: Vec<String> = routes.map(|line| world.address(&line.path)).collect();
    assert!(addresses.len() > 40, "all of them: {addresses:?}");
    addresses.extend(asked_otherwise(&world));

    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let mut callers = vec![("nobody", None, None)];
    for role in ["viewer", "operator", "author", "auditor", "admin", "propose", "ingest"] {
        callers.push((role, console.token(role, role).secret, None));
    }
    callers.push(("the first admin", None, Some(console.browser().await.cookie)));

    let mut before = rows(&console);
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = rows(&console);
        if now == before {
            break;
        }
        assert!(Instant::now() < until, "it does not come to rest");
        before = now;
    }
    for (who, token, cookie) in callers {
        let mut found = 0;
        for address in &addresses {
            for part in [None, Some("page")] {
                let mut request = client.get(format!("{}{address}", console.url));
                if let Some(token) = &token {
                    request = request.bearer_auth(token);
                }
                if let Some(cookie) = &cookie {
                    request = request.header("cookie", cookie);
                }
                if let Some(part) = part {
                    request = request.header("kubernaut-part", part);
                }
                // Some are streams without an end: that one begins is enough.
                let answer = request.send().await.unwrap();
                let status = answer.status();
                assert!(!status.is_server_error(), "{who} {address}: {status}; {}", console.logged());
                found += u32::from(answer.status().is_success());
            }
        }
        assert!(found > 5, "{who} read something");
        let after = rows(&console);
        for (table, rows) in &after {
            assert_eq!(before.get(table), Some(rows), "what {who} read changed {table}");
        }
        before = after;
    }
}
