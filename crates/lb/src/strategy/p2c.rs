use rand::{Rng, RngExt};

/// Power of two choices: of two eligible servers chosen at random, the one with fewer requests under way.
///
/// Traefik: weights do not count, not even 0. A server that is to get only a share, less than 1, of what it would get
/// gives the rest to the other one.
///
/// ```
/// use rand::{SeedableRng, rngs::SmallRng};
/// use traefikrs_lb::strategy::less_loaded;
///
/// let under_way = [9_u32, 0, 9];
/// let mut rng = SmallRng::seed_from_u64(1);
/// let pick = |eligible: &dyn Fn(usize) -> bool, rng: &mut SmallRng| {
///     less_loaded(3, eligible, |server| under_way[server], |_| 1.0, rng)
/// };
/// assert_eq!(pick(&|server| server < 2, &mut rng), Some(1));
/// assert_eq!(pick(&|server| server == 2, &mut rng), Some(2));
/// assert_eq!(pick(&|_| false, &mut rng), None);
/// ```
pub fn less_loaded(
    n_servers: usize,
    eligible: impl Fn(usize) -> bool,
    load: impl Fn(usize) -> u32,
    share: impl Fn(usize) -> f64,
    rng: &mut impl Rng,
) -> Option<usize> {
    let first = any(n_servers, &eligible, rng)?;
    let mut second = any(n_servers, &eligible, rng)?;
    if second == first {
        let mut others = (first + 1..n_servers).chain(0..first);
        second = others.find(|&other| eligible(other)).unwrap_or(first);
    }
    let (winner, loser) = if load(second) < load(first) {
        (second, first)
    } else {
        (first, second)
    };
    let share = share(winner);
    let gives_way = share < 1.0 && rng.random::<f64>() >= share;
    Some(if gives_way { loser } else { winner })
}

/// Any eligible server, all with the same chance.
fn any(n_servers: usize, eligible: &impl Fn(usize) -> bool, rng: &mut impl Rng) -> Option<usize> {
    /// Drawing again is quicker than counting, unless most draws are in vain.
    const DRAWS: usize = 8;
    if n_servers == 0 {
        return None;
    }
    for _ in 0..DRAWS {
        let server = rng.random_range(0..n_servers);
        if eligible(server) {
            return Some(server);
        }
    }
    let all = || (0..n_servers).filter(|&server| eligible(server));
    let n = all().count();
    let drawn = (n > 0).then(|| rng.random_range(0..n))?;
    // Some may have gone since they were counted.
    all().nth(drawn).or_else(|| all().next())
}
