//! Prometheus (`GET /api/v1/query`): whether a number that was declared for a signal has moved since the run began.

use super::ask::Ask;
use crate::config::MetricQuery;
use domain::{assessment::judge::MetricSeen, recommendation::ResourceRef, time::Timestamp};
use serde_json::Value;

/// Asks one Prometheus.
pub struct Prometheus {
    ask: Ask,
    queries: Vec<MetricQuery>,
}

impl Prometheus {
    pub fn new(ask: Ask, queries: Vec<MetricQuery>) -> Self {
        Self { ask, queries }
    }

    /// Whether it answers; otherwise why not.
    pub async fn answers(&self) -> Result<(), String> {
        self.value("vector(1)", None).await.map(drop)
    }

    /// The number of this signal when the run began, and now; none where no query is declared for it.
    pub async fn moved(&self, signal: &str, target: Option<&ResourceRef>, began: Timestamp) -> Option<MetricSeen> {
        let declared = self.queries.iter().find(|query| query.signal_type == signal)?;
        let Some(query) = filled(&declared.query, target) else {
            return Some(MetricSeen::Unknown { why: "its query names a target, and there is none".into() });
        };
        let (before, after) = tokio::join!(self.value(&query, Some(began)), self.value(&query, None));
        Some(match (before, after) {
            (Ok(before), Ok(after)) => MetricSeen::Read { before, after, better: declared.better },
            (Err(why), _) | (_, Err(why)) => MetricSeen::Unknown { why: format!("Prometheus does not tell: {why}") },
        })
    }

    async fn value(&self, query: &str, at: Option<Timestamp>) -> Result<f64, String> {
        let time = at.map(|at| at.to_string());
        let mut pairs = vec![("query", query)];
        pairs.extend(time.as_deref().map(|time| ("time", time)));
        number(&self.ask.get("/api/v1/query", &pairs).await?)
    }
}

/// The one number of an answer.
fn number(answer: &Value) -> Result<f64, String> {
    if answer["status"] != "success" {
        return Err(answer["error"].as_str().unwrap_or("the query failed").to_owned());
    }
    let (of, result) = (&answer["data"]["resultType"], &answer["data"]["result"]);
    let pair = if of == "scalar" {
        result
    } else {
        match result.as_array().map(Vec::as_slice) {
            Some([one]) => &one["value"],
            Some([]) => return Err("the query gives no number".into()),
            _ => return Err("the query gives several numbers: make one of them, by sum() or max()".into()),
        }
    };
    let number = pair[1].as_str().and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
    number.ok_or_else(|| "the query gives no number".to_owned())
}

/// The query about this target. A name is only put in where it can mean nothing else.
fn filled(query: &str, target: Option<&ResourceRef>) -> Option<String> {
    let plain = |text: &str| {
        let good =
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        good.then(|| text.to_owned())
    };
    let mut filled = query.to_owned();
    for (place, value) in [
        ("$namespace", target.and_then(|of| of.namespace.as_deref())),
        ("$name", target.map(|of| of.name.as_str())),
        ("$kind", target.map(|of| of.kind.as_str())),
    ] {
        if filled.contains(place) {
            filled = filled.replace(place, &plain(value?)?);
        }
    }
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_is_one_number_or_none() {
        let vector =
            |result: Value| number(&json!({"status": "success", "data": {"resultType": "vector", "result": result}}));
        assert_eq!(vector(json!([{"metric": {}, "value": [1_435_781_451.781, "1.5"]}])), Ok(1.5));
        let scalar = json!({"status": "success", "data": {"resultType": "scalar", "result": [1, "2"]}});
        assert_eq!(number(&scalar), Ok(2.0));
        assert!(vector(json!([])).is_err());
        assert!(vector(json!([{"value": [1, "NaN"]}])).is_err(), "no data is none");
        assert!(vector(json!([{"value": [1, "1"]}, {"value": [1, "2"]}])).unwrap_err().contains("sum()"));
        assert_eq!(number(&json!({"status": "error", "error": "parse error"})), Err("parse error".into()));
    }

    #[test]
    fn a_query_takes_names_of_objects_and_nothing_else() {
        let target =
            |name: &str| ResourceRef { kind: "Deployment".into(), namespace: Some("shop".into()), name: name.into() };
        let query = "sum(x{namespace=\"$namespace\",pod=~\"$name-.*\"})";
        let good = filled(query, Some(&target("cart")));
        assert_eq!(good.as_deref(), Some("sum(x{namespace=\"shop\",pod=~\"cart-.*\"})"));
        assert_eq!(filled(query, Some(&target("x\"} or vector(0) or x{y=\""))), None);
        assert_eq!(filled(query, None), None);
        assert_eq!(filled("up", None).as_deref(), Some("up"));
    }
}
