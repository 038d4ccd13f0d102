//! What does a Traefik router rule say?
//!
//! A rule is the text that decides whether a router takes a request: ``Host(`example.com`) && PathPrefix(`/api`)``.
//! This crate turns that text into an [`Expr`], says precisely where and why a text is not a rule, prints expressions
//! back, and lists the domains a rule speaks of. It knows both languages of Traefik, [`Syntax::V3`] and [`Syntax::V2`].
//! It does not look at requests: that is the task of `traefikrs-router`, which compiles a [`Rule`] into a matcher.
//!
//! ```text
//! watch ─► translate ─► merge ─► compile ─► publish
//!                                ▲ rule: text ─► expression
//! ```
//!
//! # Example
//!
//! ```
//! use traefikrs_rule::{parse, Syntax};
//!
//! let rule = parse("Host(`Example.com`) && !PathPrefix(`/admin`)", Syntax::V3)?;
//! rule.check()?;
//! assert_eq!(rule.default_priority(), 44);
//! assert_eq!(rule.domains(), ["example.com"]);
//!
//! let error = parse("Host(`example.com`) && Pathprefx(`/api`)", Syntax::V3).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "unknown function `Pathprefx`
//!   |
//! 1 | Host(`example.com`) && Pathprefx(`/api`)
//!   |                        ^^^^^^^^^
//!   = help: did you mean `PathPrefix`?"
//! );
//! # Ok::<(), traefikrs_rule::ParseError>(())
//! ```
//!
//! # Two steps
//!
//! [`parse`] reads the grammar and the names of functions. [`Rule::check`] looks at the number of arguments and refuses
//! empty ones. They are apart because [`domains`] must work on rules that only the first step accepts.
//! What an argument *means* (a regular expression, an address, a path) is checked by whoever compiles the rule.
//!
//! # Limits
//!
//! Rules come from users. A text is at most [`MAX_TEXT`] bytes and nests at most [`MAX_DEPTH`] levels of parentheses
//! and negations, so no rule can exhaust the stack of whoever walks the expression. Traefik has no such limits.
//!
//! # What it mirrors
//!
//! Traefik 3.7.15, `pkg/rules/parser.go` and the matcher tables of `pkg/muxer/http`. Traefik evaluates rules with Go's own
//! expression parser; the consequences that users can see (newlines, comments, escapes, the four spellings of a name,
//! the one-line messages of its API) are kept.
#![doc = include_str!("reference.md")]
#![warn(clippy::indexing_slicing)]

mod ast;
mod domains;
mod error;
mod function;
mod parser;
mod print;

pub use ast::{Argument, Call, Expr, ExprKind, Leaf, Rule, Span};
pub use domains::{certificate_covers, domains};
pub use error::{Expected, ParseError, ParseErrorKind, Unterminated, WrongArgument};
pub use function::{ArgumentError, ArgumentProblem, Arity, Function, Syntax};
pub use parser::{MAX_DEPTH, MAX_TEXT, parse};
