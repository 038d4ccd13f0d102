//! Middle and spread of a few rounds.

use serde::Serialize;

/// The median of some rounds, with the least and the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) greatest: f64,
}

impl Spread {
    /// Of no rounds at all, zeros.
    pub(super) fn of(rounds: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = rounds.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = match sorted.as_slice() {
            [] => 0.0,
            rounds if rounds.len() % 2 == 1 => rounds[middle],
            rounds => f64::midpoint(rounds[middle - 1], rounds[middle]),
        };
        Self {
            median,
            least: sorted.first().copied().unwrap_or_default(),
            greatest: sorted.last().copied().unwrap_or_default(),
        }
    }
}

/// By how much `y` grows per unit of `x`, by least squares.
pub(super) fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.iter().map(|_| 1.0).sum::<f64>();
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let covariance: f64 = points
        .iter()
        .map(|(x, y)| (x - mean_x) * (y - mean_y))
        .sum();
    let variance: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    if variance > 0.0 {
        covariance / variance
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let check =
            |rounds: &[f64], median| assert_eq!(Spread::of(rounds.iter().copied()).median, median);
        check(&[], 0.0);
        check(&[3.0], 3.0);
        check(&[9.0, 1.0, 2.0], 2.0);
        check(&[9.0, 1.0, 2.0, 4.0], 3.0);
    }

    #[test]
    fn a_line_has_its_slope() {
        let line: Vec<_> = (0..9).map(f64::from).map(|x| (x, 5.0 - 2.0 * x)).collect();
        assert_eq!(slope(&line), -2.0);
        assert_eq!(slope(&[]), 0.0);
        assert_eq!(slope(&[(1.0, 1.0)]), 0.0);
    }
}
