//! Pages and actions that can be jumped to by their names, each for whoever may use it.

use super::Hit;
use crate::{icon::Icon, shell::SIGN_OUT};
use domain::identity::{Caller, Right};

/// A page or an action.
struct Entry {
    icon: Icon,
    title: &'static str,
    sub: &'static str,
    href: &'static str,
    /// Other words by which it is looked for.
    words: &'static str,
    needs: Option<Right>,
    /// The form of the frame that it sends instead of leading somewhere.
    sends: Option<&'static str>,
}

const fn entry(
    icon: Icon,
    title: &'static str,
    sub: &'static str,
    href: &'static str,
    words: &'static str,
    needs: Option<Right>,
) -> Entry {
    Entry { icon, title, sub, href, words, needs, sends: None }
}

const PAGES: [Entry; 20] = [
    entry(Icon::Home, "Overview", "what needs you now", "/", "home start", None),
    entry(Icon::Warn, "Incidents", "what fires and fired", "/incidents", "alerts signals alertmanager", None),
    entry(Icon::Inbox, "Approvals", "what awaits a decision", "/approvals", "inbox recommendations", None),
    entry(Icon::Runs, "Runs", "what ran and runs", "/runs", "executions pipelineruns", None),
    entry(Icon::Book, "Catalog", "playbooks", "/catalog", "workflows", None),
    entry(
        Icon::Eye,
        "Findings",
        "what was noticed beside the point",
        "/findings",
        "triage noticed patterns",
        Some(Right::RecommendationsRead),
    ),
    entry(
        Icon::Book,
        "Action types",
        "what steps may do",
        "/catalog/actions",
        "registry contracts",
        Some(Right::CatalogRead),
    ),
    entry(Icon::Trend, "Effectiveness", "does it help", "/effectiveness", "success statistics calibration", None),
    entry(
        Icon::Trend,
        "Patterns",
        "what many runs show together",
        "/effectiveness/patterns",
        "flapping repeated stopped working",
        Some(Right::RunsRead),
    ),
    entry(Icon::List, "Audit", "who did what", "/audit", "log trail history", Some(Right::AuditRead)),
    entry(Icon::Gear, "Settings", "your account and looks", "/settings", "profile preferences password", None),
    entry(Icon::Eye, "Sessions", "where you are signed in", "/settings/sessions", "devices browsers logins", None),
    entry(Icon::Key, "Tokens", "what programs sign in with", "/settings/tokens", "api keys secrets", None),
    entry(
        Icon::User,
        "Accounts",
        "who may sign in",
        "/settings/accounts",
        "users people roles",
        Some(Right::AccountsRead),
    ),
    entry(Icon::Info, "Keys", "keyboard shortcuts", "/settings/keys", "help keyboard shortcuts", None),
    entry(Icon::Check, "Cluster", "the engine's health", "/settings/cluster", "health kubernetes tekton ready", None),
    entry(
        Icon::Seal,
        "Policies",
        "who must agree before something runs",
        "/settings/policies",
        "approvals rules freeze simulator",
        Some(Right::PoliciesRead),
    ),
    entry(
        Icon::List,
        "Notifications",
        "who is told of recommendations",
        "/settings/notifications",
        "webhooks receivers events dead letters",
        Some(Right::NotificationsRead),
    ),
    entry(Icon::Eye, "API", "what programs can call", "/api", "rest openapi documentation", None),
    entry(Icon::Find, "Search", "everything by a few words", "/search", "find", None),
];

const ACTIONS: [Entry; 10] = [
    entry(Icon::Book, "Register a playbook", "", "/catalog/new", "new add create", Some(Right::CatalogWrite)),
    entry(
        Icon::Warn,
        "See what fires now",
        "",
        "/incidents?state=firing",
        "firing alerts",
        Some(Right::RecommendationsRead),
    ),
    entry(Icon::Ring, "See what runs now", "", "/runs?state=running", "running", Some(Right::RunsRead)),
    entry(Icon::Cross, "See what failed", "", "/runs?state=failed", "errors failed failures", Some(Right::RunsRead)),
    entry(Icon::Key, "Make a token", "", "/settings/tokens#new", "new create api", None),
    entry(
        Icon::User,
        "Make an account",
        "",
        "/settings/accounts#new",
        "new create user invite",
        Some(Right::AccountsWrite),
    ),
    entry(Icon::User, "Change your password", "", "/settings#password", "account", None),
    entry(Icon::Gear, "Change colours, times or keys", "", "/settings#looks", "theme dark light mode appearance", None),
    entry(Icon::List, "Export the audit trail", "", "/audit#export", "download", Some(Right::AuditRead)),
    Entry { sends: Some(SIGN_OUT), ..entry(Icon::User, "Sign out", "", "", "log off logout leave", None) },
];

/// The pages and the actions whose name or words begin with each of these words. Those whose name begins so come first.
pub fn matching(q: Option<&str>, caller: &Caller) -> (Vec<Hit>, Vec<Hit>) {
    let q = q.unwrap_or_default().to_lowercase();
    let of = |entries: &[Entry]| {
        let mut found: Vec<&Entry> = entries
            .iter()
            .filter(|entry| entry.needs.is_none_or(|right| caller.may(right)) && fits(entry, &q))
            .collect();
        found.sort_by_key(|entry| !entry.title.to_lowercase().starts_with(&q));
        found.into_iter().map(hit).collect()
    };
    (of(&PAGES), of(&ACTIONS))
}

fn fits(entry: &Entry, q: &str) -> bool {
    let text = format!("{} {} {}", entry.title, entry.sub, entry.words).to_lowercase();
    let begins = |word: &str| text.split_whitespace().any(|known| known.starts_with(word));
    q.split_whitespace().all(begins)
}

fn hit(entry: &Entry) -> Hit {
    Hit {
        icon: entry.icon,
        title: entry.title.to_owned(),
        sub: entry.sub.to_owned(),
        href: entry.href.to_owned(),
        mark: None,
        sends: entry.sends,
    }
}
