//! How long what comes from outside may be, where more than one reader has to agree: the readers here, and the schema of the
//! custom resource, which must not let in what a reader then refuses.

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
