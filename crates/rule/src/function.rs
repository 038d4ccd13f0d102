use std::fmt;

use crate::Argument;

/// Which of Traefik's two rule languages is meant?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Syntax {
    /// The language of Traefik 3, and the default.
    #[default]
    V3,
    /// The language of Traefik 2, deprecated: functions take any number of arguments and templates with braces.
    V2,
}

impl Syntax {
    /// Reads the `ruleSyntax` of a router or the `syntax` of an IngressRoute.
    // Traefik: the comparison is exact and everything else is v3, also `V2` and `default`.
    #[must_use]
    pub fn from_setting(setting: &str) -> Self {
        if setting == "v2" { Self::V2 } else { Self::V3 }
    }
}

/// Which property of a request does a call look at?
///
/// The table of all matcher functions of both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    missing_docs,
    reason = "reference.md, part of the crate's documentation, describes each; a test sees to it"
)]
pub enum Function {
    ClientIp,
    Header,
    HeaderRegexp,
    Headers,
    HeadersRegexp,
    Host,
    HostHeader,
    HostRegexp,
    Method,
    Path,
    PathPrefix,
    PathRegexp,
    Query,
    QueryRegexp,
}

/// How many arguments may a function take?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// Exactly one.
    One,
    /// Exactly two.
    Two,
    /// One or two.
    OneOrTwo,
    /// One or more; one of them must match.
    Any,
    /// An even number, at least two: keys and values in turn.
    Pairs,
    /// One or more which, split at their first `=`, give an even number of pieces.
    SplitPairs,
}

impl Function {
    /// All functions, in the order of their names.
    pub const ALL: [Self; 14] = [
        Self::ClientIp,
        Self::Header,
        Self::HeaderRegexp,
        Self::Headers,
        Self::HeadersRegexp,
        Self::Host,
        Self::HostHeader,
        Self::HostRegexp,
        Self::Method,
        Self::Path,
        Self::PathPrefix,
        Self::PathRegexp,
        Self::Query,
        Self::QueryRegexp,
    ];

    /// Returns the canonical name, as the documentation of Traefik spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ClientIp => "ClientIP",
            Self::Header => "Header",
            Self::HeaderRegexp => "HeaderRegexp",
            Self::Headers => "Headers",
            Self::HeadersRegexp => "HeadersRegexp",
            Self::Host => "Host",
            Self::HostHeader => "HostHeader",
            Self::HostRegexp => "HostRegexp",
            Self::Method => "Method",
            Self::Path => "Path",
            Self::PathPrefix => "PathPrefix",
            Self::PathRegexp => "PathRegexp",
            Self::Query => "Query",
            Self::QueryRegexp => "QueryRegexp",
        }
    }

    /// Finds the function that a rule of this language calls by `name`.
    ///
    /// Four spellings are known: `PathPrefix`, `pathprefix`, `PATHPREFIX` and `Pathprefix`.
    #[must_use]
    pub fn from_name(name: &str, syntax: Syntax) -> Option<Self> {
        Self::spelled(name).filter(|function| function.arity(syntax).is_some())
    }

    /// Finds the function of either language.
    pub(crate) fn spelled(name: &str) -> Option<Self> {
        let function = Self::ALL
            .into_iter()
            .find(|function| function.name().eq_ignore_ascii_case(name))?;
        let tail = name.get(1..)?;
        let lower_tail = !tail.bytes().any(|byte| byte.is_ascii_uppercase());
        let upper = !name.bytes().any(|byte| byte.is_ascii_lowercase());
        (name == function.name() || lower_tail || upper).then_some(function)
    }

    /// Returns how many arguments the function takes in this language, or `None` if the language does not have it.
    #[must_use]
    pub fn arity(self, syntax: Syntax) -> Option<Arity> {
        match (syntax, self) {
            (
                Syntax::V3,
                Self::ClientIp
                | Self::Host
                | Self::HostRegexp
                | Self::Method
                | Self::Path
                | Self::PathPrefix
                | Self::PathRegexp,
            ) => Some(Arity::One),
            (Syntax::V3, Self::Header | Self::HeaderRegexp) => Some(Arity::Two),
            (Syntax::V3, Self::Query | Self::QueryRegexp) => Some(Arity::OneOrTwo),
            (
                Syntax::V2,
                Self::ClientIp
                | Self::Host
                | Self::HostHeader
                | Self::HostRegexp
                | Self::Method
                | Self::Path
                | Self::PathPrefix,
            ) => Some(Arity::Any),
            (Syntax::V2, Self::Headers | Self::HeadersRegexp) => Some(Arity::Pairs),
            (Syntax::V2, Self::Query) => Some(Arity::SplitPairs),
            (Syntax::V3, Self::Headers | Self::HeadersRegexp | Self::HostHeader)
            | (
                Syntax::V2,
                Self::Header | Self::HeaderRegexp | Self::PathRegexp | Self::QueryRegexp,
            ) => None,
        }
    }

    /// Returns which of the known functions was perhaps meant by `name`.
    pub(crate) fn nearest(name: &str, known: impl Iterator<Item = Self>) -> Option<Self> {
        let known: Vec<Self> = known.collect();
        let counterpart = Self::spelled(name).and_then(Self::counterpart);
        if let Some(counterpart) = counterpart.filter(|counterpart| known.contains(counterpart)) {
            return Some(counterpart);
        }
        let lower = name.to_ascii_lowercase();
        let distances = known.into_iter().map(|function| {
            (
                distance(&lower, &function.name().to_ascii_lowercase()),
                function,
            )
        });
        distances
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, _)| *distance <= 2)
            .map(|(_, function)| function)
    }

    /// Returns the function of the other language that comes nearest.
    fn counterpart(self) -> Option<Self> {
        match self {
            Self::Header => Some(Self::Headers),
            Self::HeaderRegexp => Some(Self::HeadersRegexp),
            Self::Headers => Some(Self::Header),
            Self::HeadersRegexp => Some(Self::HeaderRegexp),
            Self::HostHeader => Some(Self::Host),
            Self::PathRegexp => Some(Self::Path),
            Self::QueryRegexp => Some(Self::Query),
            Self::ClientIp
            | Self::Host
            | Self::HostRegexp
            | Self::Method
            | Self::Path
            | Self::PathPrefix
            | Self::Query => None,
        }
    }

    pub(crate) fn check(self, syntax: Syntax, arguments: &[Argument]) -> Result<(), ArgumentError> {
        match self.problem(syntax, arguments) {
            Some(problem) => Err(ArgumentError {
                function: self,
                problem,
            }),
            None => Ok(()),
        }
    }

    // Traefik: the order matters, `Header("a", "", "")` is empty before it is too long.
    fn problem(self, syntax: Syntax, arguments: &[Argument]) -> Option<ArgumentProblem> {
        let texts = || {
            arguments
                .iter()
                .map(|argument| argument.to_text().into_owned())
        };
        if arguments.is_empty() {
            return Some(ArgumentProblem::Missing);
        }
        if arguments
            .iter()
            .any(|argument| argument.as_bytes().is_empty())
        {
            return Some(ArgumentProblem::Empty {
                arguments: texts().collect(),
            });
        }
        let count = arguments.len();
        let wrong = |expected: &'static [usize]| {
            (!expected.contains(&count)).then_some(ArgumentProblem::Count {
                found: count,
                expected,
            })
        };
        match self.arity(syntax)? {
            Arity::One => wrong(&[1]),
            Arity::Two => wrong(&[2]),
            Arity::OneOrTwo => wrong(&[1, 2]),
            Arity::Any => None,
            Arity::Pairs => odd(texts().collect()),
            Arity::SplitPairs => odd(texts().flat_map(|text| split_pair(&text)).collect()),
        }
    }
}

/// Counts the insertions, deletions and replacements that lead from one word to the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    const LONGEST: usize = 32;
    if from.len() > LONGEST {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, left) in from.bytes().enumerate() {
        let mut diagonal = index;
        let mut previous = index + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(to.bytes()) {
            let replaced = diagonal + usize::from(left != right);
            diagonal = *cell;
            previous = replaced.min(previous + 1).min(diagonal + 1);
            *cell = previous;
        }
    }
    row.last().copied().unwrap_or_default()
}

fn odd(pieces: Vec<String>) -> Option<ArgumentProblem> {
    (pieces.len() % 2 == 1).then_some(ArgumentProblem::Odd { pieces })
}

fn split_pair(text: &str) -> Vec<String> {
    text.splitn(2, '=').map(str::to_owned).collect()
}

impl fmt::Display for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Which call has unusable arguments, and why?
///
/// `Display` is the text with which Traefik's API explains the same problem.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.traefik())]
pub struct ArgumentError {
    /// The function called.
    pub function: Function,
    /// What is wrong with its arguments.
    pub problem: ArgumentProblem,
}

/// What can be wrong with the arguments of a call, whatever they mean.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArgumentProblem {
    /// There is none.
    Missing,
    /// One is the empty string.
    Empty {
        /// All arguments.
        arguments: Vec<String>,
    },
    /// There are too many or too few.
    Count {
        /// How many there are.
        found: usize,
        /// How many there may be.
        expected: &'static [usize],
    },
    /// Keys and values do not pair up.
    Odd {
        /// Keys and values in turn.
        pieces: Vec<String>,
    },
}

impl ArgumentError {
    // Traefik: pkg/rules `CheckRule` words the first two, the matchers of pkg/muxer/http the others.
    fn traefik(&self) -> String {
        let name = self.function;
        match &self.problem {
            ArgumentProblem::Missing => {
                format!("error while checking rule {name}: no args for matcher {name}")
            }
            ArgumentProblem::Empty { arguments } => {
                format!(
                    "error while checking rule {name}: empty args for matcher {name}, [{}]",
                    arguments.join(" ")
                )
            }
            ArgumentProblem::Count { found, expected } => {
                let expected: Vec<String> = expected.iter().map(usize::to_string).collect();
                let expected = expected.join(" ");
                format!(
                    "error while adding rule {name}: unexpected number of parameters; got {found}, expected one of [{expected}]"
                )
            }
            ArgumentProblem::Odd { pieces } => {
                let pieces = pieces.join(" ");
                format!(
                    "error while adding rule {name}: mux: number of parameters must be multiple of 2, got [{pieces}]"
                )
            }
        }
    }
}
