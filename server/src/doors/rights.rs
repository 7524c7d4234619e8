//! The table of rights: what each role may do at each route, from what the routes declare. `docs/authorisation.md` holds it, and
//! a test tries every line of it (`server/tests/api/rights.rs`).

use super::access::{Access, Declared, Whose};
use domain::identity::Role;

/// The table as Markdown, by path; a route a line.
pub fn table(declared: &[Declared]) -> String {
    let mut routes: Vec<&Declared> = declared.iter().collect();
    routes.sort_by(|a, b| (a.path, a.method.as_str()).cmp(&(b.path, b.method.as_str())));
    let heads: Vec<String> =
        ["Method", "Path", "Right", "nobody"].into_iter().chain(Role::ALL.map(Role::name)).map(str::to_owned).collect();
    let rule = vec!["---".to_owned(); heads.len()];
    let lines = routes.into_iter().map(|route| {
        let own = [route.method.to_string(), format!("`{}`", route.path), right(route.access), nobody(route.access)];
        let roles = Role::ALL.map(|role| may(route, role).to_owned());
        own.into_iter().chain(roles).collect::<Vec<String>>()
    });
    let all = [heads, rule].into_iter().chain(lines);
    all.map(|cells| format!("| {} |\n", cells.join(" | "))).collect::<Vec<_>>().concat()
}

fn right(access: Access) -> String {
    match access {
        Access::Public => "none".into(),
        Access::SignedIn | Access::Page(None) => "signed in".into(),
        Access::Needs(right) | Access::Page(Some(right)) => format!("`{right}`"),
    }
}

/// What becomes of who is not signed in.
fn nobody(access: Access) -> String {
    match access {
        Access::Public => "yes",
        Access::Page(_) => "sign-in",
        Access::SignedIn | Access::Needs(_) => "no",
    }
    .into()
}

fn may(route: &Declared, role: Role) -> &'static str {
    let admitted = match route.access {
        Access::Public | Access::SignedIn | Access::Page(None) => true,
        Access::Needs(right) | Access::Page(Some(right)) => role.grants(right),
    };
    match route.whose {
        _ if !admitted => "no",
        Whose::Anybodys => "yes",
        Whose::Own(right) if role.grants(right) => "yes",
        Whose::Persons if role.tokens_only() => "no",
        Whose::Own(_) | Whose::Persons => "own",
        Whose::Others => "others'",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Method;
    use domain::identity::Right;

    #[test]
    fn a_line_says_who_may_and_whose() {
        let route = |path, access, whose| Declared { method: Method::POST, path, access, whose };
        let all = [
            route("/b", Access::Needs(Right::Decide), Whose::Others),
            route("/a/{id}", Access::SignedIn, Whose::Own(Right::AccountsWrite)),
            route("/c", Access::Page(Some(Right::AuditRead)), Whose::Anybodys),
            route("/d", Access::SignedIn, Whose::Persons),
        ];
        let table = table(&all);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines[0],
            "| Method | Path | Right | nobody | viewer | operator | author | auditor | admin | propose | ingest |"
        );
        assert_eq!(
            lines[2..],
            [
                "| POST | `/a/{id}` | signed in | no | own | own | own | own | yes | own | own |",
                "| POST | `/b` | `recommendations:decide` | no | no | others' | no | no | others' | no | no |",
                "| POST | `/c` | `audit:read` | sign-in | no | no | no | yes | yes | no | no |",
                "| POST | `/d` | signed in | no | own | own | own | own | own | no | no |",
            ]
        );
    }
}
