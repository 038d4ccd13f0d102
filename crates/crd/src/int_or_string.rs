//! A value that is either a number or a text.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A number or a text? For ports the difference is that of number and name; for durations a bare
/// number means seconds either way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum IntOrString {
    /// A number; Kubernetes keeps 32 bits of it.
    Int(i32),
    /// A text.
    String(String),
}

// Derived for an untagged enum it would say of a mismatch only that "no variant matches".
impl<'de> Deserialize<'de> for IntOrString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IntOrStringVisitor)
    }
}

struct IntOrStringVisitor;

impl Visitor<'_> for IntOrStringVisitor {
    type Value = IntOrString;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of 32 bits or a text")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<IntOrString, E> {
        i32::try_from(number)
            .map(IntOrString::Int)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<IntOrString, E> {
        i32::try_from(number)
            .map(IntOrString::Int)
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<IntOrString, E> {
        Ok(IntOrString::String(text.to_owned()))
    }
}

impl fmt::Display for IntOrString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => number.fmt(f),
            Self::String(text) => f.write_str(text),
        }
    }
}

impl JsonSchema for IntOrString {
    fn schema_name() -> Cow<'static, str> {
        "IntOrString".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "x-kubernetes-int-or-string": true })
    }
}

#[cfg(test)]
mod tests {
    use super::IntOrString;

    #[test]
    fn numbers_and_texts_stay_what_they_are() {
        for (json, expected) in [
            ("80", IntOrString::Int(80)),
            ("-1", IntOrString::Int(-1)),
            ("\"80\"", IntOrString::String("80".to_owned())),
            ("\"\"", IntOrString::String(String::new())),
        ] {
            let value: IntOrString = serde_json::from_str(json).unwrap();
            assert_eq!(value, expected, "{json}");
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
        }
        for json in [
            "2147483648",
            "-2147483649",
            "8.5",
            "true",
            "null",
            "[]",
            "{}",
        ] {
            assert!(serde_json::from_str::<IntOrString>(json).is_err(), "{json}");
        }
    }
}
