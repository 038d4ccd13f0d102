//! `(?…`: names, flags and groups that do not capture.

use super::Parser;
use crate::error::{Error, ErrorKind};

/// What `(?imsU)` changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// `i`: letters match in either case.
    pub(super) fold: bool,
    /// `m`: `^` and `$` match at lines.
    pub(super) multi_line: bool,
    /// `s`: `.` matches a newline.
    pub(super) dot_newline: bool,
    /// `U`: `x*` is lazy and `x*?` greedy.
    pub(super) swap_greed: bool,
}

impl Flags {
    fn set(&mut self, flag: char, on: bool) -> bool {
        match flag {
            'i' => self.fold = on,
            'm' => self.multi_line = on,
            's' => self.dot_newline = on,
            'U' => self.swap_greed = on,
            _ => return false,
        }
        true
    }
}

impl Parser<'_> {
    /// Reads what starts with `(?`.
    pub(super) fn perl_group(&mut self) -> Result<(), Error> {
        let start = self.at;
        // A name needs a character after its `<`, else the text is read as flags and fails as such.
        for opening in ["(?P<", "(?<"] {
            if self.rest().starts_with(opening) && self.rest().len() > opening.len() {
                return self.named_group(opening.len());
            }
        }
        self.at += 2;
        self.flag_group(start)
    }

    fn named_group(&mut self, opening: usize) -> Result<(), Error> {
        let start = self.at;
        let Some(end) = self.rest().find('>') else {
            return Err(self.error(ErrorKind::InvalidNamedCapture, start..self.pattern.len()));
        };
        let name = &self.rest()[opening..end];
        if name.is_empty()
            || !name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return Err(self.error(ErrorKind::InvalidNamedCapture, start..start + end + 1));
        }
        let name = name.to_owned();
        self.at += end + 1;
        self.open_group(start, Some(Some(name)));
        Ok(())
    }

    /// Reads `i-s:` or `i-s)`. Flags before a colon are for the group, before a parenthesis for the rest of the
    /// group around.
    fn flag_group(&mut self, start: usize) -> Result<(), Error> {
        let mut flags = self.flags;
        let mut is_negated = false;
        let mut saw_flag = false;
        while let Some(char) = self.peek() {
            self.at += char.len_utf8();
            match char {
                '-' if !is_negated => {
                    is_negated = true;
                    saw_flag = false;
                }
                ':' | ')' if !is_negated || saw_flag => {
                    if char == ':' {
                        self.open_group(start, None);
                    }
                    self.flags = flags;
                    return Ok(());
                }
                flag if flags.set(flag, !is_negated) => saw_flag = true,
                _ => break,
            }
        }
        Err(self.error(ErrorKind::InvalidPerlSyntax, start..self.at))
    }
}
