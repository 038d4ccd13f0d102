use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_until, take_while, take_while_m_n, take_while1};
use nom::character::complete::{anychar, one_of, satisfy};
use nom::combinator::{opt, recognize};
use nom::multi::{fold_many0, many0_count, many1_count};
use nom::sequence::{pair, preceded};
use nom::{IResult, Parser as _};

use super::failure::{self, Failure};
use crate::{ParseErrorKind, Unterminated, WrongArgument};

type Lexed<'t, T> = IResult<&'t str, T, Failure>;

/// Skips blanks and comments, but stops before whatever counts as a newline.
// Traefik: Go's scanner takes a comment that holds a newline for one.
pub(super) fn blank(rest: &str) -> Lexed<'_, ()> {
    let (mut rest, _) = take_while(is_blank).parse(rest)?;
    while rest.starts_with("/*") {
        let (after, comment) = block_comment(rest)?;
        if comment.contains('\n') {
            break;
        }
        rest = after.trim_start_matches(is_blank);
    }
    Ok((rest, ()))
}

/// Skips blanks, newlines and comments.
pub(super) fn space(rest: &str) -> Lexed<'_, ()> {
    let newlines = take_while1(|character| is_blank(character) || character == '\n');
    let (rest, _) = many0_count(alt((newlines, line_comment, block_comment))).parse(rest)?;
    Ok((rest, ()))
}

/// Whether [`blank`] stopped at something that counts as a newline; the end of the text does.
pub(super) fn at_line_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('\n') || rest.starts_with("//") || rest.starts_with("/*")
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r')
}

fn line_comment(rest: &str) -> Lexed<'_, &str> {
    recognize(pair(tag("//"), take_till(|character| character == '\n'))).parse(rest)
}

fn block_comment(rest: &str) -> Lexed<'_, &str> {
    let body = |inner| {
        let not_terminated =
            |_| failure::at(ParseErrorKind::Unterminated(Unterminated::Comment), rest, 2);
        take_until::<_, _, Failure>("*/")
            .parse(inner)
            .map_err(not_terminated)
    };
    recognize((tag("/*"), body, tag("*/"))).parse(rest)
}

/// Reads `name` or `a.b.c`; `None` if there is no name here.
pub(super) fn dotted_name(rest: &str) -> Lexed<'_, Option<&str>> {
    opt(recognize(pair(name, many0_count(pair(tag("."), name))))).parse(rest)
}

fn name(rest: &str) -> Lexed<'_, &str> {
    let (after, word) = word(rest)?;
    if KEYWORDS.contains(&word) {
        Err(failure::mismatch(rest))
    } else {
        Ok((after, word))
    }
}

fn word(rest: &str) -> Lexed<'_, &str> {
    let letter = |character: char| character.is_alphabetic() || character == '_';
    recognize(pair(
        satisfy(letter),
        take_while(move |character: char| letter(character) || character.is_numeric()),
    ))
    .parse(rest)
}

const KEYWORDS: [&str; 25] = [
    "break",
    "case",
    "chan",
    "const",
    "continue",
    "default",
    "defer",
    "else",
    "fallthrough",
    "for",
    "func",
    "go",
    "goto",
    "if",
    "import",
    "interface",
    "map",
    "package",
    "range",
    "return",
    "select",
    "struct",
    "switch",
    "type",
    "var",
];

/// Reads `...` behind an argument, if it is there, and the blanks around it.
pub(super) fn spread(rest: &str) -> Lexed<'_, bool> {
    let (rest, ()) = blank(rest)?;
    match rest.strip_prefix("...") {
        Some(after) => space(after).map(|(after, ())| (after, true)),
        None => Ok((rest, false)),
    }
}

/// Reads a back-quoted string.
pub(super) fn raw_string(rest: &str) -> Lexed<'_, Vec<u8>> {
    let (inner, _) = tag("`").parse(rest)?;
    let (end, content) =
        take_till(|character| matches!(character, '`' | '\0' | '\u{feff}')).parse(inner)?;
    let Some(after) = end.strip_prefix('`') else {
        return Err(illegal_or_unterminated(end, rest, Unterminated::RawString));
    };
    // Traefik: Go drops carriage returns from raw strings.
    Ok((
        after,
        content.bytes().filter(|&byte| byte != b'\r').collect(),
    ))
}

/// Reads a double-quoted string and resolves its escapes.
pub(super) fn interpreted_string(rest: &str) -> Lexed<'_, Vec<u8>> {
    let (inner, _) = tag("\"").parse(rest)?;
    let plain =
        take_while1(|character| !matches!(character, '"' | '\\' | '\n' | '\0' | '\u{feff}'));
    let piece = alt((
        plain.map(Piece::Text),
        preceded(tag("\\"), |after| escape(after, rest)),
    ));
    let (end, content) = fold_many0(piece, Vec::new, |mut content: Vec<u8>, piece| {
        piece.append_to(&mut content);
        content
    })
    .parse(inner)?;
    match end.strip_prefix('"') {
        Some(after) => Ok((after, content)),
        None => Err(illegal_or_unterminated(end, rest, Unterminated::String)),
    }
}

enum Piece<'t> {
    Text(&'t str),
    Character(char),
    Byte(u8),
}

impl Piece<'_> {
    fn append_to(&self, content: &mut Vec<u8>) {
        match *self {
            Self::Text(text) => content.extend_from_slice(text.as_bytes()),
            Self::Character(character) => {
                content.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Self::Byte(byte) => content.push(byte),
        }
    }
}

/// Reads what follows a backslash in the string that starts at `string`.
fn escape<'t>(rest: &'t str, string: &str) -> Lexed<'t, Piece<'t>> {
    let not_terminated = || {
        failure::at(
            ParseErrorKind::Unterminated(Unterminated::String),
            string,
            1,
        )
    };
    let (after, selector) = anychar::<_, Failure>(rest).map_err(|_| not_terminated())?;
    match selector {
        'a' => Ok((after, Piece::Byte(0x07))),
        'b' => Ok((after, Piece::Byte(0x08))),
        'f' => Ok((after, Piece::Byte(0x0c))),
        'n' => Ok((after, Piece::Byte(b'\n'))),
        'r' => Ok((after, Piece::Byte(b'\r'))),
        't' => Ok((after, Piece::Byte(b'\t'))),
        'v' => Ok((after, Piece::Byte(0x0b))),
        '\\' | '"' => Ok((after, Piece::Character(selector))),
        '0'..='7' => code(rest, rest, 8, 3).and_then(|(end, code)| byte(end, rest, code)),
        'x' => code(after, rest, 16, 2).and_then(|(end, code)| byte(end, rest, code)),
        'u' => code(after, rest, 16, 4).and_then(|(end, code)| character(end, rest, code)),
        'U' => code(after, rest, 16, 8).and_then(|(end, code)| character(end, rest, code)),
        '\n' => Err(not_terminated()),
        _ => Err(failure::at(
            ParseErrorKind::UnknownEscape(selector),
            rest,
            selector.len_utf8(),
        )),
    }
}

fn code<'t>(digits: &'t str, _escape: &str, radix: u32, count: usize) -> Lexed<'t, u32> {
    let (end, text) =
        take_while_m_n(0, count, |character: char| character.is_digit(radix)).parse(digits)?;
    if text.len() == count {
        return Ok((
            end,
            u32::from_str_radix(text, radix).expect("at most eight digits of the radix"),
        ));
    }
    match end.chars().next() {
        Some(character) => Err(failure::at(
            ParseErrorKind::EscapeDigit(character),
            end,
            character.len_utf8(),
        )),
        None => Err(failure::at(
            ParseErrorKind::Unterminated(Unterminated::Escape),
            end,
            1,
        )),
    }
}

fn byte<'t>(end: &'t str, escape: &str, code: u32) -> Lexed<'t, Piece<'t>> {
    u8::try_from(code)
        .map(|byte| (end, Piece::Byte(byte)))
        .map_err(|_| failure::at(ParseErrorKind::EscapeRange, escape, 1))
}

fn character<'t>(end: &'t str, escape: &str, code: u32) -> Lexed<'t, Piece<'t>> {
    let out_of_range = || failure::at(ParseErrorKind::EscapeRange, escape, 1);
    char::from_u32(code)
        .map(|character| (end, Piece::Character(character)))
        .ok_or_else(out_of_range)
}

fn illegal_or_unterminated(end: &str, string: &str, kind: Unterminated) -> nom::Err<Failure> {
    match end.chars().next() {
        Some(character @ ('\0' | '\u{feff}')) => failure::at(
            ParseErrorKind::IllegalCharacter(character),
            end,
            character.len_utf8(),
        ),
        _ => failure::at(ParseErrorKind::Unterminated(kind), string, 1),
    }
}

/// Reads a number or a character in single quotes: tokens that Go has and rules have no use for.
pub(super) fn literal(rest: &str) -> Result<Option<(WrongArgument, &str)>, nom::Err<Failure>> {
    if rest.starts_with('\'') {
        let (_, rune) = rune(rest)?;
        return Ok(Some((WrongArgument::Rune, rune)));
    }
    let Ok((_, number)) = number(rest) else {
        return Ok(None);
    };
    let kind = match number {
        _ if number.ends_with('i') => WrongArgument::Imaginary,
        _ if number.contains(['.', 'e', 'p']) && !number.starts_with("0x") => WrongArgument::Float,
        _ => WrongArgument::Integer,
    };
    Ok(Some((kind, number)))
}

fn number(rest: &str) -> Lexed<'_, &str> {
    let part = |rest| {
        take_while(|character: char| {
            character.is_ascii_alphanumeric() || matches!(character, '.' | '_')
        })
        .parse(rest)
    };
    recognize((opt(tag(".")), one_of("0123456789"), part)).parse(rest)
}

fn rune(rest: &str) -> Lexed<'_, &str> {
    let illegal = |_: nom::Err<Failure>| failure::at(ParseErrorKind::IllegalRune, rest, 1);
    let escaped = recognize(pair(
        tag("\\"),
        many1_count(satisfy(|character| character != '\'' && character != '\n')),
    ));
    let plain = recognize(satisfy(|character| {
        !matches!(character, '\'' | '\\' | '\n')
    }));
    recognize((tag("'"), alt((escaped, plain)), tag("'")))
        .parse(rest)
        .map_err(illegal)
}

/// Returns the operator that stands before a condition and that rules do not have.
pub(super) fn unsupported_unary(rest: &str) -> Option<&'static str> {
    match operator(rest)? {
        operator @ ("+" | "-" | "*" | "^" | "&" | "~" | "<-") => Some(operator),
        _ => None,
    }
}

/// Returns the operator that stands between two operands.
pub(super) fn binary(rest: &str) -> Option<&'static str> {
    const BINARY: [&str; 19] = [
        "&&", "||", "==", "!=", "<", "<=", ">", ">=", "+", "-", "|", "^", "*", "/", "%", "<<",
        ">>", "&", "&^",
    ];
    operator(rest).filter(|operator| BINARY.contains(operator) && !at_line_end(rest))
}

/// Returns the longest operator or punctuation mark of Go that stands here.
pub(super) fn operator(rest: &str) -> Option<&'static str> {
    const LONGEST_FIRST: [&str; 48] = [
        "<<=", ">>=", "&^=", "...", "&&", "||", "<-", "++", "--", "==", "!=", "<=", ">=", ":=",
        "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<", ">>", "&^", "+", "-", "*", "/", "%",
        "&", "|", "^", "<", ">", "=", "!", "(", ")", "[", "]", "{", "}", ",", ".", ";", ":", "~",
    ];
    LONGEST_FIRST
        .into_iter()
        .find(|operator| rest.starts_with(operator))
}

/// Describes the next token the way Go does: words and literals bare, other tokens in quotes.
pub(super) fn found(rest: &str) -> Result<String, nom::Err<Failure>> {
    let Some(character) = rest.chars().next() else {
        return Ok("'EOF'".to_owned());
    };
    if let Ok((_, word)) = word(rest) {
        return Ok(if KEYWORDS.contains(&word) {
            format!("'{word}'")
        } else {
            word.to_owned()
        });
    }
    let token = |after: &str| rest.strip_suffix(after).unwrap_or(rest).to_owned();
    match character {
        '"' => return interpreted_string(rest).map(|(after, _)| token(after)),
        '`' => return raw_string(rest).map(|(after, _)| token(after)),
        _ => {}
    }
    if let Some((_, literal)) = literal(rest)? {
        return Ok(literal.to_owned());
    }
    operator(rest)
        .map(|operator| format!("'{operator}'"))
        .ok_or_else(|| {
            failure::at(
                ParseErrorKind::IllegalCharacter(character),
                rest,
                character.len_utf8(),
            )
        })
}
