//! The grammar, as nom parsers over the rest of the text.
//!
//! ```text
//! rule    = or , [ newline ]                          nothing may follow
//! or      = and { "||" and }
//! and     = unary { "&&" unary }
//! unary   = "!" unary | "(" or ")" | call
//! call    = name "(" [ string { "," string } [ "..." ] [ "," ] ] ")"
//! ```
//!
//! Rules are Go expressions, so newlines count: one directly behind a string, a name or `)` ends the rule. Blanks are
//! therefore of two kinds, [`lexer::blank`] within a line and [`lexer::space`] where newlines are free.

use nom::bytes::complete::tag;
use nom::multi::separated_list1;
use nom::sequence::{delimited, terminated};
use nom::{IResult, Parser as _};

use crate::ast::Operator;
use crate::{
    Argument, Call, Expected, Expr, ExprKind, Function, ParseError, ParseErrorKind, Rule, Span,
    Syntax, WrongArgument,
};

mod failure;
mod lexer;

use failure::{Failure, Operand};

/// The longest text that is parsed, in bytes: 1 MiB.
pub const MAX_TEXT: usize = 1 << 20;

/// The deepest nesting of parentheses and negations that is parsed.
pub const MAX_DEPTH: usize = 64;

/// Reads a rule in the given language.
///
/// Arguments are not looked at; see [`Rule::check`].
///
/// # Errors
/// The text is not a rule of this language, or exceeds [`MAX_TEXT`] or [`MAX_DEPTH`].
pub fn parse(text: &str, syntax: Syntax) -> Result<Rule, ParseError> {
    let expr = expr(text, Names::Of(syntax))?;
    Ok(Rule::new(text, syntax, expr))
}

/// Which function names are known.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Names {
    Of(Syntax),
    Both,
}

pub(crate) fn expr(text: &str, names: Names) -> Result<Expr, ParseError> {
    if text.len() > MAX_TEXT {
        return Err(ParseError::new(
            ParseErrorKind::TooLong,
            Span::default(),
            "",
        ));
    }
    let grammar = Grammar {
        names,
        length: text.len(),
    };
    match grammar.rule(text) {
        Ok((_, expr)) => Ok(expr),
        Err(nom::Err::Error(failure) | nom::Err::Failure(failure)) => Err(failure.into_error(text)),
        Err(nom::Err::Incomplete(_)) => unreachable!("the parsers are complete ones"),
    }
}

type Parsed<'t, T> = IResult<&'t str, T, Failure>;

#[derive(Clone, Copy)]
struct Grammar {
    names: Names,
    length: usize,
}

impl Grammar {
    fn rule(self, text: &str) -> Parsed<'_, Expr> {
        // Traefik: Go's scanner skips a byte order mark at the very beginning.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (mut rest, expr) =
            delimited(lexer::space, |rest| self.or(rest, 0), lexer::blank).parse(text)?;
        if lexer::at_line_end(rest) {
            (rest, ()) = lexer::space(rest)?;
        }
        if rest.is_empty() {
            Ok((rest, expr))
        } else {
            Err(failure::expected(Expected::End, rest))
        }
    }

    fn or(self, rest: &str, depth: usize) -> Parsed<'_, Expr> {
        let operator = delimited(lexer::blank, tag("||"), lexer::space);
        let (rest, operands) =
            separated_list1(operator, |rest| self.and(rest, depth)).parse(rest)?;
        Ok((rest, Expr::join(Operator::Or, operands)))
    }

    fn and(self, rest: &str, depth: usize) -> Parsed<'_, Expr> {
        let operator = delimited(lexer::blank, tag("&&"), lexer::space);
        let (rest, operands) =
            separated_list1(operator, |rest| self.unary(rest, depth)).parse(rest)?;
        Ok((rest, Expr::join(Operator::And, operands)))
    }

    fn unary<'t>(self, rest: &'t str, depth: usize) -> Parsed<'t, Expr> {
        if depth > MAX_DEPTH {
            return Err(failure::at(ParseErrorKind::TooDeep, rest, 1));
        }
        let (after, expr) = match lexer::operator(rest) {
            Some("!") => return self.negation(rest, depth),
            Some("(") => self.parenthesized(rest, depth)?,
            _ => self.call(rest)?,
        };
        self.refuse_operator(after)?;
        Ok((after, expr))
    }

    fn negation<'t>(self, rest: &'t str, depth: usize) -> Parsed<'t, Expr> {
        let (operand, _) = terminated(tag("!"), lexer::space).parse(rest)?;
        let (after, expr) = self.unary(operand, depth + 1)?;
        Ok((after, expr.negated().with_span(self.span(rest, after))))
    }

    fn parenthesized<'t>(self, rest: &'t str, depth: usize) -> Parsed<'t, Expr> {
        let (inner, _) = terminated(tag("("), lexer::space).parse(rest)?;
        let (after, expr) =
            terminated(|rest| self.or(rest, depth + 1), lexer::blank).parse(inner)?;
        let after = after
            .strip_prefix(')')
            .ok_or_else(|| failure::expected_after_operand(Expected::Closing, after))?;
        failure::refuse_postfix(lexer::blank(after)?.0, Operand::Parenthesized)?;
        Ok((after, expr.with_span(self.span(rest, after))))
    }

    fn call<'t>(self, rest: &'t str) -> Parsed<'t, Expr> {
        let (after_name, name) = lexer::dotted_name(rest)?;
        let Some(name) = name else {
            return Err(not_a_condition(rest));
        };
        let (opening, ()) = lexer::blank(after_name)?;
        if !opening.starts_with('(') {
            failure::refuse_postfix(opening, Operand::Name)?;
            return Err(failure::at(
                ParseErrorKind::UnknownName(name.to_owned()),
                rest,
                name.len(),
            ));
        }
        let function = self
            .function(name)
            .ok_or_else(|| self.unknown_function(rest, name))?;
        let (after, arguments) = self.arguments(opening)?;
        failure::refuse_postfix(lexer::blank(after)?.0, Operand::Call)?;
        let span = self.span(rest, after);
        Ok((
            after,
            Expr::new(
                ExprKind::Call(Call {
                    function,
                    arguments,
                    span,
                }),
                span,
            ),
        ))
    }

    fn arguments<'t>(self, rest: &'t str) -> Parsed<'t, Vec<Argument>> {
        let mut arguments = Vec::new();
        let (mut rest, _) = terminated(tag("("), lexer::space).parse(rest)?;
        let mut closing = false;
        loop {
            if let Some(after) = rest.strip_prefix(')') {
                return Ok((after, arguments));
            }
            if closing || rest.is_empty() {
                return Err(failure::expected(Expected::Closing, rest));
            }
            let (after, argument) = self.argument(rest)?;
            arguments.push(argument);
            // Traefik: `...` is legal Go behind the last argument and has no effect.
            (rest, closing) = lexer::spread(after)?;
            rest = match rest.strip_prefix(',') {
                Some(after) => lexer::space(after)?.0,
                None if rest.starts_with(')') => rest,
                None => return Err(failure::missing_comma(rest)),
            };
        }
    }

    fn argument<'t>(self, rest: &'t str) -> Parsed<'t, Argument> {
        let (after, bytes) = match rest.chars().next() {
            Some('"') => lexer::interpreted_string(rest)?,
            Some('`') => lexer::raw_string(rest)?,
            _ => return Err(self.wrong_argument(rest)),
        };
        let (next, ()) = lexer::blank(after)?;
        if let Some(operator) = lexer::binary(next) {
            return Err(failure::at(
                ParseErrorKind::WrongArgument(WrongArgument::Binary),
                next,
                operator.len(),
            ));
        }
        Ok((
            after,
            Argument {
                bytes,
                span: self.span(rest, after),
            },
        ))
    }

    fn wrong_argument(self, rest: &str) -> nom::Err<Failure> {
        let wrong =
            |argument, length| failure::at(ParseErrorKind::WrongArgument(argument), rest, length);
        match lexer::literal(rest) {
            Err(unreadable) => return unreadable,
            Ok(Some((kind, literal))) => return wrong(kind, literal.len()),
            Ok(None) => {}
        }
        if let Ok((after, Some(name))) = lexer::dotted_name(rest) {
            let call = lexer::blank(after).is_ok_and(|(opening, ())| opening.starts_with('('));
            return match self.function(name) {
                Some(_) if call => wrong(WrongArgument::Call, name.len()),
                None if call => self.unknown_function(rest, name),
                _ => failure::at(
                    ParseErrorKind::UnknownName(name.to_owned()),
                    rest,
                    name.len(),
                ),
            };
        }
        match lexer::operator(rest) {
            Some("(") => wrong(WrongArgument::Parenthesized, 1),
            Some("!" | "+" | "-" | "^" | "&" | "~" | "<-") => wrong(WrongArgument::Unary, 1),
            _ => failure::expected(Expected::Operand, rest),
        }
    }

    fn refuse_operator(self, rest: &str) -> Result<(), nom::Err<Failure>> {
        let (rest, ()) = lexer::blank(rest)?;
        match lexer::operator(rest) {
            Some("=") => Err(failure::expected(Expected::Comparison, rest)),
            Some("&&" | "||") | None => Ok(()),
            Some(_) => match lexer::binary(rest) {
                Some(operator) => Err(failure::at(
                    ParseErrorKind::UnsupportedOperator(operator),
                    rest,
                    operator.len(),
                )),
                None => Ok(()),
            },
        }
    }

    fn function(self, name: &str) -> Option<Function> {
        match self.names {
            Names::Of(syntax) => Function::from_name(name, syntax),
            Names::Both => Function::spelled(name),
        }
    }

    fn unknown_function(self, rest: &str, name: &str) -> nom::Err<Failure> {
        let known = Function::ALL
            .into_iter()
            .filter(|function| self.function(function.name()).is_some());
        let nearest = Function::nearest(name, known);
        failure::at(
            ParseErrorKind::UnknownFunction {
                name: name.to_owned(),
                nearest,
            },
            rest,
            name.len(),
        )
    }

    fn span(self, from: &str, to: &str) -> Span {
        Span {
            start: self.length - from.len(),
            end: self.length - to.len(),
        }
    }
}

fn not_a_condition(rest: &str) -> nom::Err<Failure> {
    if let Some(operator) = lexer::unsupported_unary(rest) {
        return failure::at(
            ParseErrorKind::UnsupportedOperator(operator),
            rest,
            operator.len(),
        );
    }
    let literal = rest.starts_with(['"', '`', '\''])
        || lexer::literal(rest).is_ok_and(|literal| literal.is_some());
    if literal {
        failure::literal_condition(rest)
    } else {
        failure::expected(Expected::Operand, rest)
    }
}
