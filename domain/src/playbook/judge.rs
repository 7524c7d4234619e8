//! JSON Schema as a judge of values: linear-time patterns with a size cap, no references out of the schema, and verdicts that
//! say what to do. Knows schemas, not registrations.

use jsonschema::error::{ValidationError, ValidationErrorKind};
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use super::parameter::Parameter;
use super::{scalar, schema};
use crate::fault::{Complaint, code};
use crate::reader::{described, quoted};

/// The largest compiled pattern, in bytes: enough for any name or quantity, and a bound on what 64 of them can cost.
const PATTERN_BYTES: usize = 256 * 1024;

/// A compiled schema.
pub(super) struct Judge(Validator);

impl Judge {
    /// Compiles a schema.
    ///
    /// # Errors
    /// The complaint is about what the schema was made from.
    pub fn new(schema: &Value) -> Result<Self, Complaint> {
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES))
            .offline()
            .build(schema)
            .map(Self)
            .map_err(|error| Complaint::new("bad_schema", error.to_string()))
    }

    /// The judge of one parameter's values. Only its pattern can make this fail.
    pub fn of_parameter(parameter: &Parameter) -> Result<Self, Complaint> {
        Self::new(&schema::property(parameter)).map_err(|complaint| match &parameter.pattern {
            Some(pattern) => bad_pattern(pattern),
            None => complaint,
        })
    }

    /// What is wrong with a value, as a list of complaints without places.
    pub fn complaints(&self, value: &Value) -> Vec<Complaint> {
        self.0.iter_errors(value).map(|error| complaint(&error)).collect()
    }

    /// What is wrong with a value, as the library says it.
    pub fn errors<'a>(&'a self, value: &'a Value) -> impl Iterator<Item = ValidationError<'a>> {
        self.0.iter_errors(value)
    }
}

/// The verdict on one value in words that a model can act on.
pub(super) fn complaint(error: &ValidationError<'_>) -> Complaint {
    let got = scalar::shown(error.instance());
    match error.kind() {
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().map(scalar::shown_list).unwrap_or_default();
            Complaint::new(code::NOT_ALLOWED, format!("choose one of {options}, not {got}"))
        }
        ValidationErrorKind::Pattern { pattern } => {
            Complaint::new("pattern_mismatch", format!("send a value that matches {}: {got} does not", quoted(pattern)))
        }
        ValidationErrorKind::Minimum { limit } => {
            Complaint::new(code::OUT_OF_RANGE, format!("send at least {limit}, not {got}"))
        }
        ValidationErrorKind::Maximum { limit } => {
            Complaint::new(code::OUT_OF_RANGE, format!("send at most {limit}, not {got}"))
        }
        ValidationErrorKind::MinLength { limit } => {
            Complaint::new(code::TOO_SHORT, format!("send at least {limit} characters: {got} is shorter"))
        }
        ValidationErrorKind::MaxLength { limit } => {
            Complaint::new(code::TOO_LONG, format!("send at most {limit} characters: {got} is longer"))
        }
        ValidationErrorKind::Type { .. } => Complaint::new(
            code::WRONG_TYPE,
            format!("send a value of the declared type, not {}", described(error.instance())),
        ),
        _ => Complaint::new("schema_mismatch", format!("{}: mend it as the schema says", error.masked_with(&got))),
    }
}

/// Why a pattern cannot be used.
fn bad_pattern(pattern: &str) -> Complaint {
    let reason = match regex::RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).build() {
        Err(regex::Error::CompiledTooBig(_)) => "it is too large when compiled: repeat less".to_owned(),
        Err(error) => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
        Ok(_) => "it is not an ECMA-262 pattern".to_owned(),
    };
    let message =
        format!("mend the pattern: {reason} (patterns run in linear time, without look-around and back-references)");
    Complaint::new("bad_pattern", message)
}
