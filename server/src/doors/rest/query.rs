//! Query strings, read as strictly as bodies: an unknown or malformed parameter is an error that names the known ones.

use crate::{doors::problem::Problem, services::limits, urlencoded};
use axum::{extract::FromRequestParts, http::request::Parts};
use domain::{
    fault::{Fault, Faults, code},
    json::pointer::join,
    paging::Page,
    ports::StoreError,
    reader::{nearest, quoted},
    time::Timestamp,
};
use std::collections::BTreeSet;

/// Longer than any cursor that a list hands out.
const MAX_CURSOR: usize = 4096;

/// The raw pairs of a query string.
pub struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = urlencoded::pairs(parts.uri.query().unwrap_or_default().as_bytes());
        let malformed = || Problem::invalid(vec![Fault::new("", code::MALFORMED, "the query string can't be read")]);
        pairs.map(Self).ok_or_else(malformed)
    }
}

/// For addresses that take no parameters: any is an error.
pub struct NoQuery;

impl<S: Send + Sync> FromRequestParts<S> for NoQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Query::from_request_parts(parts, state).await?.read().finish().map(|()| Self)
    }
}

/// Takes parameters one by one and reports what was not asked for.
pub struct QueryReader {
    pairs: Vec<(String, String)>,
    known: BTreeSet<&'static str>,
    faults: Faults,
}

impl Query {
    /// Begins reading.
    pub fn read(self) -> QueryReader {
        QueryReader { pairs: self.0, known: BTreeSet::new(), faults: Faults::new() }
    }
}

impl QueryReader {
    /// All tags; the parameter may repeat.
    pub fn tags(&mut self) -> Vec<String> {
        let tags = self.all("tag");
        self.faults.extend(limits::too_many_tags(tags.len()));
        self.faults.extend(tags.iter().filter_map(|tag| limits::too_long("tag", tag)));
        tags
    }

    /// One text, short enough to be searched for.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        let text = self.once(name)?;
        self.faults.extend(limits::too_long(name, &text));
        Some(text)
    }

    /// All values of a parameter; empty ones count as not given.
    fn all(&mut self, name: &'static str) -> Vec<String> {
        self.known.insert(name);
        self.pairs.iter().filter(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.clone()).collect()
    }

    fn once(&mut self, name: &'static str) -> Option<String> {
        let mut all = self.all(name);
        if all.len() > 1 {
            self.faults.add(format!("/{name}"), code::DUPLICATE, format!("give {name} once"));
        }
        all.pop()
    }

    /// One text that `parse` understands; `what` says what it should be.
    pub fn parsed<T>(&mut self, name: &'static str, what: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let value = parse(&text);
        if value.is_none() {
            self.faults.add(format!("/{name}"), code::MALFORMED, format!("{name} is {what}, not {}", quoted(&text)));
        }
        value
    }

    /// A point in time.
    pub fn time(&mut self, name: &'static str) -> Option<Timestamp> {
        self.parsed(name, "a time such as 2026-11-23T03:00:00Z", |t| Timestamp::parse(t).ok())
    }

    /// `limit` and `cursor`.
    pub fn page(&mut self) -> Page {
        let limit = self.parsed("limit", "a number from 1 to 200", |t| {
            t.parse::<u32>().ok().filter(|n| (1..=Page::MAX_LIMIT).contains(n))
        });
        Page { limit: limit.unwrap_or(Page::DEFAULT_LIMIT), cursor: self.cursor() }
    }

    fn cursor(&mut self) -> Option<String> {
        let cursor = self.once("cursor")?;
        if cursor.len() > MAX_CURSOR {
            self.faults.add(
                "/cursor",
                code::TOO_LONG,
                "this cursor is from no list; leave it out to begin at the start",
            );
        }
        Some(cursor)
    }

    /// What the cursor of a page means to a list that makes its own.
    pub fn cursor_of<T>(&mut self, page: &Page, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let key = read(page.cursor.as_deref()?);
        if key.is_none() {
            self.faults.add("/cursor", "bad_cursor", StoreError::BadCursor.to_string());
        }
        key
    }

    /// Ends reading: faults when something was malformed or unknown.
    pub fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in &self.pairs {
            if !self.known.contains(name.as_str()) {
                let known = self.known.iter().copied().collect::<Vec<_>>();
                let hint = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean {near}?"),
                    None if known.is_empty() => "this address takes none".into(),
                    None => format!("known are {}", known.join(", ")),
                };
                self.faults.add(
                    join("", name),
                    code::UNKNOWN_FIELD,
                    format!("there is no parameter {}; {hint}", quoted(name)),
                );
            }
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::invalid(self.faults.into_vec())) }
    }
}
