//! Runs one target under libFuzzer: `FUZZ_TARGET=rule_parse cargo +nightly fuzz run --features libfuzzer fuzz`.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use traefikrs_fuzz::{Target, target};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
    target(&name).expect("the target is one of the table")
});

fuzz_target!(|data: &[u8]| (TARGET.run)(data));
