//! Forms of pages, read as strictly as programs' bodies: no field twice, nothing that is no text.

use super::{body, problem::Problem};
use crate::urlencoded;
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{StatusCode, header},
};
use domain::reader::quoted;

/// The fields of a form, in their order.
pub type Fields = Vec<(String, String)>;

/// A form as it was sent.
pub struct Form(pub Fields);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let detail = "this is a page's form: programs use /api/v1";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "no-form", detail));
        }
        body::plain(request.headers())?;
        let sent = Bytes::from_request(request, state).await.map_err(|error| body::unread(&error))?;
        let bad = |detail: String| Problem::new(StatusCode::BAD_REQUEST, "bad-form", detail);
        let fields = urlencoded::pairs(&sent).ok_or_else(|| bad("a field of this form is no text".into()))?;
        // No database keeps it, and what would be kept in its place was not sent.
        if let Some((name, _)) = fields.iter().find(|(name, value)| name.contains('\0') || value.contains('\0')) {
            return Err(bad(format!("the field {} holds the character NUL", quoted(name))));
        }
        // Which of the two was meant is not for us to say.
        let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(bad(format!("the field {} stands twice in this form", quoted(pair[0])))),
            None => Ok(Self(fields)),
        }
    }
}

/// What was typed into a field; none where that is nothing but blanks.
pub fn field<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.trim().is_empty())
}
