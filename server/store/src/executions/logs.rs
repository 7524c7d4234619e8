//! Archived log lines of an attempt. They are numbered from 1 by who reads them in the cluster, so reading them again after
//! a restart writes nothing twice.

use crate::{
    Store,
    sql::{Row, Sql},
    words::escaped,
    write::{ROWS_AT_ONCE, Write},
};
use domain::{
    event::Topic,
    execution::LogLine,
    ids::ExecutionId,
    log::{ansi::plain, find::places, level::Needle},
    ports::{LogOf, LogSlice, StoreError},
};
use serde_json::json as object;

pub(super) async fn append(
    store: &Store,
    id: &ExecutionId,
    task: &str,
    attempt: u32,
    lines: &[LogLine],
) -> Result<(), StoreError> {
    if lines.is_empty() {
        return Ok(());
    }
    let mut write = store.write().await?;
    let mut new = 0;
    for some in lines.chunks(ROWS_AT_ONCE) {
        let mut sql =
            Sql::new("log line", "INSERT INTO log_lines (execution_id, task, attempt, line, at, text) VALUES ");
        for (i, line) in some.iter().enumerate() {
            sql.push(if i == 0 { "" } else { ", " });
            sql.tuple([
                id.as_str().into(),
                task.into(),
                attempt.into(),
                line.line.into(),
                line.at.into(),
                line.text.as_str().into(),
            ]);
        }
        sql.push(" ON CONFLICT (execution_id, task, attempt, line) DO NOTHING");
        new += sql.run(write.on()).await?;
    }
    if new == 0 {
        return Ok(());
    }
    let lines = count(&mut write, id, task, attempt).await?;
    write.event(Topic::Task, id.as_str(), object!({ "task": task, "attempt": attempt, "lines": lines }));
    write.commit().await
}

/// How many lines there are. They are numbered without gaps: the last number says it, without counting.
async fn count(write: &mut Write, id: &ExecutionId, task: &str, attempt: u32) -> Result<i64, StoreError> {
    let row = Sql::new(
        "log line",
        "SELECT line FROM log_lines WHERE execution_id = $1 AND task = $2 AND attempt = $3 ORDER BY line DESC LIMIT 1",
    )
    .bind(id.as_str())
    .bind(task)
    .bind(attempt)
    .maybe(write.on())
    .await?;
    row.map_or(Ok(0), |row| row.int("line"))
}

pub(super) async fn close(store: &Store, id: &ExecutionId, task: &str, attempt: u32) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    let mut sql = Sql::new("log's end", "INSERT INTO log_ends (execution_id, task, attempt) VALUES ");
    sql.tuple([id.as_str().into(), task.into(), attempt.into()]);
    sql.push(" ON CONFLICT (execution_id, task, attempt) DO NOTHING");
    if sql.run(write.on()).await? == 0 {
        return Ok(());
    }
    let lines = count(&mut write, id, task, attempt).await?;
    let data = object!({ "task": task, "attempt": attempt, "lines": lines, "whole": true });
    write.event(Topic::Task, id.as_str(), data);
    write.commit().await
}

pub(super) async fn closed(store: &Store, id: &ExecutionId, task: &str, attempt: u32) -> Result<bool, StoreError> {
    let row =
        Sql::new("log's end", "SELECT attempt FROM log_ends WHERE execution_id = $1 AND task = $2 AND attempt = $3")
            .bind(id.as_str())
            .bind(task)
            .bind(attempt)
            .maybe(&mut *store.read().await?)
            .await?;
    Ok(row.is_some())
}

pub(super) async fn read(
    store: &Store,
    id: &ExecutionId,
    task: &str,
    attempt: u32,
    since_line: u32,
    limit: u32,
) -> Result<Vec<LogLine>, StoreError> {
    let rows = Sql::new(
        "log line",
        "SELECT line, at, text FROM log_lines WHERE execution_id = $1 AND task = $2 AND attempt = $3 AND line > $4 \
         ORDER BY line LIMIT $5",
    )
    .bind(id.as_str())
    .bind(task)
    .bind(attempt)
    .bind(since_line)
    .bind(limit)
    .all(&mut *store.read().await?)
    .await?;
    rows.iter().map(line).collect()
}

/// The beginning of a statement about the lines of one log.
fn of_log(select: &str, of: LogOf<'_>) -> Sql {
    Sql::new(
        "log line",
        format!("SELECT {select} FROM log_lines WHERE execution_id = $1 AND task = $2 AND attempt = $3"),
    )
    .bind(of.execution.as_str())
    .bind(of.task)
    .bind(of.attempt)
}

pub(super) async fn last_line(store: &Store, of: LogOf<'_>) -> Result<u32, StoreError> {
    let mut sql = of_log("line", of);
    sql.push(" ORDER BY line DESC LIMIT 1");
    let row = sql.maybe(&mut *store.read().await?).await?;
    row.map_or(Ok(0), |row| row.count("line"))
}

pub(super) async fn slice(store: &Store, of: LogOf<'_>, slice: &LogSlice) -> Result<Vec<LogLine>, StoreError> {
    let mut sql = of_log("line, at, text", of);
    sql.push(" AND line > ").value(slice.after);
    if let Some(before) = slice.before {
        sql.push(" AND line < ").value(before);
    }
    for (i, needle) in slice.like.iter().enumerate() {
        let pattern = match needle {
            Needle::Holds(text) => format!("%{}%", escaped(text)),
            Needle::Begins(text) => format!("{}%", escaped(text)),
        };
        sql.push(if i == 0 { " AND (" } else { " OR " });
        sql.push("LOWER(text) LIKE ").value(pattern).push(" ESCAPE '\\'");
    }
    if !slice.like.is_empty() {
        sql.push(")");
    }
    sql.push(if slice.from_end { " ORDER BY line DESC LIMIT " } else { " ORDER BY line LIMIT " });
    sql.value(slice.limit);
    let rows = sql.all(&mut *store.read().await?).await?;
    let mut lines: Vec<LogLine> = rows.iter().map(line).collect::<Result<_, _>>()?;
    if slice.from_end {
        lines.reverse();
    }
    Ok(lines)
}

/// Lines that are looked at in one go when a log is searched.
const SEARCHED_AT_ONCE: u32 = 2000;

/// The databases disagree about letters outside ASCII, so the text is looked for as it was typed and in small letters. Every line
/// with colours comes back whole: what is found must be text and no colour, and a colour may begin in the middle of it.
pub(super) async fn holding(store: &Store, of: LogOf<'_>, text: &str, limit: u32) -> Result<Vec<u32>, StoreError> {
    let pattern = |text: &str| format!("%{}%", escaped(text));
    let mut read = store.read().await?;
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let mut sql = of_log("line, CASE WHEN text LIKE '%\u{1b}%' THEN text ELSE NULL END AS coloured", of);
        sql.push(" AND line > ").value(after).push(" AND (text LIKE '%\u{1b}%' OR LOWER(text) LIKE ");
        sql.value(pattern(&text.to_lowercase())).push(" ESCAPE '\\' OR text LIKE ").value(pattern(text));
        sql.push(" ESCAPE '\\') ORDER BY line LIMIT ").value(SEARCHED_AT_ONCE);
        let rows = sql.all(&mut read).await?;
        for row in &rows {
            after = row.count("line")?;
            let coloured = row.maybe_text("coloured")?;
            if coloured.is_none_or(|whole| !places(&plain(&whole), text).is_empty()) {
                found.push(after);
            }
        }
        if rows.len() < SEARCHED_AT_ONCE as usize || found.len() >= limit as usize {
            found.truncate(limit as usize);
            return Ok(found);
        }
    }
}

fn line(row: &Row) -> Result<LogLine, StoreError> {
    Ok(LogLine { line: row.count("line")?, at: row.maybe_time("at")?, text: row.text("text")? })
}
