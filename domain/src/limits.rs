//! How long what comes from outside may be, where more than one reader has to agree: the readers here, and the schema of the
//! custom resource, which must not let in what a reader then refuses. And for how long something may take before people are told.

use std::time::Duration;

/// A run that was let go and that Tekton has not taken up after this says that it waits for Tekton. One that works takes a run up within a
/// second, within some when many come at once, and is back within ten when its pod is replaced: sooner would alarm people for nothing.
pub const TAKEN_UP_WITHIN: Duration = Duration::from_secs(10);

/// Characters of a `workflowType`; a playbook's id is one.
pub const WORKFLOW_TYPE: usize = 63;
/// Characters of a reason.
pub const REASON: usize = 4096;
/// Steps in a list, and so the names in a `runAfter`.
pub const STEPS: usize = 1_000;
/// Characters of a step's name: it becomes a Tekton task's.
pub const STEP_NAME: usize = 63;
/// Characters of an action type.
pub const ACTION_TYPE: usize = 128;

/// Of what Kubernetes warns of while a run goes on.
pub mod warnings {
    /// Warnings kept of a run.
    pub const OF_A_RUN: usize = 100;
    /// Of one reason of one object: their messages differ.
    pub const OF_A_REASON: usize = 3;
    /// Characters of an object's name, as Kubernetes allows them.
    pub const OBJECT: usize = 253;
    /// Characters of a reason, an ellipsis not counted.
    pub const REASON: usize = 128;
    /// Characters of a message, an ellipsis not counted.
    pub const MESSAGE: usize = 1024;
}

/// Of a playbook's registration.
pub mod registration {
    /// Characters of its id.
    pub const ID: usize = 63;
    /// Characters of its version.
    pub const VERSION: usize = 64;
    /// Characters of the title.
    pub const TITLE: usize = 200;
    /// Characters of the description.
    pub const DESCRIPTION: usize = 4096;
    /// Characters of an image's name.
    pub const IMAGE: usize = 512;
    /// Characters of a label.
    pub const LABEL: usize = 128;
    /// Tags.
    pub const TAGS: usize = 32;
    /// Characters of a tag.
    pub const TAG: usize = 63;
    /// Steps that are told to people.
    pub const TOLD_STEPS: usize = 100;
    /// Characters of such a step.
    pub const TOLD_STEP: usize = 1000;
    /// Retries of a task.
    pub const RETRIES: u32 = 5;
    /// Fields of a target that are captured.
    pub const CAPTURES: usize = 16;
    /// Characters of the pointer to one.
    pub const CAPTURE_FIELD: usize = 256;
    /// Declared outputs.
    pub const OUTPUTS: usize = 32;
    /// Characters of the name of a parameter, or of an output.
    pub const NAME: usize = 63;
    /// Characters of what a parameter is for.
    pub const PARAMETER_DESCRIPTION: usize = 2048;
    /// Values that a parameter may be one of, and values in a condition.
    pub const VALUES: usize = 200;
    /// Examples of a parameter's value.
    pub const EXAMPLES: usize = 20;
    /// Characters of a pattern.
    pub const PATTERN: usize = 512;
    /// Characters of a `tekton_mapping`.
    pub const MAPPING: usize = 128;
    /// Parameters that one may depend on.
    pub const CONDITIONS: usize = 8;
    /// Characters of the name of an object in Kubernetes, and of a Secret's key.
    pub const OBJECT_NAME: usize = 253;
}
