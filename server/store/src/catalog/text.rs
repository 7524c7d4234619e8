//! Finding playbooks by the words of a question. Which words these are is `domain::search`'s; both databases take the ends off
//! (stems) and know which text has them best.

use super::{conditions, general, newest_of_each};
use crate::{
    Store,
    dialect::Dialect,
    sql::{Row, Sql},
};
use domain::{
    playbook::{PlaybookId, Registration, Version},
    ports::{CatalogFilter, StoreError},
    search::{CatalogHit, Question, Term, Texts},
};
use sqlx::AnyConnection;

/// So many of the best texts are looked at first; all of them only where too few of these fit the filter.
const BEST: i64 = 400;
const ALL: i64 = i64::MAX;
/// With fewer hits than a page has lines all texts are looked at.
const ENOUGH: usize = 50;
/// Rows in one `INSERT`, of five values each.
const AT_ONCE: usize = 100;

/// Which texts a question finds, as its database reads it.
pub(super) struct Words(String);

impl Words {
    /// Adds the condition that the playbook's text has them.
    pub(super) fn condition(&self, sql: &mut Sql, dialect: Dialect) {
        if self.0.is_empty() {
            sql.push(" AND 1 = 0");
            return;
        }
        let (before, after) = dialect.text_matches();
        sql.push(" AND (p.workflow_id, p.version) IN (SELECT t.workflow_id, t.version FROM playbook_texts t WHERE ");
        sql.push(before).value(&self.0).push(after).push(")");
    }
}

/// The words that a filter asks for: all of them, or any of them where nothing that fits has all. None where it asks for none.
pub(super) async fn words(
    filter: &CatalogFilter,
    dialect: Dialect,
    on: &mut AnyConnection,
) -> Result<Option<Words>, StoreError> {
    let Some(q) = &filter.q else { return Ok(None) };
    let question = Question::of(q);
    let all = Words(expression(&question, dialect, dialect.all_words()));
    if question.terms.len() < 2 || !best(filter, &all, 1, dialect, on).await?.is_empty() {
        return Ok(Some(all));
    }
    Ok(Some(Words(expression(&question, dialect, dialect.any_word()))))
}

/// The versions that have the words, the best first.
pub(super) async fn by_text(
    filter: &CatalogFilter,
    most: usize,
    dialect: Dialect,
    on: &mut AnyConnection,
) -> Result<Vec<CatalogHit>, StoreError> {
    let Some(q) = &filter.q else { return Ok(Vec::new()) };
    let question = Question::of(q);
    let all = Words(expression(&question, dialect, dialect.all_words()));
    let found = best(filter, &all, most, dialect, on).await?;
    if !found.is_empty() || question.terms.len() < 2 {
        return Ok(found);
    }
    let any = Words(expression(&question, dialect, dialect.any_word()));
    best(filter, &any, most, dialect, on).await
}

async fn best(
    filter: &CatalogFilter,
    words: &Words,
    most: usize,
    dialect: Dialect,
    on: &mut AnyConnection,
) -> Result<Vec<CatalogHit>, StoreError> {
    if words.0.is_empty() {
        return Ok(Vec::new());
    }
    // A text that is not among the best may have the more exact labels.
    let labelled = filter.labels().iter().any(|(_, wanted)| wanted.is_some());
    if !labelled {
        let found = among(filter, words, BEST, most, dialect, on).await?;
        if found.len() >= most.min(ENOUGH) {
            return Ok(found);
        }
    }
    among(filter, words, ALL, most, dialect, on).await
}

async fn among(
    filter: &CatalogFilter,
    words: &Words,
    texts: i64,
    most: usize,
    dialect: Dialect,
    on: &mut AnyConnection,
) -> Result<Vec<CatalogHit>, StoreError> {
    let (before, after) = dialect.best_texts();
    let mut sql = Sql::new("playbook", "SELECT p.workflow_id, p.version, ");
    general(&mut sql, filter);
    sql.push(" AS general FROM (").push(before).value(&words.0).push(after).push(" LIMIT ").value(texts).push(") AS w");
    let join = dialect.join_in_order();
    sql.push(join).push("playbook_texts t ON t.number = w.number");
    sql.push(join).push("playbook_versions p ON p.workflow_id = t.workflow_id AND p.version = t.version WHERE 1 = 1");
    newest_of_each(&mut sql, filter.status);
    conditions(&mut sql, filter, "", None, dialect);
    sql.push(" ORDER BY general, w.best, p.workflow_id LIMIT ").value(i64::try_from(most).unwrap_or(i64::MAX));
    // Which plan is best depends on the words.
    sql.once();
    sql.all(on).await?.iter().map(hit).collect()
}

/// A version that was found.
pub(super) fn hit(row: &Row) -> Result<CatalogHit, StoreError> {
    Ok(CatalogHit {
        id: row.text("workflow_id")?.parse::<PlaybookId>().map_err(|e| row.corrupt("workflow_id", &e))?,
        version: row.text("version")?.parse::<Version>().map_err(|e| row.corrupt("version", &e))?,
        general: row.count("general")?,
    })
}

/// A question in the language of its database. Words are letters and digits, so nothing in them can end the quotes.
fn expression(question: &Question, dialect: Dialect, joint: &str) -> String {
    let word = |word: &str| dialect.word(word, Term::begins(word));
    let term = |term: &Term| {
        let whole = word(&term.whole);
        if term.parts.is_empty() {
            return whole;
        }
        let parts: Vec<String> = term.parts.iter().map(|part| word(part)).collect();
        format!("({whole}{}({}))", dialect.any_word(), parts.join(dialect.all_words()))
    };
    question.terms.iter().map(term).collect::<Vec<_>>().join(joint)
}

/// Keeps what a version is found by.
pub(super) async fn keep(registrations: &[Registration], on: &mut AnyConnection) -> Result<(), StoreError> {
    for some in registrations.chunks(AT_ONCE) {
        let mut sql =
            Sql::new("playbook text", "INSERT INTO playbook_texts (workflow_id, version, name, labels, body) VALUES ");
        for (index, registration) in some.iter().enumerate() {
            sql.push(if index == 0 { "" } else { ", " });
            let Texts { name, labels, body } = Texts::of(registration);
            let (id, version) = (registration.id.as_str(), registration.version.to_string());
            sql.tuple([id.into(), version.into(), name.into(), labels.into(), body.into()]);
        }
        sql.push(" ON CONFLICT (workflow_id, version) DO NOTHING");
        sql.run(on).await?;
    }
    Ok(())
}

impl Store {
    /// Keeps the words of versions from before there were any. What can't be read is found by nobody.
    pub(crate) async fn index_texts(&self) -> Result<(), StoreError> {
        let missing = "SELECT p.content FROM playbook_versions p WHERE NOT EXISTS \
                       (SELECT 1 FROM playbook_texts t WHERE t.workflow_id = p.workflow_id AND t.version = p.version)";
        let rows = Sql::new("playbook", missing).all(&mut *self.read().await?).await?;
        let readable: Vec<Registration> = rows.iter().filter_map(|row| row.json("content").ok()).collect();
        if readable.is_empty() {
            return Ok(());
        }
        let mut write = self.write().await?;
        keep(&readable, write.on()).await?;
        write.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_said_in_the_language_of_each_database() {
        let question = Question::of("OOMKilled on p1 pods'\"");
        let in_sqlite = expression(&question, Dialect::Sqlite, Dialect::Sqlite.all_words());
        assert_eq!(in_sqlite, "(\"oomkilled\"* OR (\"oom\"* AND \"killed\"*)) AND \"p1\" AND \"pods\"*");
        let in_postgres = expression(&question, Dialect::Postgres, Dialect::Postgres.any_word());
        assert_eq!(in_postgres, "('oomkilled':* | ('oom':* & 'killed':*)) | 'p1' | 'pods':*");
        assert_eq!(expression(&Question::of("…"), Dialect::Sqlite, " OR "), "");
    }
}
