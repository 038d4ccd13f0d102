//! `cargo xtask oracle`: Traefik and we, asked the same odd things.
//!
//! Both proxies run the same configuration before servers that write down what reaches them.
//! Whatever differs in what a client hears or a server sees is a finding, unless the list of accepted
//! differences knows it. See `docs/testing.md`.

mod accepted;
mod answers;
mod arguments;
mod backend;
mod cases;
mod client;
mod configuration;
mod facts;
mod generate;
mod http2;
mod latin1;
mod ledger;
mod report;
mod shares;
mod shrink;
mod side;
mod sticky;
mod tls;
mod traefik;
mod trial;
mod wire;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};

use self::accepted::Accepted;
use self::answers::Plans;
use self::arguments::Arguments;
use self::backend::Means;
use self::configuration::{Configuration, Version};
use self::facts::Alike;
use self::generate::{Conversation, Language, Name, Oddities};
use self::report::Row;
use self::side::Side;
use self::tls::Authority;
use self::trial::Trial;

pub(crate) fn run(words: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let arguments = Arguments::parse(words)?;
    let directory = target().join("oracle");
    let configurations =
        configuration::read(&data().join("configurations"), &arguments.configurations)?;
    let accepted = if arguments.self_check {
        Accepted::default()
    } else {
        Accepted::read(&data().join("accepted.toml"))?
    };
    check_anchors(&accepted)?;
    let means = Arc::new(Means {
        plans: Plans::read(&data().join("answers.toml"))?,
        http2_plans: http2::Plans::read(&data().join("http2-answers.toml"))?,
        authority: Authority::new()?,
    });
    let oddities = Oddities::read(&data().join("oddities.toml"))?;
    let (names, binaries) = contestants(&arguments, &directory)?;
    let sides = side::sides(names, binaries, &means)?;
    let runs = directory.join("runs");
    means.authority.write_roots(&runs)?;
    let mut rows = Vec::new();
    for configuration in &configurations {
        let language = Language {
            vocabulary: &configuration.requests.vocabulary,
            oddities: &oddities,
            plans: match configuration.requests.answers {
                Version::Http1 => means.plans.names(),
                Version::Http2 => means.http2_plans.names(),
            },
        };
        let conversations = conversations(&arguments, configuration, &language)?;
        let row = run_one(&sides, configuration, &conversations, &accepted, &runs)?;
        say(&report::findings(&row, &arguments, names));
        rows.push(row);
    }
    say(&report::summary(&rows));
    if arguments.entries {
        say(&report::entries(&accepted.applied()));
    }
    conclude(&arguments, &rows, &accepted)
}

fn run_one(
    sides: &[Side; 2],
    configuration: &Configuration,
    conversations: &[Conversation],
    accepted: &Accepted,
    runs: &Path,
) -> anyhow::Result<Row> {
    let proxies = side::start(sides, configuration, runs)?;
    thread::sleep(Duration::from_millis(configuration.requests.warm_ms));
    let shares = &configuration.requests.either;
    let mut alike = side::texts_alike(sides);
    for shares in shares {
        let servers = shares.servers.iter();
        alike.extend(servers.map(|server| (server.clone(), "(either)".to_owned())));
    }
    let trial = Trial {
        configuration: &configuration.name,
        sides,
        proxies: &proxies,
        alike: Alike(alike),
        settling: Duration::from_millis(configuration.requests.settle_ms),
        converse: match configuration.requests.clients {
            Version::Http1 => client::converse,
            Version::Http2 => http2::converse,
        },
        workers: configuration.requests.workers,
        accepted,
    };
    if let [conversation] = conversations {
        let facts = trial.observe(conversation);
        let differences = trial.explained(conversation, &facts);
        say(&report::transcript(
            conversation,
            sides,
            &facts,
            &differences,
        ));
    }
    Ok(Row {
        configuration: configuration.name.clone(),
        requests: conversations
            .iter()
            .map(|conversation| conversation.exchanges.len())
            .sum(),
        outcome: trial.run(conversations, shares),
    })
}

fn conversations(
    arguments: &Arguments,
    configuration: &Configuration,
    language: &Language<'_>,
) -> anyhow::Result<Vec<Conversation>> {
    let of_index =
        |index| generate::conversation(arguments.seed, &configuration.name, index, language);
    let mut cases = (0..)
        .zip(&configuration.cases)
        .map(|(number, case)| case.conversation(&configuration.name, number));
    match arguments.one {
        Some(Name::Made(index)) => return Ok(vec![of_index(index)]),
        Some(Name::Case(number)) => {
            let case = cases
                .nth(number)
                .with_context(|| format!("{} has no case {number}", configuration.name))?;
            return Ok(vec![case]);
        }
        None => {}
    }
    let mut requests = 0;
    let made = (0..).map(of_index).take_while(|conversation| {
        let wanted = requests < arguments.requests;
        requests += conversation.exchanges.len();
        wanted
    });
    Ok(cases.chain(made).collect())
}

fn conclude(arguments: &Arguments, rows: &[Row], accepted: &Accepted) -> anyhow::Result<()> {
    let unexplained: usize = rows.iter().map(Row::unexplained).sum();
    let idle = if arguments.is_full() {
        accepted.idle()
    } else {
        Vec::new()
    };
    for entry in &idle {
        say(&format!("accepted, yet it never occurs: {entry}\n"));
    }
    match (unexplained, idle.len()) {
        (0, 0) => Ok(()),
        (0, idle) => bail!("{idle} entries of the accepted list apply to nothing"),
        (unexplained, _) => bail!("{unexplained} differences that nobody accepted"),
    }
}

/// Both sides' names and programs, Traefik first.
fn contestants(
    arguments: &Arguments,
    directory: &Path,
) -> anyhow::Result<([&'static str; 2], [PathBuf; 2])> {
    let traefik = traefik::find(directory)?;
    if arguments.self_check {
        return Ok((["traefik", "traefik-again"], [traefik.clone(), traefik]));
    }
    let ours = match &arguments.proxy {
        Some(proxy) => proxy.clone(),
        None => crate::demo::build_proxy()?,
    };
    Ok((["traefik", "traefikrs"], [traefik, ours]))
}

/// Every accepted difference is told to users, too.
fn check_anchors(accepted: &Accepted) -> anyhow::Result<()> {
    if accepted.is_empty() {
        return Ok(());
    }
    let path = data().join("../../docs/compatibility.md");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    match accepted.without_section(&text).as_slice() {
        [] => Ok(()),
        missing => bail!(
            "docs/compatibility.md has no section {}",
            missing.join(", ")
        ),
    }
}

/// The files that belong to this task.
fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle")
}

fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => target.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
    }
}

#[expect(clippy::print_stdout, reason = "the findings are for a person")]
fn say(text: &str) {
    print!("{text}");
}
