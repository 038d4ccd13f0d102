//! What one side did in a conversation, as named texts that compare one by one.

use std::collections::BTreeMap;
use std::fmt;

use super::client::{Answer, End, Heard};
use super::generate::Conversation;
use super::ledger::Seen;
use super::sticky;
use super::wire::{Body, Field, Stop};

/// The date that backends send; any other is the proxy's own, and the time of day.
const BACKENDS_DATE: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

/// Where a fact belongs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) part: Part,
    /// Of the exchange, from 1; for a server's sight also which one, when the request reached several.
    pub(super) number: (usize, usize),
    /// `status`, `header NAME`, `body`, …
    pub(super) aspect: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Answer,
    Server,
    Connection,
}

pub(super) type Facts = BTreeMap<Place, String>;

/// One fact in which the sides differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) place: Place,
    /// Of the reference and of the proxy under test; absent on one side at most.
    pub(super) values: [Option<String>; 2],
    /// The status that the reference answered to this exchange.
    pub(super) status: Option<String>,
}

/// Texts that may differ between the sides, each with what stands for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Alike(pub(super) Vec<(String, String)>);

impl Alike {
    fn replace(&self, mut text: String) -> String {
        for (from, to) in &self.0 {
            if text.contains(from.as_str()) {
                text = text.replace(from.as_str(), to);
            }
        }
        text
    }

    fn text(&self, bytes: &[u8]) -> String {
        self.replace(bytes.escape_ascii().to_string())
    }
}

pub(super) fn facts(
    conversation: &Conversation,
    heard: &Heard,
    seen: &[Vec<Seen>],
    alike: &Alike,
) -> Facts {
    let mut facts = Facts::new();
    for (index, answer) in heard.answers.iter().enumerate() {
        let mut scribe = Scribe::new(&mut facts, Part::Answer, (index + 1, 1), alike);
        scribe.answer(answer);
    }
    let mut before = "";
    for (index, sightings) in seen.iter().enumerate() {
        for (nth, seen) in sightings.iter().enumerate() {
            let mut scribe = Scribe::new(&mut facts, Part::Server, (index + 1, nth + 1), alike);
            scribe.sight(seen);
            scribe.choice(conversation, index, seen.backend, before);
        }
        before = sightings.first().map_or(before, |seen| seen.backend);
    }
    let end = match &heard.end {
        End::Open => "open".to_owned(),
        // A connection ends by a close or a reset as the kernel sees fit.
        End::Stopped(Stop::Closed | Stop::Reset) => Stop::Closed.to_string(),
        End::Stopped(stop) => stop.to_string(),
    };
    let unanswered = heard.answers.len() + 1;
    // Nobody waits for another answer behind one that says that it is the last.
    let is_due = heard.answers.last().is_none_or(|last| last.keeps);
    if is_due && unanswered <= seen.len() {
        Scribe::new(&mut facts, Part::Answer, (unanswered, 1), alike)
            .write("status", format!("none, {end}"));
    }
    Scribe::new(&mut facts, Part::Connection, (1, 1), alike).write("end", end);
    facts
}

/// What a server saw, on one line, for requests that nobody can be asked about.
pub(super) fn stray(seen: &Seen, alike: &Alike) -> String {
    alike.text(&[seen.backend.as_bytes(), b": ", &seen.head.line].concat())
}

struct Scribe<'a> {
    facts: &'a mut Facts,
    part: Part,
    number: (usize, usize),
    alike: &'a Alike,
}

impl<'a> Scribe<'a> {
    fn new(facts: &'a mut Facts, part: Part, number: (usize, usize), alike: &'a Alike) -> Self {
        Self {
            facts,
            part,
            number,
            alike,
        }
    }

    fn write(&mut self, aspect: impl Into<String>, value: String) {
        let place = Place {
            part: self.part,
            number: self.number,
            aspect: aspect.into(),
        };
        self.facts.insert(place, value);
    }

    fn answer(&mut self, answer: &Answer) {
        let line = answer.head.line.escape_ascii().to_string();
        let (version, status) = line.split_once(' ').unwrap_or((&line, ""));
        let (code, reason) = status.split_once(' ').unwrap_or((status, ""));
        self.write("version", version.to_owned());
        self.write("status", code.to_owned());
        self.write("reason", reason.to_owned());
        for interim in &answer.interim {
            self.fields("interim header", &interim.fields);
        }
        if !answer.interim.is_empty() {
            let lines: Vec<String> = answer
                .interim
                .iter()
                .map(|interim| interim.line.escape_ascii().to_string())
                .collect();
            self.write("interim", lines.join(", "));
        }
        let connection = if answer.keeps { "kept" } else { "ended" };
        self.write("connection", connection.to_owned());
        self.fields("header", &answer.head.fields);
        self.body(&answer.body);
        let end = match answer.body.cut {
            None => "complete".to_owned(),
            // A switched connection, too.
            Some(Stop::Reset) if code == "101" => "complete".to_owned(),
            Some(stop) => stop.to_string(),
        };
        self.write("end", end);
    }

    /// Whether the server that was chosen is the one that cookies speak of.
    fn choice(&mut self, conversation: &Conversation, index: usize, server: &str, before: &str) {
        let raw = &conversation.exchanges[index].raw;
        if let Some(asked) = sticky::is_asked_for(raw, server) {
            self.write(
                "cookie",
                if asked { "obeyed" } else { "ignored" }.to_owned(),
            );
        }
        if sticky::says_issued(raw) {
            let same = if server == before {
                "as before"
            } else {
                "another"
            };
            self.write("issued cookie", same.to_owned());
        }
    }

    fn sight(&mut self, seen: &Seen) {
        let backend = self.alike.replace(seen.backend.to_owned());
        self.write("backend", backend);
        self.write("line", self.alike.text(&seen.head.line));
        self.fields("header", &seen.head.fields);
        if let Some(body) = &seen.body {
            self.body(body);
        }
        self.write("end", seen.end());
    }

    fn body(&mut self, body: &Body) {
        self.write("body", self.alike.text(&body.bytes));
        self.fields("trailer", &body.trailers);
    }

    /// Order and letter case of names mean nothing; the order of one name's values does.
    fn fields(&mut self, kind: &str, fields: &[Field]) {
        let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in fields {
            let name = name.escape_ascii().to_string().to_ascii_lowercase();
            let mut value = self.alike.text(value);
            if name == "date" && value != BACKENDS_DATE {
                "(now)".clone_into(&mut value);
            }
            by_name.entry(name).or_default().push(value);
        }
        for (name, mut values) in by_name {
            if name == "trailer" {
                // Traefik announces in no order.
                let mut names: Vec<&str> =
                    values.iter().flat_map(|value| value.split(", ")).collect();
                names.sort_unstable();
                values = vec![names.join(", ")];
            }
            self.write(format!("{kind} {name}"), values.join(" | "));
        }
    }
}

/// The facts that differ, without those that follow from another.
pub(super) fn differences(reference: &Facts, ours: &Facts) -> Vec<Difference> {
    let mut places: Vec<&Place> = reference.keys().chain(ours.keys()).collect();
    places.sort();
    places.dedup();
    let all: Vec<Difference> = places
        .into_iter()
        .filter(|place| reference.get(place) != ours.get(place))
        .map(|place| Difference {
            place: place.clone(),
            values: [reference.get(place).cloned(), ours.get(place).cloned()],
            status: reference.get(&place.status()).cloned(),
        })
        .collect();
    let roots: Vec<Place> = all
        .iter()
        .filter(|difference| difference.decides())
        .map(|difference| difference.place.clone())
        .collect();
    all.into_iter()
        .filter(|difference| !roots.iter().any(|root| root.entails(&difference.place)))
        .collect()
}

impl Difference {
    /// Whether other differences are nothing but its consequences.
    fn decides(&self) -> bool {
        match self.place.part {
            Part::Answer => matches!(self.place.aspect.as_str(), "status" | "connection" | "end"),
            Part::Server => self.place.aspect == "backend" && self.values.contains(&None),
            Part::Connection => false,
        }
    }

    /// What differs, without where: the name that the accepted list uses.
    pub(super) fn kind(&self) -> String {
        match (self.place.part, self.place.number) {
            (Part::Server, (_, 2..)) => format!("server again {}", self.place.aspect),
            (part, _) => format!("{part} {}", self.place.aspect),
        }
    }
}

impl Place {
    /// Where the status of the same exchange stands.
    fn status(&self) -> Self {
        Self {
            part: Part::Answer,
            number: (self.number.0, 1),
            aspect: "status".to_owned(),
        }
    }

    /// Another status explains what else the answer holds, and whatever comes after it on the connection.
    ///
    /// So does what becomes of the connection, where only its own field says the same in the answer itself.
    fn entails(&self, other: &Self) -> bool {
        match (self.part, other.part) {
            (Part::Answer, Part::Connection) => true,
            (Part::Answer, Part::Answer) if other.number == self.number => {
                match self.aspect.as_str() {
                    "status" => other.aspect != "status",
                    "connection" => other.aspect == "header connection",
                    _ => false,
                }
            }
            (Part::Answer, Part::Answer) => other.number > self.number,
            (Part::Answer, Part::Server) => other.number.0 > self.number.0,
            (Part::Server, Part::Server) => {
                other.number == self.number && other.aspect != self.aspect
            }
            _ => false,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answer => "answer",
            Self::Server => "server",
            Self::Connection => "connection",
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.part, self.number) {
            (Part::Connection, _) => write!(f, "connection {}", self.aspect),
            (part, (exchange, 1)) => write!(f, "{part} {exchange}: {}", self.aspect),
            (part, (exchange, nth)) => {
                write!(f, "{part} {exchange}, asked again ({nth}): {}", self.aspect)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::generate::Name;
    use super::*;

    fn place(part: Part, exchange: usize, aspect: &str) -> Place {
        Place {
            part,
            number: (exchange, 1),
            aspect: aspect.to_owned(),
        }
    }

    /// The kinds that remain when the sides have the given facts.
    fn check(
        reference: &[(Part, usize, &str, &str)],
        ours: &[(Part, usize, &str, &str)],
        kinds: &[&str],
    ) {
        let facts = |facts: &[(Part, usize, &str, &str)]| {
            facts
                .iter()
                .map(|(part, exchange, aspect, value)| {
                    (place(*part, *exchange, aspect), (*value).to_owned())
                })
                .collect::<Facts>()
        };
        let found: Vec<String> = differences(&facts(reference), &facts(ours))
            .iter()
            .map(Difference::kind)
            .collect();
        assert_eq!(found, kinds);
    }

    #[test]
    fn what_is_asked_behind_the_last_answer_is_due_to_no_one() {
        let conversation = Conversation {
            name: Name::Made(0),
            exchanges: Vec::new(),
            pipelined: false,
            in_parts: false,
            client: None,
        };
        let is_missed = |keeps| {
            let answer = Answer {
                keeps,
                ..Answer::default()
            };
            let heard = Heard {
                answers: vec![answer],
                end: End::Stopped(Stop::Closed),
            };
            let seen = [Vec::new(), Vec::new()];
            facts(&conversation, &heard, &seen, &Alike::default()).contains_key(&place(
                Part::Answer,
                2,
                "status",
            ))
        };
        assert!(is_missed(true));
        assert!(!is_missed(false));
    }

    #[test]
    fn a_missing_fact_is_a_difference() {
        check(
            &[
                (Part::Answer, 1, "status", "200 OK"),
                (Part::Answer, 1, "header x", "1"),
            ],
            &[(Part::Answer, 1, "status", "200 OK")],
            &["answer header x"],
        );
    }

    #[test]
    fn another_status_entails_what_follows() {
        check(
            &[
                (Part::Answer, 1, "status", "200 OK"),
                (Part::Answer, 1, "body", "a"),
                (Part::Answer, 2, "status", "200 OK"),
                (Part::Connection, 1, "end", "open"),
            ],
            &[
                (Part::Answer, 1, "status", "400 Bad Request"),
                (Part::Answer, 1, "body", ""),
                (Part::Connection, 1, "end", "closed"),
            ],
            &["answer status"],
        );
    }

    #[test]
    fn another_end_of_the_connection_entails_what_would_have_followed() {
        check(
            &[
                (Part::Answer, 1, "connection", "kept"),
                (Part::Answer, 1, "body", "a"),
                (Part::Answer, 2, "status", "200"),
                (Part::Server, 2, "backend", "a"),
                (Part::Connection, 1, "end", "open"),
            ],
            &[
                (Part::Answer, 1, "connection", "ended"),
                (Part::Answer, 1, "header connection", "close"),
                (Part::Answer, 1, "body", "b"),
                (Part::Answer, 2, "status", "none, closed"),
                (Part::Connection, 1, "end", "closed"),
            ],
            &["answer body", "answer connection"],
        );
    }

    #[test]
    fn a_request_that_reached_one_side_only_is_one_difference() {
        check(
            &[
                (Part::Server, 1, "backend", "a"),
                (Part::Server, 1, "line", "GET / HTTP/1.1"),
            ],
            &[],
            &["server backend"],
        );
    }
}
