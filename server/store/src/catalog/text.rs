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

/// So many texts that have the words are weighed against each other: of a word that more have none tells much.
const WEIGHED: i64 = 500;
/// So many of the best are looked up first, where no label or tag narrows them down.
const BEST: i64 = 150;
/// With fewer hits than a page has lines more are looked up.
const ENOUGH: usize = 50;
/// Rows in one `INSERT`, of five values each.
const AT_ONCE: usize = 100;

/// Which texts a question finds.
pub(super) struct Words {
    /// In the language of the database; empty where no text has them.
    expression: String,
    /// Whether more texts have them than are weighed.
    many: bool,
}

impl Words {
    /// Adds the condition that the playbook's text has them.
    pub(super) fn condition(&self, sql: &mut Sql, dialect: Dialect) {
        if self.expression.is_empty() {
            sql.push(" AND 1 = 0");
            return;
        }
        let (before, after) = dialect.text_matches();
        sql.push(" AND (p.workflow_id, p.version) IN (SELECT t.workflow_id, t.version FROM playbook_texts t WHERE ");
        sql.push(before).value(&self.expression).push(after).push(")");
    }

    /// All words of a question.
    async fn all(question: &Question, dialect: Dialect, on: &mut AnyConnection) -> Result<Self, StoreError> {
        let expression = expression(&question.terms, dialect, dialect.all_words());
        let texts = count(&expression, dialect, on).await?;
        // What no text has is not looked for again.
        let expression = if texts == 0 { String::new() } else { expression };
        Ok(Self { expression, many: texts > WEIGHED })
    }

    /// Any of them, the rarest first, for as long as what has them can be weighed.
    async fn any(question: &Question, dialect: Dialect, on: &mut AnyConnection) -> Result<Self, StoreError> {
        let mut known = Vec::new();
        for term in &question.terms {
            let word = expression(std::slice::from_ref(term), dialect, "");
            let texts = count(&word, dialect, on).await?;
            if texts > 0 {
                known.push((texts, word));
            }
        }
        known.sort();
        let (mut chosen, mut sum) = (Vec::new(), 0);
        for (texts, word) in known {
            if !chosen.is_empty() && sum + texts > WEIGHED {
                break;
            }
            sum += texts;
            chosen.push(word);
        }
        Ok(Self { expression: chosen.join(dialect.any_word()), many: sum > WEIGHED })
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
    let all = Words::all(&question, dialect, on).await?;
    if question.terms.len() < 2 || !hits(filter, &all, 1, dialect, on).await?.is_empty() {
        return Ok(Some(all));
    }
    Words::any(&question, dialect, on).await.map(Some)
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
    let all = Words::all(&question, dialect, on).await?;
    let found = hits(filter, &all, most, dialect, on).await?;
    if !found.is_empty() || question.terms.len() < 2 {
        return Ok(found);
    }
    let any = Words::any(&question, dialect, on).await?;
    hits(filter, &any, most, dialect, on).await
}

/// How many texts have the words; of more than are weighed, only that.
async fn count(expression: &str, dialect: Dialect, on: &mut AnyConnection) -> Result<i64, StoreError> {
    if expression.is_empty() {
        return Ok(0);
    }
    let (before, after) = dialect.found_texts();
    let mut sql = Sql::new("playbook text", "SELECT COUNT(*) AS n FROM (SELECT number FROM (");
    sql.push(before).value(expression).push(after).push(") AS f LIMIT ").value(WEIGHED + 1).push(") AS c");
    sql.once();
    sql.one(on).await?.int("n")
}

async fn hits(
    filter: &CatalogFilter,
    words: &Words,
    most: usize,
    dialect: Dialect,
    on: &mut AnyConnection,
) -> Result<Vec<CatalogHit>, StoreError> {
    if words.expression.is_empty() {
        return Ok(Vec::new());
    }
    let enough = |found: &[CatalogHit]| found.len() >= most.min(ENOUGH);
    // A text that is not among the best may have the more exact labels.
    let narrowed = !filter.tags.is_empty() || filter.labels().iter().any(|(_, wanted)| wanted.is_some());
    if !narrowed {
        let found = weighed(filter, words, BEST, most, dialect, on).await?;
        if enough(&found) {
            return Ok(found);
        }
    }
    let found = weighed(filter, words, WEIGHED, most, dialect, on).await?;
    if !words.many || enough(&found) {
        return Ok(found);
    }
    unweighed(filter, words, most, dialect, on).await
}

/// The best of the texts that have the words.
async fn weighed(
    filter: &CatalogFilter,
    words: &Words,
    best: i64,
    most: usize,
    dialect: Dialect,
    on: &mut AnyConnection,
) -> Result<Vec<CatalogHit>, StoreError> {
    let (before, after) = dialect.found_texts();
    let mut sql = Sql::new("playbook", "SELECT p.workflow_id, p.version, ");
    general(&mut sql, filter);
    sql.push(" AS general FROM (SELECT number, best FROM (").push(before).value(&words.expression).push(after);
    sql.push(" LIMIT ").value(WEIGHED).push(") AS f ORDER BY best LIMIT ").value(best).push(") AS w");
    let join = dialect.join_in_order();
    sql.push(join).push("playbook_texts t ON t.number = w.number");
    sql.push(join).push("playbook_versions p ON p.workflow_id = t.workflow_id AND p.version = t.version WHERE 1 = 1");
    newest_of_each(&mut sql, filter.status);
    conditions(&mut sql, filter, "", None, dialect);
    sql.push(" ORDER BY general, w.best, p.workflow_id LIMIT ").value(limit(most));
    // Which plan is best depends on the words.
    sql.once();
    sql.all(on).await?.iter().map(hit).collect()
}

/// All that have the words: the more exact labels first, then by id.
async fn unweighed(
    filter: &CatalogFilter,
    words: &Words,
    most: usize,
    dialect: Dialect,
    on: &mut AnyConnection,
) -> Result<Vec<CatalogHit>, StoreError> {
    let mut sql = Sql::new("playbook", "SELECT p.workflow_id, p.version, ");
    general(&mut sql, filter);
    sql.push(" AS general FROM playbook_versions p WHERE 1 = 1");
    newest_of_each(&mut sql, filter.status);
    conditions(&mut sql, filter, "", Some(words), dialect);
    sql.push(" ORDER BY general, p.workflow_id LIMIT ").value(limit(most));
    sql.once();
    sql.all(on).await?.iter().map(hit).collect()
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// A version that was found.
pub(super) fn hit(row: &Row) -> Result<CatalogHit, StoreError> {
    Ok(CatalogHit {
        id: row.text("workflow_id")?.parse::<PlaybookId>().map_err(|e| row.corrupt("workflow_id", &e))?,
        version: row.text("version")?.parse::<Version>().map_err(|e| row.corrupt("version", &e))?,
        general: row.count("general")?,
    })
}

/// Words in the language of their database. They are letters and digits, so nothing in them can end the quotes.
fn expression(terms: &[Term], dialect: Dialect, joint: &str) -> String {
    let word = |word: &str| dialect.word(word, Term::begins(word));
    let term = |term: &Term| {
        let whole = word(&term.whole);
        if term.parts.is_empty() {
            return whole;
        }
        let parts: Vec<String> = term.parts.iter().map(|part| word(part)).collect();
        format!("({whole}{}({}))", dialect.any_word(), parts.join(dialect.all_words()))
    };
    terms.iter().map(term).collect::<Vec<_>>().join(joint)
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
        let in_sqlite = expression(&question.terms, Dialect::Sqlite, Dialect::Sqlite.all_words());
        assert_eq!(in_sqlite, "(\"oomkilled\"* OR (\"oom\"* AND \"killed\"*)) AND \"p1\" AND \"pods\"*");
        let in_postgres = expression(&question.terms, Dialect::Postgres, Dialect::Postgres.any_word());
        assert_eq!(in_postgres, "('oomkilled':* | ('oom':* & 'killed':*)) | 'p1' | 'pods':*");
        assert_eq!(expression(&Question::of("…").terms, Dialect::Sqlite, " OR "), "");
    }
}
