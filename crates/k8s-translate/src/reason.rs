//! Why? Every reason that translation gives, in one place.
//!
//! The words never change their meaning; `docs/diagnostics.md` tells an operator what to do about each.

use traefikrs_config::diagnostic::Reason;

/// Declares the reasons and the list of all of them.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)+) => {
        $($(#[$doc])* pub const $name: Reason = Reason::new($word);)+

        /// All of them, for tests and tables.
        pub const ALL: &[Reason] = &[$($name),+];
    };
}

reasons! {
    /// A document of a file is not YAML or not JSON.
    SYNTAX = "SyntaxError";
}
