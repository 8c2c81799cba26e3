//! Lines that are of no use to the store, kept for people to look at, up to a limit.

use std::io;

use model::limits::BACKLOG_ASIDE_BYTES;

use super::files::Home;

/// A file of such lines.
#[derive(Debug)]
pub(super) struct Aside {
    pub(super) name: &'static str,
    pub(super) bytes: u64,
}

impl Aside {
    pub(super) fn open(home: &Home, name: &'static str) -> io::Result<Self> {
        let bytes = home.read(name)?.len() as u64;
        Ok(Self { name, bytes })
    }

    /// Appends them where they have room, of which `room` is left in all; else they are gone.
    pub(super) fn put(&mut self, home: &mut Home, lines: &[u8], room: u64) -> io::Result<()> {
        let length = lines.len() as u64;
        if length == 0 || length > room.min(BACKLOG_ASIDE_BYTES.saturating_sub(self.bytes)) {
            return Ok(());
        }
        home.append(self.name, self.bytes, lines)?;
        self.bytes += length;
        Ok(())
    }
}
