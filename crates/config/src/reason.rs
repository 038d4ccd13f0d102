//! Reasons of the diagnostics about texts, options and merging.

use crate::diagnostic::Reason;

/// The text is not YAML, TOML or JSON.
pub const UNPARSABLE: Reason = Reason::new("Unparsable");
/// The file cannot be read.
pub const UNREADABLE: Reason = Reason::new("Unreadable");
/// There is no such field.
pub const UNKNOWN_FIELD: Reason = Reason::new("UnknownField");
/// There is no such option.
pub const UNKNOWN_OPTION: Reason = Reason::new("UnknownOption");
/// A field is given twice.
pub const DUPLICATE_FIELD: Reason = Reason::new("DuplicateField");
/// An object without content where Traefik asks for one.
pub const EMPTY_ELEMENT: Reason = Reason::new("EmptyElement");
/// A value does not fit its field.
pub const INVALID_VALUE: Reason = Reason::new("InvalidValue");
/// It exists, but is not served yet.
pub const NOT_SERVED: Reason = Reason::new("NotServed");
/// Something that is given is not looked at.
pub const IGNORED: Reason = Reason::new("Ignored");
/// A name refers to nothing.
pub const NOT_FOUND: Reason = Reason::new("NotFound");
/// Two elements have one name.
pub const DUPLICATE_NAME: Reason = Reason::new("DuplicateName");
