//! A process over time.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{cpu_seconds, rss_kib, sockets::tcp_buffers_kib};
use crate::outcome::Sample;

/// Between two samples, unless told otherwise.
pub(crate) const SAMPLE_EVERY: Duration = Duration::from_millis(250);

/// A thread that looks at a process again and again. It runs on the cores of the thread that starts it, and takes
/// about 50 us a look.
#[derive(Debug)]
pub(crate) struct Sampler {
    stop: Sender<()>,
    thread: JoinHandle<Vec<Sample>>,
}

impl Sampler {
    /// Looks at once, then every `period`, until stopped or the process is gone.
    pub(crate) fn start(pid: u32, period: Duration) -> Self {
        let (stop, stopped) = channel();
        let thread = thread::spawn(move || sample(pid, period, &stopped));
        Self { stop, thread }
    }

    /// Looks a last time and gives all that was seen.
    pub(crate) fn stop(self) -> Vec<Sample> {
        // The thread has ended already when the process has.
        let _ = self.stop.send(());
        self.thread.join().unwrap_or_default()
    }
}

fn sample(pid: u32, period: Duration, stopped: &Receiver<()>) -> Vec<Sample> {
    let start = Instant::now();
    let mut samples = Vec::new();
    for n in 1.. {
        let Ok(sample) = look(pid, start) else { break };
        samples.push(sample);
        let wait = (start + period * n).saturating_duration_since(Instant::now());
        if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
            samples.extend(look(pid, start));
            break;
        }
    }
    samples
}

fn look(pid: u32, start: Instant) -> anyhow::Result<Sample> {
    Ok(Sample {
        at_s: start.elapsed().as_secs_f64(),
        cpu_s: cpu_seconds(pid)?,
        rss_kib: rss_kib(pid)?,
        tcp_kib: tcp_buffers_kib().unwrap_or_default(),
    })
}
