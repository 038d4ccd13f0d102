//! Kubernetes objects out of files.

use serde_json::Value;

mod json;

/// One object out of a file, or why one could not be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The line on which its document starts, counted from 1.
    pub line: usize,
    /// The object; for a `List`, one of its items.
    pub object: Result<Value, SyntaxError>,
}

/// Says where and why a document is not YAML or not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct SyntaxError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

/// Which objects does a manifest hold? One entry per object, in the order of the text.
///
/// Takes YAML with any number of documents, or JSON; the items of a `List` become objects of their
/// own. A document that does not parse is one error entry: those around it are read all the same.
/// Empty documents and those of comments only are passed over.
///
/// ```
/// use traefikrs_k8s_translate::manifest::documents;
///
/// let text = "kind: Service\n---\nkind: [\n---\nkind: List\nitems: [{kind: Secret}, {kind: Node}]\n";
/// let kinds: Vec<_> = documents(text).map(|document| document.object.map(|object| object["kind"].clone()).ok()).collect();
/// assert_eq!(kinds, [Some("Service".into()), None, Some("Secret".into()), Some("Node".into())]);
/// ```
pub fn documents(text: &str) -> impl Iterator<Item = Document> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    json::documents(text)
        .unwrap_or_else(|| yaml_documents(text))
        .into_iter()
        .flat_map(|Document { line, object }| match object {
            Ok(object) => unpack(object)
                .into_iter()
                .map(|object| Document {
                    line,
                    object: Ok(object),
                })
                .collect(),
            Err(error) => vec![Document {
                line,
                object: Err(error),
            }],
        })
}

/// The items of a `List`, also of one kind (`ServiceList`), or the object itself.
fn unpack(object: Value) -> Vec<Value> {
    let is_list = object["kind"]
        .as_str()
        .is_some_and(|kind| kind.ends_with("List"));
    match object {
        Value::Object(mut list) if is_list && list.get("items").is_some_and(Value::is_array) => {
            match list.remove("items") {
                Some(Value::Array(items)) => items.into_iter().flat_map(unpack).collect(),
                _ => Vec::new(),
            }
        }
        other => vec![other],
    }
}

fn yaml_documents(text: &str) -> Vec<Document> {
    segments(text)
        .into_iter()
        .filter_map(|(first_line, segment)| {
            let content = segment
                .lines()
                .position(|line| !is_blank(line.strip_prefix("---").unwrap_or(line)))?;
            let line = first_line + content;
            let object = match yaml(&segment, first_line) {
                Ok(Value::Null) => return None,
                other => other,
            };
            Some(Document { line, object })
        })
        .collect()
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with(['#', '%'])
}

/// Cuts the text at its document markers: a line that starts with `---` or `...` is one even inside
/// a quoted or block scalar, so no parser is needed, and an error in one document stays there.
fn segments(text: &str) -> Vec<(usize, String)> {
    let mut segments = Vec::new();
    let mut current = (1, String::new());
    for (number, line) in (1..).zip(text.lines()) {
        let ends = is_marker(line, "...");
        if ends || is_marker(line, "---") {
            segments.push(std::mem::take(&mut current));
            current.0 = number;
        }
        // A directive (`%YAML 1.2`) belongs to the marker after it and says nothing of use.
        let is_directive = line.starts_with('%') && current.1.trim().is_empty();
        if !ends && !is_directive {
            current.1.push_str(line);
        }
        current.1.push('\n');
    }
    segments.push(current);
    segments
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r']))
}

fn yaml(segment: &str, first_line: usize) -> Result<Value, SyntaxError> {
    let syntax_error = |error: &serde_yaml::Error| {
        let line = error.location().map_or(1, |location| location.line());
        SyntaxError {
            line: first_line + line.saturating_sub(1),
            problem: without_location(&error.to_string()),
        }
    };
    let mut value: serde_yaml::Value =
        serde_yaml::from_str(segment).map_err(|error| syntax_error(&error))?;
    value.apply_merge().map_err(|error| syntax_error(&error))?;
    json::from_yaml(value).map_err(|problem| SyntaxError {
        line: first_line,
        problem,
    })
}

/// The library counts lines from the start of the document, we from the start of the file.
fn without_location(message: &str) -> String {
    match message.rfind(" at line ") {
        Some(at) => message[..at].to_owned(),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::documents;

    fn check(text: &str, expected: &[(usize, Result<&str, usize>)]) {
        let found: Vec<_> = documents(text)
            .map(|document| {
                let object = document.object.map(|object| object.to_string());
                (document.line, object.map_err(|error| error.line))
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(line, object)| (*line, object.map(str::to_owned)))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn each_document_knows_its_first_line() {
        check(
            "# a\na: 1\n--- # b\n\nb: 2\n---\n# nothing\n---\nc: 3\n...\n",
            &[
                (2, Ok(r#"{"a":1}"#)),
                (5, Ok(r#"{"b":2}"#)),
                (9, Ok(r#"{"c":3}"#)),
            ],
        );
        check("", &[]);
        check("---\n---\n", &[]);
        check("--- {a: 1}\n", &[(1, Ok(r#"{"a":1}"#))]);
        check("%YAML 1.2\n---\na: 1\n", &[(3, Ok(r#"{"a":1}"#))]);
        check(
            "\u{feff}a: 1\r\n---\r\nb: 2\r\n",
            &[(1, Ok(r#"{"a":1}"#)), (3, Ok(r#"{"b":2}"#))],
        );
    }

    #[test]
    fn a_broken_document_leaves_its_neighbours_alone() {
        check(
            "a: 1\n---\nb:\n  - [\n---\nc: 3\n",
            &[(1, Ok(r#"{"a":1}"#)), (3, Err(5)), (6, Ok(r#"{"c":3}"#))],
        );
        check("a: 1\na: 2\n", &[(1, Err(1))]);
    }

    #[test]
    fn lists_fall_apart_into_their_items() {
        check(
            "kind: List\nitems:\n- kind: ServiceList\n  items: [{a: 1}]\n- {b: 2}\n",
            &[(1, Ok(r#"{"a":1}"#)), (1, Ok(r#"{"b":2}"#))],
        );
    }

    #[test]
    fn merge_keys_are_applied_and_keys_become_text() {
        check(
            "base: &base {x: 1}\nother:\n  <<: *base\n  80: y\n",
            &[(1, Ok(r#"{"base":{"x":1},"other":{"80":"y","x":1}}"#))],
        );
    }

    #[test]
    fn json_is_read_as_such() {
        check(
            "{\"a\":\t1}\n{\"b\": 2}",
            &[(1, Ok(r#"{"a":1}"#)), (2, Ok(r#"{"b":2}"#))],
        );
        check("{\"a\": 1,\n\"b\" 2}", &[(1, Err(2))]);
        check("{a: 1}", &[(1, Ok(r#"{"a":1}"#))]);
    }

    #[test]
    fn deep_nesting_and_alias_bombs_are_errors() {
        let deep = "[".repeat(50_000);
        assert!(documents(&deep).all(|document| document.object.is_err()));
        let mut bomb = String::from("a0: &a0 [x]\n");
        for level in 1..30 {
            let previous = level - 1;
            bomb.push_str(&format!(
                "a{level}: &a{level} [*a{previous}, *a{previous}, *a{previous}]\n"
            ));
        }
        assert!(documents(&bomb).all(|document| document.object.is_err()));
    }
}
