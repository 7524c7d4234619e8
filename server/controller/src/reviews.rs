//! What the API server is asked about others: whose a token is (TokenReview), and what somebody may (SubjectAccessReview). Nothing is
//! made by it. `deploy/components/auth-delegator` gives the console the right to ask.

use crate::calls::Calls;
use domain::ports::{ClusterError, ClusterRight, ClusterUser};
use serde_json::{Value, json};

/// What the API server is to be asked about others, by the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reviews {
    /// Whose a token is.
    pub tokens: bool,
    /// What somebody may who approves.
    pub people: bool,
}

/// Whose this token is. One that was made for another audience is nobody's, also where the API server does not look at audiences: then
/// it answers with none.
pub async fn whose_token(calls: &Calls, token: &str, audience: &str) -> Result<Option<ClusterUser>, ClusterError> {
    let question = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": { "token": token, "audiences": [audience] },
    });
    let answer = calls.post("/apis/authentication.k8s.io/v1/tokenreviews", &question).await?;
    Ok(told(&answer["status"], audience))
}

fn told(status: &Value, audience: &str) -> Option<ClusterUser> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
    };
    let username = status["user"]["username"].as_str().filter(|name| !name.is_empty())?;
    let good = status["authenticated"] == true && texts(&status["audiences"]).iter().any(|one| one == audience);
    good.then(|| ClusterUser { username: username.to_owned(), groups: texts(&status["user"]["groups"]) })
}

/// Whether somebody has this right.
pub async fn may(calls: &Calls, user: &ClusterUser, right: &ClusterRight) -> Result<bool, ClusterError> {
    let (resource, group) = right.resource.split_once('.').unwrap_or((right.resource, ""));
    let question = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": user.username,
            "groups": user.groups,
            // No namespace is all of them.
            "resourceAttributes": {
                "namespace": right.namespace.as_deref().unwrap_or_default(),
                "verb": right.verb, "group": group, "resource": resource,
            },
        },
    });
    let answer = calls.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", &question).await?;
    // What is denied outright is denied, whatever else allows it.
    Ok(answer["status"]["allowed"] == true && answer["status"]["denied"] != true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_token_for_this_audience_is_somebodys() {
        let user = json!({ "username": "system:serviceaccount:a:b", "groups": ["system:serviceaccounts"] });
        let status = |authenticated: Value, audiences: Value| json!({ "authenticated": authenticated, "user": user, "audiences": audiences });
        let good = told(&status(json!(true), json!(["x", "console"])), "console").unwrap();
        assert_eq!((good.username.as_str(), good.groups.len()), ("system:serviceaccount:a:b", 1));
        for bad in [
            status(json!(true), json!(["x"])),
            // An API server that looks at no audiences.
            status(json!(true), json!(null)),
            status(json!(false), json!(["console"])),
            status(json!("true"), json!(["console"])),
            json!({ "authenticated": true, "user": {}, "audiences": ["console"] }),
            json!(null),
        ] {
            assert_eq!(told(&bad, "console"), None, "{bad}");
        }
    }
}
