//! A database's URL as it may be shown. It knows what is no secret, and hides the rest.

/// Parameters of a database's URL that are no secret; of all others only the name is shown.
const SHOWN: [&str; 11] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "port",
    "sslcert",
    "sslmode",
    "sslrootcert",
    "ssl-mode",
    "statement-cache-capacity",
    "user",
];

/// A database's URL without what is secret in it. What is not understood is hidden whole.
pub fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| *scheme != "sqlite") else {
        // A file: there is nothing secret in it.
        return if url.starts_with("sqlite:") { url.to_owned() } else { HIDDEN.into() };
    };
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let (authority, path) = place.split_once('/').map_or((place, None), |(at, path)| (at, Some(path)));
    // A password with a slash or a question mark that is not escaped reaches beyond its place.
    if path.is_some_and(|path| path.contains(['@', ':', '/'])) || query.is_some_and(|query| query.contains('@')) {
        return format!("{scheme}://{HIDDEN}");
    }
    let authority = match authority.rsplit_once('@') {
        Some((credentials, host)) => match credentials.split_once(':') {
            Some((user, _)) => format!("{user}:{HIDDEN}@{host}"),
            None => format!("{credentials}@{host}"),
        },
        None => authority.to_owned(),
    };
    let path = path.map(|path| format!("/{path}")).unwrap_or_default();
    let shown = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if !SHOWN.contains(&name) => format!("{name}={HIDDEN}"),
        _ => pair.to_owned(),
    };
    let query = query.map(|q| format!("?{}", q.split('&').map(shown).collect::<Vec<_>>().join("&")));
    format!("{scheme}://{authority}{path}{}", query.unwrap_or_default())
}

/// What stands in place of a secret.
const HIDDEN: &str = "(hidden)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_may_be_secret_is_hidden() {
        for (url, shown) in [
            ("postgres://me:secret@db:5432/x", "postgres://me:(hidden)@db:5432/x"),
            ("postgres://me@db/x", "postgres://me@db/x"),
            ("postgres://db/x?user=me&password=secret", "postgres://db/x?user=me&password=(hidden)"),
            ("postgres://db/x?password=sec@ret", "postgres://(hidden)"),
            (
                "postgres://db/x?sslmode=require&sslpassword=secret",
                "postgres://db/x?sslmode=require&sslpassword=(hidden)",
            ),
            (
                "postgres://db/x?options=-c%20secret&PASSWORD=secret",
                "postgres://db/x?options=(hidden)&PASSWORD=(hidden)",
            ),
            ("postgres://me:sec/ret@db/x", "postgres://(hidden)"),
            ("postgres://me:sec?ret@db/x", "postgres://(hidden)"),
            ("postgres://me:a@secret@db/x", "postgres://me:(hidden)@db/x"),
            ("secret", "(hidden)"),
            ("sqlite:///var/lib/a%20b/console.sqlite", "sqlite:///var/lib/a%20b/console.sqlite"),
        ] {
            assert_eq!(redacted(url), shown, "{url}");
        }
    }
}
