use traefikrs_goregexp::Regex;

use crate::quote::quoted;

/// The templates of v2: literal text with groups `{name}` and `{name:regexp}`.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    regexp: Regex,
}

/// What a template is for, which decides what an unadorned group stands for and where the match must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Host,
    Path,
    PathPrefix,
    Query,
}

/// Why a template is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// A brace of the text, here quoted, is not closed, or closed without having been opened.
    #[error("mux: unbalanced braces in {0}")]
    Braces(String),
    /// A group has no name, or a colon without a regular expression.
    #[error("mux: missing name or pattern in {0}")]
    Group(String),
    /// A regular expression is none.
    #[error(transparent)]
    Regexp(#[from] traefikrs_goregexp::Error),
    /// A path does not start with a slash.
    #[error("mux: path must start with a slash, got {0}")]
    Slash(String),
}

impl Template {
    pub(super) fn new(kind: Kind, text: &str) -> Result<Self, TemplateError> {
        if matches!(kind, Kind::Path | Kind::PathPrefix) && !text.starts_with('/') {
            return Err(TemplateError::Slash(quoted(text.as_bytes())));
        }
        let mut pattern = String::from(if kind == Kind::Host { "(?i)^" } else { "^" });
        for piece in pieces(text)? {
            match piece {
                Piece::Literal(literal) => quote(literal, &mut pattern),
                Piece::Group(group) => {
                    let inner = regexp_of(kind, group)?;
                    // Traefik: each group must be a regular expression by itself.
                    Regex::new(&format!("^{inner}$"))?;
                    pattern.push_str(&format!("(?:{inner})"));
                }
            }
        }
        // Traefik: a query template without value takes any value.
        if kind == Kind::Query
            && text
                .split_once('=')
                .is_some_and(|(_, value)| value.is_empty())
        {
            pattern.push_str(kind.default_group());
        }
        if kind != Kind::PathPrefix {
            pattern.push('$');
        }
        Ok(Self {
            regexp: Regex::new(&pattern)?,
        })
    }

    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        self.regexp.is_match(text)
    }

    /// Returns what every text that fits starts with.
    pub(crate) fn required_prefix(&self) -> &[u8] {
        self.regexp.required_prefix()
    }
}

impl Kind {
    fn default_group(self) -> &'static str {
        match self {
            Self::Host => "[^.]+",
            Self::Path | Self::PathPrefix => "[^/]+",
            Self::Query => ".*",
        }
    }
}

enum Piece<'t> {
    Literal(&'t str),
    /// A group without its braces.
    Group(&'t str),
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let unbalanced = || TemplateError::Braces(quoted(text.as_bytes()));
    let mut pieces = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => {
                depth += 1;
                if depth == 1 {
                    pieces.push(Piece::Literal(&text[start..index]));
                    start = index + 1;
                }
            }
            b'}' => {
                depth = depth.checked_sub(1).ok_or_else(unbalanced)?;
                if depth == 0 {
                    pieces.push(Piece::Group(&text[start..index]));
                    start = index + 1;
                }
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err(unbalanced());
    }
    pieces.push(Piece::Literal(&text[start..]));
    Ok(pieces)
}

fn regexp_of(kind: Kind, group: &str) -> Result<&str, TemplateError> {
    let (name, regexp) = group
        .split_once(':')
        .unwrap_or_else(|| (group, kind.default_group()));
    if name.is_empty() || regexp.is_empty() {
        return Err(TemplateError::Group(quoted(
            format!("{{{group}}}").as_bytes(),
        )));
    }
    Ok(regexp)
}

fn quote(literal: &str, pattern: &mut String) {
    for character in literal.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
}
