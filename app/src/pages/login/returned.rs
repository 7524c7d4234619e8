//! Back from the provider. It sends the browser here by a link, from another site; nothing has an effect by that. The page's
//! form sends on what came with it, by itself or by its button, as any form of ours.

use crate::{
    context::Console,
    page::{go_to, set_status},
    query::Query,
    shell::Door,
};
use http::{StatusCode, request::Parts};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::Title;

/// Where the form goes, and the page stands.
const HERE: &str = "/login/oidc/callback";
/// Presses the button for whoever has programs.
const ON: &str = "document.getElementById('on').submit()";

/// Answers the address that the provider sends people back to.
pub fn serve() -> AnyView {
    let Some(console) = use_context::<Console>() else { return ().into_any() };
    let query = use_context::<Parts>().and_then(|p| p.uri.query().map(Query::parse)).unwrap_or_default();
    let Some(provider) = console.ways.provider else {
        go_to("/login");
        return ().into_any();
    };
    if let Some(error) = query.get("error") {
        set_status(StatusCode::FORBIDDEN);
        let told = refused(error, &provider.name);
        return view! { <Refused provider=provider.name told request_id=console.request_id /> }.into_any();
    }
    let (Some(code), Some(state)) = (query.text("code"), query.text("state")) else {
        go_to("/login");
        return ().into_any();
    };
    view! {
        <Title text="Signing in · Kubernaut Console" />
        <Door><On code state issuer=query.text("iss") /></Door>
    }
    .into_any()
}

/// What the provider's word means (RFC 6749, section 4.1.2.1; OpenID Connect Core 1.0, section 3.1.2.6). Its own description is not
/// repeated: anybody can write an address.
fn refused(error: &str, provider: &str) -> String {
    let word: String = error.chars().filter(|c| c.is_ascii_lowercase() || *c == '_').take(40).collect();
    match error {
        "access_denied" => format!("{provider} did not let you in, or you turned back there."),
        "login_required" | "interaction_required" | "account_selection_required" | "consent_required" => {
            format!("{provider} wants you to sign in there first ({word}).")
        }
        "temporarily_unavailable" | "server_error" => {
            format!("{provider} has trouble of its own ({word}). Try again in a moment.")
        }
        "invalid_scope" | "invalid_request" | "unauthorized_client" | "unsupported_response_type" => format!(
            "{provider} did not take the console's request ({word}). An administrator has to look at the settings of both."
        ),
        _ => format!("{provider} did not sign you in ({word})."),
    }
}

#[component]
fn On(code: String, state: String, issuer: Option<String>) -> impl IntoView {
    view! {
        <h1>"Signing in"</h1>
        <p>"You are back from signing in."</p>
        <form id="on" method="post" action=HERE>
            <input type="hidden" name="code" value=code />
            <input type="hidden" name="state" value=state />
            {issuer.map(|issuer| view! { <input type="hidden" name="iss" value=issuer /> })}
            <button class="btn primary full" type="submit">"Continue"</button>
        </form>
        <script nonce=use_nonce()>{ON}</script>
    }
    .into_any()
}

#[component]
fn Refused(provider: String, told: String, request_id: String) -> impl IntoView {
    view! {
        <Title text="Not signed in · Kubernaut Console" />
        <Door>
            <h1>"Not signed in"</h1>
            <p>{told}</p>
            <p class="actions"><a class="btn primary full" href="/login">{format!("Back to sign-in with {provider}")}</a></p>
            <p class="sub request">"Request "<code>{request_id}</code></p>
        </Door>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_providers_word_is_put_in_ours() {
        assert!(refused("access_denied", "Dex").contains("did not let you in"));
        assert!(refused("server_error", "Dex").contains("Try again in a moment"));
        assert!(refused("invalid_scope", "Dex").contains("settings of both"));
        let odd = refused("Call +49 123 <b>now</b>", "Dex");
        assert_eq!(odd, "Dex did not sign you in (allbnowb).", "an address may hold anything");
    }

    #[test]
    fn what_came_back_is_sent_on_and_is_text() {
        let page = Owner::new().with(|| {
            let (code, state) = ("\"><script>x</script>".to_owned(), "s".to_owned());
            view! { <On code state issuer=Some("https://sso.example".to_owned()) /> }.into_any().to_html()
        });
        assert!(page.contains("action=\"/login/oidc/callback\"") && page.contains("name=\"iss\""), "{page}");
        assert!(!page.contains("<script>x"), "{page}");
        assert!(page.contains(ON), "{page}");
    }
}
