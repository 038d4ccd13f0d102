//! Thousands of steps in which servers come, go, change, fail and recover, watched by somebody with a model.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;
use traefikrs_lb::sticky::{Cookie, CookieName};
use traefikrs_lb::strategy::Strategy;
use traefikrs_lb::{Balancer, Member, Outcome, PassiveCheck, Settings};

use crate::world::{STRATEGIES, World, member, millis, using};

const WINDOW: Duration = Duration::from_secs(10);

/// Who is down, as the model has it, by name: for good (until a check finds it well) or until a time.
type Down = BTreeMap<String, Option<Duration>>;

struct Storm {
    world: World,
    members: Vec<Member>,
    settings: Settings,
    down: Down,
}

impl Storm {
    fn new(strategy: Strategy, seed: u64) -> Self {
        let settings = Settings {
            sticky: (strategy != Strategy::Hrw).then(|| Cookie::new(CookieName::new("seat"))),
            passive: (!seed.is_multiple_of(3)).then_some(PassiveCheck {
                failure_window: WINDOW,
                ..PassiveCheck::default()
            }),
            has_active_check: seed.is_multiple_of(2),
            slow_start: seed.is_multiple_of(5).then_some(Duration::from_secs(5)),
            ..using(strategy)
        };
        let members = vec![member(0), member(1)];
        let balancer = Balancer::new(members.clone(), settings.clone(), None);
        Self {
            world: World::new(balancer, seed),
            members,
            settings,
            down: Down::new(),
        }
    }

    fn below(&mut self, n: usize) -> usize {
        self.world.rng.random_range(0..n)
    }

    fn step(&mut self) {
        match self.below(20) {
            0 => self.change_members(),
            1 if self.settings.has_active_check => self.check_servers(),
            2 => self.world.now += millis(self.world.rng.random_range(0..8_000)),
            _ => {}
        }
        self.world.now += millis(1);
        let now = self.world.now;
        self.down
            .retain(|_, until| until.is_none_or(|until| until > now));
        if self.below(3) == 0 && self.settings.sticky.is_some() && !self.members.is_empty() {
            self.ask_with_a_cookie();
        } else {
            self.ask();
        }
    }

    /// A member comes or goes, or is fenced, or weighs something else; the others are what they were.
    fn change_members(&mut self) {
        let name = member(self.below(12)).name;
        let before = self.members.iter().position(|known| known.name == name);
        let rng = &mut self.world.rng;
        let changed = Member {
            name,
            weight: [0, -1, 1, 1, 2, 3, 7, 100, i64::MAX][rng.random_range(0..9)],
            is_fenced: rng.random_range(0..4) == 0,
        };
        match before {
            Some(at) if rng.random_range(0..3) == 0 => {
                let gone = self.members.remove(at);
                self.down.remove(&*gone.name);
            }
            Some(at) => self.members[at] = changed,
            None => self.members.push(changed),
        }
        self.rebuild();
    }

    fn rebuild(&mut self) {
        let (members, settings) = (self.members.clone(), self.settings.clone());
        self.world.balancer = Balancer::new(members, settings, Some(&self.world.balancer));
    }

    fn check_servers(&mut self) {
        for (name, state) in self.world.balancer.states() {
            let is_up = self.world.rng.random();
            let was_down = self.down.contains_key(&**name);
            assert_eq!(state.set_up(is_up), is_up == was_down);
            if is_up {
                self.down.remove(&**name);
            } else {
                self.down.insert(name.to_string(), None);
            }
        }
    }

    fn is_target(&self, member: &Member) -> bool {
        let is_in = member.weight > 0 || self.settings.strategy == Strategy::P2c;
        is_in && !self.down.contains_key(&*member.name)
    }

    fn eligible(&self) -> Vec<usize> {
        let members = self.members.iter().enumerate();
        members
            .filter(|(_, member)| !member.is_fenced && self.is_target(member))
            .map(|(index, _)| index)
            .collect()
    }

    fn ask(&mut self) {
        let eligible = self.eligible();
        let at = self.world.at();
        assert_eq!(self.world.balancer.is_up(at), !eligible.is_empty());
        let Some(index) = self.world.pick().map(|pick| pick.index) else {
            assert_eq!(eligible, [], "{:?}", self.members);
            return;
        };
        assert!(eligible.contains(&index), "{index} {:?}", self.members);
        self.answer(index);
    }

    fn ask_with_a_cookie(&mut self) {
        let place = self.below(self.members.len());
        let member = self.members[place].clone();
        let is_kept = self.is_target(&member);
        let eligible = self.eligible();
        let cookie = format!("seat={}", member.name);
        let picked = self.world.pick_with(&cookie).map(|pick| pick.index);
        match picked {
            Some(index) if is_kept => assert_eq!(index, place),
            Some(index) => assert!(eligible.contains(&index)),
            None => assert!(!is_kept && eligible.is_empty()),
        }
    }

    /// One answer of ten is bad.
    fn answer(&mut self, index: usize) {
        let is_bad = self.below(10) == 0;
        let outcome = if is_bad {
            Outcome::Unanswered
        } else {
            Outcome::Answered
        };
        let (time, at) = (millis(1), self.world.at());
        let is_out = self.world.balancer.observe(index, outcome, time, at);
        assert_eq!(is_out, is_bad && self.settings.passive.is_some());
        if is_out {
            let until = (!self.settings.has_active_check).then(|| self.world.now + WINDOW);
            self.down
                .insert(self.members[index].name.to_string(), until);
        }
    }

    /// Quiet again: all are well, and weigh so little that each must have had its turn soon.
    fn settle(&mut self) {
        for (index, member) in self.members.iter_mut().enumerate() {
            *member = Member {
                weight: i64::try_from(index % 3).unwrap() + 1,
                is_fenced: false,
                ..member.clone()
            };
        }
        self.rebuild();
        self.world.now += WINDOW;
        for (_, state) in self.world.balancer.states() {
            state.set_up(true);
        }
        let n = self.members.len();
        let counts = self.world.run(200 * n, millis(1), |_, _| millis(1));
        for index in 0..n {
            assert!(counts[index] >= 5, "{:?} {counts:?}", self.settings);
        }
    }
}

#[test]
fn through_any_storm_requests_go_where_they_may_and_nobody_starves_after_it() {
    for strategy in STRATEGIES {
        for seed in 0..15 {
            let mut storm = Storm::new(strategy, seed);
            for _ in 0..3_000 {
                storm.step();
            }
            storm.settle();
        }
    }
}

#[test]
fn thousands_of_servers_are_no_trouble() {
    const N: usize = 5_000;
    for strategy in STRATEGIES {
        let settings = Settings {
            has_active_check: true,
            ..using(strategy)
        };
        let members: Vec<_> = (0..N)
            .map(|n| Member {
                name: format!("http://10.0.{}.{}", n / 250, n % 250).into(),
                weight: [1, 0, 3, i64::MAX, 1_000_000][n % 5],
                is_fenced: n % 7 == 0,
            })
            .collect();
        let mut world = World::new(Balancer::new(members.clone(), settings, None), 1);
        // Most are down, then all but one, then all.
        for every in [100, N, N + 1] {
            let is_up = |n: usize| (n + 1).is_multiple_of(every);
            for (n, (_, state)) in world.balancer.states().enumerate() {
                state.set_up(is_up(n));
            }
            for _ in 0..50 {
                let Some(index) = world.ask(Outcome::Answered) else {
                    assert_eq!(every, N + 1, "{strategy:?}");
                    continue;
                };
                let is_in = members[index].weight > 0 || strategy == Strategy::P2c;
                assert!(is_up(index) && is_in && !members[index].is_fenced);
            }
        }
    }
}
