//! The same by command line: what a page shows or does, as `kubectl`, `tkn` and `curl` would. Whatever comes from outside is
//! quoted for the shell, so that a pasted line does what it says and nothing else.

use crate::{islands::CopyText, query::Query};
use domain::{
    execution::{Execution, ExecutionState, Task},
    playbook::{PlaybookId, Version},
    ports::ExecutionFilter,
    services::{HealthView, RecommendationView},
};
use leptos::prelude::*;
use std::borrow::Cow;

/// One line to paste.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What it does, in a few words.
    pub what: &'static str,
    /// The line.
    pub line: String,
}

const WORKFLOW: &str = "workflowexecutions.workflowexecution.kubernaut.ai";
const REGISTRATION: &str = "remediationworkflows.workflowexecution.kubernaut.ai";
const TOKEN: &str = "--header \"Authorization: Bearer $KUBERNAUT_TOKEN\"";

fn command(what: &'static str, line: String) -> Command {
    Command { what, line }
}

/// A word as a POSIX shell takes it literally: as it is where it has nothing special, else in single quotes.
pub fn quoted(word: &str) -> Cow<'_, str> {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '=' | '@' | '%' | ',' | '+');
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

/// Where the console is reached: asked from the request's context, a variable where there is none.
fn console_url() -> String {
    use_context::<crate::Console>().map_or_else(|| "https://console.example".to_owned(), |console| console.public_url)
}

/// Nothing of the sandbox is in reach of kubectl.
fn in_sandbox() -> bool {
    use_context::<crate::Console>().is_some_and(|console| console.sandbox)
}

fn get(url: &str, path: &str) -> String {
    format!("curl --fail-with-body {TOKEN} {}", quoted(&format!("{url}/api/v1/{path}")))
}

fn post(url: &str, path: &str, body: &str) -> String {
    format!("curl --fail-with-body {TOKEN} --json {} {}", quoted(body), quoted(&format!("{url}/api/v1/{path}")))
}

/// What Tekton runs under this name.
fn pipeline_run(name: &str, namespace: &str) -> String {
    format!("kubectl get pipelinerun {} --namespace {} --output yaml", quoted(name), quoted(namespace))
}

/// What the console asked for under this name.
fn workflow_execution(name: &str, namespace: &str) -> String {
    format!("kubectl get {WORKFLOW} {} --namespace {} --output yaml", quoted(name), quoted(namespace))
}

/// The first call that whoever has made a token makes.
pub fn first_call(url: &str) -> String {
    get(url, "executions")
}

/// A segment of a path.
fn segment(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// For a run.
pub fn of_run(run: &Execution) -> Vec<Command> {
    let url = console_url();
    let subject = &run.subject;
    let (name, namespace, id) = (&subject.name, &subject.namespace, segment(subject.id.as_str()));
    let mut all = Vec::new();
    if !subject.sandbox {
        all.push(command("What Tekton runs", pipeline_run(name, namespace)));
        all.push(command("What the console asked for", workflow_execution(name, namespace)));
        all.push(command(
            "Its logs",
            format!("tkn pipelinerun logs {} --namespace {} --follow", quoted(name), quoted(namespace)),
        ));
    }
    all.push(command("The run, with its tasks", get(&url, &format!("executions/{id}"))));
    if !run.state.ended() {
        let address = format!("{url}/api/v1/executions/{id}/cancel");
        all.push(command("Cancel it", format!("curl --fail-with-body --request POST {TOKEN} {}", quoted(&address))));
    } else if run.started_at.is_some() {
        let address = format!("{url}/api/v1/executions/{id}/rollback");
        all.push(command(
            "Propose its rollback",
            format!("curl --fail-with-body --request POST {TOKEN} {}", quoted(&address)),
        ));
    }
    all
}

/// For a task of a run: its log, of that attempt where one is named.
pub fn of_task(run: &Execution, task: &Task, attempt: Option<u32>) -> Vec<Command> {
    let subject = &run.subject;
    let mut all = Vec::new();
    if !subject.sandbox {
        let namespace = quoted(&subject.namespace);
        let meant = match attempt {
            Some(number) => task.attempts.iter().find(|one| one.attempt == number),
            None => task.attempts.last(),
        };
        if let Some(pod) = meant.and_then(|one| one.pod.as_deref()) {
            let line = format!("kubectl logs {} --namespace {namespace} --all-containers", quoted(pod));
            all.push(command("What its pod wrote", line));
        }
        let (name, task) = (quoted(&subject.name), quoted(&task.name));
        let line = format!("tkn pipelinerun logs {name} --namespace {namespace} --task {task}");
        all.push(command("Its log by Tekton", line));
    }
    let query = Query::default().with("attempt", attempt.map(|n| n.to_string()).as_deref());
    let (id, task) = (segment(subject.id.as_str()), segment(&task.name));
    all.push(command(
        "Its log as the console keeps it",
        get(&console_url(), &format!("executions/{id}/tasks/{task}/logs{query}")),
    ));
    all
}

/// For what a ticket makes once it runs; none in the sandbox.
pub fn of_ticket(name: &str, namespace: &str) -> Option<String> {
    (!in_sandbox()).then(|| pipeline_run(name, namespace))
}

/// For a recommendation: read it, make the ticket, decide. Reasons and digests are the person's to fill in.
pub fn of_recommendation(view: &RecommendationView) -> Vec<Command> {
    let url = console_url();
    let path = format!("recommendations/{}", segment(view.recommendation.id.as_str()));
    let strategy = view.selected;
    let mut all = vec![command("The recommendation", get(&url, &path))];
    if view.recommendation.state == domain::recommendation::RecommendationState::Open {
        all.push(command(
            "Its run ticket",
            post(&url, &format!("{path}/tickets"), &format!(r#"{{"strategy":{strategy}}}"#)),
        ));
        if let Some(ticket) = &view.ticket {
            let approve =
                format!(r#"{{"decision":"approve","strategy":{strategy},"ticket_digest":"{}"}}"#, ticket.digest);
            all.push(command("Approve exactly this ticket", post(&url, &format!("{path}/decisions"), &approve)));
        }
        let line = format!(
            "jq --null-input --arg reason \"${{REASON:?say why}}\" '{{decision: \"reject\", strategy: {strategy}, reason: $reason}}' | \
             curl --fail-with-body {TOKEN} --json @- {}",
            quoted(&format!("{url}/api/v1/{path}/decisions"))
        );
        all.push(command("Reject it, with the reason in $REASON", line));
    }
    if let Some(ticket) = view.ticket.as_ref().filter(|_| view.run.is_some() && !in_sandbox()) {
        let line = workflow_execution(&ticket.name, &ticket.content.namespace);
        all.push(command("What the console asked the cluster for", line));
    }
    all
}

/// For a version of a playbook.
pub fn of_playbook(id: &PlaybookId, version: &Version) -> Vec<Command> {
    let url = console_url();
    let (id, version) = (segment(id.as_ref()), segment(&version.to_string()));
    let path = format!("playbooks/{id}/versions/{version}");
    let mut all = vec![
        command("This version", get(&url, &path)),
        command("What a model is shown of it", get(&url, &format!("{path}/schema"))),
        command("Its runs' action records", get(&url, &format!("actions?workflow_id={id}"))),
    ];
    if !in_sandbox() {
        let of_it = quoted(&format!("spec.workflowId={id}")).into_owned();
        let line = format!("kubectl get {REGISTRATION} --all-namespaces --field-selector {of_it}");
        all.push(command("Versions of it that were registered from the cluster", line));
    }
    all
}

/// For the list of runs: what the page filters by, the API takes too.
pub fn of_runs(filter: &ExecutionFilter) -> Vec<Command> {
    let url = console_url();
    let since = filter.since.map(|at| at.to_string());
    let query = [
        ("state", filter.state.map(ExecutionState::name)),
        ("workflow_id", filter.workflow_id.as_deref()),
        ("recommendation", filter.recommendation_id.as_deref()),
        ("q", filter.q.as_deref()),
        ("since", since.as_deref()),
    ];
    let query = query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect::<Vec<_>>();
    let filter = Query::of(&query);
    let mut all = vec![command("This list", get(&url, &format!("executions{filter}")))];
    if !in_sandbox() {
        all.push(command("What the console asked the cluster for", format!("kubectl get {WORKFLOW} --all-namespaces")));
    }
    all
}

/// For the cluster's health.
pub fn health(health: &HealthView, url: &str) -> Vec<Command> {
    let namespace = quoted(&health.namespace);
    let mut all = vec![
        command("Whether it is ready, and why not", format!("curl {}", quoted(&format!("{url}/readyz")))),
        command("Its measurements", format!("curl {}", quoted(&format!("{url}/metrics")))),
    ];
    if !health.cluster.sandbox {
        all.push(command("What Tekton runs", format!("kubectl get pipelineruns --namespace {namespace}")));
        all.push(command("The definitions it needs", "kubernaut-console crds | kubectl apply --filename -".to_owned()));
    }
    all
}

/// For the list of policies: read it, write the next one.
pub fn of_policies(url: &str) -> Vec<Command> {
    let sent = |path: &str| {
        let address = quoted(&format!("{url}/api/v1/{path}")).into_owned();
        format!(
            "jq --null-input --rawfile yaml policy.yaml '{{yaml: $yaml}}' | curl --fail-with-body {TOKEN} --json @- {address}"
        )
    };
    vec![
        command("All versions", get(url, "policies")),
        command("Check policy.yaml, and keep nothing", sent("policies/validate")),
        command("Keep policy.yaml as a new version", sent("policies")),
    ]
}

/// For notifications: the receivers, and what they did not take.
pub fn of_notifications(url: &str) -> Vec<Command> {
    vec![
        command("How things stand with each receiver", get(url, "notifications/receivers")),
        command("What was not delivered", get(url, "notifications?state=dead")),
    ]
}

/// For one version of the policy: read it, try it, put it in force.
pub fn of_policy(version: u32, url: &str) -> Vec<Command> {
    let path = format!("policies/{version}");
    let address = quoted(&format!("{url}/api/v1/{path}/activate")).into_owned();
    let line = format!(
        "jq --null-input --arg reason \"${{REASON:?say why}}\" '{{reason: $reason}}' | \
         curl --fail-with-body {TOKEN} --json @- {address}"
    );
    vec![
        command("This version", get(url, &path)),
        command("What it would have changed", get(url, &format!("{path}/simulate"))),
        command("Put it in force, with the reason in $REASON", line),
    ]
}

/// The lines, folded.
#[component]
pub fn Equivalent(
    commands: Vec<Command>,
    #[prop(default = "The same by command line")] title: &'static str,
) -> impl IntoView {
    if commands.is_empty() {
        return ().into_any();
    }
    let token = commands.iter().any(|command| command.line.contains("$KUBERNAUT_TOKEN"));
    view! {
        <details class="equivalent">
            <summary>{title}</summary>
            {token.then(|| view! {
                <p class="sub">"With a token in the variable "<code>"KUBERNAUT_TOKEN"</code>": "<a href="/settings/tokens">"make one"</a></p>
            })}
            <dl>
                {commands.into_iter().map(|Command { what, line }| view! {
                    <dt>{what}</dt>
                    <dd><code>{line.clone()}</code><CopyText text=line what=format!("command: {what}") /></dd>
                }).collect_view()}
            </dl>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command as Process;

    #[test]
    fn what_a_shell_reads_is_what_was_meant() {
        for word in
            ["plain-name.1", "", "-rf", "two words", "it's", "$(reboot)", "`id`", "a\"b", "a\\b", "ä;&|<>*?~#!", "a\nb"]
        {
            let script = format!("printf %s {}", quoted(word));
            let Ok(output) = Process::new("sh").args(["-c", &script]).output() else { return };
            let read = String::from_utf8_lossy(&output.stdout).into_owned();
            // printf takes a word that begins with a dash for an option in some shells; the quoting is what is judged here.
            if word.starts_with('-') {
                assert_eq!(quoted(word), "'-rf'");
                continue;
            }
            assert_eq!(read, word, "{script}");
        }
        assert_eq!(quoted("kubernaut-system"), "kubernaut-system");
    }

    #[test]
    fn addresses_carry_their_words() {
        assert_eq!(segment("1.0.0+a b/c"), "1.0.0%2Ba%20b%2Fc");
        let state = ExecutionState::from_name("failed");
        let lines = of_runs(&ExecutionFilter { state, q: Some("a'b".into()), ..ExecutionFilter::default() });
        assert!(lines[0].line.contains("executions?state=failed&q=a%27b"), "{}", lines[0].line);
        assert!(lines[0].line.contains("'https://console.example"), "an ampersand is quoted: {}", lines[0].line);
    }
}
