//! What is to be reached, and what has been.

use super::peer::OURS;
use super::report::{Row, Table};

/// The first figure of a scenario with load.
const CPU: &str = "CPU µs/request";

const KERNEL: &str = "two thirds are the kernel's, as with nginx: docs/decisions/0013";
const EQUAL: &str = "as much as nginx, as far as a shared machine can tell: docs/decisions/0013";
const SHORT: &str =
    "seconds are too short to tell; `reload --rounds 1 --seconds 100` makes 1,000 changes";

/// One thing to reach.
#[derive(Debug)]
pub(super) struct Goal {
    scenario: &'static str,
    figure: &'static str,
    at_most: Bound,
    /// Why it is not reached where it is not, and the page that shows it.
    reason: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Bound {
    /// In the unit of the figure.
    Value(f64),
    /// So many times the figure of another proxy, in the median of the rounds.
    Times(f64, &'static str),
}

/// What came of a goal.
#[derive(Debug, PartialEq)]
struct Outcome {
    measured: f64,
    is_reached: bool,
}

impl Goal {
    const fn unless(self, reason: &'static str) -> Self {
        Self { reason, ..self }
    }
}

const fn cpu(scenario: &'static str, times: f64, peer: &'static str) -> Goal {
    Goal {
        scenario,
        figure: CPU,
        at_most: Bound::Times(times, peer),
        reason: "",
    }
}

const fn value(scenario: &'static str, figure: &'static str, at_most: f64) -> Goal {
    Goal {
        scenario,
        figure,
        at_most: Bound::Value(at_most),
        reason: "",
    }
}

static GOALS: [Goal; 17] = [
    cpu("small64", 1.0, "nginx").unless(EQUAL),
    cpu("small64", 0.9, "HAProxy"),
    cpu("small64", 0.2, "Traefik").unless(KERNEL),
    cpu("small1000", 1.0, "nginx").unless(EQUAL),
    cpu("small1000", 0.9, "HAProxy"),
    cpu("small1000", 0.2, "Traefik").unless(KERNEL),
    cpu("large", 1.0, "nginx"),
    cpu("large", 0.9, "HAProxy"),
    cpu("large", 0.2, "Traefik").unless(KERNEL),
    value("small64", "MB at start", 12.0),
    Goal {
        figure: "MB busy",
        ..cpu("small1000", 1.0, "HAProxy")
    },
    value("reload", "failed", 0.0),
    value("reload", "KB more per change", 1.0).unless(SHORT),
    value("load10k", "start: live after ms", 300.0),
    value("load10k", "change: CPU ms", 10.0),
    value("load10k", "change: live after ms", 100.0),
    value("load10k", "MB", 40.0),
];

impl Goal {
    /// `None` where it was not measured.
    fn outcome(&self, tables: &[Table]) -> Option<Outcome> {
        let table = tables
            .iter()
            .find(|table| table.scenario == self.scenario)?;
        let figure = |proxy| {
            let row = table.rows.iter().find(|row| row.proxy == proxy);
            row.and_then(|row: &Row| row.figure(self.figure))
        };
        let ours = figure(OURS)?;
        let (measured, bound) = match self.at_most {
            Bound::Value(bound) => (ours.spread().median, bound),
            Bound::Times(times, peer) => (ours.ratio(figure(peer)?), times),
        };
        Some(Outcome {
            measured,
            // What is printed counts: two digits are all that a ratio has.
            is_reached: (measured * 100.0).round() <= bound * 100.0,
        })
    }

    fn line(&self, outcome: &Outcome) -> String {
        let Self {
            scenario,
            figure,
            reason,
            ..
        } = self;
        let bound = match self.at_most {
            Bound::Value(bound) => bound.to_string(),
            Bound::Times(times, peer) => format!("{times} × {peer}"),
        };
        let verdict = match (outcome.is_reached, *reason) {
            (true, _) => "reached".to_owned(),
            (false, "") => "**not reached**".to_owned(),
            (false, reason) => format!("**not reached**: {reason}"),
        };
        let measured = outcome.measured;
        format!("| {scenario} | {figure} | {bound} | {measured:.2} | {verdict} |\n")
    }
}

/// A table of all goals that were measured.
pub(super) fn markdown(tables: &[Table]) -> String {
    let lines: String = GOALS
        .iter()
        .filter_map(|goal| Some(goal.line(&goal.outcome(tables)?)))
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    format!(
        "## Goals\n\n| scenario | figure | at most | measured | |\n|---|---|---:|---:|---|\n{lines}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(scenario: &'static str, figure: &'static str, rows: &[(&'static str, f64)]) -> Table {
        let rows = rows.iter().map(|&(proxy, value)| {
            let mut row = Row::new(proxy);
            row.note(figure, 1, value);
            row
        });
        Table::new(scenario, "", rows.collect())
    }

    #[test]
    fn a_goal_is_a_ratio_or_a_value() {
        let outcome = |goal: Goal, ours| {
            let table = table(goal.scenario, goal.figure, &[(OURS, ours), ("nginx", 10.0)]);
            goal.outcome(&[table]).map(|outcome| outcome.is_reached)
        };
        assert_eq!(outcome(cpu("small64", 0.9, "nginx"), 9.04), Some(true));
        assert_eq!(outcome(cpu("small64", 0.9, "nginx"), 9.2), Some(false));
        assert_eq!(outcome(cpu("small64", 0.9, "absent"), 1.0), None);
        assert_eq!(outcome(value("load10k", "MB", 40.0), 40.0), Some(true));
        assert_eq!(outcome(value("load10k", "MB", 40.0), 40.1), Some(false));
    }

    #[test]
    fn what_is_not_reached_has_its_reason() {
        let goal = value("load10k", "MB", 40.0).unless("it is large");
        let text = goal.line(&Outcome {
            measured: 50.0,
            is_reached: false,
        });
        assert_eq!(
            text,
            "| load10k | MB | 40 | 50.00 | **not reached**: it is large |\n"
        );
        assert_eq!(markdown(&[]), "");
    }
}
