//! Executions and what they leave behind: reading and listing here; claiming, starting, observing, logs, action records and import in
//! modules of their own.

mod actions;
mod claim;
mod concurrency;
mod import;
mod logs;
mod observe;
mod rows;
mod start;
mod targets;

pub(crate) use claim::claim;
pub(crate) use concurrency::in_the_way;
pub(crate) use observe::announce;
pub(crate) use rows::{COLUMNS, execution};
pub(crate) use targets::OVERLAP;

use self::rows::{tasks, whole, whole_columns};
use crate::{
    Store,
    find::{Indexed, find},
    page::{key, page_of, wanted},
    sql::Sql,
    words::{searchable, words},
};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    execution::{
        ActionRecord, Execution, ExecutionLine, ExecutionState, ExecutionSubject, LogLine, Progress, Standing,
    },
    ids::{ExecutionId, RecommendationId},
    observation::{Changed, Observation},
    paging::{Page, PageOf},
    policy::{Concurrency, InTheWay},
    ports::{ActionFilter, ExecutionFilter, ExecutionStore, LogOf, LogReader, LogSlice, Permit, StoreError},
    recommendation::ResourceRef,
    target::kinds::Spot,
    time::Timestamp,
};
use sqlx::AnyConnection;
use std::collections::HashMap;

const LIST: &str = "executions";

#[async_trait]
impl ExecutionStore for Store {
    async fn get(&self, id: &ExecutionId) -> Result<Option<Execution>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let sql = format!("SELECT {} FROM executions WHERE id = $1", whole_columns());
        let row = Sql::new("execution", sql).bind(id.as_str()).maybe(&mut snapshot).await?;
        whole(&mut snapshot, row.as_ref()).await
    }

    async fn by_name(&self, cluster: &str, name: &str) -> Result<Option<Execution>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let sql = format!("SELECT {} FROM executions WHERE cluster = $1 AND name = $2", whole_columns());
        let row = Sql::new("execution", sql).bind(cluster).bind(name).maybe(&mut snapshot).await?;
        whole(&mut snapshot, row.as_ref()).await
    }

    async fn list(&self, filter: &ExecutionFilter, page: &Page) -> Result<PageOf<Execution>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let mut found = self.page(&mut snapshot, filter, page).await?;
        let mut tasks = tasks::of_these(&mut snapshot, &found.items).await?;
        for one in &mut found.items {
            one.tasks = tasks.remove(one.subject.id.as_str()).unwrap_or_default();
        }
        Ok(found)
    }

    async fn lines(&self, filter: &ExecutionFilter, page: &Page) -> Result<PageOf<ExecutionLine>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let PageOf { items, next_cursor } = self.page(&mut snapshot, filter, page).await?;
        let mut progress = tasks::progress(&mut snapshot, &items).await?;
        let line = |execution: Execution| {
            let progress = progress.remove(execution.subject.id.as_str()).unwrap_or_default();
            ExecutionLine { execution, progress }
        };
        Ok(PageOf { items: items.into_iter().map(line).collect(), next_cursor })
    }
    async fn last_ended(&self, many: u32) -> Result<Vec<ExecutionLine>, StoreError> {
        let mut sql = Sql::new(
            "execution",
            format!(
                "SELECT {COLUMNS} FROM executions WHERE stage = 'ended' AND finished_at IS NOT NULL \
                 ORDER BY finished_at DESC, id DESC LIMIT "
            ),
        );
        sql.value(many);
        let rows = sql.all(&mut *self.read().await?).await?;
        let line = |row| Ok(ExecutionLine { execution: execution(row)?, progress: Progress::default() });
        rows.iter().map(line).collect()
    }

    async fn standing(&self) -> Result<Standing, StoreError> {
        let sql = "SELECT state, COUNT(*) AS many, MIN(created_at) AS since FROM executions \
                   WHERE state IN ('pending', 'running') GROUP BY state";
        let mut standing = Standing::default();
        for row in Sql::new("execution", sql).all(&mut *self.read().await?).await? {
            match row.word("state", ExecutionState::from_name)? {
                ExecutionState::Pending => {
                    (standing.pending, standing.pending_since) = (row.count("many")?, row.maybe_time("since")?);
                }
                _ => standing.running = row.count("many")?,
            }
        }
        Ok(standing)
    }

    async fn newest_on(
        &self,
        objects: &[(&str, &ResourceRef)],
        since: Timestamp,
    ) -> Result<Vec<Execution>, StoreError> {
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = Sql::new(
            "execution",
            format!(
                "SELECT {COLUMNS} FROM executions WHERE id IN (SELECT (SELECT e.id FROM executions e \
            WHERE e.target = object.column2 AND e.cluster = object.column1 AND e.created_at >= "
            ),
        );
        sql.value(since).push(" ORDER BY e.created_at DESC, e.id DESC LIMIT 1) FROM (VALUES ");
        for (i, (cluster, object)) in objects.iter().enumerate() {
            sql.push(if i == 0 { "" } else { ", " }).tuple([(*cluster).into(), target_key(object).into()]);
        }
        sql.push(") AS object)");
        sql.all(&mut *self.read().await?).await?.iter().map(execution).collect()
    }

    async fn in_the_way(
        &self,
        cluster: &str,
        objects: &[Spot],
        guard: Concurrency,
    ) -> Result<Option<InTheWay>, StoreError> {
        in_the_way(&mut *self.read().await?, self.dialect().clock(), cluster, objects, guard).await
    }

    async fn these(&self, ids: &[ExecutionId]) -> Result<Vec<Execution>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = Sql::new("execution", format!("SELECT {COLUMNS} FROM executions WHERE id IN "));
        sql.list(ids.iter().map(ExecutionId::as_str));
        sql.all(&mut *self.read().await?).await?.iter().map(execution).collect()
    }

    async fn unfinished(&self, cluster: &str) -> Result<Vec<Execution>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let sql =
            format!("SELECT {COLUMNS} FROM executions WHERE cluster = $1 AND stage <> 'ended' ORDER BY created_at, id");
        let rows = Sql::new("execution", sql).bind(cluster).all(&mut snapshot).await?;
        let mut tasks = tasks::of_unfinished(&mut snapshot, cluster).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut one = execution(row)?;
            one.tasks = tasks.remove(one.subject.id.as_str()).unwrap_or_default();
            found.push(one);
        }
        Ok(found)
    }

    async fn due(&self, cluster: &str) -> Result<Vec<Execution>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM executions WHERE cluster = $1 AND stage <> 'ended' \
             AND (state = 'pending' OR cancel_requested = 1) ORDER BY created_at, id"
        );
        let rows = Sql::new("execution", sql).bind(cluster).all(&mut *self.read().await?).await?;
        rows.iter().map(execution).collect()
    }

    async fn take_claim(&self, id: &ExecutionId) -> Result<Option<i64>, StoreError> {
        let clock = self.dialect().clock();
        let mut write = self.write().await?;
        let sql = format!(
            "UPDATE executions SET epoch = epoch + 1 WHERE id = $1 AND stage = 'claimed' AND cancel_requested = 0 \
             AND expires_at > {clock} RETURNING epoch"
        );
        let Some(row) = Sql::new("execution", sql).bind(id.as_str()).maybe(write.on()).await? else { return Ok(None) };
        let epoch = row.int("epoch")?;
        write.commit().await?;
        Ok(Some(epoch))
    }

    async fn begin_start(&self, id: &ExecutionId) -> Result<Permit, StoreError> {
        start::begin(self, id).await
    }

    async fn may_start(&self, id: &ExecutionId, epoch: i64, run_uid: &str) -> Result<Permit, StoreError> {
        start::permit(self, id, epoch, run_uid).await
    }

    async fn observe(&self, id: &ExecutionId, seen: Observation) -> Result<Changed, StoreError> {
        observe::observe(self, id, seen).await
    }

    async fn request_cancel(&self, id: &ExecutionId, audit: AuditEntry) -> Result<bool, StoreError> {
        observe::request_cancel(self, id, audit).await
    }

    async fn append_log(
        &self,
        id: &ExecutionId,
        task: &str,
        attempt: u32,
        lines: &[LogLine],
    ) -> Result<(), StoreError> {
        logs::append(self, id, task, attempt, lines).await
    }

    async fn log(
        &self,
        id: &ExecutionId,
        task: &str,
        attempt: u32,
        since_line: u32,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError> {
        logs::read(self, id, task, attempt, since_line, limit).await
    }

    async fn close_log(&self, id: &ExecutionId, task: &str, attempt: u32) -> Result<(), StoreError> {
        logs::close(self, id, task, attempt).await
    }

    async fn log_closed(&self, id: &ExecutionId, task: &str, attempt: u32) -> Result<bool, StoreError> {
        logs::closed(self, id, task, attempt).await
    }

    async fn actions(&self, filter: &ActionFilter, page: &Page) -> Result<PageOf<ActionRecord>, StoreError> {
        actions::list(self, filter, page).await
    }

    async fn import(&self, executions: &[Execution]) -> Result<(), StoreError> {
        import::import(self, executions).await
    }
}

#[async_trait]
impl LogReader for Store {
    async fn last_line(&self, of: LogOf<'_>) -> Result<u32, StoreError> {
        logs::last_line(self, of).await
    }

    async fn slice(&self, of: LogOf<'_>, slice: &LogSlice) -> Result<Vec<LogLine>, StoreError> {
        logs::slice(self, of, slice).await
    }

    async fn holding(&self, of: LogOf<'_>, text: &str, limit: u32) -> Result<Vec<u32>, StoreError> {
        logs::holding(self, of, text, limit).await
    }
}

impl Store {
    /// A page without tasks.
    async fn page(
        &self,
        snapshot: &mut AnyConnection,
        filter: &ExecutionFilter,
        page: &Page,
    ) -> Result<PageOf<Execution>, StoreError> {
        let mut sql = Sql::new("execution", format!("SELECT {COLUMNS} FROM executions WHERE 1 = 1"));
        let exact = [
            ("state", filter.state.map(ExecutionState::name)),
            ("workflow_id", filter.workflow_id.as_deref()),
            ("recommendation_id", filter.recommendation_id.as_deref()),
        ];
        for (column, wanted) in exact {
            if let Some(wanted) = wanted {
                sql.push(" AND ").push(column).push(" = ").value(wanted);
            }
        }
        if let Some(since) = filter.since {
            sql.push(" AND created_at >= ").value(since);
        }
        if let Some(target) = &filter.target {
            sql.push(" AND target = ").value(target_key(target));
        }
        if let Some(q) = &filter.q {
            find(&mut sql, snapshot, self.dialect(), Indexed::Executions, ("id", "search"), &words(q)).await?;
        }
        if let Some((at, id)) = key::<(i64, String)>(LIST, page)? {
            sql.push(" AND (created_at, id) < ").tuple([at.into(), id.into()]);
        }
        sql.push(" ORDER BY created_at DESC, id DESC LIMIT ").value(wanted(page));
        let rows = sql.all(snapshot).await?;
        let found = rows.iter().map(execution).collect::<Result<_, _>>()?;
        page_of(LIST, page, found, |e: &Execution| (e.created_at.as_millis(), e.subject.id.to_string()))
    }
}

/// The run that came of each of these recommendations, without its tasks.
pub(crate) async fn of_recommendations(
    on: &mut AnyConnection,
    ids: &[RecommendationId],
) -> Result<HashMap<RecommendationId, Execution>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::new("execution", format!("SELECT {COLUMNS} FROM executions WHERE recommendation_id IN "));
    sql.list(ids.iter().map(RecommendationId::as_str));
    let rows = sql.all(on).await?;
    rows.iter().map(|row| execution(row).map(|one| (one.subject.recommendation_id.clone(), one))).collect()
}

/// How a row names its object (migrations 0009 and 0022), however its kind is written; empty where nothing is named.
fn target_key(resource: &ResourceRef) -> String {
    let Spot { namespace, kind, name } = Spot::of(resource);
    format!("{namespace}/{kind}/{name}")
}

fn search_text(subject: &ExecutionSubject) -> String {
    let mut words = vec![subject.name.as_str(), &subject.title, &subject.incident_id];
    for resource in subject.resource.iter().chain(&subject.acts_on) {
        words.extend([resource.kind.as_str(), resource.namespace.as_deref().unwrap_or_default(), &resource.name]);
    }
    searchable(words)
}
