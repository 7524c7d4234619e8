//! `doctor`: the preflight of a cluster, a line for each part; exit code 1 while anything is missing.

use super::{Fault, print};
use crate::config::{ClusterChoice, Config};
use controller::{ClientChoice, doctor::examine};
use domain::ports::{Finding, Standing};

/// Examines the cluster of this configuration.
pub async fn doctor(config: &Config) -> Result<(), Fault> {
    let choice = match config.cluster {
        ClusterChoice::Sandbox => {
            print(
                "The sandbox has all that it needs. For a real cluster: kubernaut-console doctor --cluster kubeconfig",
            );
            return Ok(());
        }
        ClusterChoice::Kubeconfig => ClientChoice::Kubeconfig,
        ClusterChoice::InCluster => ClientChoice::InCluster,
    };
    let client =
        controller::client(choice).await.map_err(|e| Fault::failed(format!("the cluster can't be used: {e}")))?;
    let found = examine(client, &config.namespace).await;
    for finding in &found {
        print(&line(finding));
    }
    match found.iter().filter(|finding| finding.standing == Standing::Missing).count() {
        0 => Ok(()),
        1 => Err(Fault::failed("one thing is missing; mend it, then look again")),
        n => Err(Fault::failed(format!("{n} things are missing; mend them, then look again"))),
    }
}

/// `missing  Tekton              the cluster does not serve tekton.dev/v1`, and under it the command that mends it.
fn line(finding: &Finding) -> String {
    let standing = match finding.standing {
        Standing::Good => "good",
        Standing::Note => "note",
        Standing::Missing => "missing",
    };
    let mend = finding.mend.as_ref().map(|command| format!("\n{:29}mend: {command}", "")).unwrap_or_default();
    format!("{standing:<9}{:<20}{}{mend}", finding.subject, finding.words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_comes_with_the_command_that_mends_it() {
        let finding = Finding {
            subject: "Tekton",
            standing: Standing::Missing,
            words: "it is not there".into(),
            mend: Some("kubectl apply -f x".into()),
        };
        let text = line(&finding);
        assert!(text.starts_with("missing  Tekton              it is not there\n"), "{text}");
        assert!(text.ends_with("  mend: kubectl apply -f x"), "{text}");
    }
}
