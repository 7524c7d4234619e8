//! Finding rows by words. Each list is read in its own order and looks for the words as it goes, which is fast where they are
//! common; where they are rare an index of substrings says which rows there are. PostgreSQL chooses by its statistics, for
//! SQLite it is done here.

use crate::{
    dialect::Dialect,
    sql::Sql,
    words::{contains_all, endings, indexable},
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
    Audit,
}

impl Indexed {
    /// SQLite's index.
    const fn index(self) -> &'static str {
        match self {
            Self::Executions => "execution_words",
            Self::Recommendations => "recommendation_words",
            Self::Audit => "audit_words",
        }
    }

    /// What the index finds, by the column that names a row.
    const fn found(self) -> &'static str {
        match self {
            Self::Executions => {
                "SELECT n.id FROM execution_words JOIN execution_numbers n ON n.number = execution_words.rowid"
            }
            Self::Recommendations => {
                "SELECT n.id FROM recommendation_words JOIN recommendation_numbers n ON n.number = recommendation_words.rowid"
            }
            Self::Audit => "SELECT rowid FROM audit_words",
        }
    }
}

/// Adds the condition that the row holds every one of the texts. `id` and `search` name its columns.
pub(crate) async fn find(
    sql: &mut Sql,
    on: &mut AnyConnection,
    dialect: Dialect,
    of: Indexed,
    (id, search): (&str, &str),
    texts: &[&str],
) -> Result<(), StoreError> {
    contains_all(sql, search, texts);
    // Which plan is best depends on the words.
    sql.once();
    if dialect != Dialect::Sqlite {
        return Ok(());
    }
    let (index, matches) = (of.index(), of.found());
    let probe = format!("SELECT COUNT(*) AS found FROM (SELECT rowid FROM {index} WHERE {index} MATCH $1 LIMIT {FEW})");
    for words in [endings(texts), indexable(texts)].into_iter().flatten() {
        let found = Sql::new("search", probe.as_str()).bind(&words).one(on).await?.int("found")?;
        if found < FEW {
            sql.push(&format!(" AND {id} IN ({matches} WHERE {index} MATCH ")).value(words).push(")");
            break;
        }
    }
    Ok(())
}
