use regex_syntax::hir::{Hir, Look};

use super::node::Node;
use super::{Parser, class};
use crate::error::{Error, ErrorKind};

impl Parser<'_> {
    /// Reads an escape outside of a class.
    pub(super) fn backslash(&mut self) -> Result<(), Error> {
        let start = self.at;
        let look = match self.rest().as_bytes().get(1) {
            Some(b'A') => Look::Start,
            Some(b'z') => Look::End,
            Some(b'b') => Look::WordAscii,
            Some(b'B') => Look::WordAsciiNegate,
            Some(b'C') => return Err(self.error(ErrorKind::InvalidEscape, start..start + 2)),
            Some(b'Q') => {
                self.quoted();
                return Ok(());
            }
            _ => return self.escaped(),
        };
        self.at += 2;
        self.push(Node::leaf(Hir::look(look)));
        Ok(())
    }

    /// Reads `\Q…\E`, or `\Q…` to the end.
    fn quoted(&mut self) {
        self.at += 2;
        let pattern = self.pattern;
        let rest = &pattern[self.at..];
        let (text, length) = match rest.find(r"\E") {
            Some(end) => (&rest[..end], end + 2),
            None => (rest, rest.len()),
        };
        for char in text.chars() {
            self.literal(char);
        }
        self.at += length;
    }

    /// Reads a class such as `\d` or `\pL`, or a single character.
    fn escaped(&mut self) -> Result<(), Error> {
        if let Some(class) = self.class_escape()? {
            self.push(Node::leaf(class::to_hir(class)));
            return Ok(());
        }
        let hir = match char::from_u32(self.code_point()?) {
            Some(char) => class::literal(char, self.flags.fold),
            // Half of a surrogate pair is in no text.
            None => Hir::fail(),
        };
        self.push(Node::leaf(hir));
        Ok(())
    }

    /// Reads the escape of one character. It may be half of a surrogate pair.
    pub(super) fn code_point(&mut self) -> Result<u32, Error> {
        let start = self.at;
        self.at += 1;
        let Some(char) = self.next() else {
            return Err(self.error(ErrorKind::TrailingBackslash, start..self.at));
        };
        let code = match char {
            'a' => Some(0x07),
            'f' => Some(0x0C),
            'n' => Some(0x0A),
            'r' => Some(0x0D),
            't' => Some(0x09),
            'v' => Some(0x0B),
            'x' => self.hexadecimal(),
            '0' => Some(self.octal(0)),
            // One digit alone would refer back to a group.
            '1'..='7' if matches!(self.peek(), Some('0'..='7')) => {
                char.to_digit(8).map(|digit| self.octal(digit))
            }
            _ => (char.is_ascii() && !char.is_ascii_alphanumeric()).then_some(u32::from(char)),
        };
        code.ok_or_else(|| self.error(ErrorKind::InvalidEscape, start..self.at))
    }

    /// Reads up to two more octal digits.
    fn octal(&mut self, first: u32) -> u32 {
        let mut code = first;
        for _ in 0..2 {
            let Some(digit) = self.peek().and_then(|char| char.to_digit(8)) else {
                break;
            };
            self.at += 1;
            code = code * 8 + digit;
        }
        code
    }

    /// Reads two digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Option<u32> {
        let first = self.next()?;
        if first != '{' {
            // Both characters belong to the escape, whether or not they are digits: the error shows them.
            let second = self.next();
            return Some(first.to_digit(16)? * 16 + second?.to_digit(16)?);
        }
        let mut code = None;
        loop {
            match self.next()? {
                '}' => return code,
                char => code = Some(code.unwrap_or(0) * 16 + char.to_digit(16)?),
            }
            if code > Some(u32::from(char::MAX)) {
                return None;
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += char.len_utf8();
        Some(char)
    }
}
