//! `/mcp` as a model's client speaks it. The two official clients are tried beside this, in end2end/mcp.test.mjs.

mod budget;
mod intake;
mod leaks;
mod protocol;
mod search;
mod submit;

use crate::support::{Answer, Caller};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// The message that calls a tool; without a name the one that lists them.
pub fn call(tool: &str, arguments: &Value) -> Value {
    let named = !tool.is_empty() && tool != "/mcp";
    let params = if named { json!({ "name": tool, "arguments": arguments }) } else { json!({}) };
    let method = if named { "tools/call" } else { "tools/list" };
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// A message as clients send it.
pub fn sent(request: RequestBuilder, message: &Value) -> RequestBuilder {
    let accepted = request.header("accept", "application/json, text/event-stream");
    accepted.header("mcp-protocol-version", "2025-06-18").json(message)
}

/// What a tool said.
pub struct Said {
    pub error: bool,
    pub text: String,
    /// The same read as JSON, where it is some.
    pub json: Value,
}

impl Caller<'_> {
    pub async fn message(&self, message: &Value) -> Answer {
        self.send(sent(self.request(Method::POST, "/mcp"), message)).await
    }

    /// Calls a tool that may be called.
    pub async fn tool(&self, name: &str, arguments: &Value) -> Said {
        let answer = self.message(&call(name, arguments)).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
        let result = &answer.json["result"];
        let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{name}: {}", answer.text));
        let error = result["isError"].as_bool().unwrap_or_default();
        Said { error, text: text.to_owned(), json: serde_json::from_str(text).unwrap_or(Value::Null) }
    }
}
