//! When something is refused: the one place that turns a service's error into a status and a page that says what happened,
//! what to do, and which request it was. Each status reads differently, because each asks for something else.

use crate::{components::Changes, icon::Glyph, icon::Icon, islands::CopyText, query::Query};
use domain::{
    fault::Fault,
    identity::{Right, Role},
    json::diff::Change,
    services::ServiceError,
};
use http::StatusCode;
use leptos::prelude::*;

/// The status that answers this error.
pub const fn status(error: &ServiceError) -> StatusCode {
    match error {
        ServiceError::Denied(_) | ServiceError::Forbidden(_) | ServiceError::SignInAgain(_) => StatusCode::FORBIDDEN,
        ServiceError::NotFound(_) => StatusCode::NOT_FOUND,
        ServiceError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        ServiceError::Conflict { .. } => StatusCode::CONFLICT,
        ServiceError::Moved { .. } => StatusCode::PRECONDITION_FAILED,
        ServiceError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        ServiceError::Unsure | ServiceError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Why a page is not shown, as far as its reader is told.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    /// The status of the answer.
    pub status: StatusCode,
    /// What happened, as the service or the door put it; empty where the status says it all.
    pub detail: String,
    /// The right that is missing, and the roles that the caller has.
    pub missing: Option<(Right, String)>,
    /// It was an act, and no page that was asked for.
    pub act: bool,
    /// It came from another site, or did not say from where.
    pub foreign: bool,
    /// The single faults.
    pub faults: Vec<Fault>,
    /// What differs.
    pub differences: Vec<Change>,
    /// Seconds after which it may be tried again.
    pub retry_after: Option<u32>,
    /// The page that it was sent from, or asked for.
    pub back: Option<String>,
    /// The page that was asked for, where it was one.
    pub asked: Option<String>,
}

impl From<ServiceError> for Trouble {
    fn from(error: ServiceError) -> Self {
        let base = Self { status: status(&error), ..Self::default() };
        match error {
            ServiceError::Denied(denied) => Self { missing: Some((denied.right, denied.roles)), ..base },
            ServiceError::NotFound(what) => {
                Self { detail: format!("there is no such {what}, or not any more"), ..base }
            }
            ServiceError::Invalid(faults) => Self { faults, ..base },
            ServiceError::Conflict { detail, differences, .. } => Self { detail, differences, ..base },
            // The detail of an internal error is for the log alone.
            ServiceError::Internal(_) => base,
            other => Self { detail: other.to_string(), ..base },
        }
    }
}

/// What a reader is told: heading, what happened where nothing more special is known, what to do.
struct Words {
    title: &'static str,
    happened: &'static str,
    to_do: &'static str,
}

impl Trouble {
    /// Why the page at this address is not shown. What may pass by itself leads back to it.
    pub fn of_page(error: ServiceError, address: &str) -> Self {
        let trouble = Self::from(error);
        let back = trouble.passes().then(|| address.to_owned());
        Self { back, ..trouble }
    }

    /// Whether the same may go well a little later.
    pub fn passes(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS
    }

    /// A heading for it.
    pub fn title(&self) -> &'static str {
        self.words().title
    }

    fn words(&self) -> Words {
        let (title, happened, to_do) = match self.status.as_u16() {
            401 => (
                "You are signed out",
                "Your session has ended, so this was not done. Nothing was stored.",
                "Sign in again: you come back to the page you were on.",
            ),
            403 if self.foreign => (
                "This did not come from the console",
                "The request came from another site or did not say where it came from.",
                "Open the console in its own tab, by its own address, and do it there.",
            ),
            403 if self.missing.is_some() => (
                if self.act { "You may not do this" } else { "You may not see this" },
                "A right is missing.",
                "Ask an administrator for one of these roles, or send this page's address to a colleague who has it.",
            ),
            403 => (
                "This is not for you to do",
                "It is allowed in general, but not for you and this object.",
                "Ask a colleague who may, and send them this page's address.",
            ),
            404 => (
                "Nothing is here",
                "There is no such page, or not any more.",
                "Check the address for a missing part, or search for it. Old runs are removed after their retention time.",
            ),
            405 => (
                "This address is no page",
                "It belongs to a button, and can't be opened or used like this.",
                "Go back and press the button again.",
            ),
            409 | 412 => (
                "It has changed in the meantime",
                "It clashes with how things stand by now. Nothing was done.",
                "Load the page again to see how it stands now, then decide anew.",
            ),
            413 => (
                "This is too much at once",
                "What was sent is too long. Nothing was stored.",
                "Send less: a form takes 256 KiB.",
            ),
            421 => (
                "This is not the console's address",
                "The console is reached by another name.",
                "Open it by its own address. An administrator can let it answer to more names.",
            ),
            422 => (
                "Something has to be mended first",
                "What was sent breaks the rules below. Nothing was stored.",
                "Go back, mend it and send it again.",
            ),
            429 => (
                "Too many requests",
                "More came from you in a short time than the console takes.",
                "Wait a moment and load the page again. Programs wait as long as Retry-After says.",
            ),
            503 => (
                "A part of the console does not answer",
                "The database or the cluster can't be reached right now. Nothing was changed.",
                "Wait a moment and load the page again. Runs that are under way go on.",
            ),
            500.. => (
                "Something went wrong on our side",
                "The console could not finish this. The log has the details.",
                "Load the page again. If it stays, tell an administrator the request id.",
            ),
            _ => (
                "This can't be understood",
                "What was sent is not of the form that this page takes. Nothing was stored.",
                "Go back, load the page again, and use its own form.",
            ),
        };
        Words { title, happened, to_do }
    }

    fn happened(&self) -> String {
        match &self.missing {
            Some((right, roles)) => format!("This needs the right {right}, which {roles} does not include."),
            None if self.detail.is_empty() || self.foreign => self.words().happened.to_owned(),
            // What the doors say to programs about sessions and tokens does not help a person.
            None if self.status == StatusCode::UNAUTHORIZED => self.words().happened.to_owned(),
            None => sentence(&self.detail),
        }
    }

    /// Roles that would do, the smallest first.
    fn roles_that_may(&self) -> Vec<&'static str> {
        let Some((right, _)) = &self.missing else { return Vec::new() };
        let able = Role::ALL.into_iter().filter(|role| !role.tokens_only() && role.grants(*right));
        able.map(Role::name).collect()
    }
}

/// What is wrong with a value, for who has it before them: programs are told what to send, people what it needs.
pub fn of_value(fault: &str) -> String {
    fault.strip_prefix("send ").map_or_else(|| fault.to_owned(), |rest| format!("it needs {rest}"))
}

/// First letter large, full stop at the end.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return String::new() };
    let rest = chars.as_str();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{rest}{stop}", first.to_uppercase())
}

/// The page in place of the one that was asked for.
#[component]
pub fn ErrorPage(
    /// Why it was refused.
    trouble: Trouble,
    /// Which request it was.
    request_id: String,
) -> impl IntoView {
    let Words { title, to_do, .. } = trouble.words();
    let happened = trouble.happened();
    let roles = trouble.roles_that_may();
    let wait = trouble.retry_after.filter(|_| trouble.status == StatusCode::TOO_MANY_REQUESTS);
    let (code, passes) = (trouble.status.as_u16(), trouble.passes());
    let Trouble { faults, differences, back, .. } = trouble;
    view! {
        <div class="trouble">
            <p class="trouble-code">{code}</p>
            <h1>{title}</h1>
            <p class="lede">{happened}</p>
            <p>{to_do}</p>
            {(!roles.is_empty()).then(|| view! {
                <ul class="tags">{roles.into_iter().map(|role| view! { <li><code>{role}</code></li> }).collect_view()}</ul>
            })}
            {wait.map(|seconds| view! { <p>{format!("You may try again in {seconds} s.")}</p> })}
            {(!faults.is_empty()).then(|| view! {
                <ul class="plain">
                    {faults.into_iter().map(|f| view! { <li><code>{f.pointer}</code>" "{f.message}</li> }).collect_view()}
                </ul>
            })}
            {(!differences.is_empty()).then(|| view! { <Changes changes=differences caption="What differs" /> })}
            <Ways code passes back />
            <p class="sub request">
                "Request "<code>{request_id.clone()}</code>" "<CopyText text=request_id what="request id" />
            </p>
        </div>
    }
    .into_any()
}

/// Where to go from here; the likeliest first.
#[component]
fn Ways(code: u16, passes: bool, back: Option<String>) -> impl IntoView {
    let sign_in = || format!("/login{}", Query::default().with("next", back.as_deref()));
    let again = back.clone().unwrap_or_else(|| "/".to_owned());
    view! {
        <p class="actions">
            {match code {
                401 => view! { <a class="btn primary" href=sign_in()>"Sign in"</a> }.into_any(),
                404 => view! { <a class="btn primary" href="/search"><Glyph of=Icon::Find />"Search"</a> }.into_any(),
                _ if back.is_some() => {
                    let word = if passes { "Try again" } else { "Back to the page" };
                    view! { <a class="btn primary" href=again>{word}</a> }.into_any()
                }
                _ => ().into_any(),
            }}
            <a class="btn" href="/">"Go to the overview"</a>
        </p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::identity::Denied;
    use std::collections::HashSet;

    #[test]
    fn each_status_reads_differently_and_says_what_to_do() {
        let statuses = [400, 401, 403, 404, 405, 409, 413, 421, 422, 429, 500, 503];
        let of = |code: u16| Trouble { status: StatusCode::from_u16(code).unwrap_or_default(), ..Trouble::default() };
        let titles: HashSet<&str> = statuses.iter().map(|code| of(*code).title()).collect();
        let to_do: HashSet<&str> = statuses.iter().map(|code| of(*code).words().to_do).collect();
        assert_eq!((titles.len(), to_do.len()), (statuses.len(), statuses.len()));
    }

    #[test]
    fn a_missing_right_is_named_with_the_roles_that_have_it() {
        let denied = Denied { right: Right::RunsControl, roles: "viewer".into() };
        let trouble = Trouble::from(ServiceError::Denied(denied));
        assert_eq!(trouble.happened(), "This needs the right runs:control, which viewer does not include.");
        assert_eq!(trouble.roles_that_may(), ["operator", "admin"]);
    }

    #[test]
    fn a_page_that_could_not_be_had_is_offered_again_and_one_that_is_not_there_is_not() {
        let shown = |error| {
            let trouble = Trouble::of_page(error, "/runs?state=failed");
            let page = view! { <ErrorPage trouble request_id="r1".to_owned() /> };
            Owner::new().with(|| page.into_any().to_html())
        };
        for error in
            [ServiceError::Unavailable("the database is not available".into()), ServiceError::Internal("x".into())]
        {
            let page = shown(error);
            assert!(page.contains("href=\"/runs?state=failed\"") && page.contains("Try again"), "{page}");
        }
        let missing = shown(ServiceError::NotFound("run"));
        assert!(!missing.contains("Try again") && !missing.contains("/runs?state=failed"), "{missing}");
    }

    #[test]
    fn what_went_wrong_inside_is_for_the_log() {
        let trouble = Trouble::from(ServiceError::Internal("table users has no column".into()));
        assert!(!trouble.happened().contains("column"));
        assert_eq!(Trouble::from(ServiceError::NotFound("run")).happened(), "There is no such run, or not any more.");
    }
}
