//! The sequences of Traefik.

use serde::Deserialize;
use traefikrs_lb::strategy::Wrr;

#[derive(Deserialize)]
struct Case {
    weights: Vec<i64>,
    picks: String,
}

/// Every order of `0..n`.
fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(n - 1);
    let insert = |order: &Vec<usize>, at| {
        let mut order = order.clone();
        order.insert(at, n - 1);
        order
    };
    shorter
        .iter()
        .flat_map(|order| (0..n).map(move |at| insert(order, at)))
        .collect()
}

fn picks(weights: &[i64], order: &[usize], n: usize) -> String {
    let mut wrr = Wrr::new(order.iter().map(|&server| weights[server]));
    let label = |at: usize| char::from(b"abcdefgh"[order[at]]);
    (0..n)
        .filter_map(|_| wrr.pick(|_| true).map(label))
        .collect()
}

#[test]
fn a_shuffle_of_the_weights_gives_traefiks_sequence() {
    for line in include_str!("../testdata/traefik-wrr.json").lines() {
        let Case {
            weights,
            picks: expected,
        } = serde_json::from_str(line).unwrap();
        let orders = orders(weights.len());
        let fits = |order: &&Vec<usize>| picks(&weights, order, expected.len()) == expected;
        assert!(
            orders.iter().any(|order| fits(&order)),
            "{weights:?} {expected}"
        );
    }
}

#[test]
fn the_heap_breaks_ties_as_gos_does() {
    assert_eq!(
        picks(&[3, 2, 1], &[0, 1, 2], 24),
        "ababacabaabcababacababac"
    );
}
