//! The same by command line: what `kubectl`, `tkn` and `curl` say of the selected task.

use super::selection::Selection;
use crate::islands::CopyText;
use domain::execution::{Execution, Task};
use leptos::prelude::*;

/// The folded commands.
#[component]
pub fn Commands(run: Execution, task: Task, selection: Selection) -> impl IntoView {
    let commands = commands(&run, &task, selection.attempt);
    view! {
        <details class="commands">
            <summary>"This task by command line"</summary>
            <ul>
                {commands.into_iter().map(|(what, text)| view! {
                    <li><code>{text.clone()}</code>" "<CopyText text what /></li>
                }).collect_view()}
            </ul>
        </details>
    }
    .into_any()
}

/// Commands, each with what it is.
fn commands(run: &Execution, task: &Task, attempt: Option<u32>) -> Vec<(String, String)> {
    let (namespace, name) = (word(&run.subject.namespace), word(&run.subject.name));
    let pod = match attempt {
        Some(n) => task.attempts.iter().find(|a| a.attempt == n),
        None => task.attempts.last(),
    };
    let pod = pod.and_then(|attempt| attempt.pod.as_deref()).map(|pod| {
        ("kubectl command".to_owned(), format!("kubectl logs --namespace {namespace} {} --all-containers", word(pod)))
    });
    let tkn = format!("tkn pipelinerun logs --namespace {namespace} {name} --task {}", word(&task.name));
    let path = format!("/api/v1/executions/{}/tasks/{}/logs", run.subject.id, task.name);
    let attempt = attempt.map(|n| format!("?attempt={n}")).unwrap_or_default();
    let curl = format!("curl --header \"Authorization: Bearer $TOKEN\" \"$CONSOLE{path}{attempt}\"");
    pod.into_iter().chain([("tkn command".to_owned(), tkn), ("curl command".to_owned(), curl)]).collect()
}

/// A word as a shell reads it.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':');
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_a_word_as_it_is() {
        assert_eq!(word("restart-pods"), "restart-pods");
        assert_eq!(word("a b"), "'a b'");
        assert_eq!(word("it's $(x)"), "'it'\\''s $(x)'");
        assert_eq!(word(""), "''");
    }
}
