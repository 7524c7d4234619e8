//! Ninety days of history: what was recommended and decided, how it went, and the logs of the newest runs.

use super::{SceneError, SceneWorld, people};
use domain::execution::Execution;
use history::{Paper, Playbook, Remediation, Span, library, log};

/// So many of the newest runs have their log.
const WITH_LOG: usize = 24;

/// Writes the history.
pub async fn import(world: &SceneWorld) -> Result<(), SceneError> {
    let mut approvers = Vec::new();
    for name in [people::FIRST_OPERATOR, people::SECOND_OPERATOR] {
        approvers.extend(people::operator(world.accounts.as_ref(), name).await?);
    }
    let mut library = Vec::new();
    for registration in library::registrations()? {
        let image = world.registry.resolve(&registration.image).await;
        let image = image.map_err(|error| SceneError::Cluster(error.to_string()))?;
        library.push(Playbook { registration, image });
    }
    let past = history::days(world.clock.now(), Span::DEMO, &library, &approvers, &world.namespace);
    let past: Vec<Remediation> = past.flatten().collect();
    // First, so that each run is counted with the time that its decision took.
    let decided: Vec<_> = past.iter().filter_map(|one| one.paper.clone()).map(Paper::decided).collect();
    world.recommendations.import(&decided).await?;
    let runs: Vec<Execution> = past.into_iter().map(|one| one.execution).collect();
    world.executions.import(&runs).await?;
    for execution in runs.iter().rev().take(WITH_LOG) {
        for task in &execution.tasks {
            for attempt in &task.attempts {
                let lines = log(execution, attempt);
                world.executions.append_log(&execution.subject.id, &task.name, attempt.attempt, &lines).await?;
                world.executions.close_log(&execution.subject.id, &task.name, attempt.attempt).await?;
            }
        }
    }
    Ok(())
}
