//! The world that the services live in: one database, the machine's clock, and what is set. The console, the command line and tests make
//! it here.

use crate::{
    conditions::Cel,
    config::{Config, millis},
    edge::{SystemClock, UuidIds},
    services::{Settings, World},
};
use domain::{ports::Registry, signal::mapping::Mapping};
use std::sync::Arc;
use store::Store;

/// Over this database; no cluster is connected yet.
pub fn over(store: &Arc<Store>, registry: Arc<dyn Registry>, settings: Settings) -> World {
    World {
        catalog: store.clone(),
        recommendations: store.clone(),
        executions: store.clone(),
        recoveries: store.clone(),
        findings: store.clone(),
        logs: store.clone(),
        signals: store.clone(),
        assessments: store.clone(),
        investigations: store.clone(),
        effectiveness: store.clone(),
        audit: store.clone(),
        policies: store.clone(),
        conditions: Arc::new(Cel::new()),
        people: store.clone(),
        registry,
        signatures: store.clone(),
        cluster: Arc::default(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(UuidIds),
        settings,
    }
}

/// What is set, of the cluster of this name.
pub fn settings(config: &Config, cluster: &str, sandbox: bool, signals: Arc<Mapping>) -> Settings {
    Settings {
        cluster: cluster.to_owned(),
        sandbox,
        environment: config.environment.clone(),
        namespace: config.namespace.clone(),
        lists_workspaces: config.lister_image.is_some(),
        kubeconfig_secret: config.kubeconfig_secret.clone(),
        signals,
        investigates: config.holmes.is_some(),
        approval_ttl_ms: millis(config.approval_ttl),
        recent_sign_in_ms: millis(config.recent_sign_in),
        subject_access_review: config.subject_access_review,
        models_see_record: config.mcp_track_record,
        policy_file: config.policy_file.as_ref().map(|file| file.display().to_string()),
    }
}
