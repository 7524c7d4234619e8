//! Writes notifications in the transaction of what they tell of: with it they are kept, or without it there are none. Who is told is a rule
//! of the domain. Delivering them is another matter (`notifications`).

use crate::{
    sql::{Sql, json},
    write::Write,
};
use domain::{
    ids::RecommendationId,
    notification::{Notice, Occasion, Subscription},
    ports::StoreError,
    time::Timestamp,
};

/// A notification for each receiver that wants it; one that has it already gets no second.
pub(crate) async fn put(
    write: &mut Write,
    occasion: Occasion,
    of: &RecommendationId,
    notice: &Notice,
    at: Timestamp,
) -> Result<(), StoreError> {
    let event_id = occasion.event_id(of);
    let wanting = |subscription: &&Subscription| subscription.wants(occasion, notice);
    let store = write.store().clone();
    for subscription in store.0.subscriptions.iter().filter(wanting) {
        put_one(write, &event_id, &subscription.receiver, occasion, notice, at).await?;
    }
    Ok(())
}

/// The same for one receiver, whatever it wants; its id.
pub(crate) async fn put_one(
    write: &mut Write,
    event_id: &str,
    receiver: &str,
    occasion: Occasion,
    notice: &Notice,
    at: Timestamp,
) -> Result<String, StoreError> {
    let id = format!("{event_id}.{receiver}");
    let mut sql = Sql::new(
        "notification",
        "INSERT INTO notifications (id, event_id, receiver, occasion, notice, state, attempts, created_at, due_at, \
         claimed_until) VALUES ",
    );
    sql.tuple([
        id.as_str().into(),
        event_id.into(),
        receiver.into(),
        occasion.name().into(),
        json(notice)?.into(),
        "waiting".into(),
        0_i64.into(),
        at.into(),
        at.into(),
        0_i64.into(),
    ]);
    sql.push(" ON CONFLICT (id) DO NOTHING");
    sql.run(write.on()).await?;
    Ok(id)
}
