//! The audit trail as a file, written while it is read. JSON lines can be checked by `kubernaut-console audit verify`; CSV is for
//! spreadsheets.

use super::lapse::ByParts;
use crate::services::Services;
use axum::{
    Extension,
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse as _, Response},
};
use domain::{
    audit::{AuditFilter, AuditRecord, Chained, Head, Mac, end_of_some},
    identity::Caller,
    services::{Answer, AuditService as _},
};
use futures::stream;
use serde_json::Value;
use std::io;

/// Rows that are read at a time.
const BATCH: u32 = 1_000;
/// The columns of a table.
const COLUMNS: [&str; 15] = [
    "sequence",
    "at",
    "actor_id",
    "actor_name",
    "actor_owner",
    "door",
    "address",
    "route",
    "action",
    "object_kind",
    "object_id",
    "before",
    "after",
    "reason",
    "request_id",
];

/// The form of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A row a line, and a line that tells the end.
    Jsonl,
    /// A table.
    Csv,
}

impl Format {
    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Jsonl, Self::Csv].into_iter().find(|format| format.name() == name)
    }

    /// Its name, which is also the end of the file's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }
}

/// The rows that the filter lets through, oldest first, up to the end that the trail has now.
pub async fn file(services: &Services, caller: &Caller, filter: AuditFilter, format: Format) -> Answer<Response> {
    let (head, seal) = services.end(caller).await?;
    // What can't be asked for is told before the file begins.
    services.chained(caller, &filter, head.sequence, 1).await?;
    let whole = filter == AuditFilter::default();
    tracing::info!(actor = caller.actor.id.as_str(), format = format.name(), whole, "the audit trail is exported");
    let walk = Walk {
        services: services.clone(),
        caller: caller.clone(),
        filter,
        format,
        head,
        seal,
        last: 0,
        rows: 0,
        place: Place::Beginning,
    };
    let media_type = match format {
        Format::Jsonl => "application/jsonl",
        Format::Csv => "text/csv; charset=utf-8",
    };
    let name = format!("attachment; filename=\"audit.{}\"", format.name());
    let headers = [(header::CONTENT_TYPE, media_type.to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((Extension(ByParts), headers, Body::from_stream(stream::try_unfold(walk, Walk::next))).into_response())
}

/// A way through the trail.
struct Walk {
    services: Services,
    caller: Caller,
    filter: AuditFilter,
    format: Format,
    head: Head,
    seal: Option<Mac>,
    last: i64,
    rows: u64,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Beginning,
    Within,
    Over,
}

impl Walk {
    /// The next part of the file, and the rest of the way.
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        if self.place == Place::Over {
            return Ok(None);
        }
        let rows = self.services.chained(&self.caller, &self.filter, self.last, BATCH).await;
        let mut rows = rows.map_err(io::Error::other)?;
        // What is written meanwhile is for the next export.
        rows.retain(|row| row.record.sequence <= self.head.sequence);
        let beginning = self.place == Place::Beginning;
        self.rows += rows.len() as u64;
        self.place = match rows.last() {
            Some(last) => {
                self.last = last.record.sequence;
                Place::Within
            }
            None => Place::Over,
        };
        let part = match self.format {
            Format::Csv => table(&rows, beginning)?,
            Format::Jsonl => {
                let end = (self.place == Place::Over).then(|| self.end());
                let mut text = String::new();
                for line in rows.iter().map(Chained::line).chain(end) {
                    text.push_str(&line);
                    text.push('\n');
                }
                text.into_bytes()
            }
        };
        Ok(Some((Bytes::from(part), self)))
    }

    /// The last line: of the whole trail it says where that ends, of some rows that they are some.
    fn end(&self) -> String {
        if self.filter == AuditFilter::default() { self.head.line(self.seal) } else { end_of_some(self.rows) }
    }
}

/// Rows of a table, with its head where it begins.
fn table(rows: &[Chained], beginning: bool) -> io::Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    if beginning {
        table.write_record(COLUMNS)?;
    }
    for row in rows {
        table.write_record(cells(&row.record).map(|cell| harmless(&cell)))?;
    }
    table.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

fn cells(row: &AuditRecord) -> [String; 15] {
    let json = |value: Option<&Value>| value.map(ToString::to_string).unwrap_or_default();
    [
        row.sequence.to_string(),
        row.at.to_string(),
        row.actor.id.to_string(),
        row.actor.name.clone(),
        row.actor.owner.as_ref().map(ToString::to_string).unwrap_or_default(),
        row.door.name().to_owned(),
        row.address.map(|address| address.to_string()).unwrap_or_default(),
        row.route.clone(),
        row.action.clone(),
        row.object_kind.clone(),
        row.object_id.clone(),
        json(row.before.as_ref()),
        json(row.after.as_ref()),
        row.reason.clone().unwrap_or_default(),
        row.request_id.clone(),
    ]
}

/// A cell that no spreadsheet takes for a formula (OWASP, CSV injection).
pub fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for bad in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\n=x"] {
            assert_eq!(harmless(bad), format!("'{bad}"));
        }
        for good in ["", "1-1", "a=b", "'=x", "{\"a\":\"=1\"}"] {
            assert_eq!(harmless(good), good);
        }
    }
}
