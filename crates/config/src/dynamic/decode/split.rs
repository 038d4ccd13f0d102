//! Where do the entries of a YAML text begin and end?
//!
//! Found by the indentation of lines, without reading YAML. That is a guess: whoever reads an entry by
//! itself must see that it is one whole entry, and read the whole text otherwise.

/// An entry of an object in block style: from the line of its key up to the next such line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block<'t> {
    pub(super) key: &'t str,
    /// Where it begins in the text, in bytes.
    pub(super) start: usize,
    pub(super) end: usize,
    /// The line it begins at, counted from 1.
    pub(super) line: usize,
    /// Where the lines below that of the key begin, if there is nothing but the key in that.
    body: Option<usize>,
}

impl<'t> Block<'t> {
    /// The entries of a text, or nothing where it cannot be told.
    pub(super) fn all(text: &'t str) -> Option<Vec<Self>> {
        let is_plain = text.is_ascii() || !BREAKS.iter().any(|&other| text.contains(other));
        // What YAML takes for the end of a line is what it is here.
        (is_plain && memchr::memchr(b'\r', text.as_bytes()).is_none())
            .then(|| blocks(text, 0, text.len(), 1))
            .flatten()
    }

    /// The entries within this one, or nothing where it cannot be told.
    pub(super) fn entries(&self, text: &'t str) -> Option<Vec<Self>> {
        blocks(text, self.body?, self.end, self.line + 1)
    }

    pub(super) fn text(&self, text: &'t str) -> &'t str {
        &text[self.start..self.end]
    }
}

/// Ends of lines to some readers of YAML and not to others.
const BREAKS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

fn blocks(text: &str, from: usize, to: usize, first_line: usize) -> Option<Vec<Block<'_>>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut indent = None;
    let mut start = from;
    let mut line = first_line;
    while start < to {
        let rest = &text.as_bytes()[start..to];
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let depth = rest[..length].iter().position(|&byte| byte != b' ');
        let depth = depth.unwrap_or(length);
        // Blank lines and comments belong to what is above.
        let is_content = !matches!(rest.get(depth), None | Some(b'\n' | b'#'));
        if is_content && depth <= *indent.get_or_insert(depth) {
            if Some(depth) != indent {
                return None;
            }
            let content = &text[start + depth..start + length];
            let (key, is_alone) = key(content)?;
            if let Some(above) = blocks.last_mut() {
                above.end = start;
            }
            blocks.push(Block {
                key,
                start,
                end: to,
                line,
                body: is_alone.then_some(start + length),
            });
        }
        start += length;
        line += 1;
    }
    (!blocks.is_empty()).then_some(blocks)
}

/// The plain key that a line begins with, and whether there is nothing else.
fn key(line: &str) -> Option<(&str, bool)> {
    let (key, rest) = line.split_once(':')?;
    let is_plain = key.starts_with(|first: char| first.is_ascii_alphanumeric())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.@/".contains(&byte));
    let rest_begins_well = rest.is_empty() || rest.starts_with([' ', '\n']);
    (is_plain && rest_begins_well).then(|| (key, rest.trim_matches([' ', '\n']).is_empty()))
}
