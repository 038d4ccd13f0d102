//! Servers come and go, and the list of them follows late: which requests fail?
//!
//! A simulated world: its clock steps, its chance has a seed, and nothing waits.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(
    clippy::disallowed_methods,
    reason = "a simulation needs one time to start from"
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use traefikrs_lb::sticky::{Cookie, CookieName};
use traefikrs_lb::strategy::Strategy;
use traefikrs_lb::{Attempts, Balancer, Client, Member, Outcome, PassiveCheck, Settings};

/// Requests of each run; there are sixteen.
const REQUESTS: usize = 20_000;

/// A change becomes known so much later, at most.
const MOST_LAG: u64 = 2_000;

/// What it takes to be refused. A request may be lost on a kept connection for so long after the end of its server:
/// then the connection is known to be closed.
const WAY: Duration = Duration::from_millis(1);

fn name(pod: usize) -> String {
    format!("http://10.0.{}.{}:80", pod / 256, pod % 256)
}

/// Pods, what the balancer knows of them, and what happened to requests.
struct World {
    settings: Settings,
    balancer: Balancer,
    /// Those that the balancer knows, by its positions.
    list: Vec<usize>,
    /// When each ends, of those that have not ended long ago.
    ends: BTreeMap<usize, Option<Duration>>,
    n_pods: usize,
    /// What the balancer will hear: when, of whom, and whether it came or went.
    news: Vec<(Duration, usize, bool)>,
    start: Instant,
    now: Duration,
    rng: SmallRng,
    cookies: BTreeMap<u8, HeaderValue>,
    refused: usize,
    lost: usize,
    most_asked: usize,
    failed: usize,
}

impl World {
    fn new(settings: Settings, n: usize, seed: u64) -> Self {
        let mut world = Self {
            balancer: Balancer::new([], settings.clone(), None),
            settings,
            list: Vec::new(),
            ends: BTreeMap::new(),
            n_pods: 0,
            news: Vec::new(),
            start: Instant::now(),
            now: Duration::ZERO,
            rng: SmallRng::seed_from_u64(seed),
            cookies: BTreeMap::new(),
            refused: 0,
            lost: 0,
            most_asked: 0,
            failed: 0,
        };
        for _ in 0..n {
            world.come();
        }
        world.now = Duration::from_millis(MOST_LAG);
        world.hear();
        world
    }

    fn lag(&mut self) -> Duration {
        self.now + Duration::from_millis(self.rng.random_range(0..=MOST_LAG))
    }

    fn come(&mut self) {
        let pod = self.n_pods;
        self.n_pods += 1;
        self.ends.insert(pod, None);
        let heard = self.lag();
        self.news.push((heard, pod, true));
    }

    fn go(&mut self, pod: usize) {
        self.ends.insert(pod, Some(self.now));
        let heard = self.lag();
        self.news.push((heard, pod, false));
    }

    /// Pods that live and are known.
    fn serving(&self) -> Vec<usize> {
        let lives = |pod: &&usize| self.ends[pod].is_none();
        self.list.iter().filter(lives).copied().collect()
    }

    /// Tells the balancer what it has to know by now.
    fn hear(&mut self) {
        let now = self.now;
        let heard: Vec<_> = self.news.extract_if(.., |news| news.0 <= now).collect();
        for &(_, pod, came) in &heard {
            if came {
                self.list.push(pod);
            } else {
                self.list.retain(|&known| known != pod);
            }
        }
        if !heard.is_empty() {
            let members = self.list.iter().map(|&pod| Member::new(name(pod)));
            self.balancer = Balancer::new(members, self.settings.clone(), Some(&self.balancer));
        }
    }

    /// One request of one of a few clients.
    fn ask(&mut self) {
        let client: u8 = self.rng.random_range(0..50);
        let cookie = self.cookies.get(&client).cloned();
        let headers = HeaderMap::from_iter(cookie.map(|cookie| (COOKIE, cookie)));
        let client_of = Client {
            ip: [10, 1, 1, client].into(),
            headers: &headers,
        };
        let mut time = self.now;
        let mut attempts = Attempts::since(self.start + time);
        let mut asked = Vec::new();
        loop {
            let now = self.start + time;
            let eligible = |index: usize| !asked.contains(&index);
            let pick = self
                .balancer
                .pick_among(&client_of, now, &mut self.rng, eligible);
            let Some(pick) = pick else { break };
            let index = pick.index;
            asked.push(index);
            let Some(end) = self.ends[&self.list[index]] else {
                if let Some(set_cookie) = pick.set_cookie {
                    let pair = set_cookie.to_str().unwrap().split(';').next().unwrap();
                    let pair = HeaderValue::from_str(pair).unwrap();
                    self.cookies.insert(client, pair);
                }
                self.balancer.observe(index, Outcome::Answered, WAY, now);
                self.most_asked = self.most_asked.max(asked.len());
                return;
            };
            self.refused += 1;
            self.balancer.observe(index, Outcome::Unanswered, WAY, now);
            let is_lost = time - end < WAY && self.rng.random_bool(0.5);
            self.lost += usize::from(is_lost);
            attempts.failed(is_lost);
            time += WAY;
            if !attempts.another(self.start + time) {
                break;
            }
        }
        self.failed += 1;
    }

    fn step(&mut self) {
        self.now += Duration::from_millis(self.rng.random_range(0..=10));
        self.hear();
        self.ask();
    }
}

fn settings() -> Vec<Settings> {
    let strategies = [
        Strategy::Wrr,
        Strategy::P2c,
        Strategy::Hrw,
        Strategy::LeastTime,
    ];
    let passive = PassiveCheck {
        failure_window: Duration::from_secs(10),
        max_failed_attempts: 3,
        ..PassiveCheck::default()
    };
    let sticky = Cookie::new(CookieName::new("seat"));
    let mut all = Vec::new();
    for strategy in strategies {
        for (sticky, passive) in [(None, None), (Some(&sticky), Some(&passive))] {
            all.push(Settings {
                strategy,
                sticky: sticky.cloned(),
                passive: passive.copied(),
                ..Settings::default()
            });
        }
    }
    all
}

/// A deployment is replaced, one or a few pods at a time, over and over.
#[test]
fn a_rolling_update_fails_no_request() {
    for (seed, settings) in (0..).zip(settings()) {
        let case = format!("{settings:?}");
        let mut world = World::new(settings, 12, seed);
        for n in 0..REQUESTS {
            if n % 60 == 0 {
                for _ in 0..world.rng.random_range(1..=3) {
                    let serving = world.serving();
                    if serving.len() > 6 {
                        let at = world.rng.random_range(0..serving.len());
                        world.go(serving[at]);
                    }
                    world.come();
                }
            }
            world.step();
        }
        println!(
            "{} replaced, {} refusals, {} connections lost, up to {} servers for a request: {case}",
            world.n_pods - 12,
            world.refused,
            world.lost,
            world.most_asked
        );
        assert_eq!(world.failed, 0, "{case}");
        assert!(world.refused > 100 && world.lost > 0, "{case}");
    }
}

/// A deployment shrinks to one pod at once, and grows again.
#[test]
fn a_deployment_that_shrinks_fails_no_request() {
    let mut most_asked = 0;
    for (seed, settings) in (0..).zip(settings()) {
        let case = format!("{settings:?}");
        let mut world = World::new(settings, 10, seed);
        for n in 0..REQUESTS {
            if n % 1_500 == 0 {
                let serving = world.serving();
                for &pod in serving.iter().skip(1) {
                    world.go(pod);
                }
            } else if n % 1_500 == 750 {
                for _ in 0..9 {
                    world.come();
                }
            }
            world.step();
        }
        assert_eq!(world.failed, 0, "{case}");
        // Checks and `leasttime` soon know those that are gone.
        assert!(world.refused > 0, "{case}");
        most_asked = most_asked.max(world.most_asked);
    }
    assert_eq!(most_asked, Attempts::MOST);
}
