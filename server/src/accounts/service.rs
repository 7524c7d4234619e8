//! Changing people and tokens: each act with its right, the rules of `domain::accounts`, and its audit row, whether it comes
//! by a page or by the command line.

use super::{Accounts, hash_password, new_password, new_secret};
use crate::services::{asks_again, store_fault};
use async_trait::async_trait;
use domain::{
    accounts::{self, MAX_TOKENS, Secret, TokenStanding},
    audit::AuditEntry,
    fault::{Complaint, Fault, Faults, code},
    identity::{Caller, Right, Role},
    ids::ActorId,
    ports::{AccountChange, Ending, NewToken, PasswordHash, TokenRecord, UserRecord},
    services::{
        AccountService, Answer, GroupView, MadeToken, ServiceError, SessionView, TokenOwner, TokenRequest, TokenView,
    },
};
use serde_json::{Value, json};
use std::collections::HashMap;

/// What a token may not be given by whoever found a browser open: with it they would decide later, without a password.
const STEP_UP: [Right; 3] = [Right::Decide, Right::PoliciesWrite, Right::AccountsWrite];

#[async_trait]
impl AccountService for Accounts {
    async fn users(&self, caller: &Caller) -> Answer<Vec<UserRecord>> {
        caller.require(Right::AccountsRead)?;
        self.all().await.map_err(store_fault)
    }

    async fn own(&self, caller: &Caller) -> Answer<Option<UserRecord>> {
        self.person(caller.actor.id.as_str()).await.map_err(store_fault)
    }

    async fn create_user(
        &self,
        caller: &Caller,
        name: &str,
        roles: &[Role],
        password: Option<String>,
    ) -> Answer<Option<Secret>> {
        caller.require(Right::AccountsWrite)?;
        if !self.local() && !by_system(caller) {
            let detail = "the console's own accounts are switched off: people sign in at the provider";
            return Err(ServiceError::Forbidden(detail.into()));
        }
        let mut faults = Faults::new();
        note(&mut faults, "/name", accounts::check_name(name));
        let roles = note(&mut faults, "/roles", accounts::roles_of_person(roles)).unwrap_or_default();
        if let Some(password) = &password {
            note(&mut faults, "/password", accounts::check_password(name, password));
        }
        refuse(faults)?;
        self.changes_accounts(caller)?;
        let (hash, made) = self.chosen_or_made(password).await?;
        let mut audit = AuditEntry::by(caller, "account.create", "account", name);
        audit.after = Some(json!({ "roles": roles }));
        let id = format!("user:{}", self.ids.fresh());
        if !self.store.create_user(&id, name, &roles, &hash, audit).await.map_err(store_fault)? {
            return Err(taken(format!("there is an account named {name} already: choose another name")));
        }
        Ok(made)
    }

    async fn set_roles(&self, caller: &Caller, who: &str, roles: &[Role]) -> Answer<UserRecord> {
        caller.require(Right::AccountsWrite)?;
        let roles = accounts::roles_of_person(roles).map_err(|complaint| at("/roles", complaint))?;
        let user = self.account(who).await?;
        if user.external.is_some() {
            let detail = format!("{} has the roles that their groups give: change those, or --oidc-role", user.name);
            return Err(ServiceError::Forbidden(detail));
        }
        if !roles.contains(&Role::Admin) {
            not_oneself(caller, &user, "take the role admin from yourself")?;
            self.stays_administered(caller, &user).await?;
        }
        self.changes_accounts(caller)?;
        let mut audit = AuditEntry::by(caller, "account.roles", "account", &user.name);
        audit.before = Some(json!({ "roles": user.roles }));
        audit.after = Some(json!({ "roles": roles }));
        let change = self.store.set_roles(&user.name, &roles, !by_system(caller), audit).await.map_err(store_fault)?;
        made(change, &user)?;
        Ok(UserRecord { roles, ..user })
    }

    async fn set_disabled(&self, caller: &Caller, who: &str, disabled: bool) -> Answer<UserRecord> {
        caller.require(Right::AccountsWrite)?;
        let user = self.account(who).await?;
        if disabled {
            not_oneself(caller, &user, "disable yourself")?;
            self.stays_administered(caller, &user).await?;
        }
        self.changes_accounts(caller)?;
        let action = if disabled { "account.disable" } else { "account.enable" };
        let mut audit = AuditEntry::by(caller, action, "account", &user.name);
        audit.before = Some(json!({ "disabled": user.disabled }));
        audit.after = Some(json!({ "disabled": disabled }));
        let change =
            self.store.set_disabled(&user.name, disabled, !by_system(caller), audit).await.map_err(store_fault)?;
        made(change, &user)?;
        Ok(UserRecord { disabled, ..user })
    }

    async fn reset_password(&self, caller: &Caller, who: &str, password: Option<String>) -> Answer<Option<Secret>> {
        caller.require(Right::AccountsWrite)?;
        let user = self.account(who).await?;
        has_password(&user)?;
        if is(caller, &user) {
            return Err(ServiceError::Forbidden("change your own password with your present one".into()));
        }
        if let Some(password) = &password {
            accounts::check_password(&user.name, password).map_err(|complaint| at("/password", complaint))?;
        }
        self.changes_accounts(caller)?;
        let (hash, made) = self.chosen_or_made(password).await?;
        let audit = AuditEntry::by(caller, "account.password", "account", &user.name);
        found(self.store.set_password(&user.name, &hash, None, audit).await.map_err(store_fault)?)?;
        Ok(made)
    }

    async fn change_password(&self, caller: &Caller, old: &str, new: &str) -> Answer<()> {
        let user = self.person_of(caller, "change a password").await?;
        has_password(&user)?;
        let mut faults = Faults::new();
        note(&mut faults, "/new_password", accounts::check_password(&user.name, new));
        if old == new {
            faults.add("/new_password", code::DUPLICATE, "choose another one than the present one");
        }
        let kept = self.store.user_for_sign_in(&user.name).await.map_err(store_fault)?;
        let (_, hash) = kept.ok_or(ServiceError::NotFound("account"))?;
        if !self.matches(old, hash).await? {
            faults.add("/old_password", "wrong", "this is not your present password");
        }
        refuse(faults)?;
        let (hash, _) = self.chosen_or_made(Some(new.to_owned())).await?;
        let audit = AuditEntry::by(caller, "account.password", "account", &user.name);
        let here = caller.session.as_ref().map(|session| session.id.as_str());
        found(self.store.set_password(&user.name, &hash, here, audit).await.map_err(store_fault)?)
    }

    async fn sessions(&self, caller: &Caller) -> Answer<Vec<SessionView>> {
        self.own_sessions(caller).await
    }

    async fn end_session(&self, caller: &Caller, id: &str) -> Answer<()> {
        self.end_own(caller, id).await
    }

    async fn end_other_sessions(&self, caller: &Caller) -> Answer<u64> {
        self.end_own_others(caller).await
    }

    async fn end_sessions_of(&self, caller: &Caller, who: &str) -> Answer<(UserRecord, u64)> {
        caller.require(Right::AccountsWrite)?;
        let user = self.account(who).await?;
        self.authenticated_lately(caller, "this signs somebody out everywhere", "do it")?;
        let ended = self.end_of(caller, &user, Ending::All).await?;
        Ok((user, ended))
    }

    async fn tokens(&self, caller: &Caller) -> Answer<Vec<TokenView>> {
        let all = caller.may(Right::AccountsRead);
        let own = |token: &TokenRecord| is_own(caller, token);
        let users = self.all().await.map_err(store_fault)?;
        let users: HashMap<&str, &UserRecord> = users.iter().map(|user| (user.id.as_str(), user)).collect();
        let now = self.clock.now();
        let tokens = self.store.tokens().await.map_err(store_fault)?;
        let seen = tokens.into_iter().filter(|token| all || own(token)).map(|token| {
            let owner = token.owner.as_ref().and_then(|id| users.get(id.as_str()).copied());
            TokenView {
                standing: TokenStanding::of(&token, owner, now),
                owner: token.owner.as_ref().map(|id| owner.map_or_else(|| id.to_string(), |user| user.name.clone())),
                own: own(&token),
                token,
            }
        });
        Ok(seen.collect())
    }

    async fn create_token(&self, caller: &Caller, request: TokenRequest) -> Answer<MadeToken> {
        let owner = self.owner_of(caller, &request.owner).await?;
        let mut faults = Faults::new();
        note(&mut faults, "/name", accounts::check_name(&request.name));
        let roles = note(&mut faults, "/roles", accounts::roles_of_token(&request.roles)).unwrap_or_default();
        match &owner {
            Some(owner) => {
                note(&mut faults, "/roles", accounts::check_within(&roles, &owner.roles));
                self.has_room(owner).await?;
            }
            None if !by_system(caller) && roles.iter().any(|role| role.grants(Right::Decide)) => {
                faults.add(
                    "/roles",
                    code::NOT_ALLOWED,
                    "what decides belongs to a person: make it a token of your own",
                );
            }
            None => {}
        }
        if request.lifetime_ms.is_some_and(|ms| ms <= 0) {
            faults.add("/expires", code::OUT_OF_RANGE, "choose a time that is not over yet");
        }
        refuse(faults)?;
        if roles.iter().any(|role| STEP_UP.into_iter().any(|right| role.grants(right))) {
            self.authenticated_lately(caller, "this token decides, or says who may, without a password", "make it")?;
        }
        let secret = new_secret();
        let id = format!("token:{}", self.ids.fresh());
        let expires_at = request.lifetime_ms.map(|ms| self.clock.now().plus_ms(ms));
        let mut audit = AuditEntry::by(caller, "token.create", "token", &request.name);
        audit.after = Some(json!({
            "id": id, "roles": roles, "owner": owner.as_ref().map(named), "expires_at": expires_at,
        }));
        let token = NewToken {
            id: id.clone(),
            name: request.name.clone(),
            roles,
            owner: owner.map(|owner| ActorId::new(owner.id)),
            secret_hash: secret.hash,
            expires_at,
        };
        if !self.store.create_token(token, audit).await.map_err(store_fault)? {
            return Err(taken(format!(
                "there is a token named {} already: revoke it first, or choose another name",
                request.name
            )));
        }
        Ok(MadeToken { id, name: request.name, secret: Secret(secret.secret) })
    }

    async fn revoke_token(&self, caller: &Caller, token: &str) -> Answer<TokenRecord> {
        let seen = AccountService::tokens(self, caller).await?;
        let mut live = seen.into_iter().filter(|view| !view.standing.ended());
        let view = live.find(|view| view.token.id == token || view.token.name == token);
        let view = view.ok_or(ServiceError::NotFound("live token"))?;
        if !view.own {
            caller.require(Right::AccountsWrite)?;
        }
        let mut audit = AuditEntry::by(caller, "token.revoke", "token", &view.token.name);
        let owner = view.owner.map(|name| json!({ "id": view.token.owner, "name": name }));
        audit.before = Some(json!({ "id": view.token.id, "roles": view.token.roles, "owner": owner }));
        if !self.store.revoke_token(&view.token.id, audit).await.map_err(store_fault)? {
            return Err(ServiceError::NotFound("live token"));
        }
        Ok(view.token)
    }

    async fn groups(&self, caller: &Caller) -> Answer<Option<Vec<GroupView>>> {
        caller.require(Right::AccountsRead)?;
        self.seen_groups().await
    }

    async fn set_group_blocked(&self, caller: &Caller, group: &str, blocked: bool) -> Answer<()> {
        caller.require(Right::AccountsWrite)?;
        self.set_blocked(caller, group, blocked).await
    }
}

/// Whether a token is the caller's own: a person's are all that were made for them, a token's is itself alone. The weakest token of
/// a person must not end the others.
fn is_own(caller: &Caller, token: &TokenRecord) -> bool {
    let actor = &caller.actor;
    if actor.owner.is_some() { token.id == actor.id.as_str() } else { token.owner.as_ref() == Some(&actor.id) }
}

impl Accounts {
    /// An account by id or name: no name looks like an id.
    async fn account(&self, who: &str) -> Answer<UserRecord> {
        let found = if who.starts_with("user:") {
            self.store.user(who).await.map_err(store_fault)?
        } else {
            self.store.user_for_sign_in(who).await.map_err(store_fault)?.map(|(user, _)| user)
        };
        let user = found.ok_or(ServiceError::NotFound("account"))?;
        let blocked = self.blocked().await.map_err(store_fault)?;
        Ok(self.by_now(user, &blocked))
    }

    /// Refuses a change of somebody's account to whoever has not proved lately who they are.
    fn changes_accounts(&self, caller: &Caller) -> Answer<()> {
        self.authenticated_lately(caller, "an account says who may decide", "change one")
    }

    /// Refuses an act to whoever has not proved lately who they are: `why` it is asked for, and the act, in words.
    pub(super) fn authenticated_lately(&self, caller: &Caller, why: &str, act: &str) -> Answer<()> {
        asks_again(caller, self.recent_ms, why, act).map_or(Ok(()), Err)
    }

    /// The account of a caller who is a person.
    pub(super) async fn person_of(&self, caller: &Caller, what: &str) -> Answer<UserRecord> {
        let id = caller.actor.id.as_str();
        if !id.starts_with("user:") {
            return Err(ServiceError::Forbidden(format!("only a person can {what}: sign in on the page")));
        }
        self.account(id).await
    }

    async fn owner_of(&self, caller: &Caller, owner: &TokenOwner) -> Answer<Option<UserRecord>> {
        match owner {
            TokenOwner::Caller => self.person_of(caller, "make a token of their own").await.map(Some),
            TokenOwner::Nobody => {
                caller.require(Right::AccountsWrite)?;
                Ok(None)
            }
            TokenOwner::Account(name) if by_system(caller) => self.account(name).await.map(Some),
            TokenOwner::Account(_) => Err(ServiceError::Forbidden(
                "a token of somebody else could approve for them: let them make it themselves".into(),
            )),
        }
    }

    async fn has_room(&self, owner: &UserRecord) -> Answer<()> {
        let now = self.clock.now();
        let tokens = self.store.tokens().await.map_err(store_fault)?;
        let own = tokens.iter().filter(|token| token.owner.as_ref().is_some_and(|id| id.as_str() == owner.id));
        let live = own.filter(|token| !TokenStanding::of(token, Some(owner), now).ended()).count();
        if live < MAX_TOKENS {
            return Ok(());
        }
        let detail = format!("{MAX_TOKENS} tokens of this person work already: revoke one that is no longer needed");
        Err(ServiceError::Conflict { code: "too_many_tokens", detail, differences: Vec::new() })
    }

    /// Refuses to take away the last admin who gets in. The store sees to it that two don't take each other away, and knows neither what
    /// groups give by now nor whether the console's own accounts are switched off.
    async fn stays_administered(&self, caller: &Caller, user: &UserRecord) -> Answer<()> {
        if by_system(caller) || !administers(user) {
            return Ok(());
        }
        let users = self.all().await.map_err(store_fault)?;
        let gets_in = |user: &UserRecord| self.local() || user.external.is_some();
        if users.iter().any(|other| other.id != user.id && administers(other) && gets_in(other)) {
            return Ok(());
        }
        made(AccountChange::LastAdmin, user)
    }

    /// The hash of a password, and the password itself where it was made here.
    async fn chosen_or_made(&self, password: Option<String>) -> Answer<(PasswordHash, Option<Secret>)> {
        let made = password.is_none();
        let password = password.unwrap_or_else(new_password);
        let turn = self.turn().await?;
        let clear = password.clone();
        let hashing = move || {
            let _turn = turn;
            hash_password(&clear)
        };
        let hash = tokio::task::spawn_blocking(hashing).await.map_err(|e| ServiceError::Internal(e.to_string()))?;
        let hash = hash.map_err(|e| ServiceError::Internal(e.to_string()))?;
        Ok((hash, made.then_some(Secret(password))))
    }
}

/// Refuses what is about a password that is not here.
pub(super) fn has_password(user: &UserRecord) -> Answer<()> {
    if user.external.is_none() {
        return Ok(());
    }
    Err(ServiceError::Forbidden(format!("{} signs in at the provider: there is no password here", user.name)))
}

fn administers(user: &UserRecord) -> bool {
    !user.disabled && user.roles.contains(&Role::Admin)
}

/// Nobody shuts themselves out. The command line may: it is the way back in.
fn not_oneself(caller: &Caller, user: &UserRecord, what: &str) -> Answer<()> {
    if administers(user) && is(caller, user) {
        return Err(ServiceError::Forbidden(format!("you can't {what}: ask another admin")));
    }
    Ok(())
}

/// What became of a change, in a service's words.
fn made(change: AccountChange, user: &UserRecord) -> Answer<()> {
    match change {
        AccountChange::Done => Ok(()),
        AccountChange::NotFound => Err(ServiceError::NotFound("account")),
        AccountChange::LastAdmin => {
            let detail = format!("{} is the last admin: give somebody else that role first", user.name);
            Err(ServiceError::Conflict { code: "last_admin", detail, differences: Vec::new() })
        }
    }
}

/// Whether the caller is this person, or a token of theirs.
fn is(caller: &Caller, user: &UserRecord) -> bool {
    caller.actor.person().as_str() == user.id
}

/// The console's own parts, the command line among them: who runs them has the database's credentials anyway.
fn by_system(caller: &Caller) -> bool {
    caller.actor.id.as_str().starts_with("system:")
}

fn named(user: &UserRecord) -> Value {
    json!({ "id": user.id, "name": user.name })
}

fn taken(detail: String) -> ServiceError {
    ServiceError::Conflict { code: "name_taken", detail, differences: Vec::new() }
}

fn found(changed: bool) -> Answer<()> {
    if changed { Ok(()) } else { Err(ServiceError::NotFound("account")) }
}

fn at(pointer: &str, complaint: Complaint) -> ServiceError {
    ServiceError::Invalid(vec![complaint.at(pointer)])
}

fn note<T>(faults: &mut Faults, pointer: &str, judged: Result<T, Complaint>) -> Option<T> {
    judged.map_err(|complaint| faults.push(Complaint::at(complaint, pointer))).ok()
}

fn refuse(faults: Faults) -> Answer<()> {
    let faults: Vec<Fault> = faults.into_vec();
    if faults.is_empty() { Ok(()) } else { Err(ServiceError::Invalid(faults)) }
}
