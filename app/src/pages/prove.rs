//! Signing in again before an approval of high risk: what was about to be approved is kept, and goes along with the password.

use crate::{
    components::{DigestId, Field, FormFaults, Notice, PageHead, Prose, Tone},
    context::FormOutcome,
    page::{Ask, Page},
};
use domain::{
    identity::{Caller, SignInMethod},
    ids::Digest,
    services::{Answer, ServiceError},
};
use leptos::prelude::*;

/// Where it stands; nobody is led here but by a form that was sent.
pub const PATH: &str = "/sign-in-again";
/// The field of the password. No form that is kept has a field of this name.
pub const PASSWORD: &str = "proof_password";

/// Shows the form that was sent; without one there is nothing here.
pub async fn page(ask: Ask) -> Answer<Page> {
    if ask.form.action.is_none() {
        return Err(ServiceError::NotFound("page"));
    }
    Ok(Page::below("Sign in again", prove(ask.form, &ask.caller)))
}

/// The page.
pub fn prove(form: FormOutcome, caller: &Caller) -> AnyView {
    let to = form.action.clone().unwrap_or_default();
    let back = back(&to, &form);
    let digest = form.value("ticket_digest").and_then(|text| Digest::try_from(text.to_owned()).ok());
    let many = form.fields.iter().filter(|(name, _)| name.starts_with("take.")).count();
    let reason = form.value("reason").filter(|text| !text.trim().is_empty()).map(str::to_owned);
    let by_password = caller.session.as_ref().is_none_or(|session| session.method == SignInMethod::Password);
    let what = if many > 0 { format!("{many} ticked") } else { "This ticket".to_owned() };
    view! {
        <PageHead title="Sign in again to approve" sub=|| "A risk is high: what follows is decided by whoever knows your password, not by whoever sits here." />
        <FormFaults form=form.clone() fields=vec![PASSWORD.to_owned()] />
        <dl class="kv">
            <dt>"Approve"</dt>
            <dd>{match digest {
                Some(of) => view! { "Ticket "<DigestId of /> }.into_any(),
                None => what.into_any(),
            }}</dd>
            <dt>"Reason"</dt>
            <dd>{match reason {
                Some(text) => view! { <Prose text /> }.into_any(),
                None => view! { <span class="sub">"none given"</span> }.into_any(),
            }}</dd>
        </dl>
        {if by_password {
            view! { <Password form to back name=caller.actor.name.clone() /> }.into_any()
        } else {
            view! {
                <Notice tone=Tone::Wait><p>"You signed in by single sign-on. Sign out, sign in again, and approve then; nothing has been decided."</p></Notice>
                <form class="actions start" method="post" action="/logout">
                    <button class="btn primary" type="submit">"Sign out"</button>
                    <a class="btn" href=back>"Back, without deciding"</a>
                </form>
            }
            .into_any()
        }}
    }
    .into_any()
}

/// The form that was sent, and the password.
#[component]
fn Password(form: FormOutcome, to: String, back: String, name: String) -> impl IntoView {
    let error = form.error(PASSWORD);
    let kept = form.fields.into_iter().filter(|(name, _)| name != PASSWORD);
    view! {
        <form class="narrow-form" method="post" action=to>
            {kept.map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view()}
            // For whoever keeps passwords: it is not sent.
            <input type="text" autocomplete="username" value=name hidden />
            <Field name=PASSWORD label="Your password" kind="password" required=true focus=true autocomplete="current-password" error />
            <p class="actions">
                <a class="btn" href=back>"Back, without deciding"</a>
                <button class="btn primary" type="submit">"Sign in again and approve"</button>
            </p>
        </form>
    }
    .into_any()
}

/// The page that the form stood on.
fn back(to: &str, form: &FormOutcome) -> String {
    if to == super::review::PATH {
        let ids = form.fields.iter().filter_map(|(name, _)| name.strip_prefix("item."));
        return super::review::address(&ids.map(domain::ids::RecommendationId::new).collect::<Vec<_>>());
    }
    let strategy = form.value("strategy").unwrap_or("0");
    let ticket = form.value("ticket_digest");
    let query = crate::query::Query::of(&[("strategy", strategy)]).with("ticket", ticket);
    format!("{to}{query}")
}
