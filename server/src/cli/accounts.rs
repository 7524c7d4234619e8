//! `token …` and `user …`: accounts without the pages, by the same service. Whoever runs this has the database's
//! credentials; the audit trail says "command line".

use super::{Fault, print};
use crate::{accounts::Accounts, config::Config, edge::UuidIds};
use clap::Subcommand;
use domain::{
    accounts::TokenStanding,
    fault::Fault as Broken,
    identity::{Actor, Caller, Door, Role, UnknownRole, Way},
    ports::Ids as _,
    services::{AccountService as _, ServiceError, TokenOwner, TokenRequest},
};
use std::{sync::Arc, time::Duration};
use store::Store;

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Makes a token and prints its secret, once
    Create {
        /// A name for people
        #[arg(long)]
        name: String,
        /// viewer, operator, author, auditor, admin, propose or ingest; may repeat
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
        /// The account whose token it is: it may no more than they, and what it approves counts as theirs; without it, nobody's
        #[arg(long)]
        owner: Option<String>,
        /// How long it works, such as 30d; without it, until revoked
        #[arg(long)]
        expires: Option<String>,
    },
    /// Lists tokens
    List,
    /// Revokes a token by name or id
    Revoke {
        /// Name or id
        token: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Makes an account and prints its password, once; KUBERNAUT_USER_PASSWORD sets another
    Create {
        /// The name to sign in with
        #[arg(long)]
        name: String,
        /// viewer, operator, author, auditor or admin; may repeat
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
    },
    /// Lists accounts
    List,
    /// Refuses an account from its next request on
    Disable {
        /// The account's name
        name: String,
    },
    /// Lets a disabled account in again
    Enable {
        /// The account's name
        name: String,
    },
    /// Sets a new password and prints it, once; KUBERNAUT_USER_PASSWORD sets another. All its sessions end
    SetPassword {
        /// The account's name
        name: String,
    },
    /// Sets an account's roles
    SetRole {
        /// The account's name
        name: String,
        /// The roles from now on; may repeat
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// Lists the provider's groups that give a role or are blocked
    List,
    /// Shuts the people of a group out, from their next request on
    Block {
        /// The group's name, with its prefix
        name: String,
    },
    /// Lets them in again
    Unblock {
        /// The group's name, with its prefix
        name: String,
    },
}

/// The account service over this database, and the command line as its caller.
fn service(config: &Config, store: Store) -> (Accounts, Caller) {
    let caller = Caller {
        actor: Actor::system("command line"),
        roles: vec![Role::Admin],
        request_id: UuidIds.fresh(),
        route: "kubernaut-console".into(),
        way: Way::by(Door::Cli),
        session: None,
    };
    (Accounts::of(config, &Arc::new(store)), caller)
}

/// The sentence for a service's refusal; `list` is the command that shows what there is.
fn refused(error: ServiceError, list: &str) -> Fault {
    let flag = |fault: &Broken| match fault.pointer.trim_start_matches('/') {
        "roles" => format!("--role: {}", fault.message),
        "password" => format!("KUBERNAUT_USER_PASSWORD: {}", fault.message),
        "group" => fault.message.clone(),
        field => format!("--{field}: {}", fault.message),
    };
    match error {
        ServiceError::Invalid(faults) => Fault::wrong_setting(faults.iter().map(flag).collect::<Vec<_>>().join("; ")),
        ServiceError::NotFound(what) => Fault::failed(format!("there is no such {what}: see `{list}`")),
        other => Fault::failed(other.to_string()),
    }
}

fn roles(words: &[String]) -> Result<Vec<Role>, Fault> {
    let each = words.iter().flat_map(|word| word.split(','));
    each.map(|word| word.trim().parse().map_err(|error: UnknownRole| Fault::wrong_setting(error.to_string()))).collect()
}

fn names(roles: &[Role]) -> String {
    roles.iter().map(|r| r.name()).collect::<Vec<_>>().join(",")
}

/// `token …`
pub async fn tokens(config: &Config, store: Store, command: TokenCommand) -> Result<(), Fault> {
    let (accounts, caller) = service(config, store);
    match command {
        TokenCommand::Create { name, roles: words, owner, expires } => {
            let request = TokenRequest {
                name,
                roles: roles(&words)?,
                owner: owner.map_or(TokenOwner::Nobody, TokenOwner::Account),
                lifetime_ms: expires.map(|text| lifetime(&text)).transpose()?,
            };
            let made = accounts.create_token(&caller, request).await.map_err(|error| refused(error, "user list"))?;
            print(&made.secret.0);
        }
        TokenCommand::List => {
            let seen = accounts.tokens(&caller).await.map_err(|error| refused(error, "token list"))?;
            for view in seen {
                let token = view.token;
                let until = token.expires_at.map_or_else(|| "-".into(), |t| t.to_string());
                let used = token.last_used_at.map_or_else(|| "never".into(), |t| t.to_string());
                print(&format!(
                    "{}\t{}\t{}\t{}\texpires {until}\tlast used {used}\towner {}",
                    token.id,
                    token.name,
                    names(&token.roles),
                    standing(view.standing),
                    view.owner.as_deref().unwrap_or("-"),
                ));
            }
        }
        TokenCommand::Revoke { token } => {
            accounts.revoke_token(&caller, &token).await.map_err(|error| refused(error, "token list"))?;
            print(&format!("revoked {token}"));
        }
    }
    Ok(())
}

const fn standing(of: TokenStanding) -> &'static str {
    match of {
        TokenStanding::Live => "live",
        TokenStanding::Curtailed => "live, its owner may less by now",
        TokenStanding::OwnerDisabled => "owner disabled",
        TokenStanding::Expired => "expired",
        TokenStanding::Revoked => "revoked",
    }
}

fn lifetime(text: &str) -> Result<i64, Fault> {
    let parsed: Option<Duration> = humantime::parse_duration(text).ok().filter(|d| !d.is_zero());
    let ms = parsed.and_then(|d| i64::try_from(d.as_millis()).ok());
    ms.ok_or_else(|| Fault::wrong_setting(format!("--expires is \"{text}\": write a duration such as 30d or 12h")))
}

/// `user …`
pub async fn users(config: &Config, store: Store, command: UserCommand) -> Result<(), Fault> {
    let (accounts, caller) = service(config, store);
    let refused = |error| refused(error, "user list");
    match command {
        UserCommand::Create { name, roles: words } => {
            let roles = roles(&words)?;
            let given = std::env::var("KUBERNAUT_USER_PASSWORD").ok().filter(|p| !p.is_empty());
            let made = accounts.create_user(&caller, &name, &roles, given).await.map_err(refused)?;
            print(&made.map_or_else(|| format!("created {name}"), |password| password.0));
        }
        UserCommand::List => {
            for user in accounts.users(&caller).await.map_err(refused)? {
                let state = if user.disabled { "disabled" } else { "active" };
                let seen = user.last_sign_in_at.map_or_else(|| "never".into(), |t| t.to_string());
                let place = user.external.as_ref().map_or("here", |external| external.issuer.as_str());
                print(&format!("{}\t{}\t{state}\tlast signed in {seen}\tat {place}", user.name, names(&user.roles)));
            }
        }
        UserCommand::Disable { name } => {
            accounts.set_disabled(&caller, &name, true).await.map_err(refused)?;
            print(&format!("disabled {name}"));
        }
        UserCommand::Enable { name } => {
            accounts.set_disabled(&caller, &name, false).await.map_err(refused)?;
            print(&format!("enabled {name}"));
        }
        UserCommand::SetRole { name, roles: words } => {
            let user = accounts.set_roles(&caller, &name, &roles(&words)?).await.map_err(refused)?;
            print(&format!("{name} is {}", names(&user.roles)));
        }
        UserCommand::SetPassword { name } => {
            let given = std::env::var("KUBERNAUT_USER_PASSWORD").ok().filter(|p| !p.is_empty());
            let made = accounts.reset_password(&caller, &name, given).await.map_err(refused)?;
            print(&made.map_or_else(|| format!("changed the password of {name}"), |password| password.0));
        }
    }
    Ok(())
}

/// `group …`
pub async fn groups(config: &Config, store: Store, command: GroupCommand) -> Result<(), Fault> {
    let (accounts, caller) = service(config, store);
    let refused = |error| refused(error, "group list");
    match command {
        GroupCommand::List => {
            for group in accounts.groups(&caller).await.map_err(refused)?.unwrap_or_default() {
                let state = group.blocked.map_or_else(String::new, |(at, by)| format!("\tblocked by {by} at {at}"));
                print(&format!("{}\t{}\t{} people{state}", group.name, names(&group.roles), group.people));
            }
        }
        GroupCommand::Block { name } => {
            accounts.set_group_blocked(&caller, &name, true).await.map_err(refused)?;
            print(&format!("blocked {name}"));
        }
        GroupCommand::Unblock { name } => {
            accounts.set_group_blocked(&caller, &name, false).await.map_err(refused)?;
            print(&format!("unblocked {name}"));
        }
    }
    Ok(())
}
