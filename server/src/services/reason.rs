//! The reason that a person gives for an act. It goes into the audit trail, by whichever door it comes.

use domain::{
    fault::{Complaint, code},
    services::{Answer, ServiceError},
    text,
};

/// The most characters of a reason.
const MAX: usize = 4096;

/// The reason as it is kept; without blanks around it; a blank one is none.
pub fn checked(reason: Option<String>) -> Answer<Option<String>> {
    let reason = reason.unwrap_or_default().trim().to_owned();
    if reason.is_empty() {
        return Ok(None);
    }
    let length = if reason.chars().nth(MAX).is_some() {
        Err(Complaint::new(code::TOO_LONG, format!("shorten the reason to {MAX} characters")))
    } else {
        Ok(())
    };
    match length.and_then(|()| text::check_paragraphs(&reason)) {
        Ok(()) => Ok(Some(reason)),
        Err(complaint) => Err(ServiceError::Invalid(vec![complaint.at("/reason")])),
    }
}
