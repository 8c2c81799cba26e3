//! Counting: the release build of this program under callgrind, one region a process.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::region::{ALL, Region};

/// What one region costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Count {
    /// The region.
    pub(crate) region: String,
    /// Instructions executed in it, of the heart and all that it calls, the allocator included.
    pub(crate) instructions: u64,
    /// How many things it does.
    pub(crate) units: u64,
    /// What such a thing is.
    pub(crate) unit: String,
}

impl Count {
    /// Instructions for one thing.
    pub(crate) fn each(&self) -> f64 {
        self.instructions as f64 / self.units as f64
    }
}

/// Counts all regions whose name contains `part`, one after the other: what one does never warms another.
///
/// # Errors
/// Valgrind is missing, the build fails, or a region does not do what it says.
pub(crate) fn count_all(part: &str) -> anyhow::Result<Vec<Count>> {
    let program = release_build()?;
    let regions: Vec<_> = ALL.iter().filter(|region| region.name.contains(part)).collect();
    ensure!(!regions.is_empty(), "no region's name contains {part}");
    regions.into_iter().map(|region| count(&program, region)).collect()
}

/// The version of the compiler, in its own words.
///
/// # Errors
/// There is none.
pub(crate) fn rustc_version() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("--version").output().context("no rustc")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// This program as it is released. A build for debugging makes it; a release build is it.
fn release_build() -> anyhow::Result<PathBuf> {
    let this = std::env::current_exe()?;
    if !cfg!(debug_assertions) {
        return Ok(this);
    }
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let built = Command::new(cargo).args(["build", "--release", "-p", "benches"]).status()?;
    ensure!(built.success(), "the release build fails");
    let (name, target) = (this.file_name(), this.parent().and_then(Path::parent));
    let (name, target) = name.zip(target).context("this program lies in a target folder")?;
    Ok(target.join("release").join(name))
}

fn count(program: &Path, region: &Region) -> anyhow::Result<Count> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("callgrind.out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*measured_region*"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .args(["run", region.name])
        .output()
        .context("valgrind, which counts, cannot be started: install it")?;
    ensure!(output.status.success(), "{}: {}", region.name, String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(&file).with_context(|| format!("{} counted nothing", region.name))?;
    let instructions = total(&text).with_context(|| format!("{}: callgrind tells no total", region.name))?;
    ensure!(instructions > 0, "{}: nothing was counted; is the function inlined?", region.name);
    let (name, unit) = (region.name.to_owned(), region.unit.to_owned());
    Ok(Count { region: name, instructions, units: region.units, unit })
}

/// The number of the line `totals: 12345`; a `summary:` line counts what was not collected too.
fn total(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("totals:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_from_callgrinds_file() {
        let text = "# callgrind format\nevents: Ir\nsummary: 1\n\nfn=(1) a\n1 5\ntotals: 12345\n";
        assert_eq!(total(text), Some(12_345));
        assert_eq!(total("events: Ir\n"), None);
    }
}
