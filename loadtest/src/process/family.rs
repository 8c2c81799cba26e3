//! A server that has a process for each connection.

use std::fs;

use anyhow::Context;

use super::cpu_seconds;

/// Of `/proc/PID/stat`, behind the name: user and system time of the children that have ended.
const ENDED: std::ops::Range<usize> = 13..15;
/// In which these are counted.
const TICKS_PER_S: f64 = 100.0;

/// User and system seconds of a process and of its children, those included that have ended (in hundredths).
///
/// # Errors
/// The process is gone.
pub(crate) fn family_cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let read = |file: &str| {
        let path = format!("/proc/{pid}/{file}");
        fs::read_to_string(&path).context(path)
    };
    let ended = ended_ticks(&read("stat")?).context("the statistics of a process")? as f64 / TICKS_PER_S;
    let children = read(&format!("task/{pid}/children"))?;
    // One that has ended meanwhile is with those that have, at the next look.
    let living = children.split_whitespace().filter_map(|child| cpu_seconds(child.parse().ok()?).ok());
    Ok(cpu_seconds(pid)? + ended + living.sum::<f64>())
}

fn ended_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    fields.get(ENDED)?.iter().map(|ticks| ticks.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::ended_ticks;

    #[test]
    fn what_ended_children_took_stands_behind_the_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 10 20 0 0 1 2 30 40 20 0 1 0 5";
        assert_eq!(ended_ticks(stat), Some(70));
        assert_eq!(ended_ticks("7 (a) S 1"), None);
    }
}
