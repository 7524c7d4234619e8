//! Parameters of a playbook, as they stand in a registration. Only the shapes; the rules are in the intake.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::names::{ParameterName, SecretKey, SecretName};

/// What kind of value a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ParameterType {
    /// Text on one line.
    String,
    /// A whole number within ±(2^53 − 1).
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
}

impl ParameterType {
    /// The words on the wire and what they mean.
    pub const WORDS: &[(&str, Self)] =
        &[("string", Self::String), ("integer", Self::Integer), ("number", Self::Number), ("boolean", Self::Boolean)];

    /// Whether `minimum` and `maximum` mean something.
    pub fn is_numeric(self) -> bool {
        matches!(self, Self::Integer | Self::Number)
    }
}

impl fmt::Display for ParameterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        })
    }
}

/// A parameter that a model sees and fills.
///
/// Values (`default`, `enum`, `examples`, in `depends_on`) are of the parameter's type and in one form: whole numbers are
/// written without a fraction, so that equal values are equal here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Parameter {
    /// The environment variable.
    pub name: ParameterName,
    /// What to put in, for a model and for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ParameterType,
    /// Whether a value is needed: always without `depends_on`, else when that holds. A default is a value.
    #[serde(default)]
    pub required: bool,
    /// The value when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The only values allowed; empty means any.
    #[serde(rename = "enum", default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<Value>,
    /// An ECMA-262 pattern that a part of the text must match (`^` and `$` tie it to the whole). Linear time: no look-around,
    /// no back-references.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The least number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub minimum: Option<Number>,
    /// The greatest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub maximum: Option<Number>,
    /// The fewest characters (Unicode code points).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u32>,
    /// The most characters (Unicode code points).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// Values that would do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Value>,
    /// The parameter is allowed, and if `required` then needed, only when each of these has one of the values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub depends_on: BTreeMap<ParameterName, Vec<Value>>,
    /// Only ever `env.` and its own name (parameter seed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tekton_mapping: Option<String>,
}

impl Parameter {
    /// Whether a value must always be given: required, with nothing to fall back to and nothing it depends on.
    pub fn always_needed(&self) -> bool {
        self.required && self.default.is_none() && self.depends_on.is_empty()
    }
}

/// A parameter that is set at registration and never shown to a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HiddenParameter {
    /// The environment variable.
    pub name: ParameterName,
    /// Where its value comes from.
    #[serde(flatten)]
    pub source: HiddenSource,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// Where the value of a hidden parameter comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HiddenSource {
    /// From the registration.
    Value(String),
    /// From a Secret in the namespace of the run; its value is never read by the console.
    SecretRef {
        /// The Secret.
        name: SecretName,
        /// The key in it.
        key: SecretKey,
    },
}

/// All parameters of a playbook. A flat list on the wire is read as all exposed, and always written in this form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Parameters {
    /// Shown to a model and filled from its answer.
    #[serde(default)]
    pub exposed: Vec<Parameter>,
    /// Set at registration.
    #[serde(default)]
    pub hidden: Vec<HiddenParameter>,
}
