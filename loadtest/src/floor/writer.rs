//! The bare writer: accepts, reads events, writes the one frame.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener},
    os::fd::OwnedFd,
};

use anyhow::{Context, bail};
use rustix::{
    event::{
        PollFd, PollFlags,
        epoll::{self, EventData, EventFlags},
        poll,
    },
    io::Errno,
    net::{RecvFlags, SendFlags, SocketFlags, sockopt},
};

use super::{SEAT_BYTES, Sizes};
use crate::engine::frame;

const LISTENER: u64 = u64::MAX;
const EVENTS: usize = 1024;
/// Several events that came together are read at once.
const BUFFER: usize = 16 * 1024;

/// Who sits where, by the number of the socket.
#[derive(Clone, Copy, Debug)]
struct Seated {
    channel: usize,
    place: usize,
}

/// The sockets and the frame.
pub(crate) struct Writer {
    epoll: OwnedFd,
    listener: TcpListener,
    sizes: Sizes,
    frame: Vec<u8>,
    sockets: Vec<(OwnedFd, Option<Seated>)>,
    /// By channel and place, the number of the socket.
    channels: Vec<Vec<usize>>,
    buffer: Vec<u8>,
}

impl Writer {
    /// Listens on a free port of this machine.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn new(sizes: Sizes) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)))?;
        // The backlog that the standard library asks for is shorter than a thousand connections at once.
        rustix::net::listen(&listener, 4096)?;
        listener.set_nonblocking(true)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        let (sockets, channels, buffer) = (Vec::new(), Vec::new(), vec![0; BUFFER]);
        Ok(Self { epoll, listener, sizes, frame: ready_made(sizes.frame), sockets, channels, buffer })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Runs until the process is killed.
    ///
    /// # Errors
    /// A message of another size, or the kernel's errors.
    pub(crate) fn run(&mut self) -> anyhow::Result<()> {
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error).context("waiting for events"),
            }
            for event in events.drain(..) {
                match event.data.u64() {
                    LISTENER => self.accept()?,
                    socket => self.read(socket as usize)?,
                }
            }
        }
    }

    fn accept(&mut self) -> anyhow::Result<()> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        loop {
            match rustix::net::accept_with(&self.listener, flags) {
                Ok(socket) => {
                    sockopt::set_tcp_nodelay(&socket, true)?;
                    let number = EventData::new_u64(self.sockets.len() as u64);
                    epoll::add(&self.epoll, &socket, number, EventFlags::IN)?;
                    self.sockets.push((socket, None));
                }
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error).context("a connection cannot be accepted"),
            }
        }
    }

    fn read(&mut self, socket: usize) -> anyhow::Result<()> {
        let (link, seated) = &self.sockets[socket];
        let length = match rustix::net::recv(link, &mut self.buffer, RecvFlags::empty()) {
            Ok((0, _)) | Err(Errno::CONNRESET) => return Ok(epoll::delete(&self.epoll, link)?),
            Ok((length, _)) => length,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(error) => return Err(error).context("reading"),
        };
        match *seated {
            None => self.seat(socket, length),
            Some(seated) => self.events(seated, length),
        }
    }

    /// The first message of a socket names its seat.
    fn seat(&mut self, socket: usize, length: usize) -> anyhow::Result<()> {
        let Ok(seat) = <[u8; SEAT_BYTES]>::try_from(&self.buffer[..length]) else {
            bail!("a seat has {SEAT_BYTES} bytes, and not {length}")
        };
        let [a, b, c, d, e, f, g, h] = seat;
        let channel = u32::from_le_bytes([a, b, c, d]) as usize;
        let place = u32::from_le_bytes([e, f, g, h]) as usize;
        self.sockets[socket].1 = Some(Seated { channel, place });
        if self.channels.len() <= channel {
            self.channels.resize(channel + 1, Vec::new());
        }
        let places = &mut self.channels[channel];
        if places.len() <= place {
            places.resize(place + 1, socket);
        }
        places[place] = socket;
        Ok(())
    }

    /// Messages come whole: each is sent by one call, and is far smaller than a socket's buffer.
    fn events(&self, from: Seated, length: usize) -> anyhow::Result<()> {
        let events = self.buffer[..length].chunks_exact(self.sizes.message);
        if !events.remainder().is_empty() {
            bail!("{length} bytes are no whole number of messages of {}", self.sizes.message);
        }
        for event in events {
            let audience = u32::from_le_bytes([event[0], event[1], event[2], event[3]]) as usize;
            self.write(from, audience)?;
        }
        Ok(())
    }

    /// Writes the frame to so many members, from the sender's place on.
    fn write(&self, from: Seated, audience: usize) -> anyhow::Result<()> {
        let places = &self.channels[from.channel];
        let (before, after) = places.split_at(from.place);
        for socket in after.iter().chain(before).take(audience) {
            self.send(&self.sockets[*socket].0)?;
        }
        Ok(())
    }

    fn send(&self, socket: &OwnedFd) -> anyhow::Result<()> {
        let mut rest = self.frame.as_slice();
        while !rest.is_empty() {
            match rustix::net::send(socket, rest, SendFlags::NOSIGNAL) {
                Ok(sent) => rest = &rest[sent..],
                // Nothing is lost, as nothing is lost by a hub: it waits for room.
                Err(Errno::AGAIN) => drop(poll(&mut [PollFd::new(socket, PollFlags::OUT)], None)?),
                Err(Errno::INTR) => {}
                // The member is gone.
                Err(Errno::PIPE | Errno::CONNRESET) => return Ok(()),
                Err(error) => return Err(error).context("writing"),
            }
        }
        Ok(())
    }
}

/// A frame of exactly so many bytes with its header.
fn ready_made(bytes: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let header = if bytes < 128 { 2 } else { 4 };
    frame::put_unmasked(frame::TEXT, &vec![b' '; bytes.saturating_sub(header)], &mut out);
    out.resize(bytes, b' ');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_made_frame_has_its_size() {
        for bytes in [2, 42, 127, 128, 131, 9000] {
            assert_eq!(ready_made(bytes).len(), bytes);
        }
    }
}
