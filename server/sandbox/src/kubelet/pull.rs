//! Pulling images: present, pulled, or not to be had.

use serde_json::{Value, json};

use super::{Pod, status};
use crate::faults::Effect;
use crate::registry::{Reference, Registry};

/// World milliseconds that a pull takes.
const PULL_MS: u64 = 1_200;
/// World milliseconds after a failed pull until the next try, and the longest wait between tries.
const RETRY_MS: u64 = 13_000;
const LONGEST_MS: u64 = 300_000;

/// Waits until the image is on the node.
pub(crate) async fn pull(pod: &Pod, object: &Value, container: &str, image: &str, always: bool) {
    if pod.is_present(image) && !always {
        let message = format!("Container image \"{image}\" already present on machine");
        pod.event(object, Some(container), false, "Pulled", &message);
        return;
    }
    let mut wait = RETRY_MS;
    for attempt in 1_u64.. {
        pod.event(object, Some(container), false, "Pulling", &format!("Pulling image \"{image}\""));
        pod.pause(PULL_MS).await;
        let Err(why) = fetch(pod, image) else {
            pod.keep(image);
            let message = format!(
                "Successfully pulled image \"{image}\" in 1.2s (1.2s including waiting). Image size: 4194304 bytes."
            );
            pod.event(object, Some(container), false, "Pulled", &message);
            return;
        };
        pod.event(object, Some(container), true, "Failed", &format!("Failed to pull image \"{image}\": {why}"));
        pod.event(object, Some(container), true, "Failed", "Error: ErrImagePull");
        waiting(pod, container, "ErrImagePull", &why);
        pod.pause(wait).await;
        if attempt == 1 {
            // The kubelet tries once more before it backs off.
            continue;
        }
        pod.event(object, Some(container), false, "BackOff", &format!("Back-off pulling image \"{image}\""));
        pod.event(object, Some(container), true, "Failed", "Error: ImagePullBackOff");
        waiting(
            pod,
            container,
            "ImagePullBackOff",
            &format!("Back-off pulling image \"{image}\": ErrImagePull: {why}"),
        );
        pod.pause(wait).await;
        wait = (wait * 2).min(LONGEST_MS);
    }
}

fn waiting(pod: &Pod, container: &str, reason: &str, message: &str) {
    let state = json!({"waiting": {"reason": reason, "message": message}});
    pod.update(|status| status::set_state(status, "containerStatuses", container, &state));
}

fn fetch(pod: &Pod, image: &str) -> Result<(), String> {
    let failed = |why: &str| {
        format!(
            "rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": \
             {image}: {why}"
        )
    };
    if pod.cluster.api.faults.holds(&Effect::ImagePull, &pod.key.name) {
        return Err(failed("not found"));
    }
    Registry.resolve(image).map(|_| ()).map_err(|_| failed("not found"))
}

/// `repository@digest`, as the container runtime reports it.
pub(crate) fn image_id(image: &str) -> String {
    match (Reference::parse(image), Registry.resolve(image)) {
        (Ok(reference), Ok(digest)) => format!("{}@{digest}", reference.repository),
        _ => image.to_owned(),
    }
}
