use std::fmt;

use crate::Span;

/// How many characters of a long line are shown before the marked place, and how many from it on.
const BEFORE: usize = 60;
const AFTER: usize = 60;

/// Draws the line in which `span` starts, with carets below it.
pub(super) fn draw(formatter: &mut fmt::Formatter<'_>, text: &str, span: Span) -> fmt::Result {
    let (number, line_start) = line_of(text, span);
    let line = text.get(line_start..).unwrap_or_default();
    let line = line.split('\n').next().unwrap_or_default();
    let before: Vec<char> = text
        .get(line_start..span.start)
        .unwrap_or_default()
        .chars()
        .map(visible)
        .collect();
    let after = line.get(span.start - line_start..).unwrap_or_default();
    let shown_before = before
        .get(before.len().saturating_sub(BEFORE)..)
        .unwrap_or_default();
    let cut = if shown_before.len() < before.len() {
        "…"
    } else {
        ""
    };
    let shown: String = shown_before
        .iter()
        .copied()
        .chain(after.chars().take(AFTER).map(visible))
        .collect();
    let cut_after = if after.chars().nth(AFTER).is_some() {
        "…"
    } else {
        ""
    };
    let marked = text
        .get(span.range())
        .unwrap_or_default()
        .split('\n')
        .next()
        .unwrap_or_default();
    let carets = "^".repeat(marked.chars().count().clamp(1, AFTER));
    let indent = " ".repeat(cut.chars().count() + shown_before.len());
    let gutter = gutter(text, span);
    write!(
        formatter,
        "\n{:gutter$} |\n{number:gutter$} | {cut}{shown}{cut_after}\n{:gutter$} | {indent}{carets}",
        "", ""
    )
}

/// Returns the width of the column with the line number.
pub(super) fn gutter(text: &str, span: Span) -> usize {
    line_of(text, span).0.to_string().len()
}

fn line_of(text: &str, span: Span) -> (usize, usize) {
    let before = text.get(..span.start).unwrap_or_default();
    (
        before.matches('\n').count() + 1,
        before.rfind('\n').map_or(0, |newline| newline + 1),
    )
}

/// Keeps control characters of a rule from acting on the reader's terminal; one character stays one column.
fn visible(character: char) -> char {
    if character == '\t' {
        ' '
    } else if character.is_control() || character == '\u{feff}' {
        '\u{fffd}'
    } else {
        character
    }
}
