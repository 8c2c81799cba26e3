//! The floor: what the kernel's share of a scenario costs without any server.
//!
//! A child process on the hub's core has one thread and one epoll, allocates nothing while it runs, and writes one
//! ready-made frame of the hub's size per socket and event; an event is a message of the hub's size on a member's
//! socket. The same schedule drives it over as many connections in as many channels, and each event names how many
//! members get the frame: as many as are shown the change by the hub.

mod members;
mod writer;

use std::process::Command;

use anyhow::Context;

use crate::process::Pinned;

pub(crate) use members::{Members, Seat};
pub(crate) use writer::Writer;

/// The hidden subcommand under which the writer runs.
pub(crate) const SUBCOMMAND: &str = "floor-writer";
/// Bytes with which a socket says which seat it takes: channel and place, little-endian.
const SEAT_BYTES: usize = 8;

/// Bytes of what is sent either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args)]
pub(crate) struct Sizes {
    /// Of a message that is an event
    #[arg(long)]
    pub(crate) message: usize,
    /// Of the frame that is written
    #[arg(long)]
    pub(crate) frame: usize,
}

/// Starts the writer on a core.
///
/// # Errors
/// This program cannot be started again.
pub(crate) fn start(sizes: Sizes, core: Option<usize>) -> anyhow::Result<(Pinned, std::net::SocketAddr)> {
    let mut command = Command::new(std::env::current_exe().context("this program's own path")?);
    command.arg(SUBCOMMAND);
    command.args(["--message", &sizes.message.to_string(), "--frame", &sizes.frame.to_string()]);
    let child = Pinned::start(command, core, 1).context("the floor's writer")?;
    let address = child.greeting().parse().context("the writer's first line is its address")?;
    Ok((child, address))
}
