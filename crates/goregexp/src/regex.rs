use std::borrow::Cow;
use std::ops::Range;

use regex_automata::meta;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Hir, HirKind, Look};

use crate::compile::{TooLarge, compile};
use crate::error::{Error, ErrorKind};
use crate::parse::{self, Parsed};
use crate::template::{Part, Template};
use crate::text::Text;

/// A pattern of Go's `regexp`, compiled.
///
/// Searches are unanchored unless the pattern says otherwise, prefer the leftmost match and among those the one that
/// Perl would choose, and take time linear in the text.
#[derive(Clone, Debug)]
pub struct Regex {
    pattern: String,
    names: Vec<Option<String>>,
    prefix: Vec<u8>,
    suffix: Vec<u8>,
    engine: meta::Regex,
}

impl Regex {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When Go would refuse it, or when it is too large.
    pub fn new(pattern: &str) -> Result<Self, Error> {
        let Parsed { hir, height, names } = parse::parse(pattern)?;
        let prefix = required_prefix(&hir);
        let suffix = required_suffix(&hir);
        let engine = compile(meta::Config::new(), &[hir], height)
            .map_err(|TooLarge| Error::new(ErrorKind::TooLarge, pattern, 0..pattern.len()))?;
        Ok(Self {
            pattern: pattern.to_owned(),
            names,
            prefix,
            suffix,
            engine,
        })
    }

    /// The pattern as it was given.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// What every text that matches starts with; empty when nothing is known.
    ///
    /// ```
    /// # use traefikrs_goregexp::Regex;
    /// assert_eq!(Regex::new("^/api/v[0-9]+")?.required_prefix(), b"/api/v");
    /// assert_eq!(Regex::new("/api")?.required_prefix(), b"");
    /// # Ok::<(), traefikrs_goregexp::Error>(())
    /// ```
    pub fn required_prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// What every text that matches ends with; empty when nothing is known.
    ///
    /// ```
    /// # use traefikrs_goregexp::Regex;
    /// assert_eq!(Regex::new(r"^.+\.example\.com$")?.required_suffix(), b".example.com");
    /// assert_eq!(Regex::new(r"\.example\.com")?.required_suffix(), b"");
    /// # Ok::<(), traefikrs_goregexp::Error>(())
    /// ```
    pub fn required_suffix(&self) -> &[u8] {
        &self.suffix
    }

    /// How many groups capture, not counting the whole match.
    pub fn groups(&self) -> usize {
        self.names.len() - 1
    }

    /// Tells whether the pattern matches anywhere in `text`.
    pub fn is_match(&self, text: &[u8]) -> bool {
        if std::str::from_utf8(text).is_ok() {
            return self.engine.is_match(text);
        }
        self.engine.is_match(Text::new(text).shown())
    }

    /// Where the first match is.
    pub fn find(&self, text: &[u8]) -> Option<Range<usize>> {
        let text = Text::new(text);
        let found = self.engine.find(text.shown())?;
        Some(text.range(found.range()))
    }

    /// Where the first match and its groups are.
    pub fn captures(&self, text: &[u8]) -> Option<Captures<'_>> {
        let text = Text::new(text);
        let mut found = self.engine.create_captures();
        self.engine.captures(text.shown(), &mut found);
        if !found.is_match() {
            return None;
        }
        let groups = (0..self.names.len())
            .map(|index| Some(text.range(found.get_group(index)?.range())))
            .collect();
        Some(Captures {
            regex: self,
            groups,
        })
    }

    /// Replaces every match, as Go's `ReplaceAll` does: an empty match right after another match is left alone.
    ///
    /// Borrows when nothing matches.
    pub fn replace_all<'t>(&self, text: &'t [u8], template: &Template) -> Cow<'t, [u8]> {
        let text = Text::new(text);
        let shown = text.shown();
        let mut found = self.engine.create_captures();
        let mut out: Option<Vec<u8>> = None;
        let mut copied = 0;
        let mut at = 0;
        while at <= shown.len() {
            let input = Input::new(shown)
                .span(at..shown.len())
                .anchored(Anchored::No);
            self.engine.search_captures(&input, &mut found);
            let Some(range) = found.get_match().map(|found| found.range()) else {
                break;
            };
            let out = out.get_or_insert_with(|| Vec::with_capacity(shown.len() + 16));
            out.extend_from_slice(text.raw(copied..range.start));
            if range.end > copied || range.start == 0 {
                let group =
                    |index: usize| found.get_group(index).map(|span| text.raw(span.range()));
                self.expand(template, group, out);
            }
            copied = range.end;
            let next = at + text.width(at).max(1);
            at = next.max(range.end);
        }
        match out {
            None => Cow::Borrowed(text.raw(0..shown.len())),
            Some(mut out) => {
                out.extend_from_slice(text.raw(copied..shown.len()));
                Cow::Owned(out)
            }
        }
    }

    fn expand<'t>(
        &self,
        template: &Template,
        group: impl Fn(usize) -> Option<&'t [u8]>,
        out: &mut Vec<u8>,
    ) {
        for part in template.parts() {
            let bytes = match part {
                Part::Text(text) => Some(text.as_bytes()),
                Part::Index(index) => group(*index),
                // Of several groups with one name the first that took part counts.
                Part::Name(name) => self.indices(name).find_map(&group),
            };
            out.extend_from_slice(bytes.unwrap_or_default());
        }
    }

    fn indices(&self, name: &str) -> impl Iterator<Item = usize> {
        self.names
            .iter()
            .enumerate()
            .filter(move |(_, other)| other.as_deref() == Some(name))
            .map(|(index, _)| index)
    }
}

/// Where a match and its groups are in the text.
#[derive(Clone, Debug)]
pub struct Captures<'r> {
    regex: &'r Regex,
    groups: Vec<Option<Range<usize>>>,
}

impl Captures<'_> {
    /// The group with this index, the whole match at 0; `None` when it took no part.
    pub fn get(&self, index: usize) -> Option<Range<usize>> {
        self.groups.get(index)?.clone()
    }

    /// The group with this name; the first that took part when several have it.
    pub fn name(&self, name: &str) -> Option<Range<usize>> {
        self.regex.indices(name).find_map(|index| self.get(index))
    }

    /// Appends the template with the groups of this match filled in; `text` is the text that was searched.
    pub fn expand(&self, template: &Template, text: &[u8], out: &mut Vec<u8>) {
        self.regex
            .expand(template, |index| text.get(self.get(index)?), out);
    }
}

/// Reads the literal after a leading `^`.
fn required_prefix(hir: &Hir) -> Vec<u8> {
    let mut hir = hir;
    let mut prefix = Vec::new();
    if !hir.properties().look_set_prefix().contains(Look::Start) {
        return prefix;
    }
    // Groups around the start are looked into; their number is bounded by the parser.
    loop {
        match hir.kind() {
            HirKind::Capture(capture) => hir = &capture.sub,
            HirKind::Concat(parts) => {
                let mut parts = parts
                    .iter()
                    .skip_while(|part| matches!(part.kind(), HirKind::Look(_)));
                match parts.next() {
                    Some(part) if matches!(part.kind(), HirKind::Literal(_)) => hir = part,
                    Some(part) if matches!(part.kind(), HirKind::Capture(_)) => hir = part,
                    _ => break,
                }
            }
            HirKind::Literal(literal) => {
                prefix.extend_from_slice(&literal.0);
                break;
            }
            _ => break,
        }
    }
    // A byte that is no UTF-8 reads as this character.
    if let Some(at) = prefix
        .windows(3)
        .position(|bytes| bytes == "\u{FFFD}".as_bytes())
    {
        prefix.truncate(at);
    }
    prefix
}

/// Reads the literal before a trailing `$`.
fn required_suffix(hir: &Hir) -> Vec<u8> {
    let mut hir = hir;
    if !hir.properties().look_set_suffix().contains(Look::End) {
        return Vec::new();
    }
    // Groups around the end are looked into; their number is bounded by the parser.
    let literal = loop {
        match hir.kind() {
            HirKind::Capture(capture) => hir = &capture.sub,
            HirKind::Concat(parts) => {
                let last = parts
                    .iter()
                    .rfind(|part| !matches!(part.kind(), HirKind::Look(_)));
                match last {
                    Some(part)
                        if matches!(part.kind(), HirKind::Literal(_) | HirKind::Capture(_)) =>
                    {
                        hir = part;
                    }
                    _ => return Vec::new(),
                }
            }
            HirKind::Literal(literal) => break &literal.0,
            _ => return Vec::new(),
        }
    };
    // A byte that is no UTF-8 reads as this character.
    let replacement = "\u{FFFD}".as_bytes();
    let known = literal
        .windows(replacement.len())
        .rposition(|bytes| bytes == replacement);
    literal[known.map_or(0, |at| at + replacement.len())..].to_vec()
}
