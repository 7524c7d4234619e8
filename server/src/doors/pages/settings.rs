//! The forms of the settings: looks, one's own password, accounts and tokens. What was taken leads on with 303; a secret that
//! was made is shown in the answer itself, since it is shown once.

use super::{
    Parts, again, invalid,
    reauthentication::{self, Refused, Sent},
    sign_in::{known, later, too_often},
    who,
};
use crate::{
    doors::{
        access::{Access, Routes, Whose},
        form::{Fields, Form, field},
        gate::Gate,
        session::Session,
    },
    urlencoded,
};
use app::{
    FormOutcome,
    pages::settings::tokens::LIFETIMES,
    preferences::{Keys, Preferences, Theme, Times},
};
use axum::{
    extract::{Path, State},
    http::{Method, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use domain::{
    accounts::Secret,
    identity::{Right, Role},
    ports::OldCookie,
    services::{AccountService, Answer, ServiceError, TokenOwner, TokenRequest},
};

const YOU: &str = "/settings";
pub(super) const ACCOUNTS: &str = "/settings/accounts";
const TOKENS: &str = "/settings/tokens";

pub fn routes(routes: Routes) -> Routes {
    let admin = Access::Needs(Right::AccountsWrite);
    routes
        .add(Method::POST, "/settings/appearance", Access::Public, appearance)
        .add(Method::POST, "/settings/password", Access::SignedIn, password)
        .whose(Whose::Persons)
        .add(Method::POST, "/settings/accounts", admin, create)
        .add(Method::POST, "/settings/accounts/{id}/roles", admin, roles)
        .add(Method::POST, "/settings/accounts/{id}/password", admin, reset)
        .add(Method::POST, "/settings/accounts/{id}/disable", admin, disable)
        .add(Method::POST, "/settings/accounts/{id}/enable", admin, enable)
        .add(Method::POST, "/settings/groups/block", admin, block_group)
        .add(Method::POST, "/settings/groups/unblock", admin, unblock_group)
        .add(Method::POST, "/settings/tokens", Access::SignedIn, create_token)
        .whose(Whose::Persons)
        .add(Method::POST, "/settings/tokens/{id}/revoke", Access::SignedIn, revoke)
        .whose(Whose::Own(Right::AccountsWrite))
}

/// Leads to a page that says what was done.
pub(super) fn done(page: &str, what: &str) -> Response {
    Redirect::to(&format!("{page}?{}", urlencoded::query([("done", what)]))).into_response()
}

/// A refusal of what was typed; passwords are never sent back. `about` says which of the page's forms it was.
pub(super) fn refused(fields: &Fields, error: &ServiceError, about: Option<&str>) -> FormOutcome {
    let mut kept: Fields =
        fields.iter().filter(|(name, _)| !name.contains("password") && name != "again").cloned().collect();
    kept.extend(about.map(|about| ("about".to_owned(), about.to_owned())));
    FormOutcome::refused(kept, error)
}

/// The page with what was made, once.
async fn shown(gate: &Gate, page: &str, parts: Parts, name: String, secret: Secret) -> Response {
    let outcome = FormOutcome {
        code: "made".into(),
        status: StatusCode::CREATED,
        made: Some((name, secret)),
        ..FormOutcome::default()
    };
    again(gate, page, parts, outcome).await
}

/// The roles that were ticked; a word that names none is none of ours.
fn ticked(fields: &Fields) -> Vec<Role> {
    fields.iter().filter_map(|(name, _)| name.strip_prefix("role.")?.parse().ok()).collect()
}

// --- oneself ----------------------------------------------------------------------------------------------------------

async fn appearance(Form(fields): Form) -> Response {
    let word = |name| field(&fields, name).unwrap_or_default();
    let chosen = Preferences {
        theme: Theme::from_name(word(Theme::COOKIE)),
        times: Times::from_name(word(Times::COOKIE)),
        keys: Keys::from_name(word(Keys::COOKIE)),
    };
    let cookies = chosen.set_cookies().map(|cookie| (header::SET_COOKIE, cookie));
    (AppendHeaders(cookies), done(YOU, "looks")).into_response()
}

async fn password(State(gate): State<Gate>, session: Session, parts: Parts, Form(fields): Form) -> Response {
    match changed(&gate, &session, &parts, &fields).await {
        Ok(()) => done(YOU, "password"),
        Err(Refused::TooOften(seconds)) => {
            let outcome = FormOutcome {
                fields: vec![("about".into(), "password".into())],
                message: Some(too_often(seconds)),
                status: StatusCode::TOO_MANY_REQUESTS,
                ..FormOutcome::default()
            };
            later(again(&gate, YOU, parts, outcome).await, seconds)
        }
        Err(Refused::Said(error)) => again(&gate, YOU, parts, refused(&fields, &error, Some("password"))).await,
    }
}

async fn changed(gate: &Gate, session: &Session, parts: &Parts, fields: &Fields) -> Result<(), Refused> {
    let caller = who(parts)?;
    let typed = |name| field(fields, name).unwrap_or_default();
    let (old, new) = (typed("old_password"), typed("new_password"));
    if new != typed("again") {
        return Err(invalid("/again", "mismatch", "this is not the same as above; type both again").into());
    }
    reauthentication::within_tries(gate, &caller, "/old_password", gate.accounts.change_password(&caller, old, new))
        .await?;
    // All other sessions have ended with the old password; this one goes on by another cookie, and whoever had the old one is out.
    session.renew(gate, &caller.roles, OldCookie::Ends).await;
    known(gate, session, caller.actor.id.as_str(), None).await;
    Ok(())
}

// --- accounts ---------------------------------------------------------------------------------------------------------

/// The password that an admin typed for somebody; none where one is to be made.
fn given(fields: &Fields) -> Option<String> {
    field(fields, "password").map(str::to_owned)
}

async fn create(State(gate): State<Gate>, sent: Sent) -> Response {
    let fields = &sent.fields;
    let name = field(fields, "name").unwrap_or_default().trim().to_owned();
    let made = async { gate.accounts.create_user(&who(&sent.parts)?, &name, &ticked(fields), given(fields)).await };
    match made.await {
        Ok(Some(password)) => shown(&gate, ACCOUNTS, sent.parts, name, password).await,
        Ok(None) => done(ACCOUNTS, &name),
        Err(ServiceError::SignInAgain(why)) => sent.ask(&gate, why).await,
        Err(error) => again(&gate, ACCOUNTS, sent.parts, refused(&sent.fields, &error, None)).await,
    }
}

async fn roles(State(gate): State<Gate>, Path(id): Path<String>, mut sent: Sent) -> Response {
    let changed = async { gate.accounts.set_roles(&who(&sent.parts)?, &account(&id)?, &ticked(&sent.fields)).await };
    match changed.await {
        Ok(user) => done(ACCOUNTS, &user.name),
        Err(ServiceError::SignInAgain(why)) => sent.ask(&gate, why).await,
        Err(error) => {
            sent.fields.push(("act".into(), "roles".into()));
            again(&gate, ACCOUNTS, sent.parts, refused(&sent.fields, &error, Some(&id))).await
        }
    }
}

async fn reset(State(gate): State<Gate>, Path(id): Path<String>, sent: Sent) -> Response {
    let changed = async {
        let caller = who(&sent.parts)?;
        let name = name_of(&gate, &sent.parts, &id).await?;
        let made = gate.accounts.reset_password(&caller, &account(&id)?, given(&sent.fields)).await?;
        Ok::<_, ServiceError>((made, name))
    };
    match changed.await {
        Ok((Some(password), name)) => shown(&gate, ACCOUNTS, sent.parts, name, password).await,
        Ok((None, name)) => done(ACCOUNTS, &name),
        Err(ServiceError::SignInAgain(why)) => sent.ask(&gate, why).await,
        Err(error) => again(&gate, ACCOUNTS, sent.parts, refused(&sent.fields, &error, Some(&id))).await,
    }
}

async fn disable(State(gate): State<Gate>, Path(id): Path<String>, sent: Sent) -> Response {
    set_disabled(&gate, &id, sent, true).await
}

async fn enable(State(gate): State<Gate>, Path(id): Path<String>, sent: Sent) -> Response {
    set_disabled(&gate, &id, sent, false).await
}

async fn set_disabled(gate: &Gate, id: &str, sent: Sent, disabled: bool) -> Response {
    let changed = async { gate.accounts.set_disabled(&who(&sent.parts)?, &account(id)?, disabled).await };
    match changed.await {
        Ok(user) => done(ACCOUNTS, &user.name),
        Err(ServiceError::SignInAgain(why)) => sent.ask(gate, why).await,
        Err(error) => again(gate, ACCOUNTS, sent.parts, refused(&Vec::new(), &error, Some(id))).await,
    }
}

async fn block_group(State(gate): State<Gate>, sent: Sent) -> Response {
    set_blocked(&gate, sent, true).await
}

async fn unblock_group(State(gate): State<Gate>, sent: Sent) -> Response {
    set_blocked(&gate, sent, false).await
}

async fn set_blocked(gate: &Gate, sent: Sent, blocked: bool) -> Response {
    let group = field(&sent.fields, "group").unwrap_or_default();
    let changed = async { gate.accounts.set_group_blocked(&who(&sent.parts)?, group, blocked).await };
    match changed.await {
        Ok(()) => done(ACCOUNTS, group),
        Err(ServiceError::SignInAgain(why)) => sent.ask(gate, why).await,
        Err(error) => again(gate, ACCOUNTS, sent.parts, refused(&sent.fields, &error, Some("groups"))).await,
    }
}

/// Only an id names an account here: a name is not taken for one.
pub(super) fn account(id: &str) -> Answer<String> {
    if id.starts_with("user:") { Ok(id.to_owned()) } else { Err(ServiceError::NotFound("account")) }
}

async fn name_of(gate: &Gate, parts: &Parts, id: &str) -> Answer<String> {
    let users = gate.accounts.users(&who(parts)?).await?;
    Ok(users.into_iter().find(|user| user.id == id).map(|user| user.name).unwrap_or_default())
}

// --- tokens -----------------------------------------------------------------------------------------------------------

async fn create_token(State(gate): State<Gate>, sent: Sent) -> Response {
    let made = async {
        let caller = who(&sent.parts)?;
        gate.accounts.create_token(&caller, wanted(&sent.fields)?).await
    };
    match made.await {
        Ok(made) => shown(&gate, TOKENS, sent.parts, made.name, made.secret).await,
        Err(ServiceError::SignInAgain(why)) => sent.ask(&gate, why).await,
        Err(error) => again(&gate, TOKENS, sent.parts, refused(&sent.fields, &error, None)).await,
    }
}

fn wanted(fields: &Fields) -> Answer<TokenRequest> {
    let expires = field(fields, "expires").unwrap_or("30d");
    let lifetime = LIFETIMES.into_iter().find(|(value, ..)| *value == expires);
    let (_, _, lifetime_ms) =
        lifetime.ok_or_else(|| invalid("/expires", "not_allowed", "choose one of these times"))?;
    Ok(TokenRequest {
        name: field(fields, "name").unwrap_or_default().trim().to_owned(),
        roles: ticked(fields),
        owner: if field(fields, "owner") == Some("nobody") { TokenOwner::Nobody } else { TokenOwner::Caller },
        lifetime_ms,
    })
}

async fn revoke(State(gate): State<Gate>, Path(id): Path<String>, parts: Parts) -> Response {
    let revoked = async {
        // Only an id names a token here: a name may be another's by now.
        let id = Some(&id).filter(|id| id.starts_with("token:")).ok_or(ServiceError::NotFound("live token"))?;
        gate.accounts.revoke_token(&who(&parts)?, id).await
    };
    match revoked.await {
        Ok(token) => done(TOKENS, &token.name),
        Err(error) => again(&gate, TOKENS, parts, refused(&Vec::new(), &error, None)).await,
    }
}
