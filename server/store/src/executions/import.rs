//! Writing history as it is: all of it in one transaction, many rows at a time, counted as if it had ended here.

use super::{rows, targets};
use crate::{Store, recommendations::came, rollup};
use domain::{execution::Execution, ports::StoreError, target::kinds::Spot};

pub(super) async fn import(store: &Store, executions: &[Execution]) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    let all: Vec<&Execution> = executions.iter().collect();
    let written = rows::insert(&mut write, &all).await?;
    let new = all.iter().zip(&written).filter(|(_, written)| **written).map(|(execution, _)| &execution.subject);
    let objects: Vec<_> =
        new.map(|subject| (&subject.id, [subject.target().map(Spot::of).unwrap_or_default()])).collect();
    let objects: Vec<_> = objects.iter().map(|(id, spots)| (*id, spots.as_slice())).collect();
    targets::insert(&mut write, &objects).await?;
    let mut ended = Vec::new();
    for (execution, written) in all.into_iter().zip(written) {
        // What was there already has been counted already.
        if written && execution.state.ended() {
            let came = came(write.on(), &execution.subject.recommendation_id).await?;
            ended.push((execution, came));
        }
    }
    let now = write.now().await?;
    rollup::count(&mut write, ended, now).await?;
    write.commit().await
}
