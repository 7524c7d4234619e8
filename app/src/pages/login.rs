//! Sign-in: the pages without a frame, and the only ones that need no caller.

pub mod returned;

use crate::{
    components::{Field, FormFaults, Notice, Tone},
    context::{Away, Console, FormOutcome, ProviderWay, SignInWays},
    page::{go_to, set_status},
    query::Query,
    shell::Door,
};
use http::request::Parts;
use leptos::prelude::*;
use leptos_meta::Title;

/// In the query of the address: signed out here, but not at the provider.
pub const STILL_THERE: &str = "still";

/// Answers `/login`; whoever is signed in already goes on to where they wanted to be.
pub fn serve() -> AnyView {
    let Some(console) = use_context::<Console>() else { return ().into_any() };
    if let Some(away) = console.away.clone() {
        return view! { <Leaving away /> }.into_any();
    }
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
    let request_id = (form.code == REFUSED_THERE).then(|| console.request_id.clone());
    let still = query.get("out") == Some(STILL_THERE);
    view! {
        <Title text="Sign in · Kubernaut Console" />
        <Door><Login form next ways=console.ways sandbox=console.sandbox still request_id /></Door>
    }
    .into_any()
}

/// The word of an outcome that came by way of the provider: then the request is named.
pub const REFUSED_THERE: &str = "provider";

/// Where to go after sign-in: a path of this console and nothing else.
pub fn safe_next(next: Option<&str>) -> String {
    let own = |path: &&str| {
        path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') && !path.chars().any(char::is_control)
    };
    next.filter(own).unwrap_or("/").to_owned()
}

#[component]
fn Login(
    form: FormOutcome,
    next: String,
    ways: SignInWays,
    sandbox: bool,
    /// Whether somebody was signed out here alone.
    still: bool,
    /// The request that was refused, if it is to be named.
    request_id: Option<String>,
) -> impl IntoView {
    let SignInWays { provider, local } = ways;
    let there = provider.is_some();
    let name = provider.as_ref().map(|provider| provider.name.clone()).unwrap_or_default();
    view! {
        <h1>"Sign in"</h1>
        <FormFaults form=form.clone() fields=vec!["username".into(), "password".into()] />
        {request_id.map(|id| view! { <p class="sub request">"Request "<code>{id}</code></p> })}
        {(still && there).then(|| view! {
            <div role="status"><Notice tone=Tone::Idle>
                <p>{format!("You are signed out here. You are still signed in at {name}.")}</p>
            </Notice></div>
        })}
        {provider.map(|provider| view! { <There provider next=next.clone() /> })}
        {local.then(|| view! { <Local form next second=there /> })}
        {(sandbox && local).then(|| view! {
            <div class="sandbox-note">
                <span class="where sandbox"><i></i>"Sandbox"</span>
                <p class="sub">
                    "This console runs on its built-in sandbox: nothing here touches a real cluster. "
                    "The first administrator is "<code>"admin"</code>"; the password was printed where the console was started."
                </p>
            </div>
        })}
    }
    .into_any()
}

/// Signing in at the provider.
#[component]
fn There(provider: ProviderWay, next: String) -> impl IntoView {
    let ProviderWay { name, reachable, .. } = provider;
    let away = format!("{name} can't be reached right now. The console keeps trying.");
    view! {
        {(!reachable).then(|| view! { <Notice tone=Tone::Wait><p>{away}</p></Notice> })}
        <form method="post" action="/login/oidc">
            <input type="hidden" name="next" value=next />
            <button class="btn primary full" type="submit">{format!("Sign in with {name}")}</button>
        </form>
    }
    .into_any()
}

/// Signing in with an account of the console's own.
#[component]
fn Local(
    form: FormOutcome,
    next: String,
    /// Whether there is another way before it.
    second: bool,
) -> impl IntoView {
    let username = form.value("username").unwrap_or_default().to_owned();
    // Whoever comes back has to type the password anew; where there is another way first, nobody is led past it.
    let (fresh, back) = (username.is_empty() && !second, !username.is_empty());
    let class = if second { "btn full" } else { "btn primary full" };
    view! {
        <div class:other-way=second>
            {second.then(|| view! { <h2>"With an account of this console"</h2> })}
            <form method="post" action="/login">
                <input type="hidden" name="next" value=next />
                <Field name="username" label="User name" value=username error=form.error("username") required=true focus=fresh
                    autocomplete="username" mono=true />
                <Field name="password" label="Password" kind="password" error=form.error("password") required=true focus=back
                    autocomplete="current-password" />
                <button class=class type="submit">"Sign in"</button>
            </form>
        </div>
    }
    .into_any()
}

/// On the way to the provider: the browser goes on by itself (the answer says so in its header), and by a link.
#[component]
fn Leaving(away: Away) -> impl IntoView {
    let Away { url, provider, out } = away;
    let (title, told) = if out {
        ("You are signed out", format!("You are signed out here. {provider} signs you out there."))
    } else {
        ("Signing in", format!("You sign in at {provider}."))
    };
    view! {
        <Title text=format!("{title} · Kubernaut Console") />
        <Door>
            <h1>{title}</h1>
            <p>{told}</p>
            <p class="actions"><a class="btn primary full" href=url>{format!("Continue to {provider}")}</a></p>
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

    #[test]
    fn the_ways_that_there_are_are_offered_the_provider_first() {
        let shown = |provider: bool, local: bool, reachable: bool| {
            let name = "<b>SSO</b>".to_owned();
            let provider = provider.then(|| ProviderWay { name, issuer: "https://sso.example".into(), reachable });
            let ways = SignInWays { provider, local };
            let form = FormOutcome::default();
            let page = view! { <Login form next="/runs".to_owned() ways sandbox=true still=true request_id=None /> };
            Owner::new().with(|| page.into_any().to_html())
        };
        let (both, local, there) = (shown(true, true, true), shown(false, true, true), shown(true, false, false));
        let at = |page: &str, what: &str| page.find(what).unwrap_or_else(|| panic!("{what} in {page}"));
        assert!(at(&both, "action=\"/login/oidc\"") < at(&both, "action=\"/login\""), "{both}");
        assert!(both.contains("Sign in with &lt;b&gt;SSO") && !both.contains("<b>SSO"), "a name is text");
        assert!(both.contains("still signed in at") && !both.contains("can't be reached"));
        assert!(!local.contains("/login/oidc") && !local.contains("still signed in") && local.contains("autofocus"));
        assert!(!there.contains("name=\"password\"") && !there.contains("built-in sandbox"), "{there}");
        assert!(there.contains("be reached right now"));
    }
}
