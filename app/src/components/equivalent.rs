//! The same by command line: what a page shows or does, as `kubectl`, `tkn` and `curl` would. Whatever comes from outside is
//! quoted for the shell, so that a pasted line does what it says and nothing else.

use crate::islands::CopyText;
use domain::{
    execution::Execution,
    playbook::{PlaybookId, Version},
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

/// A segment of a path.
fn segment(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// For a run.
pub fn of_run(run: &Execution) -> Vec<Command> {
    let url = console_url();
    let subject = &run.subject;
    let (name, namespace, id) = (quoted(&subject.name), quoted(&subject.namespace), segment(subject.id.as_str()));
    let mut all = Vec::new();
    if !subject.sandbox {
        all.push(command(
            "What Tekton runs",
            format!("kubectl get pipelinerun {name} --namespace {namespace} --output yaml"),
        ));
        all.push(command(
            "What the console asked for",
            format!("kubectl get {WORKFLOW} {name} --namespace {namespace} --output yaml"),
        ));
        all.push(command("Its logs", format!("tkn pipelinerun logs {name} --namespace {namespace} --follow")));
    }
    all.push(command("The run, with its tasks", get(&url, &format!("executions/{id}"))));
    if !run.state.ended() {
        let address = format!("{url}/api/v1/executions/{id}/cancel");
        all.push(command("Cancel it", format!("curl --fail-with-body --request POST {TOKEN} {}", quoted(&address))));
    }
    all
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
        let (name, namespace) = (quoted(&ticket.name), quoted(&ticket.content.namespace));
        all.push(command(
            "What the console asked the cluster for",
            format!("kubectl get {WORKFLOW} {name} --namespace {namespace} --output yaml"),
        ));
    }
    all
}

/// For a version of a playbook.
pub fn of_playbook(id: &PlaybookId, version: &Version) -> Vec<Command> {
    let url = console_url();
    let (id, version) = (segment(id.as_ref()), segment(&version.to_string()));
    let path = format!("playbooks/{id}/versions/{version}");
    vec![
        command("This version", get(&url, &path)),
        command("What a model is shown of it", get(&url, &format!("{path}/schema"))),
        command("Its runs' action records", get(&url, &format!("actions?workflow_id={id}"))),
    ]
}

/// For the list of runs. `query` is the page's own: what it filters by, the API takes too.
pub fn of_runs(query: &crate::query::Query) -> Vec<Command> {
    let url = console_url();
    let kept = ["state", "q", "workflow_id", "recommendation"];
    let filter = kept.iter().fold(crate::query::Query::default(), |filter, name| match query.get(name) {
        Some(value) => filter.with(name, Some(value)),
        None => filter,
    });
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

/// The lines, folded.
#[component]
pub fn Equivalent(commands: Vec<Command>) -> impl IntoView {
    if commands.is_empty() {
        return ().into_any();
    }
    let token = commands.iter().any(|command| command.line.contains("$KUBERNAUT_TOKEN"));
    view! {
        <details class="equivalent">
            <summary>"The same by command line"</summary>
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
        let query = crate::query::Query::parse("q=a'b&state=failed&cursor=x");
        let lines = of_runs(&query);
        assert!(lines[0].line.contains("executions?state=failed&q=a%27b"), "{}", lines[0].line);
        assert!(lines[0].line.contains("'https://console.example"), "an ampersand is quoted: {}", lines[0].line);
    }
}
