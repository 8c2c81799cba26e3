//! Processes under test and what they use: CPU, memory, the kernel's share; and the cores they run on.

mod family;
mod foremost;
mod pinned;
mod sampler;
mod sockets;

use std::thread;

use anyhow::{Context, anyhow};
use nix::{
    sys::time::TimeSpec,
    time::{ClockId, clock_getcpuclockid},
    unistd::Pid,
};
use rustix::thread::{CpuSet, sched_setaffinity};

pub(crate) use family::family_cpu_seconds;
pub(crate) use foremost::Foremost;
pub(crate) use pinned::Pinned;
pub(crate) use sampler::{SAMPLE_EVERY, Sampler};
pub(crate) use sockets::KernelMemory;

/// User and system seconds of a process, its threads that have ended included.
///
/// From the CPU clock of the process: nanoseconds, where `/proc/PID/stat` counts in hundredths of a second and
/// `/proc/PID/task/*/schedstat` forgets ended threads.
///
/// # Errors
/// The process is gone.
pub(crate) fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let clock = clock_getcpuclockid(Pid::from_raw(pid.cast_signed()));
    let now = clock.and_then(ClockId::now).with_context(|| format!("the CPU clock of process {pid}"))?;
    Ok(seconds(now))
}

/// User and system seconds of this process: the generator's own share.
pub(crate) fn own_cpu_seconds() -> f64 {
    ClockId::CLOCK_PROCESS_CPUTIME_ID.now().map_or(f64::NAN, seconds)
}

fn seconds(time: TimeSpec) -> f64 {
    std::time::Duration::from(time).as_secs_f64()
}

/// Seconds for which a core has done something, whoever's it was; in hundredths.
///
/// # Errors
/// `/proc` cannot be read, or there is no such core.
pub(crate) fn core_busy_seconds(core: usize) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/stat").context("/proc/stat")?;
    busy_ticks(&text, core)
        .map(|ticks| ticks as f64 / 100.0)
        .with_context(|| format!("there is no core {core}"))
}

/// Of a line such as `cpu0 user nice system idle iowait irq softirq steal`: all but the two in which it waits.
fn busy_ticks(stat: &str, core: usize) -> Option<u64> {
    let name = format!("cpu{core}");
    let line = stat.lines().find(|line| line.split(' ').next() == Some(&name))?;
    let ticks = line.split_whitespace().skip(1).take(8).enumerate();
    ticks.filter(|(n, _)| !matches!(n, 3 | 4)).map(|(_, ticks)| ticks.parse::<u64>().ok()).sum()
}

/// Resident memory of a process in KiB.
///
/// # Errors
/// The process is gone.
pub(crate) fn rss_kib(pid: u32) -> anyhow::Result<u64> {
    status_kib(pid, "VmRSS")
}

/// The most resident memory that a process had since it began, or since [`forget_peak`], in KiB.
///
/// # Errors
/// The process is gone.
pub(crate) fn peak_rss_kib(pid: u32) -> anyhow::Result<u64> {
    status_kib(pid, "VmHWM")
}

/// Lets the peak start again from what is resident now.
///
/// # Errors
/// The process is gone, or belongs to somebody else.
pub(crate) fn forget_peak(pid: u32) -> anyhow::Result<()> {
    let path = format!("/proc/{pid}/clear_refs");
    std::fs::write(&path, "5").context(path)
}

fn status_kib(pid: u32, key: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = std::fs::read_to_string(&path).context(path)?;
    kib_of(&text, key).with_context(|| format!("process {pid} has no {key}: it has ended"))
}

/// The value of a line such as `VmRSS:     1234 kB`.
fn kib_of(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Keeps the calling thread, and all that it starts from now on, on one core.
///
/// # Errors
/// There is no such core, or it is not ours.
pub(crate) fn pin_this_thread(core: usize) -> anyhow::Result<()> {
    let mut cores = CpuSet::new();
    anyhow::ensure!(core < CpuSet::MAX_CPU, "core {core} is more than the kernel can name");
    cores.set(core);
    sched_setaffinity(None, &cores).with_context(|| format!("no thread can be kept on core {core}"))
}

/// Gives the calling thread, and all that it starts from now on, the lowest priority.
///
/// # Errors
/// None that is known: everybody may take less.
pub(crate) fn yield_always() -> anyhow::Result<()> {
    const LOWEST: i32 = 19;
    rustix::process::setpriority_process(None, LOWEST).context("the priority of a thread")
}

/// Does something in a thread of its own, which is kept on a core; none: it may run where the caller does. Children that
/// it starts have its cores too.
///
/// # Errors
/// Those of the work; that it panicked; that there is no such core.
pub(crate) fn on_core<T: Send>(
    core: Option<usize>,
    work: impl FnOnce() -> anyhow::Result<T> + Send,
) -> anyhow::Result<T> {
    let pinned = || {
        core.map_or(Ok(()), pin_this_thread)?;
        work()
    };
    let done = thread::scope(|scope| scope.spawn(pinned).join());
    done.map_err(|_| anyhow!("it ended in a panic"))?
}

#[cfg(test)]
mod tests;
