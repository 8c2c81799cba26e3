//! Coming first on cores that are shared with others.
//!
//! Where the kernel groups processes by session (`sched_autogroup`), it shares a core between the groups, and what a
//! process is given by its own priority counts within its group alone. Each backend of a Postgres has a session of its
//! own: ten of them would leave a generator on their core an eleventh of it, whatever their priority.

use std::{fs, io};

/// Of the group of this process, as the kernel has it.
const FILE: &str = "/proc/self/autogroup";
/// As the priority of a process: -20 is the highest. This is some thirty times the share of a group that was left alone.
const FIRST: i32 = -15;

/// While it lives, this process and its children, the hub among them, come before other sessions.
#[derive(Debug)]
pub(crate) struct Foremost {
    before: Option<i32>,
}

impl Foremost {
    /// Without the right to it, or groups, everything stays as it is.
    pub(crate) fn become_it() -> Self {
        let before = fs::read_to_string(FILE).ok().and_then(|text| priority_in(&text));
        Self { before: before.filter(|_| set(FIRST).is_ok()) }
    }
}

impl Drop for Foremost {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            // Whoever may come first may come later.
            let _ = set(before);
        }
    }
}

fn set(priority: i32) -> io::Result<()> {
    fs::write(FILE, priority.to_string())
}

/// Of a line such as `/autogroup-42 nice 0`.
fn priority_in(text: &str) -> Option<i32> {
    text.trim_end().rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_priority_is_the_last_word() {
        assert_eq!(priority_in("/autogroup-42 nice -3\n"), Some(-3));
        assert_eq!(priority_in(""), None);
    }

    #[test]
    fn what_was_before_is_there_again() {
        let now = || fs::read_to_string(FILE).ok();
        let before = now();
        drop(Foremost::become_it());
        assert_eq!(now(), before);
    }
}
