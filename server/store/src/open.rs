//! Opening the database: reading the address, making the file, connecting, migrating. Each fault becomes one sentence that
//! says what to do. Knows no table but that of the migrations.

use crate::{Inner, Store, dialect::Dialect, events};
use domain::{
    notification::Subscription,
    ports::{AuditKeys, AuditKeysError},
};
use sqlx::{
    AnyConnection, AnyPool, Connection as _, Executor as _,
    any::{AnyConnectOptions, AnyPoolOptions},
    migrate::MigrateError,
};
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::sync::watch;

/// How the store uses its database.
#[derive(Clone, Debug)]
pub struct Options {
    /// Connections at most; on SQLite one more that writes.
    pub connections: u32,
    /// How long to wait for a connection before the database counts as not available.
    pub patience: Duration,
    /// The keys of the audit trail. Without them only a trail that no key has begun can be written to.
    pub audit_keys: Option<Arc<dyn AuditKeys>>,
    /// Whether people sign in with accounts of the console's own.
    pub local_accounts: bool,
    /// Who is told of what.
    pub subscriptions: Vec<Subscription>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 8,
            patience: Duration::from_secs(5),
            audit_keys: None,
            local_accounts: true,
            subscriptions: Vec::new(),
        }
    }
}

/// Why the database can't be opened. The message is for whoever starts the console; it never holds a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// An address of no known form.
    #[error(
        "the database URL is not usable ({0}): write sqlite:///path/to/file or postgres://user:password@host/database"
    )]
    Url(String),
    /// The SQLite file or its directory.
    #[error("{} can't be written ({detail}): make it writable for this user, or choose another place with --data-dir or --database-url", .path.display())]
    NotWritable {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// The file is something else.
    #[error("{} is not an SQLite database: move it away, or choose another file with --database-url", .0.display())]
    NotADatabase(PathBuf),
    /// Nobody there.
    #[error("the database at {at} can't be reached ({detail}): start it, or correct --database-url")]
    Unreachable {
        /// Host and port.
        at: String,
        /// Why.
        detail: String,
    },
    /// Refused at the door.
    #[error("the database at {at} refuses this user or password: correct them in --database-url")]
    Refused {
        /// Host and port.
        at: String,
    },
    /// The server is there, the database is not.
    #[error("the server at {at} has no database \"{name}\": create it, or correct --database-url")]
    NoDatabase {
        /// Host and port.
        at: String,
        /// The database.
        name: String,
    },
    /// A migration from the future.
    #[error(
        "the database was written by a newer kubernaut-console (migration {found}, this one knows {known}): start that \
         version, or restore a backup from before the upgrade"
    )]
    Newer {
        /// The migration that is not known here.
        found: i64,
        /// The newest that is.
        known: i64,
    },
    /// Not ours, or tampered with.
    #[error(
        "the database has another history of migrations ({0}): point --database-url at an empty one, or restore a backup"
    )]
    Foreign(String),
    /// A migration failed; nothing of it was kept.
    #[error("the database can't be migrated ({0}): nothing was changed; restore a backup or report this")]
    Migration(String),
    /// The keys of the audit trail.
    #[error(transparent)]
    AuditKeys(#[from] AuditKeysError),
    /// Anything else.
    #[error("the database can't be opened: {0}")]
    Failed(String),
}

/// The URL of an SQLite file.
pub fn sqlite_url(file: &Path) -> String {
    let mut url = String::from("sqlite://");
    for byte in file.as_os_str().as_encoded_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' => url.push(char::from(*byte)),
            _ => {
                // Writing into a String can't fail.
                let _ = write!(url, "%{byte:02X}");
            }
        }
    }
    url
}

impl Store {
    /// Opens the database of this URL (`sqlite://…` or `postgres://…`), makes the SQLite file and its directory where they
    /// are missing, and migrates under a lock, so that replicas may start together. The first with a key begins the audit trail's
    /// chain.
    pub async fn open(url: &str, options: Options) -> Result<Self, OpenError> {
        let store = Self::open_as_it_is(url, options).await?;
        store.begin_trail().await?;
        store.index_texts().await.map_err(|e| OpenError::Failed(e.to_string()))?;
        Ok(store)
    }

    /// The same, but an audit trail without a chain stays as it is: for who only looks at it.
    pub async fn open_as_it_is(url: &str, options: Options) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let target = Target::parse(url)?;
        target.make_directory()?;
        // A connection of its own first: the pool would try again and again, and only say that time ran out.
        let mut first = target.connect(options.patience).await?;
        migrate(&target, &mut first).await?;
        let newest = events::newest(&mut first).await.map_err(|e| OpenError::Failed(e.to_string()))?;
        first.close().await.map_err(|e| target.explain(&e))?;

        let dialect = target.dialect;
        let readers = target.pool(&options, options.connections.max(1), dialect.one_writer());
        let writers = if dialect.one_writer() { target.pool(&options, 1, false) } else { readers.clone() };
        let newest_event = watch::Sender::new(newest);
        let lookout = dialect.shared().then(|| events::look_out(readers.clone(), newest_event.clone()));
        let Options { audit_keys, local_accounts, subscriptions, .. } = options;
        let inner =
            Inner { dialect, readers, writers, audit_keys, local_accounts, subscriptions, newest_event, lookout };
        Ok(Self(Arc::new(inner)))
    }

    /// Runs the migrations that are missing; [`Store::open`] has done so already.
    pub async fn migrate(&self) -> Result<(), OpenError> {
        let mut connection = self.0.writers.acquire().await.map_err(|e| OpenError::Failed(e.to_string()))?;
        let target =
            Target { dialect: self.0.dialect, options: (*self.0.writers.connect_options()).clone(), file: None };
        migrate(&target, &mut connection).await
    }
}

/// All missing migrations in one transaction, one process at a time: all of them or none.
async fn migrate(target: &Target, on: &mut AnyConnection) -> Result<(), OpenError> {
    let dialect = target.dialect;
    let migrations = dialect.migrations();
    let run = async {
        let mut transaction = on.begin_with(dialect.begin_write()).await?;
        transaction.execute(dialect.migration_lock()).await?;
        // `run` is the same, but its future is not Send.
        migrations.run_direct(&mut *transaction).await?;
        transaction.commit().await?;
        Ok::<_, MigrateError>(())
    };
    let known = migrations.iter().map(|m| m.version).max().unwrap_or_default();
    run.await.map_err(|error| match error {
        MigrateError::VersionMissing(found) if found > known => OpenError::Newer { found, known },
        MigrateError::VersionMissing(found) => OpenError::Foreign(format!("migration {found} is not known here")),
        MigrateError::VersionMismatch(version) => OpenError::Foreign(format!("migration {version} differs")),
        MigrateError::Execute(fault) => target.explain(&fault),
        MigrateError::ExecuteMigration(fault, version) => OpenError::Migration(format!("{version}: {fault}")),
        other => OpenError::Migration(other.to_string()),
    })
}

/// Where the database is.
struct Target {
    dialect: Dialect,
    options: AnyConnectOptions,
    /// The SQLite file.
    file: Option<PathBuf>,
}

impl Target {
    fn parse(url: &str) -> Result<Self, OpenError> {
        let Some((scheme, rest)) = url.split_once(':') else {
            return Err(OpenError::Url("there is no scheme".into()));
        };
        match scheme {
            "sqlite" => Self::sqlite(rest.strip_prefix("//").unwrap_or(rest)),
            "postgres" | "postgresql" => {
                // The parser's words don't repeat the URL, which may hold a password.
                let options = url.parse().map_err(|e: sqlx::Error| OpenError::Url(e.to_string()))?;
                Ok(Self { dialect: Dialect::Postgres, options, file: None })
            }
            other => Err(OpenError::Url(format!("the scheme {other}: is not known"))),
        }
    }

    fn sqlite(path: &str) -> Result<Self, OpenError> {
        if path.is_empty() || path.contains(":memory:") || path.contains('?') {
            return Err(OpenError::Url("it must name a file, without parameters".into()));
        }
        let decoded = percent_decoded(path).ok_or_else(|| OpenError::Url("the path is not UTF-8".into()))?;
        let file = std::path::absolute(&decoded).map_err(|e| OpenError::Url(e.to_string()))?;
        let options = format!("{}?mode=rwc", sqlite_url(&file));
        let options = options.parse().map_err(|e: sqlx::Error| OpenError::Url(e.to_string()))?;
        Ok(Self { dialect: Dialect::Sqlite, options, file: Some(file) })
    }

    fn make_directory(&self) -> Result<(), OpenError> {
        let Some(directory) = self.file.as_deref().and_then(Path::parent) else { return Ok(()) };
        std::fs::create_dir_all(directory)
            .map_err(|e| OpenError::NotWritable { path: directory.to_owned(), detail: e.to_string() })
    }

    async fn connect(&self, patience: Duration) -> Result<AnyConnection, OpenError> {
        let connect = async {
            let mut connection = AnyConnection::connect_with(&self.options).await?;
            connection.execute(self.dialect.on_connect()).await?;
            Ok::<_, sqlx::Error>(connection)
        };
        match tokio::time::timeout(patience, connect).await {
            Ok(connected) => connected.map_err(|e| self.explain(&e)),
            Err(_) => Err(OpenError::Unreachable { at: self.place(), detail: "no answer in time".into() }),
        }
    }

    fn pool(&self, options: &Options, most: u32, only_reads: bool) -> AnyPool {
        let dialect = self.dialect;
        AnyPoolOptions::new()
            .max_connections(most)
            .acquire_timeout(options.patience)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    connection.execute(dialect.on_connect()).await?;
                    if only_reads {
                        connection.execute(dialect.on_connect_reader()).await?;
                    }
                    Ok(())
                })
            })
            .connect_lazy_with(self.options.clone())
    }

    /// What to do about a fault of the driver.
    fn explain(&self, error: &sqlx::Error) -> OpenError {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default();
        if let Some(file) = &self.file {
            let primary = code.parse::<u32>().map_or(0, |code| code & 0xff);
            return match primary {
                // perm, read-only, input/output, full, can't open
                3 | 8 | 10 | 13 | 14 => OpenError::NotWritable { path: file.clone(), detail: error.to_string() },
                26 => OpenError::NotADatabase(file.clone()),
                _ => OpenError::Failed(error.to_string()),
            };
        }
        match &*code {
            "28P01" | "28000" => OpenError::Refused { at: self.place() },
            "3D000" => {
                let name = self.options.database_url.path().trim_start_matches('/').to_owned();
                OpenError::NoDatabase { at: self.place(), name }
            }
            _ if error.as_database_error().is_some() => OpenError::Failed(error.to_string()),
            _ => OpenError::Unreachable { at: self.place(), detail: error.to_string() },
        }
    }

    /// Host and port: never the whole URL, which may hold a password.
    fn place(&self) -> String {
        let url = &self.options.database_url;
        format!("{}:{}", url.host_str().unwrap_or("localhost"), url.port().unwrap_or(5432))
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if let (b'%', [high, low, after @ ..]) = (first, tail) {
            let digits = [*high, *low];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_blanks_and_percents_survives_the_url() {
        let file = Path::new("/tmp/a b/100%/käse.sqlite");
        let target = Target::parse(&sqlite_url(file)).unwrap();
        assert_eq!(target.file.as_deref(), Some(file));
    }

    #[test]
    fn a_password_is_in_no_message() {
        let target = Target::parse("postgres://me:secret@db.example:6000/console").unwrap();
        assert_eq!(target.place(), "db.example:6000");
        for bad in ["postgres://me:secret@db.example:port/x", "mysql://me:secret@x/y", "secret"] {
            let error = Target::parse(bad).err().unwrap().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn an_sqlite_url_must_name_a_file() {
        for bad in ["sqlite::memory:", "sqlite://", "sqlite://x?mode=ro"] {
            assert!(matches!(Target::parse(bad), Err(OpenError::Url(_))), "{bad}");
        }
    }
}
