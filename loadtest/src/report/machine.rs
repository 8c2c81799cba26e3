//! The machine that the figures belong to.

use serde::Serialize;

/// What of a machine decides about figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Machine {
    pub(super) cpu: String,
    pub(super) cores: usize,
    pub(super) memory_kib: u64,
    pub(super) kernel: String,
    /// File descriptors that a process may have, and so connections.
    pub(super) descriptors: u64,
}

impl Machine {
    /// This one. What it does not tell stays empty.
    pub(super) fn look() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let cpus = read("/proc/cpuinfo");
        Self {
            cpu: cpu_model(&cpus).unwrap_or_default(),
            cores: cpus.lines().filter(|line| line.starts_with("processor")).count(),
            memory_kib: memory_kib(&read("/proc/meminfo")).unwrap_or_default(),
            kernel: kernel(),
            descriptors: descriptors(&read("/proc/self/limits")).unwrap_or_default(),
        }
    }

    /// One line.
    pub(super) fn words(&self) -> String {
        let gib = self.memory_kib as f64 / 1024.0 / 1024.0;
        let Self { cpu, cores, kernel, descriptors, .. } = self;
        format!("{cores} cores ({cpu}), {gib:.1} GiB, {kernel}, at most {descriptors} file descriptors")
    }
}

fn kernel() -> String {
    let name = rustix::system::uname();
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    [name.sysname(), name.release(), name.machine()].map(text).join(" ")
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory_kib(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The soft limit.
fn descriptors(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_read_from_the_kernels_texts() {
        let cpus = "processor\t: 0\nmodel name\t: AMD EPYC\nprocessor\t: 1\nmodel name\t: AMD EPYC\n";
        assert_eq!(cpu_model(cpus).as_deref(), Some("AMD EPYC"));
        assert_eq!(memory_kib("MemTotal:        8123456 kB\nMemFree: 1 kB\n"), Some(8_123_456));
        let limits =
            "Max processes   1   2   processes\nMax open files            20000     30000     files\n";
        assert_eq!(descriptors(limits), Some(20_000));
        assert_eq!((cpu_model(""), memory_kib(""), descriptors("")), (None, None, None));
    }

    #[test]
    fn this_machine_has_cores_and_a_kernel() {
        let machine = Machine::look();
        assert!(machine.cores > 0 && machine.memory_kib > 0, "{machine:?}");
        assert!(machine.words().contains(&machine.kernel) && machine.kernel.starts_with("Linux"));
    }
}
