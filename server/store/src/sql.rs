//! A statement with its values, and the rows that come back. All text of the store goes through here, so that one place
//! knows what the drivers can't take. Knows no table.

use domain::{ports::StoreError, time::Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{
    AnyConnection, Arguments, Decode, Row as _, Type,
    any::{Any, AnyArguments, AnyRow},
    query::Query,
};
use std::fmt::Write as _;

/// A statement with more values than this is forgotten after its run; others stay prepared.
const KEPT_VALUES: usize = 32;

/// A value for a place holder.
pub(crate) enum Value {
    Text(Option<String>),
    Int(Option<i64>),
}

/// SQL text with `$1`, `$2`, … and their values in order.
pub(crate) struct Sql {
    text: String,
    values: Vec<Value>,
    what: &'static str,
    once: bool,
}

impl Sql {
    /// A statement about a kind of row; `what` names it in errors.
    pub(crate) fn new(what: &'static str, text: impl Into<String>) -> Self {
        Self { text: text.into(), values: Vec::new(), what, once: false }
    }

    /// The value of the next place holder that the text has already.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// More text.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// A new place holder with its value.
    pub(crate) fn value(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        // Writing into a String can't fail.
        let _ = write!(self.text, "${}", self.values.len());
        self
    }

    /// A parenthesised row of new place holders, as in `VALUES`.
    pub(crate) fn tuple<const N: usize>(&mut self, values: [Value; N]) -> &mut Self {
        for (i, value) in values.into_iter().enumerate() {
            self.push(if i == 0 { "(" } else { ", " }).value(value);
        }
        self.push(")")
    }

    /// A parenthesised list of new place holders, as after `IN`; it must not be empty.
    pub(crate) fn list<'v>(&mut self, values: impl Iterator<Item = &'v str>) -> &mut Self {
        for (i, value) in values.enumerate() {
            self.push(if i == 0 { "(" } else { ", " }).value(value);
        }
        self.push(")")
    }

    /// Not to be kept prepared: PostgreSQL then plans it for these very values.
    pub(crate) fn once(&mut self) -> &mut Self {
        self.once = true;
        self
    }

    /// Runs it; how many rows it touched.
    pub(crate) async fn run(self, on: &mut AnyConnection) -> Result<u64, StoreError> {
        Ok(self.query()?.execute(on).await.map_err(failed)?.rows_affected())
    }

    /// All rows.
    pub(crate) async fn all(self, on: &mut AnyConnection) -> Result<Vec<Row>, StoreError> {
        let rows = self.query()?.fetch_all(on).await.map_err(failed)?;
        Ok(rows.into_iter().map(|row| Row { row, what: self.what }).collect())
    }

    /// The first row, if there is one.
    pub(crate) async fn maybe(self, on: &mut AnyConnection) -> Result<Option<Row>, StoreError> {
        let row = self.query()?.fetch_optional(on).await.map_err(failed)?;
        Ok(row.map(|row| Row { row, what: self.what }))
    }

    /// The one row that must be there.
    pub(crate) async fn one(self, on: &mut AnyConnection) -> Result<Row, StoreError> {
        let row = self.query()?.fetch_one(on).await.map_err(failed)?;
        Ok(Row { row, what: self.what })
    }

    fn query(&self) -> Result<Query<'_, Any, AnyArguments<'_>>, StoreError> {
        let mut arguments = AnyArguments::default();
        for value in &self.values {
            match value {
                Value::Text(text) => arguments.add(text.as_deref()),
                Value::Int(int) => arguments.add(*int),
            }
            .map_err(|e| StoreError::Failed(e.to_string()))?;
        }
        // Statements of many rows come in too many sizes to be worth remembering.
        Ok(sqlx::query_with(&self.text, arguments).persistent(!self.once && self.values.len() <= KEPT_VALUES))
    }
}

/// A row that came back.
pub(crate) struct Row {
    row: AnyRow,
    what: &'static str,
}

impl Row {
    pub(crate) fn text(&self, column: &str) -> Result<String, StoreError> {
        self.get(column)
    }

    pub(crate) fn maybe_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        self.get(column)
    }

    pub(crate) fn int(&self, column: &str) -> Result<i64, StoreError> {
        self.get(column)
    }

    pub(crate) fn maybe_int(&self, column: &str) -> Result<Option<i64>, StoreError> {
        self.get(column)
    }

    /// A number that was written from a `u32`.
    pub(crate) fn count(&self, column: &str) -> Result<u32, StoreError> {
        let int = self.int(column)?;
        u32::try_from(int).map_err(|_| self.corrupt(column, &int))
    }

    pub(crate) fn flag(&self, column: &str) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    pub(crate) fn time(&self, column: &str) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_millis(self.int(column)?))
    }

    pub(crate) fn maybe_time(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.maybe_int(column)?.map(Timestamp::from_millis))
    }

    /// What the JSON in this column says.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(column)?).map_err(|e| self.corrupt(column, &e))
    }

    /// The same where there may be none.
    pub(crate) fn maybe_json<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>, StoreError> {
        let text = self.maybe_text(column)?;
        text.map(|text| serde_json::from_str(&text).map_err(|e| self.corrupt(column, &e))).transpose()
    }

    /// What the word in this column stands for.
    pub(crate) fn word<T>(&self, column: &str, known: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
        let word = self.text(column)?;
        known(&word).ok_or_else(|| self.corrupt(column, &format!("\"{word}\" is no known word")))
    }

    /// What is wrong with this row.
    pub(crate) fn corrupt(&self, column: &str, detail: &impl ToString) -> StoreError {
        StoreError::Corrupt { what: self.what, detail: format!("{column}: {}", detail.to_string()) }
    }

    fn get<'r, T: Decode<'r, Any> + Type<Any>>(&'r self, column: &str) -> Result<T, StoreError> {
        self.row.try_get(column).map_err(|e| self.corrupt(column, &e))
    }
}

/// JSON to be stored.
pub(crate) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Failed(format!("a value can't be written as JSON: {e}")))
}

/// The same for a commit: only where the database itself answers is it known that nothing was kept.
pub(crate) fn uncommitted(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(_) => failed(error),
        lost => StoreError::Unsure(lost.to_string()),
    }
}

/// What a fault of the driver means to the services: whether trying again later may help.
#[expect(clippy::needless_pass_by_value, reason = "what map_err hands in")]
pub(crate) fn failed(error: sqlx::Error) -> StoreError {
    use sqlx::Error as E;
    let away = match &error {
        E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed => true,
        E::Database(fault) => fault.code().is_some_and(|code| {
            // SQLite: busy, locked, read-only, disk full, input/output, can't open (with their extended codes).
            // PostgreSQL: connection, lock not available or deadlock, out of resources, shut down.
            let sqlite =
                code.parse::<u32>().is_ok_and(|c| matches!(c & 0xff, 5 | 6 | 8 | 10 | 13 | 14)) && code.len() < 5;
            sqlite || ["08", "40", "53", "55", "57"].iter().any(|class| code.len() == 5 && code.starts_with(class))
        }),
        _ => false,
    };
    if away { StoreError::Unavailable(error.to_string()) } else { StoreError::Failed(error.to_string()) }
}

impl From<&str> for Value {
    /// No row holds NUL, since PostgreSQL's text can't: it is replaced here, so that asking for one finds nothing.
    fn from(text: &str) -> Self {
        Self::Text(Some(text.replace('\0', "\u{fffd}")))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        if text.contains('\0') { text.as_str().into() } else { Self::Text(Some(text)) }
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<i64> for Value {
    fn from(int: i64) -> Self {
        Self::Int(Some(int))
    }
}

impl From<u32> for Value {
    fn from(int: u32) -> Self {
        i64::from(int).into()
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        i64::from(flag).into()
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        time.as_millis().into()
    }
}

macro_rules! optional {
    ($($inner:ty => $null:expr),+ $(,)?) => {
        $(impl From<Option<$inner>> for Value {
            /// A null has its column's type: PostgreSQL remembers a statement with the types of its first values.
            fn from(value: Option<$inner>) -> Self {
                value.map_or($null, Self::from)
            }
        })+
    };
}

optional!(&str => Self::Text(None), String => Self::Text(None), i64 => Self::Int(None), bool => Self::Int(None),
    Timestamp => Self::Int(None));
