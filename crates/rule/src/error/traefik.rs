//! The words of Traefik, which are mostly those of Go's scanner and parser.

use crate::{Expected, ParseError, ParseErrorKind, Unterminated, WrongArgument};

impl ParseError {
    /// Returns the line that Traefik puts behind `error while parsing rule R: ` in its log and API.
    ///
    /// ```
    /// use traefikrs_rule::{parse, Syntax};
    ///
    /// let error = parse("Host(`a`) &&", Syntax::V3).unwrap_err();
    /// assert_eq!(error.traefik_message(), "parsing rule Host(`a`) &&: 1:13: expected operand, found 'EOF'");
    /// ```
    ///
    /// Where a text has several errors Traefik may name another of them.
    #[must_use]
    pub fn traefik_message(&self) -> String {
        let text = &self.text;
        match &self.kind {
            ParseErrorKind::Arguments(error) => format!("adding rule {text}: {error}"),
            ParseErrorKind::NotACondition(_) if &text[self.span.range()] == text.trim() => {
                "obtaining build tree".to_owned()
            }
            _ => format!("parsing rule {text}: {}", self.go_message()),
        }
    }

    fn go_message(&self) -> String {
        let message = match &self.kind {
            ParseErrorKind::UnknownFunction { name, .. } => {
                return format!("unsupported function: {name}");
            }
            ParseErrorKind::UnknownName(name) => return format!("{name} is not defined"),
            ParseErrorKind::Unsupported(message) => return (*message).to_owned(),
            ParseErrorKind::UnsupportedOperator(operator) => {
                return format!("{operator} is not supported");
            }
            ParseErrorKind::WrongArgument(argument) => return argument.as_argument(),
            ParseErrorKind::NotACondition(literal) => {
                return format!(
                    "reflect: Call using {} as type rules.TreeBuilder",
                    literal.go_type()
                );
            }
            ParseErrorKind::Arguments(error) => return error.to_string(),
            ParseErrorKind::TooLong => return "the rule is too long".to_owned(),
            ParseErrorKind::TooDeep => "exceeded max nesting depth".to_owned(),
            ParseErrorKind::EscapeDigit(character) => format!(
                "illegal character {} in escape sequence",
                go_character(*character)
            ),
            ParseErrorKind::EscapeRange => {
                "escape sequence is invalid Unicode code point".to_owned()
            }
            ParseErrorKind::Expected { expected, found } => {
                format!("expected {}, found {found}", expected.go_token())
            }
            ParseErrorKind::IllegalCharacter('\0') => "illegal character NUL".to_owned(),
            ParseErrorKind::IllegalCharacter('\u{feff}') => "illegal byte order mark".to_owned(),
            ParseErrorKind::IllegalCharacter(quote @ ('“' | '”')) => {
                format!("curly quotation mark '{quote}' (use neutral '\"')")
            }
            ParseErrorKind::IllegalCharacter(character) => {
                format!("illegal character {}", go_character(*character))
            }
            ParseErrorKind::IllegalRune => "illegal rune literal".to_owned(),
            ParseErrorKind::MissingComma { newline: true } => {
                "missing ',' before newline in argument list".to_owned()
            }
            ParseErrorKind::MissingComma { newline: false } => {
                "missing ',' in argument list".to_owned()
            }
            ParseErrorKind::UnknownEscape(_) => "unknown escape sequence".to_owned(),
            ParseErrorKind::Unterminated(Unterminated::Comment) => {
                "comment not terminated".to_owned()
            }
            ParseErrorKind::Unterminated(Unterminated::Escape) => {
                "escape sequence not terminated".to_owned()
            }
            ParseErrorKind::Unterminated(Unterminated::RawString) => {
                "raw string literal not terminated".to_owned()
            }
            ParseErrorKind::Unterminated(Unterminated::String) => {
                "string literal not terminated".to_owned()
            }
        };
        let (line, column) = self.position();
        format!("{line}:{column}: {message}")
    }

    /// Returns line and column, both from one, the column in bytes.
    // Traefik: Go begins no new line at a newline that ends the text.
    fn position(&self) -> (usize, usize) {
        let before = &self.text[..self.span.start];
        let before = if before.len() == self.text.len() {
            before.strip_suffix('\n').unwrap_or(before)
        } else {
            before
        };
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (
            before.matches('\n').count() + 1,
            self.span.start - line_start + 1,
        )
    }
}

impl Expected {
    fn go_token(self) -> &'static str {
        match self {
            Self::Closing => "')'",
            Self::Comparison => "'=='",
            Self::End => "'EOF'",
            Self::Operand => "operand",
        }
    }
}

impl WrongArgument {
    fn go_type(self) -> &'static str {
        match self {
            Self::Float => "float64",
            Self::Integer => "int",
            Self::Call => "rules.TreeBuilder",
            _ => "string",
        }
    }

    fn as_argument(self) -> String {
        match self {
            Self::Call | Self::Float | Self::Integer | Self::String => {
                format!(
                    "reflect: cannot use {} as type string in Call",
                    self.go_type()
                )
            }
            Self::Binary => "*ast.BinaryExpr is not supported".to_owned(),
            Self::Parenthesized => "*ast.ParenExpr is not supported".to_owned(),
            Self::Unary => "*ast.UnaryExpr is not supported".to_owned(),
            Self::Rune => "unsupported function argument type: 'CHAR'".to_owned(),
            Self::Imaginary => "unsupported function argument type: 'IMAG'".to_owned(),
        }
    }
}

fn go_character(character: char) -> String {
    format!("U+{:04X} '{character}'", u32::from(character))
}
