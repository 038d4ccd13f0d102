//! Tries mutated seeds on the targets for a while, with a stable compiler.
//!
//! `smoke [--seconds N] [--seed N] [TARGET…]`; ten seconds for each of all targets unless told otherwise.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for developers"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use traefikrs_fuzz::{Mutator, TARGETS, Target, target};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("smoke: {problem}");
            return ExitCode::from(2);
        }
    };
    let survived = options
        .targets
        .iter()
        .filter(|target| survives(target, &options))
        .count();
    if survived == options.targets.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

struct Options {
    time: Duration,
    seed: u64,
    targets: Vec<&'static Target>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            time: Duration::from_secs(10),
            seed: 1,
            targets: Vec::new(),
        };
        while let Some(argument) = arguments.next() {
            let mut number = || {
                arguments
                    .next()
                    .and_then(|number| number.parse().ok())
                    .ok_or_else(|| format!("{argument} takes a number"))
            };
            match argument.as_str() {
                "--seconds" => options.time = Duration::from_secs(number()?),
                "--seed" => options.seed = number()?,
                name => options
                    .targets
                    .push(target(name).ok_or_else(|| format!("there is no target {name}"))?),
            }
        }
        if options.targets.is_empty() {
            options.targets = TARGETS.iter().collect();
        }
        Ok(options)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the time that a run takes is what is asked for"
)]
fn survives(target: &Target, options: &Options) -> bool {
    let start = Instant::now();
    let mut mutator = Mutator::new((target.seeds)(), options.seed);
    let mut tried = 0_u64;
    while start.elapsed() < options.time {
        let input = mutator.next_input();
        if catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
            println!(
                "{}: broken by \"{}\" (--seed {}, input {tried})",
                target.name,
                input.escape_ascii(),
                options.seed
            );
            return false;
        }
        tried += 1;
    }
    println!("{}: {tried} inputs", target.name);
    true
}
