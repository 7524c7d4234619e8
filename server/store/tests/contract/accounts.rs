//! People and tokens.

use crate::{
    sessions::session,
    support::{Bench, at_once, audit_rows, contract, entry},
};
use domain::{
    identity::Role,
    ids::ActorId,
    ports::{AccountChange, AccountStore, NewToken, PasswordHash, SessionStore},
};
use store::Store;

contract!(
    accounts_are_made_once_and_changed,
    a_name_is_taken_in_whatever_letters,
    one_active_admin_stays_whatever_happens_at_the_same_moment,
    a_token_works_until_it_is_revoked_or_expires,
    a_name_is_given_to_one_live_token_at_a_time,
);

pub async fn make(store: &Store, name: &str, roles: &[Role]) -> bool {
    let password = PasswordHash(format!("hash of {name}"));
    store.create_user(&format!("user:{name}"), name, roles, &password, entry("user.create")).await.unwrap()
}

async fn accounts_are_made_once_and_changed(bench: Bench) {
    let store = &bench.store;
    assert!(store.is_empty().await.unwrap());
    assert!(make(store, "bob", &[Role::Operator, Role::Author]).await);
    assert!(make(store, "ada", &[Role::Admin]).await);
    assert!(!store.is_empty().await.unwrap());
    let taken = store.create_user("user:2", "bob", &[], &PasswordHash("x".into()), entry("user.create")).await.unwrap();
    assert!(!taken);
    assert_eq!(audit_rows(store).await, 2, "what was not done is not told");

    let names: Vec<_> = store.users().await.unwrap().into_iter().map(|u| u.name).collect();
    assert_eq!(names, ["ada", "bob"]);
    let (bob, password) = store.user_for_sign_in("bob").await.unwrap().unwrap();
    assert_eq!((bob.roles.as_slice(), password.0.as_str()), ([Role::Operator, Role::Author].as_slice(), "hash of bob"));
    assert_eq!((bob.disabled, bob.last_sign_in_at), (false, None));
    assert!(store.user_for_sign_in("nobody").await.unwrap().is_none());

    assert!(store.begin_session(session("bob", "1", None), entry("user.sign_in")).await.unwrap());
    assert_eq!(
        store.set_roles("bob", &[Role::Viewer], true, entry("user.set_roles")).await.unwrap(),
        AccountChange::Done
    );
    assert_eq!(store.set_disabled("bob", true, true, entry("user.disable")).await.unwrap(), AccountChange::Done);
    assert!(store.set_password("bob", &PasswordHash("new".into()), None, entry("user.set_password")).await.unwrap());
    let (bob, password) = store.user_for_sign_in("bob").await.unwrap().unwrap();
    assert_eq!((bob.roles.as_slice(), bob.disabled, password.0.as_str()), ([Role::Viewer].as_slice(), true, "new"));
    assert!(bob.last_sign_in_at.is_some());
    assert_eq!(store.user("user:bob").await.unwrap(), Some(bob));

    let audited = audit_rows(store).await;
    assert_eq!(audited, 6);
    assert_eq!(store.set_roles("nobody", &[], true, entry("x")).await.unwrap(), AccountChange::NotFound);
    assert_eq!(store.set_disabled("nobody", true, true, entry("x")).await.unwrap(), AccountChange::NotFound);
    assert!(!store.set_password("nobody", &PasswordHash(String::new()), None, entry("x")).await.unwrap());
    assert_eq!(audit_rows(store).await, audited);
}

async fn a_name_is_taken_in_whatever_letters(bench: Bench) {
    let store = &bench.store;
    assert!(make(store, "admin", &[Role::Admin]).await);
    assert!(make(store, "Ärztin", &[Role::Viewer]).await);
    let audited = audit_rows(store).await;
    for name in ["Admin", "ADMIN", "ärztin", "ÄRZTIN"] {
        let hash = PasswordHash("x".into());
        let made = store.create_user("user:other", name, &[Role::Viewer], &hash, entry("user.create")).await.unwrap();
        assert!(!made, "{name}");
    }
    assert_eq!(audit_rows(store).await, audited, "what was not done is not told");
    let made = at_once(&bench, 2, |store, n| async move { make(&store, ["mara", "Mara"][usize::from(n)], &[]).await });
    assert_eq!(made.await.into_iter().filter(|made| *made).count(), 1);

    // Those of before stay as they are.
    let before = "UPDATE users SET name = 'Admin' WHERE name = 'Ärztin'";
    sqlx::query(before).execute(&mut bench.raw().await).await.unwrap();
    for name in ["admin", "Admin"] {
        assert_eq!(store.user_for_sign_in(name).await.unwrap().unwrap().0.name, name);
        let hash = PasswordHash("new".into());
        assert!(store.set_password(name, &hash, None, entry("user.set_password")).await.unwrap(), "{name}");
    }
}

async fn one_active_admin_stays_whatever_happens_at_the_same_moment(bench: Bench) {
    let store = &bench.store;
    make(store, "ada", &[Role::Admin]).await;
    make(store, "bob", &[Role::Viewer, Role::Admin]).await;
    make(store, "eve", &[Role::Viewer]).await;
    for round in 0..6 {
        let changes = at_once(&bench, 2, |store, n| async move {
            let other = ["bob", "ada"][usize::from(n)];
            // Two who demote each other, two who disable each other, and one of each.
            if (u32::from(n) + round) % 3 == 0 {
                store.set_disabled(other, true, true, entry("account.disable")).await.unwrap()
            } else {
                store.set_roles(other, &[Role::Viewer], true, entry("account.roles")).await.unwrap()
            }
        });
        let changes = changes.await;
        assert_eq!(changes.iter().filter(|change| **change == AccountChange::Done).count(), 1, "{changes:?}");
        assert!(changes.contains(&AccountChange::LastAdmin), "{changes:?}");
        let admins = |user: &domain::ports::UserRecord| !user.disabled && user.roles.contains(&Role::Admin);
        assert_eq!(store.users().await.unwrap().iter().filter(|user| admins(user)).count(), 1);
        for name in ["ada", "bob"] {
            store.set_roles(name, &[Role::Admin], true, entry("account.roles")).await.unwrap();
            store.set_disabled(name, false, true, entry("account.enable")).await.unwrap();
        }
    }
    let audited = audit_rows(store).await;
    store.set_roles("bob", &[Role::Viewer], true, entry("account.roles")).await.unwrap();
    assert_eq!(store.set_disabled("ada", true, true, entry("x")).await.unwrap(), AccountChange::LastAdmin);
    assert_eq!(store.set_roles("ada", &[], true, entry("x")).await.unwrap(), AccountChange::LastAdmin);
    assert_eq!(audit_rows(store).await, audited + 1, "what was not done is not told");
    let way_back_in = store.set_disabled("ada", true, false, entry("account.disable")).await.unwrap();
    assert_eq!(way_back_in, AccountChange::Done, "the command line may");
    assert_eq!(store.set_roles("eve", &[], true, entry("x")).await.unwrap(), AccountChange::Done, "no admin is taken");
}

fn token(name: &str, id: u8) -> NewToken {
    NewToken {
        id: format!("token:{id}"),
        name: name.into(),
        roles: vec![Role::Propose],
        owner: (id == 1).then(|| ActorId::new("user:ada")),
        secret_hash: format!("hash-{id}"),
        expires_at: None,
    }
}

async fn a_token_works_until_it_is_revoked_or_expires(bench: Bench) {
    let store = &bench.store;
    assert!(store.create_token(token("holmes", 1), entry("token.create")).await.unwrap());
    let found = store.token_by_hash("hash-1").await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.roles.as_slice()), ("holmes", [Role::Propose].as_slice()));
    assert_eq!(found.actor(Some("ada")).person(), &ActorId::new("user:ada"));
    let used = found.last_used_at.unwrap();
    let again = store.token_by_hash("hash-1").await.unwrap().unwrap();
    assert_eq!(again.last_used_at, Some(used), "noted at most once a minute");
    let age = "UPDATE tokens SET last_used_at = last_used_at - 60000";
    sqlx::query(age).execute(&mut bench.raw().await).await.unwrap();
    assert!(store.token_by_hash("hash-1").await.unwrap().unwrap().last_used_at >= Some(used));
    assert!(store.token_by_hash("hash-2").await.unwrap().is_none());

    // Whose owner is disabled is refused from the next request on.
    let ada = PasswordHash("x".into());
    store.create_user("user:ada", "ada", &[], &ada, entry("user.create")).await.unwrap();
    assert!(store.token_by_hash("hash-1").await.unwrap().is_some());
    store.set_disabled("ada", true, false, entry("user.disable")).await.unwrap();
    assert!(store.token_by_hash("hash-1").await.unwrap().is_none());
    store.set_disabled("ada", false, false, entry("user.enable")).await.unwrap();

    assert!(store.revoke_token("holmes", entry("token.revoke")).await.unwrap());
    assert!(!store.revoke_token("holmes", entry("token.revoke")).await.unwrap());
    assert!(store.token_by_hash("hash-1").await.unwrap().is_none());

    let over = store.now().await.unwrap().plus_ms(-1);
    let expired = NewToken { expires_at: Some(over), ..token("old", 2) };
    assert!(store.create_token(expired, entry("token.create")).await.unwrap());
    assert!(store.token_by_hash("hash-2").await.unwrap().is_none(), "it expired by the database's clock");
    assert!(!store.revoke_token("old", entry("token.revoke")).await.unwrap());
    assert!(store.create_token(token("by-id", 3), entry("token.create")).await.unwrap());
    assert!(store.revoke_token("token:3", entry("token.revoke")).await.unwrap());
    let all: Vec<_> = store.tokens().await.unwrap().into_iter().map(|t| (t.id, t.revoked_at.is_some())).collect();
    assert_eq!(all.len(), 3);
    assert!(all.contains(&("token:2".into(), false)));
    assert_eq!(audit_rows(store).await, 8);
}

async fn a_name_is_given_to_one_live_token_at_a_time(bench: Bench) {
    let made = at_once(&bench, 8, |store, n| async move {
        store.create_token(token("holmes", n), entry("token.create")).await.unwrap()
    });
    let made = made.await.into_iter().filter(|made| *made).count();
    assert_eq!(made, 1);
    assert!(bench.store.revoke_token("holmes", entry("token.revoke")).await.unwrap());
    assert!(
        bench.store.create_token(token("holmes", 9), entry("token.create")).await.unwrap(),
        "the name is free again"
    );
}
