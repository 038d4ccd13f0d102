//! What does a regular expression written for Go match?
//!
//! Traefik's rules and middlewares take patterns of Go's `regexp` package. The Rust `regex` crate reads most of them,
//! but gives some another meaning without a word (`\d` and `\b` are Unicode, `\<` is a word edge, `[a&&b]` an
//! intersection) and refuses others (`\Q…\E`, `{` as a literal). This crate parses Go's dialect itself and compiles it
//! for the engines of [`regex_automata`], so that search is as fast as with `regex`, linear in the text, and the
//! answers are those of Go.
//!
//! ```
//! use traefikrs_goregexp::{Regex, Template};
//!
//! let regex = Regex::new(r"^/v(?P<version>\d+)/{id}$")?;
//! assert!(regex.is_match(b"/v2/{id}"));
//!
//! let template = Template::new("/api/${version}");
//! assert_eq!(*regex.replace_all(b"/v2/{id}", &template), *b"/api/2");
//!
//! let error = Regex::new("a(b").unwrap_err();
//! assert_eq!(error.to_string(), "error parsing regexp: missing closing ): `a(b`");
//! # Ok::<(), traefikrs_goregexp::Error>(())
//! ```
//!
//! It mirrors `regexp` and `regexp/syntax` of Go 1.26 with Perl flags, as `regexp.Compile` uses them. Differences that
//! remain on purpose:
//!
//! * Unicode tables are those of `regex-syntax`, a newer Unicode than Go's.
//! * Script names of several words (`\p{Old_Italic}`) are accepted; Go 1.25 stopped finding them.
//! * A compiled pattern may take 16 MiB; Go's limit counts differently.

mod compile;
mod error;
mod parse;
mod regex;
mod set;
mod template;
mod text;

pub use error::{Error, ErrorKind};
pub use regex::{Captures, Regex};
pub use set::{Matches, RegexSet};
pub use template::Template;
