//! What a person reads.

use std::collections::BTreeMap;

use super::arguments::Arguments;
use super::facts::{Difference, Facts};
use super::generate::{Conversation, Name};
use super::side::Side;
use super::trial::{Finding, Outcome};

/// Longer requests are cut; their names repeat them whole.
const REQUEST_LIMIT: usize = 3_000;
const VALUE_LIMIT: usize = 60;
const NAMES_LIMIT: usize = 8;
/// Of the differences to which an entry applied.
const ENTRY_LIMIT: usize = 20;

/// One row of the summary.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) configuration: String,
    pub(super) requests: usize,
    pub(super) outcome: Outcome,
}

pub(super) fn findings(row: &Row, arguments: &Arguments, names: [&str; 2]) -> String {
    let mut text = String::new();
    for finding in &row.outcome.findings {
        text += &self::finding(&row.configuration, finding, arguments.seed, names);
    }
    let mut unsteady: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, kinds) in &row.outcome.unsteady {
        unsteady.entry(kinds).or_default().push(name.to_string());
    }
    for (kinds, names) in unsteady {
        text += &format!(
            "{}, unsteady: {kinds} ({})\n",
            row.configuration,
            names.join(", ")
        );
    }
    for difference in &row.outcome.at_large {
        text += &format!("\n{}: {difference}\n", row.configuration);
    }
    text
}

fn finding(configuration: &str, finding: &Finding, seed: u64, names: [&str; 2]) -> String {
    let conversations: Vec<String> = finding
        .names
        .iter()
        .take(NAMES_LIMIT)
        .map(Name::to_string)
        .collect();
    let more = if finding.names.len() > NAMES_LIMIT {
        ", …"
    } else {
        ""
    };
    let mut text = format!(
        "\n{configuration}, {}×: {}{more}\n",
        finding.names.len(),
        conversations.join(", ")
    );
    text += &format!("  {}\n", by_hand(&finding.example));
    text += &side_by_side(&finding.differences.iter().collect::<Vec<_>>(), names);
    text += &format!(
        "  cargo xtask oracle --config {configuration} {}\n",
        match finding.example.name {
            Name::Made(index) => format!("--seed {seed} --index {index}"),
            Name::Case(number) => format!("--case {number}"),
        }
    );
    text
}

fn side_by_side(differences: &[&Difference], names: [&str; 2]) -> String {
    let width = differences
        .iter()
        .map(|difference| difference.place.to_string().len())
        .max()
        .unwrap_or(0);
    let mut text = format!("  {:width$}  {:VALUE_LIMIT$}  {}\n", "", names[0], names[1]);
    for difference in differences {
        let [reference, ours] = excerpts(difference);
        text += &format!(
            "  {:width$}  {reference:VALUE_LIMIT$}  {ours}\n",
            difference.place.to_string()
        );
    }
    text
}

/// All that was heard and seen of one conversation, and which of its differences are accepted.
pub(super) fn transcript(
    conversation: &Conversation,
    sides: &[Side; 2],
    facts: &[Facts; 2],
    differences: &[(Difference, Option<&str>)],
) -> String {
    let mut text = format!("{}\n", by_hand(conversation));
    for (side, facts) in sides.iter().zip(facts) {
        text += &format!("\n{}\n", side.name);
        for (place, value) in facts {
            text += &format!(
                "  {place}: {}\n",
                value.chars().take(REQUEST_LIMIT).collect::<String>()
            );
        }
    }
    let names = sides.each_ref().map(|side| side.name);
    for (difference, reason) in differences {
        let reason = reason.map_or_else(
            || "not accepted".to_owned(),
            |reason| format!("accepted: {reason}"),
        );
        text += &format!("\n{reason}\n{}", side_by_side(&[difference], names));
    }
    text + "\n"
}

/// What each entry of the accepted list applied to, and how often.
pub(super) fn entries(applied: &[(String, BTreeMap<String, usize>)]) -> String {
    let mut text = String::new();
    for (entry, differences) in applied {
        text += &format!("\n{:5}  {entry}\n", differences.values().sum::<usize>());
        let mut differences: Vec<(&String, &usize)> = differences.iter().collect();
        differences.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
        for (difference, times) in differences.into_iter().take(ENTRY_LIMIT) {
            text += &format!("         {times:5}  {difference}\n");
        }
    }
    text
}

/// The conversation as a shell would send it.
fn by_hand(conversation: &Conversation) -> String {
    let requests: Vec<String> = conversation
        .exchanges
        .iter()
        .map(|exchange| quoted(&exchange.raw))
        .collect();
    let how = match (conversation.pipelined, conversation.in_parts) {
        (false, false) => "",
        (true, false) => "   # in one go",
        (false, true) => "   # in parts",
        (true, true) => "   # in one go, in parts",
    };
    let client = match conversation.client {
        Some(client) => format!("   # from {client}"),
        None => String::new(),
    };
    format!("printf %b {}{how}{client}", requests.join(" "))
}

/// Single quotes, with escapes that `printf %b` knows.
fn quoted(raw: &[u8]) -> String {
    let mut text: String = raw
        .iter()
        .take(REQUEST_LIMIT)
        .map(|&byte| match byte {
            b'\r' => "\\r".to_owned(),
            b'\n' => "\\n".to_owned(),
            b'\\' => "\\\\".to_owned(),
            b' '..=b'~' if byte != b'\'' => char::from(byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        })
        .collect();
    if raw.len() > REQUEST_LIMIT {
        text += &format!("… ({} bytes)", raw.len());
    }
    format!("'{text}'")
}

/// Both values, long ones from where they begin to differ.
fn excerpts(difference: &Difference) -> [String; 2] {
    let values = difference
        .values
        .each_ref()
        .map(|value| value.as_deref().unwrap_or("-"));
    let common = values[0]
        .chars()
        .zip(values[1].chars())
        .take_while(|(reference, ours)| reference == ours)
        .count();
    values.map(|value| {
        let skipped = if value.chars().count() > VALUE_LIMIT {
            common.saturating_sub(VALUE_LIMIT / 3)
        } else {
            0
        };
        let mut excerpt: String = value.chars().skip(skipped).take(VALUE_LIMIT - 2).collect();
        if skipped > 0 {
            excerpt.insert(0, '…');
        }
        if value.chars().count() > skipped + VALUE_LIMIT - 2 {
            excerpt.push('…');
        }
        excerpt
    })
}

pub(super) fn summary(rows: &[Row]) -> String {
    let width = rows
        .iter()
        .map(|row| row.configuration.len())
        .max()
        .unwrap_or(0)
        .max("configuration".len());
    let mut text = format!(
        "\n{:width$}  requests  differing  accepted  unsteady  unexplained\n",
        "configuration"
    );
    let mut line = |name: &str, numbers: [usize; 5]| {
        let [requests, differing, accepted, unsteady, unexplained] = numbers;
        text += &format!(
            "{name:width$}  {requests:8}  {differing:9}  {accepted:8}  {unsteady:8}  {unexplained:11}\n"
        );
    };
    let mut total = [0; 5];
    for row in rows {
        let numbers = row.numbers();
        line(&row.configuration, numbers);
        for (sum, number) in total.iter_mut().zip(numbers) {
            *sum += number;
        }
    }
    line("total", total);
    text
}

impl Row {
    fn numbers(&self) -> [usize; 5] {
        let outcome = &self.outcome;
        [
            self.requests,
            outcome.differing,
            outcome.accepted,
            outcome.unsteady.len(),
            self.unexplained(),
        ]
    }

    pub(super) fn unexplained(&self) -> usize {
        self.outcome.unexplained + self.outcome.at_large.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_request_survives_a_shell() {
        assert_eq!(
            quoted(b"GET /'\\ \xff\r\n\r\n"),
            r"'GET /\x27\\ \xff\r\n\r\n'"
        );
    }
}
