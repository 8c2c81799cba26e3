//! One running server: the postmaster and the processes it started.

use std::{
    fs,
    process::{Child, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take for what it does in a second, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A running server.
#[derive(Debug)]
pub(crate) struct Postmaster(Child);

impl Postmaster {
    pub(crate) fn new(child: Child) -> Self {
        Self(child)
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether it has ended by itself.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("a child")
    }

    /// Ends it as an operator does: transactions are rolled back, everything is written.
    pub(crate) fn stop(&mut self) {
        self.end(Signal::INT);
    }

    /// Ends it without writing anything more. What it shares with nobody is gone then.
    pub(crate) fn abort(&mut self) {
        self.end(Signal::QUIT);
    }

    fn end(&mut self, how: Signal) {
        signal(self.id(), how);
        self.thaw();
        if !wait_until(|| self.ended().is_some()) {
            self.kill();
        }
    }

    /// `kill -9` of all its processes; returns when none is left.
    pub(crate) fn kill(&mut self) {
        // Stopped first, so that it starts nobody while we look.
        signal(self.id(), Signal::STOP);
        let children = children(self.id());
        for id in children.iter().copied().chain([self.id()]) {
            signal(id, Signal::KILL);
        }
        self.0.wait().expect("a child");
        let gone = wait_until(|| children.iter().all(|id| parent(*id).is_none_or(|(state, _)| state == 'Z')));
        assert!(gone, "processes of a killed server are still there");
    }

    /// Stops all its processes where they are; its sockets stay open and say nothing.
    pub(crate) fn freeze(&self) {
        signal(self.id(), Signal::STOP);
        children(self.id()).into_iter().for_each(|id| signal(id, Signal::STOP));
    }

    /// Lets a frozen server go on.
    pub(crate) fn thaw(&self) {
        children(self.id()).into_iter().chain([self.id()]).for_each(|id| signal(id, Signal::CONT));
    }
}

/// A process that has ended meanwhile needs no signal.
fn signal(id: u32, signal: Signal) {
    let id = i32::try_from(id).ok().and_then(Pid::from_raw).expect("the number of a process");
    let _ = kill_process(id, signal);
}

fn children(of: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("a list of processes").filter_map(Result::ok);
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|id| parent(*id).is_some_and(|(_, parent)| parent == of)).collect()
}

/// The state and the parent of a process that is there.
fn parent(id: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name before it may hold anything.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Looks again and again; says whether it came to hold in time.
pub(crate) fn wait_until(mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(LOOK_AGAIN);
    }
    true
}
