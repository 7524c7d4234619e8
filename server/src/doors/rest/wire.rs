//! The forms that objects have on the wire beyond their own fields: links, pages of a list.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::paging::PageOf;
use serde::Serialize;

/// Where an object stands: in the API and in the console.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Links {
    /// The object itself.
    #[serde(rename = "self")]
    pub this: String,
    /// Its page in the console.
    pub page: String,
}

/// An object with its links.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Linked<T> {
    /// The object's own fields.
    #[serde(flatten)]
    pub object: T,
    /// Where it stands.
    pub links: Links,
}

impl<T> Linked<T> {
    /// With these links.
    pub fn new(object: T, this: String, page: String) -> Self {
        Self { object, links: Links { this, page } }
    }
}

/// A page of a list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct List<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; null at the end.
    pub next_cursor: Option<String>,
}

impl<T> From<PageOf<T>> for List<T> {
    fn from(page: PageOf<T>) -> Self {
        Self { items: page.items, next_cursor: page.next_cursor }
    }
}

/// An event of a stream.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes what axum writes")]
pub struct StreamEvent {
    /// Its name.
    event: Option<String>,
    /// What the stream goes on after, when it is opened again.
    id: Option<String>,
    /// How long a reader that lost the stream waits before it comes again, milliseconds.
    retry: Option<u64>,
    /// JSON, of the form that goes with the name.
    data: String,
}

/// A JSON answer.
pub fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, [(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer can't be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
