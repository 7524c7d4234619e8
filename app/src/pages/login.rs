//! Sign-in: the one page without a frame, and the only one that needs no caller.

use crate::{
    components::{Field, FormFaults},
    context::{Console, FormOutcome},
    page::{go_to, set_status},
    query::Query,
    shell::Door,
};
use http::request::Parts;
use leptos::prelude::*;
use leptos_meta::Title;

/// Answers `/login`; whoever is signed in already goes on to where they wanted to be.
pub fn serve() -> AnyView {
    let Some(console) = use_context::<Console>() else { return ().into_any() };
    let query = use_context::<Parts>().and_then(|p| p.uri.query().map(Query::parse)).unwrap_or_default();
    let form = console.form.clone().unwrap_or_default();
    let next = safe_next(form.value("next").or(query.get("next")));
    if console.caller.is_some() {
        go_to(&next);
        return ().into_any();
    }
    if console.form.is_some() {
        set_status(form.status);
    }
    view! { <Login form next sandbox=console.sandbox /> }.into_any()
}

/// Where to go after sign-in: a path of this console and nothing else.
pub fn safe_next(next: Option<&str>) -> String {
    let own = |path: &&str| {
        path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') && !path.chars().any(char::is_control)
    };
    next.filter(own).unwrap_or("/").to_owned()
}

#[component]
fn Login(form: FormOutcome, next: String, sandbox: bool) -> impl IntoView {
    let username = form.value("username").unwrap_or_default().to_owned();
    // Whoever comes back has to type the password anew.
    let fresh = username.is_empty();
    view! {
        <Title text="Sign in · Kubernaut Console" />
        <Door>
                <h1>"Sign in"</h1>
                <FormFaults form=form.clone() fields=vec!["username".into(), "password".into()] />
                <form method="post" action="/login">
                    <input type="hidden" name="next" value=next />
                    <Field name="username" label="User name" value=username error=form.error("username") required=true focus=fresh
                        autocomplete="username" mono=true />
                    <Field name="password" label="Password" kind="password" error=form.error("password") required=true focus={!fresh}
                        autocomplete="current-password" />
                    <button class="btn primary full" type="submit">"Sign in"</button>
                </form>
                {sandbox.then(|| view! {
                    <div class="sandbox-note">
                        <span class="where sandbox"><i></i>"Sandbox"</span>
                        <p class="sub">
                            "This console runs on its built-in sandbox: nothing here touches a real cluster. "
                            "The first administrator is "<code>"admin"</code>"; the password was printed where the console was started."
                        </p>
                    </div>
                })}
        </Door>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_in_never_leads_elsewhere() {
        assert_eq!(safe_next(Some("/runs?state=failed")), "/runs?state=failed");
        for bad in ["//evil.example", "https://evil.example", "/\\evil.example", "", "runs", "/a\r\nb"] {
            assert_eq!(safe_next(Some(bad)), "/", "{bad:?}");
        }
        assert_eq!(safe_next(None), "/");
    }
}
