//! What a page never carries: characters that are not seen but change what is. A model's words, a log's or a task's result
//! may hold them; a direction override beside an approved value would let it read as another. One rule for every page.

use axum::{
    body::{Body, to_bytes},
    http::header,
    response::Response,
};
use domain::text::is_unseen;

/// The page with each such character replaced by the replacement character, which is seen.
pub async fn visible(page: Response) -> Response {
    let (mut parts, body) = page.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let text = String::from_utf8_lossy(&bytes);
    if !text.chars().any(hidden) {
        return Response::from_parts(parts, Body::from(bytes));
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    let seen: String = text.chars().map(|c| if hidden(c) { char::REPLACEMENT_CHARACTER } else { c }).collect();
    Response::from_parts(parts, Body::from(seen))
}

fn hidden(c: char) -> bool {
    is_unseen(c) && !matches!(c, '\n' | '\r' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shown(text: &'static str) -> String {
        let page = visible(Response::new(Body::from(text))).await;
        String::from_utf8(to_bytes(page.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn what_would_not_be_seen_is_seen() {
        assert_eq!(
            shown("<p>\u{200b}a\u{202e}b\u{1b}[1m\u{9b}\u{2028}</p>\n\t").await,
            "<p>\u{fffd}a\u{fffd}b\u{fffd}[1m\u{fffd}\u{fffd}</p>\n\t"
        );
        assert_eq!(shown("<p>שלום, 節点</p>").await, "<p>שלום, 節点</p>");
    }
}
