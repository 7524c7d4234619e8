//! What the ninety days were like: how often each playbook was used on what, how well it went, and which models advised it.
//! Invented, and marked as the sandbox's wherever it shows.

use domain::recommendation::{Risk, Severity};

/// An object that was in trouble.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub kind: &'static str,
    /// None for kinds without.
    pub namespace: Option<&'static str>,
    pub name: &'static str,
}

/// One playbook version (or a step list) over some days.
#[derive(Debug)]
pub struct Profile {
    /// Playbook and version; none for a step list by hand.
    pub playbook: Option<(&'static str, &'static str)>,
    pub action_type: &'static str,
    pub signal_type: &'static str,
    pub severity: Severity,
    pub risk: Risk,
    pub targets: &'static [Target],
    /// From so many days ago to so many days ago.
    pub days: (u32, u32),
    /// Runs on an ordinary weekday.
    pub per_day: f64,
    /// Share of runs that end well.
    pub succeeds: f64,
    /// Share of those that help.
    pub helps: f64,
    /// Typical running time, seconds.
    pub seconds: f64,
}

/// A model that advised.
#[derive(Debug)]
pub struct Advisor {
    pub name: &'static str,
    /// How often it is asked, against the others.
    pub weight: f64,
    /// How much better or worse its advice turns out.
    pub skill: f64,
    /// How sure it says it is, from and to.
    pub confidence: (f64, f64),
}

pub static ADVISORS: [Advisor; 3] = [
    Advisor { name: "investigator-large", weight: 0.5, skill: 0.02, confidence: (0.62, 0.95) },
    Advisor { name: "investigator-small", weight: 0.3, skill: -0.06, confidence: (0.58, 0.98) },
    Advisor { name: "sandbox-investigator", weight: 0.2, skill: 0.0, confidence: (0.5, 0.9) },
];

const fn workload(kind: &'static str, name: &'static str) -> Target {
    Target { kind, namespace: Some("production"), name }
}

const fn node(name: &'static str) -> Target {
    Target { kind: "Node", namespace: None, name }
}

const SHOP: &[Target] = &[
    workload("Deployment", "my-app"),
    workload("Deployment", "catalog"),
    workload("Deployment", "checkout"),
    workload("Deployment", "inventory"),
];
const SERVICES: &[Target] = &[
    workload("Deployment", "payment-service"),
    workload("Deployment", "checkout"),
    workload("Deployment", "catalog"),
    workload("Deployment", "inventory"),
    workload("StatefulSet", "session-store"),
];
const NODES: &[Target] = &[node("worker-1"), node("worker-2")];
const CERTIFICATES: &[Target] = &[
    Target { kind: "Certificate", namespace: Some("production"), name: "shop-tls" },
    Target { kind: "Certificate", namespace: Some("production"), name: "payments-mtls" },
];

/// What most profiles share.
const OOM: Profile = Profile {
    playbook: None,
    action_type: "",
    signal_type: "OOMKilled",
    severity: Severity::High,
    risk: Risk::Medium,
    targets: SHOP,
    days: (90, 0),
    per_day: 0.0,
    succeeds: 0.0,
    helps: 0.0,
    seconds: 0.0,
};
const RESTART: Profile = Profile {
    action_type: "restart_pods",
    signal_type: "CrashLoopBackOff",
    severity: Severity::Medium,
    risk: Risk::Low,
    targets: SERVICES,
    ..OOM
};

pub static PROFILES: [Profile; 14] = [
    Profile {
        playbook: Some(("oomkill-scale-down", "1.0.0")),
        action_type: "scale_down_replicas",
        days: (90, 45),
        per_day: 1.2,
        succeeds: 0.88,
        helps: 0.78,
        seconds: 26.0,
        ..OOM
    },
    Profile {
        playbook: Some(("oomkill-scale-down", "1.1.0")),
        action_type: "scale_down_replicas",
        days: (45, 0),
        per_day: 1.5,
        succeeds: 0.96,
        helps: 0.91,
        seconds: 24.0,
        ..OOM
    },
    Profile {
        playbook: Some(("oomkill-increase-memory", "1.0.0")),
        action_type: "increase_memory_limit",
        targets: SERVICES,
        days: (90, 30),
        per_day: 1.0,
        succeeds: 0.85,
        helps: 0.76,
        seconds: 74.0,
        ..OOM
    },
    Profile {
        playbook: Some(("oomkill-increase-memory", "1.1.0")),
        action_type: "increase_memory_limit",
        targets: SERVICES,
        days: (30, 0),
        per_day: 1.3,
        succeeds: 0.94,
        helps: 0.87,
        seconds: 66.0,
        ..OOM
    },
    Profile {
        playbook: Some(("oomkill-optimize-application", "1.0.0")),
        action_type: "optimize_application",
        days: (90, 20),
        per_day: 0.5,
        succeeds: 0.82,
        helps: 0.46,
        seconds: 92.0,
        ..OOM
    },
    Profile {
        playbook: Some(("oomkill-optimize-application", "1.1.0")),
        action_type: "optimize_application",
        days: (20, 0),
        per_day: 0.6,
        succeeds: 0.9,
        helps: 0.6,
        seconds: 84.0,
        ..OOM
    },
    Profile {
        playbook: Some(("oomkill-cost-optimized", "1.0.0")),
        action_type: "optimize_application",
        severity: Severity::Medium,
        risk: Risk::Low,
        days: (60, 0),
        per_day: 0.4,
        succeeds: 0.84,
        helps: 0.55,
        seconds: 88.0,
        ..OOM
    },
    Profile {
        playbook: Some(("pod-restart-rolling", "1.0.0")),
        days: (90, 60),
        per_day: 3.6,
        succeeds: 0.91,
        helps: 0.62,
        seconds: 41.0,
        ..RESTART
    },
    Profile {
        playbook: Some(("pod-restart-rolling", "1.1.0")),
        days: (60, 0),
        per_day: 4.4,
        succeeds: 0.97,
        helps: 0.71,
        seconds: 52.0,
        ..RESTART
    },
    Profile {
        playbook: Some(("deployment-rollback", "1.0.0")),
        action_type: "rollback_deployment",
        signal_type: "HighErrorRate",
        severity: Severity::Critical,
        risk: Risk::High,
        targets: SERVICES,
        per_day: 0.7,
        succeeds: 0.91,
        helps: 0.92,
        seconds: 63.0,
        ..OOM
    },
    Profile {
        playbook: Some(("node-drain", "1.0.0")),
        action_type: "drain_node",
        signal_type: "NodeNotReady",
        severity: Severity::Critical,
        risk: Risk::High,
        targets: NODES,
        per_day: 0.2,
        succeeds: 0.6,
        helps: 0.85,
        seconds: 310.0,
        ..OOM
    },
    Profile {
        playbook: Some(("disk-prune-images", "1.0.0")),
        action_type: "prune_images",
        signal_type: "NodeDiskPressure",
        risk: Risk::Low,
        targets: NODES,
        per_day: 1.0,
        succeeds: 0.95,
        helps: 0.81,
        seconds: 38.0,
        ..OOM
    },
    Profile {
        playbook: Some(("certificate-renew", "1.0.0")),
        action_type: "renew_certificate",
        signal_type: "CertificateExpiring",
        targets: CERTIFICATES,
        per_day: 0.3,
        succeeds: 0.88,
        helps: 0.97,
        seconds: 29.0,
        ..OOM
    },
    Profile {
        action_type: "multi-step-remediation",
        targets: &[workload("Deployment", "payment-service")],
        days: (75, 0),
        per_day: 0.3,
        succeeds: 0.87,
        helps: 0.8,
        seconds: 14.0,
        ..OOM
    },
];
