use super::lexer;
use crate::{Expected, ParseError, ParseErrorKind, Span, WrongArgument};

/// Why a parser stopped, placed by how much of the text was left.
#[derive(Debug)]
pub(crate) struct Failure {
    /// `None` for the mismatches by which nom tries alternatives; they are common, so they cost nothing.
    kind: Option<Box<ParseErrorKind>>,
    left: usize,
    length: usize,
}

impl Failure {
    pub(super) fn into_error(self, text: &str) -> ParseError {
        let start = text.len().saturating_sub(self.left);
        let span = Span {
            start,
            end: text.len().min(start + self.length),
        };
        let kind = self.kind.map_or(
            ParseErrorKind::Expected {
                expected: Expected::Operand,
                found: String::new(),
            },
            |kind| *kind,
        );
        ParseError::new(kind, span, text)
    }
}

impl nom::error::ParseError<&str> for Failure {
    fn from_error_kind(rest: &str, _: nom::error::ErrorKind) -> Self {
        Self {
            kind: None,
            left: rest.len(),
            length: 0,
        }
    }

    fn append(_: &str, _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}

/// The parser does not apply here; another may.
pub(super) fn mismatch(rest: &str) -> nom::Err<Failure> {
    nom::Err::Error(Failure {
        kind: None,
        left: rest.len(),
        length: 0,
    })
}

/// The rule is wrong here, and no alternative will help.
pub(super) fn at(kind: ParseErrorKind, rest: &str, length: usize) -> nom::Err<Failure> {
    nom::Err::Failure(Failure {
        kind: Some(Box::new(kind)),
        left: rest.len(),
        length,
    })
}

/// Something else was expected here.
pub(super) fn expected(expected: Expected, rest: &str) -> nom::Err<Failure> {
    match lexer::found(rest) {
        Ok(found) => {
            let length = if rest.is_empty() {
                0
            } else {
                found.trim_matches('\'').len()
            };
            at(ParseErrorKind::Expected { expected, found }, rest, length)
        }
        Err(unreadable) => unreadable,
    }
}

/// Something else was expected here, behind an operand, where a newline is a token.
pub(super) fn expected_after_operand(what: Expected, rest: &str) -> nom::Err<Failure> {
    if lexer::at_line_end(rest) {
        at(
            ParseErrorKind::Expected {
                expected: what,
                found: "newline".to_owned(),
            },
            rest,
            0,
        )
    } else {
        expected(what, rest)
    }
}

/// The argument is followed by neither a comma nor the closing parenthesis.
pub(super) fn missing_comma(rest: &str) -> nom::Err<Failure> {
    if lexer::at_line_end(rest) {
        return at(ParseErrorKind::MissingComma { newline: true }, rest, 0);
    }
    match lexer::found(rest) {
        Ok(found) => at(
            ParseErrorKind::MissingComma { newline: false },
            rest,
            found.trim_matches('\'').len(),
        ),
        Err(unreadable) => unreadable,
    }
}

/// A string or number stands where a condition should.
pub(super) fn literal_condition(rest: &str) -> nom::Err<Failure> {
    let kind = match lexer::literal(rest) {
        Err(error) => return error,
        Ok(kind) => kind.map_or(WrongArgument::String, |(kind, _)| kind),
    };
    match lexer::found(rest) {
        Ok(found) => at(ParseErrorKind::NotACondition(kind), rest, found.len()),
        Err(unreadable) => unreadable,
    }
}

/// Refuses what Go allows behind an operand and rules do not: indexing, selecting, calling once more.
pub(super) fn refuse_postfix(rest: &str, operand: Operand) -> Result<(), nom::Err<Failure>> {
    let kind = match (rest.chars().next(), operand) {
        (Some('('), Operand::Call) => {
            ParseErrorKind::Unsupported("expected identifier, got: *ast.CallExpr")
        }
        (Some('('), Operand::Parenthesized) => {
            ParseErrorKind::Unsupported("expected identifier, got: *ast.ParenExpr")
        }
        (Some('['), _) => ParseErrorKind::Unsupported("properties are not supported"),
        (Some('{'), Operand::Name) => {
            ParseErrorKind::Unsupported("*ast.CompositeLit is not supported")
        }
        (Some('.'), Operand::Call) if !rest.starts_with("..") => {
            ParseErrorKind::Unsupported("unsupported selector type: *ast.CallExpr")
        }
        _ => return Ok(()),
    };
    Err(at(kind, rest, 1))
}

/// What stands before a construct that [`refuse_postfix`] looks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    Call,
    Name,
    Parenthesized,
}
