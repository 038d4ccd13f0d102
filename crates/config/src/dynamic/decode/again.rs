//! A text that is read again and again, most of which stays as it is.

use std::collections::{HashMap, HashSet};
use std::mem::take;
use std::sync::Arc;

use foldhash::fast::RandomState;
use serde::de::DeserializeOwned;

use super::split::Block;
use super::{EmptyObjects, Origin, Reader, decode_text};
use crate::decode::{Path, Problem, decode};
use crate::diagnostic::Diagnostic;
use crate::dynamic::{Configuration, Http, Middleware, Router, ServersTransport, Service};
use crate::elements::Elements;
use crate::node::{Format, LONGEST_TEXT, Node, Value, parse};

/// What does a text ask for, given what it asked for before?
///
/// The same as [`decode_text`], but entries of `http` whose text did not change are not decoded again
/// and are the same `Arc`s. That is for YAML in block style; other texts are read as a whole.
///
/// ```
/// use std::sync::Arc;
/// use traefikrs_config::Format;
/// use traefikrs_config::dynamic::{Decoder, Origin};
///
/// let origin = Origin { provider: "file", file: "routes.yml" };
/// let text = |rule: &str| format!("http:\n  routers:\n    a:\n      rule: {rule}\n    b:\n      rule: x\n").into();
/// let mut decoder = Decoder::default();
///
/// let (before, _) = decoder.decode(&text("x"), Format::Yaml, origin)?;
/// let (now, _) = decoder.decode(&text("y"), Format::Yaml, origin)?;
///
/// let [before, now] = [before, now].map(|configuration| configuration.http.unwrap().routers);
/// assert_eq!((&*before["a"].rule, &*now["a"].rule), ("x", "y"));
/// assert!(Arc::ptr_eq(&before["b"], &now["b"]));
/// # Ok::<(), Box<traefikrs_config::Diagnostic>>(())
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    /// The text that the entries are of.
    text: Arc<str>,
    routers: Kept<Router>,
    services: Kept<Service>,
    middlewares: Kept<Middleware>,
    transports: Kept<ServersTransport>,
}

/// The entries of one kind, in the order of the text.
#[derive(Debug)]
struct Kept<T> {
    path: String,
    entries: Vec<Entry<T>>,
    elements: Elements<T>,
}

#[derive(Debug)]
struct Entry<T> {
    name: Arc<str>,
    start: usize,
    end: usize,
    meaning: Meaning<T>,
}

type Named<T> = (Arc<str>, Meaning<T>);

/// What an entry means. The lines of problems are counted from the entry's first, which is 1.
#[derive(Debug)]
enum Meaning<T> {
    Nothing,
    Element(Arc<T>),
    Wrong(Arc<[Problem]>),
}

/// A text is not what it looks like line by line; it must be read as a whole.
struct NotSplit;

impl Decoder {
    /// Reads a text, the next of those that were read before.
    ///
    /// # Errors
    ///
    /// A text that is not of the format at all, or no object: nothing of it can be used.
    pub fn decode(
        &mut self,
        text: &Arc<str>,
        format: Format,
        origin: Origin<'_>,
    ) -> Result<(Configuration, Vec<Diagnostic>), Box<Diagnostic>> {
        if format == Format::Yaml
            && text.len() <= LONGEST_TEXT
            && let Some(blocks) = Block::all(text)
            && let Ok((next, decoded)) = take(self).next(text, &blocks, origin)
        {
            *self = next;
            return Ok(decoded);
        }
        *self = Self::default();
        decode_text(text, format, origin)
    }

    fn next(
        mut self,
        text: &Arc<str>,
        sections: &[Block<'_>],
        origin: Origin<'_>,
    ) -> Result<(Self, (Configuration, Vec<Diagnostic>)), NotSplit> {
        let mut next = Self {
            text: Arc::clone(text),
            ..Self::default()
        };
        let mut reader = Reader {
            origin,
            empty: EmptyObjects::Refused,
            found: Vec::new(),
        };
        let mut configuration = Configuration::default();
        no_section_twice(sections)?;
        for section in sections {
            if section.key == "http" {
                configuration.http = self.http(&mut next, text, section, &mut reader)?;
            } else {
                let sections = [whole(text, section)?];
                reader.add_to(&mut configuration, &sections);
            }
        }
        Ok((next, (configuration, reader.found)))
    }

    fn http(
        &mut self,
        next: &mut Self,
        text: &str,
        section: &Block<'_>,
        reader: &mut Reader<'_>,
    ) -> Result<Option<Http>, NotSplit> {
        let parts = section.entries(text).ok_or(NotSplit)?;
        no_section_twice(&parts)?;
        let before = Arc::clone(&self.text);
        let mut http = Http::default();
        let mut is_split = false;
        for part in &parts {
            let Some(entries) = part.entries(text) else {
                let parts = [whole(text, part)?];
                reader.add_to_http(&mut http, &parts);
                continue;
            };
            is_split = true;
            let path = format!("http.{}", part.key);
            let mut again = Again {
                reader,
                before: &before,
                text,
                path,
                blocks: &entries,
            };
            match part.key {
                "routers" => {
                    next.routers = again.elements("router", take(&mut self.routers))?;
                    http.routers = next.routers.elements.clone();
                }
                "services" => {
                    next.services = again.elements("service", take(&mut self.services))?;
                    http.services = next.services.elements.clone();
                }
                "middlewares" => {
                    next.middlewares = again.elements("middleware", take(&mut self.middlewares))?;
                    http.middlewares = next.middlewares.elements.clone();
                }
                "serversTransports" => {
                    next.transports =
                        again.elements("servers transport", take(&mut self.transports))?;
                    http.servers_transports = next.transports.elements.clone();
                }
                _ => return Err(NotSplit),
            }
        }
        // An object of nothing but nothing is told of.
        if !is_split {
            return Err(NotSplit);
        }
        Ok((http != Http::default()).then_some(http))
    }
}

/// Decodes the entries of one kind.
struct Again<'a, 'o> {
    reader: &'a mut Reader<'o>,
    before: &'a str,
    text: &'a str,
    path: String,
    blocks: &'a [Block<'a>],
}

/// So many entries are read at one go: a tree of all would be large.
const LONGEST_RUN: usize = 256;

impl Again<'_, '_> {
    fn elements<T: DeserializeOwned>(
        &mut self,
        kind: &str,
        known: Kept<T>,
    ) -> Result<Kept<T>, NotSplit> {
        no_key_twice(self.blocks)?;
        let is_known = known.path == self.path;
        let known = if is_known { known } else { Kept::default() };
        let Kept {
            mut entries,
            mut elements,
            ..
        } = known;
        let before = self.before;
        let is_same = |(old, new): &(&Entry<T>, &Block<'_>)| {
            before[old.start..old.end] == *new.text(self.text)
        };
        let (old, new) = (&entries[..], self.blocks);
        let head = old.iter().zip(new).take_while(is_same).count();
        let (old, new) = (&old[head..], &new[head..]);
        let backwards = old.iter().rev().zip(new.iter().rev());
        let tail = backwards.take_while(is_same).count();
        let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);

        let fresh = self.middle(old, new)?;
        for entry in old {
            elements.remove(&*entry.name);
        }
        elements.extend(fresh.iter().filter_map(|(name, meaning)| match meaning {
            Meaning::Element(element) => Some((Arc::clone(name), Arc::clone(element))),
            Meaning::Nothing | Meaning::Wrong(_) => None,
        }));
        let fresh = fresh.into_iter().map(|(name, meaning)| Entry {
            name,
            start: 0,
            end: 0,
            meaning,
        });
        let place = head..head + old.len();
        entries.splice(place, fresh);
        for (entry, block) in entries.iter_mut().zip(self.blocks) {
            (entry.start, entry.end) = (block.start, block.end);
        }
        self.tell(kind, &entries)?;
        Ok(Kept {
            path: take(&mut self.path),
            entries,
            elements,
        })
    }

    /// The entries between the first and the last that differ.
    fn middle<T: DeserializeOwned>(
        &self,
        old: &[Entry<T>],
        new: &[Block<'_>],
    ) -> Result<Vec<Named<T>>, NotSplit> {
        let old = old.iter();
        let old: HashMap<&str, _> = old
            .map(|entry| (&self.before[entry.start..entry.end], entry))
            .collect();
        let known = |block: &Block<'_>| old.get(block.text(self.text));
        let mut entries = Vec::with_capacity(new.len());
        for run in new.chunk_by(|left, right| known(left).is_some() == known(right).is_some()) {
            if known(&run[0]).is_some() {
                let known = run.iter().filter_map(known);
                entries.extend(known.map(|entry| (Arc::clone(&entry.name), entry.meaning.clone())));
                continue;
            }
            for run in run.chunks(LONGEST_RUN) {
                let nodes = run.iter().zip(read(self.text, run)?);
                entries.extend(nodes.map(|(block, node)| {
                    let root = Path::Root(&self.path);
                    let path = Path::Field(&root, block.key);
                    (block.key.into(), Meaning::of(&node, path))
                }));
            }
        }
        Ok(entries)
    }

    /// Tells what is wrong with entries.
    fn tell<T>(&mut self, kind: &str, entries: &[Entry<T>]) -> Result<(), NotSplit> {
        let mut is_empty = true;
        for (block, entry) in self.blocks.iter().zip(entries) {
            is_empty &= matches!(entry.meaning, Meaning::Nothing);
            if let Meaning::Wrong(problems) = &entry.meaning {
                let subject = self.reader.element_subject(kind, block.key);
                let problems = problems.iter().cloned().map(|problem| Problem {
                    line: problem.line + block.line - 1,
                    ..problem
                });
                self.reader.element_dropped(&subject, problems);
            }
        }
        if is_empty { Err(NotSplit) } else { Ok(()) }
    }
}

impl<T: DeserializeOwned> Meaning<T> {
    fn of(node: &Node, path: Path<'_>) -> Self {
        if node.value == Value::Null {
            return Self::Nothing;
        }
        match decode(node, path, EmptyObjects::Refused) {
            Ok(element) => Self::Element(Arc::new(element)),
            Err(problems) => Self::Wrong(problems.into()),
        }
    }
}

impl<T> Clone for Meaning<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::Element(element) => Self::Element(Arc::clone(element)),
            Self::Wrong(problems) => Self::Wrong(Arc::clone(problems)),
        }
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self {
            path: String::new(),
            entries: Vec::new(),
            elements: Elements::default(),
        }
    }
}

fn no_key_twice(blocks: &[Block<'_>]) -> Result<(), NotSplit> {
    let mut seen = HashSet::with_capacity_and_hasher(blocks.len(), RandomState::default());
    let mut keys = blocks.iter().map(|block| block.key);
    if keys.all(|key| seen.insert(key)) {
        Ok(())
    } else {
        Err(NotSplit)
    }
}

/// Sections are known in any case, so that two of one name can mean one thing.
fn no_section_twice(blocks: &[Block<'_>]) -> Result<(), NotSplit> {
    let mut seen = HashSet::new();
    let mut keys = blocks.iter().map(|block| block.key.to_ascii_lowercase());
    if keys.all(|key| seen.insert(key)) {
        Ok(())
    } else {
        Err(NotSplit)
    }
}

/// An entry that is no object of entries itself, with the lines of the whole text.
fn whole(text: &str, block: &Block<'_>) -> Result<(String, Node), NotSplit> {
    let [mut node] = <[Node; 1]>::try_from(read(text, &[*block])?).map_err(|_| NotSplit)?;
    node.move_down(block.line - 1);
    Ok((block.key.to_owned(), node))
}

/// Reads entries that follow each other. The lines of each are counted from its own first, which is 1.
///
/// What is read is what the whole text would say: nothing in it refers to another place, and as many
/// keys were read as there are lines that look like keys, so that each of them is one and the text
/// between two of them is the value of the first.
fn read(text: &str, run: &[Block<'_>]) -> Result<Vec<Node>, NotSplit> {
    let ([first, ..], [.., last]) = (run, run) else {
        return Ok(Vec::new());
    };
    let parsed = parse(&text[first.start..last.end], Format::Yaml).map_err(|_| NotSplit)?;
    let Value::Map(entries) = parsed.root.value else {
        return Err(NotSplit);
    };
    if !parsed.stands_alone || entries.len() != run.len() {
        return Err(NotSplit);
    }
    let entries = entries.into_iter().zip(run);
    let nodes = entries.map(|((key, mut node), block)| {
        let is_sound = key == block.key && node.depth() <= DEEPEST;
        node.move_up(block.line - first.line);
        is_sound.then_some(node).ok_or(NotSplit)
    });
    nodes.collect()
}

/// Whether a deeper text can be read depends on where it stands.
const DEEPEST: usize = 64;

#[cfg(test)]
mod tests;
