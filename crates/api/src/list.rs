//! Lists: search, filter, sort, page.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

use crate::element::Element;

/// The query of a list request.
///
/// Traefik: a number that does not parse counts as 0, which is refused.
#[derive(Debug, Default)]
pub(crate) struct Query {
    search: String,
    status: String,
    service_name: String,
    middleware_name: String,
    sort_by: String,
    descending: bool,
    page: Option<i64>,
    per_page: Option<i64>,
}

/// One page, and the number of the next; 1 when there is none.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) elements: Vec<Value>,
    pub(crate) next: usize,
}

#[derive(Debug)]
pub(crate) struct InvalidRequest(String);

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid request: {}", self.0)
    }
}

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        let mut query = Self::default();
        for part in text.split('&') {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.replace('+', " ");
            let value = percent_encoding::percent_decode_str(&value)
                .decode_utf8_lossy()
                .into_owned();
            let number = (!value.is_empty()).then(|| value.parse().unwrap_or(0));
            match key {
                "search" => query.search = value.to_lowercase(),
                "status" => query.status = value.to_lowercase(),
                "serviceName" => query.service_name = value,
                "middlewareName" => query.middleware_name = value,
                "sortBy" => query.sort_by = value,
                "direction" => query.descending = value == "desc",
                "page" => query.page = number,
                "per_page" => query.per_page = number,
                _ => {}
            }
        }
        query
    }

    pub(crate) fn select(&self, mut elements: Vec<Element>) -> Result<Page, InvalidRequest> {
        elements.retain(|element| self.keeps(element));
        elements.sort_by(|a, b| self.order(a, b));
        let elements = elements.into_iter().map(|element| element.json).collect();
        self.page(elements)
    }

    pub(crate) fn select_values(&self, values: &[Value]) -> Result<Page, InvalidRequest> {
        self.page(values.to_vec())
    }

    fn keeps(&self, element: &Element) -> bool {
        let contains = |text: &str| text.to_lowercase().contains(&self.search);
        let status = format!("{:?}", element.status).to_lowercase();
        (self.search.is_empty() || contains(&element.name) || contains(&element.rule))
            && (self.status.is_empty() || self.status == status)
            && (self.service_name.is_empty()
                || element
                    .service
                    .as_ref()
                    .is_some_and(|(written, qualified)| {
                        [written, qualified].contains(&&self.service_name)
                    }))
            && (self.middleware_name.is_empty()
                || element.middlewares.contains(&self.middleware_name))
    }

    fn order(&self, a: &Element, b: &Element) -> Ordering {
        let field = match self.sort_by.as_str() {
            field @ ("provider" | "priority" | "status" | "rule" | "service" | "entryPoints"
            | "type") => field,
            _ => "name",
        };
        let order = compare(&a.json[field], &b.json[field]).then_with(|| a.name.cmp(&b.name));
        if self.descending {
            order.reverse()
        } else {
            order
        }
    }

    fn page(&self, mut elements: Vec<Value>) -> Result<Page, InvalidRequest> {
        let number = |name, given: Option<i64>, default: usize| match given {
            None => Ok(default),
            Some(number) if number > 0 => Ok(usize::try_from(number).unwrap_or(usize::MAX)),
            Some(number) => Err(InvalidRequest(format!("{name}: {number}"))),
        };
        let page = number("page", self.page, 1)?;
        let per_page = number("per_page", self.per_page, 100)?;
        let start = (page - 1).saturating_mul(per_page);
        if start > 0 && start >= elements.len() {
            return Err(InvalidRequest(format!(
                "page: {page}, per_page: {per_page}"
            )));
        }
        let end = start.saturating_add(per_page);
        let next = if end < elements.len() { page + 1 } else { 1 };
        elements.truncate(end);
        elements.drain(..start);
        Ok(Page { elements, next })
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_i64().cmp(&b.as_i64()),
        (Value::Array(_), _) | (_, Value::Array(_)) => a.to_string().cmp(&b.to_string()),
        // What is left out is an empty text.
        (a, b) => a
            .as_str()
            .unwrap_or_default()
            .cmp(b.as_str().unwrap_or_default()),
    }
}
