use crate::fnv::fnv1a;

/// Highest random weight (rendezvous hashing): the position of the server that scores highest for this key.
///
/// A key stays with its server for as long as that one is among the candidates, whoever else comes or goes. A server
/// that weighs 0 or less is never picked.
///
/// ```
/// use traefikrs_lb::strategy::highest;
///
/// let servers = [(0, "http://10.0.0.1", 1.0), (1, "http://10.0.0.2", 1.0), (2, "http://10.0.0.3", 1.0)];
/// let chosen = highest("192.0.2.7", servers).unwrap();
/// let fewer = servers.into_iter().filter(|&(server, ..)| server != (chosen + 1) % 3);
/// assert_eq!(highest("192.0.2.7", fewer), Some(chosen));
/// ```
pub fn highest<'s>(
    key: &str,
    candidates: impl IntoIterator<Item = (usize, &'s str, f64)>,
) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (server, name, weight) in candidates {
        if weight <= 0.0 {
            continue;
        }
        let score = score(key, name, weight);
        // Of equals the first one; also when they all score 0, where Traefik fails.
        if best.is_none_or(|(_, highest)| score > highest) {
            best = Some((server, score));
        }
    }
    best.map(|(server, _)| server)
}

// Traefik: FNV-1a of key and name in a row, as a fraction of 2^64 (pkg/server/service/loadbalancer/hrw, 3.7).
fn score(key: &str, name: &str, weight: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "Go converts in the same way")]
    let hash = fnv1a(key.as_bytes().iter().chain(name.as_bytes())) as f64;
    weight / -(hash / 2_f64.powi(64)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_nothing_still_have_a_first() {
        let candidates = || [(3, "a", f64::MIN_POSITIVE), (4, "b", f64::MIN_POSITIVE)];
        assert!(highest("k", candidates()).is_some());
        assert_eq!(highest("k", [(3, "a", 0.0), (4, "b", -1.0)]), None);
        assert_eq!(highest("k", []), None);
    }
}
