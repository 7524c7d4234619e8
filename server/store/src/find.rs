//! Finding rows by words. Each list is read in its own order and looks for the words as it goes, which is fast where they are
//! common; where they are rare an index of substrings says which rows there are. PostgreSQL chooses by its statistics, for
//! SQLite it is done here.

use crate::{
    dialect::Dialect,
    sql::Sql,
    words::{contains_words, indexable},
};
use domain::ports::StoreError;
use sqlx::AnyConnection;

/// So many rows are read out of their order and sorted; of more the list's own order is faster.
const FEW: i64 = 500;

/// What has an index of substrings.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Indexed {
    Executions,
    Recommendations,
}

impl Indexed {
    const fn name(self) -> &'static str {
        match self {
            Self::Executions => "execution",
            Self::Recommendations => "recommendation",
        }
    }
}

/// Adds the condition that the row holds every word of `q`. `id` and `search` name its columns.
pub(crate) async fn find(
    sql: &mut Sql,
    on: &mut AnyConnection,
    dialect: Dialect,
    of: Indexed,
    (id, search): (&str, &str),
    q: &str,
) -> Result<(), StoreError> {
    contains_words(sql, search, q);
    // Which plan is best depends on the words.
    sql.once();
    let (Dialect::Sqlite, Some(words)) = (dialect, indexable(q)) else { return Ok(()) };
    let of = of.name();
    let probe =
        format!("SELECT COUNT(*) AS found FROM (SELECT rowid FROM {of}_words WHERE {of}_words MATCH $1 LIMIT {FEW})");
    let found = Sql::new("search", probe).bind(&words).one(on).await?.int("found")?;
    if found < FEW {
        sql.push(&format!(
            " AND {id} IN (SELECT n.id FROM {of}_words w JOIN {of}_numbers n ON n.number = w.rowid WHERE w.{of}_words MATCH "
        ));
        sql.value(words).push(")");
    }
    Ok(())
}
