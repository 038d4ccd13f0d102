//! Project tasks: `cargo xtask <task>`.

mod bench;
mod crd;
mod demo;
mod oracle;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("bench") => bench::run(arguments.collect()),
        Some("crd") => crd::run(),
        Some("demo") => demo::run(arguments),
        Some("oracle") => oracle::run(arguments),
        Some(task) => anyhow::bail!("unknown task `{task}`; {TASKS}"),
        None => anyhow::bail!("no task given; {TASKS}"),
    }
}

const TASKS: &str = "tasks: bench (compare with other proxies), crd (write deploy/crds from the types), demo (run the quickstart), oracle (compare with Traefik)";
