use http::Method;
use traefikrs_goregexp::Regex;
use traefikrs_rule::{Argument, Call, Expr, ExprKind, Function, Rule, Syntax};

use super::error::{Failure, MatcherError, MatcherErrorKind, RegexpError};
use super::header::{HeaderMatch, HeaderRegexpMatch};
use super::host::{HostMatch, HostRegexpMatch, NameMatch};
use super::query::{QueryMatch, QueryRegexpMatch, QueryTemplateMatch};
use super::template::{Kind, Template};
use super::{Matcher, Node, Predicate};
use crate::client_ip::IpRange;
use crate::quote::quoted;

impl Matcher {
    /// Compiles a rule.
    ///
    /// Arguments are checked here too, so that the first call with a problem is the one reported, whatever the problem.
    ///
    /// # Errors
    /// A call has a wrong number of arguments or one that means nothing to its function.
    pub fn new(rule: &Rule) -> Result<Self, MatcherError> {
        let node = compile(&rule.expr().normal_form(), rule.syntax())
            .map_err(|failure| failure.into_error(rule))?;
        Ok(Self { node })
    }
}

fn compile(expr: &Expr, syntax: Syntax) -> Result<Node, Failure> {
    match expr.kind() {
        ExprKind::And(operands) => compile_all(operands, "and", syntax).map(Node::All),
        ExprKind::Or(operands) => compile_all(operands, "or", syntax).map(Node::Any),
        ExprKind::Not(operand) => compile(operand, syntax).map(|node| Node::Not(Box::new(node))),
        ExprKind::Call(call) => {
            let failed = |kind| Failure::new(kind, call.span());
            call.check(syntax)
                .map_err(MatcherErrorKind::Arguments)
                .map_err(failed)?;
            match syntax {
                Syntax::V3 => v3(call).map(Node::One),
                Syntax::V2 => v2(call),
            }
            .map_err(failed)
        }
    }
}

fn compile_all(operands: &[Expr], operator: &str, syntax: Syntax) -> Result<Box<[Node]>, Failure> {
    let compiled = operands.iter().enumerate().map(|(index, operand)| {
        compile(operand, syntax).map_err(|failure| failure.below(operator, index, operands.len()))
    });
    compiled.collect()
}

fn v3(call: &Call) -> Result<Predicate, MatcherErrorKind> {
    let function = call.function();
    let (first, second) = first_two(call);
    Ok(match function {
        Function::ClientIp => Predicate::ClientIp(range(
            first,
            "initializing IP checker for ClientIP matcher",
        )?),
        Function::Host => Predicate::Host(HostMatch::new(ascii(function, function.name(), first)?)),
        Function::HostRegexp => {
            ascii(function, function.name(), first)?;
            Predicate::HostRegexp(Box::new(HostRegexpMatch::new(regexp(
                function,
                "compiling HostRegexp matcher: ",
                first,
            )?)))
        }
        Function::Method => Predicate::Method(method(first)),
        Function::Path => Predicate::Path(path(function, first)?),
        Function::PathPrefix => Predicate::PathPrefix(path(function, first)?),
        // Traefik: the message names the wrong matcher.
        Function::PathRegexp => Predicate::PathRegexp(Box::new(regexp(
            function,
            "compiling PathPrefix matcher: ",
            first,
        )?)),
        Function::Header => {
            Predicate::Header(Box::new(HeaderMatch::new(first.as_bytes(), bytes(second))))
        }
        Function::HeaderRegexp => {
            let value = regexp(
                function,
                "compiling HeaderRegexp matcher: ",
                second.unwrap_or(first),
            )?;
            Predicate::HeaderRegexp(Box::new(HeaderRegexpMatch::new(first.as_bytes(), value)))
        }
        Function::Query => {
            Predicate::Query(Box::new(QueryMatch::new(first.as_bytes(), bytes(second))))
        }
        Function::QueryRegexp => match second {
            Some(pattern) => {
                let value = regexp(function, "compiling QueryRegexp matcher: ", pattern)?;
                Predicate::QueryRegexp(Box::new(QueryRegexpMatch::new(first.as_bytes(), value)))
            }
            None => Predicate::Query(Box::new(QueryMatch::new(first.as_bytes(), b""))),
        },
        Function::Headers | Function::HeadersRegexp | Function::HostHeader => {
            unreachable!("not a function of v3")
        }
    })
}

fn v2(call: &Call) -> Result<Node, MatcherErrorKind> {
    let function = call.function();
    match function {
        Function::ClientIp => any(call, |argument| {
            range(
                argument,
                "could not initialize IP Checker for \"ClientIP\" matcher",
            )
            .map(Predicate::ClientIp)
        }),
        Function::Host | Function::HostHeader => any(call, |argument| {
            ascii(function, "\"Host\"", argument)
                .map(|host| Predicate::HostName(NameMatch::new(host)))
        }),
        Function::HostRegexp => any(call, |argument| {
            ascii(function, function.name(), argument)?;
            template(function, Kind::Host, argument)
                .map(|template| Predicate::HostTemplate(Box::new(template)))
        }),
        Function::Path => any(call, |argument| {
            template(function, Kind::Path, argument)
                .map(|template| Predicate::PathTemplate(Box::new(template)))
        }),
        Function::PathPrefix => any(call, |argument| {
            template(function, Kind::PathPrefix, argument)
                .map(|template| Predicate::PathTemplate(Box::new(template)))
        }),
        Function::Method => any(call, |argument| Ok(Predicate::Method(method(argument)))),
        Function::Headers => all(header_pairs(call).map(|(name, value)| {
            Ok(Predicate::Header(Box::new(HeaderMatch::new(
                name.as_bytes(),
                value.as_bytes(),
            ))))
        })),
        Function::HeadersRegexp => all(header_pairs(call).map(|(name, value)| {
            let value = regexp(function, "", value)?;
            Ok(Predicate::HeaderRegexp(Box::new(HeaderRegexpMatch::new(
                name.as_bytes(),
                value,
            ))))
        })),
        Function::Query => all(query_pairs(call)?.chunks(2).map(|pair| {
            let [key, value] = pair else {
                unreachable!("the number of pieces was checked")
            };
            let pair = Template::new(Kind::Query, &format!("{key}={value}"))
                .map_err(|source| MatcherErrorKind::Template { function, source })?;
            Ok(Predicate::QueryTemplate(Box::new(QueryTemplateMatch::new(
                key, pair,
            ))))
        })),
        Function::Header
        | Function::HeaderRegexp
        | Function::PathRegexp
        | Function::QueryRegexp => {
            unreachable!("not a function of v2")
        }
    }
}

fn any(
    call: &Call,
    predicate: impl Fn(&Argument) -> Result<Predicate, MatcherErrorKind>,
) -> Result<Node, MatcherErrorKind> {
    let nodes: Box<[Node]> = call
        .arguments()
        .iter()
        .map(|argument| predicate(argument).map(Node::One))
        .collect::<Result<_, _>>()?;
    Ok(single(nodes).unwrap_or_else(Node::Any))
}

fn all(
    predicates: impl Iterator<Item = Result<Predicate, MatcherErrorKind>>,
) -> Result<Node, MatcherErrorKind> {
    let nodes: Box<[Node]> = predicates
        .map(|predicate| predicate.map(Node::One))
        .collect::<Result<_, _>>()?;
    Ok(single(nodes).unwrap_or_else(Node::All))
}

/// Returns the only node, or the nodes back.
fn single(nodes: Box<[Node]>) -> Result<Node, Box<[Node]>> {
    <Box<[Node; 1]>>::try_from(nodes).map(|only| {
        let [only] = *only;
        only
    })
}

/// Pairs names with values.
// Traefik: it keeps the pairs in a map by the name as written, so of one spelling only the last counts.
fn header_pairs(call: &Call) -> impl Iterator<Item = (&Argument, &Argument)> {
    let pairs: Vec<_> = call
        .arguments()
        .chunks(2)
        .filter_map(|pair| Some((pair.first()?, pair.get(1)?)))
        .collect();
    let last_of_its_name = |index: usize| {
        pairs[index + 1..]
            .iter()
            .all(|(name, _)| name != &pairs[index].0)
    };
    let kept: Vec<_> = (0..pairs.len())
        .filter(|&index| last_of_its_name(index))
        .map(|index| pairs[index])
        .collect();
    kept.into_iter()
}

/// Splits the arguments at their first `=`; keys and values in turn.
fn query_pairs(call: &Call) -> Result<Vec<&str>, MatcherErrorKind> {
    let mut pieces = Vec::new();
    for argument in call.arguments() {
        pieces.extend(text(call.function(), argument)?.splitn(2, '='));
    }
    Ok(pieces)
}

fn first_two(call: &Call) -> (&Argument, Option<&Argument>) {
    let first = call
        .arguments()
        .first()
        .expect("the number of arguments was checked");
    (first, call.arguments().get(1))
}

fn bytes(argument: Option<&Argument>) -> &[u8] {
    argument.map_or(b"", Argument::as_bytes)
}

fn method(argument: &Argument) -> Option<Method> {
    Method::from_bytes(argument.to_text().to_uppercase().as_bytes()).ok()
}

fn ascii<'c>(
    function: Function,
    shown: &'static str,
    argument: &'c Argument,
) -> Result<&'c str, MatcherErrorKind> {
    let value = argument.as_str().filter(|value| value.is_ascii());
    value.ok_or_else(|| MatcherErrorKind::NonAscii {
        function,
        shown,
        value: quoted(argument.as_bytes()),
    })
}

fn path(function: Function, argument: &Argument) -> Result<Box<[u8]>, MatcherErrorKind> {
    let path = argument.as_bytes();
    if path.starts_with(b"/") {
        Ok(path.into())
    } else {
        Err(MatcherErrorKind::Path {
            function,
            value: quoted(path),
        })
    }
}

fn range(argument: &Argument, attempt: &'static str) -> Result<IpRange, MatcherErrorKind> {
    argument
        .to_text()
        .parse()
        .map_err(|source| MatcherErrorKind::Range { attempt, source })
}

fn regexp(
    function: Function,
    attempt: &'static str,
    argument: &Argument,
) -> Result<Regex, MatcherErrorKind> {
    let compiled = match argument.as_str() {
        Some(pattern) => Regex::new(pattern).map_err(RegexpError::from),
        None => Err(RegexpError::NotText(from_bad_byte(argument.as_bytes()))),
    };
    compiled.map_err(|source| MatcherErrorKind::Regexp {
        function,
        attempt,
        source,
    })
}

fn template(
    function: Function,
    kind: Kind,
    argument: &Argument,
) -> Result<Template, MatcherErrorKind> {
    Template::new(kind, text(function, argument)?)
        .map_err(|source| MatcherErrorKind::Template { function, source })
}

// Traefik: the pattern made of a template is refused, where a group ends with the pattern.
fn text(function: Function, argument: &Argument) -> Result<&str, MatcherErrorKind> {
    argument.as_str().ok_or_else(|| {
        let rest = from_bad_byte(argument.as_bytes());
        let source =
            RegexpError::NotText(format!("{}$", rest.split('}').next().unwrap_or_default()));
        MatcherErrorKind::Regexp {
            function,
            attempt: "",
            source,
        }
    })
}

/// Returns what Go shows of a pattern that is not text: everything from the first bad byte on.
fn from_bad_byte(bytes: &[u8]) -> String {
    let valid = bytes
        .utf8_chunks()
        .next()
        .map_or(0, |chunk| chunk.valid().len());
    String::from_utf8_lossy(&bytes[valid..]).into_owned()
}
