//! Which events concern what is shown: `topic` for all of a kind, `topic:subject` for those about one object, with spaces
//! between.

/// Whether an event is one of those that are followed.
pub fn concerns(follows: &str, topic: &str, subject: &str) -> bool {
    follows.split_ascii_whitespace().any(|token| match token.split_once(':') {
        Some((of, about)) => of == topic && about == subject,
        None => token == topic,
    })
}

#[cfg(test)]
mod tests {
    use super::concerns;

    #[test]
    fn a_kind_of_events_or_those_about_one_object_are_followed() {
        let run = "execution:e1 task:e1 log:e1/scale";
        assert!(concerns(run, "task", "e1") && concerns(run, "log", "e1/scale"));
        assert!(!concerns(run, "task", "e2") && !concerns(run, "log", "e1/wait") && !concerns(run, "playbook", "e1"));
        assert!(concerns("recommendation execution", "execution", "any"));
        assert!(!concerns("", "execution", "") && !concerns("executions", "execution", "e1"));
    }
}
