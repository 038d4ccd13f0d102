use std::thread;

use regex_automata::meta;
use regex_syntax::hir::Hir;

/// How much memory the compiled form of one pattern may take.
pub(crate) const SIZE_LIMIT: usize = 16 << 20;

/// Up to this height the stack of any thread does.
const SHALLOW: u32 = 64;
/// Room for the greatest height the parser lets through, in a build without optimisations.
const DEEP_STACK: usize = 32 << 20;

/// A pattern whose compiled form is too large.
pub(crate) struct TooLarge;

/// Compiles parsed patterns, the highest of which is `height` levels high.
///
/// The engine's compiler recurses into a pattern, so a deep one gets a thread with a stack of known size: what a
/// pattern may cost must not depend on who compiles it.
pub(crate) fn compile(
    config: meta::Config,
    hirs: &[Hir],
    height: u32,
) -> Result<meta::Regex, TooLarge> {
    let mut builder = meta::Builder::new();
    builder.configure(
        config
            .utf8_empty(true)
            .nfa_size_limit(Some(SIZE_LIMIT.saturating_mul(hirs.len().max(1)))),
    );
    let build = || builder.build_many_from_hir(hirs).map_err(|_| TooLarge);
    if height <= SHALLOW {
        return build();
    }
    thread::scope(|scope| {
        let deep = thread::Builder::new()
            .stack_size(DEEP_STACK)
            .spawn_scoped(scope, build);
        deep.map_err(|_| TooLarge)?.join().map_err(|_| TooLarge)?
    })
}
