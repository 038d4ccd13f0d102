//! The traefikrs proxy: `traefikrs-proxy --configFile=traefik.yml`.

use std::process::ExitCode;

mod app;
mod args;
mod control;
mod entry_point;
mod log;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match args::parse() {
        args::Call::Run(loaded) => app::run(&loaded),
        args::Call::Answered(code) => code,
    }
}
