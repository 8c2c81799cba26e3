//! Where a run is, for somebody who waits: one line on stderr, and nothing where that is no terminal.

use indicatif::{ProgressBar, ProgressStyle};

const LINE: &str = "{prefix:>10} {wide_bar:.cyan/blue} {pos}/{len} {msg} {elapsed}";

/// A line that is wiped when dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A line for a scenario.
    pub(crate) fn new(scenario: &str) -> Self {
        // It draws on stderr, at most 20 times a second, and not at all where stderr is no terminal.
        let bar = ProgressBar::new(0).with_prefix(scenario.to_owned());
        bar.set_style(style());
        Self { bar }
    }

    /// Begins a phase of `length` steps, such as `connecting` with the number of connections.
    pub(crate) fn phase(&self, name: &str, length: u64) {
        self.bar.reset();
        self.bar.set_length(length);
        self.bar.set_message(name.to_owned());
    }

    /// How many steps of the phase are done. Cheap enough for every turn of a loop.
    pub(crate) fn reach(&self, done: u64) {
        self.bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template(LINE).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_a_template_that_holds() {
        assert!(ProgressStyle::with_template(LINE).is_ok());
    }

    #[test]
    fn phases_begin_at_zero() {
        let progress = Progress::new("rooms");
        progress.phase("connecting", 10);
        progress.reach(7);
        assert_eq!((progress.bar.position(), progress.bar.length()), (7, Some(10)));
        progress.phase("measuring", 20);
        assert_eq!((progress.bar.position(), progress.bar.length()), (0, Some(20)));
    }
}
