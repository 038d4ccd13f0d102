use std::sync::LazyLock;

use regex_syntax::hir::ClassUnicode;

use crate::parse::unicode_class;

/// What to put in the place of a match: `$1`, `${1}`, `$name` and `${name}` stand for groups, `$$` for a dollar.
///
/// A name is the longest run of letters, digits and underscores, so `$1x` is the group called `1x`. A group that does
/// not exist or took no part in the match is empty. A `$` that starts nothing stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    Index(usize),
    Name(String),
}

impl Template {
    /// Reads a template; every text is one.
    pub fn new(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            literal.push_str(before);
            rest = after;
            if let Some(after) = rest.strip_prefix('$') {
                literal.push('$');
                rest = after;
            } else if let Some((group, after)) = group(rest) {
                flush(&mut literal, &mut parts);
                parts.push(group);
                rest = after;
            } else {
                literal.push('$');
            }
        }
        literal.push_str(rest);
        flush(&mut literal, &mut parts);
        Self { parts }
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }
}

fn flush(literal: &mut String, parts: &mut Vec<Part>) {
    if !literal.is_empty() {
        parts.push(Part::Text(std::mem::take(literal)));
    }
}

/// Reads what follows a dollar.
fn group(text: &str) -> Option<(Part, &str)> {
    let (body, is_braced) = match text.strip_prefix('{') {
        Some(body) => (body, true),
        None => (text, false),
    };
    let end = body.find(|char| !is_word(char)).unwrap_or(body.len());
    let (name, rest) = body.split_at(end);
    let rest = if is_braced {
        rest.strip_prefix('}')?
    } else {
        rest
    };
    if name.is_empty() {
        return None;
    }
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit())
        && !(name.len() > 1 && name.starts_with('0'));
    let part = match name.parse() {
        // Go stops counting there and takes the text for a name.
        Ok(index) if is_number && name.len() <= 9 => Part::Index(index),
        _ => Part::Name(name.to_owned()),
    };
    Some((part, rest))
}

fn is_word(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_alphanumeric() || char == '_';
    }
    static LETTERS: LazyLock<Vec<ClassUnicode>> =
        LazyLock::new(|| ["L", "Nd"].into_iter().filter_map(unicode_class).collect());
    LETTERS.iter().any(|class| {
        class
            .ranges()
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&char))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_wins_and_broken_groups_are_text() {
        let text = |text: &str| Part::Text(text.to_owned());
        let name = |name: &str| Part::Name(name.to_owned());
        let check = |template: &str, expected: &[Part]| {
            assert_eq!(Template::new(template).parts, expected, "{template}");
        };
        check("", &[]);
        check("a$1b", &[text("a"), name("1b")]);
        check("a${1}b", &[text("a"), Part::Index(1), text("b")]);
        check("$2_${3}", &[name("2_"), Part::Index(3)]);
        check("${n}x$$1", &[name("n"), text("x$1")]);
        check("${x y}$", &[text("${x y}$")]);
        check("${}$ ${1", &[text("${}$ ${1")]);
        check("$01$0", &[name("01"), Part::Index(0)]);
        check("$1234567890", &[name("1234567890")]);
        check("$é-", &[name("é"), text("-")]);
    }
}
