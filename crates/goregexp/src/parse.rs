//! Go's `regexp/syntax` with Perl flags: text to `Hir`.
//!
//! The parser keeps its own stack, so nesting in a pattern cannot exhaust the thread's.

mod class;
mod escape;
mod flags;
mod node;
mod unicode;

use std::ops::Range;

use regex_syntax::hir::{Capture, Dot, Hir, Look};

use self::flags::Flags;
use self::node::Node;
use crate::error::{Error, ErrorKind};

pub(crate) use self::unicode::class as unicode_class;

/// What Go allows as a repeat count, and as the product of nested ones.
const MAX_REPEAT: u32 = 1000;
/// How many levels of groups, repetitions, alternations and sequences may nest.
const MAX_HEIGHT: u32 = 1000;
/// How many ranges all classes of a pattern may have together.
const MAX_CLASS_RANGES: usize = 2 << 20;

/// A pattern understood.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) hir: Hir,
    /// How many levels are nested.
    pub(crate) height: u32,
    /// The name of each group that captures, the whole match at 0 included.
    pub(crate) names: Vec<Option<String>>,
}

pub(crate) fn parse(pattern: &str) -> Result<Parsed, Error> {
    Parser {
        pattern,
        at: 0,
        flags: Flags::default(),
        open: Vec::new(),
        level: Level::default(),
        names: vec![None],
        class_ranges: 0,
    }
    .run()
}

struct Parser<'p> {
    pattern: &'p str,
    at: usize,
    flags: Flags,
    /// The groups around the current one.
    open: Vec<Open>,
    level: Level,
    names: Vec<Option<String>>,
    class_ranges: usize,
}

/// What has been read of a group so far.
#[derive(Default)]
struct Level {
    alternatives: Vec<Node>,
    sequence: Vec<Node>,
}

/// A group that waits for its `)`.
struct Open {
    outer: Level,
    flags: Flags,
    capture: Option<usize>,
    at: usize,
}

impl Parser<'_> {
    fn run(mut self) -> Result<Parsed, Error> {
        let mut last_repeat = None;
        while let Some(char) = self.peek() {
            let start = self.at;
            let mut repeat = None;
            match char {
                '(' => self.open()?,
                ')' => self.close()?,
                '|' => self.alternative()?,
                '[' => self.class()?,
                '\\' => self.backslash()?,
                '^' | '$' | '.' => self.symbol(char),
                '*' | '+' | '?' => {
                    self.at += 1;
                    let (min, max) = match char {
                        '*' => (0, None),
                        '+' => (1, None),
                        _ => (0, Some(1)),
                    };
                    self.repeat(min, max, start, last_repeat)?;
                    repeat = Some(start);
                }
                '{' if self.counted(last_repeat)? => repeat = Some(start),
                _ => {
                    self.at += char.len_utf8();
                    self.literal(char);
                }
            }
            last_repeat = repeat;
        }
        if let Some(open) = self.open.last() {
            return Err(self.error(ErrorKind::MissingParen, open.at..open.at + 1));
        }
        let node = self.finish_level(0)?;
        Ok(Parsed {
            hir: node.hir,
            height: node.height,
            names: self.names,
        })
    }

    fn symbol(&mut self, char: char) {
        self.at += 1;
        let hir = match char {
            '^' if self.flags.multi_line => Hir::look(Look::StartLF),
            '^' => Hir::look(Look::Start),
            '$' if self.flags.multi_line => Hir::look(Look::EndLF),
            '$' => Hir::look(Look::End),
            _ if self.flags.dot_newline => Hir::dot(Dot::AnyChar),
            _ => Hir::dot(Dot::AnyCharExceptLF),
        };
        self.push(Node::leaf(hir));
    }

    /// Reads `(` and what belongs to it: a name, flags, or nothing.
    fn open(&mut self) -> Result<(), Error> {
        let start = self.at;
        if self.rest().starts_with("(?") {
            return self.perl_group();
        }
        self.at += 1;
        self.open_group(start, Some(None));
        Ok(())
    }

    /// `capture` is the name, if any, of a group that captures.
    fn open_group(&mut self, start: usize, capture: Option<Option<String>>) {
        let capture = capture.map(|name| {
            self.names.push(name);
            self.names.len() - 1
        });
        let outer = std::mem::take(&mut self.level);
        self.open.push(Open {
            outer,
            flags: self.flags,
            capture,
            at: start,
        });
    }

    fn close(&mut self) -> Result<(), Error> {
        let start = self.at;
        let Some(open) = self.open.pop() else {
            return Err(self.error(ErrorKind::UnexpectedParen, start..start + 1));
        };
        self.at += 1;
        let mut node = self.finish_level(open.at)?;
        if let Some(index) = open.capture {
            // Names stay with us: the engine would refuse one that is used twice.
            let index = u32::try_from(index).map_err(|_| self.too_large())?;
            node = node.wrap(|sub| {
                Hir::capture(Capture {
                    index,
                    name: None,
                    sub: Box::new(sub),
                })
            });
            self.check_height(&node, open.at)?;
        }
        self.level = open.outer;
        self.flags = open.flags;
        self.push(node);
        Ok(())
    }

    fn alternative(&mut self) -> Result<(), Error> {
        let start = self.at;
        self.at += 1;
        let sequence = Node::concat(std::mem::take(&mut self.level.sequence));
        self.check_height(&sequence, start)?;
        self.level.alternatives.push(sequence);
        Ok(())
    }

    fn finish_level(&mut self, start: usize) -> Result<Node, Error> {
        let Level {
            mut alternatives,
            sequence,
        } = std::mem::take(&mut self.level);
        alternatives.push(Node::concat(sequence));
        let node = Node::alternation(alternatives);
        self.check_height(&node, start)?;
        Ok(node)
    }

    /// Reads `{n}`, `{n,}` or `{n,m}`. Anything else is no repetition, and the brace a literal: `false`.
    fn counted(&mut self, last_repeat: Option<usize>) -> Result<bool, Error> {
        let start = self.at;
        let Some((min, max, length)) = counts(self.rest()) else {
            return Ok(false);
        };
        self.at += length;
        if min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT || max < min) {
            return Err(self.error(ErrorKind::InvalidRepeatCount, start..self.at));
        }
        self.repeat(min, max, start, last_repeat)?;
        Ok(true)
    }

    /// Repeats the last item. The operator has been read from `start`; a `?` may follow.
    fn repeat(
        &mut self,
        min: u32,
        max: Option<u32>,
        start: usize,
        last_repeat: Option<usize>,
    ) -> Result<(), Error> {
        let is_lazy = self.rest().starts_with('?');
        self.at += usize::from(is_lazy);
        if let Some(last) = last_repeat {
            return Err(self.error(ErrorKind::InvalidRepeatOperator, last..self.at));
        }
        let Some(node) = self.level.sequence.pop() else {
            return Err(self.error(ErrorKind::MissingRepeatArgument, start..self.at));
        };
        let node = node.repeat(min, max, is_lazy == self.flags.swap_greed);
        if node.copies > MAX_REPEAT {
            return Err(self.error(ErrorKind::InvalidRepeatCount, start..self.at));
        }
        self.check_height(&node, start)?;
        self.push(node);
        Ok(())
    }

    fn literal(&mut self, char: char) {
        self.push(Node::leaf(class::literal(char, self.flags.fold)));
    }

    fn push(&mut self, node: Node) {
        self.level.sequence.push(node);
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &str {
        &self.pattern[self.at..]
    }

    fn check_height(&self, node: &Node, start: usize) -> Result<(), Error> {
        if node.height > MAX_HEIGHT {
            return Err(self.error(ErrorKind::NestingTooDeep, start..self.at));
        }
        Ok(())
    }

    fn too_large(&self) -> Error {
        self.error(ErrorKind::TooLarge, 0..self.pattern.len())
    }

    fn error(&self, kind: ErrorKind, span: Range<usize>) -> Error {
        Error::new(kind, self.pattern, span)
    }
}

/// Minimum, maximum and length of the count that `text` starts with.
fn counts(text: &str) -> Option<(u32, Option<u32>, usize)> {
    let (min, rest) = number(text.strip_prefix('{')?)?;
    let (max, rest) = match rest.strip_prefix(',') {
        None => (Some(min), rest),
        Some(rest) if rest.starts_with('}') => (None, rest),
        Some(rest) => number(rest).map(|(max, rest)| (Some(max), rest))?,
    };
    let rest = rest.strip_prefix('}')?;
    Some((min, max, text.len() - rest.len()))
}

/// A decimal number without leading zeros; the greatest there is when it is too big.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().unwrap_or(u32::MAX), rest))
}
