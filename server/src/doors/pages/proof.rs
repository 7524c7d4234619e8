//! Proving once more who one is before an approval of high risk, before a policy is put in force, and before a grave change of accounts and tokens. The form that was sent is kept and sent again with the password:
//! to the same address, with the digest of the ticket that was read, so that nothing is lost and nothing is decided twice.

use super::{
    Parts, again,
    sign_in::{later, too_often},
    who,
};
use crate::{
    accounts::Trying,
    doors::{form::Fields, gate::Gate, refusals::AsksForProof, session::Session},
    services::store_fault,
};
use app::{
    FormOutcome,
    pages::prove::{GIVEN, PASSWORD, PATH},
};
use axum::{http::StatusCode, response::Response};
use domain::{
    fault::{Fault, code},
    identity::{Caller, CallerSession, SignInMethod},
    services::{Answer, ServiceError},
};

/// What a form comes to.
pub enum Taken {
    /// It is as it was meant, with the request it came by.
    Form(Parts, Fields),
    /// Its password was wrong: it is asked for again.
    Asked(Response),
}

/// Takes a form. Where it comes with a password, whoever sent it has just proved who they are, and the password is no part of it any
/// more.
pub async fn taken(gate: &Gate, session: &Session, mut parts: Parts, mut fields: Fields, to: &str) -> Taken {
    let Some(at) = fields.iter().position(|(name, _)| name == PASSWORD) else { return Taken::Form(parts, fields) };
    let (_, password) = fields.remove(at);
    match proved(gate, session, &parts, &password).await {
        Ok(caller) => {
            parts.extensions.insert(caller);
            Taken::Form(parts, fields)
        }
        Err(Refused::TooOften(seconds)) => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            let outcome = FormOutcome { message: Some(too_often(seconds)), status, ..asking(fields, to) };
            Taken::Asked(later(again(gate, PATH, parts, outcome).await, seconds))
        }
        Err(Refused::Said(error)) => {
            let FormOutcome { faults, message, status, .. } = FormOutcome::refused(Vec::new(), &error);
            let outcome = FormOutcome { faults, message, status, ..asking(fields, to) };
            Taken::Asked(again(gate, PATH, parts, outcome).await)
        }
    }
}

/// Asks for the password. `why` says what it is for.
pub async fn ask(gate: &Gate, parts: Parts, fields: Fields, to: &str, why: String) -> Response {
    let outcome = FormOutcome { message: Some(why), status: StatusCode::FORBIDDEN, ..asking(fields, to) };
    let mut answer = again(gate, PATH, parts, outcome).await;
    answer.extensions_mut().insert(AsksForProof);
    answer
}

/// A password that was typed for somebody's account is never sent back: it is asked for once more, beside one's own.
fn asking(fields: Fields, to: &str) -> FormOutcome {
    let kept = fields.into_iter().filter(|(name, value)| name != GIVEN || !value.trim().is_empty());
    let fields = kept.map(|(name, value)| if name == GIVEN { (name, String::new()) } else { (name, value) }).collect();
    FormOutcome { fields, action: Some(to.to_owned()), ..FormOutcome::default() }
}

/// Why somebody's own password was not taken.
pub enum Refused {
    /// It is guessed at as slowly as at sign-in: seconds to wait.
    TooOften(u32),
    /// What the service says.
    Said(ServiceError),
}

impl From<ServiceError> for Refused {
    fn from(error: ServiceError) -> Self {
        Self::Said(error)
    }
}

/// An act that takes the caller's own password, within the tries of their session. The fault of a wrong one is at `pointer`.
pub async fn within_tries<T>(
    gate: &Gate,
    caller: &Caller,
    pointer: &str,
    act: impl Future<Output = Answer<T>>,
) -> Result<T, Refused> {
    let trying = Trying::within(caller);
    if let Some(seconds) = gate.accounts.may_try(&trying).await.map_err(store_fault)? {
        gate.refusals.proof("account.limit_sign_in", caller).await;
        return Err(Refused::TooOften(seconds));
    }
    let came = act.await;
    let wrong =
        matches!(&came, Err(ServiceError::Invalid(faults)) if faults.iter().any(|fault| fault.pointer == pointer));
    if wrong {
        gate.refusals.proof("account.refuse_proof", caller).await;
    }
    let done = came?;
    gate.accounts.tried_well(&trying).await;
    Ok(done)
}

/// The caller, who has proved it.
async fn proved(gate: &Gate, session: &Session, parts: &Parts, password: &str) -> Result<Caller, Refused> {
    let caller = who(parts)?;
    let pointer = format!("/{PASSWORD}");
    if password.is_empty() {
        let missing = Fault::new(pointer, code::REQUIRED, "type your password");
        return Err(ServiceError::Invalid(vec![missing]).into());
    }
    let (Some(hash), Some(known)) = (session.hash(), caller.session.clone()) else {
        return Err(ServiceError::Forbidden("only a person can sign in again: sign in on the page".into()).into());
    };
    let proving = gate.accounts.prove(&caller, &hash, password, &pointer);
    let secret = within_tries(gate, &caller, &pointer, proving).await?;
    session.set(&secret, gate.accounts.cookie_ms());
    let session = CallerSession { id: known.id, method: SignInMethod::Password, proved_ms_ago: 0 };
    Ok(Caller { session: Some(session), ..caller })
}
