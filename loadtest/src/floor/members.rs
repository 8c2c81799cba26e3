//! The members of the floor's channels: the same schedule, without a protocol.

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use anyhow::{Context, ensure};

use super::{SEAT_BYTES, Sizes};
use crate::{
    engine::{
        clock::{Nanos, RunClock},
        drive::{self, Target},
        net::{Net, Received},
    },
    outcome::Recorder,
    world::Person,
};

/// The longest wait for an event.
const PATIENCE: Duration = Duration::from_millis(50);
const CONNECTING: Duration = Duration::from_secs(30);
/// Connections on their way at once.
const AT_ONCE: usize = 256;
/// As for the hub's clients: who lags still reads.
const AT_LEAST: usize = 8;
const BUFFER: usize = 256 * 1024;

/// Where a person sits, and how many are shown what they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) person: Person,
    pub(crate) channel: u32,
    pub(crate) place: u32,
    pub(crate) audience: u32,
}

#[derive(Debug)]
struct Member {
    seat: Seat,
    connected: bool,
    /// When the changes were due whose frames have still to come, in order.
    due: VecDeque<Nanos>,
    /// Bytes of a frame that has arrived in part.
    begun: usize,
}

/// All members.
pub(crate) struct Members {
    net: Net,
    clock: RunClock,
    sizes: Sizes,
    members: Vec<Member>,
    /// By channel and place, the number of the member.
    channels: Vec<Vec<usize>>,
    /// By person, their member.
    member_of: Vec<usize>,
    waiting: usize,
    connected: usize,
    expected: u64,
    delivered: u64,
    latency: Recorder,
    message: Vec<u8>,
    buffer: Vec<u8>,
}

impl Members {
    /// Members who are not connected yet, in the order of their channels and places.
    ///
    /// # Errors
    /// No descriptor is left.
    pub(crate) fn new(seats: &[Seat], sizes: Sizes, writer: SocketAddr) -> anyhow::Result<Self> {
        let people = seats.iter().map(|seat| seat.person as usize + 1).max().unwrap_or_default();
        let mut member_of = vec![usize::MAX; people];
        let channel_count = seats.iter().map(|seat| seat.channel as usize + 1).max().unwrap_or_default();
        let mut channels = vec![Vec::new(); channel_count];
        for (number, seat) in seats.iter().enumerate() {
            member_of[seat.person as usize] = number;
            channels[seat.channel as usize].push(number);
        }
        let member = |seat: &Seat| Member { seat: *seat, connected: false, due: VecDeque::new(), begun: 0 };
        Ok(Self {
            net: Net::new(writer, seats.len()).context("no epoll")?,
            clock: RunClock::start(),
            sizes,
            members: seats.iter().map(member).collect(),
            channels,
            member_of,
            waiting: 0,
            connected: 0,
            expected: 0,
            delivered: 0,
            latency: Recorder::new(),
            message: vec![b' '; sizes.message],
            buffer: vec![0; BUFFER],
        })
    }

    /// Connects all of them.
    ///
    /// # Errors
    /// One cannot, or it takes too long.
    pub(crate) fn connect(&mut self) -> anyhow::Result<()> {
        let all = drive::wait_for(self, CONNECTING, |members| members.connected == members.members.len())?;
        ensure!(all, "only {} members of the floor are connected", self.connected);
        Ok(())
    }

    pub(crate) fn delivered(&self) -> u64 {
        self.delivered
    }

    pub(crate) fn latency(&self) -> &Recorder {
        &self.latency
    }

    fn open_some(&mut self) -> anyhow::Result<()> {
        while self.waiting < self.members.len() && self.waiting - self.connected < AT_ONCE {
            self.net.open(self.waiting, None).context("a connection to the floor")?;
            self.waiting += 1;
        }
        Ok(())
    }

    fn take_seat(&mut self, number: usize) -> anyhow::Result<()> {
        self.net.connected(number).context("a connection to the floor")?;
        let seat = self.members[number].seat;
        let mut message = [0; SEAT_BYTES];
        message[..4].copy_from_slice(&seat.channel.to_le_bytes());
        message[4..].copy_from_slice(&seat.place.to_le_bytes());
        self.net.send(number, &message)?;
        self.members[number].connected = true;
        self.connected += 1;
        Ok(())
    }

    fn read(&mut self, number: usize) -> anyhow::Result<()> {
        let bytes = match self.net.receive(number, &mut self.buffer)? {
            Received::Bytes(bytes) => bytes,
            Received::Nothing => return Ok(()),
            Received::End => anyhow::bail!("the floor's writer ended a connection"),
        };
        let now = self.clock.now();
        let member = &mut self.members[number];
        let all = member.begun + bytes;
        member.begun = all % self.sizes.frame;
        for _ in 0..all / self.sizes.frame {
            let due = member.due.pop_front().context("the floor wrote more than it was asked to")?;
            self.latency.record_us(now.saturating_sub(due) / 1000);
            self.delivered += 1;
        }
        Ok(())
    }

    fn take(&mut self, index: usize) -> anyhow::Result<()> {
        let Some(ready) = self.net.event(index) else { return Ok(()) };
        if !self.members[ready.link].connected {
            return self.take_seat(ready.link);
        }
        if ready.writable {
            self.net.flush(ready.link)?;
        }
        if ready.readable { self.read(ready.link) } else { Ok(()) }
    }
}

impl Target for Members {
    fn clock(&self) -> RunClock {
        self.clock
    }

    fn run_until(&mut self, until: Nanos) -> anyhow::Result<()> {
        loop {
            self.open_some()?;
            let wait = Duration::from_nanos(until.saturating_sub(self.clock.now())).min(PATIENCE);
            let events = self.net.wait(wait).context("waiting for events")?;
            for index in 0..events {
                self.take(index)?;
                if index >= AT_LEAST && self.clock.now() >= until {
                    return Ok(());
                }
            }
            if self.clock.now() >= until {
                return Ok(());
            }
        }
    }

    fn change(&mut self, person: Person, due: Nanos) -> anyhow::Result<()> {
        let number = self.member_of[person as usize];
        let seat = self.members[number].seat;
        let places = &self.channels[seat.channel as usize];
        let (before, after) = places.split_at(seat.place as usize);
        for member in after.iter().chain(before).take(seat.audience as usize) {
            self.members[*member].due.push_back(due);
            self.expected += 1;
        }
        self.message[..4].copy_from_slice(&seat.audience.to_le_bytes());
        Ok(self.net.send(number, &self.message)?)
    }

    fn outstanding(&self) -> u64 {
        self.expected - self.delivered
    }

    fn stay_awake(&mut self, awake: bool) {
        self.net.stay_awake(awake);
    }

    fn idle(&self) -> Duration {
        self.net.idle()
    }
}

#[cfg(test)]
mod tests;
