//! What a person is told where a request was refused before any page was asked: no session, too little right, another site, a
//! body over its size, a method that is none. Programs get a problem; a browser gets a page that says the same in words.

use super::{
    gate::Gate,
    mcp, pages,
    problem::{self, Problem},
};
use app::part::Part;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use domain::identity::Caller;

/// Headers of the refusal that go with the page.
const KEPT: [header::HeaderName; 3] = [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE];

/// Turns a problem into a page where a browser asked for one.
pub async fn as_page(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/api/") || request.uri().path() == mcp::PATH || !wants_page(request.headers())
    {
        return next.run(request).await;
    }
    let (headers, extensions) = (request.headers().clone(), request.extensions().clone());
    let asked = matches!(*request.method(), Method::GET | Method::HEAD).then(|| request.uri().to_string());
    let answer = next.run(request).await;
    if is_page(&answer) {
        return answer;
    }
    let mut answer = problem::completed(answer);
    let Some(problem) = answer.extensions_mut().remove::<Problem>() else { return answer };
    let mut trouble = problem.trouble();
    trouble.act = asked.is_none();
    trouble.asked.clone_from(&asked);
    // What will be there again is asked for again; else the way leads back to where one came from.
    trouble.back = asked.filter(|_| trouble.passes()).or_else(|| came_from(&headers));
    let mut extensions = extensions;
    if let (Some((_, roles)), Some(caller)) = (&mut trouble.missing, extensions.get::<Caller>()) {
        *roles = caller.roles_in_words();
    }
    if trouble.status == StatusCode::TOO_MANY_REQUESTS {
        // Whoever asks too often is not given a page that costs more than what was refused.
        extensions.remove::<Caller>();
    }
    let mut page = pages::trouble(&gate, headers, extensions, trouble).await;
    for name in KEPT {
        if let Some(value) = answer.headers_mut().remove(&name) {
            page.headers_mut().insert(name, value);
        }
    }
    page
}

/// A page that follows what it shows asks for a part of itself, and says so otherwise.
fn wants_page(headers: &HeaderMap) -> bool {
    if Part::of(headers) != Part::Whole {
        return true;
    }
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|range| range.split(';').next().unwrap_or_default().trim() == "text/html")
}

fn is_page(answer: &Response) -> bool {
    let media_type = answer.headers().get(header::CONTENT_TYPE);
    media_type.is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
}

/// The page of ours on which the form stood.
fn came_from(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (_, rest) = text(header::REFERER)?.split_once("://")?;
    let path = rest.strip_prefix(text(header::HOST)?).filter(|path| path.starts_with('/'))?;
    let safe = app::pages::login::safe_next(Some(path));
    (safe == path).then_some(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), header::HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_browser_is_known_by_what_it_takes() {
        assert!(wants_page(&headers(&[(header::ACCEPT, "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")])));
        for program in ["*/*", "application/json", "application/xhtml+xml"] {
            assert!(!wants_page(&headers(&[(header::ACCEPT, program)])), "{program}");
        }
        assert!(!wants_page(&HeaderMap::new()));
        let mut part = headers(&[(header::ACCEPT, "*/*")]);
        part.insert(Part::HEADER, header::HeaderValue::from_static("frame"));
        assert!(wants_page(&part), "an open page asks for itself");
    }

    #[test]
    fn the_way_back_leads_to_our_own_pages_only() {
        let from = |referer| came_from(&headers(&[(header::HOST, "console.example"), (header::REFERER, referer)]));
        assert_eq!(from("https://console.example/runs/x?tab=logs").as_deref(), Some("/runs/x?tab=logs"));
        for other in
            ["https://evil.example/runs", "https://console.example.evil.example/", "https://console.example//evil"]
        {
            assert_eq!(from(other), None, "{other}");
        }
    }
}
