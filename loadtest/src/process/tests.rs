use std::{
    process::{Command, id},
    thread::available_parallelism,
    time::Duration,
};

use super::*;

#[test]
fn memory_is_read_from_a_status() {
    let text = "Name:\tpresence-hub\nVmHWM:\t  123456 kB\nVmRSS:\t    7890 kB\nRssAnon:\t 1 kB\n";
    assert_eq!((kib_of(text, "VmRSS"), kib_of(text, "VmHWM")), (Some(7890), Some(123_456)));
    assert_eq!((kib_of(text, "VmSwap"), kib_of(text, "Vm")), (None, None));
}

#[test]
fn a_core_is_busy_where_it_does_not_wait() {
    let stat =
        "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 4 100 200 8 16 32 64 0\ncpu1 1 0 0 0 0 0 0 0 0 0\nintr 7\n";
    assert_eq!((busy_ticks(stat, 0), busy_ticks(stat, 1), busy_ticks(stat, 2)), (Some(63), Some(1), None));
}

#[test]
fn this_process_has_memory_and_a_peak_that_can_be_forgotten() {
    let pid = id();
    assert!(rss_kib(pid).unwrap() > 0);
    assert!(peak_rss_kib(pid).unwrap() > 0);
    forget_peak(pid).unwrap();
    assert!(peak_rss_kib(pid).unwrap() > 0);
}

/// The clock counts as the kernel's own statistics do, to their two ticks.
#[test]
fn the_cpu_clock_agrees_with_the_statistics_of_the_kernel() {
    const TICKS_PER_S: f64 = 100.0;
    let before = cpu_seconds(id()).unwrap();
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after = cpu_seconds(id()).unwrap();
    let (_, fields) = text.rsplit_once(')').unwrap();
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).map(|t| t.parse::<f64>().unwrap()).sum();
    let told = ticks / TICKS_PER_S;
    assert!(before - 0.021 <= told && told <= after + 0.021, "{before} <= {told} <= {after}");
    assert!(own_cpu_seconds() >= after);
}

#[test]
fn a_process_that_is_gone_is_an_error() {
    // More than the kernel ever gives out.
    let gone = 5_000_000;
    assert!(cpu_seconds(gone).is_err() && rss_kib(gone).is_err() && peak_rss_kib(gone).is_err());
}

#[test]
fn a_child_is_on_its_core_from_the_start_and_its_starter_is_not() {
    let before = available_parallelism().unwrap();
    let child = Pinned::start(Command::new("nproc"), Some(0), 1).unwrap();
    assert_eq!(child.greeting(), "1");
    assert_eq!(available_parallelism().unwrap(), before);
}

#[test]
fn a_core_that_is_not_there_is_an_error() {
    assert!(Pinned::start(Command::new("nproc"), Some(1023), 1).is_err());
    assert!(Pinned::start(Command::new("nproc"), Some(usize::MAX), 1).is_err());
}

#[test]
fn a_child_may_have_more_to_say_before_it_is_ready() {
    let mut command = Command::new("sh");
    command.args(["-c", "echo one; echo two; echo three; sleep 60"]);
    assert_eq!(Pinned::start(command, None, 2).unwrap().greeting(), "one\ntwo");
}

#[test]
fn a_panic_in_a_thread_of_its_own_is_an_error() {
    assert!(on_core(None, || -> anyhow::Result<()> { panic!("as it must") }).is_err());
}

fn shell(script: &str) -> Pinned {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Pinned::start(command, None, 1).unwrap()
}

#[test]
fn children_count_while_they_live_and_when_they_have_ended() {
    // Takes a shell a tenth of a second.
    let work = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
    for script in
        [format!("sh -c '{work}; echo ready; sleep 5'; :"), format!("sh -c '{work}'; echo ready; sleep 5")]
    {
        let parent = shell(&script);
        let (own, all) = (cpu_seconds(parent.pid()).unwrap(), family_cpu_seconds(parent.pid()).unwrap());
        assert!(all - own > 0.02, "{own} of {all} s: {script}");
    }
}

#[test]
fn a_child_is_asked_to_end_before_it_is_killed() {
    let mut polite = shell("trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done");
    assert!(polite.is_running());
    polite.stop(Duration::from_secs(10)).unwrap();

    let failing = shell("trap 'exit 3' TERM; echo ready; while :; do sleep 0.01; done");
    assert!(failing.stop(Duration::from_secs(10)).unwrap_err().to_string().contains('3'));

    let stubborn = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
    let pid = stubborn.pid();
    assert!(stubborn.stop(Duration::from_millis(50)).unwrap_err().to_string().contains("killed"));
    assert!(rss_kib(pid).is_err());
}

#[test]
fn a_child_without_a_word_is_an_error() {
    let error = Pinned::start(Command::new("true"), None, 1).unwrap_err();
    assert!(error.to_string().contains("true ended without a word"), "{error}");
}

#[test]
fn a_sampler_sees_a_process_until_it_is_stopped() {
    let child = shell("echo ready; while :; do :; done");
    let sampler = Sampler::start(child.pid(), Duration::from_millis(10));
    std::thread::sleep(Duration::from_millis(60));
    let samples = sampler.stop();
    assert!(samples.len() >= 3, "{samples:?}");
    for pair in samples.windows(2) {
        assert!(pair[0].at_s < pair[1].at_s && pair[0].cpu_s <= pair[1].cpu_s, "{pair:?}");
    }
    assert!(samples.iter().all(|sample| sample.rss_kib > 0));
}

#[test]
fn a_sampler_ends_with_its_process() {
    let child = shell("echo ready; sleep 60");
    let sampler = Sampler::start(child.pid(), Duration::from_millis(1));
    drop(child);
    // That this comes back at all is what is asked.
    sampler.stop();
}
