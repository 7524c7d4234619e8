//! The door for RemediationWorkflows over a real database: one catalog, one trail, whichever way a version came.

use super::*;
use crate::{
    registry::{PinnedOnly, SandboxRegistry},
    services::{Settings, tests::settings},
    world,
};
use domain::{
    audit::{AuditFilter, AuditRecord},
    identity::{Actor, Door, Role, Way},
    ids::ActorId,
    paging::Page,
    ports::{AuditStore as _, ClusterIntake as _, Registry},
    services::CatalogService as _,
};
use std::sync::Arc;
use store::Store;

struct House {
    services: Services,
    store: Store,
    _data: tempfile::TempDir,
}

impl House {
    async fn with(registry: Arc<dyn Registry>) -> Self {
        let data = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", data.path().join("console.db").display());
        let store = Store::open(&url, store::Options::default()).await.unwrap();
        let settings = Settings { sandbox: true, ..settings() };
        let services = Services::new(world::over(&Arc::new(store.clone()), registry, settings));
        Self { services, store, _data: data }
    }

    async fn applied(&self, name: &str, spec: Value) -> PlaybookApplied {
        let object = AppliedPlaybook { name: name.into(), uid: format!("uid-of-{name}"), spec };
        self.services.playbook_applied(object).await
    }

    async fn trail(&self) -> Vec<AuditRecord> {
        self.store.list(&AuditFilter::default(), &Page::default()).await.unwrap().items
    }
}

/// A seed's registration, as it is posted.
fn seed() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../domain/tests/seeds/oomkill-cost-optimized.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn author() -> Caller {
    Caller {
        actor: Actor::new(ActorId::new("user:mara"), "mara"),
        roles: vec![Role::Author],
        request_id: "r-1".into(),
        route: "POST /api/v1/playbooks".into(),
        way: Way::by(Door::Api),
        session: None,
    }
}

fn registered(came: PlaybookApplied) -> PlaybookRecord {
    match came {
        PlaybookApplied::Registered(record) => *record,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn it_is_in_the_catalog_whole_and_in_the_trail_once() {
    let house = House::with(Arc::new(SandboxRegistry(sandbox::Registry))).await;
    let spec = applied::spec(&seed());
    let record = registered(house.applied("cost", spec.clone()).await);
    assert_eq!(record.registration, Registration::parse(&seed()).unwrap(), "as if it had been posted");
    assert!(record.image.digest().is_some() && record.registered_by.is_cluster());
    for name in ["cost", "twin"] {
        assert_eq!(registered(house.applied(name, spec.clone()).await), record, "again, and under another name");
    }
    let trail = house.trail().await;
    assert_eq!(trail.len(), 1, "{trail:#?}");
    let row = &trail[0];
    assert_eq!((row.action.as_str(), row.object_id.as_str()), ("playbook.register", "oomkill-cost-optimized@1.0.0"));
    assert_eq!(row.route, "RemediationWorkflow applied to the cluster");
    assert_eq!((row.actor.id.as_str(), row.request_id.as_str()), ("system:cluster", "uid-of-cost"));
    let after = row.after.as_ref().unwrap();
    assert_eq!((&after["remediation_workflow"], &after["image"]), (&json!("cost"), &json!(record.image)));
    let page = house.services.playbook(&author(), &record.registration.id).await.unwrap();
    assert_eq!(page.versions, [record]);
}

#[tokio::test]
async fn a_version_never_changes_whichever_way_it_came() {
    let house = House::with(Arc::new(SandboxRegistry(sandbox::Registry))).await;
    let (posted, new) = house.services.register(&author(), &seed()).await.unwrap();
    assert!(new);
    let same = registered(house.applied("cost", applied::spec(&seed())).await);
    assert_eq!(same.registered_by.name, "mara", "the one who was first");
    assert_eq!(same, posted);
    let mut other = applied::spec(&seed());
    other["execution"]["retryCount"] = json!(0);
    let PlaybookApplied::Different(words) = house.applied("other", other).await else { panic!("refused") };
    assert!(words.contains("oomkill-cost-optimized 1.0.0 is registered already"), "{words}");
    assert!(words.contains("new version") && words.ends_with("they differ in /execution/retryCount"), "{words}");
    assert_eq!(house.trail().await.len(), 1);
}

#[tokio::test]
async fn a_version_whose_object_is_gone_is_disabled_and_stays() {
    let house = House::with(Arc::new(SandboxRegistry(sandbox::Registry))).await;
    let id = "oomkill-cost-optimized".parse().unwrap();
    let status = async || house.services.playbook(&author(), &id).await.unwrap().versions[0].status;
    let spec = applied::spec(&seed());
    registered(house.applied("cost", spec.clone()).await);
    registered(house.applied("twin", spec.clone()).await);
    assert_eq!(house.services.playbooks_kept(None).await.unwrap(), ["cost", "twin"]);
    assert_eq!(house.services.playbooks_kept(Some("cost")).await.unwrap(), ["twin"]);
    assert_eq!(house.services.playbook_gone("cost").await.unwrap(), ["twin"]);
    assert_eq!(status().await, PlaybookStatus::Active, "another object has it");
    assert!(house.services.playbook_gone("twin").await.unwrap().is_empty());
    assert_eq!(status().await, PlaybookStatus::Disabled);
    let trail = house.trail().await;
    let row = &trail[0];
    assert_eq!((row.action.as_str(), row.reason.as_deref()), ("playbook.status", Some(DELETED)));
    assert_eq!(
        (row.route.as_str(), row.actor.id.as_str()),
        ("RemediationWorkflow deleted from the cluster", "system:cluster")
    );
    let rows = house.trail().await.len();
    house.services.playbook_gone("twin").await.unwrap();
    assert_eq!(house.trail().await.len(), rows, "once");

    // Applied again it may run again; what a person disabled may not.
    assert_eq!(registered(house.applied("cost", spec.clone()).await).status, PlaybookStatus::Active);
    let version = "1.0.0".parse().unwrap();
    let by_hand = StatusChange::to(PlaybookStatus::Disabled, Some("it breaks things".into()));
    house.services.set_status(&author(), &id, &version, by_hand).await.unwrap();
    house.services.playbook_gone("cost").await.unwrap();
    assert_eq!(registered(house.applied("cost", spec).await).status_reason.as_deref(), Some("it breaks things"));
}

#[tokio::test]
async fn what_a_person_registered_stays_and_a_newer_version_supersedes() {
    let house = House::with(Arc::new(SandboxRegistry(sandbox::Registry))).await;
    house.services.register(&author(), &seed()).await.unwrap();
    registered(house.applied("cost", applied::spec(&seed())).await);
    let mut next = seed();
    next["version"] = json!("1.1.0");
    registered(house.applied("next", applied::spec(&next)).await);
    let came = house.applied("cost", applied::spec(&seed())).await;
    let PlaybookApplied::Superseded(record, newer) = came else { panic!("{came:?}") };
    assert_eq!((record.registered_by.name.as_str(), newer.to_string().as_str()), ("mara", "1.1.0"));
    house.services.playbook_gone("cost").await.unwrap();
    let id = record.registration.id.clone();
    let versions = house.services.playbook(&author(), &id).await.unwrap().versions;
    assert!(versions.iter().all(|version| version.status == PlaybookStatus::Active), "a person wanted it");
}

#[tokio::test]
async fn the_same_faults_as_by_rest_in_the_resources_words() {
    let house = House::with(Arc::new(PinnedOnly)).await;
    let mut posted = seed();
    posted["execution"]["service_account"] = json!("No Account");
    posted["parameters"][4]["depends_on"] = json!({"REMEDIATION_ACTON": ["scale_down"]});
    let Err(ServiceError::Invalid(by_rest)) = house.services.register(&author(), &posted).await else { panic!() };
    let PlaybookApplied::Invalid(told) = house.applied("x", applied::spec(&posted)).await else { panic!() };
    let codes = |faults: &[Fault]| faults.iter().map(|fault| fault.code.clone()).collect::<Vec<_>>();
    assert_eq!(codes(&told), codes(&by_rest));
    let places: Vec<_> = told.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(places, ["/parameters/exposed/4/dependsOn/REMEDIATION_ACTON", "/execution/serviceAccount"]);
    // What only the registry knows.
    let PlaybookApplied::Invalid(told) = house.applied("x", applied::spec(&seed())).await else { panic!() };
    assert_eq!((told[0].pointer.as_str(), told[0].code.as_ref()), ("/containerImage", "unresolvable_image"));
    // What is no registration at all, and what is too long for one.
    for bad in [Value::Null, json!([]), json!({"parameters": 3}), json!({"title": "x".repeat(BODY_BYTES)})] {
        assert!(matches!(house.applied("x", bad).await, PlaybookApplied::Invalid(_)));
    }
    assert!(house.trail().await.is_empty());
}

#[tokio::test]
async fn while_the_database_is_away_it_can_be_handed_in_again() {
    let house = House::with(Arc::new(SandboxRegistry(sandbox::Registry))).await;
    house.store.close().await;
    assert_eq!(house.applied("cost", applied::spec(&seed())).await, PlaybookApplied::Later);
}
