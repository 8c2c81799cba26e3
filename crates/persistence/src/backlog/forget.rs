//! Takes all that is of some people out of all files.

use std::{collections::BTreeSet, io, ops::Range};

use model::UserId;

use super::{BacklogError, disk::Disk, files::Home, line::user_of, segment::Segment};

/// What is left of a file's lines.
struct Rest {
    lines: Vec<u8>,
    rows: u64,
}

impl Disk {
    /// Returns when nothing of those people is in any file, synced. What is damaged is theirs where an id of theirs is in
    /// it.
    pub(crate) fn forget(&mut self, users: &BTreeSet<UserId>) -> Result<(), BacklogError> {
        self.forget_all(users).map_err(|error| self.home.failed(error))
    }

    fn forget_all(&mut self, users: &BTreeSet<UserId>) -> io::Result<()> {
        self.found.0.retain(|row| !users.contains(&row.user));
        self.found.1.retain(|row| !users.contains(&row.user));
        self.forget_activity(users)?;
        if let Some(rest) = rest(&self.home, self.last_seen.name, users)? {
            self.last_seen.put(&mut self.home, &rest.lines, rest.rows)?;
        }
        if let Some(rest) = rest(&self.home, self.stretches.name, users)? {
            self.stretches.put(&mut self.home, &rest.lines, rest.rows)?;
        }
        for aside in [&mut self.refused, &mut self.damaged] {
            if let Some(rest) = rest(&self.home, aside.name, users)? {
                self.home.replace(aside.name, &rest.lines)?;
                aside.bytes = rest.lines.len() as u64;
            }
        }
        Ok(())
    }

    fn forget_activity(&mut self, users: &BTreeSet<UserId>) -> io::Result<()> {
        let all: Vec<(u64, String, Range<usize>)> = self.shelf.segments.iter().map(waiting).collect();
        for (number, name, waiting) in all {
            let bytes = self.home.read(&name)?;
            if without(&bytes, users).is_none() {
                continue;
            }
            // What the store has need not stay: less is read again after a crash.
            let rest = filter(bytes.get(waiting).unwrap_or_default(), users);
            self.home.replace(&name, &rest.lines)?;
            self.shelf.rewritten(number, rest.lines.len() as u64, rest.rows);
        }
        Ok(())
    }
}

fn waiting(segment: &Segment) -> (u64, String, Range<usize>) {
    (segment.number, segment.name(), segment.done.bytes as usize..segment.bytes as usize)
}

/// `None`: the file holds nothing of theirs.
fn rest(home: &Home, name: &str, users: &BTreeSet<UserId>) -> io::Result<Option<Rest>> {
    Ok(without(&home.read(name)?, users))
}

fn without(bytes: &[u8], users: &BTreeSet<UserId>) -> Option<Rest> {
    let rest = filter(bytes, users);
    (rest.lines.len() < bytes.len()).then_some(rest)
}

fn filter(bytes: &[u8], users: &BTreeSet<UserId>) -> Rest {
    let ids: Vec<String> = users.iter().map(UserId::to_string).collect();
    let theirs = |line: &[u8]| match user_of(line.trim_ascii_end()) {
        Some(owner) => users.contains(&owner),
        None => ids.iter().any(|id| contains(line, id)),
    };
    let mut rest = Rest { lines: Vec::new(), rows: 0 };
    for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| !theirs(line)) {
        rest.lines.extend_from_slice(line);
        rest.rows += 1;
    }
    rest
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}
