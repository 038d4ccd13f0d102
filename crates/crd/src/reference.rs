//! References from one object to another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::is_zero;

/// Which object? One of the kind that the field asks for, by name and namespace.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["name"]))]
pub struct ObjectRef {
    /// Its name; `name@provider` means an element of another provider, where that is allowed.
    pub name: String,
    /// Its namespace; empty means that of the object that holds the reference.
    #[serde(skip_serializing_if = "is_zero")]
    pub namespace: String,
}
