//! Where in a YAML or JSON text is it?
//!
//! The values come from `serde_yaml` and `serde_json`, which keep neither lines nor the difference
//! between `010` and `"010"`. A second look at the text finds both, as far as it gets.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// The places of a document, to be walked along with its values.
#[derive(Debug, Default)]
pub(super) struct Places {
    places: Vec<Place>,
    /// Whether the text was read to the end of the document.
    are_complete: bool,
    /// Whether there are anchors or aliases.
    refer: bool,
}

#[derive(Debug)]
struct Place {
    line: usize,
    inside: Inside,
}

#[derive(Debug)]
enum Inside {
    Scalar { plain: bool },
    Seq(Vec<usize>),
    Map(HashMap<String, Entry>),
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    key_line: usize,
    place: usize,
}

/// One place, or the nearest known one around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot<'p> {
    places: &'p Places,
    place: Option<usize>,
    line: usize,
}

impl Places {
    pub(super) fn of(text: &str) -> Self {
        let mut builder = Builder::default();
        for event in Parser::new_from_str(text) {
            let Ok((event, span)) = event else { break };
            if matches!(event, Event::DocumentEnd) {
                builder.places.are_complete = true;
                break;
            }
            builder.take(event, span.start.line());
        }
        builder.places
    }

    pub(super) fn are_complete(&self) -> bool {
        self.are_complete
    }

    pub(super) fn refer(&self) -> bool {
        self.refer
    }

    pub(super) fn root(&self) -> Spot<'_> {
        let place = (!self.places.is_empty()).then_some(0);
        Spot {
            places: self,
            place,
            line: place.map_or(0, |place| self.places[place].line),
        }
    }
}

impl<'p> Spot<'p> {
    pub(super) fn line(self) -> usize {
        self.line
    }

    /// Whether a scalar stands there without quotes.
    pub(super) fn is_plain(self) -> bool {
        matches!(self.inside(), Some(Inside::Scalar { plain: true }))
    }

    pub(super) fn item(self, index: usize) -> Self {
        match self.inside() {
            Some(Inside::Seq(items)) => self.child(items.get(index).map(|&place| Entry {
                key_line: self.places.places[place].line,
                place,
            })),
            _ => self.child(None),
        }
    }

    pub(super) fn entry(self, key: &str) -> Self {
        match self.inside() {
            Some(Inside::Map(entries)) => self.child(entries.get(key).copied()),
            _ => self.child(None),
        }
    }

    fn inside(self) -> Option<&'p Inside> {
        self.place.map(|place| &self.places.places[place].inside)
    }

    fn child(self, entry: Option<Entry>) -> Self {
        Self {
            places: self.places,
            place: entry.map(|entry| entry.place),
            line: entry.map_or(self.line, |entry| entry.key_line),
        }
    }
}

#[derive(Default)]
struct Builder {
    places: Places,
    open: Vec<Open>,
    anchors: HashMap<usize, usize>,
}

/// A list or object that has begun.
struct Open {
    place: usize,
    /// The key that waits for its value, of an object.
    key: Option<(String, usize)>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, line: usize) {
        self.places.refer |= match event {
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _) => anchor > 0,
            Event::Alias(_) => true,
            _ => false,
        };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if self.is_key() {
                    self.expect_value_of(text.into_owned(), line);
                    return;
                }
                let plain = style == ScalarStyle::Plain && tag.is_none();
                self.add(Inside::Scalar { plain }, line, anchor);
            }
            Event::SequenceStart(anchor, _) => self.begin(Inside::Seq(Vec::new()), line, anchor),
            Event::MappingStart(anchor, _) => self.begin(Inside::Map(HashMap::new()), line, anchor),
            Event::SequenceEnd | Event::MappingEnd => drop(self.open.pop()),
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                _ if self.is_key() => self.expect_value_of(String::new(), line),
                Some(&place) => self.attach(place, line),
                None => {}
            },
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
    }

    fn is_key(&self) -> bool {
        self.open.last().is_some_and(|open| {
            open.key.is_none() && matches!(self.places.places[open.place].inside, Inside::Map(_))
        })
    }

    fn expect_value_of(&mut self, key: String, line: usize) {
        if let Some(open) = self.open.last_mut() {
            open.key = Some((key, line));
        }
    }

    fn begin(&mut self, inside: Inside, line: usize, anchor: usize) {
        if self.is_key() {
            // An object or a list for a key: nothing that the values would know.
            self.expect_value_of(String::new(), line);
            self.places.places.push(Place { line, inside });
            let place = self.places.places.len() - 1;
            self.open.push(Open { place, key: None });
            return;
        }
        let place = self.add(inside, line, anchor);
        self.open.push(Open { place, key: None });
    }

    fn add(&mut self, inside: Inside, line: usize, anchor: usize) -> usize {
        let place = self.places.places.len();
        self.places.places.push(Place { line, inside });
        if anchor > 0 {
            self.anchors.insert(anchor, place);
        }
        self.attach(place, line);
        place
    }

    fn attach(&mut self, place: usize, line: usize) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        match &mut self.places.places[open.place].inside {
            Inside::Seq(items) => items.push(place),
            Inside::Map(entries) => {
                let (key, key_line) = open.key.take().unwrap_or((String::new(), line));
                entries.insert(key, Entry { key_line, place });
            }
            Inside::Scalar { .. } => {}
        }
    }
}
