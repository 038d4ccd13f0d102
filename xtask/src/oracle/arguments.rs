//! The command line.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use super::generate::Name;

/// What to run.
#[derive(Clone, Debug)]
pub(super) struct Arguments {
    pub(super) seed: u64,
    /// Per configuration, at least.
    pub(super) requests: usize,
    /// All configurations when empty.
    pub(super) configurations: Vec<String>,
    /// One conversation instead of all.
    pub(super) one: Option<Name>,
    /// Traefik against Traefik.
    pub(super) self_check: bool,
    /// Whether to tell what each entry of the accepted list applied to.
    pub(super) entries: bool,
    /// A built proxy, instead of building one.
    pub(super) proxy: Option<PathBuf>,
}

const USAGE: &str = "usage: cargo xtask oracle [--seed N] [--requests N] [--config NAME…] [--index N | --case N] [--proxy FILE] [--entries] [--self-check]";

/// How many requests a full run sends to each configuration.
const FULL: usize = 1_000;

impl Arguments {
    pub(super) fn parse(mut words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut arguments = Self {
            seed: 1,
            requests: FULL,
            configurations: Vec::new(),
            one: None,
            entries: false,
            self_check: false,
            proxy: None,
        };
        let mut names_follow = false;
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .with_context(|| format!("`{word}` needs a value; {USAGE}"))
            };
            let was_naming = std::mem::take(&mut names_follow);
            match word.as_str() {
                "--seed" => arguments.seed = value()?.parse().context(USAGE)?,
                "--requests" => arguments.requests = value()?.parse().context(USAGE)?,
                "--index" => {
                    arguments.one = Some(Name::Made(value()?.parse().context(USAGE)?));
                }
                "--case" => arguments.one = Some(Name::Case(value()?.parse().context(USAGE)?)),
                "--entries" => arguments.entries = true,
                "--proxy" => arguments.proxy = Some(value()?.into()),
                "--self-check" => arguments.self_check = true,
                "--config" => {
                    arguments.configurations.push(value()?);
                    names_follow = true;
                }
                name if was_naming && !name.starts_with('-') => {
                    arguments.configurations.push(word);
                    names_follow = true;
                }
                _ => bail!("unknown argument `{word}`; {USAGE}"),
            }
        }
        Ok(arguments)
    }

    /// Whether everything that the accepted list speaks of must occur.
    pub(super) fn is_full(&self) -> bool {
        self.requests >= FULL
            && self.configurations.is_empty()
            && self.one.is_none()
            && !self.self_check
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> anyhow::Result<Arguments> {
        Arguments::parse(words.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn configurations_may_be_listed_or_repeated() {
        let arguments = parse("--config a b --seed 7 --config c").unwrap();
        assert_eq!(arguments.configurations, ["a", "b", "c"]);
        assert_eq!(arguments.seed, 7);
        assert!(!arguments.is_full());
        assert!(parse("").unwrap().is_full());
        assert!(parse("a").is_err());
        assert!(parse("--config a --self-check b").is_err());
    }
}
