//! What does Go see in bytes that are not UTF-8?

use std::borrow::Cow;
use std::ops::Range;

/// A text to search in, as valid UTF-8: each byte that is not part of a character reads as one U+FFFD.
///
/// Usually that is the text itself; the check is one scan.
#[derive(Debug)]
pub(crate) struct Text<'t> {
    raw: &'t [u8],
    shown: Cow<'t, [u8]>,
    /// Where in `shown` the replaced bytes stand.
    replaced: Vec<usize>,
}

impl<'t> Text<'t> {
    pub(crate) fn new(raw: &'t [u8]) -> Self {
        if std::str::from_utf8(raw).is_ok() {
            return Self {
                raw,
                shown: Cow::Borrowed(raw),
                replaced: Vec::new(),
            };
        }
        let mut shown = Vec::with_capacity(raw.len() + 16);
        let mut replaced = Vec::new();
        for chunk in raw.utf8_chunks() {
            shown.extend_from_slice(chunk.valid().as_bytes());
            for _ in chunk.invalid() {
                replaced.push(shown.len());
                shown.extend_from_slice("\u{FFFD}".as_bytes());
            }
        }
        Self {
            raw,
            shown: Cow::Owned(shown),
            replaced,
        }
    }

    /// The text that is searched.
    pub(crate) fn shown(&self) -> &[u8] {
        &self.shown
    }

    /// Where an offset of [`Text::shown`] is in the text as it came.
    pub(crate) fn offset(&self, shown: usize) -> usize {
        // A replaced byte has grown to three.
        shown - 2 * self.replaced.partition_point(|&at| at < shown)
    }

    pub(crate) fn range(&self, shown: Range<usize>) -> Range<usize> {
        self.offset(shown.start)..self.offset(shown.end)
    }

    /// The bytes as they came of a range of [`Text::shown`].
    pub(crate) fn raw(&self, shown: Range<usize>) -> &'t [u8] {
        &self.raw[self.range(shown)]
    }

    /// How long the character at an offset of [`Text::shown`] is; 0 at the end.
    pub(crate) fn width(&self, shown: usize) -> usize {
        match self.shown.get(shown) {
            None => 0,
            Some(0..0x80) => 1,
            Some(0x80..0xE0) => 2,
            Some(0xE0..0xF0) => 3,
            Some(_) => 4,
        }
    }
}
