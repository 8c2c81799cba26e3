//! A child process that is kept on one core, and does not outlive its owner.

use std::{
    io::{self, BufRead, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::on_core;

/// Between two looks whether a process has ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A running child; killed when dropped.
#[derive(Debug)]
pub(crate) struct Pinned {
    child: Child,
    greeting: String,
}

impl Pinned {
    /// Starts `command` and waits for the first `lines` it prints; what it prints later is read and dropped.
    ///
    /// The child is on its core before its first instruction, so that a runtime which counts cores finds one.
    ///
    /// # Errors
    /// It cannot be started, or ends without a word.
    pub(crate) fn start(mut command: Command, core: Option<usize>, lines: usize) -> anyhow::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = spawn_on(&mut command, core)?;
        let stdout = child.stdout.take();
        let mut this = Self { child, greeting: String::new() };
        let mut printed = BufReader::new(stdout.context("the child's output is piped")?).lines();
        let greeting: Vec<_> = printed.by_ref().take(lines).collect::<io::Result<_>>()?;
        let name = command.get_program().to_string_lossy();
        ensure!(greeting.len() == lines, "{name} ended without a word");
        this.greeting = greeting.join("\n");
        thread::spawn(move || printed.for_each(drop));
        Ok(this)
    }

    /// What it printed first.
    pub(crate) fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to end (SIGTERM), waits at most `patience`, then kills it.
    ///
    /// # Errors
    /// It had to be killed, or did not end in order.
    pub(crate) fn stop(mut self, patience: Duration) -> anyhow::Result<()> {
        // A process that has ended cannot be asked any more; how it ended is seen below.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        match self.wait_until(Instant::now() + patience)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(anyhow!("it ended with {status}")),
            None => Err(anyhow!("it had not ended {patience:?} after it was asked to, and was killed")),
        }
    }

    fn wait_until(&mut self, deadline: Instant) -> anyhow::Result<Option<ExitStatus>> {
        loop {
            let ended = self.child.try_wait()?;
            if ended.is_some() || Instant::now() >= deadline {
                return Ok(ended);
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // Both fail only when it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A child takes the cores of the thread that starts it, so that thread is one of its own.
fn spawn_on(command: &mut Command, core: Option<usize>) -> anyhow::Result<Child> {
    let starting = on_core(core, || Ok(command.spawn()?));
    starting.with_context(|| format!("{} cannot be started", command.get_program().to_string_lossy()))
}
