//! Where one caller's message is answered: it lists the tools that they may use, and calls the services as them. Made for each
//! request, so that it holds nobody's right longer than that.

use super::{
    arguments, told,
    tools::{self, Tool},
};
use crate::services::{Services, models};
use domain::{
    identity::Caller,
    services::{Answer, ApprovalService, CatalogService, ServiceError},
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult,
        PaginatedRequestParams, ServerCapabilities, ServerConfig,
    },
    service::RequestContext,
};
use serde_json::Value;
use std::sync::Arc;

/// The services, as one caller may use them.
#[derive(Clone)]
pub struct Desk {
    services: Services,
    caller: Caller,
    public_url: Arc<str>,
}

impl Desk {
    /// For this caller.
    pub fn new(services: Services, caller: Caller, public_url: Arc<str>) -> Self {
        Self { services, caller, public_url }
    }

    async fn call(&self, tool: Tool, sent: &Value) -> Answer<Value> {
        let caller = &self.caller;
        match tool {
            Tool::SearchPlaybooks => {
                let (filter, most) = arguments::search(sent)?;
                Ok(told::hits(&self.services.find_for_model(caller, &filter, most).await?))
            }
            Tool::GetPlaybookSchema => {
                let (id, version) = arguments::version(sent)?;
                let found = match &version {
                    Some(version) => self.services.version(caller, &id, version).await,
                    None => self.services.newest(caller, &id).await,
                };
                let found = found.map_err(|error| match error {
                    ServiceError::NotFound(_) => models::unknown(&id, version.as_ref()),
                    other => other,
                })?;
                Ok(told::parameters(&found))
            }
            Tool::ValidateStrategy => {
                let tried = self.services.try_strategy(caller, sent).await?;
                if tried.runnable() { Ok(told::valid(&tried)) } else { Err(ServiceError::Invalid(tried.errors)) }
            }
            Tool::SubmitRecommendation => {
                let taken = self.services.submit(caller, sent).await?;
                Ok(told::taken(&taken, &self.public_url))
            }
            Tool::GetTrackRecord => {
                let id = arguments::playbook(sent)?;
                Ok(told::record(id.as_str(), &self.services.record_for_model(caller, &id).await?))
            }
        }
    }
}

impl ServerHandler for Desk {
    fn get_info(&self) -> ServerConfig {
        let name = Implementation::new("kubernaut-console", env!("CARGO_PKG_VERSION")).with_title("Kubernaut Console");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(name)
            .with_instructions(tools::INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let record = self.services.models_see_record();
        let shown = Tool::ALL.into_iter().filter(|tool| tool.is_for(&self.caller, record));
        Ok(ListToolsResult::with_all_items(shown.map(Tool::listed).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = Tool::from_name(&request.name) else {
            let names = Tool::ALL.map(Tool::name).join(", ");
            return Err(ErrorData::invalid_params(format!("there is no such tool; there are: {names}"), None));
        };
        let sent = Value::Object(request.arguments.unwrap_or_default());
        let result = match self.call(tool, &sent).await {
            Ok(answer) => CallToolResult::success(vec![ContentBlock::text(answer.to_string())]),
            Err(error) => CallToolResult::error(vec![ContentBlock::text(told::refusal(error))]),
        };
        Ok(result.into())
    }
}
