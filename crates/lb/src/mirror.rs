//! Which requests are copied to whom?

use std::sync::{Mutex, PoisonError};

use smallvec::SmallVec;

/// The mirrors of a service, and how many requests each has had.
///
/// A mirror gets a copy when it has had less than its percentage of all requests, this one included.
///
/// ```
/// use traefikrs_lb::mirror::{Mirrors, Percent};
///
/// let mirrors = Mirrors::new([Percent::new(30).unwrap()]);
/// let pattern: String = (0..10).map(|_| if mirrors.next().is_empty() { '-' } else { 'M' }).collect();
/// assert_eq!(pattern, "M--M--M---");
/// ```
#[derive(Debug)]
pub struct Mirrors {
    percents: Box<[Percent]>,
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    requests: u64,
    copies: Box<[u64]>,
}

/// Positions of mirrors.
pub type Chosen = SmallVec<[usize; 4]>;

/// How many requests of 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(u8);

impl Percent {
    /// `None` for what is not between 0 and 100.
    pub fn new(percent: i64) -> Option<Self> {
        let percent = u8::try_from(percent).ok()?;
        (percent <= 100).then_some(Self(percent))
    }
}

impl Mirrors {
    /// Nothing copied yet.
    pub fn new(percents: impl IntoIterator<Item = Percent>) -> Self {
        let percents: Box<[_]> = percents.into_iter().collect();
        let copies = percents.iter().map(|_| 0).collect();
        Self {
            percents,
            counts: Mutex::new(Counts {
                requests: 0,
                copies,
            }),
        }
    }

    /// Which mirrors get a copy of the next request?
    pub fn next(&self) -> Chosen {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        // The pattern repeats after 100 requests, so the numbers need not grow.
        if counts.requests == 100 {
            counts.requests = 0;
            counts.copies.fill(0);
        }
        let Counts { requests, copies } = &mut *counts;
        *requests += 1;
        let mut chosen = Chosen::new();
        for (mirror, (copies, percent)) in copies.iter_mut().zip(&self.percents).enumerate() {
            if *copies * 100 < *requests * u64::from(percent.0) {
                *copies += 1;
                chosen.push(mirror);
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mirror_gets_its_percentage_of_every_hundred() {
        let percents = [0, 1, 30, 99, 100];
        let mirrors = Mirrors::new(percents.map(|percent| Percent::new(percent).unwrap()));
        for hundred in 0..3 {
            let mut counts = [0; 5];
            for n in 0..100 {
                let chosen = mirrors.next();
                chosen.iter().for_each(|&mirror| counts[mirror] += 1);
                assert_eq!(chosen.contains(&1), n == 0, "{hundred} {n}");
            }
            assert_eq!(counts, percents);
        }
    }

    #[test]
    fn a_percentage_is_one() {
        for (number, is_one) in [
            (-1, false),
            (0, true),
            (100, true),
            (101, false),
            (256, false),
            (i64::MAX, false),
        ] {
            assert_eq!(Percent::new(number).is_some(), is_one, "{number}");
        }
    }
}
