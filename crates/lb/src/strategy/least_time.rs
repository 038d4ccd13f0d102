use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::wrr::FINE;

/// Least time: the server that is likely to answer first.
///
/// A server's score is its mean time to the first byte, times one more than the requests it is busy with, by its
/// weight. The lowest wins; those that are about as low come in turn as in [`Wrr`](super::Wrr).
///
/// Three things keep this from starving a server or burying it, as it happens in Traefik. Differences that are no
/// larger than chance do not count. The score of a server that is passed over halves every few turns, so that its old
/// measurements are checked: of five, one that is ten times as slow gets about 1 request of 50. And one that has not
/// been measured counts as an average one; in Traefik it is infinitely fast and gets everything until its first answer.
///
/// ```
/// use traefikrs_lb::strategy::{LeastTime, Load};
///
/// let least_time = LeastTime::new([1, 1]);
/// let load = |server| Load { time: [Some(90.0), Some(10.0)][server], under_way: 0, weight: 1.0 };
/// let first: Vec<_> = (0..6).filter_map(|_| least_time.pick(|_| true, load)).collect();
/// assert_eq!(first, [1, 1, 1, 1, 1, 1]);
/// assert_eq!(least_time.pick(|server| server == 0, load), Some(0));
/// assert_eq!(least_time.pick(|_| false, load), None);
/// ```
#[derive(Debug)]
pub struct LeastTime {
    /// Absent where the weight is 0 or less.
    turns: Box<[Option<Turn>]>,
    due: Mutex<Due>,
    n_picks: AtomicU64,
}

#[derive(Debug)]
struct Turn {
    interval: f64,
    /// The number of the pick that chose it last.
    last: AtomicU64,
}

/// When is it whose turn among equals?
#[derive(Debug)]
struct Due {
    now: f64,
    deadlines: Box<[f64]>,
}

/// How busy is a server, and how fast?
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Its mean time to the first byte, in any unit; `None` before the first measurement.
    pub time: Option<f64>,
    /// Requests that have not ended yet.
    pub under_way: u32,
    /// Its weight at this moment.
    pub weight: f64,
}

/// After how many turns of all servers the score of one that was passed over is half of what it was.
const HALF_LIFE: f64 = 4.0;

/// Scores up to so many times the lowest are equals.
const ABOUT: f64 = 1.25;

impl LeastTime {
    /// Servers that are known by their position; one that weighs 0 or less is never picked.
    pub fn new(weights: impl IntoIterator<Item = i64>) -> Self {
        let turns: Box<[_]> = weights
            .into_iter()
            .map(|weight| {
                #[expect(clippy::cast_precision_loss, reason = "weights are small")]
                let interval = 1.0 / weight as f64;
                (weight > 0).then(|| Turn {
                    interval,
                    last: AtomicU64::new(0),
                })
            })
            .collect();
        let deadlines = turns
            .iter()
            .map(|turn| turn.as_ref().map_or(f64::INFINITY, |turn| turn.interval));
        Self {
            due: Mutex::new(Due {
                now: 0.0,
                deadlines: deadlines.collect(),
            }),
            turns,
            n_picks: AtomicU64::new(0),
        }
    }

    /// The next server that is eligible; `None` when no server is.
    pub fn pick(
        &self,
        eligible: impl Fn(usize) -> bool,
        load: impl Fn(usize) -> Load,
    ) -> Option<usize> {
        let now = self.n_picks.fetch_add(1, Ordering::Relaxed) + 1;
        let candidates = || {
            self.turns
                .iter()
                .enumerate()
                .filter_map(|(server, turn)| Some((server, turn.as_ref()?)))
                .filter(|&(server, _)| eligible(server))
        };
        let average = average(candidates().map(|(server, _)| load(server)))?;
        let half_life = HALF_LIFE * average.n_servers;
        let score = |server, turn: &Turn| {
            let load = load(server);
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let passed_over = now.saturating_sub(turn.last.load(Ordering::Relaxed) + 1) as f64;
            let time =
                load.time.unwrap_or(average.time) * f64::from(load.under_way.saturating_add(1));
            time / load.weight * (-passed_over / half_life).exp2()
        };
        let lowest = candidates()
            .map(|(server, turn)| score(server, turn))
            .fold(f64::INFINITY, f64::min);
        let about_lowest = |&(server, turn): &(usize, &Turn)| score(server, turn) <= lowest * ABOUT;
        // Loads may have changed since.
        let (server, turn) = self
            .first_due(candidates().filter(about_lowest))
            .or_else(|| self.first_due(candidates()))?;
        turn.last.store(now, Ordering::Relaxed);
        Some(server)
    }

    /// Earliest deadline first.
    fn first_due<'t>(
        &self,
        equals: impl Iterator<Item = (usize, &'t Turn)>,
    ) -> Option<(usize, &'t Turn)> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let Due { now, deadlines } = &mut *due;
        let (server, turn) = equals.min_by(|a, b| deadlines[a.0].total_cmp(&deadlines[b.0]))?;
        // Who was not among the equals for long has no claim to the turns that it missed.
        *now = now.max(deadlines[server]);
        if *now > turn.interval * FINE {
            deadlines.iter_mut().for_each(|deadline| *deadline -= *now);
            *now = 0.0;
        }
        deadlines[server] = *now + turn.interval;
        Some((server, turn))
    }
}

struct Average {
    /// Of those that were measured.
    time: f64,
    n_servers: f64,
}

fn average(loads: impl Iterator<Item = Load>) -> Option<Average> {
    let (mut n, mut n_measured, mut sum) = (0.0, 0.0, 0.0);
    for load in loads {
        n += 1.0;
        if let Some(time) = load.time {
            n_measured += 1.0;
            sum += time;
        }
    }
    (n > 0.0).then(|| Average {
        time: if n_measured > 0.0 {
            sum / n_measured
        } else {
            1.0
        },
        n_servers: n,
    })
}
