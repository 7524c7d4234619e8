//! Whether those answer whom the settings name: monitoring, HolmesGPT, the model of embeddings, registries. Each is asked once, in the way
//! that the console asks it, and nothing is changed anywhere. Runs go without any of them.

use crate::{
    assessor::Neighbours,
    config::{Config, SignaturesConfig},
    edge::SystemClock,
    embeddings,
    investigator::Holmes,
    outbound::Outbound,
    registry::Client,
};
use domain::ports::{PreflightCheck, PreflightOutcome};
use std::sync::Arc;

/// A line for each that is set.
pub async fn look(config: &Config) -> Vec<PreflightCheck> {
    let (monitoring, holmes, embeddings, registries) =
        tokio::join!(monitoring(config), holmes(config), embeddings(config), registries(config));
    monitoring.into_iter().chain(holmes).chain(embeddings).chain(registries).collect()
}

/// What came of asking; `without` is what it means where there is no answer.
fn told(subject: &'static str, asked: &str, answer: Result<(), String>, without: &str) -> PreflightCheck {
    let (outcome, words) = match answer {
        Ok(()) => (PreflightOutcome::Good, format!("{asked} answers")),
        Err(why) => (PreflightOutcome::Note, format!("{asked}: {why}; {without}")),
    };
    PreflightCheck { subject, outcome, words, mend: None }
}

async fn monitoring(config: &Config) -> Vec<PreflightCheck> {
    let assess = &config.assess;
    let (alertmanager, prometheus) = match Neighbours::new(assess, Arc::new(SystemClock)) {
        Ok(Neighbours { alertmanager, prometheus }) => (
            match alertmanager {
                Some(one) => Some(one.answers().await),
                None => None,
            },
            match prometheus {
                Some(one) => Some(one.answers().await),
                None => None,
            },
        ),
        Err(why) => (
            assess.alertmanager.as_ref().map(|_| Err(why.clone())),
            assess.prometheus.as_ref().map(|_| Err(why.clone())),
        ),
    };
    let of = |subject, url: &Option<String>, answer: Option<Result<(), String>>, without| {
        url.as_deref().zip(answer).map(|(url, answer)| told(subject, url, answer, without))
    };
    let cleared = "whether alerts have cleared is then known only from what Alertmanager sends";
    let numbers = "numbers then say nothing of whether a run helped";
    let found = [
        of("Alertmanager", &assess.alertmanager, alertmanager, cleared),
        of("Prometheus", &assess.prometheus, prometheus, numbers),
    ];
    found.into_iter().flatten().collect()
}

async fn holmes(config: &Config) -> Option<PreflightCheck> {
    let settings = config.holmes.as_ref()?;
    let answer = match Holmes::new(settings) {
        Ok(holmes) => holmes.answers().await,
        Err(why) => Err(why),
    };
    Some(told("HolmesGPT", &settings.url, answer, "nothing is then investigated"))
}

async fn embeddings(config: &Config) -> Option<PreflightCheck> {
    let answer = embeddings::answers(config.embeddings.as_ref()?).await;
    Some(told("Embeddings", "the model", answer, "the catalog is then searched by its text alone"))
}

async fn registries(config: &Config) -> Vec<PreflightCheck> {
    const WITHOUT: &str = "who signed its images is then not known";
    let Some(SignaturesConfig { ca, allow_private, registries, logins, .. }) = &config.signatures else {
        return Vec::new();
    };
    let client = Outbound::new(ca.as_deref(), *allow_private)
        .map(|http| Client::new(http, registries.clone(), logins.clone()))
        .map_err(|error| format!("registries can't be called, look at --signatures-file: {error}"));
    let mut found = Vec::new();
    for registry in registries {
        let answer = match &client {
            Ok(client) => client.answers(registry).await,
            Err(why) => Err(why.clone()),
        };
        found.push(told("Registries", registry, answer, WITHOUT));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Given;
    use axum::{Json, Router, http::StatusCode, routing::get};
    use serde_json::json;

    /// Somebody on this machine who is Alertmanager, and a HolmesGPT that takes no key; anybody else is not here.
    async fn somebody() -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/api/v2/alerts", get(|| async { Json(json!([])) }))
            .route("/api/model", get(|| async { StatusCode::UNAUTHORIZED }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    fn config(given: &[(&'static str, &str)]) -> Config {
        let given: Given = given.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Config::load(&given, None, |_| None).unwrap()
    }

    #[tokio::test]
    async fn nobody_is_asked_whom_no_setting_names() {
        assert_eq!(look(&config(&[])).await, []);
    }

    #[tokio::test]
    async fn each_that_is_set_is_asked_and_told_for_itself() {
        let url = somebody().await;
        let found = look(&config(&[("alertmanager-url", &url), ("prometheus-url", &url), ("holmes-url", &url)])).await;
        let told: Vec<_> = found.iter().map(|check| (check.subject, check.outcome)).collect();
        assert_eq!(
            told,
            [
                ("Alertmanager", PreflightOutcome::Good),
                ("Prometheus", PreflightOutcome::Note),
                ("HolmesGPT", PreflightOutcome::Note)
            ]
        );
        assert!(found[1].words.contains("it answered 404"), "{found:?}");
        assert!(found[2].words.contains("--holmes-api-key"), "{found:?}");
    }

    #[tokio::test]
    async fn a_model_that_is_not_there_is_told_with_what_that_means() {
        let set = [("embeddings-url", "http://127.0.0.1:1/v1/embeddings"), ("embeddings-model", "m")];
        let found = look(&config(&[set[0], set[1], ("embeddings-allow-private", "on")])).await;
        assert_eq!((found.len(), found[0].subject, found[0].outcome), (1, "Embeddings", PreflightOutcome::Note));
        assert!(found[0].words.ends_with("the catalog is then searched by its text alone"), "{found:?}");
    }
}
