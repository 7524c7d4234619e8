//! Keyset pages: a list goes on from the last item, never from a count of skipped ones.

use serde::{Deserialize, Serialize};

/// Which page of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// At most this many items, 1–200 (`api.md`, Conventions).
    pub limit: u32,
    /// Where the last page ended; `None` for the first page.
    pub cursor: Option<String>,
}

impl Page {
    /// Items in a page when nothing else is asked for.
    pub const DEFAULT_LIMIT: u32 = 50;
    /// The most items in a page.
    pub const MAX_LIMIT: u32 = 200;

    /// The first page of `limit` items.
    pub fn first(limit: u32) -> Self {
        Self { limit: limit.clamp(1, Self::MAX_LIMIT), cursor: None }
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::first(Self::DEFAULT_LIMIT)
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageOf<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<String>,
}

impl<T> PageOf<T> {
    /// The same page with each item changed.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> PageOf<U> {
        PageOf { items: self.items.into_iter().map(change).collect(), next_cursor: self.next_cursor }
    }
}

impl<T> Default for PageOf<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next_cursor: None }
    }
}
