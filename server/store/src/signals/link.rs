//! Which incident a recommendation came for. It may come before or after what it is about: agents hear of alerts as the console does.

use crate::{sql::Sql, write::Write};
use domain::{event::Topic, ports::StoreError, recommendation::Incident};
use serde_json::json;

/// How long after its alert has ended a recommendation still comes for it, milliseconds.
const AFTERWARDS_MS: i64 = 3_600_000;

/// The incident of the console that a recommendation names, by its id or by the fingerprint of an alert that fires or has just ended.
pub(crate) async fn link(write: &mut Write, cluster: &str, said: &Incident) -> Result<Option<String>, StoreError> {
    let named = Sql::new("incident", "SELECT id FROM incidents WHERE id = $1 AND cluster = $2");
    if let Some(row) = named.bind(&said.id).bind(cluster).maybe(write.on()).await? {
        return row.text("id").map(Some);
    }
    let Some(fingerprint) = &said.fingerprint else { return Ok(None) };
    let since = write.now().await?.plus_ms(-AFTERWARDS_MS);
    let row = Sql::new(
        "signal",
        "SELECT incident_id FROM signals WHERE cluster = $1 AND fingerprint = $2 AND (resolved_at IS NULL OR told_at > $3) \
         ORDER BY CASE WHEN resolved_at IS NULL THEN 0 ELSE 1 END, round DESC LIMIT 1",
    )
    .bind(cluster)
    .bind(fingerprint)
    .bind(since)
    .maybe(write.on())
    .await?;
    row.map(|row| row.text("incident_id")).transpose()
}

/// Tells who follows the incident that something was recommended.
pub(crate) fn tell(write: &mut Write, incident: &str, recommendation: &str) {
    write.event(Topic::Incident, incident, json!({ "recommendation": recommendation }));
}

/// Links what was recommended for an alert before the console heard of it.
pub(super) async fn claim(
    write: &mut Write,
    cluster: &str,
    fingerprint: &str,
    incident: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE recommendations SET incident = $1 \
               WHERE cluster = $2 AND fingerprint = $3 AND incident IS NULL AND state = 'open'";
    Sql::new("recommendation", sql).bind(incident).bind(cluster).bind(fingerprint).run(write.on()).await?;
    Ok(())
}
