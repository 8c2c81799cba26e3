//! A process that outlives us for a moment and clears away what we left.
//!
//! Its standard input is a pipe that only we hold. However we end, the kernel closes it: then the script goes on.

use std::{
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

/// Ends the server of a directory, frozen or not, and removes the directory.
///
/// A server is known by the directory it works in, so that the number of a dead process, given to another since, does
/// no harm. It is asked first: a killed server leaves shared memory behind.
const END_SERVER: &str = r#"
trap '' INT TERM HUP
read -r _
cd /
data="$1/data"
server=$(head -n 1 "$data/postmaster.pid" 2>/dev/null)
lives() { [ -n "$server" ] && [ "$(readlink "/proc/$server/cwd")" = "$data" ]; }
family() { echo "$server"; grep -ls "^PPid:[[:space:]]*$server\$" /proc/[0-9]*/status | cut -d/ -f3; }
if lives; then
  all=$(family)
  kill -QUIT $server
  kill -CONT $all
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do lives && sleep 0.1; done
  lives && kill -KILL $all
fi
rm -rf "$1"
"#;

/// Hands a text to a program once we are gone.
const SAY: &str = r#"
trap '' INT TERM HUP
read -r _
printf '%s\n' "$2" | "$1" -X -q -d "$KEEPER_URL" -f -
"#;

/// The watching process. Dropped, it does its work, and is waited for.
#[derive(Debug)]
pub(crate) struct Keeper(Child);

impl Keeper {
    /// Ends the server of this directory, and removes it.
    pub(crate) fn of_server(home: &str) -> Self {
        Self::watching(Command::new("sh").args(["-c", END_SERVER, "keeper", home]))
    }

    /// Says this to the server at `url`.
    pub(crate) fn saying(psql: &str, url: &str, sql: &str) -> Self {
        Self::watching(Command::new("sh").args(["-c", SAY, "keeper", psql, sql]).env("KEEPER_URL", url))
    }

    fn watching(command: &mut Command) -> Self {
        // A group of its own: what interrupts the tests in a terminal must not interrupt the clearing away.
        let command =
            command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("a shell"))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It fails only where somebody else waited for it.
        let _ = self.0.wait();
    }
}
