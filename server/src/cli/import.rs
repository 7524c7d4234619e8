//! `import`: kubernaut's own RemediationWorkflows from files, registered by the same service as by any other door.

use super::{Fault, open, print};
use crate::{
    config::{ClusterChoice, Config},
    edge::UuidIds,
    registry::{PinnedOnly, SandboxRegistry},
    services::Services,
    world,
};
use domain::{
    identity::{Actor, Caller, Door, Role, Way},
    playbook::import::{self, Imported},
    ports::{Ids as _, Registry},
    services::{CatalogService as _, ServiceError},
};
use serde::Deserialize as _;
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use store::Store;

/// The longest file that is read, bytes.
const LONGEST: u64 = 4 << 20;

/// What is to be imported.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// Files with RemediationWorkflows of kubernaut.ai/v1alpha1 (YAML)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Gives parameters the upper-case names that are proposed; the images must read them so
    #[arg(long)]
    rename_parameters: bool,
    /// Looks whether they could be registered, and registers none
    #[arg(long)]
    dry_run: bool,
}

/// `import FILE…`: each document by itself; what can't be registered is told, and the others are.
pub async fn import(config: &Config, import: Import) -> Result<(), Fault> {
    let mut documents = Vec::new();
    for file in &import.files {
        documents.extend(read(file)?);
    }
    let services = services(config, open(config).await?);
    let caller = Caller {
        actor: Actor::system("command line"),
        roles: vec![Role::Admin],
        request_id: UuidIds.fresh(),
        route: "kubernaut-console import".into(),
        way: Way::by(Door::Cli),
        session: None,
    };
    let mut refused = 0;
    for (place, document) in &documents {
        match one(&services, &caller, document, &import).await? {
            Ok(lines) => {
                for line in lines {
                    print(&format!("{place}: {line}"));
                }
            }
            Err(lines) => {
                refused += 1;
                for line in lines {
                    print(&format!("{place}: not registered: {line}"));
                }
            }
        }
    }
    if refused == 0 {
        return Ok(());
    }
    Err(Fault::failed(format!(
        "{refused} of {} can't be registered: mend what is told above and import again",
        documents.len()
    )))
}

/// What to tell of one: that it is in the catalog, or why not.
async fn one(
    services: &Services,
    caller: &Caller,
    document: &Value,
    import: &Import,
) -> Result<Result<Vec<String>, Vec<String>>, Fault> {
    if !import::is_kubernauts(document) {
        let message = format!("this is no {} of {}", import::KIND, import::API_VERSION);
        return Ok(Err(vec![message]));
    }
    let Imported { registration, notes } = match import::turn(document, import.rename_parameters) {
        Ok(imported) => imported,
        Err(faults) => return Ok(Err(faults.into_iter().map(|fault| fault.to_string()).collect())),
    };
    let name = format!("{} {}", word(&registration["workflow_id"]), word(&registration["version"]));
    let done = if import.dry_run {
        services.validate(caller, &registration).await.map(|valid| {
            let known = if valid.registered { "is registered already" } else { "can be registered" };
            format!("{name} {known}")
        })
    } else {
        services.register(caller, &registration).await.map(|(_, new)| {
            let known = if new { "is registered" } else { "was registered already" };
            format!("{name} {known}")
        })
    };
    match done {
        Ok(line) => Ok(Ok(notes.into_iter().chain([line]).collect())),
        Err(ServiceError::Invalid(faults)) => Ok(Err(faults.iter().map(ToString::to_string).collect())),
        Err(ServiceError::Conflict { detail, .. }) => Ok(Err(vec![detail])),
        Err(other) => Err(Fault::failed(other.to_string())),
    }
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

/// The documents of a file, each with its place; a List is as many as it has items.
fn read(file: &Path) -> Result<Vec<(String, Value)>, Fault> {
    let at = file.display();
    let unreadable = |error: &dyn std::fmt::Display| Fault::wrong_setting(format!("{at} can't be read: {error}"));
    let length = std::fs::metadata(file).map_err(|e| unreadable(&e))?.len();
    if length > LONGEST {
        return Err(unreadable(&format!("it has more than {LONGEST} bytes")));
    }
    let text = std::fs::read_to_string(file).map_err(|e| unreadable(&e))?;
    let mut documents = Vec::new();
    for (index, document) in serde_norway::Deserializer::from_str(&text).enumerate() {
        let value = Value::deserialize(document).map_err(|e| unreadable(&e))?;
        let place = format!("{at}#{}", index + 1);
        match value["items"].as_array() {
            Some(items) => {
                let item = |(index, item): (usize, &Value)| (format!("{place}/{}", index + 1), item.clone());
                documents.extend(items.iter().enumerate().map(item));
            }
            None if value.is_null() => {}
            None => documents.push((place, value)),
        }
    }
    Ok(documents)
}

/// The services over this database, with no cluster: registering needs none.
fn services(config: &Config, store: Store) -> Services {
    let sandbox = config.cluster == ClusterChoice::Sandbox;
    let registry: Arc<dyn Registry> =
        if sandbox { Arc::new(SandboxRegistry(sandbox::Registry)) } else { Arc::new(PinnedOnly) };
    let settings = world::settings(config, "", sandbox, Arc::default());
    Services::new(world::over(&Arc::new(store), registry, settings))
}
