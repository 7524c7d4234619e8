//! What a start does to accounts: the first admin, and what the provider's people may by the settings as they are now.

use crate::{
    accounts::{hash_password, new_password},
    config::Config,
    edge::UuidIds,
    terminal::{Fault, print},
};
use domain::{
    audit::AuditEntry,
    identity::Role,
    ports::{AccountStore as _, Ids as _, ProviderStore as _},
    provider::FederatedIdentity,
};
use store::Store;

/// What the trail calls a start.
const ROUTE: &str = "kubernaut-console serve";

/// The first start makes an admin: with the password that was set, or with one that is printed once. Where nobody signs in with an
/// account of the console's own none is made; the command line can, when one is needed.
pub async fn first_admin(store: &Store, config: &Config) -> Result<(), Fault> {
    if !config.local_accounts || !store.is_empty().await? {
        return Ok(());
    }
    let password = config.admin_password.clone().unwrap_or_else(new_password);
    let hash = hash_password(&password).map_err(|e| Fault::failed(e.to_string()))?;
    let entry = AuditEntry {
        after: Some(serde_json::json!({ "roles": [Role::Admin] })),
        ..AuditEntry::of_console("first start", ROUTE, "account.create", "account", "admin", UuidIds.fresh())
    };
    let made = store.create_user(&format!("user:{}", UuidIds.fresh()), "admin", &[Role::Admin], &hash, entry).await?;
    if made && config.admin_password.is_none() {
        print(&format!("first admin: user name admin, password {password} (shown this once)"));
    }
    Ok(())
}

/// What the provider's people may is kept as of their last sign-in: approvals are counted by it. Settings change at a start alone.
pub async fn judge_anew(store: &Store, config: &Config) -> Result<(), Fault> {
    let rules = config.oidc.as_ref().map(|provider| &provider.rules);
    // Blocked groups are looked at whenever something counts.
    let given = |from: &FederatedIdentity| rules.map_or_else(Vec::new, |rules| rules.roles(from, &[]));
    let entry = AuditEntry {
        reason: Some("--oidc-issuer or --oidc-role are others than at their last sign-in".into()),
        ..AuditEntry::of_console("settings", ROUTE, "account.roles", "account", "", UuidIds.fresh())
    };
    let changed = store.judge_anew(&given, entry).await?;
    if changed > 0 {
        tracing::info!(changed, "the provider's people may something else than at their last sign-in");
    }
    Ok(())
}
