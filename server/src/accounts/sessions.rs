//! Sessions of people: begun when somebody has proved who they are, by whichever way; found again by the cookie's value.

use super::{Accounts, Identity, new_session_secret, service::has_password};
use crate::services::store_fault;
use domain::{
    accounts::{Secret, in_both},
    audit::AuditEntry,
    fault::Fault,
    identity::{Caller, CallerSession, Role, SignInMethod, Way},
    ports::{
        CameFrom, Ending, LiveSession, NewSession, OldCookie, PasswordHash, Reauthentication, SessionRecord,
        StoreError, UserRecord,
    },
    services::{Answer, ServiceError, SessionView},
};
use serde_json::json;

/// A sign-in on its way: by which request, from where.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The route, for the audit trail.
    pub route: String,
    /// The request.
    pub request_id: String,
    /// The way it came.
    pub way: Way,
    /// Where it came from.
    pub from: CameFrom,
    /// The hash of the session that the browser had until now; it ends.
    pub replaces: Option<String>,
    /// The ID token of a sign-in at the provider; empty where it is too long to be sent there again.
    pub id_token: Option<Secret>,
}

impl Accounts {
    /// Begins the session of somebody who has proved who they are; what the browser gets to be known by. `password` is the one that
    /// was found right, where it was that. None when the account was disabled or got another password in the meantime.
    pub async fn begin_session(
        &self,
        user: &UserRecord,
        method: SignInMethod,
        password: Option<PasswordHash>,
        by: &SignIn,
    ) -> Result<Option<Secret>, StoreError> {
        let secret = new_session_secret();
        let new = NewSession {
            id: format!("session:{}", self.ids.fresh()),
            secret_hash: secret.hash,
            user_id: user.id.clone(),
            method,
            password,
            from: by.from.clone(),
            replaces: by.replaces.clone(),
            id_token: by.id_token.clone(),
        };
        let action = match method {
            SignInMethod::Password => "account.sign_in",
            // That, with what the provider said, was written when they were let in.
            SignInMethod::Oidc => "session.begin",
        };
        let audit = AuditEntry {
            actor: user.actor(),
            way: by.way,
            route: by.route.clone(),
            action: action.into(),
            object_kind: "account".into(),
            object_id: user.name.clone(),
            before: None,
            after: Some(json!({ "session": new.id, "method": method })),
            reason: None,
            request_id: by.request_id.clone(),
        };
        let begun = self.sessions.begin_session(new, audit).await?;
        Ok(begun.then_some(Secret(secret.secret)))
    }

    /// Who comes by the session of this hash, as of now: roles, disabling, blocked groups and switched off local accounts take effect at
    /// the next request. Who comes late, by what the cookie was a moment ago, may only what they might then, too. `used` when a person asks, not a stream that was opened before.
    pub async fn by_session(&self, secret_hash: &str, used: bool) -> Result<Option<Identity>, StoreError> {
        let Some(live) = self.sessions.session(secret_hash, self.limits, used).await? else { return Ok(None) };
        let LiveSession { session, user, made_under, late, now } = live;
        let able = self.able(user).await?.filter(|user| self.local || user.external.is_some());
        Ok(able.map(|user| Identity {
            actor: user.actor(),
            outdated: !late && made_under != user.roles,
            roles: if late { in_both(&made_under, &user.roles) } else { user.roles },
            session: Some(CallerSession {
                id: session.id,
                method: session.method,
                authenticated_ms_ago: now.since(session.authenticated_at),
            }),
        }))
    }

    /// Another value for a session's cookie, made under these roles: with more rights it must not be one that somebody may have had
    /// before. None when the session has ended, or has got its new value by another request.
    pub async fn renew_session(
        &self,
        secret_hash: &str,
        roles: &[Role],
        old: OldCookie,
    ) -> Result<Option<Secret>, StoreError> {
        let secret = new_session_secret();
        let renewed = self.sessions.renew_session(secret_hash, &secret.hash, roles, old).await?;
        Ok(renewed.then_some(Secret(secret.secret)))
    }

    /// Whoever has this session shows once more, with their password, who they are; what the browser is to be known by from now on.
    /// The fault of a wrong one is at `pointer`.
    pub async fn reauthenticate(
        &self,
        caller: &Caller,
        secret_hash: &str,
        password: &str,
        pointer: &str,
    ) -> Answer<Secret> {
        let user = self.person_of(caller, "sign in again").await?;
        has_password(&user)?;
        let kept = self.store.user_for_sign_in(&user.name).await.map_err(store_fault)?;
        let (_, hash) = kept.ok_or(ServiceError::NotFound("account"))?;
        if !self.matches(password, hash.clone()).await? {
            let wrong = Fault::new(pointer, "wrong", "this is not your password");
            return Err(ServiceError::Invalid(vec![wrong]));
        }
        self.reauthenticated(caller, &user, secret_hash, SignInMethod::Password, Some(hash)).await
    }

    /// Notes that whoever has this session has proved once more, by this way, who they are; `password` is the one that was found right,
    /// where it was that.
    pub async fn reauthenticated(
        &self,
        caller: &Caller,
        user: &UserRecord,
        secret_hash: &str,
        method: SignInMethod,
        password: Option<PasswordHash>,
    ) -> Answer<Secret> {
        let secret = new_session_secret();
        let mut audit = AuditEntry::by(caller, "account.sign_in_again", "account", &user.name);
        let session = caller.session.as_ref().map(|session| session.id.as_str());
        audit.after = Some(json!({ "session": session, "method": method }));
        let reauthentication = Reauthentication { method, password, new_hash: secret.hash };
        let done =
            self.sessions.reauthenticate_session(secret_hash, reauthentication, audit).await.map_err(store_fault)?;
        if done { Ok(Secret(secret.secret)) } else { Err(ServiceError::NotFound("session, it has ended")) }
    }

    /// Ends the session that the browser has. Answers the ID token of it, where its person signed in at the provider.
    pub async fn sign_out(&self, caller: &Caller, secret_hash: &str) -> Result<Option<Secret>, StoreError> {
        let id_token = self.sessions.id_token(secret_hash).await?;
        let mut audit = AuditEntry::by(caller, "account.sign_out", "account", &caller.actor.name);
        audit.before = caller.session.as_ref().map(|session| json!({ "session": session.id }));
        self.sessions.end_session(secret_hash, audit).await?;
        Ok(id_token)
    }

    /// How long a browser keeps its cookie at most, milliseconds; whether the session lives is judged here.
    pub fn cookie_ms(&self) -> i64 {
        self.limits.max_age_ms
    }

    pub(super) async fn own_sessions(&self, caller: &Caller) -> Answer<Vec<SessionView>> {
        let user = self.person_of(caller, "have sessions").await?;
        let here = caller.session.as_ref().map(|session| session.id.as_str());
        let sessions = self.sessions.sessions_of(&user.id, self.limits).await.map_err(store_fault)?;
        let view = |session: SessionRecord| SessionView { here: here == Some(session.id.as_str()), session };
        Ok(sessions.into_iter().map(view).collect())
    }

    pub(super) async fn end_own(&self, caller: &Caller, id: &str) -> Answer<()> {
        let user = self.person_of(caller, "end a session").await?;
        let ended = self.end_of(caller, &user, Ending::One(id)).await?;
        if ended == 0 { Err(ServiceError::NotFound("session of yours")) } else { Ok(()) }
    }

    pub(super) async fn end_own_others(&self, caller: &Caller) -> Answer<u64> {
        let user = self.person_of(caller, "end sessions").await?;
        let here = caller.session.as_ref().map(|session| session.id.as_str());
        self.end_of(caller, &user, here.map_or(Ending::All, Ending::AllBut)).await
    }

    pub(super) async fn end_of(&self, caller: &Caller, user: &UserRecord, which: Ending<'_>) -> Answer<u64> {
        let mut audit = AuditEntry::by(caller, "session.end", "account", &user.name);
        audit.before = Some(match which {
            Ending::All => json!({ "sessions": "all" }),
            Ending::One(id) => json!({ "session": id }),
            Ending::AllBut(id) => json!({ "sessions": "all others", "kept": id }),
        });
        self.sessions.end_sessions(&user.id, which, audit).await.map_err(store_fault)
    }
}
