//! Playbook versions: registering, finding, and their status. Knows nothing of what a registration means.

mod facets;
mod objects;
mod text;
mod vectors;

use crate::{
    Store,
    dialect::Dialect,
    page::{key, page_of, wanted},
    signatures,
    sql::{Row, Sql, json},
    version_key::version_key,
    write::Write,
};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    event::Topic,
    json::canonical,
    paging::{Page, PageOf},
    playbook::{Labels, PlaybookId, Registration, Version},
    ports::{
        CatalogFilter, CatalogObject, CatalogStore, Facet, NewPlaybook, PlaybookRecord, PlaybookStatus, Registered,
        StatusChange, StatusChanged, StoreError,
    },
    search::{self, CatalogHit},
};
use serde_json::json as object;
use sqlx::AnyConnection;

const COLUMNS: &str = "p.content, p.image, p.status, p.status_reason, p.registered_at, p.registered_by, \
                       (SELECT s.content FROM image_signatures s WHERE s.image = p.image) AS signature";
const LIST: &str = "catalog";

#[async_trait]
impl CatalogStore for Store {
    async fn register(&self, playbook: NewPlaybook, audit: AuditEntry) -> Result<Registered, StoreError> {
        let mut write = self.write().await?;
        if insert(&mut write, &playbook).await? {
            let Registration { id, version, .. } = &playbook.registration;
            if let Some(trust) = &playbook.trust {
                signatures::keep(&mut write, &playbook.image, playbook.signature.clone(), trust, true).await?;
            }
            let stored = expect(version_of(write.on(), id, version).await?)?;
            write.audit(audit);
            announce(&mut write, id, version, stored.status);
            write.commit().await?;
            return Ok(Registered::Created(Box::new(stored)));
        }
        let Registration { id, version, .. } = &playbook.registration;
        let stored = expect(version_of(write.on(), id, version).await?)?;
        let same = canonical_text(&stored.registration)? == canonical_text(&playbook.registration)?;
        Ok(if same { Registered::Same(Box::new(stored)) } else { Registered::Different(Box::new(stored)) })
    }

    async fn version(&self, id: &PlaybookId, version: &Version) -> Result<Option<PlaybookRecord>, StoreError> {
        version_of(&mut *self.read().await?, id, version).await
    }

    async fn versions(&self, id: &PlaybookId) -> Result<Vec<PlaybookRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM playbook_versions p WHERE workflow_id = $1 ORDER BY version_key DESC");
        let rows = Sql::new("playbook", sql).bind(id.as_str()).all(&mut *self.read().await?).await?;
        rows.iter().map(record).collect()
    }

    async fn version_page(&self, id: &PlaybookId, page: &Page) -> Result<PageOf<PlaybookRecord>, StoreError> {
        // A list for each playbook: a cursor of another one leads nowhere.
        let list = format!("versions of {id}");
        let mut sql = Sql::new("playbook", format!("SELECT {COLUMNS} FROM playbook_versions p WHERE workflow_id = "));
        sql.value(id.as_str());
        if let Some(key) = key::<String>(&list, page)? {
            sql.push(" AND version_key < ").value(key);
        }
        sql.push(" ORDER BY version_key DESC LIMIT ").value(wanted(page));
        let rows = sql.all(&mut *self.read().await?).await?;
        let records = rows.iter().map(|row| {
            let record = record(row)?;
            Ok((version_key(&record.registration.version)?, record))
        });
        let records = records.collect::<Result<_, StoreError>>()?;
        let found = page_of(&list, page, records, |(key, _): &(String, PlaybookRecord)| key.clone())?;
        Ok(found.map(|(_, record)| record))
    }

    async fn newest_active(&self, id: &PlaybookId) -> Result<Option<PlaybookRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM playbook_versions p WHERE workflow_id = $1 AND status = $2 \
             ORDER BY version_key DESC LIMIT 1"
        );
        let active = PlaybookStatus::Active.name();
        let row = Sql::new("playbook", sql).bind(id.as_str()).bind(active).maybe(&mut *self.read().await?).await?;
        row.as_ref().map(record).transpose()
    }

    async fn search(&self, filter: &CatalogFilter, page: &Page) -> Result<PageOf<PlaybookRecord>, StoreError> {
        let (dialect, mut on) = (self.dialect(), self.read().await?);
        let (after, after_id) = key::<(i64, String)>(LIST, page)?.unwrap_or_default();
        let words = text::words(filter, dialect, &mut on).await?;
        let mut sql = Sql::new("playbook", format!("SELECT {COLUMNS} FROM playbook_versions p WHERE "));
        let labelled = filter.has_labels();
        if labelled {
            sql.push("(");
            general(&mut sql, filter);
            sql.push(", p.workflow_id) > (").value(after).push(", ").value(after_id).push(")");
        } else {
            sql.push("p.workflow_id > ").value(after_id);
        }
        newest_of_each(&mut sql, filter.status);
        conditions(&mut sql, filter, "", words.as_ref(), dialect);
        sql.push(" ORDER BY ");
        if labelled {
            general(&mut sql, filter);
            sql.push(", ");
        }
        sql.push("p.workflow_id LIMIT ").value(wanted(page));
        let rows = sql.all(&mut on).await?;
        let records = rows.iter().map(record).collect::<Result<_, _>>()?;
        page_of(LIST, page, records, |record: &PlaybookRecord| {
            let registration = &record.registration;
            (i64::from(search::general(filter, &registration.labels)), registration.id.to_string())
        })
    }

    async fn by_text(&self, filter: &CatalogFilter, most: usize) -> Result<Vec<CatalogHit>, StoreError> {
        text::by_text(filter, most, self.dialect(), &mut *self.read().await?).await
    }

    async fn admitted(
        &self,
        filter: &CatalogFilter,
        of: Option<&[(PlaybookId, Version)]>,
        most: usize,
    ) -> Result<Vec<CatalogHit>, StoreError> {
        if of.is_some_and(<[_]>::is_empty) {
            return Ok(Vec::new());
        }
        let mut sql = Sql::new("playbook", "SELECT p.workflow_id, p.version, ");
        general(&mut sql, filter);
        sql.push(" AS general FROM playbook_versions p WHERE 1 = 1");
        if let Some(of) = of {
            sql.push(" AND ");
            among(&mut sql, of);
        }
        newest_of_each(&mut sql, filter.status);
        conditions(&mut sql, filter, "", None, self.dialect());
        sql.push(" LIMIT ").value(i64::try_from(most).unwrap_or(i64::MAX));
        sql.all(&mut *self.read().await?).await?.iter().map(text::hit).collect()
    }

    async fn records(&self, of: &[(PlaybookId, Version)]) -> Result<Vec<PlaybookRecord>, StoreError> {
        if of.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = Sql::new("playbook", format!("SELECT {COLUMNS} FROM playbook_versions p WHERE "));
        among(&mut sql, of);
        let rows = sql.all(&mut *self.read().await?).await?;
        let mut found = rows.iter().map(record).collect::<Result<Vec<_>, _>>()?;
        let place = |record: &PlaybookRecord| {
            let Registration { id, version, .. } = &record.registration;
            of.iter().position(|(of_id, of_version)| of_id == id && of_version == version)
        };
        found.sort_by_cached_key(place);
        Ok(found)
    }

    async fn facets(&self, filter: &CatalogFilter) -> Result<Vec<Facet>, StoreError> {
        facets::facets(filter, self.dialect(), &mut *self.read().await?).await
    }

    async fn keep_object(&self, cluster: &str, object: &CatalogObject) -> Result<(), StoreError> {
        objects::keep(self, cluster, object).await
    }

    async fn objects(&self, cluster: &str) -> Result<Vec<CatalogObject>, StoreError> {
        objects::all(self, cluster).await
    }

    async fn object(&self, cluster: &str, name: &str) -> Result<Option<CatalogObject>, StoreError> {
        objects::one(self, cluster, name).await
    }

    async fn forget_object(&self, cluster: &str, name: &str) -> Result<(), StoreError> {
        objects::forget(self, cluster, name).await
    }

    async fn set_status(
        &self,
        id: &PlaybookId,
        version: &Version,
        change: StatusChange,
        mut audit: AuditEntry,
    ) -> Result<StatusChanged, StoreError> {
        let mut write = self.write().await?;
        // Locks the row, so that the state that is compared is the one that is changed.
        Sql::new("playbook", "UPDATE playbook_versions SET status = status WHERE workflow_id = $1 AND version = $2")
            .bind(id.as_str())
            .bind(version.to_string())
            .run(write.on())
            .await?;
        let Some(before) = version_of(write.on(), id, version).await? else { return Ok(StatusChanged::Missing) };
        if !change.known.includes(&before.tag()) {
            return Ok(StatusChanged::Moved(Box::new(before)));
        }
        Sql::new(
            "playbook",
            "UPDATE playbook_versions SET status = $1, status_reason = $2 WHERE workflow_id = $3 AND version = $4",
        )
        .bind(change.status.name())
        .bind(change.reason)
        .bind(id.as_str())
        .bind(version.to_string())
        .run(write.on())
        .await?;
        let stored = expect(version_of(write.on(), id, version).await?)?;
        audit.before = Some(object!({ "status": before.status, "reason": before.status_reason }));
        write.audit(audit);
        announce(&mut write, id, version, change.status);
        write.commit().await?;
        Ok(StatusChanged::Done(Box::new(stored)))
    }
}

/// How general the labels are that a filter asks for; as `domain::search::general` says it of one.
fn general(sql: &mut Sql, filter: &CatalogFilter) {
    sql.push("CAST(0");
    for (column, _) in filter.labels().into_iter().filter(|(_, wanted)| wanted.is_some()) {
        let weight = search::weight(column).to_string();
        sql.push(" + CASE WHEN p.").push(column).push(" = '*' THEN ").push(&weight).push(" ELSE 0 END");
    }
    sql.push(" AS BIGINT)");
}

/// Adds the condition that the version is one of these, of which there must be some.
fn among(sql: &mut Sql, of: &[(PlaybookId, Version)]) {
    // SQLite looks rows of two values up in no index; those of one it does.
    sql.push("p.workflow_id IN ").list(of.iter().map(|(id, _)| id.as_str()));
    for (index, (id, version)) in of.iter().enumerate() {
        sql.push(if index == 0 { " AND (p.workflow_id, p.version) IN (VALUES " } else { ", " });
        sql.tuple([id.as_str().into(), version.to_string().into()]);
    }
    sql.push(")");
}

/// Labels, tags and words that a filter asks for, but for one label.
fn conditions(sql: &mut Sql, filter: &CatalogFilter, but: &str, words: Option<&text::Words>, dialect: Dialect) {
    for (column, wanted) in filter.labels() {
        if let Some(wanted) = wanted.filter(|_| column != but) {
            sql.push(" AND p.").push(column).push(" IN ('*', ").value(wanted).push(")");
        }
    }
    for tag in &filter.tags {
        sql.push(
            " AND EXISTS (SELECT 1 FROM playbook_tags t \
             WHERE t.workflow_id = p.workflow_id AND t.version = p.version AND t.tag = ",
        );
        sql.value(tag).push(")");
    }
    if let Some(words) = words {
        words.condition(sql, dialect);
    }
}

/// Of every playbook only the newest version, among those of the wanted status.
fn newest_of_each(sql: &mut Sql, status: Option<PlaybookStatus>) {
    if let Some(status) = status {
        sql.push(" AND p.status = ").value(status.name());
    }
    sql.push(
        " AND NOT EXISTS (SELECT 1 FROM playbook_versions n \
         WHERE n.workflow_id = p.workflow_id AND n.version_key > p.version_key",
    );
    if let Some(status) = status {
        sql.push(" AND n.status = ").value(status.name());
    }
    sql.push(")");
}

/// Stores the version unless id and version are taken.
async fn insert(write: &mut Write, playbook: &NewPlaybook) -> Result<bool, StoreError> {
    let now = write.now().await?;
    let NewPlaybook { registration, image, by, .. } = playbook;
    let (id, version) = (registration.id.as_str(), registration.version.to_string());
    let Labels { tags, .. } = &registration.labels;
    let mut sql = Sql::new(
        "playbook",
        "INSERT INTO playbook_versions (workflow_id, version, version_key, status, registered_at, registered_by, image, \
         content, signal_type, severity, component, environment, priority, risk_tolerance, \
         business_category, category) VALUES ",
    );
    let [signal_type, severity, component, environment, priority, risk_tolerance, business_category, category] =
        registration.labels.named().map(|(_, value)| value);
    sql.tuple([
        id.into(),
        version.as_str().into(),
        version_key(&registration.version)?.into(),
        PlaybookStatus::Active.name().into(),
        now.into(),
        json(by)?.into(),
        image.to_string().into(),
        json(registration)?.into(),
        signal_type.into(),
        severity.into(),
        component.into(),
        environment.into(),
        priority.into(),
        risk_tolerance.into(),
        business_category.into(),
        category.into(),
    ]);
    sql.push(" ON CONFLICT DO NOTHING");
    if sql.run(write.on()).await? == 0 {
        return Ok(false);
    }
    text::keep(std::slice::from_ref(registration), write.on()).await?;
    for tag in tags {
        Sql::new(
            "playbook tag",
            "INSERT INTO playbook_tags (workflow_id, version, tag) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(version.as_str())
        .bind(tag)
        .run(write.on())
        .await?;
    }
    Ok(true)
}

fn announce(write: &mut Write, id: &PlaybookId, version: &Version, status: PlaybookStatus) {
    write.event(Topic::Playbook, format!("{id}@{version}"), object!({ "status": status.name() }));
}

async fn version_of(
    on: &mut AnyConnection,
    id: &PlaybookId,
    version: &Version,
) -> Result<Option<PlaybookRecord>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM playbook_versions p WHERE workflow_id = $1 AND version = $2");
    let row = Sql::new("playbook", sql).bind(id.as_str()).bind(version.to_string()).maybe(on).await?;
    row.as_ref().map(record).transpose()
}

/// A row that was written or found in this very transaction.
fn expect(record: Option<PlaybookRecord>) -> Result<PlaybookRecord, StoreError> {
    record.ok_or_else(|| StoreError::Failed("a playbook vanished while it was registered".into()))
}

fn canonical_text(registration: &Registration) -> Result<String, StoreError> {
    let value = serde_json::to_value(registration)
        .map_err(|e| StoreError::Failed(format!("a registration can't be written as JSON: {e}")))?;
    Ok(canonical::to_string(&value))
}

fn record(row: &Row) -> Result<PlaybookRecord, StoreError> {
    Ok(PlaybookRecord {
        registration: row.json("content")?,
        image: row.text("image")?.parse().map_err(|e| row.corrupt("image", &e))?,
        signature: row.maybe_json("signature")?.unwrap_or_default(),
        status: row.word("status", PlaybookStatus::from_name)?,
        status_reason: row.maybe_text("status_reason")?,
        registered_at: row.time("registered_at")?,
        registered_by: row.json("registered_by")?,
    })
}
