//! A tree into the value that is wanted.
//!
//! The rules are those of Traefik's parser: names of fields in any case, scalars read as the wanted
//! type, a scalar for a list cut at its commas, nothing (`null`) as if it were not written, an
//! object without content refused where the field does not allow it. Unlike there, all unknown
//! fields are collected, and everything knows its place.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};

use crate::node::{Node, Scalar, ScalarKind, Value};

mod path;
mod suggest;

pub(crate) use path::Path;
pub(crate) use suggest::closest;

/// Something that does not fit, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) kind: ProblemKind,
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    UnknownField,
    DuplicateField,
    EmptyElement,
    InvalidValue,
}

/// Reads a value of the type.
///
/// # Errors
///
/// All unknown and doubled fields, and the first value that does not fit.
pub(crate) fn decode<T: DeserializeOwned>(
    node: &Node,
    path: Path<'_>,
    empty: EmptyObjects,
) -> Result<T, Vec<Problem>> {
    let context = Context::new(empty);
    // Each turn leaves out one more object that is switched off by `false`.
    loop {
        context.problems.borrow_mut().clear();
        let at = At {
            node,
            path,
            place: Place::Item,
            context: &context,
        };
        let result = T::deserialize(at);
        let mut problems = context.problems.take();
        match result {
            Err(Refusal::SwitchedOff(node)) => {
                context.switched_off.borrow_mut().insert(node);
                continue;
            }
            Err(Refusal::Problem(problem)) => problems.push(*problem),
            Ok(value) if problems.is_empty() => return Ok(value),
            Ok(_) => {}
        }
        return Err(problems);
    }
}

/// Objects that may be written without content, or as `true`, by the struct that holds them.
///
/// Traefik: fields with the tag `allowEmpty`.
const MAY_BE_EMPTY: &[(&str, &str)] = &[
    ("EntryPoint", "http3"),
    ("EntryPoint", "proxyProtocol"),
    ("EntryPointHttp", "tls"),
    ("Failover", "healthCheck"),
    ("HighestRandomWeight", "healthCheck"),
    ("IpAllowList", "ipStrategy"),
    ("IpWhiteList", "ipStrategy"),
    ("LoadBalancer", "sticky"),
    ("Middleware", "compress"),
    ("Middleware", "contentType"),
    ("Mirroring", "healthCheck"),
    ("Providers", "http"),
    ("Providers", "kubernetesCRD"),
    ("Router", "tls"),
    ("RouterObservability", "metadata"),
    ("ServersTransport", "spiffe"),
    ("Service", "observability"),
    ("Sticky", "cookie"),
    ("Weighted", "healthCheck"),
    ("Written", "api"),
    ("Written", "global"),
    ("Written", "log"),
    ("Written", "ping"),
];

/// Lists of which an empty one says something else than none. Everywhere else an empty list is as
/// if it were not written. (Traefik: everywhere.)
const MEANT_WHEN_EMPTY: &[&str] = &["crossProviderNamespaces"];

/// What becomes of objects without content?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EmptyObjects {
    /// They are refused unless their field allows it: a person forgot something.
    Refused,
    /// They are what is left where a program leaves out zero values.
    Allowed,
}

#[derive(Debug)]
struct Context {
    empty: EmptyObjects,
    problems: RefCell<Vec<Problem>>,
    /// Addresses of nodes that are to be passed over.
    switched_off: RefCell<HashSet<usize>>,
}

impl Context {
    fn new(empty: EmptyObjects) -> Self {
        Self {
            empty,
            problems: RefCell::default(),
            switched_off: RefCell::default(),
        }
    }

    fn report(&self, kind: ProblemKind, path: Path<'_>, line: usize, message: String) {
        self.problems.borrow_mut().push(Problem {
            kind,
            path: path.to_string(),
            line,
            message,
        });
    }

    fn is_switched_off(&self, node: &Node) -> bool {
        self.switched_off.borrow().contains(&address(node))
    }
}

fn address(node: &Node) -> usize {
    std::ptr::from_ref(node).addr()
}

/// Why reading stopped.
#[derive(Debug)]
enum Refusal {
    Problem(Box<Problem>),
    /// The object at this address is written as `false`.
    SwitchedOff(usize),
}

impl Refusal {
    fn new(kind: ProblemKind, at: &At<'_>, message: String) -> Self {
        Self::Problem(Box::new(Problem {
            kind,
            path: at.path.to_string(),
            line: at.node.line,
            message,
        }))
    }

    /// Gives a problem without a place this one.
    fn at(mut self, path: Path<'_>, line: usize) -> Self {
        if let Self::Problem(problem) = &mut self
            && problem.path.is_empty()
        {
            problem.path = path.to_string();
            problem.line = line;
        }
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problem(problem) => f.write_str(&problem.message),
            Self::SwitchedOff(_) => f.write_str("switched off"),
        }
    }
}

impl std::error::Error for Refusal {}

impl de::Error for Refusal {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Problem(Box::new(Problem {
            kind: ProblemKind::InvalidValue,
            path: String::new(),
            line: 0,
            message: message.to_string(),
        }))
    }
}

/// A node, where it stands, and what is known there.
#[derive(Debug, Clone, Copy)]
struct At<'a> {
    node: &'a Node,
    path: Path<'a>,
    place: Place,
    context: &'a Context,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Field {
        may_be_empty: bool,
    },
    /// In a list or a map, or the whole: may be empty.
    Item,
}

impl<'a> At<'a> {
    fn scalar(&self) -> Result<&'a Scalar, Refusal> {
        match &self.node.value {
            Value::Scalar(scalar) => Ok(scalar),
            Value::Null | Value::Seq(_) | Value::Map(_) => Err(self.expected("a single value")),
        }
    }

    fn expected(&self, what: &str) -> Refusal {
        let message = format!("expected {what}, found {}", self.node.what());
        Refusal::new(ProblemKind::InvalidValue, self, message)
    }

    fn number<T: std::str::FromStr>(&self) -> Result<T, Refusal> {
        let text = &self.scalar()?.text;
        text.parse().map_err(|_| self.expected("a whole number"))
    }

    fn bool(&self) -> Result<bool, Refusal> {
        match self.scalar()?.text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            _ => Err(self.expected("true or false")),
        }
    }

    /// The entries of an object; none for one that is switched on without content.
    fn entries(&self) -> Result<&'a [(String, Node)], Refusal> {
        let may_be_empty = matches!(self.place, Place::Field { may_be_empty: true });
        match &self.node.value {
            Value::Map(entries) => {
                let is_item = matches!(self.place, Place::Item);
                let is_refused = self.context.empty == EmptyObjects::Refused;
                if is_refused && self.node.value.is_empty() && !is_item && !may_be_empty {
                    return Err(self.standalone());
                }
                Ok(entries)
            }
            Value::Scalar(scalar) if may_be_empty => {
                match scalar.text.to_ascii_lowercase().as_str() {
                    "" | "true" => Ok(&[]),
                    "false" => Err(Refusal::SwitchedOff(address(self.node))),
                    _ => Err(self.expected("an object or true or false")),
                }
            }
            Value::Seq(items) if may_be_empty && items.is_empty() => Ok(&[]),
            Value::Scalar(scalar) if scalar.kind == ScalarKind::Bool => Err(self.standalone()),
            Value::Null if matches!(self.place, Place::Item) => Ok(&[]),
            Value::Null | Value::Scalar(_) | Value::Seq(_) => Err(self.expected("an object")),
        }
    }

    fn standalone(&self) -> Refusal {
        let name = self.path.last();
        Refusal::new(
            ProblemKind::EmptyElement,
            self,
            format!("{name} cannot be a standalone element: it needs at least one field"),
        )
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
            visitor.$visit(self.number()?)
        })*
    };
}

impl<'de> de::Deserializer<'de> for At<'_> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Scalar(Scalar { text, kind }) => match kind {
                ScalarKind::Text => visitor.visit_str(text),
                ScalarKind::Bool => visitor.visit_bool(text == "true"),
                ScalarKind::Number => match (text.parse::<i64>(), text.parse::<u64>()) {
                    (Ok(number), _) => visitor.visit_i64(number),
                    (_, Ok(number)) => visitor.visit_u64(number),
                    _ => match text.parse::<f64>() {
                        Ok(number) => visitor.visit_f64(number),
                        Err(_) => visitor.visit_str(text),
                    },
                },
            },
            Value::Seq(_) => self.deserialize_seq(visitor),
            Value::Map(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_bool(self.bool()?)
    }

    numbers! {
        deserialize_i8 visit_i8
        deserialize_i16 visit_i16
        deserialize_i32 visit_i32
        deserialize_i64 visit_i64
        deserialize_u8 visit_u8
        deserialize_u16 visit_u16
        deserialize_u32 visit_u32
        deserialize_u64 visit_u64
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let text = &self.scalar()?.text;
        let number = text.parse().map_err(|_| self.expected("a number"))?;
        visitor.visit_f64(number)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_str(&self.scalar()?.text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            Value::Scalar(_) | Value::Seq(_) | Value::Map(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match &self.node.value {
            Value::Seq(items) => visitor.visit_seq(Items::new(self, items)),
            Value::Scalar(scalar) => {
                let parts = cut_at_commas(&scalar.text, self.node.line);
                visitor.visit_seq(Items::new(self, &parts))
            }
            Value::Null | Value::Map(_) => Err(self.expected("a list")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let entries = self.entries()?.iter();
        let entries = entries
            .filter(|(_, node)| node.value != Value::Null && !self.context.is_switched_off(node))
            .map(|(key, node)| (key.as_str(), node, Place::Item));
        visitor.visit_map(Entries::new(self, entries.collect()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let entries = self.fields(self.entries()?, name, fields);
        visitor.visit_map(Entries::new(self, entries))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_enum(self.scalar()?.text.as_str().into_deserializer())
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }
}

impl<'a> At<'a> {
    /// The entries under the names of the fields they are for; reports those that are for none.
    fn fields(
        &self,
        entries: &'a [(String, Node)],
        parent: &'static str,
        fields: &'static [&'static str],
    ) -> Vec<(&'a str, &'a Node, Place)> {
        let mut known: Vec<(&str, &Node, Place)> = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            let path = Path::Field(&self.path, key);
            let Some(&field) = fields.iter().find(|field| field.eq_ignore_ascii_case(key)) else {
                let message = match closest(key, fields) {
                    Some(field) => format!("unknown field {key:?}, did you mean {field:?}?"),
                    None => format!("unknown field {key:?}"),
                };
                self.context
                    .report(ProblemKind::UnknownField, path, node.line, message);
                continue;
            };
            if known.iter().any(|(other, ..)| *other == field) {
                let message = format!("the field {field:?} is given twice");
                self.context
                    .report(ProblemKind::DuplicateField, path, node.line, message);
                continue;
            }
            let may_be_empty = MAY_BE_EMPTY.contains(&(parent, field));
            if self.context.is_switched_off(node) || says_nothing(field, node, may_be_empty) {
                continue;
            }
            known.push((field, node, Place::Field { may_be_empty }));
        }
        known
    }
}

fn says_nothing(field: &str, node: &Node, may_be_empty: bool) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Seq(items) => {
            items.is_empty() && !may_be_empty && !MEANT_WHEN_EMPTY.contains(&field)
        }
        Value::Scalar(_) | Value::Map(_) => false,
    }
}

// Traefik: `a, b` is a list of two and an empty text an empty one.
fn cut_at_commas(text: &str, line: usize) -> Vec<Node> {
    match text {
        "" => Vec::new(),
        text => text.split(',').map(|part| Node::text(part, line)).collect(),
    }
}

// Traefik: blanks around the texts of a list are no part of them.
fn trimmed(node: &Node) -> Option<Node> {
    let Value::Scalar(scalar) = &node.value else {
        return None;
    };
    let text = scalar.text.trim();
    (text != scalar.text).then(|| Node::text(text, node.line))
}

struct Items<'a> {
    at: At<'a>,
    items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'a> Items<'a> {
    fn new(at: At<'a>, items: &'a [Node]) -> Self {
        Self {
            at,
            items: items.iter().enumerate(),
        }
    }
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Refusal;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Refusal> {
        let Some((index, node)) = self.items.next() else {
            return Ok(None);
        };
        let trimmed = trimmed(node);
        let node = trimmed.as_ref().unwrap_or(node);
        let at = At {
            node,
            path: Path::Index(&self.at.path, index),
            place: Place::Item,
            context: self.at.context,
        };
        let item = seed.deserialize(at);
        item.map(Some)
            .map_err(|refusal| refusal.at(at.path, node.line))
    }
}

struct Entries<'a> {
    at: At<'a>,
    entries: std::vec::IntoIter<(&'a str, &'a Node, Place)>,
    value: Option<(&'a str, &'a Node, Place)>,
}

impl<'a> Entries<'a> {
    fn new(at: At<'a>, entries: Vec<(&'a str, &'a Node, Place)>) -> Self {
        Self {
            at,
            entries: entries.into_iter(),
            value: None,
        }
    }
}

impl<'de> de::MapAccess<'de> for Entries<'_> {
    type Error = Refusal;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refusal> {
        self.value = self.entries.next();
        match self.value {
            Some((key, ..)) => seed.deserialize(key.into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refusal> {
        let (key, node, place) = self
            .value
            .take()
            .expect("a value is asked for after its key");
        let at = At {
            node,
            path: Path::Field(&self.at.path, key),
            place,
            context: self.at.context,
        };
        let value = seed.deserialize(at);
        value.map_err(|refusal| refusal.at(at.path, node.line))
    }
}

#[cfg(test)]
mod tests;
