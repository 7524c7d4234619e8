//! `doctor`: the preflight of a cluster, a line for each part, and whether those answer whom the settings name; exit code 1 while anything
//! is missing.

use super::{Fault, print};
use crate::{
    config::{ClusterChoice, Config},
    neighbours,
};
use controller::{
    ClientChoice, Reviews,
    doctor::{Extras, examine},
};
use domain::ports::{PreflightCheck, PreflightOutcome};

/// Examines the cluster of this configuration.
pub async fn doctor(config: &Config) -> Result<(), Fault> {
    let choice = match config.cluster {
        ClusterChoice::Sandbox => {
            print(
                "The sandbox has all that it needs. For a real cluster: kubernaut-console doctor --cluster kubeconfig",
            );
            for check in neighbours::look(config).await {
                print(&line(&check));
            }
            return Ok(());
        }
        ClusterChoice::Kubeconfig => ClientChoice::Kubeconfig,
        ClusterChoice::InCluster => ClientChoice::InCluster,
    };
    let client =
        controller::client(choice).await.map_err(|e| Fault::failed(format!("the cluster can't be used: {e}")))?;
    let extras = Extras {
        lister: config.lister_image.as_deref(),
        event_namespaces: &config.signals.event_namespaces,
        reviews: Reviews { tokens: !config.token_review.is_empty(), people: config.subject_access_review },
    };
    let mut found = examine(client, &config.namespace, &extras).await;
    found.extend(neighbours::look(config).await);
    for check in &found {
        print(&line(check));
    }
    match found.iter().filter(|check| check.outcome == PreflightOutcome::Missing).count() {
        0 => Ok(()),
        1 => Err(Fault::failed("one thing is missing; mend it, then look again")),
        n => Err(Fault::failed(format!("{n} things are missing; mend them, then look again"))),
    }
}

/// `missing    Tekton              the cluster does not serve tekton.dev/v1`, and under it the command that mends it.
fn line(check: &PreflightCheck) -> String {
    let outcome = match check.outcome {
        PreflightOutcome::Good => "good",
        PreflightOutcome::Note => "note",
        PreflightOutcome::Unknown => "not known",
        PreflightOutcome::Missing => "missing",
    };
    let mend = check.mend.as_ref().map(|command| format!("\n{:31}mend: {command}", "")).unwrap_or_default();
    format!("{outcome:<11}{:<20}{}{mend}", check.subject, check.words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_comes_with_the_command_that_mends_it() {
        let check = PreflightCheck {
            subject: "Tekton",
            outcome: PreflightOutcome::Missing,
            words: "it is not there".into(),
            mend: Some("kubectl apply -f x".into()),
        };
        let text = line(&check);
        assert!(text.starts_with("missing    Tekton              it is not there\n"), "{text}");
        assert!(text.ends_with("  mend: kubectl apply -f x"), "{text}");
        let unknown = line(&PreflightCheck { outcome: PreflightOutcome::Unknown, mend: None, ..check });
        assert_eq!(unknown, "not known  Tekton              it is not there");
    }
}
