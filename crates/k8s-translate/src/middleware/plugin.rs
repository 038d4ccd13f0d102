//! Plugins, whose settings may name values of Secrets.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Building;
use crate::problem::{Path, Problem};
use crate::reason;

const PREFIX: &str = "urn:k8s:secret:";

impl Building<'_> {
    pub(super) fn plugin(&self) -> Result<Option<BTreeMap<String, Value>>, Problem> {
        if self.spec.plugin.is_empty() {
            return Ok(None);
        }
        let mut plugin = self.spec.plugin.clone();
        for (name, settings) in &mut plugin {
            let path = Path::SPEC.field("plugin");
            self.fill_in(settings, path.field(name))?;
        }
        Ok(Some(plugin))
    }

    fn fill_in(&self, value: &mut Value, path: Path<'_>) -> Result<(), Problem> {
        match value {
            Value::String(text) if text.starts_with(PREFIX) => {
                *text = self.secret_value(text, path)?;
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.fill_in(item, path.index(index))?;
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    self.fill_in(field, path.field(name))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn secret_value(&self, urn: &str, path: Path<'_>) -> Result<String, Problem> {
        let [_, _, _, name, key] = urn.split(':').collect::<Vec<_>>()[..] else {
            let message = format!("`{urn}` must have the form `{PREFIX}<secret>:<key>`");
            return Err(Problem::error(
                reason::INVALID_SECRET_REFERENCE,
                path,
                message,
            ));
        };
        let secret = self.view.secret(self.namespace, name, path)?;
        match secret.data.get(key) {
            Some(value) => Ok(value.text()),
            None => {
                let message = format!("Secret {}/{name} has no key `{key}`", self.namespace);
                Err(Problem::error(reason::SECRET_INCOMPLETE, path, message))
            }
        }
    }
}
