//! TOML.

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::{Node, ScalarKind, Unparsable, Value};

pub(super) fn parse(text: &str) -> Result<Node, Unparsable> {
    let lines = Lines::of(text);
    let table = DeTable::parse(text).map_err(|error| Unparsable {
        line: error.span().map_or(0, |span| lines.line(span.start)),
        problem: error.message().to_owned(),
    })?;
    table_node(table.into_inner(), 1, &lines)
}

fn table_node(table: DeTable<'_>, line: usize, lines: &Lines) -> Result<Node, Unparsable> {
    let entries = table.into_iter().map(|(key, value)| {
        let line = lines.line(key.span().start);
        Ok((key.into_inner().into_owned(), node(value, line, lines)?))
    });
    Ok(Node::new(
        Value::Map(entries.collect::<Result<_, _>>()?),
        line,
    ))
}

fn node(value: Spanned<DeValue<'_>>, line: usize, lines: &Lines) -> Result<Node, Unparsable> {
    Ok(match value.into_inner() {
        DeValue::String(text) => Node::text(text.into_owned(), line),
        DeValue::Integer(integer) => {
            let text = decimal(&integer).ok_or_else(|| Unparsable {
                line,
                problem: format!("the number {integer} is out of range"),
            })?;
            Node::scalar(text, ScalarKind::Number, line)
        }
        DeValue::Float(float) => {
            let value = float.as_str().replace('_', "").parse();
            Node::float(value.unwrap_or(f64::NAN), line)
        }
        DeValue::Boolean(bool) => Node::scalar(bool.to_string(), ScalarKind::Bool, line),
        DeValue::Datetime(datetime) => Node::text(datetime.to_string(), line),
        DeValue::Array(items) => {
            let items = items.into_iter().map(|item| {
                let line = lines.line(item.span().start);
                node(item, line, lines)
            });
            Node::new(Value::Seq(items.collect::<Result<_, _>>()?), line)
        }
        DeValue::Table(table) => table_node(table, line, lines)?,
    })
}

fn decimal(integer: &DeInteger<'_>) -> Option<String> {
    i64::from_str_radix(integer.as_str(), integer.radix())
        .ok()
        .map(|number| number.to_string())
}

/// The offsets at which lines start.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(offset, _)| offset).collect())
    }

    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|&newline| newline < offset) + 1
    }
}
