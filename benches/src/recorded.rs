//! The figures to compare with: a file beside the code, so that a change of cost is seen in review.

use std::path::PathBuf;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::{count::Count, region::ALL};

/// What `recorded.json` holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    /// The compiler that they were counted with.
    pub(crate) rustc: String,
    /// In the order of the regions.
    pub(crate) counts: Vec<Count>,
}

impl Recorded {
    /// # Errors
    /// There is none yet, or it cannot be read.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path()).context("recorded.json: `record` makes it")?;
        serde_json::from_str(&text).context("recorded.json")
    }

    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write(&self) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(path(), text).context("recorded.json cannot be written")
    }

    /// With `counts` for what was counted now; what is no region any more goes.
    pub(crate) fn renewed(self, counts: &[Count], rustc: String) -> Self {
        let kept = |name: &str| {
            let mut newest = counts.iter().chain(&self.counts);
            newest.find(|count| count.region == name).cloned()
        };
        Self { rustc, counts: ALL.iter().filter_map(|region| kept(region.name)).collect() }
    }

    /// The count of a region.
    pub(crate) fn of(&self, region: &str) -> Option<&Count> {
        self.counts.iter().find(|count| count.region == region)
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("recorded.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(region: &str, instructions: u64) -> Count {
        Count { region: region.to_owned(), instructions, units: 1, unit: "viewer".to_owned() }
    }

    #[test]
    fn what_was_counted_replaces_what_was_recorded() {
        let [first, second] = [ALL[0].name, ALL[1].name];
        let before = Recorded {
            rustc: "old".to_owned(),
            counts: vec![count("gone", 1), count(second, 2), count(first, 3)],
        };
        let after = before.renewed(&[count(second, 5)], "new".to_owned());
        assert_eq!(after.counts, [count(first, 3), count(second, 5)]);
        assert_eq!(after.rustc, "new");
    }

    #[test]
    fn every_region_is_recorded() {
        let recorded = Recorded::read().unwrap();
        let names: Vec<_> = recorded.counts.iter().map(|count| count.region.as_str()).collect();
        let regions: Vec<_> = ALL.iter().map(|region| region.name).collect();
        assert_eq!(names, regions, "`cargo run -p benches -- record`");
    }
}
