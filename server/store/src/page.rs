//! Keyset pages: a cursor is the sort key of the last item, sealed in hexadecimal so that nobody builds on its form.
//! Knows no list.

use domain::{
    paging::{Page, PageOf},
    ports::StoreError,
};
use serde::{Serialize, de::DeserializeOwned};

/// How many rows to ask for: one more than wanted tells whether there is a next page.
pub(crate) fn wanted(page: &Page) -> i64 {
    i64::from(limit(page)) + 1
}

/// The key that the page goes on from. `list` is the name of the list and its order: another list's cursor is refused.
pub(crate) fn key<K: DeserializeOwned>(list: &str, page: &Page) -> Result<Option<K>, StoreError> {
    let Some(cursor) = &page.cursor else { return Ok(None) };
    let bytes = hex::decode(cursor).map_err(|_| StoreError::BadCursor)?;
    let (of, key): (String, K) = serde_json::from_slice(&bytes).map_err(|_| StoreError::BadCursor)?;
    if of == list { Ok(Some(key)) } else { Err(StoreError::BadCursor) }
}

/// The page of these items, of which there may be one too many.
pub(crate) fn page_of<T, K: Serialize>(
    list: &str,
    page: &Page,
    mut items: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Result<PageOf<T>, StoreError> {
    let limit = limit(page) as usize;
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = match items.last() {
        Some(end) if more => Some(hex::encode(crate::sql::json(&(list, key(end)))?)),
        _ => None,
    };
    Ok(PageOf { items, next_cursor })
}

fn limit(page: &Page) -> u32 {
    page.limit.clamp(1, Page::MAX_LIMIT)
}
