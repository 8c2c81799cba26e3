//! What the kernel keeps for sockets. It is in no process's resident memory, and every connection has it.
//!
//! On one machine each connection has two ends, and only one is the server's. So the machine's total
//! (`/proc/net/sockstat`) is good for a curve and no more; what is told as the server's is the sum over the sockets
//! of its port (`ss -m`), and the fixed structures of one socket (`/proc/slabinfo`) times their number.

use std::process::Command;

use anyhow::{Context, ensure};
use serde::Serialize;

/// The slabs of which a connected socket that an epoll watches has one object each.
const PIECES: [&str; 6] = ["TCP", "sock_inode_cache", "filp", "dentry", "eventpoll_epi", "eventpoll_pwq"];

/// The kernel's share for the sockets of one port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct KernelMemory {
    /// Connected sockets.
    pub(crate) sockets: u64,
    /// Memory charged to them for what is queued either way and for what they have reserved, in KiB.
    pub(crate) buffers_kib: f64,
    /// Their fixed structures in KiB; none where `/proc/slabinfo` cannot be read, which only root may.
    pub(crate) structures_kib: Option<f64>,
}

impl KernelMemory {
    /// Measures the sockets whose own end is `port`. Takes some 6 ms per 1,000 sockets: not for the measured phase.
    ///
    /// # Errors
    /// `ss` (iproute2) is missing or fails.
    pub(crate) fn of_port(port: u16) -> anyhow::Result<Self> {
        let (sockets, bytes) = charged(&list_sockets(port)?);
        let slabs = std::fs::read_to_string("/proc/slabinfo").ok();
        let each = slabs.and_then(|text| structures(&text));
        Ok(Self {
            sockets,
            buffers_kib: bytes as f64 / 1024.0,
            structures_kib: each.map(|bytes| (sockets * bytes) as f64 / 1024.0),
        })
    }

    /// Buffers and structures together, in KiB.
    pub(crate) fn kib(&self) -> f64 {
        self.buffers_kib + self.structures_kib.unwrap_or_default()
    }
}

fn list_sockets(port: u16) -> anyhow::Result<String> {
    let filter = format!("sport = :{port}");
    let output = Command::new("ss").args(["-HOtmn", "state", "connected", &filter]).output();
    let output = output.context("`ss`, which tells the memory of sockets, cannot be started")?;
    ensure!(output.status.success(), "`ss` failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// How many sockets a listing names, and the bytes charged to them.
fn charged(listing: &str) -> (u64, u64) {
    listing.lines().filter_map(socket_bytes).fold((0, 0), |(n, sum), bytes| (n + 1, sum + bytes))
}

/// The bytes of a socket by its `skmem:(r0,rb131072,t0,tb87040,f4096,w0,o0,bl0,d0)`: what is received and not read
/// (`r`), reserved (`f`), written and not acknowledged (`w`), options (`o`), not yet processed (`bl`). The other
/// entries are limits, a count, and `t`, a part of `w`.
fn socket_bytes(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once("skmem:(")?;
    let (entries, _) = rest.split_once(')')?;
    let counted = entries.split(',').filter_map(|entry| {
        let digits = entry.find(|c: char| c.is_ascii_digit())?;
        let (key, value) = entry.split_at(digits);
        matches!(key, "r" | "f" | "w" | "o" | "bl").then(|| value.parse::<u64>().ok())?
    });
    Some(counted.sum())
}

/// The bytes of the structures of one socket. Slabs of a size are merged on some kernels, and then are not named.
fn structures(slabinfo: &str) -> Option<u64> {
    let size = |name: &str| {
        let line = slabinfo.lines().find(|line| line.split_whitespace().next() == Some(name))?;
        line.split_whitespace().nth(3)?.parse::<u64>().ok()
    };
    size("TCP")?;
    Some(PIECES.into_iter().filter_map(size).sum())
}

/// The buffers of all TCP sockets of the machine, in KiB.
///
/// # Errors
/// `/proc` cannot be read.
pub(super) fn tcp_buffers_kib() -> anyhow::Result<u64> {
    let text = std::fs::read_to_string("/proc/net/sockstat")?;
    let page_kib = rustix::param::page_size() as u64 / 1024;
    Ok(tcp_pages(&text).context("/proc/net/sockstat has no TCP memory")? * page_kib)
}

/// The pages of a line such as `TCP: inuse 1 orphan 0 tw 1 alloc 1 mem 98`.
fn tcp_pages(sockstat: &str) -> Option<u64> {
    let line = sockstat.lines().find_map(|line| line.strip_prefix("TCP:"))?;
    let mut words = line.split_whitespace().skip_while(|word| *word != "mem");
    words.nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLABS: &str = "\
slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>
TCPv6                 26     26   2496   13    8 : tunables    0    0    0
request_sock_TCP       0      0    304   26    2 : tunables    0    0    0
TCP                   13     13   2368   13    8 : tunables    0    0    0
sock_inode_cache     156    156    832   39    8 : tunables    0    0    0
filp                 798    798    192   42    2 : tunables    0    0    0
";

    #[test]
    fn a_socket_is_charged_its_queues_and_its_reserve() {
        let line =
            "ESTAB 0 0 127.0.0.1:80 127.0.0.1:5 skmem:(r1,rb131072,t4608,tb87040,f20,w300,o4000,bl50000,d9)";
        assert_eq!(socket_bytes(line), Some(54_321));
        assert_eq!(socket_bytes("ESTAB 0 0 127.0.0.1:80 127.0.0.1:5"), None);
        let listing = "a skmem:(r1,rb2)\nb skmem:(r0,w4,f5)\n";
        assert_eq!(charged(listing), (2, 10));
    }

    #[test]
    fn the_structures_are_the_slabs_that_have_a_name() {
        assert_eq!(structures(SLABS), Some(2368 + 832 + 192));
        assert_eq!(structures("slabinfo - version: 2.1\n"), None);
    }

    #[test]
    fn the_machines_buffers_are_pages_of_one_line() {
        let text = "sockets: used 12\nTCP: inuse 1 orphan 0 tw 1 alloc 1 mem 98\nUDP: inuse 0 mem 7\n";
        assert_eq!(tcp_pages(text), Some(98));
        assert_eq!(tcp_pages("UDP: inuse 0 mem 7\n"), None);
    }

    #[test]
    fn the_kernel_tells_of_a_real_socket() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let _client = std::net::TcpStream::connect(address).unwrap();
        let _server = listener.accept().unwrap();
        let Ok(memory) = KernelMemory::of_port(address.port()) else { return };
        assert_eq!(memory.sockets, 1);
        assert!(memory.kib() < 1024.0, "{memory:?}");
        assert!(tcp_buffers_kib().is_ok());
    }
}
