//! Writing recommendations that were decided before, as they are: all of them in one transaction. What is there stays.

use super::{
    decide, keep,
    take::{insert_row, insert_strategy, note_findings},
};
use crate::{Store, sql::Sql};
use domain::ports::{DecidedRecommendation, StoreError};

pub(super) async fn import(store: &Store, all: &[DecidedRecommendation]) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    for DecidedRecommendation { recommendation, ticket, decisions } in all {
        let known = Sql::new("recommendation", "SELECT id FROM recommendations WHERE id = $1")
            .bind(recommendation.id.as_str())
            .maybe(write.on())
            .await?;
        if known.is_some() {
            continue;
        }
        insert_row(&mut write, recommendation, None).await?;
        for (position, strategy) in (0_u32..).zip(&recommendation.content.strategies) {
            insert_strategy(&mut write, &recommendation.id, position, strategy).await?;
        }
        note_findings(&mut write, recommendation).await?;
        if let Some(ticket) = ticket {
            keep(&mut write, ticket).await?;
        }
        for (position, decision) in decisions.iter().enumerate() {
            decide::insert(&mut write, position, decision).await?;
        }
    }
    write.commit().await
}
