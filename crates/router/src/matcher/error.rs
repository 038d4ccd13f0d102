use traefikrs_rule::{ArgumentError, Function, Rule, Span};

use super::template::TemplateError;
use crate::client_ip::InvalidRange;

/// Why can this rule not be compiled?
///
/// `Display` is the line that Traefik puts behind `error while parsing rule R: `.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("adding rule {rule}: {place}{kind}")]
pub struct MatcherError {
    rule: String,
    place: String,
    kind: Box<MatcherErrorKind>,
    span: Span,
}

impl MatcherError {
    /// Returns what is wrong.
    #[must_use]
    pub fn kind(&self) -> &MatcherErrorKind {
        &self.kind
    }

    /// Returns where in the rule the call stands that is wrong.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }
}

/// What can be wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MatcherErrorKind {
    /// Arguments are missing, empty, too many or too few.
    #[error(transparent)]
    Arguments(ArgumentError),
    /// A host is not ASCII; international names are written in punycode.
    #[error(
        "error while adding rule {function}: invalid value {value} for {shown} matcher, non-ASCII characters are not allowed"
    )]
    NonAscii {
        /// The function called.
        function: Function,
        /// Its name as Traefik words it.
        shown: &'static str,
        /// The value, quoted.
        value: String,
    },
    /// A path does not start with a slash.
    #[error("error while adding rule {function}: path {value} does not start with a '/'")]
    Path {
        /// The function called.
        function: Function,
        /// The value, quoted.
        value: String,
    },
    /// A text is no address and no block of addresses.
    #[error(
        "error while adding rule ClientIP: {attempt}: parsing CIDR trusted IPs <nil>: {source}"
    )]
    Range {
        /// What was tried, as Traefik words it.
        attempt: &'static str,
        /// Which text it is.
        source: InvalidRange,
    },
    /// A regular expression is none.
    #[error("error while adding rule {function}: {attempt}{source}")]
    Regexp {
        /// The function called.
        function: Function,
        /// What was tried, as Traefik words it.
        attempt: &'static str,
        /// Why it is none.
        source: RegexpError,
    },
    /// A template of v2 is none.
    #[error("error while adding rule {function}: {source}")]
    Template {
        /// The function called.
        function: Function,
        /// Why it is none.
        source: TemplateError,
    },
}

/// Why is this text no regular expression?
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegexpError {
    /// It is wrong.
    #[error(transparent)]
    Syntax(#[from] traefikrs_goregexp::Error),
    /// It is not text.
    #[error("error parsing regexp: invalid UTF-8: `{0}`")]
    NotText(String),
}

/// An error on its way up, not yet knowing the rule.
pub(super) struct Failure {
    place: String,
    kind: Box<MatcherErrorKind>,
    span: Span,
}

impl Failure {
    pub(super) fn new(kind: MatcherErrorKind, span: Span) -> Self {
        Self {
            place: String::new(),
            kind: Box::new(kind),
            span,
        }
    }

    pub(super) fn into_error(self, rule: &Rule) -> MatcherError {
        MatcherError {
            rule: rule.text().to_owned(),
            place: self.place,
            kind: self.kind,
            span: self.span,
        }
    }

    // Traefik: operators are binary there, and every one whose left side fails adds its name to the message.
    pub(super) fn below(mut self, operator: &str, index: usize, count: usize) -> Self {
        let left_sides = if index == 0 {
            count - 1
        } else {
            count - 1 - index
        };
        self.place.insert_str(
            0,
            &format!("error while adding rule {operator}: ").repeat(left_sides),
        );
        self
    }
}
