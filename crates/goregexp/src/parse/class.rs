//! `[…]`, and the classes with names.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir};

use super::node::Node;
use super::{MAX_CLASS_RANGES, Parser, unicode_class};
use crate::error::{Error, ErrorKind};

type Ranges = &'static [(char, char)];

impl Parser<'_> {
    /// Reads `[…]`.
    pub(super) fn class(&mut self) -> Result<(), Error> {
        let start = self.at;
        self.at += 1;
        let is_negated = self.rest().starts_with('^');
        self.at += usize::from(is_negated);

        let mut ranges = Vec::new();
        let mut is_first = true;
        // A `]` in front is an ordinary character.
        while is_first || !self.rest().starts_with(']') {
            is_first = false;
            match self.named_class()? {
                Some(class) => ranges.extend_from_slice(class.ranges()),
                None => ranges.extend(self.range(start)?),
            }
            self.count_ranges(ranges.len())?;
        }
        self.at += 1;

        let mut class = ClassUnicode::new(ranges);
        if self.flags.fold {
            fold(&mut class);
        }
        if is_negated {
            class.negate();
        }
        self.class_ranges += class.ranges().len();
        self.push(Node::leaf(to_hir(class)));
        Ok(())
    }

    /// Reads `[:alpha:]`, `\d` or `\pL`, if one is here.
    fn named_class(&mut self) -> Result<Option<ClassUnicode>, Error> {
        if !self.rest().starts_with("[:") {
            return self.class_escape();
        }
        // A name that does not end is no name, and the bracket an ordinary character.
        let Some(end) = self.rest()[2..].find(":]") else {
            return Ok(None);
        };
        let name = &self.rest()[2..2 + end];
        let (name, is_negated) = match name.strip_prefix('^') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let length = end + 4;
        let Some(ranges) = posix(name) else {
            return Err(self.error(ErrorKind::InvalidCharRange, self.at..self.at + length));
        };
        self.at += length;
        Ok(Some(self.table(ranges, is_negated)))
    }

    /// Reads `\d` or `\pL` or their like, if one is here.
    pub(super) fn class_escape(&mut self) -> Result<Option<ClassUnicode>, Error> {
        let &[b'\\', letter, ..] = self.rest().as_bytes() else {
            return Ok(None);
        };
        let ranges: Ranges = match letter.to_ascii_lowercase() {
            b'p' => return self.unicode().map(Some),
            b'd' => DIGIT,
            b's' => SPACE,
            b'w' => WORD,
            _ => return Ok(None),
        };
        self.at += 2;
        Ok(Some(self.table(ranges, letter.is_ascii_uppercase())))
    }

    /// Reads `\pL`, `\p{Greek}`, `\p{^Greek}` or `\P…`.
    fn unicode(&mut self) -> Result<ClassUnicode, Error> {
        let start = self.at;
        let is_upper = self.rest().as_bytes().get(1) == Some(&b'P');
        self.at += 2;
        let (name, length) = match self.peek() {
            Some('{') => match self.rest().find('}') {
                Some(end) => (&self.rest()[1..end], end + 1),
                None => {
                    return Err(self.error(ErrorKind::InvalidCharRange, start..self.pattern.len()));
                }
            },
            Some(letter) => (&self.rest()[..letter.len_utf8()], letter.len_utf8()),
            None => ("", 0),
        };
        let (name, is_negated) = match name.strip_prefix('^') {
            Some(name) => (name, !is_upper),
            None => (name, is_upper),
        };
        let class = unicode_class(name);
        self.at += length;
        let Some(mut class) = class else {
            return Err(self.error(ErrorKind::InvalidCharRange, start..self.at));
        };
        self.count_ranges(class.ranges().len())?;
        self.class_ranges += class.ranges().len();
        if self.flags.fold {
            fold(&mut class);
        }
        if is_negated {
            class.negate();
        }
        Ok(class)
    }

    /// Reads `a` or `a-z` of the class that starts at `start`.
    fn range(&mut self, start: usize) -> Result<Option<ClassUnicodeRange>, Error> {
        let from = self.at;
        let low = self.member(start)?;
        let rest = self.rest().as_bytes();
        // `[a-]` has two members.
        if rest.len() < 2 || rest[0] != b'-' || rest[1] == b']' {
            return Ok(scalars(low, low));
        }
        self.at += 1;
        let high = self.member(start)?;
        if high < low {
            return Err(self.error(ErrorKind::InvalidCharRange, from..self.at));
        }
        Ok(scalars(low, high))
    }

    fn member(&mut self, start: usize) -> Result<u32, Error> {
        match self.peek() {
            None => Err(self.error(ErrorKind::MissingBracket, start..self.pattern.len())),
            Some('\\') => self.code_point(),
            Some(char) => {
                self.at += char.len_utf8();
                Ok(u32::from(char))
            }
        }
    }

    fn table(&self, ranges: Ranges, is_negated: bool) -> ClassUnicode {
        let mut class = ClassUnicode::new(
            ranges
                .iter()
                .map(|&(low, high)| ClassUnicodeRange::new(low, high)),
        );
        if self.flags.fold {
            fold(&mut class);
        }
        if is_negated {
            class.negate();
        }
        class
    }

    fn count_ranges(&self, more: usize) -> Result<(), Error> {
        if self.class_ranges + more > MAX_CLASS_RANGES {
            Err(self.too_large())
        } else {
            Ok(())
        }
    }
}

/// One character, or all its cases.
pub(super) fn literal(char: char, is_folded: bool) -> Hir {
    let mut buffer = [0; 4];
    let exact = Hir::literal(char.encode_utf8(&mut buffer).as_bytes());
    if !is_folded || (char.is_ascii() && !char.is_ascii_alphabetic()) {
        return exact;
    }
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(char, char)]);
    fold(&mut class);
    match class.ranges() {
        [only] if only.start() == only.end() => exact,
        _ => to_hir(class),
    }
}

pub(super) fn to_hir(class: ClassUnicode) -> Hir {
    if class.ranges().is_empty() {
        Hir::fail()
    } else {
        Hir::class(Class::Unicode(class))
    }
}

fn fold(class: &mut ClassUnicode) {
    class
        .try_case_fold_simple()
        .expect("the tables of case folding are compiled in");
}

/// The characters between two code points; none when both are in the gap of the surrogates.
fn scalars(low: u32, high: u32) -> Option<ClassUnicodeRange> {
    let low = char::from_u32(low).or_else(|| char::from_u32(0xE000))?;
    let high = char::from_u32(high).or_else(|| char::from_u32(0xD7FF))?;
    (low <= high).then(|| ClassUnicodeRange::new(low, high))
}

const DIGIT: Ranges = &[('0', '9')];
const SPACE: Ranges = &[('\t', '\n'), ('\x0C', '\r'), (' ', ' ')];
const WORD: Ranges = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

fn posix(name: &str) -> Option<Ranges> {
    Some(match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7F')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1F'), ('\x7F', '\x7F')],
        "digit" => DIGIT,
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => WORD,
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    })
}
