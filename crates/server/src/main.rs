//! The binary `presence-hub`.

use std::{io, process::ExitCode};

use clap::Parser;
use server::{
    auth,
    cli::{Cli, Command, DirectoryCommand},
    commands,
};

/// glibc's allocator leaves ever more holes between what lives for days: ADR 13.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    auth::install_crypto();
    let out = &mut io::stdout().lock();
    let done = match Cli::parse().command {
        Command::Serve(args) => commands::serve(&args, out),
        Command::Migrate(args) => commands::migrate(&args, out),
        Command::Directory(args) => match args.command {
            DirectoryCommand::Import(args) => commands::import(&args, out),
        },
        Command::Jobs(args) => commands::jobs(&args, out),
        Command::Demo(args) => commands::demo(&args, out),
        Command::Watch(args) => commands::watch(&args, out),
        Command::CheckConfig(args) => commands::check_config(&args, out),
        Command::Token(args) => commands::token(&args, out),
        Command::Openapi => commands::openapi(out),
    };
    match done.map_err(anyhow::Error::from) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use io::Write;
            let _ = writeln!(io::stderr(), "presence-hub: {error:#}");
            ExitCode::FAILURE
        }
    }
}
