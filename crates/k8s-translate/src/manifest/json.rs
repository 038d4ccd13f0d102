//! JSON values, from JSON text and from YAML values.

use serde_json::{Map, Value};

use super::Document;

/// Reads the text as JSON documents, or says by `None` that it is not JSON: YAML's flow style looks
/// alike, and explains its errors as well.
pub(super) fn documents(text: &str) -> Option<Vec<Document>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let mut documents = Vec::new();
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    loop {
        let line = next_line(text, values.byte_offset());
        match values.next() {
            None => return Some(documents),
            Some(Ok(object)) => documents.push(Document {
                line,
                object: Ok(object),
            }),
            Some(Err(_)) => return None,
        }
    }
}

/// The line of the next value after this offset.
fn next_line(text: &str, offset: usize) -> usize {
    let blank = text[offset..].len() - text[offset..].trim_start().len();
    1 + text[..offset + blank].matches('\n').count()
}

/// What the JSON that `kubectl` sends would hold.
pub(super) fn from_yaml(value: serde_yaml::Value) -> Result<Value, String> {
    Ok(match value {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(bool) => Value::Bool(bool),
        serde_yaml::Value::Number(number) => from_number(&number)?,
        serde_yaml::Value::String(string) => Value::String(string),
        serde_yaml::Value::Sequence(items) => {
            Value::Array(items.into_iter().map(from_yaml).collect::<Result<_, _>>()?)
        }
        serde_yaml::Value::Mapping(entries) => Value::Object(
            entries
                .into_iter()
                .map(|(key, value)| Ok((from_key(key)?, from_yaml(value)?)))
                .collect::<Result<Map<_, _>, String>>()?,
        ),
        serde_yaml::Value::Tagged(tagged) => {
            return Err(format!("the tag {} has no meaning here", tagged.tag));
        }
    })
}

fn from_number(number: &serde_yaml::Number) -> Result<Value, String> {
    if let Some(number) = number.as_i64() {
        return Ok(number.into());
    }
    if let Some(number) = number.as_u64() {
        return Ok(number.into());
    }
    number
        .as_f64()
        .and_then(serde_json::Number::from_f64)
        .map(Value::Number)
        .ok_or_else(|| format!("{number} cannot be written as JSON"))
}

fn from_key(key: serde_yaml::Value) -> Result<String, String> {
    match key {
        serde_yaml::Value::String(key) => Ok(key),
        serde_yaml::Value::Bool(key) => Ok(key.to_string()),
        serde_yaml::Value::Number(key) => Ok(key.to_string()),
        _ => Err("a key must be text".to_owned()),
    }
}
