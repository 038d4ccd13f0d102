//! JSON.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::locate::{Places, Spot};
use super::{Node, ScalarKind, Unparsable, Value};

pub(super) fn parse(text: &str) -> Result<Node, Unparsable> {
    let places = Places::of(text);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let node = At(places.root()).deserialize(&mut deserializer);
    node.and_then(|node| deserializer.end().map(|()| node))
        .map_err(|error| {
            let message = error.to_string();
            Unparsable {
                line: error.line(),
                problem: match message.rfind(" at line ") {
                    Some(end) => message[..end].to_owned(),
                    None => message,
                },
            }
        })
}

/// Reads the value at this place.
struct At<'p>(Spot<'p>);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::new(Value::Null, self.0.line()))
    }

    fn visit_bool<E: Error>(self, bool: bool) -> Result<Node, E> {
        Ok(Node::scalar(
            bool.to_string(),
            ScalarKind::Bool,
            self.0.line(),
        ))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
        Ok(Node::scalar(
            number.to_string(),
            ScalarKind::Number,
            self.0.line(),
        ))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::scalar(
            number.to_string(),
            ScalarKind::Number,
            self.0.line(),
        ))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Node, E> {
        Ok(Node::float(number, self.0.line()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::text(text, self.0.line()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(At(self.0.item(items.len())))? {
            items.push(item);
        }
        Ok(Node::new(Value::Seq(items), self.0.line()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut seen = std::collections::HashSet::new();
        let mut entries = Vec::new();
        while let Some(key) = access.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format_args!(
                    "the key {key:?} is given twice"
                )));
            }
            let value = access.next_value_seed(At(self.0.entry(&key)))?;
            entries.push((key, value));
        }
        Ok(Node::new(Value::Map(entries), self.0.line()))
    }
}
