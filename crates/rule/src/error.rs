use std::fmt;

use crate::{ArgumentError, ArgumentProblem, Function, Span};

mod snippet;
mod traefik;

/// Why is this text not a rule, where, and what should be written instead?
///
/// `Display` draws the line, marks the place and, where it can, says what to write. [`traefik_message`](Self::traefik_message) is the
/// one line that Traefik shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    kind: ParseErrorKind,
    span: Span,
    text: Box<str>,
}

/// What can be wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The arguments of a call are missing, empty, too many or too few.
    Arguments(ArgumentError),
    /// A character that cannot be a digit of the escape sequence.
    EscapeDigit(char),
    /// An escape sequence for a number that is no byte or no character.
    EscapeRange,
    /// Another token was expected.
    Expected {
        /// What would have been right.
        expected: Expected,
        /// The token found, in Go's notation: `'EOF'`, `newline`, `'&&'`, `Host`, `"text"`.
        found: String,
    },
    /// A character that begins no token.
    IllegalCharacter(char),
    /// Single quotes around none or several characters.
    IllegalRune,
    /// Two arguments without a comma, or a newline before the closing parenthesis.
    MissingComma {
        /// Whether it was a newline.
        newline: bool,
    },
    /// A literal where a condition should be.
    NotACondition(WrongArgument),
    /// Parentheses and negations nested deeper than [`MAX_DEPTH`](crate::MAX_DEPTH).
    TooDeep,
    /// A text longer than [`MAX_TEXT`](crate::MAX_TEXT); the error does not keep the text.
    TooLong,
    /// A backslash before a character that makes no escape sequence.
    UnknownEscape(char),
    /// A call of a function that the language does not have.
    UnknownFunction {
        /// The name called.
        name: String,
        /// What was perhaps meant.
        nearest: Option<Function>,
    },
    /// A name that is not called.
    UnknownName(String),
    /// A construct of Go that rules do not have, in Traefik's words.
    Unsupported(&'static str),
    /// An operator other than `&&`, `||` and `!`.
    UnsupportedOperator(&'static str),
    /// The text ends within a token.
    Unterminated(Unterminated),
    /// An argument that is not a string.
    WrongArgument(WrongArgument),
}

/// What the parser was waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// `)`.
    Closing,
    /// `==`, in place of `=`; neither is supported.
    Comparison,
    /// The end of the rule.
    End,
    /// A call, a negation or a parenthesis.
    Operand,
}

/// What was begun and not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub enum Unterminated {
    Comment,
    Escape,
    RawString,
    String,
}

/// What stands in place of a string argument, or of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub enum WrongArgument {
    Binary,
    Call,
    Float,
    Imaginary,
    Integer,
    Parenthesized,
    Rune,
    String,
    Unary,
}

impl std::error::Error for ParseError {}

/// Draws the rule with the place marked.
impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.headline())?;
        if self.kind == ParseErrorKind::TooLong {
            return Ok(());
        }
        snippet::draw(formatter, &self.text, self.span)?;
        match self.help() {
            Some(help) => write!(
                formatter,
                "\n{:width$} = help: {help}",
                "",
                width = snippet::gutter(&self.text, self.span)
            ),
            None => Ok(()),
        }
    }
}

impl ParseError {
    pub(crate) fn new(kind: ParseErrorKind, span: Span, text: &str) -> Self {
        Self {
            kind,
            span,
            text: text.into(),
        }
    }

    /// Returns what is wrong.
    #[must_use]
    pub fn kind(&self) -> &ParseErrorKind {
        &self.kind
    }

    /// Returns where it is wrong.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// Returns the text that was parsed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    fn headline(&self) -> String {
        match &self.kind {
            ParseErrorKind::Arguments(error) => arguments_headline(error),
            ParseErrorKind::EscapeDigit(character) => {
                format!("{character:?} is not a digit of this escape sequence")
            }
            ParseErrorKind::EscapeRange => "the escape sequence stands for no character".to_owned(),
            ParseErrorKind::Expected { expected, found } => {
                let found = match found.as_str() {
                    "'EOF'" => "the end of the rule".to_owned(),
                    "newline" if self.span.start == self.text.len() => {
                        "the end of the rule".to_owned()
                    }
                    "newline" => "a line break".to_owned(),
                    token => format!("`{}`", token.trim_matches('\'')),
                };
                format!("expected {}, found {found}", expected.description())
            }
            ParseErrorKind::IllegalCharacter(character) => {
                format!("unexpected character {character:?}")
            }
            ParseErrorKind::IllegalRune | ParseErrorKind::WrongArgument(WrongArgument::Rune) => {
                "single quotes do not make a string".to_owned()
            }
            ParseErrorKind::MissingComma { .. } => {
                "expected `,` or `)` behind the argument".to_owned()
            }
            ParseErrorKind::NotACondition(_) => "expected a condition, found a literal".to_owned(),
            ParseErrorKind::TooDeep => format!(
                "more than {} levels of parentheses and negations",
                crate::MAX_DEPTH
            ),
            ParseErrorKind::TooLong => format!("the rule is longer than {} bytes", crate::MAX_TEXT),
            ParseErrorKind::UnknownEscape(character) => {
                format!("`\\{character}` is not an escape sequence")
            }
            ParseErrorKind::UnknownFunction { name, .. } => format!("unknown function `{name}`"),
            ParseErrorKind::UnknownName(name) => format!("unknown name `{name}`"),
            ParseErrorKind::Unsupported(_) => {
                "rules have calls, `&&`, `||`, `!` and parentheses only".to_owned()
            }
            ParseErrorKind::UnsupportedOperator(operator) => {
                format!("unknown operator `{operator}`")
            }
            ParseErrorKind::Unterminated(what) => {
                format!("the {} is not terminated", what.description())
            }
            ParseErrorKind::WrongArgument(_) => "an argument must be one string".to_owned(),
        }
    }

    fn help(&self) -> Option<String> {
        let help = match &self.kind {
            ParseErrorKind::Arguments(error) => return arguments_help(error),
            ParseErrorKind::Expected { expected, found } => {
                return self.expected_help(*expected, found);
            }
            ParseErrorKind::IllegalCharacter('#') => "comments begin with `//`",
            ParseErrorKind::IllegalCharacter('“' | '”' | '‘' | '’')
            | ParseErrorKind::IllegalRune
            | ParseErrorKind::WrongArgument(WrongArgument::Rune)
            | ParseErrorKind::NotACondition(WrongArgument::Rune) => {
                "put strings into back-quotes or straight double quotes"
            }
            ParseErrorKind::MissingComma { newline: true } => {
                "close the parenthesis on the same line, or end the line with a comma"
            }
            ParseErrorKind::UnknownEscape(_) => {
                "put regular expressions into back-quotes, where a backslash stands for itself"
            }
            ParseErrorKind::UnknownFunction {
                nearest: Some(nearest),
                ..
            } => return Some(format!("did you mean `{nearest}`?")),
            ParseErrorKind::UnknownName(name) => return Some(name_help(name)),
            ParseErrorKind::UnsupportedOperator("&") => "write `&&`",
            ParseErrorKind::UnsupportedOperator("|") => "write `||`",
            ParseErrorKind::Unterminated(Unterminated::String) => {
                "end the string with a double quote on the same line"
            }
            ParseErrorKind::Unterminated(Unterminated::RawString) => {
                "end the string with a back-quote"
            }
            ParseErrorKind::WrongArgument(WrongArgument::Integer | WrongArgument::Float) => {
                "put numbers into quotes too"
            }
            _ => return None,
        };
        Some(help.to_owned())
    }

    fn expected_help(&self, expected: Expected, found: &str) -> Option<String> {
        let before = &self.text[..self.span.start];
        let first_on_line = before.trim_end_matches([' ', '\t', '\r']).ends_with('\n');
        let help = match (expected, found) {
            (Expected::End, "'&&'" | "'||'") if first_on_line => {
                "a rule ends at a line break behind `)`; put the operator at the end of the line above"
            }
            (Expected::End, "and" | "AND" | "And") => "write `&&`",
            (Expected::End, "or" | "OR" | "Or") => "write `||`",
            (Expected::End, _) if Function::spelled(found).is_some() => {
                "join conditions with `&&` or `||`"
            }
            (Expected::Closing, "newline") if self.span.start < self.text.len() => {
                "close the parenthesis on the same line"
            }
            _ => return None,
        };
        Some(help.to_owned())
    }
}

impl Expected {
    fn description(self) -> &'static str {
        match self {
            Self::Closing => "`)`",
            Self::Comparison => "`&&` or `||`",
            Self::End => "the end of the rule",
            Self::Operand => "a condition",
        }
    }
}

impl Unterminated {
    fn description(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Escape => "escape sequence",
            Self::RawString | Self::String => "string",
        }
    }
}

fn arguments_headline(error: &ArgumentError) -> String {
    let name = error.function;
    match &error.problem {
        ArgumentProblem::Missing => format!("`{name}` has no argument"),
        ArgumentProblem::Empty { .. } => format!("`{name}` has an empty argument"),
        ArgumentProblem::Count {
            found,
            expected: [only],
        } => format!("`{name}` takes {only}, not {found} arguments"),
        ArgumentProblem::Count { found, .. } => {
            format!("`{name}` takes 1 or 2, not {found} arguments")
        }
        ArgumentProblem::Odd { .. } => format!("`{name}` takes pairs of key and value"),
    }
}

fn arguments_help(error: &ArgumentError) -> Option<String> {
    let name = error.function;
    match &error.problem {
        ArgumentProblem::Count {
            found: 2..,
            expected: [1],
        } => Some(format!("write {name}(`a`) || {name}(`b`)")),
        ArgumentProblem::Odd { .. } if name == Function::Query => {
            Some("write Query(`key=value`)".to_owned())
        }
        _ => None,
    }
}

fn name_help(name: &str) -> String {
    match (Function::spelled(name), name.to_ascii_lowercase().as_str()) {
        (Some(function), _) => format!("call it with its arguments: {function}(`…`)"),
        (None, "not") => "write `!`".to_owned(),
        (None, _) => format!("put text into back-quotes: `{name}`"),
    }
}
