//! People of the provider: their way in, their accounts, blocked groups.

use crate::support::{Bench, at_once, audit_rows, contract, entry};
use domain::{
    audit::AuditFilter,
    identity::Role,
    ports::{AccountChange, AccountStore, Arrival, AuditStore, BegunSignIn, PasswordHash, ProviderStore, UserRecord},
    provider::{FederatedIdentity, Person, Refusal},
};
use store::Store;

contract!(
    a_sign_in_is_taken_once_in_time_and_by_its_browser,
    a_person_has_one_account_however_they_are_called,
    a_name_stays_with_whom_it_belongs_to,
    who_left_gives_the_name_up,
    who_is_refused_is_in_the_trail_and_has_no_account,
    a_blocked_group_shuts_its_people_out,
    two_first_times_at_once_make_one_account,
);

const ISSUER: &str = "https://sso.example";

fn begun(next: &str) -> BegunSignIn {
    BegunSignIn { nonce: "n".into(), verifier: "v".into(), next: next.into() }
}

fn arrival(subject: &str, name: &str, groups: &[&str], roles: &[Role]) -> Arrival {
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    Arrival {
        id: format!("user:{subject}-{name}"),
        person: Person { name: name.into(), from: FederatedIdentity { issuer: ISSUER.into(), subject: subject.into(), groups } },
        roles: roles.to_vec(),
    }
}

async fn admit(store: &Store, arrival: Arrival) -> Result<UserRecord, Refusal> {
    store.admit(arrival, entry("to be filled in")).await.unwrap()
}

async fn actions(store: &Store) -> Vec<(String, String)> {
    let rows = store.after(&AuditFilter::default(), 0, 1000).await.unwrap();
    rows.into_iter().map(|row| (row.action, row.actor.id.as_str().to_owned())).collect()
}

async fn a_sign_in_is_taken_once_in_time_and_by_its_browser(bench: Bench) {
    let store = &bench.store;
    store.begin_sign_in("state-1", "browser-1", begun("/runs")).await.unwrap();
    store.begin_sign_in("state-2", "browser-1", begun("/")).await.unwrap();
    assert_eq!(store.take_sign_in("state-1", "browser-2").await.unwrap(), None, "another browser's");
    assert_eq!(store.take_sign_in("state-3", "browser-1").await.unwrap(), None);
    assert_eq!(store.take_sign_in("state-1", "browser-1").await.unwrap(), Some(begun("/runs")));
    assert_eq!(store.take_sign_in("state-1", "browser-1").await.unwrap(), None, "it was taken");
    assert_eq!(store.take_sign_in("state-2", "browser-1").await.unwrap(), Some(begun("/")), "two tabs of one browser");

    store.begin_sign_in("state-4", "browser-1", begun("/")).await.unwrap();
    let kept = sqlx::query("SELECT state_hash, browser_hash FROM begun_sign_ins");
    let kept = kept.fetch_all(&mut bench.raw().await).await.unwrap();
    let (state, browser): (String, String) = (sqlx::Row::get(&kept[0], 0), sqlx::Row::get(&kept[0], 1));
    assert!(!state.contains("state-4") && !browser.contains("browser-1"), "who reads the database can't go on with it");
    let late = "UPDATE begun_sign_ins SET expires_at = expires_at - 600000";
    sqlx::query(late).execute(&mut bench.raw().await).await.unwrap();
    assert_eq!(store.take_sign_in("state-4", "browser-1").await.unwrap(), None, "it took too long");
    store.begin_sign_in("state-5", "browser-1", begun("/")).await.unwrap();
    let left = sqlx::query("SELECT state_hash FROM begun_sign_ins").fetch_all(&mut bench.raw().await).await.unwrap();
    assert_eq!(left.len(), 1, "what ran out goes with the next one");
}

async fn a_person_has_one_account_however_they_are_called(bench: Bench) {
    let store = &bench.store;
    let first = admit(store, arrival("42", "mara", &["oncall"], &[Role::Operator])).await.unwrap();
    assert_eq!((first.id.as_str(), first.name.as_str()), ("user:42-mara", "mara"));
    assert!(first.last_sign_in_at.is_some());
    let from = first.external.clone().unwrap();
    assert_eq!((from.issuer.as_str(), from.subject.as_str()), (ISSUER, "42"));
    assert_eq!(from.groups, ["oncall"]);

    let again = admit(store, arrival("42", "mara.okafor", &["authors", "x"], &[Role::Author])).await.unwrap();
    assert_eq!((again.id.as_str(), again.name.as_str()), ("user:42-mara", "mara.okafor"), "the same person, renamed");
    assert_eq!((again.roles.as_slice(), again.created_at), ([Role::Author].as_slice(), first.created_at));
    assert_eq!(again.external.clone().unwrap().groups, ["authors", "x"]);
    assert_eq!(store.user("user:42-mara").await.unwrap(), Some(again.clone()));
    assert_eq!(store.users().await.unwrap(), [again]);
    let (_, password) = store.user_for_sign_in("mara.okafor").await.unwrap().unwrap();
    assert_eq!(password.0, "", "there is none that would fit");
    let made = |action: &str| (action.to_owned(), "user:42-mara".to_owned());
    assert_eq!(actions(store).await, [made("account.create"), made("account.sign_in"), made("account.sign_in")]);
}

async fn a_name_stays_with_whom_it_belongs_to(bench: Bench) {
    let store = &bench.store;
    let hash = PasswordHash("hash".into());
    assert!(store.create_user("user:local", "admin", &[Role::Admin], &hash, entry("x")).await.unwrap());
    let taken = Err(Refusal::NameTaken("admin".into()));
    assert_eq!(
        admit(store, arrival("1", "admin", &[], &[Role::Viewer])).await,
        taken,
        "never merged with a local account"
    );
    let refused = admit(store, arrival("1", "Admin", &[], &[Role::Viewer])).await;
    assert_eq!(refused, Err(Refusal::NameTaken("Admin".into())), "in whatever letters");
    let ada = admit(store, arrival("2", "ada", &[], &[Role::Viewer])).await.unwrap();
    let spelt = admit(store, arrival("2", "Ada", &[], &[Role::Viewer])).await.unwrap();
    assert_eq!((&spelt.id, spelt.name.as_str()), (&ada.id, "Ada"), "one's own name in other letters");
    admit(store, arrival("2", "ada", &[], &[Role::Viewer])).await.unwrap();
    assert_eq!(admit(store, arrival("3", "ada", &[], &[Role::Viewer])).await, Err(Refusal::NameTaken("ada".into())));
    let renamed = admit(store, arrival("2", "admin", &[], &[Role::Viewer])).await.unwrap();
    assert_eq!((renamed.id, renamed.name.as_str()), (ada.id, "ada"), "let in, under the name that is free");
    let (local, password) = store.user_for_sign_in("admin").await.unwrap().unwrap();
    assert_eq!((local.id.as_str(), local.external, password.0.as_str()), ("user:local", None, "hash"));
    // Disabling a local account frees its name for nobody.
    assert_eq!(store.set_disabled("admin", true, false, entry("x")).await.unwrap(), AccountChange::Done);
    assert_eq!(
        admit(store, arrival("1", "admin", &[], &[Role::Viewer])).await,
        Err(Refusal::NameTaken("admin".into()))
    );
}

async fn who_left_gives_the_name_up(bench: Bench) {
    let store = &bench.store;
    let left = admit(store, arrival("1", "ada", &[], &[Role::Viewer])).await.unwrap();
    assert_eq!(store.set_disabled("ada", true, false, entry("account.disable")).await.unwrap(), AccountChange::Done);
    let came = admit(store, arrival("2", "Ada", &[], &[Role::Viewer])).await.unwrap();
    assert_eq!((came.id.as_str(), came.name.as_str()), ("user:2-Ada", "Ada"));
    let left = store.user(&left.id).await.unwrap().unwrap();
    assert_eq!((left.name.as_str(), left.disabled), ("ada (former, user:1-ada)", true));
    assert!(actions(store).await.contains(&("account.rename".to_owned(), "system:sign-in".to_owned())));
}

async fn who_is_refused_is_in_the_trail_and_has_no_account(bench: Bench) {
    let store = &bench.store;
    assert_eq!(admit(store, arrival("1", "ada", &["x"], &[])).await, Err(Refusal::NoRole));
    assert!(store.users().await.unwrap().is_empty());
    let rows = store.after(&AuditFilter::default(), 0, 10).await.unwrap();
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((row.action.as_str(), row.object_id.as_str()), ("account.refuse_sign_in", "ada"));
    assert_eq!(row.after.as_ref().unwrap()["refused"], "no_role");
    assert_eq!(row.actor.id.as_str(), "system:sign-in");

    let ada = admit(store, arrival("1", "ada", &["x"], &[Role::Viewer])).await.unwrap();
    assert_eq!(store.set_disabled("ada", true, false, entry("account.disable")).await.unwrap(), AccountChange::Done);
    assert_eq!(admit(store, arrival("1", "ada", &["x"], &[Role::Viewer])).await, Err(Refusal::Disabled));
    assert_eq!(actions(store).await.last().unwrap(), &("account.refuse_sign_in".to_owned(), ada.id.clone()));
    let still = store.user(&ada.id).await.unwrap().unwrap();
    assert_eq!(still.last_sign_in_at, ada.last_sign_in_at, "nothing else is written");
}

async fn a_blocked_group_shuts_its_people_out(bench: Bench) {
    let store = &bench.store;
    assert!(store.block_group("contractors", entry("group.block")).await.unwrap());
    assert!(!store.block_group("contractors", entry("group.block")).await.unwrap(), "blocked already");
    let groups = store.blocked_groups().await.unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!((groups[0].name.as_str(), groups[0].by.as_str()), ("contractors", "ada"));
    let refused = admit(store, arrival("1", "eve", &["contractors", "oncall"], &[Role::Operator])).await;
    assert_eq!(refused, Err(Refusal::Blocked(vec!["contractors".into()])));
    assert_eq!(audit_rows(store).await, 2, "what was not done is not told");
    assert!(store.unblock_group("contractors", entry("group.unblock")).await.unwrap());
    assert!(!store.unblock_group("contractors", entry("group.unblock")).await.unwrap());
    assert!(admit(store, arrival("1", "eve", &["contractors", "oncall"], &[Role::Operator])).await.is_ok());
}

async fn two_first_times_at_once_make_one_account(bench: Bench) {
    let came = at_once(&bench, 6, |store, n| async move {
        let mut arrival = arrival("1", "ada", &[], &[Role::Viewer]);
        arrival.id = format!("user:{n}");
        admit(&store, arrival).await.unwrap().id
    });
    let mut came = came.await;
    came.dedup();
    assert_eq!(came.len(), 1, "{came:?}");
    assert_eq!(bench.store.users().await.unwrap().len(), 1);
    let made = actions(&bench.store).await.into_iter().filter(|(action, _)| action == "account.create").count();
    assert_eq!(made, 1);
}
