//! RemediationWorkflows whose version the catalog has: a name and what it stands for, nothing of the object.

use crate::{
    Store,
    sql::{Row, Sql},
};
use domain::ports::{CatalogObject, StoreError};

const COLUMNS: &str = "SELECT name, workflow_id, version FROM playbook_objects WHERE cluster = $1";

pub(super) async fn keep(store: &Store, cluster: &str, object: &CatalogObject) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    let CatalogObject { name, id, version } = object;
    Sql::new(
        "playbook object",
        "INSERT INTO playbook_objects (cluster, name, workflow_id, version) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (cluster, name) DO UPDATE SET workflow_id = excluded.workflow_id, version = excluded.version",
    )
    .bind(cluster)
    .bind(name)
    .bind(id.as_str())
    .bind(version.to_string())
    .run(write.on())
    .await?;
    write.commit().await
}

pub(super) async fn all(store: &Store, cluster: &str) -> Result<Vec<CatalogObject>, StoreError> {
    let sql = Sql::new("playbook object", format!("{COLUMNS} ORDER BY name")).bind(cluster);
    sql.all(&mut *store.read().await?).await?.iter().map(object).collect()
}

pub(super) async fn one(store: &Store, cluster: &str, name: &str) -> Result<Option<CatalogObject>, StoreError> {
    let sql = Sql::new("playbook object", format!("{COLUMNS} AND name = $2")).bind(cluster).bind(name);
    sql.maybe(&mut *store.read().await?).await?.as_ref().map(object).transpose()
}

pub(super) async fn forget(store: &Store, cluster: &str, name: &str) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    let sql = Sql::new("playbook object", "DELETE FROM playbook_objects WHERE cluster = $1 AND name = $2");
    sql.bind(cluster).bind(name).run(write.on()).await?;
    write.commit().await
}

fn object(row: &Row) -> Result<CatalogObject, StoreError> {
    Ok(CatalogObject {
        name: row.text("name")?,
        id: row.text("workflow_id")?.parse().map_err(|e| row.corrupt("workflow_id", &e))?,
        version: row.text("version")?.parse().map_err(|e| row.corrupt("version", &e))?,
    })
}
