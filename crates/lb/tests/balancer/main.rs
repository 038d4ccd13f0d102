//! Balancers in a simulated world: its clock steps, its chance has a seed, and nothing waits.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(
    clippy::disallowed_methods,
    reason = "a simulation needs one time to start from"
)]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderMap;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use traefikrs_lb::sticky::{Cookie, CookieName};
use traefikrs_lb::strategy::Strategy;
use traefikrs_lb::{Balancer, Client, Member, Outcome, PassiveCheck, Settings};

mod storm;
mod world;

use world::{STRATEGIES, World, exponential, member, millis, using};

#[test]
fn least_time_starves_no_equal_server() {
    for (gap, seeds) in [
        (millis(1), 0..20),
        (millis(3), 20..40),
        (millis(200), 40..60),
    ] {
        for seed in seeds {
            let balancer = Balancer::new((0..5).map(member), using(Strategy::LeastTime), None);
            let mut world = World::new(balancer, seed);
            let counts = world.run(1_500, gap, |_, rng| exponential(millis(10), rng));
            for (server, count) in counts[..5].iter().enumerate() {
                assert!(
                    (150..=450).contains(count),
                    "{server}: {counts:?}, seed {seed}, {gap:?}"
                );
            }
        }
    }
}

#[test]
fn least_time_prefers_the_fast_and_still_asks_the_slow() {
    for seed in 0..20 {
        let balancer = Balancer::new((0..5).map(member), using(Strategy::LeastTime), None);
        let mut world = World::new(balancer, seed);
        let time = |server, rng: &mut SmallRng| {
            exponential(millis(if server == 0 { 100 } else { 10 }), rng)
        };
        let counts = world.run(5_000, millis(20), time);
        assert!((20..200).contains(&counts[0]), "{counts:?}");
        // It has recovered.
        let counts = world.run(5_000, millis(20), |_, rng| exponential(millis(10), rng));
        assert!(counts[0] > 500, "{counts:?}");
    }
}

#[test]
fn least_time_tells_heavy_servers_apart_beside_a_light_one() {
    let members = [i64::MAX, i64::MAX, 1];
    let members = (0..)
        .zip(members)
        .map(|(n, weight)| member(n).weighing(weight));
    let mut world = World::new(Balancer::new(members, using(Strategy::LeastTime), None), 1);
    let counts = world.run(4_000, millis(20), |_, _| millis(10));
    assert!(counts[2] > 0, "{counts:?}");
    assert!(counts[0].abs_diff(counts[1]) < 100, "{counts:?}");
}

#[test]
fn least_time_does_not_bury_a_server_that_it_does_not_know() {
    let settings = || using(Strategy::LeastTime);
    let before = Balancer::new((0..4).map(member), settings(), None);
    let mut world = World::new(before, 1);
    world.run(400, millis(2), |_, _| millis(10));
    world.balancer = Balancer::new((0..5).map(member), settings(), Some(&world.balancer));
    // Ten requests at once, before anyone has answered.
    let picks: Vec<_> = (0..10)
        .map(|_| world.pick().map(|pick| (pick.index, pick.ticket)).unwrap())
        .collect();
    assert!(picks.iter().filter(|(index, _)| *index == 4).count() <= 3);
}

#[test]
fn least_time_is_not_drawn_to_a_server_that_refuses_everything() {
    let balancer = Balancer::new((0..3).map(member), using(Strategy::LeastTime), None);
    let mut world = World::new(balancer, 1);
    let mut refused = 0;
    for _ in 0..3_000 {
        world.now += millis(10);
        let index = world.pick().unwrap().index;
        let outcome = if index == 1 {
            refused += 1;
            Outcome::Unanswered
        } else {
            Outcome::Answered
        };
        let time = if index == 1 {
            Duration::ZERO
        } else {
            millis(5)
        };
        world.balancer.observe(index, outcome, time, world.at());
    }
    assert!((1..100).contains(&refused), "{refused}");
}

#[test]
fn of_two_the_less_loaded_is_chosen_whatever_they_weigh() {
    let weights = [0, 100, 1];
    let members = weights
        .iter()
        .enumerate()
        .map(|(n, &weight)| member(n).weighing(weight));
    let mut world = World::new(Balancer::new(members, using(Strategy::P2c), None), 1);
    let counts = world.run(3_000, millis(1), |_, _| millis(5));
    assert!(
        counts[..3]
            .iter()
            .all(|count| (900..=1_100).contains(count)),
        "{counts:?}"
    );
    // One that hardly answers is avoided.
    let counts = world.run(3_000, millis(1), |server, _| {
        millis(if server == 0 { 100_000 } else { 5 })
    });
    assert!(counts[0] < 60, "{counts:?}");
}

#[test]
fn hashing_moves_only_what_it_must() {
    let choices = |members: Vec<Member>| {
        let balancer = Balancer::new(members.clone(), using(Strategy::Hrw), None);
        let mut rng = SmallRng::seed_from_u64(0);
        let choice = |n: u8| {
            let client = Client {
                ip: [192, 0, n, n / 3].into(),
                headers: &HeaderMap::new(),
            };
            let index = balancer
                .pick(&client, Instant::now(), &mut rng)
                .unwrap()
                .index;
            members[index].name.clone()
        };
        (0..=255).map(choice).collect::<Vec<_>>()
    };
    let five = choices((0..5).map(member).collect());
    let four = choices((0..5).filter(|&n| n != 2).map(member).collect());
    let gone = member(2).name;
    for (before, after) in five.iter().zip(&four) {
        assert!(before == after || *before == gone);
    }
    let heavier = choices(
        (0..5)
            .map(|n| member(n).weighing(if n == 2 { 3 } else { 1 }))
            .collect(),
    );
    for (before, after) in five.iter().zip(&heavier) {
        assert!(before == after || *after == gone);
    }
    assert!(heavier.iter().filter(|name| **name == gone).count() > 80);
}

#[test]
fn a_server_that_fails_too_often_is_out_for_the_window_and_then_comes_back() {
    let passive = PassiveCheck {
        failure_window: Duration::from_secs(10),
        max_failed_attempts: 2,
        ..PassiveCheck::default()
    };
    for strategy in [Strategy::Wrr, Strategy::P2c, Strategy::LeastTime] {
        let settings = Settings {
            passive: Some(passive),
            ..using(strategy)
        };
        let mut world = World::new(Balancer::new((0..3).map(member), settings, None), 1);
        let at = world.at();
        assert!(
            !world
                .balancer
                .observe(1, Outcome::Unanswered, millis(1), at)
        );
        assert!(
            world
                .balancer
                .observe(1, Outcome::AnsweredBadly, millis(1), at)
        );
        let picks: Vec<_> = (0..300)
            .filter_map(|_| world.ask(Outcome::Answered))
            .collect();
        assert!(picks.len() == 300 && !picks.contains(&1), "{strategy:?}");
        world.now += Duration::from_secs(10);
        let picks: Vec<_> = (0..300)
            .filter_map(|_| world.ask(Outcome::Answered))
            .collect();
        assert!(picks.contains(&1), "{strategy:?}");
    }
}

#[test]
fn all_servers_may_be_ejected_unless_there_is_a_limit() {
    for (max_ejected_percent, n_left) in [(100, 0), (99, 1), (50, 2), (25, 3), (0, 4)] {
        let settings = Settings {
            passive: Some(PassiveCheck {
                max_ejected_percent,
                ..PassiveCheck::default()
            }),
            ..Settings::default()
        };
        let mut world = World::new(Balancer::new((0..4).map(member), settings, None), 1);
        let served = (0..100)
            .filter(|_| world.ask(Outcome::AnsweredBadly).is_some())
            .count();
        assert_eq!(
            served,
            if n_left == 0 { 4 } else { 100 },
            "{max_ejected_percent}"
        );
        let at = world.at();
        let n_up = world
            .balancer
            .states()
            .filter(|(_, state)| state.is_up(at))
            .count();
        assert_eq!(n_up, n_left, "{max_ejected_percent}");
        assert_eq!(world.balancer.is_up(at), n_left > 0);
    }
}

#[test]
fn the_limit_counts_those_who_take_new_requests() {
    let fenced = |n| Member {
        is_fenced: true,
        ..member(n)
    };
    // A server that is fenced, or weighs nothing, is no help to those that are left; two under one name go together.
    for (members, n_left) in [
        (vec![member(0), member(1), fenced(2), fenced(3)], 1),
        (vec![member(0), member(1), member(2).weighing(0)], 1),
        (vec![member(0), member(0), member(1), member(1)], 1),
        (vec![member(0), member(0), member(0), member(1)], 1),
    ] {
        let settings = Settings {
            passive: Some(PassiveCheck {
                max_ejected_percent: 50,
                ..PassiveCheck::default()
            }),
            sticky: Some(Cookie::new(CookieName::new("seat"))),
            ..Settings::default()
        };
        let balancer = Balancer::new(members.clone(), settings, None);
        let mut world = World::new(balancer, 1);
        for n in 0..100 {
            let index = n % members.len();
            let at = world.at();
            world
                .balancer
                .observe(index, Outcome::AnsweredBadly, millis(1), at);
            assert!(world.pick().is_some(), "{members:?}");
        }
        let at = world.at();
        let up: HashSet<_> = world
            .balancer
            .states()
            .zip(&members)
            .filter(|((_, state), member)| {
                state.is_up(at) && member.weight > 0 && !member.is_fenced
            })
            .map(|((name, _), _)| Arc::clone(name))
            .collect();
        assert_eq!(up.len(), n_left, "{members:?}");
    }
}

#[test]
fn with_an_active_check_only_that_lets_a_server_back() {
    let settings = Settings {
        passive: Some(PassiveCheck::default()),
        has_active_check: true,
        ..Settings::default()
    };
    let mut world = World::new(Balancer::new([member(0)], settings, None), 1);
    assert_eq!(world.ask(Outcome::AnsweredBadly), Some(0));
    world.now += Duration::from_secs(1_000);
    assert_eq!(world.ask(Outcome::Answered), None);
    let (_, state) = world.balancer.states().next().unwrap();
    assert!(state.set_up(true));
    assert_eq!(world.ask(Outcome::Answered), Some(0));
}

#[test]
fn what_is_known_of_a_server_outlives_its_balancer() {
    let settings = || Settings {
        passive: Some(PassiveCheck::default()),
        ..using(Strategy::LeastTime)
    };
    let before = Balancer::new((0..3).map(member), settings(), None);
    let mut world = World::new(before, 1);
    let at = world.at();
    assert!(
        world
            .balancer
            .observe(0, Outcome::AnsweredBadly, millis(1), at)
    );
    let held = world.pick().unwrap().ticket;
    // Others have come, and those that stay are in other places.
    let after = Balancer::new([4, 2, 1, 0].map(member), settings(), Some(&world.balancer));
    let up: Vec<_> = after.states().map(|(_, state)| state.is_up(at)).collect();
    assert_eq!(up, [true, true, true, false]);
    let under_way = || {
        after
            .states()
            .map(|(_, state)| state.under_way())
            .sum::<u32>()
    };
    assert_eq!(under_way(), 1);
    drop(held);
    assert_eq!(under_way(), 0);
}

#[test]
fn turns_go_on_however_fast_members_come_and_go() {
    // Others weigh nothing, come and go; these are all that may be picked.
    let members = [1, 1, 2, 96];
    let with_others = |n: usize| {
        let others = (0..n % 3).map(|other| member(10 + (n + other) % 5).weighing(0));
        let members = members.iter().enumerate();
        let members = members.map(|(n, &weight)| member(n).weighing(weight));
        others.chain(members).collect::<Vec<_>>()
    };
    let settings = Settings::default;
    let mut world = World::new(Balancer::new(with_others(0), settings(), None), 1);
    let mut counts = [0; 4];
    for n in 0..200 {
        let all = with_others(n);
        world.balancer = Balancer::new(all.clone(), settings(), Some(&world.balancer));
        let picked = world.pick().unwrap().index;
        counts[picked - (all.len() - 4)] += 1;
    }
    assert_eq!(counts, [2, 2, 4, 192]);
    // One that comes has its turn like the others, and one that weighs more now gets more at once.
    let changed = [(0, 1), (1, 1), (2, 2), (4, 96)].map(|(n, weight)| member(n).weighing(weight));
    world.balancer = Balancer::new(changed, settings(), Some(&world.balancer));
    let counts = world.run(100, millis(1), |_, _| millis(1));
    assert_eq!(counts[..4], [1, 1, 2, 96]);
}

#[test]
fn a_server_is_not_kept_out_by_a_check_that_is_gone() {
    let checked = |has_active_check| Settings {
        passive: Some(PassiveCheck::default()),
        has_active_check,
        ..Settings::default()
    };
    let start = Instant::now();
    let unchecked = using(Strategy::P2c);
    for (before, after, is_up) in [
        (checked(true), checked(true), false),
        (checked(true), checked(false), true),
        (checked(false), checked(false), false),
        (checked(false), unchecked, true),
    ] {
        let before = Balancer::new([member(0)], before, None);
        assert!(before.observe(0, Outcome::AnsweredBadly, millis(1), start));
        let after = Balancer::new([member(0)], after, Some(&before));
        assert_eq!(after.is_up(start), is_up, "{after:?}");
    }
}

#[test]
fn a_server_that_joins_starts_slowly_with_every_strategy() {
    for strategy in STRATEGIES {
        let settings = || Settings {
            slow_start: Some(Duration::from_secs(10)),
            ..using(strategy)
        };
        let share_of_new = |world: &mut World| {
            let counts = world.run(2_000, Duration::ZERO, |_, _| Duration::ZERO);
            counts[2]
        };
        let mut world = World::new(Balancer::new((0..2).map(member), settings(), None), 1);
        world.pick();
        world.balancer = Balancer::new((0..3).map(member), settings(), Some(&world.balancer));
        let first = share_of_new(&mut world);
        world.now += Duration::from_secs(5);
        let then = share_of_new(&mut world);
        world.now += Duration::from_secs(6);
        let last = share_of_new(&mut world);
        assert!(
            first < then && then < last,
            "{strategy:?}: {first} {then} {last}"
        );
        assert!(first > 0, "{strategy:?}");
    }
}

#[test]
fn a_cookie_leads_back_and_a_useless_one_is_replaced() {
    for strategy in [Strategy::Wrr, Strategy::P2c, Strategy::LeastTime] {
        let settings = Settings {
            sticky: Some(Cookie::new(CookieName::new("seat"))),
            passive: Some(PassiveCheck::default()),
            ..using(strategy)
        };
        let mut world = World::new(Balancer::new((0..3).map(member), settings, None), 1);
        let pick = world.pick().unwrap();
        let (mine, seat) = (
            pick.index,
            pick.set_cookie.unwrap().to_str().unwrap().to_owned(),
        );
        drop(pick);
        for _ in 0..20 {
            let pick = world.pick_with(&seat).unwrap();
            assert_eq!((pick.index, pick.set_cookie), (mine, None));
        }
        let pick = world
            .pick_with(&format!("seat={}", member(1).name))
            .unwrap();
        assert_eq!(pick.index, 1);
        assert!(pick.set_cookie.is_some(), "a value of old is replaced");
        assert!(world.pick_with("seat=nobody").unwrap().set_cookie.is_some());

        let at = world.at();
        assert!(
            world
                .balancer
                .observe(mine, Outcome::AnsweredBadly, millis(1), at)
        );
        let pick = world.pick_with(&seat).unwrap();
        assert!(
            pick.index != mine && pick.set_cookie.is_some(),
            "{strategy:?}"
        );
    }
}

#[test]
fn a_fenced_server_keeps_its_clients_and_gets_no_others() {
    let fenced = Member {
        is_fenced: true,
        ..member(0)
    };
    let settings = Settings {
        sticky: Some(Cookie::new(CookieName::new("seat"))),
        ..Settings::default()
    };
    let mut world = World::new(Balancer::new([fenced, member(1)], settings, None), 1);
    assert!((0..20).all(|_| world.pick().unwrap().index == 1));
    let seat = format!("seat={}", member(0).name);
    assert_eq!(world.pick_with(&seat).unwrap().index, 0);
}

#[test]
fn a_server_that_weighs_nothing_is_no_target_of_a_cookie_but_with_p2c() {
    for (strategy, expected) in [
        (Strategy::Wrr, 1),
        (Strategy::LeastTime, 1),
        (Strategy::P2c, 0),
    ] {
        let settings = Settings {
            sticky: Some(Cookie::new(CookieName::new("seat"))),
            ..using(strategy)
        };
        let members = [member(0).weighing(0), member(1)];
        let mut world = World::new(Balancer::new(members, settings, None), 1);
        let seat = format!("seat={}", member(0).name);
        assert_eq!(world.pick_with(&seat).unwrap().index, expected);
    }
}

fn any_strategy() -> impl proptest::strategy::Strategy<Value = Strategy> {
    prop::sample::select(&STRATEGIES)
}

prop_compose! {
    fn any_member()(
        n in 0_usize..12,
        weight in prop_oneof![-2_i64..4, Just(0), Just(i64::MAX), Just(i64::MIN)],
        is_fenced in any::<bool>(),
    ) -> Member {
        Member { weight, is_fenced, ..member(n) }
    }
}

proptest! {
    #[test]
    fn a_pick_always_ends_and_never_names_one_that_may_not_be_asked(
        strategy in any_strategy(),
        members in prop::collection::vec(any_member(), 0..10),
        steps in prop::collection::vec((any::<u16>(), any::<u16>(), 0_u64..20_000), 1..60),
        is_sticky in any::<bool>(),
        slow_start in prop::option::of(0_u64..10_000),
        max_ejected_percent in 0_u8..=100,
        seed in any::<u64>(),
    ) {
        let settings = Settings {
            sticky: is_sticky.then(|| Cookie::new(CookieName::new("seat"))),
            passive: Some(PassiveCheck { max_ejected_percent, ..PassiveCheck::default() }),
            has_active_check: true,
            slow_start: slow_start.map(millis),
            strategy,
        };
        let balancer = Balancer::new(members.clone(), settings, None);
        let mut world = World::new(balancer, seed);
        for (up, what, elapsed) in steps {
            world.now += millis(elapsed);
            for (n, (_, state)) in world.balancer.states().enumerate() {
                state.set_up(up >> n & 1 == 1);
            }
            let at = world.at();
            let is_up: Vec<_> = world.balancer.states().map(|(_, state)| state.is_up(at)).collect();
            let may_be_picked = |index: usize| {
                let is_in = members[index].weight > 0 || strategy == Strategy::P2c;
                is_up[index] && is_in && !members[index].is_fenced
            };
            let anyone = (0..members.len()).any(may_be_picked);
            prop_assert_eq!(world.balancer.is_up(at), anyone);
            let picked = world.pick().map(|pick| pick.index);
            prop_assert_eq!(picked.is_some(), anyone);
            if let Some(index) = picked {
                prop_assert!(may_be_picked(index));
                let outcome = if what % 3 == 0 { Outcome::Unanswered } else { Outcome::Answered };
                world.balancer.observe(index, outcome, millis(what.into()), at);
            }
        }
    }

    #[test]
    fn weights_are_honoured_within_a_turn_whatever_else_is_switched_on(
        weights in prop::collection::vec(1_i64..10, 1..8),
    ) {
        let settings = Settings {
            passive: Some(PassiveCheck::default()),
            has_active_check: true,
            slow_start: Some(millis(1_000)),
            ..Settings::default()
        };
        let members = weights.iter().enumerate().map(|(n, &weight)| member(n).weighing(weight));
        let mut world = World::new(Balancer::new(members, settings, None), 0);
        let turn = usize::try_from(weights.iter().sum::<i64>()).unwrap();
        for n in 1..4 {
            let mut counts = vec![0_i64; weights.len()];
            for _ in 0..turn * n {
                counts[world.ask(Outcome::Answered).unwrap()] += 1;
            }
            for (count, weight) in counts.iter().zip(&weights) {
                prop_assert!((count - weight * i64::try_from(n).unwrap()).abs() <= 1);
            }
        }
    }
}
