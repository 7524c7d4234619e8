//! Reauthentication: showing once more who one is, before an approval of high risk, before a policy is put in force, and before a high-risk change of accounts and tokens. The form that was sent is kept and sent again with the password:
//! to the same address, with the digest of the ticket that was read, so that nothing is lost and nothing is decided twice.

use super::{
    Parts, again,
    sign_in::{later, too_often},
    who,
};
use crate::{
    accounts::NotTried,
    doors::{
        form::{Fields, Form},
        gate::Gate,
        refusals::AsksToReauthenticate,
        session::Session,
    },
};
use app::{
    FormOutcome,
    pages::reauthentication::{GIVEN, PASSWORD, PATH},
};
use axum::{
    RequestExt as _,
    extract::{FromRequest, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{
    fault::{Fault, code},
    identity::{Caller, CallerSession, SignInMethod},
    services::{Answer, ServiceError},
};

/// A form that was sent, with the request it came by. Where it comes with a password, whoever sent it has just proved who they are, and
/// the password is no part of it any more; where that was wrong it is asked for again, and no handler sees the form.
pub struct Sent {
    /// The request.
    pub parts: Parts,
    /// The form.
    pub fields: Fields,
    /// Where it was sent, and is sent again with the password.
    to: String,
}

impl FromRequest<Gate> for Sent {
    type Rejection = Response;

    async fn from_request(mut request: Request, gate: &Gate) -> Result<Self, Response> {
        let session = request.extract_parts::<Session>().await.map_err(IntoResponse::into_response)?;
        let parts = request.extract_parts::<Parts>().await.map_err(IntoResponse::into_response)?;
        let to = request.uri().path().to_owned();
        let Form(fields) = Form::from_request(request, gate).await.map_err(IntoResponse::into_response)?;
        Self { parts, fields, to }.judged(gate, &session).await
    }
}

impl Sent {
    async fn judged(mut self, gate: &Gate, session: &Session) -> Result<Self, Response> {
        let Some(at) = self.fields.iter().position(|(name, _)| name == PASSWORD) else { return Ok(self) };
        let (_, password) = self.fields.remove(at);
        match reauthenticated(gate, session, &self.parts, &password).await {
            Ok(caller) => {
                self.parts.extensions.insert(caller);
                Ok(self)
            }
            Err(Refused::TooOften(seconds)) => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                let outcome = FormOutcome { message: Some(too_often(seconds)), status, ..asking(self.fields, self.to) };
                Err(later(again(gate, PATH, self.parts, outcome).await, seconds))
            }
            Err(Refused::Said(error)) => {
                let FormOutcome { faults, message, status, .. } = FormOutcome::refused(Vec::new(), &error);
                let outcome = FormOutcome { faults, message, status, ..asking(self.fields, self.to) };
                Err(again(gate, PATH, self.parts, outcome).await)
            }
        }
    }

    /// Asks for the password. `why` says what it is for.
    pub async fn ask(self, gate: &Gate, why: String) -> Response {
        let outcome = FormOutcome { message: Some(why), status: StatusCode::FORBIDDEN, ..asking(self.fields, self.to) };
        let mut answer = again(gate, PATH, self.parts, outcome).await;
        answer.extensions_mut().insert(AsksToReauthenticate);
        answer
    }
}

/// A password that was typed for somebody's account is never sent back: it is asked for once more, beside one's own.
fn asking(fields: Fields, to: String) -> FormOutcome {
    let kept = fields.into_iter().filter(|(name, value)| name != GIVEN || !value.trim().is_empty());
    let fields = kept.map(|(name, value)| if name == GIVEN { (name, String::new()) } else { (name, value) }).collect();
    FormOutcome { fields, action: Some(to), ..FormOutcome::default() }
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

/// An act that takes the caller's own password, see [`crate::accounts::Accounts::within_tries`]; what was refused is noted.
pub async fn within_tries<T>(
    gate: &Gate,
    caller: &Caller,
    pointer: &str,
    act: impl Future<Output = Answer<T>>,
) -> Result<T, Refused> {
    match gate.accounts.within_tries(caller, pointer, act).await {
        Ok(done) => Ok(done),
        Err(NotTried::TooOften(seconds)) => {
            gate.refusals.reauthentication("account.limit_sign_in", caller).await;
            Err(Refused::TooOften(seconds))
        }
        Err(NotTried::Wrong(error)) => {
            gate.refusals.reauthentication("account.refuse_proof", caller).await;
            Err(Refused::Said(error))
        }
        Err(NotTried::Otherwise(error)) => Err(Refused::Said(error)),
    }
}

/// The caller, who has proved it.
async fn reauthenticated(gate: &Gate, session: &Session, parts: &Parts, password: &str) -> Result<Caller, Refused> {
    let caller = who(parts)?;
    let pointer = format!("/{PASSWORD}");
    if password.is_empty() {
        let missing = Fault::new(pointer, code::REQUIRED, "type your password");
        return Err(ServiceError::Invalid(vec![missing]).into());
    }
    let (Some(hash), Some(known)) = (session.hash(), caller.session.clone()) else {
        return Err(ServiceError::Forbidden("only a person can sign in again: sign in on the page".into()).into());
    };
    let again = gate.accounts.reauthenticate(&caller, &hash, password, &pointer);
    let secret = within_tries(gate, &caller, &pointer, again).await?;
    session.set(&secret, gate.accounts.cookie_ms());
    let session = CallerSession { id: known.id, method: SignInMethod::Password, authenticated_ms_ago: 0 };
    Ok(Caller { session: Some(session), ..caller })
}
