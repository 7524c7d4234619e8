//! Settings, search and refusals: what they must show, and what they must never show.

use crate::{html, samples::NOW};
use app::{
    FormOutcome, ProviderWay, SignInWays,
    error::{ErrorPage, Trouble},
    pages::{
        search,
        settings::{accounts::accounts, cluster::cluster, keys::keys, sessions::sessions_page, tokens::tokens_page},
    },
    preferences::Keys,
    shell::Piece,
};
use domain::{
    accounts::{Secret, TokenStanding},
    fault::Fault,
    identity::{Actor, Caller, Role, SignInMethod, Way},
    ids::ActorId,
    ports::{CameFrom, ClusterHealth, PreflightCheck, PreflightOutcome, SessionRecord, TokenRecord, UserRecord},
    provider::FederatedIdentity,
    services::{GroupView, HealthView, SearchView, SessionView, ShellView, TokenView},
};
use http::StatusCode;
use leptos::prelude::*;

fn caller(role: Role) -> Caller {
    let actor = Actor::new(ActorId::new("user:1"), "mara");
    Caller {
        actor,
        roles: vec![role],
        request_id: String::new(),
        route: String::new(),
        way: Way::default(),
        session: None,
    }
}

fn user(id: &str, name: &str, roles: &[Role]) -> UserRecord {
    UserRecord {
        id: id.into(),
        name: name.into(),
        roles: roles.to_vec(),
        disabled: false,
        created_at: NOW,
        last_sign_in_at: None,
        external: None,
    }
}

fn here() -> SignInWays {
    SignInWays { provider: None, local: true }
}

fn token(name: &str, owner: Option<&str>, standing: TokenStanding) -> TokenView {
    TokenView {
        token: TokenRecord {
            id: format!("token:{name}"),
            name: name.into(),
            roles: vec![Role::Viewer],
            owner: owner.map(ActorId::new),
            created_at: NOW,
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
        },
        owner: owner.map(|_| "mara".to_owned()),
        standing,
        own: owner == Some("user:1"),
    }
}

fn health(sandbox: bool) -> HealthView {
    HealthView {
        cluster: ClusterHealth {
            name: "east".into(),
            sandbox,
            version: None,
            ready: true,
            problems: vec![],
            acting: None,
        },
        database_ms: Some(1),
        environment: None,
        namespace: "kubernaut-system".into(),
        kubeconfig_secret: None,
        approval_ttl_ms: 900_000,
    }
}

#[test]
fn what_runs_go_without_does_not_stand_in_their_way() {
    let shown = |ready| {
        let mut health = health(false);
        health.cluster.ready = ready;
        health.cluster.problems = vec!["the cluster does not know RemediationWorkflow; run `x`".into()];
        html(|| cluster(health, None, caller(Role::Viewer), vec![]))
    };
    let (without, hindered) = (shown(true), shown(false));
    assert!(without.contains("runs go without") && without.contains("does not know RemediationWorkflow"), "{without}");
    assert!(without.contains("Decisions and new runs are possible") && !without.contains("stands in the way"));
    assert!(hindered.contains("What stands in the way"), "{hindered}");
}

#[test]
fn a_real_cluster_can_be_looked_at_and_each_miss_says_what_mends_it() {
    let shown =
        |sandbox, role, found| html(|| cluster(health(sandbox), found, caller(role), vec![])).replace("<!>", "");
    let offered = shown(false, Role::Operator, None);
    assert!(offered.contains("/settings/cluster?preflight=1#preflight") && offered.contains("Look at the cluster"));
    for page in [shown(true, Role::Operator, None), shown(false, Role::Viewer, None)] {
        assert!(!page.contains("preflight"), "nothing to look at, or nobody to look");
    }
    let finding = |outcome, mend: Option<&str>| PreflightCheck {
        subject: "Tekton",
        outcome,
        words: "it is not <there>".into(),
        mend: mend.map(str::to_owned),
    };
    let found = vec![
        finding(PreflightOutcome::Missing, Some("kubectl apply -f x")),
        finding(PreflightOutcome::Note, None),
        finding(PreflightOutcome::Unknown, None),
    ];
    let page = shown(false, Role::Operator, Some(found));
    assert!(page.contains("Not known"), "another answer than that it is not there: {page}");
    assert!(page.contains("Missing") && page.contains(": it is not &lt;there&gt;"), "{page}");
    assert!(page.contains("data-copy=\"kubectl apply -f x\"") && page.contains("Look again"), "{page}");
}

#[test]
fn a_console_that_stands_by_says_which_one_acts() {
    let mut health = health(false);
    health.cluster.acting = Some("console-7_<b>".into());
    let page = html(|| cluster(health, None, caller(Role::Viewer), vec![]));
    assert!(
        page.contains("Stands by") && page.contains("console-7_&lt;b&gt; acts. This console serves pages"),
        "{page}"
    );
}

#[test]
fn the_head_of_every_page_says_what_stands_in_the_way() {
    let shown = |ready| {
        let problems = vec!["another console with another database acts here".into()];
        let shell = ShellView {
            user: "mara".into(),
            waiting: 0,
            cluster: ClusterHealth { ready, problems, ..health(false).cluster },
            environment: None,
            may_audit: false,
            may_register: false,
            may_control: false,
            now: NOW,
        };
        html(|| view! { <Piece place=None main=None shell=Some(shell) now=NOW /> }.into_any())
    };
    let hindered = shown(false);
    assert!(hindered.contains("not ready: another console with another database acts here"), "{hindered}");
    assert!(!shown(true).contains("another database"), "what runs go without is told elsewhere");
}

#[test]
fn an_admin_is_offered_nothing_that_would_shut_them_out() {
    let users = vec![user("user:1", "mara", &[Role::Admin]), user("user:2", "<b>otto</b>", &[Role::Viewer])];
    let page = html(|| accounts(users, vec![], here(), caller(Role::Admin), FormOutcome::default(), None, NOW));
    for act in ["disable", "password"] {
        assert!(!page.contains(&format!("/settings/accounts/user:1/{act}")), "{act} of oneself");
        assert!(page.contains(&format!("/settings/accounts/user:2/{act}")), "{act} of others");
    }
    assert!(!page.contains("<b>otto"), "a name is text");
    assert!(page.contains("never"), "never signed in is said, not left empty");
}

#[test]
fn a_form_that_came_back_opens_at_its_account_and_keeps_what_was_ticked() {
    let users = vec![user("user:1", "mara", &[Role::Admin]), user("user:2", "otto", &[Role::Viewer])];
    let form = FormOutcome {
        fields: vec![("about".into(), "user:2".into()), ("act".into(), "roles".into())],
        faults: vec![Fault::new("/roles", "required", "choose at least one role")],
        status: StatusCode::UNPROCESSABLE_ENTITY,
        ..FormOutcome::default()
    };
    let page = html(|| accounts(users, vec![], here(), caller(Role::Admin), form, None, NOW));
    let row = page.split("<tr").find(|row| row.contains("otto")).unwrap();
    assert!(row.contains("Choose at least one role.") && row.contains("<details open"), "{row}");
    assert!(!row.contains(" checked"), "nothing was ticked: {row}");
    assert_eq!(page.matches("Choose at least one role.").count(), 1, "at its account and nowhere else");
}

#[test]
fn accounts_say_where_they_come_from_and_groups_what_they_give() {
    let issuer = "https://sso.example".to_owned();
    let from = |issuer: &str, groups: &[&str]| FederatedIdentity {
        issuer: issuer.into(),
        subject: "42".into(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
    };
    let nora =
        UserRecord { external: Some(from(&issuer, &["<i>oncall", "b"])), ..user("user:2", "nora", &[Role::Operator]) };
    let otto = UserRecord { external: Some(from("https://old.example", &[])), ..user("user:3", "otto", &[]) };
    let users = || vec![user("user:1", "mara", &[Role::Admin]), nora.clone(), otto.clone()];
    let group = |name: &str, roles: &[Role], blocked| GroupView {
        name: name.into(),
        roles: roles.to_vec(),
        people: 1,
        blocked,
    };
    let groups = vec![
        group("*", &[Role::Viewer], None),
        group("<i>oncall", &[Role::Operator], None),
        group("contractors", &[], Some((NOW, "mara".to_owned()))),
    ];
    let provider = || Some(ProviderWay { name: "Keycloak".into(), issuer: issuer.clone(), reachable: true });
    let shown = |role, ways, form| html(|| accounts(users(), groups.clone(), ways, caller(role), form, None, NOW));
    let page = shown(Role::Admin, SignInWays { provider: provider(), local: true }, FormOutcome::default());
    let row = |name: &str| page.split("<tr").find(|row| row.contains(&format!(">{name}<"))).unwrap().to_owned();
    assert!(row("nora").contains("Keycloak") && row("nora").contains("&lt;i&gt;oncall, b"), "{}", row("nora"));
    assert!(row("otto").contains("not the provider any more"));
    for act in ["roles", "password"] {
        assert!(!page.contains(&format!("/settings/accounts/user:2/{act}")), "{act} of somebody else's account");
    }
    assert!(page.contains("/settings/accounts/user:2/disable"));
    let (oncall, blocked, everybody) = (row("&lt;i&gt;oncall"), row("contractors"), row("everybody"));
    assert!(oncall.contains("/settings/groups/block") && oncall.contains("operator"), "{oncall}");
    assert!(blocked.contains("/settings/groups/unblock") && blocked.contains("by mara") && blocked.contains("no role"));
    assert!(!everybody.contains("<form"), "there is no blocking everybody");

    let alone = SignInWays { provider: provider(), local: false };
    let page = shown(Role::Admin, alone.clone(), FormOutcome::default());
    assert!(!page.contains("action=\"/settings/accounts\"") && page.contains("are switched off"), "{page}");
    let form = FormOutcome {
        fields: vec![("about".into(), "groups".into()), ("group".into(), "sre".into())],
        message: Some("you are in this group yourself: ask another admin".into()),
        status: StatusCode::FORBIDDEN,
        ..FormOutcome::default()
    };
    let page = shown(Role::Admin, alone.clone(), form);
    assert_eq!(page.matches("You are in this group yourself").count(), 1, "{page}");
    assert!(page.contains("value=\"sre\""), "{page}");
    assert!(!shown(Role::Auditor, alone, FormOutcome::default()).contains("/settings/groups/block"));
}

#[test]
fn tokens_say_whose_they_are_and_how_they_stand() {
    let tokens = vec![
        token("mine", Some("user:1"), TokenStanding::Live),
        token("less", Some("user:1"), TokenStanding::Curtailed),
        token("holmes", None, TokenStanding::Live),
        token("gone", Some("user:1"), TokenStanding::Revoked),
    ];
    let made = FormOutcome { made: Some(("mine".into(), Secret("kbn_once".into()))), ..FormOutcome::default() };
    let page = html(|| tokens_page(tokens, caller(Role::Admin), made, None, "https://c.example", NOW));
    assert_eq!(page.matches(">kbn_once<").count(), 1, "the secret is shown");
    let call = "curl --fail-with-body --header &quot;Authorization: Bearer $KUBERNAUT_TOKEN&quot; https://c.example/api/v1/executions";
    assert!(page.contains(&format!("data-copy=\"{call}\"")), "the first call can be copied: {page}");
    assert!(page.contains("Its owner may less by now.") && page.contains("a machine") && page.contains("Revoked"));
    assert!(!page.contains("/settings/tokens/token:gone/revoke"), "what is revoked can't be revoked again");
    // A viewer is offered what they may give, and nothing about machines.
    let page = html(|| tokens_page(vec![], caller(Role::Viewer), FormOutcome::default(), None, "", NOW));
    assert!(page.contains("role.viewer") && page.contains("You have no token"));
    for role in ["role.operator", "role.admin", "role.propose", "name=\"owner\""] {
        assert!(!page.contains(role), "{role}");
    }
}

#[test]
fn what_is_searched_for_is_text() {
    let q = "\"><script>alert(1)</script>";
    let page = html(|| search::search(search::groups(SearchView::default(), Some(q), &caller(Role::Admin)), Some(q)));
    assert!(!page.contains("<script>") && page.contains("Nothing is found"));
}

#[test]
fn keys_say_that_they_are_off() {
    let run = html(|| keys(caller(Role::Viewer), Keys::On));
    for key in ["↑", "→", "h", "l", "wheel"] {
        assert!(run.contains(&format!("<kbd>{key}</kbd>")), "{key}: {run}");
    }
    assert!(html(|| keys(caller(Role::Viewer), Keys::Off)).contains("Single keys are off"));
    assert!(html(|| keys(caller(Role::Viewer), Keys::On)).contains("Switch single keys off"));
}

#[test]
fn a_refusal_names_its_request_and_the_way_on() {
    let page = |status: StatusCode, back: Option<&str>| {
        let trouble = Trouble { status, back: back.map(str::to_owned), ..Trouble::default() };
        html(|| view! { <ErrorPage trouble request_id="req-1".to_owned() /> }.into_any())
    };
    for status in [400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 503] {
        let page = page(StatusCode::from_u16(status).unwrap(), None);
        assert!(page.contains("req-1") && page.contains(&status.to_string()), "{page}");
    }
    assert!(page(StatusCode::UNAUTHORIZED, Some("/runs/x?a=1")).contains("/login?next=%2Fruns%2Fx%3Fa%3D1"));
    assert!(page(StatusCode::SERVICE_UNAVAILABLE, Some("/runs")).contains("Try again"));
}

#[test]
fn sessions_are_told_apart_and_what_a_browser_calls_itself_is_text() {
    let session = |id: &str, agent: Option<&str>, here| SessionView {
        session: SessionRecord {
            id: format!("session:{id}"),
            user_id: "user:1".into(),
            method: SignInMethod::Password,
            began_at: NOW,
            authenticated_at: NOW,
            used_at: NOW,
            from: CameFrom { address: Some("192.0.2.1".into()), agent: agent.map(str::to_owned) },
        },
        here,
    };
    let shown = |sessions, done| {
        let page = html(|| sessions_page(sessions, caller(Role::Viewer), FormOutcome::default(), done, NOW));
        page.replace("<!>", "")
    };
    let two = vec![session("a", Some("Firefox/128.0 <b> Linux"), true), session("b", None, false)];
    let page = shown(two.clone(), Some("others"));
    assert!(page.contains("Firefox on Linux") && !page.contains("<b>"), "{page}");
    assert_eq!(page.matches("this one").count(), 1);
    assert!(page.contains("action=\"/settings/sessions/session:b/end\"") && page.contains("End all others"), "{page}");
    assert!(!page.contains("All your other sessions are ended"), "only what is true is said");
    let page = shown(two.into_iter().take(1).collect(), Some("others"));
    assert!(page.contains("All your other sessions are ended") && !page.contains("End all others"), "{page}");
}
