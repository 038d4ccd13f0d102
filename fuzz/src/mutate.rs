use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

/// Which input is tried next?
///
/// Endless variations of a few seeds: bytes changed, inserted and taken out, pieces repeated, two inputs spliced. The same
/// seeds and number give the same inputs.
#[derive(Debug)]
pub struct Mutator {
    seeds: Vec<Vec<u8>>,
    rng: StdRng,
}

/// Inputs do not grow beyond this.
const LONGEST: usize = 4096;

impl Mutator {
    /// Starts from these inputs; there must be one.
    #[must_use]
    pub fn new(seeds: Vec<Vec<u8>>, number: u64) -> Self {
        assert!(!seeds.is_empty(), "there is something to start from");
        Self {
            seeds,
            rng: StdRng::seed_from_u64(number),
        }
    }

    /// Makes the next input.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.seed();
        for _ in 0..self.rng.random_range(1..6) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn seed(&mut self) -> Vec<u8> {
        self.seeds
            .choose(&mut self.rng)
            .cloned()
            .unwrap_or_default()
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.rng.random_range(0..=input.len());
        let end = (at + self.rng.random_range(0..16)).min(input.len());
        match self.rng.random_range(0..7) {
            0 => input.insert(at, self.rng.random()),
            1 => drop(input.drain(at..end)),
            2 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << self.rng.random_range(0..8);
                }
            }
            3 => {
                let piece = input[at..end].repeat(self.rng.random_range(1..40));
                input.splice(at..at, piece);
            }
            4 => {
                let other = self.seed();
                let from = self.rng.random_range(0..=other.len());
                input.splice(at..end, other[from..].iter().copied());
            }
            5 => {
                let mark = *b"(){}[]!&|,`\"\\/.*%+=:;#?\n"
                    .choose(&mut self.rng)
                    .unwrap_or(&b'*');
                input.insert(at, mark);
            }
            _ => input.truncate(at),
        }
    }
}
