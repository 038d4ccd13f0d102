//! YAML, with the scalars of Go's `yaml.v3`.

use serde::Deserialize;
use serde_yaml::Value as Yaml;

use super::locate::{Places, Spot};
use super::{Node, Parsed, ScalarKind, Unparsable, Value};

pub(super) fn parse(text: &str) -> Result<Parsed, Unparsable> {
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let mut value = match documents.next() {
        Some(document) => Yaml::deserialize(document).map_err(|error| unparsable(&error))?,
        None => Yaml::Null,
    };
    value.apply_merge().map_err(|error| unparsable(&error))?;
    let places = Places::of(text);
    Ok(Parsed {
        stands_alone: places.are_complete() && !places.refer(),
        root: node(value, places.root())?,
        has_more_documents: documents.next().is_some(),
    })
}

fn unparsable(error: &serde_yaml::Error) -> Unparsable {
    let message = error.to_string();
    let problem = match message.rfind(" at line ") {
        Some(end) => message[..end].to_owned(),
        None => message,
    };
    Unparsable {
        line: error.location().map_or(0, |location| location.line()),
        problem,
    }
}

fn node(value: Yaml, spot: Spot<'_>) -> Result<Node, Unparsable> {
    let line = spot.line();
    Ok(match value {
        Yaml::Null => Node::new(Value::Null, line),
        Yaml::Bool(bool) => Node::scalar(bool.to_string(), ScalarKind::Bool, line),
        Yaml::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => Node::float(float, line),
            _ => Node::scalar(number.to_string(), ScalarKind::Number, line),
        },
        Yaml::String(text) => match go_number(&text) {
            Some(number) if spot.is_plain() => Node::scalar(number, ScalarKind::Number, line),
            _ => Node::text(text, line),
        },
        Yaml::Sequence(items) => {
            let items = items.into_iter().enumerate();
            let items = items.map(|(index, item)| node(item, spot.item(index)));
            Node::new(Value::Seq(items.collect::<Result<_, _>>()?), line)
        }
        Yaml::Mapping(entries) => {
            let entries = entries.into_iter().map(|(key, value)| {
                let key = key_text(key, line)?;
                let spot = spot.entry(&key);
                Ok((key, node(value, spot)?))
            });
            Node::new(Value::Map(entries.collect::<Result<_, _>>()?), line)
        }
        Yaml::Tagged(tagged) => node(tagged.value, spot)?,
    })
}

fn key_text(key: Yaml, line: usize) -> Result<String, Unparsable> {
    match key {
        Yaml::String(text) => Ok(text),
        Yaml::Bool(bool) => Ok(bool.to_string()),
        Yaml::Number(number) => Ok(number.to_string()),
        Yaml::Null | Yaml::Sequence(_) | Yaml::Mapping(_) | Yaml::Tagged(_) => Err(Unparsable {
            line,
            problem: "a key must be text".to_owned(),
        }),
    }
}

/// The number that Go sees in a plain scalar in which YAML 1.2 sees text: `010` is 8, `1_000` is 1000.
fn go_number(text: &str) -> Option<String> {
    let first = text.bytes().next()?;
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-')) {
        return None;
    }
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix(['+', '-']) {
        Some(digits) => (if first == b'-' { "-" } else { "" }, digits),
        None => ("", plain.as_str()),
    };
    if !digits.bytes().next()?.is_ascii_digit() {
        return None;
    }
    integer(digits)
        .map(|number| format!("{sign}{number}"))
        .or_else(|| {
            let is_float = digits.bytes().all(|byte| {
                byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')
            });
            let float: f64 = is_float.then(|| digits.parse().ok()).flatten()?;
            Some(format!("{sign}{}", super::float_text(float)))
        })
}

fn integer(digits: &str) -> Option<u64> {
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}
