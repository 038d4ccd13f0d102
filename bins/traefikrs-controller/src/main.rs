//! The control half of traefikrs: Kubernetes objects in, Traefik's dynamic configuration out.

use std::process::ExitCode;

mod app;
mod args;

fn main() -> ExitCode {
    let args = match args::parse(std::env::args_os()) {
        Ok(args) => args,
        Err(error) => error.exit(),
    };
    match app::run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            app::complain(&error);
            ExitCode::from(2)
        }
    }
}
