//! Recommendations whose time is soon over: receivers are told once.

use super::{
    SWEPT_AT_ONCE,
    rows::{COLUMNS, recommendation},
};
use crate::{Store, outbox, sql::Sql};
use domain::{
    notification::{Notice, Occasion, Subscription},
    ports::StoreError,
    recommendation::RecommendationState as State,
};

/// Writes what receivers are told; how many recommendations it was about. Those that are open for a short time are told of at half of it.
pub(crate) async fn note_expiring(store: &Store, lead_ms: i64) -> Result<u32, StoreError> {
    let told = |subscription: &Subscription| subscription.occasions.contains(&Occasion::Expiring);
    if !store.0.subscriptions.iter().any(told) {
        return Ok(0);
    }
    let now = store.dialect().now();
    let sql = format!(
        "SELECT id FROM recommendations WHERE state = 'open' AND expiring_noted_at IS NULL \
         AND expires_at > {now} AND expires_at <= {now} + {lead_ms} \
         AND {now} >= expires_at - (expires_at - created_at) / 2 ORDER BY id LIMIT {SWEPT_AT_ONCE}"
    );
    // Looked for without a lock: most looks find nothing and need not write.
    let due = Sql::new("recommendation", sql).all(&mut *store.read().await?).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let mut write = store.write().await?;
    let clock = store.dialect().clock();
    let mut noted = 0;
    for row in &due {
        let sql = format!(
            "UPDATE recommendations SET expiring_noted_at = {clock} WHERE id = $1 AND state = 'open' \
             AND expiring_noted_at IS NULL RETURNING {COLUMNS}, {clock} AS now"
        );
        let Some(row) = Sql::new("recommendation", sql).bind(row.text("id")?).maybe(write.on()).await? else {
            continue;
        };
        let (on, at) = (recommendation(&row)?, row.time("now")?);
        if on.state == State::Open {
            outbox::put(&mut write, Occasion::Expiring, &on.id, &Notice::open(&on), at).await?;
            noted += 1;
        }
    }
    write.commit().await?;
    Ok(noted)
}
