//! The settings that are of no subject of their own: what [`Config::load`](super::Config::load) reads by itself.

use super::Setting;

/// All of them.
pub(super) const SETTINGS: &[Setting] = &[
    Setting::flag(
        "listen",
        "ADDRESS:PORT",
        "Where to listen; port 0 picks a free one and prints it [KUBERNAUT_LISTEN] [default: 127.0.0.1:3000]",
    ),
    Setting::flag(
        "database-url",
        "URL",
        "sqlite://… or postgres://… [KUBERNAUT_DATABASE_URL] [default: SQLite in the data directory]",
    ),
    Setting::flag("data-dir", "DIR", "Where the embedded database lies [KUBERNAUT_DATA_DIR]"),
    Setting::flag("cluster", "WHICH", "sandbox, kubeconfig or in-cluster [KUBERNAUT_CLUSTER] [default: sandbox]"),
    Setting::flag(
        "environment",
        "WORD",
        "What the cluster is for, such as production: always in sight beside its name [KUBERNAUT_ENVIRONMENT]",
    ),
    Setting::flag("namespace", "NAME", "The namespace of the runs [KUBERNAUT_NAMESPACE] [default: kubernaut-system]"),
    Setting::flag(
        "public-url",
        "URL",
        "Where people reach the console [KUBERNAUT_PUBLIC_URL] [default: derived from --listen]",
    ),
    Setting::flag(
        "allowed-hosts",
        "HOSTS",
        "Further names by which it is reached, with commas between [KUBERNAUT_ALLOWED_HOSTS]",
    ),
    Setting::flag(
        "connections-per-address",
        "NUMBER",
        "The most connections of one address; a proxy has one, too [KUBERNAUT_CONNECTIONS_PER_ADDRESS] [default: 4096]",
    ),
    Setting::flag(
        "scene",
        "SCENE",
        "off, or demo: a small world lives in the sandbox [KUBERNAUT_SCENE] [default: off]",
    ),
    Setting::flag(
        "approval-ttl",
        "DURATION",
        "How long a recommendation can be decided and its approval holds [KUBERNAUT_APPROVAL_TTL] [default: 15m]",
    ),
    Setting::flag(
        "kubeconfig-secret",
        "NAME",
        "Secret with the kubeconfig that playbooks use, or none \
         [KUBERNAUT_KUBECONFIG_SECRET] [default: kubeconfig-remediation]",
    ),
    Setting::flag(
        "lister-image",
        "IMAGE",
        "Image of this program, by which runs' workspaces are listed; none: they are not [KUBERNAUT_LISTER_IMAGE]",
    ),
    Setting::flag(
        "policy-file",
        "FILE",
        "File with the approval policy (YAML), which is then changed there only [KUBERNAUT_POLICY_FILE]",
    ),
    Setting::flag(
        "retention-days",
        "DAYS",
        "How long raw history is kept, days [KUBERNAUT_RETENTION_DAYS] [default: 90]",
    ),
    Setting::flag(
        "session-idle",
        "DURATION",
        "How long a session lives unused [KUBERNAUT_SESSION_IDLE] [default: 30m]",
    ),
    Setting::flag(
        "session-max-age",
        "DURATION",
        "How long a session lives however much it is used [KUBERNAUT_SESSION_MAX_AGE] [default: 12h]",
    ),
    Setting::flag(
        "recent-sign-in",
        "DURATION",
        "How long ago a person may have signed in who approves a high risk, changes accounts or policies \
         [KUBERNAUT_RECENT_SIGN_IN] [default: 10m]",
    ),
    Setting::flag(
        "trusted-proxies",
        "NETWORKS",
        "Networks of the proxies whose X-Forwarded-For is believed, or none \
         [KUBERNAUT_TRUSTED_PROXIES] [default: none]",
    ),
    Setting::flag(
        "token-review",
        "MAPPINGS",
        "Who of the cluster may call with a Kubernetes token: system:serviceaccount:NAMESPACE:NAME=ROLE or \
         GROUP=ROLE, with commas between them, @FILE with one a line, or none [KUBERNAUT_TOKEN_REVIEW] \
         [default: none]",
    ),
    Setting::flag(
        "token-review-audience",
        "AUDIENCE",
        "For whom such a token must have been made [KUBERNAUT_TOKEN_REVIEW_AUDIENCE] [default: kubernaut-console]",
    ),
    Setting::flag(
        "subject-access-review",
        "WHETHER",
        "on: the cluster is asked whether it lets the person remediate there who approves; or off \
         [KUBERNAUT_SUBJECT_ACCESS_REVIEW] [default: off]",
    ),
    Setting::flag(
        "mcp-track-record",
        "WHETHER",
        "on: models are told how often playbooks have worked, which can bias them; or off \
         [KUBERNAUT_MCP_TRACK_RECORD] [default: off]",
    ),
    Setting::secret("admin-password"),
    Setting::flag(
        "local-accounts",
        "SWITCH",
        "on, or off: people sign in with accounts of the console's own [KUBERNAUT_LOCAL_ACCOUNTS] [default: on]",
    ),
];
