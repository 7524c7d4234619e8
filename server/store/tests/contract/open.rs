//! Opening: migrations once and for all, and a sentence for everything that can be wrong.

use crate::support::{Bench, contract, entry, postgres_database};
use domain::{
    audit::AuditFilter,
    paging::Page,
    ports::{AuditStore, EventStore, ExecutionFilter, ExecutionStore},
};
use sqlx::Row as _;
use std::{collections::BTreeSet, fs, path::Path, task::Poll, time::Duration};
use store::{OpenError, Options, Store, sqlite_url};

contract!(
    opening_again_changes_nothing,
    a_migration_from_the_future_is_refused,
    another_history_is_refused,
    the_database_answers_with_its_clock,
    who_hangs_up_in_the_middle_leaves_nothing_behind,
    a_database_is_told_from_another,
);

async fn versions(bench: &Bench) -> Vec<i64> {
    let sql = "SELECT version FROM _sqlx_migrations ORDER BY version";
    let rows = sqlx::query(sql).fetch_all(&mut bench.raw().await).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn opening_again_changes_nothing(bench: Bench) {
    let before = versions(&bench).await;
    assert!(!before.is_empty());
    bench.store.migrate().await.unwrap();
    let again = bench.another().await;
    assert_eq!(again.latest().await.unwrap(), 0);
    assert_eq!(versions(&bench).await, before);
}

async fn a_migration_from_the_future_is_refused(bench: Bench) {
    let newest = *versions(&bench).await.last().unwrap();
    let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
               SELECT 9999, description, success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1";
    sqlx::query(sql).execute(&mut bench.raw().await).await.unwrap();
    let error = Store::open(&bench.url, Options::default()).await.unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 9999, known } if known == newest), "{error:?}");
    assert!(error.to_string().contains("newer kubernaut-console"), "{error}");
}

async fn another_history_is_refused(bench: Bench) {
    let sql = "UPDATE _sqlx_migrations SET version = -1 WHERE version = 1";
    sqlx::query(sql).execute(&mut bench.raw().await).await.unwrap();
    let error = Store::open(&bench.url, Options::default()).await.unwrap_err();
    assert!(matches!(error, OpenError::Foreign(_)), "{error:?}");
}

async fn a_database_is_told_from_another(bench: Bench) {
    let own = bench.store.installation().await.unwrap();
    assert_eq!(own.len(), 32, "{own}");
    assert_eq!(bench.another().await.installation().await.unwrap(), own, "whoever opens it");
    let directory = tempfile::tempdir().unwrap();
    let other = sqlite_url(&directory.path().join("other.sqlite"));
    let other = Store::open(&other, Options::default()).await.unwrap();
    assert_ne!(other.installation().await.unwrap(), own);
}

async fn the_database_answers_with_its_clock(bench: Bench) {
    bench.store.ping().await.unwrap();
    let first = bench.store.now().await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let passed = bench.store.now().await.unwrap().since(first);
    assert!((15..5000).contains(&passed), "{passed}");
    assert!(first.as_millis() > 1_700_000_000_000, "milliseconds since 1970");
    bench.store.close().await;
    assert!(bench.store.ping().await.is_err());
}

/// Both folders must have the same versions, or a database could not say which it is at.
#[test]
fn both_databases_have_the_same_migrations() {
    let names = |which: &str| -> BTreeSet<_> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(which);
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

#[tokio::test]
async fn many_may_open_a_new_database_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let file = sqlite_url(&directory.path().join("new.sqlite"));
    for url in [Some(file), postgres_database().await].into_iter().flatten() {
        let mut at_work = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let url = url.clone();
            at_work.spawn(async move { Store::open(&url, Options::default()).await.map(|_| ()) });
        }
        for opened in at_work.join_all().await {
            opened.unwrap();
        }
    }
}

async fn refused(url: &str) -> OpenError {
    let options = Options { patience: Duration::from_secs(3), ..Options::default() };
    Store::open(url, options).await.unwrap_err()
}

#[tokio::test]
async fn what_can_not_be_opened_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a file");
    fs::write(&file, "this is no database, and long enough to have a header that says so").unwrap();
    let beneath = refused(&sqlite_url(&file.join("console.sqlite"))).await;
    assert!(matches!(beneath, OpenError::NotWritable { .. }), "{beneath:?}");
    assert!(beneath.to_string().contains("make it writable"), "{beneath}");
    let is_directory = refused(&sqlite_url(directory.path())).await;
    assert!(matches!(is_directory, OpenError::NotWritable { .. }), "{is_directory:?}");
    let no_database = refused(&sqlite_url(&file)).await;
    assert!(matches!(no_database, OpenError::NotADatabase(_)), "{no_database:?}");
    assert!(matches!(refused("mysql://x/y").await, OpenError::Url(_)));
    assert!(matches!(refused("console.sqlite").await, OpenError::Url(_)));
    let nobody = refused("postgres://me:secret@127.0.0.1:1/console").await;
    assert!(matches!(nobody, OpenError::Unreachable { .. }), "{nobody:?}");
    assert!(nobody.to_string().contains("127.0.0.1:1") && !nobody.to_string().contains("secret"), "{nobody}");

    let Some(url) = postgres_database().await else { return };
    let missing = refused(&format!("{url}_missing")).await;
    assert!(matches!(missing, OpenError::NoDatabase { .. }), "{missing:?}");
    let (_, server) = url.rsplit_once('@').unwrap_or_else(|| url.split_at("postgres://".len()));
    let stranger = refused(&format!("postgres://nobody-of-that-name:wrong@{server}")).await;
    assert!(matches!(stranger, OpenError::Refused { .. }), "{stranger:?}");
}

/// A request whose client hangs up is dropped wherever it waits: also between a transaction's beginning and whoever would end it.
async fn who_hangs_up_in_the_middle_leaves_nothing_behind(bench: Bench) {
    let store = &bench.store;
    for waits in 1..12 {
        for _ in 0..20 {
            let (filter, page) = (ExecutionFilter::default(), Page::default());
            hang_up(ExecutionStore::list(store, &filter, &page), waits).await;
            hang_up(store.append(entry("hung.up")), waits).await;
        }
    }
    for _ in 0..20 {
        ExecutionStore::list(store, &ExecutionFilter::default(), &Page::default()).await.unwrap();
        store.append(entry("went.through")).await.unwrap();
    }
    let kept = AuditFilter { action: Some("went.through".into()), ..AuditFilter::default() };
    assert_eq!(AuditStore::list(store, &kept, &Page::default()).await.unwrap().items.len(), 20);
}

/// Lets the work wait so many times, and drops it then.
async fn hang_up<T>(work: impl Future<Output = T>, waits: u32) {
    let mut work = std::pin::pin!(work);
    for _ in 0..waits {
        let waiting = std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context).is_pending())).await;
        if !waiting {
            return;
        }
        tokio::time::sleep(Duration::from_micros(300)).await;
    }
}
