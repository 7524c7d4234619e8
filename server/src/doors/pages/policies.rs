//! The forms of the approval policy: the next version, checked or kept, and putting one in force.

use super::{Parts, again, reauthentication::Sent, who};
use crate::{
    doors::{
        access::{Access, Routes},
        form::{Form, field},
        gate::Gate,
    },
    urlencoded,
};
use app::{
    FormOutcome,
    pages::settings::policies::{CHECKED, YAML, version::Done},
};
use axum::{
    extract::{Path, State},
    http::{Method, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    fault::{Fault, code},
    identity::Right,
    services::{Answer, PolicyService, ServiceError},
};

const PAGE: &str = "/settings/policies";

pub fn routes(routes: Routes) -> Routes {
    let write = Access::Needs(Right::PoliciesWrite);
    routes.add(Method::POST, PAGE, write, written).add(
        Method::POST,
        "/settings/policies/{version}/activate",
        write,
        activate,
    )
}

/// A button of the form was pressed.
async fn written(State(gate): State<Gate>, parts: Parts, Form(fields): Form) -> Response {
    // Browsers send a text area's line ends in their own way.
    let yaml = field(&fields, YAML).unwrap_or_default().replace("\r\n", "\n");
    let typed = vec![(YAML.to_owned(), yaml.clone())];
    let outcome = async {
        let caller = who(&parts)?;
        if yaml.is_empty() {
            return Err(ServiceError::Invalid(vec![Fault::new("", code::REQUIRED, "write a policy")]));
        }
        if field(&fields, "act") == Some("keep") {
            return gate.services.draft_policy(&caller, &yaml).await.map(|record| Some(record.version));
        }
        gate.services.check_policy(&caller, &yaml).await.map(|_| None)
    };
    match outcome.await {
        Ok(Some(version)) => Redirect::to(&Done::Kept.address(version)).into_response(),
        Ok(None) => {
            let fine =
                FormOutcome { fields: typed, code: CHECKED.into(), status: StatusCode::OK, ..FormOutcome::default() };
            again(&gate, PAGE, parts, fine).await
        }
        Err(error) => again(&gate, PAGE, parts, FormOutcome::refused(typed, &error)).await,
    }
}

async fn activate(State(gate): State<Gate>, Path(version): Path<String>, sent: Sent) -> Response {
    let page = format!("{PAGE}/{}", urlencoded::segment(&version));
    match activated(&gate, &version, &sent.parts, field(&sent.fields, "reason")).await {
        Ok(to) => Redirect::to(&to).into_response(),
        Err(ServiceError::SignInAgain(why)) => sent.ask(&gate, why).await,
        Err(error) => again(&gate, &page, sent.parts, FormOutcome::refused(sent.fields, &error)).await,
    }
}

async fn activated(gate: &Gate, version: &str, parts: &Parts, reason: Option<&str>) -> Answer<String> {
    let version = version.parse::<u32>().map_err(|_| ServiceError::NotFound("version of the policy"))?;
    let answer = gate.services.activate_policy(&who(parts)?, version, reason.map(str::to_owned)).await?;
    let done = if answer.have >= answer.need { Done::Active } else { Done::Agreed };
    Ok(done.address(version))
}
