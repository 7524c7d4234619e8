//! Playbook versions: registering, finding, and their status. Knows nothing of what a registration means.

mod facets;

use crate::{
    Store,
    page::{key, page_of, wanted},
    signatures,
    sql::{Row, Sql, json},
    version_key::version_key,
    words::{contains_all, searchable, words},
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
        CatalogFilter, CatalogStore, Facet, NewPlaybook, PlaybookRecord, PlaybookStatus, Registered, StatusChange,
        StatusChanged, StoreError,
    },
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
        let mut sql = Sql::new("playbook", format!("SELECT {COLUMNS} FROM playbook_versions p WHERE p.workflow_id > "));
        sql.value(key::<String>(LIST, page)?.unwrap_or_default());
        newest_of_each(&mut sql, filter.status);
        conditions(&mut sql, filter, "");
        sql.push(" ORDER BY p.workflow_id LIMIT ").value(wanted(page));
        let rows = sql.all(&mut *self.read().await?).await?;
        let records = rows.iter().map(record).collect::<Result<_, _>>()?;
        page_of(LIST, page, records, |record: &PlaybookRecord| record.registration.id.to_string())
    }

    async fn facets(&self, filter: &CatalogFilter) -> Result<Vec<Facet>, StoreError> {
        facets::facets(filter, &mut *self.read().await?).await
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

/// Labels, tags and words that a filter asks for, but for one label.
fn conditions(sql: &mut Sql, filter: &CatalogFilter, but: &str) {
    for (column, wanted) in labels_of_filter(filter) {
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
    if let Some(q) = &filter.q {
        contains_all(sql, "p.search", &words(q));
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
         search, content, signal_type, severity, component, environment, priority, risk_tolerance, \
         business_category, category) VALUES ",
    );
    let [signal_type, severity, component, environment, priority, risk_tolerance, business_category, category] =
        labels_of(&registration.labels);
    sql.tuple([
        id.into(),
        version.as_str().into(),
        version_key(&registration.version)?.into(),
        PlaybookStatus::Active.name().into(),
        now.into(),
        json(by)?.into(),
        image.to_string().into(),
        search_text(registration).into(),
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

/// In the order of the columns.
fn labels_of(labels: &Labels) -> [Option<&str>; 8] {
    [
        labels.signal_type.as_deref(),
        labels.severity.as_deref(),
        labels.component.as_deref(),
        labels.environment.as_deref(),
        labels.priority.as_deref(),
        labels.risk_tolerance.as_deref(),
        labels.business_category.as_deref(),
        labels.category.as_deref(),
    ]
}

fn labels_of_filter(filter: &CatalogFilter) -> [(&'static str, Option<&str>); 8] {
    [
        ("signal_type", filter.signal_type.as_deref()),
        ("severity", filter.severity.as_deref()),
        ("component", filter.component.as_deref()),
        ("environment", filter.environment.as_deref()),
        ("priority", filter.priority.as_deref()),
        ("risk_tolerance", filter.risk_tolerance.as_deref()),
        ("business_category", filter.business_category.as_deref()),
        ("category", filter.category.as_deref()),
    ]
}

fn search_text(registration: &Registration) -> String {
    let labels = labels_of(&registration.labels).into_iter().flatten();
    let words = [registration.id.as_str(), &registration.title, &registration.description];
    searchable(words.into_iter().chain(labels).chain(registration.labels.tags.iter().map(String::as_str)))
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
