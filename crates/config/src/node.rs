//! A configuration as a tree, whichever way it was written.

use std::fmt;

mod json;
mod locate;
mod toml;
mod yaml;

/// What stands at one place, and on which line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    /// Counted from 1; 0 where it is not known.
    pub(crate) line: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Scalar(Scalar),
    Seq(Vec<Node>),
    /// In the order of the text; no key twice.
    Map(Vec<(String, Node)>),
}

/// A single value as text: what it means is decided by the field that it is for.
///
/// Traefik: so does its parser, which knows nothing but texts below the file format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) kind: ScalarKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScalarKind {
    Text,
    Bool,
    Number,
}

impl Node {
    pub(crate) fn new(value: Value, line: usize) -> Self {
        Self { value, line }
    }

    pub(crate) fn text(text: impl Into<String>, line: usize) -> Self {
        Self::scalar(text, ScalarKind::Text, line)
    }

    fn scalar(text: impl Into<String>, kind: ScalarKind, line: usize) -> Self {
        let text = text.into();
        Self::new(Value::Scalar(Scalar { text, kind }), line)
    }

    fn float(value: f64, line: usize) -> Self {
        Self::scalar(float_text(value), ScalarKind::Number, line)
    }

    /// How deep objects and lists are nested in it.
    pub(crate) fn depth(&self) -> usize {
        self.inner()
            .map(Self::depth)
            .max()
            .map_or(0, |depth| depth + 1)
    }

    /// Counts its lines from a place so many lines further up.
    pub(crate) fn move_down(&mut self, lines: usize) {
        self.each_line(&mut |line| *line += lines);
    }

    /// Counts its lines from a place so many lines further down.
    pub(crate) fn move_up(&mut self, lines: usize) {
        self.each_line(&mut |line| *line -= lines);
    }

    fn each_line(&mut self, change: &mut impl FnMut(&mut usize)) {
        change(&mut self.line);
        match &mut self.value {
            Value::Null | Value::Scalar(_) => {}
            Value::Seq(items) => items.iter_mut().for_each(|item| item.each_line(change)),
            Value::Map(entries) => {
                let inner = entries.iter_mut().map(|(_, inner)| inner);
                inner.for_each(|inner| inner.each_line(change));
            }
        }
    }

    fn inner(&self) -> impl Iterator<Item = &Self> {
        let (items, entries) = match &self.value {
            Value::Null | Value::Scalar(_) => (&[][..], &[][..]),
            Value::Seq(items) => (&items[..], &[][..]),
            Value::Map(entries) => (&[][..], &entries[..]),
        };
        items.iter().chain(entries.iter().map(|(_, inner)| inner))
    }

    /// What kind of thing it is, for messages.
    pub(crate) fn what(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Scalar(scalar) => format!("{:?}", shortened(&scalar.text)),
            Value::Seq(_) => "a list".to_owned(),
            Value::Map(_) => "an object".to_owned(),
        }
    }
}

impl Value {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Scalar(_) => false,
            Self::Seq(items) => items.is_empty(),
            Self::Map(entries) => entries.iter().all(|(_, node)| node.value == Self::Null),
        }
    }
}

// Traefik: whole numbers lose their fraction, others get Go's six digits.
fn float_text(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.6}")
    }
}

/// A text short enough for a message.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// How is it written?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// YAML, of which the first document counts.
    Yaml,
    /// TOML.
    Toml,
    /// JSON.
    Json,
}

impl Format {
    /// The format that a file's extension stands for.
    ///
    /// ```
    /// use traefikrs_config::Format;
    ///
    /// assert_eq!(Format::of_path("/etc/traefik/traefik.yml".as_ref()), Some(Format::Yaml));
    /// assert_eq!(Format::of_path("notes.txt".as_ref()), None);
    /// ```
    pub fn of_path(path: &std::path::Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yaml => "YAML",
            Self::Toml => "TOML",
            Self::Json => "JSON",
        })
    }
}

/// A text that was read.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) root: Node,
    /// Further YAML documents, which nobody reads.
    pub(crate) has_more_documents: bool,
    /// Whether it would say the same as a part of another text: it refers to nothing, and all places
    /// in it are known.
    pub(crate) stands_alone: bool,
}

impl From<Node> for Parsed {
    fn from(root: Node) -> Self {
        Self {
            root,
            has_more_documents: false,
            stands_alone: true,
        }
    }
}

/// Says where and why a text cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unparsable {
    pub(crate) line: usize,
    pub(crate) problem: String,
}

/// Longer texts are refused: a configuration of a hundred thousand routers is shorter.
pub(crate) const LONGEST_TEXT: usize = 64 << 20;

/// Reads a text; an empty one is an empty object.
pub(crate) fn parse(text: &str, format: Format) -> Result<Parsed, Unparsable> {
    if text.len() > LONGEST_TEXT {
        return Err(Unparsable {
            line: 0,
            problem: format!("longer than {LONGEST_TEXT} bytes"),
        });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match format {
        Format::Yaml => yaml::parse(text),
        Format::Toml => toml::parse(text).map(Parsed::from),
        Format::Json => json::parse(text).map(Parsed::from),
    }
}

#[cfg(test)]
mod tests;
