use traefikrs_goregexp::Regex;
use traefikrs_gourl::query;

use super::template::Template;

/// `Query`: one value of the key is this value; without a value, one value of the key is empty.
#[derive(Clone, Debug)]
pub(crate) struct QueryMatch {
    key: Box<[u8]>,
    value: Box<[u8]>,
}

impl QueryMatch {
    pub(super) fn new(key: &[u8], value: &[u8]) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
        }
    }

    pub(super) fn matches(&self, query: Option<&[u8]>) -> bool {
        query.is_some_and(|query| query::any(query, &self.key, |value| value == &*self.value))
    }
}

/// `QueryRegexp`: a pattern is found in one value of the key.
#[derive(Clone, Debug)]
pub(crate) struct QueryRegexpMatch {
    key: Box<[u8]>,
    value: Regex,
}

impl QueryRegexpMatch {
    pub(super) fn new(key: &[u8], value: Regex) -> Self {
        Self {
            key: key.into(),
            value,
        }
    }

    pub(super) fn matches(&self, query: Option<&[u8]>) -> bool {
        query.is_some_and(|query| query::any(query, &self.key, |value| self.value.is_match(value)))
    }
}

/// The `Query` of v2: the first value of the key fits a template.
#[derive(Clone, Debug)]
pub(crate) struct QueryTemplateMatch {
    key: Box<[u8]>,
    pair: Template,
}

impl QueryTemplateMatch {
    pub(super) fn new(key: &str, pair: Template) -> Self {
        Self {
            key: key.as_bytes().into(),
            pair,
        }
    }

    // Traefik: the template covers `key=value`, so braces in the key are compared with the key itself.
    pub(super) fn matches(&self, query: Option<&[u8]>) -> bool {
        let value = query.and_then(|query| query::first(query, &self.key));
        value.is_some_and(|value| self.pair.is_match(&[&self.key, &b"="[..], &value].concat()))
    }
}
