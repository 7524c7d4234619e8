//! Sessions: how long they live, and what ends them.

use crate::{
    accounts::make,
    support::{Bench, audit_rows, contract, entry},
};
use domain::{
    accounts::Secret,
    identity::{Role, SignInMethod},
    ports::{
        AccountStore, CameFrom, Ending, NewSession, OldCookie, PasswordHash, Reauthentication, SessionLimits,
        SessionRecord, SessionStore,
    },
};
use store::Store;

contract!(
    a_session_lives_until_it_is_idle_or_old_or_ended,
    its_use_is_noted_once_a_minute_and_not_by_what_only_looks,
    a_sign_in_counts_only_with_the_password_of_now_and_no_disabled_account,
    another_cookie_is_the_same_session_and_the_old_one_is_soon_none,
    by_the_old_cookie_nobody_gets_what_came_with_the_new_one,
    what_ends_a_session_ends_its_old_cookie,
    reauthentication_counts_only_with_the_password_of_now_and_for_a_session_that_lives,
    what_has_ended_does_not_come_back,
    a_new_password_and_a_closed_account_end_all_sessions,
    a_person_ends_their_own_and_nobody_elses,
);

const MINUTE: i64 = 60_000;
const LIMITS: SessionLimits = SessionLimits { idle_ms: 30 * MINUTE, max_age_ms: 120 * MINUTE };

/// A session of this person, found by the hash `hash of N`.
pub fn session(user: &str, n: &str, password: Option<&str>) -> NewSession {
    NewSession {
        id: format!("session:{n}"),
        secret_hash: format!("hash of {n}"),
        user_id: format!("user:{user}"),
        method: SignInMethod::Password,
        password: password.map(|password| PasswordHash(password.to_owned())),
        from: CameFrom { address: Some("192.0.2.1".into()), agent: Some("Firefox/128.0".into()) },
        replaces: None,
        id_token: None,
    }
}

async fn begin(store: &Store, user: &str, n: &str) {
    assert!(store.begin_session(session(user, n, None), entry("account.sign_in")).await.unwrap());
}

async fn find(store: &Store, n: &str) -> Option<SessionRecord> {
    store.session(&format!("hash of {n}"), LIMITS, true).await.unwrap().map(|live| live.session)
}

async fn ids(store: &Store, user: &str) -> Vec<String> {
    let all = store.sessions_of(&format!("user:{user}"), LIMITS).await.unwrap();
    all.into_iter().map(|session| session.id).collect()
}

/// Lets time pass for all sessions: since they began, and since they were used.
async fn age(bench: &Bench, began: i64, used: i64) {
    let sql = format!("UPDATE sessions SET began_at = began_at - {began}, used_at = used_at - {used}");
    sqlx::query(&sql).execute(&mut bench.raw().await).await.unwrap();
}

/// Lets time pass since their cookies got another value.
async fn since_renewal(bench: &Bench, ms: i64) {
    let sql = format!("UPDATE sessions SET renewed_at = renewed_at - {ms}");
    sqlx::query(&sql).execute(&mut bench.raw().await).await.unwrap();
}

async fn a_session_lives_until_it_is_idle_or_old_or_ended(bench: Bench) {
    let store = &bench.store;
    make(store, "ada", &[Role::Admin, Role::Viewer]).await;
    let before = audit_rows(store).await;
    begin(store, "ada", "1").await;
    assert_eq!(audit_rows(store).await, before + 1);
    let live = store.session("hash of 1", LIMITS, true).await.unwrap().unwrap();
    assert_eq!((live.user.name.as_str(), live.made_under.as_slice()), ("ada", live.user.roles.as_slice()));
    assert_eq!(live.session.from, session("ada", "1", None).from);
    assert!(live.now.since(live.session.began_at) >= 0 && live.session.began_at == live.session.authenticated_at);
    assert!(live.user.last_sign_in_at.is_some());
    let stored = "SELECT COUNT(*) FROM sessions WHERE id_hash = 'hash of 1'";
    let (count,): (i64,) = sqlx::query_as(stored).fetch_one(&mut bench.raw().await).await.unwrap();
    assert_eq!(count, 1, "found by its hash alone");

    age(&bench, 29 * MINUTE, 29 * MINUTE).await;
    assert!(find(store, "1").await.is_some(), "used, it lives on");
    age(&bench, 29 * MINUTE, 29 * MINUTE).await;
    assert!(find(store, "1").await.is_some(), "its use was noted");
    age(&bench, 0, 31 * MINUTE).await;
    assert!(find(store, "1").await.is_none() && ids(store, "ada").await.is_empty(), "idle");
    age(&bench, 0, -31 * MINUTE).await;
    assert!(find(store, "1").await.is_some());
    age(&bench, 63 * MINUTE, 0).await;
    assert!(find(store, "1").await.is_none() && ids(store, "ada").await.is_empty(), "old, however much it is used");

    begin(store, "ada", "2").await;
    assert_eq!(ids(store, "ada").await, ["session:2"]);
    assert!(store.end_session("hash of 2", entry("account.sign_out")).await.unwrap());
    assert!(!store.end_session("hash of 2", entry("account.sign_out")).await.unwrap());
    assert!(find(store, "2").await.is_none());
    assert_eq!(audit_rows(store).await, before + 3, "what was not done is not told");

    begin(store, "ada", "3").await;
    age(&bench, SessionLimits::MOST_MS, 0).await;
    begin(store, "ada", "4").await;
    store.sweep().await.unwrap();
    let (left,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM sessions").fetch_one(&mut bench.raw().await).await.unwrap();
    assert_eq!(left, 1, "what can't live any more is swept, what lives stays");
    assert!(find(store, "4").await.is_some());
}

async fn its_use_is_noted_once_a_minute_and_not_by_what_only_looks(bench: Bench) {
    let store = &bench.store;
    make(store, "ada", &[Role::Viewer]).await;
    begin(store, "ada", "1").await;
    let used = || async move { store.sessions_of("user:ada", LIMITS).await.unwrap()[0].used_at };
    let first = used().await;
    find(store, "1").await.unwrap();
    assert_eq!(used().await, first, "not within a minute");
    age(&bench, 0, 2 * MINUTE).await;
    let aged = used().await;
    assert!(store.session("hash of 1", LIMITS, false).await.unwrap().is_some());
    assert_eq!(used().await, aged, "a stream that looks is no use");
    find(store, "1").await.unwrap();
    assert!(used().await >= first);
}

async fn a_sign_in_counts_only_with_the_password_of_now_and_no_disabled_account(bench: Bench) {
    let store = &bench.store;
    make(store, "ada", &[Role::Admin]).await;
    let before = audit_rows(store).await;
    let right = session("ada", "1", Some("hash of ada"));
    assert!(store.begin_session(right, entry("account.sign_in")).await.unwrap());
    store.set_password("ada", &PasswordHash("new".into()), None, entry("account.password")).await.unwrap();
    // Somebody whose old password was found right a moment before it was changed.
    let late = session("ada", "2", Some("hash of ada"));
    assert!(!store.begin_session(late, entry("account.sign_in")).await.unwrap());
    store.set_disabled("ada", true, false, entry("account.disable")).await.unwrap();
    let disabled = session("ada", "3", None);
    assert!(!store.begin_session(disabled, entry("account.sign_in")).await.unwrap());
    assert_eq!((audit_rows(store).await, ids(store, "ada").await), (before + 3, vec![]));
}

async fn another_cookie_is_the_same_session_and_the_old_one_is_soon_none(bench: Bench) {
    let store = &bench.store;
    make(store, "ada", &[Role::Viewer]).await;
    begin(store, "ada", "1").await;
    let before = find(store, "1").await.unwrap();
    store.set_roles("ada", &[Role::Admin], false, entry("account.roles")).await.unwrap();
    let live = store.session("hash of 1", LIMITS, true).await.unwrap().unwrap();
    assert_eq!((live.made_under, live.user.roles), (vec![Role::Viewer], vec![Role::Admin]), "it is to be renewed");
    assert!(store.renew_session("hash of 1", "hash of 1b", &[Role::Admin], OldCookie::Lingers).await.unwrap());
    let again = store.renew_session("hash of 1", "hash of 1c", &[Role::Admin], OldCookie::Lingers).await.unwrap();
    assert!(!again, "once");
    let late = store.session("hash of 1", LIMITS, true).await.unwrap().unwrap();
    assert_eq!((late.late, late.session.id.as_str()), (true, "session:1"), "what was under way arrives");
    assert!(find(store, "1c").await.is_none());
    since_renewal(&bench, 5_000).await;
    assert!(find(store, "1").await.is_some());
    since_renewal(&bench, 5_000).await;
    assert!(find(store, "1").await.is_none());
    assert!(find(store, "1b").await.is_some(), "the new one goes on");
    let live = store.session("hash of 1b", LIMITS, true).await.unwrap().unwrap();
    assert_eq!((live.late, live.made_under), (false, vec![Role::Admin]));
    assert_eq!((live.session.id, live.session.began_at), (before.id, before.began_at), "no new beginning");

    // At a sign-in the session that the browser had ends.
    let token = Some(Secret("an ID token".into()));
    let next = NewSession { replaces: Some("hash of 1b".into()), id_token: token.clone(), ..session("ada", "2", None) };
    assert_eq!(store.id_token("hash of 1b").await.unwrap(), None);
    assert!(store.begin_session(next, entry("session.begin")).await.unwrap());
    assert_eq!(ids(store, "ada").await, ["session:2"]);
    assert_eq!(store.id_token("hash of 2").await.unwrap(), token, "for signing out where they signed in");
}

async fn by_the_old_cookie_nobody_gets_what_came_with_the_new_one(bench: Bench) {
    let store = &bench.store;
    make(store, "ada", &[Role::Viewer]).await;
    begin(store, "ada", "1").await;
    sqlx::query("UPDATE sessions SET authenticated_at = 7").execute(&mut bench.raw().await).await.unwrap();
    let by = |hash: &'static str| async move { store.session(hash, LIMITS, true).await.unwrap().unwrap() };

    let proof =
        |n: &str| Reauthentication { method: SignInMethod::Oidc, password: None, new_hash: format!("hash of {n}") };
    assert!(store.reauthenticate_session("hash of 1", proof("1b"), entry("x")).await.unwrap());
    assert_eq!(by("hash of 1").await.session.authenticated_at.as_millis(), 7, "it has proved nothing lately");
    assert!(by("hash of 1b").await.session.authenticated_at.as_millis() > 7);
    assert!(
        !store.reauthenticate_session("hash of 1", proof("1c"), entry("x")).await.unwrap(),
        "nor can it prove anything"
    );

    assert!(store.renew_session("hash of 1b", "hash of 1d", &[Role::Admin], OldCookie::Lingers).await.unwrap());
    assert_eq!(
        (by("hash of 1b").await.made_under, by("hash of 1d").await.made_under),
        (vec![Role::Viewer], vec![Role::Admin])
    );
    assert!(find(store, "1").await.is_none(), "only the one before lingers");

    // A use by the old one is no use of the session.
    age(&bench, 0, 2 * MINUTE).await;
    let used = by("hash of 1b").await.session.used_at;
    assert_eq!(by("hash of 1b").await.session.used_at, used);
    by("hash of 1d").await;
    assert!(by("hash of 1d").await.session.used_at > used);
}

async fn what_ends_a_session_ends_its_old_cookie(bench: Bench) {
    let store = &bench.store;
    make(store, "ada", &[Role::Admin]).await;
    let renewed = |n: &'static str, old| async move {
        begin(store, "ada", n).await;
        let (hash, new) = (format!("hash of {n}"), format!("hash of {n}b"));
        assert!(store.renew_session(&hash, &new, &[Role::Admin], old).await.unwrap());
    };
    renewed("1", OldCookie::Ends).await;
    assert!(find(store, "1").await.is_none() && find(store, "1b").await.is_some(), "at once, where it is to");

    renewed("2", OldCookie::Lingers).await;
    assert!(store.end_session("hash of 2", entry("account.sign_out")).await.unwrap(), "whoever signs out late is out");
    assert!(find(store, "2").await.is_none() && find(store, "2b").await.is_none());

    renewed("3", OldCookie::Lingers).await;
    assert_eq!(store.end_sessions("user:ada", Ending::One("session:3"), entry("session.end")).await.unwrap(), 1);
    assert!(find(store, "3").await.is_none() && find(store, "3b").await.is_none());
    assert!(!store.renew_session("hash of 3", "hash of 3c", &[Role::Admin], OldCookie::Lingers).await.unwrap());

    renewed("4", OldCookie::Lingers).await;
    let password = PasswordHash("new".into());
    store.set_password("ada", &password, Some("session:4"), entry("user.set_password")).await.unwrap();
    assert!(find(store, "4").await.is_none(), "whoever knew the old password may have had it");
    assert!(find(store, "4b").await.is_some());
    store.set_disabled("ada", true, false, entry("account.disable")).await.unwrap();
    assert!(find(store, "4b").await.is_none());
}

async fn reauthentication_counts_only_with_the_password_of_now_and_for_a_session_that_lives(bench: Bench) {
    let store = &bench.store;
    make(store, "ada", &[Role::Admin]).await;
    begin(store, "ada", "1").await;
    sqlx::query("UPDATE sessions SET authenticated_at = 0").execute(&mut bench.raw().await).await.unwrap();
    let proof = |password: Option<&str>, n: &str| Reauthentication {
        method: if password.is_some() { SignInMethod::Password } else { SignInMethod::Oidc },
        password: password.map(|password| PasswordHash(password.to_owned())),
        new_hash: format!("hash of {n}"),
    };
    let before = audit_rows(store).await;
    let wrong = store.reauthenticate_session("hash of 1", proof(Some("an old hash"), "1b"), entry("x")).await.unwrap();
    assert!(!wrong && find(store, "1").await.unwrap().authenticated_at.as_millis() == 0);
    assert!(!store.reauthenticate_session("hash of 9", proof(Some("hash of ada"), "9b"), entry("x")).await.unwrap());
    assert_eq!(audit_rows(store).await, before);
    assert!(store.reauthenticate_session("hash of 1", proof(Some("hash of ada"), "1b"), entry("x")).await.unwrap());
    since_renewal(&bench, SessionLimits::LATE_MS).await;
    assert!(find(store, "1").await.is_none(), "it has another cookie");
    let proved = find(store, "1b").await.unwrap();
    assert!(proved.authenticated_at >= proved.began_at);
    assert!(
        store.reauthenticate_session("hash of 1b", proof(None, "1c"), entry("x")).await.unwrap(),
        "another way needs no password"
    );
    assert_eq!(find(store, "1c").await.unwrap().method, SignInMethod::Oidc);
    assert_eq!(audit_rows(store).await, before + 2);
    store.set_disabled("ada", true, false, entry("account.disable")).await.unwrap();
    assert!(!store.reauthenticate_session("hash of 1c", proof(None, "1d"), entry("x")).await.unwrap());
}

async fn what_has_ended_does_not_come_back(bench: Bench) {
    let store = &bench.store;
    make(store, "ada", &[Role::Viewer]).await;
    begin(store, "ada", "1").await;
    age(&bench, 0, 2 * MINUTE).await;
    // A request is under way while somebody ends all sessions.
    store.session("hash of 1", LIMITS, false).await.unwrap().unwrap();
    assert_eq!(store.end_sessions("user:ada", Ending::All, entry("session.end")).await.unwrap(), 1);
    let renewed = store.renew_session("hash of 1", "hash of 1b", &[Role::Viewer], OldCookie::Lingers).await.unwrap();
    assert!(!renewed);
    assert!(find(store, "1").await.is_none() && find(store, "1b").await.is_none());
    assert!(ids(store, "ada").await.is_empty());
}

async fn a_new_password_and_a_closed_account_end_all_sessions(bench: Bench) {
    let store = &bench.store;
    make(store, "ada", &[Role::Admin]).await;
    make(store, "bob", &[Role::Viewer]).await;
    for (user, n) in [("ada", "1"), ("ada", "2"), ("bob", "3")] {
        begin(store, user, n).await;
    }
    store.set_disabled("bob", false, false, entry("user.enable")).await.unwrap();
    assert!(find(store, "3").await.is_some());
    store.set_disabled("bob", true, false, entry("user.disable")).await.unwrap();
    assert!(find(store, "3").await.is_none());
    store.set_disabled("bob", false, false, entry("user.enable")).await.unwrap();
    assert!(find(store, "3").await.is_none(), "they are not back with the account");

    sqlx::query("UPDATE sessions SET authenticated_at = 0").execute(&mut bench.raw().await).await.unwrap();
    let spared = Some("session:2");
    store.set_password("ada", &PasswordHash("new".into()), spared, entry("user.set_password")).await.unwrap();
    assert_eq!(ids(store, "ada").await, ["session:2"]);
    let here = find(store, "2").await.unwrap();
    assert!(here.authenticated_at >= here.began_at, "whoever changes it has proved who they are");
    store.set_password("ada", &PasswordHash("newer".into()), None, entry("user.set_password")).await.unwrap();
    assert!(ids(store, "ada").await.is_empty());
}

async fn a_person_ends_their_own_and_nobody_elses(bench: Bench) {
    let store = &bench.store;
    make(store, "ada", &[Role::Admin]).await;
    make(store, "bob", &[Role::Viewer]).await;
    for (user, n) in [("ada", "1"), ("ada", "2"), ("ada", "3"), ("bob", "4")] {
        begin(store, user, n).await;
    }
    let before = audit_rows(store).await;
    let ended = |user: &'static str, which| store.end_sessions(user, which, entry("session.end"));
    assert_eq!(ended("user:ada", Ending::One("session:4")).await.unwrap(), 0, "another's");
    assert_eq!(audit_rows(store).await, before);
    assert_eq!(ended("user:ada", Ending::One("session:1")).await.unwrap(), 1);
    assert_eq!(ended("user:ada", Ending::AllBut("session:3")).await.unwrap(), 1);
    assert_eq!(
        (ids(store, "ada").await, ids(store, "bob").await),
        (vec!["session:3".into()], vec!["session:4".into()])
    );
    assert_eq!(ended("user:bob", Ending::All).await.unwrap(), 1);
    assert_eq!(audit_rows(store).await, before + 3);
}
