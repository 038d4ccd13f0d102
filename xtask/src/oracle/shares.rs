//! Servers of which nobody can say which one a request reaches: their shares are compared instead.

use std::collections::BTreeMap;

use serde::Deserialize;

/// How many standard deviations chance is granted: once in some hundred million runs it wants more.
const DEVIATIONS: f64 = 6.0;

/// A group of servers with one strategy.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shares {
    pub(super) servers: Vec<String>,
    by: By,
}

/// Who chooses.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum By {
    /// Shares are the same on both sides.
    Turns,
    /// Shares differ by what chance may do.
    Chance,
    /// Each server gets some.
    Time,
}

impl Shares {
    /// What is wrong with how often each server was asked, first by Traefik, then by us.
    pub(super) fn fault(&self, counts: &[BTreeMap<&str, usize>; 2]) -> Option<String> {
        let [reference, ours] = counts.each_ref().map(|counts| {
            let of = |name: &String| counts.get(name.as_str()).copied().unwrap_or(0);
            self.servers.iter().map(of).collect::<Vec<_>>()
        });
        let totals = [reference.iter().sum::<usize>(), ours.iter().sum()];
        let is_alike = |(&reference, &ours): (&usize, &usize)| match self.by {
            By::Turns => has_its_turns([reference, ours], totals),
            By::Chance => may_be_chance([reference, ours], totals),
            By::Time => [(reference, totals[0]), (ours, totals[1])]
                .into_iter()
                .all(|(count, total)| count > 0 || self.is_little(total)),
        };
        let fault = !reference.iter().zip(&ours).all(is_alike);
        fault.then(|| {
            format!(
                "shares of {}: {reference:?} and {ours:?}",
                self.servers.join(", ")
            )
        })
    }

    /// Whether so few requests need not reach each server.
    fn is_little(&self, total: usize) -> bool {
        total < 20 * self.servers.len()
    }
}

fn has_its_turns([reference, ours]: [usize; 2], totals: [usize; 2]) -> bool {
    // One side may refuse what the other takes, and a turn begins anywhere.
    let slack = totals[0].abs_diff(totals[1]) + 4;
    (reference * totals[1]).abs_diff(ours * totals[0]) <= slack * totals[0].max(totals[1])
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn may_be_chance(counts: [usize; 2], totals: [usize; 2]) -> bool {
    if totals.contains(&0) {
        return totals == [0, 0];
    }
    let [counts, totals] = [counts, totals].map(|numbers| numbers.map(|number| number as f64));
    let [reference, ours] = [counts[0] / totals[0], counts[1] / totals[1]];
    let expected = (counts[0] + counts[1]) / (totals[0] + totals[1]);
    let variance = expected * (1.0 - expected) * (1.0 / totals[0] + 1.0 / totals[1]);
    (reference - ours).abs() <= DEVIATIONS * variance.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(by: By, reference: [usize; 3], ours: [usize; 3], is_fine: bool) {
        let names = ["x", "y", "z"];
        let shares = Shares {
            servers: names.map(str::to_owned).to_vec(),
            by,
        };
        let counts = [reference, ours].map(|counts| names.into_iter().zip(counts).collect());
        assert_eq!(shares.fault(&counts).is_none(), is_fine, "{by:?} {ours:?}");
    }

    #[test]
    fn who_chooses_tells_what_must_be_alike() {
        let even = [100, 100, 100];
        check(By::Turns, even, [101, 100, 99], true);
        check(By::Turns, even, [120, 100, 80], false);
        check(By::Turns, [50, 100, 100], [50, 104, 104], true);
        check(By::Chance, even, [120, 100, 80], true);
        check(By::Chance, even, [180, 100, 20], false);
        check(By::Chance, even, [150, 150, 0], false);
        check(By::Chance, [0; 3], [0; 3], true);
        check(By::Chance, even, [0; 3], false);
        check(By::Time, even, [298, 1, 1], true);
        check(By::Time, even, [299, 1, 0], false);
        check(By::Time, [1, 1, 0], [2, 0, 0], true);
    }
}
