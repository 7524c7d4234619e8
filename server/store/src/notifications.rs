//! Delivering notifications: whose turn it is, what came of it, and what people do with those that nobody took. They are written by
//! `outbox`.

use crate::{
    Store, outbox,
    page::{key, page_of, wanted},
    recommendations,
    sql::{Row, Sql},
    write::Write,
};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    notification::{Notice, Occasion, pace::Settled},
    paging::{Page, PageOf},
    ports::{
        CLAIM_MS, Moved, NotificationFilter, NotificationRecord, NotificationState as State, NotificationStore,
        Standing, StoreError,
    },
};
use serde_json::json as object;

/// What [`record`] reads.
const COLUMNS: &str = "id, event_id, receiver, occasion, notice, state, attempts, created_at, due_at, tried_at, reason";
const LIST: &str = "notifications";

#[async_trait]
impl NotificationStore for Store {
    async fn claim(&self, receiver: &str, claim: &str) -> Result<Option<NotificationRecord>, StoreError> {
        let due = |clock: &str| {
            format!("receiver = $1 AND state = 'waiting' AND due_at <= {clock} AND claimed_until <= {clock}")
        };
        // Looked for without a lock: most looks find nothing and need not write.
        let look = format!("SELECT id FROM notifications WHERE {} LIMIT 1", due(self.dialect().now()));
        if Sql::new("notification", look).bind(receiver).maybe(&mut *self.read().await?).await?.is_none() {
            return Ok(None);
        }
        let mut write = self.write().await?;
        let clock = self.dialect().clock();
        let (due, skip) = (due(clock), self.dialect().skip_taken());
        let sql = format!(
            "UPDATE notifications SET claim = $2, claimed_until = {clock} + {CLAIM_MS}, attempts = attempts + 1 \
             WHERE id = (SELECT id FROM notifications WHERE {due} ORDER BY due_at, id LIMIT 1{skip}) AND {due} \
             RETURNING {COLUMNS}"
        );
        let row = Sql::new("notification", sql).bind(receiver).bind(claim).maybe(write.on()).await?;
        let claimed = row.as_ref().map(record).transpose()?;
        write.commit().await?;
        Ok(claimed)
    }

    async fn settle(&self, id: &str, claim: &str, settled: Settled) -> Result<bool, StoreError> {
        let (state, in_ms, reason) = match settled {
            Settled::Delivered => (State::Delivered, 0, None),
            Settled::Again { in_ms, reason } => (State::Waiting, in_ms, Some(reason)),
            Settled::Dead { reason } => (State::Dead, 0, Some(reason)),
        };
        let mut write = self.write().await?;
        let now = write.now().await?;
        let changed = Sql::new(
            "notification",
            "UPDATE notifications SET state = $1, due_at = $2, tried_at = $3, reason = $4, claim = NULL, \
             claimed_until = 0 WHERE id = $5 AND claim = $6 AND state = 'waiting'",
        )
        .bind(state.name())
        .bind(now.plus_ms(in_ms))
        .bind(now)
        .bind(reason.as_deref())
        .bind(id)
        .bind(claim)
        .run(write.on())
        .await?;
        write.commit().await?;
        Ok(changed == 1)
    }

    async fn notifications(
        &self,
        filter: &NotificationFilter,
        page: &Page,
    ) -> Result<PageOf<NotificationRecord>, StoreError> {
        let mut sql = Sql::new("notification", format!("SELECT {COLUMNS} FROM notifications WHERE 1 = 1"));
        if !filter.states.is_empty() {
            sql.push(" AND state IN ").list(filter.states.iter().map(|state| state.name()));
        }
        if let Some(receiver) = &filter.receiver {
            sql.push(" AND receiver = ").value(receiver);
        }
        if let Some((at, id)) = key::<(i64, String)>(LIST, page)? {
            sql.push(" AND (created_at, id) < ").tuple([at.into(), id.into()]);
        }
        sql.push(" ORDER BY created_at DESC, id DESC LIMIT ").value(wanted(page));
        let rows = sql.all(&mut *self.read().await?).await?;
        let found = rows.iter().map(record).collect::<Result<_, _>>()?;
        page_of(LIST, page, found, |one: &NotificationRecord| (one.created_at.as_millis(), one.id.clone()))
    }

    async fn notification(&self, id: &str) -> Result<Option<NotificationRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM notifications WHERE id = $1");
        let row = Sql::new("notification", sql).bind(id).maybe(&mut *self.read().await?).await?;
        row.as_ref().map(record).transpose()
    }

    async fn standings(&self, receivers: &[&str]) -> Result<Vec<Standing>, StoreError> {
        let of = |receiver: &str| Standing { receiver: receiver.to_owned(), ..Standing::default() };
        let mut standings: Vec<Standing> = receivers.iter().map(|receiver| of(receiver)).collect();
        let mut read = self.read().await?;
        let left = "SELECT receiver, COUNT(CASE WHEN state = 'waiting' THEN 1 END) AS waiting, \
                    COUNT(CASE WHEN state = 'dead' THEN 1 END) AS dead FROM notifications \
                    WHERE state IN ('waiting', 'dead') GROUP BY receiver ORDER BY receiver";
        for row in &Sql::new("notification", left).all(&mut read).await? {
            let receiver = row.text("receiver")?;
            let counted = Standing { waiting: row.count("waiting")?, dead: row.count("dead")?, ..of(&receiver) };
            match standings.iter_mut().find(|one| one.receiver == receiver) {
                Some(one) => *one = counted,
                None => standings.push(counted),
            }
        }
        let last = "SELECT MAX(tried_at) AS at FROM notifications WHERE receiver = $1 AND state = 'delivered'";
        for one in &mut standings {
            let row = Sql::new("notification", last).bind(&one.receiver).one(&mut read).await?;
            one.delivered_at = row.maybe_time("at")?;
        }
        Ok(standings)
    }

    async fn put_test(
        &self,
        receiver: &str,
        event_id: &str,
        mut audit: AuditEntry,
    ) -> Result<NotificationRecord, StoreError> {
        let mut write = self.write().await?;
        let now = write.now().await?;
        let id = outbox::put_one(&mut write, event_id, receiver, Occasion::Test, &Notice::test(), now).await?;
        let sql = format!("SELECT {COLUMNS} FROM notifications WHERE id = $1");
        let put = record(&Sql::new("notification", sql).bind(&id).one(write.on()).await?)?;
        audit.object_id = id;
        write.audit(audit);
        write.commit().await?;
        Ok(put)
    }

    async fn redeliver(&self, id: &str, audit: AuditEntry) -> Result<Moved, StoreError> {
        let anew = "state = 'waiting', attempts = 0, due_at = $2, tried_at = NULL, reason = NULL";
        moved(self.write().await?, id, &[State::Dead, State::Discarded], anew, audit).await
    }

    async fn discard(&self, id: &str, audit: AuditEntry) -> Result<Moved, StoreError> {
        let gone = "state = 'discarded', due_at = $2";
        moved(self.write().await?, id, &[State::Waiting, State::Dead], gone, audit).await
    }

    async fn note_expiring(&self, lead_ms: i64) -> Result<u32, StoreError> {
        recommendations::note_expiring(self, lead_ms).await
    }
}

/// Moves one on that stands in one of these states; whoever was trying it finds its claim gone. `set` may use `$2`, the time.
async fn moved(
    mut write: Write,
    id: &str,
    from: &[State],
    set: &str,
    mut audit: AuditEntry,
) -> Result<Moved, StoreError> {
    let sql = format!("UPDATE notifications SET state = state WHERE id = $1 RETURNING {COLUMNS}");
    let Some(row) = Sql::new("notification", sql).bind(id).maybe(write.on()).await? else { return Ok(Moved::Missing) };
    let before = record(&row)?;
    if !from.contains(&before.state) {
        return Ok(Moved::NotFrom(before.state));
    }
    let now = write.now().await?;
    let sql =
        format!("UPDATE notifications SET {set}, claim = NULL, claimed_until = 0 WHERE id = $1 RETURNING {COLUMNS}");
    let after = record(&Sql::new("notification", sql).bind(id).bind(now).one(write.on()).await?)?;
    audit.before = Some(object!({ "state": before.state, "attempts": before.attempts, "reason": before.reason }));
    audit.after = Some(object!({ "state": after.state, "receiver": after.receiver }));
    write.audit(audit);
    write.commit().await?;
    Ok(Moved::Done(Box::new(after)))
}

fn record(row: &Row) -> Result<NotificationRecord, StoreError> {
    let state = row.word("state", State::from_name)?;
    let due_at = row.time("due_at")?;
    Ok(NotificationRecord {
        id: row.text("id")?,
        event_id: row.text("event_id")?,
        receiver: row.text("receiver")?,
        occasion: row.word("occasion", Occasion::from_name)?,
        notice: row.json("notice")?,
        state,
        attempts: row.count("attempts")?,
        created_at: row.time("created_at")?,
        due_at: (state == State::Waiting).then_some(due_at),
        tried_at: row.maybe_time("tried_at")?,
        reason: row.maybe_text("reason")?,
    })
}
