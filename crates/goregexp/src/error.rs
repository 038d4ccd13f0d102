use std::fmt;
use std::ops::Range;

/// Why a pattern is refused, and where.
///
/// The text is the one of Go: ``error parsing regexp: missing closing ): `a(b` ``.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    pattern: String,
    span: Range<usize>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, pattern: &str, span: Range<usize>) -> Self {
        Self {
            kind,
            pattern: pattern.to_owned(),
            span,
        }
    }

    /// What is wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The pattern as it was given.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The bytes of the pattern that are wrong.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = match self.kind {
            ErrorKind::MissingParen
            | ErrorKind::UnexpectedParen
            | ErrorKind::NestingTooDeep
            | ErrorKind::TooLarge => self.pattern.as_str(),
            ErrorKind::TrailingBackslash => "",
            _ => &self.pattern[self.span.clone()],
        };
        write!(f, "error parsing regexp: {}: `{quoted}`", self.kind)
    }
}

impl std::error::Error for Error {}

/// The kinds of Go's `syntax.ErrorCode`; displayed as Go does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A class name that does not exist, or a range that ends before it starts.
    #[error("invalid character class range")]
    InvalidCharRange,
    /// An escape without a meaning.
    #[error("invalid escape sequence")]
    InvalidEscape,
    /// A group name that is no word, or does not end.
    #[error("invalid named capture")]
    InvalidNamedCapture,
    /// `(?` and something that is no flag: look-around, comments, conditions.
    #[error("invalid or unsupported Perl syntax")]
    InvalidPerlSyntax,
    /// A repetition of a repetition, such as `a**`.
    #[error("invalid nested repetition operator")]
    InvalidRepeatOperator,
    /// A count above 1000, also as a product of nested counts, or a minimum above the maximum.
    #[error("invalid repeat count")]
    InvalidRepeatCount,
    /// A class that does not end.
    #[error("missing closing ]")]
    MissingBracket,
    /// A group that does not end.
    #[error("missing closing )")]
    MissingParen,
    /// A repetition of nothing.
    #[error("missing argument to repetition operator")]
    MissingRepeatArgument,
    /// A pattern that ends within an escape.
    #[error("trailing backslash at end of expression")]
    TrailingBackslash,
    /// A `)` without its `(`.
    #[error("unexpected )")]
    UnexpectedParen,
    /// More than a thousand levels.
    #[error("expression nests too deeply")]
    NestingTooDeep,
    /// A pattern whose compiled form would be too large.
    #[error("expression too large")]
    TooLarge,
}
