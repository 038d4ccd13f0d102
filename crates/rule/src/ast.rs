use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::domains;
use crate::{ArgumentError, Function, ParseError, ParseErrorKind, Syntax};

/// Where in the text of a rule something stands, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

impl Span {
    /// Returns the span as a range, to index the text with.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// Which rule did the user write, and what does it say?
///
/// Made by [`parse`](crate::parse). The text is kept exactly as written: its length is the rule's default priority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    text: Box<str>,
    syntax: Syntax,
    expr: Expr,
}

impl Rule {
    pub(crate) fn new(text: &str, syntax: Syntax, expr: Expr) -> Self {
        Self {
            text: text.into(),
            syntax,
            expr,
        }
    }

    /// Returns the text exactly as it was parsed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the language in which the rule is written.
    #[must_use]
    pub fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// Returns what the text says.
    #[must_use]
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// Returns the priority of a router that sets none: the length of the text in bytes, blanks and comments included.
    #[must_use]
    pub fn default_priority(&self) -> usize {
        self.text.len()
    }

    /// Returns the arguments of every `Host` that is not negated, from left to right, in lower case.
    ///
    /// See [`domains`](crate::domains()) for the same question about a text that need not be a valid rule.
    #[must_use]
    pub fn domains(&self) -> Vec<String> {
        domains::of(&self.expr)
    }

    /// Checks the number of arguments of every call, and that none is empty.
    ///
    /// # Errors
    /// Returns the problem of the leftmost call that has one.
    pub fn check(&self) -> Result<(), ParseError> {
        for leaf in self.expr.leaves() {
            leaf.call.check(self.syntax).map_err(|problem| {
                ParseError::new(
                    ParseErrorKind::Arguments(problem),
                    leaf.call.span,
                    &self.text,
                )
            })?;
        }
        Ok(())
    }
}

/// A condition on requests, with the place where it stands.
///
/// Equality is about meaning: two expressions are equal when they differ in spans only.
#[derive(Clone, Debug)]
pub struct Expr {
    kind: ExprKind,
    span: Span,
}

/// The forms of a condition.
///
/// `And` and `Or` hold two operands or more and never an operand of their own kind: `(a && b) && c` is read as `a && b && c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// All operands hold.
    And(Vec<Expr>),
    /// One operand holds.
    Or(Vec<Expr>),
    /// The operand does not hold.
    Not(Box<Expr>),
    /// A matcher function holds.
    Call(Call),
}

impl Expr {
    pub(crate) fn new(kind: ExprKind, span: Span) -> Self {
        Self { kind, span }
    }

    /// Makes the call of a matcher function.
    pub fn call<A: Into<Vec<u8>>>(
        function: Function,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let arguments = arguments
            .into_iter()
            .map(|bytes| Argument {
                bytes: bytes.into(),
                span: Span::default(),
            })
            .collect();
        let call = Call {
            function,
            arguments,
            span: Span::default(),
        };
        Self::new(ExprKind::Call(call), Span::default())
    }

    /// Makes the condition that this one and `other` hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::join(Operator::And, vec![self, other])
    }

    /// Makes the condition that this one or `other` holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::join(Operator::Or, vec![self, other])
    }

    /// Makes the condition that this one does not hold.
    #[must_use]
    pub fn negated(self) -> Self {
        let span = self.span;
        Self::new(ExprKind::Not(Box::new(self)), span)
    }

    /// Joins operands that stand one behind the other; the list is not empty.
    pub(crate) fn join(operator: Operator, mut operands: Vec<Self>) -> Self {
        if operands.len() == 1 {
            return operands.pop().expect("one operand");
        }
        let start = operands.first().map_or(0, |operand| operand.span.start);
        let end = operands.last().map_or(0, |operand| operand.span.end);
        let mut flat = Vec::with_capacity(operands.len());
        for operand in operands {
            match (operator, operand.kind) {
                (Operator::And, ExprKind::And(inner)) | (Operator::Or, ExprKind::Or(inner)) => {
                    flat.extend(inner);
                }
                (_, kind) => flat.push(Self::new(kind, operand.span)),
            }
        }
        let kind = match operator {
            Operator::And => ExprKind::And(flat),
            Operator::Or => ExprKind::Or(flat),
        };
        Self::new(kind, Span { start, end })
    }

    pub(crate) fn with_span(self, span: Span) -> Self {
        Self { span, ..self }
    }

    /// Returns the form of the condition.
    #[must_use]
    pub fn kind(&self) -> &ExprKind {
        &self.kind
    }

    /// Returns where the condition stands in the text; empty for conditions that were not parsed.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// Walks the calls from left to right.
    ///
    /// Each comes with the sign it has once negation is pushed inwards: in ``!(Host(`a`) && !Path(`/b`))`` the call of
    /// `Host` is negated and that of `Path` is not.
    pub fn leaves(&self) -> impl Iterator<Item = Leaf<'_>> {
        let mut open = vec![(self, false)];
        std::iter::from_fn(move || {
            while let Some((expr, negated)) = open.pop() {
                match &expr.kind {
                    ExprKind::And(operands) | ExprKind::Or(operands) => {
                        open.extend(operands.iter().rev().map(|operand| (operand, negated)));
                    }
                    ExprKind::Not(operand) => open.push((operand, !negated)),
                    ExprKind::Call(call) => return Some(Leaf { call, negated }),
                }
            }
            None
        })
    }

    /// Returns the same condition with negation at the calls only (De Morgan), double negations gone.
    // Traefik: pkg/rules builds its tree in this form; the domains of a rule are judged in it.
    #[must_use]
    pub fn normal_form(&self) -> Self {
        self.pushed(false)
    }

    fn pushed(&self, negated: bool) -> Self {
        let pushed = |operands: &[Self]| {
            operands
                .iter()
                .map(|operand| operand.pushed(negated))
                .collect::<Vec<_>>()
        };
        let expr = match &self.kind {
            ExprKind::And(operands) if negated => Self::join(Operator::Or, pushed(operands)),
            ExprKind::Or(operands) if negated => Self::join(Operator::And, pushed(operands)),
            ExprKind::And(operands) => Self::join(Operator::And, pushed(operands)),
            ExprKind::Or(operands) => Self::join(Operator::Or, pushed(operands)),
            ExprKind::Not(operand) => operand.pushed(!negated),
            ExprKind::Call(_) if negated => self.clone().negated(),
            ExprKind::Call(_) => self.clone(),
        };
        expr.with_span(self.span)
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for Expr {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    And,
    Or,
}

/// One call of [`Expr::leaves`], with its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf<'e> {
    /// The call.
    pub call: &'e Call,
    /// Whether the rule wants the call *not* to hold.
    pub negated: bool,
}

/// A matcher function with its arguments.
///
/// Equality ignores the spans, as for [`Expr`].
#[derive(Clone, Debug)]
pub struct Call {
    pub(crate) function: Function,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) span: Span,
}

impl Call {
    /// Returns the function that is called.
    #[must_use]
    pub fn function(&self) -> Function {
        self.function
    }

    /// Returns the arguments in the order written.
    #[must_use]
    pub fn arguments(&self) -> &[Argument] {
        &self.arguments
    }

    /// Returns where the call stands in the text, from its name to its closing parenthesis.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// Checks the number of arguments for the given language, and that none is empty.
    ///
    /// # Errors
    /// Says which of the two is wrong, in the words of Traefik.
    pub fn check(&self, syntax: Syntax) -> Result<(), ArgumentError> {
        self.function.check(syntax, &self.arguments)
    }
}

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function && self.arguments == other.arguments
    }
}

impl Eq for Call {}

/// A string in a rule.
///
/// Strings are bytes: `"\xFF"` is one byte and not a character. Nearly all are text, for which there is [`as_str`](Self::as_str).
/// Equality ignores the span and the way of quoting.
#[derive(Clone)]
pub struct Argument {
    pub(crate) bytes: Vec<u8>,
    pub(crate) span: Span,
}

impl Argument {
    /// Returns the bytes that the string stands for.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the string as text, if it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// Returns the string as text with U+FFFD in place of what is not text, for messages.
    #[must_use]
    pub fn to_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// Returns where the string stands in the text, quotes included.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }
}

impl fmt::Debug for Argument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.bytes.escape_ascii().to_string())
    }
}

impl PartialEq for Argument {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Argument {}
