//! Does any input, however made, break a parser or a promise?
//!
//! Each target is a function over bytes that panics when a promise is broken; [`TARGETS`] lists them. To add one, write
//! `src/<name>.rs` with such a function and a few seeds, and put it into the table. Two programs run them:
//!
//! ```text
//! cargo run -p traefikrs-fuzz --bin smoke -- --seconds 10
//! FUZZ_TARGET=rule_parse cargo +nightly fuzz run --features libfuzzer fuzz
//! ```
//!
//! The first needs nothing but a stable compiler: it mutates the seeds blindly and stops at the first broken promise,
//! naming the input. The second has libFuzzer search for inputs by the code they reach.

mod configuration;
mod cookie;
mod go_regexp;
mod host_expression;
mod manifest;
mod mutate;
mod path;
mod rule;
mod wire;

pub use mutate::Mutator;

/// Something to try inputs on.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name by which it is chosen.
    pub name: &'static str,
    /// Tries one input; panics when a promise is broken.
    pub run: fn(&[u8]),
    /// Returns inputs to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target {
        name: "rule_parse",
        run: rule::parse,
        seeds: rule::seeds,
    },
    Target {
        name: "rule_round_trip",
        run: rule::round_trip,
        seeds: rule::seeds,
    },
    Target {
        name: "host_expression",
        run: host_expression::run,
        seeds: host_expression::seeds,
    },
    Target {
        name: "cookie",
        run: cookie::run,
        seeds: cookie::seeds,
    },
    Target {
        name: "path",
        run: path::run,
        seeds: path::seeds,
    },
    Target {
        name: "go_regexp",
        run: go_regexp::run,
        seeds: go_regexp::seeds,
    },
    Target {
        name: "static_flags",
        run: traefikrs_config::fuzz::fuzz_static,
        seeds: configuration::flag_seeds,
    },
    Target {
        name: "dynamic_decode",
        run: traefikrs_config::fuzz::fuzz_dynamic,
        seeds: configuration::dynamic_seeds,
    },
    Target {
        name: "manifest_translate",
        run: manifest::run,
        seeds: manifest::seeds,
    },
    Target {
        name: "proxy_protocol",
        run: wire::proxy_protocol,
        seeds: wire::proxy_protocol_seeds,
    },
    Target {
        name: "server_response",
        run: wire::response,
        seeds: wire::response_seeds,
    },
    Target {
        name: "client_request",
        run: wire::request,
        seeds: wire::request_seeds,
    },
];

/// Finds a target by its name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_seeds_and_survives_them() {
        for target in TARGETS {
            let seeds = (target.seeds)();
            assert!(!seeds.is_empty(), "{}", target.name);
            for seed in &seeds {
                (target.run)(seed);
            }
            let mut mutator = Mutator::new(seeds, 7);
            for _ in 0..500 {
                (target.run)(&mutator.next_input());
            }
        }
    }
}
