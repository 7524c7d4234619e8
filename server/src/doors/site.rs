//! The site's own files: WebAssembly, style sheet, fonts. Release builds carry them in the binary; debug builds read them
//! from where `cargo xtask build-web` puts them.

use super::access::Open;
use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../target/site"]
#[allow_missing = true]
struct Site;

/// The routes of the files; public, and without state.
pub fn routes() -> Open<()> {
    Open::new()
        .add("/pkg/{*path}", |path: Path<String>, headers: HeaderMap| async move { file("pkg", &path, &headers) })
        .add("/fonts/{*path}", |path: Path<String>, headers: HeaderMap| async move { file("fonts", &path, &headers) })
        .add("/favicon.svg", |headers: HeaderMap| async move { answer("favicon.svg", &headers) })
}

fn file(folder: &str, path: &str, headers: &HeaderMap) -> Response {
    answer(&format!("{folder}/{path}"), headers)
}

/// The file, compressed as the browser likes it best, with an entity tag of its content.
fn answer(path: &str, headers: &HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let encodings = [("br", ".br"), ("gzip", ".gz")];
    let compressed = encodings
        .into_iter()
        .filter(|(name, _)| accepted.split(',').any(|a| a.split(';').next().unwrap_or_default().trim() == *name))
        .find_map(|(name, ending)| Some((name, Site::get(&format!("{path}{ending}"))?)));
    let (encoding, found) = match compressed {
        Some((name, found)) => (Some(name), found),
        None => match Site::get(path) {
            Some(found) => (None, found),
            None => return StatusCode::NOT_FOUND.into_response(),
        },
    };
    let tag = format!("\"{}\"", hex::encode(&found.metadata.sha256_hash()[..12]));
    // Fonts never change under their name; the rest is asked for again and mostly answered with 304.
    let cache = if path.starts_with("fonts/") { "public, max-age=31536000, immutable" } else { "public, no-cache" };
    let shared = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, cache.to_owned()),
        (header::VARY, "accept-encoding".into()),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, shared).into_response();
    }
    let mut response = (shared, [(header::CONTENT_TYPE, media_type(path))], bytes(found)).into_response();
    if let Some(encoding) = encoding.and_then(|e| e.parse().ok()) {
        response.headers_mut().insert(header::CONTENT_ENCODING, encoding);
    }
    response
}

fn bytes(file: EmbeddedFile) -> Vec<u8> {
    file.data.into_owned()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "css" => "text/css; charset=utf-8",
        "woff2" => "font/woff2",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
