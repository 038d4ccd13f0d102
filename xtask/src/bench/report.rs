//! Figures as JSON and as Markdown.

use serde::Serialize;

use super::goal;
use super::machine::Machine;
use super::peer::{Installed, OURS};
use super::say;
use super::scenario::Scenario;
use super::statistics::Spread;

/// Everything a reader needs to judge the figures or to repeat them.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    command: String,
    machine: String,
    date: String,
    commit: String,
    load_average: String,
    cores: String,
    versions: Vec<String>,
    rounds: usize,
    seconds: u64,
    sections: Vec<Table>,
}

/// A scenario and what came of it.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) scenario: &'static Scenario,
    pub(super) rows: Vec<Row>,
}

/// The row of the backend alone.
pub(super) const NO_PROXY: &str = "no proxy, CPU of the backend";

/// One proxy.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) proxy: &'static str,
    figures: Vec<Figure>,
}

/// One figure of all rounds.
#[derive(Debug, Serialize)]
pub(super) struct Figure {
    name: &'static str,
    #[serde(skip)]
    digits: usize,
    rounds: Vec<f64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Table {
    pub(super) scenario: &'static str,
    about: &'static str,
    pub(super) rows: Vec<Row>,
}

impl Row {
    pub(super) fn new(proxy: &'static str) -> Self {
        Self {
            proxy,
            figures: Vec::new(),
        }
    }

    /// Adds a round's figure.
    pub(super) fn note(&mut self, name: &'static str, digits: usize, value: f64) {
        match self.figures.iter_mut().find(|figure| figure.name == name) {
            Some(figure) => figure.rounds.push(value),
            None => self.figures.push(Figure {
                name,
                digits,
                rounds: vec![value],
            }),
        }
    }

    /// Prints the last round.
    pub(super) fn tell(&self) {
        let last = |figure: &Figure| {
            Some(format!(
                "{} {:.*}",
                figure.name,
                figure.digits,
                figure.rounds.last()?
            ))
        };
        let figures: Vec<String> = self.figures.iter().filter_map(last).collect();
        say(&format!("  {:10} {}", self.proxy, figures.join(", ")));
    }

    pub(super) fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }
}

impl Figure {
    pub(super) fn spread(&self) -> Spread {
        Spread::of(self.rounds.iter().copied())
    }

    fn median(&self) -> String {
        format!("{:.*}", self.digits, self.spread().median)
    }

    fn median_and_spread(&self) -> String {
        let spread = self.spread();
        format!(
            "{:.digits$} ({:.digits$}–{:.digits$})",
            spread.median,
            spread.least,
            spread.greatest,
            digits = self.digits
        )
    }

    /// The median of the ratios within each round: what disturbs a round disturbs both sides.
    pub(super) fn ratio(&self, other: &Self) -> f64 {
        let ratios = self
            .rounds
            .iter()
            .zip(&other.rounds)
            .map(|(this, other)| this / other);
        Spread::of(ratios).median
    }
}

impl Table {
    pub(super) fn new(scenario: &'static str, about: &'static str, rows: Vec<Row>) -> Self {
        Self {
            scenario,
            about,
            rows,
        }
    }

    fn markdown(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for figure in self.rows.iter().flat_map(|row| &row.figures) {
            if !names.contains(&figure.name) {
                names.push(figure.name);
            }
        }
        let Some((&first, rest)) = names.split_first() else {
            return String::new();
        };
        let ours = self
            .rows
            .iter()
            .find(|row| row.proxy == OURS)
            .and_then(|row| row.figure(first));
        let mut text = format!("## {}\n\n{}.\n\n", self.scenario, capitalized(self.about));
        text += &format!("| | {first} | {OURS} ÷ it | {} |\n", rest.join(" | "));
        text += &format!("|---|{}\n", "---:|".repeat(names.len() + 1));
        for row in &self.rows {
            let figure = row.figure(first);
            let ratio = ours.zip(figure.filter(|_| row.proxy != NO_PROXY));
            let cells = rest
                .iter()
                .map(|name| row.figure(name).map_or_else(String::new, Figure::median));
            text += &format!(
                "| {} | {} | {} | {} |\n",
                row.proxy,
                figure.map_or_else(String::new, Figure::median_and_spread),
                ratio.map_or_else(String::new, |(ours, theirs)| {
                    format!("{:.2}", ours.ratio(theirs))
                }),
                cells.collect::<Vec<_>>().join(" | ")
            );
        }
        text
    }
}

impl Report {
    pub(super) fn new(
        command: &str,
        machine: &Machine,
        peers: &[Installed],
        rounds: usize,
        seconds: u64,
    ) -> Self {
        Self {
            command: command.to_owned(),
            machine: format!(
                "{}, {} cores, {}",
                machine.processor, machine.cores, machine.kernel
            ),
            date: machine.date.clone(),
            commit: machine.commit.clone(),
            load_average: machine.load_average.clone(),
            cores: format!(
                "proxy on {}, load on {}, backend on {}",
                machine.proxy_core, machine.load_core, machine.backend_core
            ),
            versions: peers
                .iter()
                .map(|found| format!("{} {}", found.peer.name, found.version))
                .collect(),
            rounds,
            seconds,
            sections: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, section: Section) {
        let Section { scenario, rows } = section;
        let table = Table::new(scenario.name, scenario.about, rows);
        say(&format!("\n{}", table.markdown()));
        self.sections.push(table);
    }

    pub(super) fn json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    /// The whole page, so that no figure goes without what it was measured with.
    pub(super) fn markdown(&self) -> String {
        let page = include_str!("../../bench/page.md");
        let tables: Vec<String> = self.sections.iter().map(Table::markdown).collect();
        page.replace("@COMMAND@", &self.command)
            .replace("@MACHINE@", &self.machine)
            .replace("@DATE@", &self.date)
            .replace("@COMMIT@", &self.commit)
            .replace("@LOAD_AVERAGE@", &self.load_average)
            .replace("@CORES@", &self.cores)
            .replace("@VERSIONS@", &self.versions.join(", "))
            .replace("@ROUNDS@", &self.rounds.to_string())
            .replace("@SECONDS@", &self.seconds.to_string())
            .replace("@GOALS@\n", &self.goals())
            .replace("@TABLES@\n", &tables.join("\n"))
    }

    /// Which goals are reached, of those that were measured.
    pub(super) fn goals(&self) -> String {
        goal::markdown(&self.sections)
    }
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_within_each_round() {
        let mut ours = Row::new(OURS);
        let mut theirs = Row::new("nginx");
        for (mine, other) in [(1.0, 2.0), (10.0, 20.0), (3.0, 4.0)] {
            ours.note("CPU", 1, mine);
            theirs.note("CPU", 1, other);
        }
        let table = Table::new("small", "small ones", vec![ours, theirs]);
        let expected = "## small\n\nSmall ones.\n\n\
            | | CPU | traefikrs ÷ it |  |\n|---|---:|---:|\n\
            | traefikrs | 3.0 (1.0–10.0) | 1.00 |  |\n\
            | nginx | 4.0 (2.0–20.0) | 0.50 |  |\n";
        assert_eq!(table.markdown(), expected);
    }
}
