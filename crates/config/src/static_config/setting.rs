//! Options out of the command line and the environment.

use super::options::Options;
use crate::node::{Node, Value};

/// One option as it was given: where it stands in the tree, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    /// As the user wrote it: `--entryPoints.web.address`, `TRAEFIK_LOG_LEVEL`.
    pub(super) name: String,
    segments: Vec<String>,
    value: String,
}

/// What the command line holds.
#[derive(Debug, Default)]
pub(super) struct Flags {
    pub(super) settings: Vec<Setting>,
    pub(super) config_file: Option<String>,
    /// What is neither an option nor its value, and why.
    pub(super) problems: Vec<(String, String)>,
}

const CONFIG_FILE: &str = "configfile";

impl Flags {
    /// Reads `--name=value`, `--name value` and, for switches, `--name`; one dash will do.
    pub(super) fn parse(args: &[String], options: &Options) -> Self {
        let mut flags = Self::default();
        let mut args = args.iter().peekable();
        while let Some(arg) = args.next() {
            let Some(name) = flag_name(arg) else {
                flags.refuse(arg, "expected an option, such as `--api`");
                continue;
            };
            let (name, value) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            };
            let segments = segments(name);
            let is_switch = find(options, &segments).is_some_and(Options::is_switch);
            let value = match value {
                Some(value) => value,
                None if is_switch => "true".to_owned(),
                None => match args.next_if(|next| flag_name(next).is_none()) {
                    Some(value) => value.clone(),
                    // Traefik: an option that nobody knows is refused later, by its name.
                    None if find(options, &segments).is_none() => "true".to_owned(),
                    None => {
                        flags.refuse(arg, "a value is missing");
                        continue;
                    }
                },
            };
            if name.eq_ignore_ascii_case(CONFIG_FILE) {
                flags.config_file = Some(value);
            } else {
                flags.settings.push(Setting {
                    name: format!("--{name}"),
                    segments,
                    value,
                });
            }
        }
        flags
    }

    fn refuse(&mut self, arg: &str, problem: &str) {
        self.problems.push((arg.to_owned(), problem.to_owned()));
    }
}

fn flag_name(arg: &str) -> Option<&str> {
    let name = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-'))?;
    (!name.is_empty() && !name.starts_with(['-', '='])).then_some(name)
}

/// `a.b[0].c` as `a`, `b`, `0`, `c`.
fn segments(name: &str) -> Vec<String> {
    name.split('.')
        .flat_map(|segment| segment.split('['))
        .map(|segment| segment.strip_suffix(']').unwrap_or(segment).to_owned())
        .collect()
}

fn find<'o>(options: &'o Options, segments: &[String]) -> Option<&'o Options> {
    segments
        .iter()
        .try_fold(options, |option, segment| option.child(segment))
}

const PREFIX: &str = "TRAEFIK_";

/// The options in the environment: `TRAEFIK_ENTRYPOINTS_WEB_ADDRESS=:80`.
///
/// Traefik: variables whose first word is no option are not for it; clusters set many such.
pub(super) fn from_environment(env: &[(String, String)], options: &Options) -> Vec<Setting> {
    let mut settings: Vec<Setting> = env
        .iter()
        .filter_map(|(name, value)| {
            let segments: Vec<String> = name
                .strip_prefix(PREFIX)?
                .to_lowercase()
                .split('_')
                .map(str::to_owned)
                .collect();
            options.child(segments.first()?)?;
            let is_switch = find(options, &segments).is_some_and(Options::is_switch);
            let value = match value.as_str() {
                "" if is_switch => "true".to_owned(),
                value => value.to_owned(),
            };
            Some(Setting {
                name: name.clone(),
                segments,
                value,
            })
        })
        .collect();
    settings.sort_by(|a, b| a.name.cmp(&b.name));
    settings
}

/// The settings as a tree, in which the line of a node is the position of its setting.
///
/// Of settings for one place the last counts; names keep the case in which they come first.
pub(super) fn tree(settings: &[Setting]) -> Node {
    let mut root = Node::new(Value::Map(Vec::new()), 0);
    for (line, setting) in (1..).zip(settings) {
        insert(&mut root, &setting.segments, &setting.value, line);
    }
    root
}

fn insert(node: &mut Node, segments: &[String], value: &str, line: usize) {
    let Some((first, rest)) = segments.split_first() else {
        // `--api` beside `--api.insecure` says nothing new.
        if !matches!(node.value, Value::Map(_)) {
            *node = Node::text(value, line);
        }
        return;
    };
    if !matches!(node.value, Value::Map(_)) {
        *node = Node::new(Value::Map(Vec::new()), line);
    }
    let Value::Map(entries) = &mut node.value else {
        return;
    };
    let position = entries
        .iter()
        .position(|(name, _)| name.eq_ignore_ascii_case(first));
    let position = position.unwrap_or_else(|| {
        entries.push((first.clone(), Node::new(Value::Null, line)));
        entries.len() - 1
    });
    insert(&mut entries[position].1, rest, value, line);
}
