//! What holds for all weights.

use std::cell::Cell;

use proptest::prelude::*;
use traefikrs_lb::strategy::{Wrr, highest};

/// `container/heap`, move by move.
#[derive(Default)]
struct GoHeap(Vec<(f64, usize)>);

impl GoHeap {
    fn push(&mut self, entry: (f64, usize)) {
        self.0.push(entry);
        let mut at = self.0.len() - 1;
        while at > 0 && self.0[at].0 < self.0[(at - 1) / 2].0 {
            self.0.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    fn pop(&mut self) -> (f64, usize) {
        let popped = self.0.swap_remove(0);
        let Self(heap) = self;
        let mut at = 0;
        while 2 * at + 1 < heap.len() {
            let mut child = 2 * at + 1;
            if child + 1 < heap.len() && heap[child + 1].0 < heap[child].0 {
                child += 1;
            }
            if heap[child].0 >= heap[at].0 {
                break;
            }
            heap.swap(at, child);
            at = child;
        }
        popped
    }
}

proptest! {
    #[test]
    fn every_server_gets_its_share_in_each_turn(weights in prop::collection::vec(1_i64..20, 1..12)) {
        let mut wrr = Wrr::new(weights.iter().copied());
        let turn: i64 = weights.iter().sum();
        let mut counts = vec![0_i64; weights.len()];
        for n in 1..=4 {
            for _ in 0..turn {
                counts[wrr.pick(|_| true).unwrap()] += 1;
            }
            // Rounding of deadlines may move a pick over the end of a turn.
            for (count, weight) in counts.iter().zip(&weights) {
                prop_assert!((count - n * weight).abs() <= 1, "{counts:?} {weights:?}");
            }
        }
    }

    #[test]
    fn shares_are_right_again_as_soon_as_health_is_steady(
        weights in prop::collection::vec(1_i64..20, 1..12),
        periods in prop::collection::vec((any::<u16>(), 0_usize..100), 1..20),
    ) {
        let mut wrr = Wrr::new(weights.iter().copied());
        for (mask, n_picks) in periods {
            let is_up = |server: usize| mask >> server & 1 == 1;
            let up: Vec<_> = (0..weights.len()).filter(|&server| is_up(server)).collect();
            for _ in 0..n_picks {
                wrr.pick(is_up);
            }
            let mut counts = vec![0_i64; weights.len()];
            let turn: i64 = up.iter().map(|&server| weights[server]).sum();
            for n in 1..=2 {
                for _ in 0..turn {
                    counts[wrr.pick(is_up).unwrap()] += 1;
                }
                for &server in &up {
                    let difference = counts[server] - n * weights[server];
                    prop_assert!(difference.abs() <= 2, "{counts:?} {weights:?} {mask:b}");
                }
            }
        }
    }

    #[test]
    fn hashing_moves_only_the_keys_that_it_must(
        members in prop::collection::btree_map("[a-z0-9]{1,8}", 0_u8..5, 1..20),
        keys in prop::collection::vec("[0-9.]{1,12}", 50),
        which in any::<prop::sample::Index>(),
        heavier in 1_u8..5,
    ) {
        let members: Vec<_> = members.into_iter().collect();
        let (special, weight) = &members[which.index(members.len())];
        // Who is chosen while one of them weighs this much; 0 is as if it were not there.
        let choice = |key: &str, changed: u8| {
            let candidates = members.iter().enumerate().map(|(index, (name, weight))| {
                let weight = if name == special { changed } else { *weight };
                (index, name.as_str(), f64::from(weight))
            });
            highest(key, candidates).map(|index| &members[index].0)
        };
        for key in &keys {
            let (without, with) = (choice(key, 0), choice(key, *weight));
            prop_assert!(with == without || with == Some(special));
            // It can only win by weighing more.
            let with_more = choice(key, weight + heavier);
            prop_assert!(with_more == with || with_more == Some(special));
        }
    }

    #[test]
    fn only_eligible_servers_are_picked_and_every_pick_ends(
        weights in prop::collection::vec(prop_oneof![-2_i64..6, Just(i64::MAX), Just(1_000_000_000)], 0..10),
        up in prop::collection::vec(any::<u16>(), 1..50),
    ) {
        let mut wrr = Wrr::new(weights.iter().copied());
        for mask in up {
            let is_up = |server: usize| mask >> server & 1 == 1;
            let any_up = (0..weights.len()).any(|server| weights[server] > 0 && is_up(server));
            let pick = wrr.pick(is_up);
            prop_assert_eq!(pick.is_some(), any_up);
            prop_assert!(pick.is_none_or(|server| is_up(server) && weights[server] > 0));
        }
    }

    #[test]
    fn ties_are_broken_as_gos_heap_breaks_them(
        weights in prop::collection::vec(1_i64..5, 1..80),
        up in prop::collection::vec(any::<u8>(), 1..300),
    ) {
        let mut wrr = Wrr::new(weights.iter().copied());
        let mut heap = GoHeap::default();
        for (server, &weight) in weights.iter().enumerate() {
            heap.push((1.0 / weight as f64, server));
        }
        for mask in up {
            // One or two of eight classes of servers are down.
            let is_up = |server: usize| server % 8 != usize::from(mask % 8) && server % 8 != usize::from(mask / 32);
            let mut expected = None;
            while (0..weights.len()).any(is_up) && expected.is_none() {
                let (deadline, server) = heap.pop();
                heap.push((deadline + 1.0 / weights[server] as f64, server));
                expected = is_up(server).then_some(server);
            }
            prop_assert_eq!(wrr.pick(is_up), expected);
        }
    }

    #[test]
    fn a_pick_of_nobody_changes_nothing(weights in prop::collection::vec(0_i64..6, 1..8), nobody in 1..5) {
        let mut asked = Wrr::new(weights.iter().copied());
        let mut other = asked.clone();
        for _ in 0..20 {
            for _ in 0..nobody {
                prop_assert_eq!(asked.pick(|_| false), None);
            }
            prop_assert_eq!(asked.pick(|_| true), other.pick(|_| true));
        }
    }
}

#[test]
fn a_light_server_is_reached_past_a_heavy_one_that_is_down() {
    let mut wrr = Wrr::new([1_000_000_000, 1, 2]);
    let picks: Vec<_> = (0..6)
        .filter_map(|_| wrr.pick(|server| server != 0))
        .collect();
    assert_eq!(picks.iter().filter(|&&server| server == 1).count(), 2);
    // It comes back where it would be, not with all the turns it lost.
    let picks: Vec<_> = (0..100).filter_map(|_| wrr.pick(|_| true)).collect();
    assert!(picks.iter().filter(|&&server| server == 0).count() >= 98);
}

#[test]
fn weights_are_told_apart_however_large_they_are() {
    const HEAVY: i64 = 1 << 58;
    for (weights, expected) in [
        ([3 * HEAVY, HEAVY, 1], [3_000, 1_000, 0]),
        ([i64::MAX, i64::MAX, 1], [2_000, 2_000, 0]),
        ([i64::MAX, i64::MAX / 3, i64::MIN], [3_000, 1_000, 0]),
        ([3, 1, 0], [3_000, 1_000, 0]),
    ] {
        let mut wrr = Wrr::new(weights);
        // The light one is the only one for a while, and its time is long.
        for _ in 0..10 {
            wrr.pick(|server| server == 2);
        }
        let mut counts = [0_i64; 3];
        for _ in 0..4_000 {
            counts[wrr.pick(|_| true).unwrap()] += 1;
        }
        for (count, expected) in counts.iter().zip(expected) {
            assert!((count - expected).abs() <= 2, "{weights:?} {counts:?}");
        }
    }
}

#[test]
fn no_pick_takes_more_steps_than_a_few_for_each_server() {
    const N: usize = 5_000;
    // Those that are up are the lightest by far.
    let weights = (0..N).map(|n| {
        if n % 1_000 == 0 {
            1
        } else {
            i64::MAX >> (n % 60)
        }
    });
    let mut wrr = Wrr::new(weights);
    for _ in 0..20 {
        let looks = Cell::new(0);
        let pick = wrr.pick(|server| {
            looks.set(looks.get() + 1);
            server % 1_000 == 0
        });
        assert!(pick.is_some());
        assert!(looks.get() < 4 * N, "{}", looks.get());
    }
}
