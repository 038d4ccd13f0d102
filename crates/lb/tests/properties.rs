//! What holds for all weights.

use proptest::prelude::*;
use traefikrs_lb::strategy::Wrr;

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
