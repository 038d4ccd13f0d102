//! A request as parts that a twist can get at.

/// Everything of a request but its meaning: no part has to be valid.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Vec<u8>,
    pub(super) target: Vec<u8>,
    pub(super) version: Vec<u8>,
    /// Whole lines without their ends.
    pub(super) lines: Vec<Vec<u8>>,
    pub(super) newline: &'static [u8],
    /// What stands before the request line.
    pub(super) lead: &'static [u8],
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.as_bytes().to_vec(),
            target: target.as_bytes().to_vec(),
            version: b"HTTP/1.1".to_vec(),
            lines: Vec::new(),
            newline: b"\r\n",
            lead: b"",
            body: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.lines.push(format!("{name}: {value}").into_bytes());
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.lines.retain(|line| !is_named(line, name));
    }

    /// Replaces the first field of the name, or adds it.
    pub(super) fn set(&mut self, name: &str, value: &[u8]) {
        let line = [name.as_bytes(), b": ", value].concat();
        match self.lines.iter_mut().find(|line| is_named(line, name)) {
            Some(found) => *found = line,
            None => self.lines.push(line),
        }
    }

    pub(super) fn value(&self, name: &str) -> Vec<u8> {
        let line = self.lines.iter().find(|line| is_named(line, name));
        line.map(|line| line[name.len() + 1..].trim_ascii().to_vec())
            .unwrap_or_default()
    }

    pub(super) fn insert(&mut self, at: usize, piece: &[u8]) {
        self.target.splice(at..at, piece.iter().copied());
    }

    /// Where the query starts, or the target ends.
    pub(super) fn path_length(&self) -> usize {
        self.target
            .iter()
            .position(|&byte| byte == b'?')
            .unwrap_or(self.target.len())
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.lead.to_vec();
        let first = [self.method.as_slice(), &self.target, &self.version].join(&b' ');
        for line in [&first].into_iter().chain(&self.lines) {
            bytes.extend_from_slice(line);
            bytes.extend_from_slice(self.newline);
        }
        bytes.extend_from_slice(self.newline);
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

fn is_named(line: &[u8], name: &str) -> bool {
    line.get(..name.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        && line.get(name.len()) == Some(&b':')
}
