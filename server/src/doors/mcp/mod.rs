//! `/mcp`: the Model Context Protocol over streamable HTTP, for models that propose (`api.md`). Messages and their versions are rmcp's
//! affair; who may what, how long a body is, which hosts and origins are ours stand before it, as before every door. There are no
//! sessions: each request stands for itself, so that any replica answers it, and its right is asked for anew.

mod arguments;
mod desk;
mod told;
mod tools;

use super::{
    access::{Access, Declared, Routes, Who, Whose},
    body,
    gate::Gate,
    problem::Problem,
};
use axum::{
    body::Body,
    extract::{Request, State},
    http::Method,
    response::Response,
};
use desk::Desk;
use domain::identity::Right;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use serde_json::Value;
use std::sync::Arc;
use tools::Tool;

/// Where it is.
pub const PATH: &str = "/mcp";

/// Adds the one route. What each tool takes beyond its right is looked at before the tool is ([`answer`]).
pub fn routes(routes: Routes) -> Routes {
    routes.add(Method::POST, PATH, Access::Needs(Right::CatalogSearch), answer)
}

/// What each tool needs, for the table of rights.
pub fn declared() -> Vec<Declared> {
    let of = |tool: Tool| Declared {
        method: Method::POST,
        path: tool.path(),
        access: Access::Needs(tool.right()),
        whose: Whose::Anybodys,
    };
    Tool::ALL.map(of).into()
}

/// Answers one message. Who lacks the right to a tool is refused as by REST, with 403, and nothing of its arguments is looked at.
async fn answer(State(gate): State<Gate>, Who(mut caller): Who, request: Request) -> Result<Response, Problem> {
    let (parts, sent) = request.into_parts();
    let sent = body::sent(Request::from_parts(parts.clone(), sent), &()).await?;
    let message = body::parse(&sent)?;
    if let Some(tool) = called(&message) {
        caller.require(tool.right()).map_err(|denied| Problem::denied(&denied))?;
        caller.route = format!("POST {}", tool.path());
    }
    let desk = Desk::new(gate.services, caller, gate.public_url);
    let service =
        StreamableHttpService::new(move || Ok(desk.clone()), Arc::new(NeverSessionManager::default()), rules());
    let answer = service.handle(Request::from_parts(parts, Body::from(sent))).await;
    Ok(answer.map(Body::new))
}

/// The tool that a message calls, if it calls one that there is.
fn called(message: &Value) -> Option<Tool> {
    (message["method"] == "tools/call").then(|| Tool::from_name(message["params"]["name"].as_str()?)).flatten()
}

/// Hosts and origins are judged before ([`super::entrance`], [`super::guard`]), where ports, proxies and further names are known.
fn rules() -> StreamableHttpServerConfig {
    StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .disable_allowed_origins()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(body::MAX_BODY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::identity::Role;
    use serde_json::json;

    #[test]
    fn the_tool_is_known_before_the_message_is_understood() {
        let call = |name: &str| json!({ "method": "tools/call", "params": { "name": name, "arguments": 1 } });
        assert_eq!(called(&call("submit_recommendation")), Some(Tool::SubmitRecommendation));
        assert_eq!(called(&call("no_such_tool")), None);
        for other in [json!([call("submit_recommendation")]), json!({ "method": "tools/list" }), json!(null)] {
            assert_eq!(called(&other), None, "{other}");
        }
    }

    #[test]
    fn a_token_that_proposes_may_use_every_tool() {
        for tool in Tool::ALL {
            assert!(Role::Propose.grants(tool.right()), "{}", tool.name());
            assert!(!Role::Ingest.grants(tool.right()), "{}", tool.name());
            assert_eq!(tool.path(), format!("{PATH}#{}", tool.name()));
        }
    }
}
