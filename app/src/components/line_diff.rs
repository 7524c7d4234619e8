//! Two texts, line by line.

use leptos::prelude::*;
use similar::{ChangeTag, TextDiff};

/// What differs between two documents, with three lines around it; nothing where nothing does.
#[component]
pub fn LineDiff(
    old: String,
    new: String,
    /// What is compared: the region's name.
    label: String,
) -> impl IntoView {
    let lines = lines(&old, &new);
    if lines.is_empty() {
        return ().into_any();
    }
    view! {
        <details class="line-diff" open>
            <summary>"The documents, line by line"</summary>
            <div class="code diff" tabindex="0" role="region" aria-label=label>
                {lines.into_iter().map(DiffLine::view).collect_view()}
            </div>
        </details>
    }
    .into_any()
}

/// A line of the difference.
#[derive(Clone, Debug, PartialEq, Eq)]
enum DiffLine {
    Same(String),
    Gone(String),
    New(String),
    /// So many lines that are the same are left out.
    Skipped(usize),
}

impl DiffLine {
    fn view(self) -> AnyView {
        match self {
            Self::Same(text) => view! { <div class="same"><span aria-hidden="true">"  "</span>{text}</div> }.into_any(),
            Self::Gone(text) => {
                view! { <del><span class="vh">"removed: "</span><span aria-hidden="true">"− "</span>{text}</del> }
                    .into_any()
            }
            Self::New(text) => {
                view! { <ins><span class="vh">"added: "</span><span aria-hidden="true">"+ "</span>{text}</ins> }
                    .into_any()
            }
            Self::Skipped(1) => view! { <div class="skipped">"1 line is the same"</div> }.into_any(),
            Self::Skipped(n) => view! { <div class="skipped">{format!("{n} lines are the same")}</div> }.into_any(),
        }
    }
}

/// What differs line by line, with three lines around it; empty where nothing does.
fn lines(old: &str, new: &str) -> Vec<DiffLine> {
    let diff = TextDiff::from_lines(old, new);
    let total = old.lines().count();
    let mut shown = Vec::new();
    let mut reached = 0;
    for group in diff.grouped_ops(3) {
        let Some(first) = group.first() else { continue };
        if first.old_range().start > reached {
            shown.push(DiffLine::Skipped(first.old_range().start - reached));
        }
        for op in &group {
            for change in diff.iter_changes(op) {
                let text = change.value().trim_end_matches('\n').to_owned();
                shown.push(match change.tag() {
                    ChangeTag::Equal => DiffLine::Same(text),
                    ChangeTag::Delete => DiffLine::Gone(text),
                    ChangeTag::Insert => DiffLine::New(text),
                });
            }
            reached = op.old_range().end;
        }
    }
    if !shown.is_empty() && total > reached {
        shown.push(DiffLine::Skipped(total - reached));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_the_same_are_counted() {
        let old = (0..20).map(|n| n.to_string()).collect::<Vec<_>>().join("\n") + "\n";
        let new = old.replace("10\n", "ten\n");
        let found = lines(&old, &new);
        assert_eq!(found.first(), Some(&DiffLine::Skipped(7)));
        assert_eq!(found.last(), Some(&DiffLine::Skipped(6)));
        assert_eq!(found[4..6], [DiffLine::Gone("10".into()), DiffLine::New("ten".into())]);
        assert_eq!(lines(&old, &old), []);
    }
}
