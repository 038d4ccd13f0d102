use regex_automata::meta;
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::{Input, MatchKind, PatternID, PatternSet};

use crate::compile::{TooLarge, compile};
use crate::error::{Error, ErrorKind};
use crate::parse;
use crate::text::Text;

/// Many patterns of Go's `regexp`, searched for in one pass.
///
/// ```
/// use traefikrs_goregexp::RegexSet;
///
/// let set = RegexSet::new(["^/api", r"\.html$", "v[0-9]"])?;
/// let mut matches = set.create_matches();
/// set.search(b"/api/v2", &mut matches);
/// assert_eq!(matches.iter().collect::<Vec<_>>(), [0, 2]);
/// # Ok::<(), traefikrs_goregexp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RegexSet {
    engine: meta::Regex,
    len: usize,
}

impl RegexSet {
    /// Compiles the patterns; each is known by its position.
    ///
    /// # Errors
    /// When Go would refuse one of them, or when they are too large together.
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Result<Self, Error> {
        let mut hirs = Vec::new();
        let mut height = 0;
        let mut last = None;
        for pattern in patterns {
            let parsed = parse::parse(pattern.as_ref())?;
            hirs.push(parsed.hir);
            height = height.max(parsed.height);
            last = Some(pattern);
        }
        let config = meta::Config::new()
            .match_kind(MatchKind::All)
            .which_captures(WhichCaptures::None);
        let engine = compile(config, &hirs, height).map_err(|TooLarge| {
            let last = last.as_ref().map_or("", AsRef::as_ref);
            Error::new(ErrorKind::TooLarge, last, 0..last.len())
        })?;
        Ok(Self {
            engine,
            len: hirs.len(),
        })
    }

    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Tells whether there are no patterns.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Room for the answer of [`search`](Self::search), to be kept and used again.
    pub fn create_matches(&self) -> Matches {
        Matches(PatternSet::new(self.len))
    }

    /// Finds out which patterns match anywhere in `text`.
    ///
    /// What was in `matches` before is gone. It must come from [`create_matches`](Self::create_matches) of this set.
    pub fn search(&self, text: &[u8], matches: &mut Matches) {
        if matches.0.capacity() != self.len {
            *matches = self.create_matches();
        }
        matches.0.clear();
        if std::str::from_utf8(text).is_ok() {
            self.engine
                .which_overlapping_matches(&Input::new(text), &mut matches.0);
        } else {
            self.engine
                .which_overlapping_matches(&Input::new(Text::new(text).shown()), &mut matches.0);
        }
    }
}

/// Which patterns of a [`RegexSet`] matched.
#[derive(Clone, Debug)]
pub struct Matches(PatternSet);

impl Matches {
    /// Tells whether the pattern at this position matched.
    pub fn contains(&self, index: usize) -> bool {
        index < self.0.capacity() && PatternID::new(index).is_ok_and(|id| self.0.contains(id))
    }

    /// Tells whether no pattern matched.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The positions of the patterns that matched, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|id| id.as_usize())
    }
}
