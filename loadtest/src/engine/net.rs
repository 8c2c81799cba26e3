//! Sockets of the generator: non-blocking, numbered, watched by one epoll.
//!
//! It moves bytes and knows no frame. A socket that is opened again under its number gets a new generation, so that
//! an event of the one before it is not taken for its own.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    os::fd::OwnedFd,
    time::Duration,
};

use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
use rustix::{
    event::epoll::{self, EventData, EventFlags},
    net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt},
    time::Timespec,
};

/// Events taken from the kernel at once.
const EVENTS: usize = 1024;
/// Sockets that share a source address. Each address has some 28,000 ports, but the more of them are taken, the longer
/// the kernel looks for one that is not; and real clients have addresses of their own.
const PER_ADDRESS: usize = 1_000;

/// The number of a socket.
pub(crate) type LinkId = usize;

/// What a socket is ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) link: LinkId,
    pub(crate) writable: bool,
    pub(crate) readable: bool,
}

/// What reading gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Bytes(usize),
    Nothing,
    End,
}

#[derive(Debug, Default)]
struct Link {
    socket: Option<OwnedFd>,
    generation: u32,
    /// What the kernel has not taken yet.
    unsent: Vec<u8>,
    /// Sockets of before, of whose end the peer was told nothing.
    forsaken: Vec<OwnedFd>,
}

/// The sockets.
pub(crate) struct Net {
    epoll: OwnedFd,
    peer: SocketAddr,
    links: Vec<Link>,
    events: Vec<epoll::Event>,
    awake: bool,
    /// The thread's CPU time since when awake waiting has given nothing, and nothing was sent.
    in_vain_since: Option<Duration>,
    idle: Duration,
}

impl Net {
    /// Room for `links` sockets to `peer`.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub(crate) fn new(peer: SocketAddr, links: usize) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let links = std::iter::repeat_with(Link::default).take(links).collect();
        let events = Vec::with_capacity(EVENTS);
        Ok(Self { epoll, peer, links, events, awake: false, in_vain_since: None, idle: Duration::ZERO })
    }

    /// Room for so many more sockets; their numbers.
    pub(crate) fn more(&mut self, count: usize) -> std::ops::Range<LinkId> {
        let first = self.links.len();
        self.links.resize_with(first + count, Link::default);
        first..self.links.len()
    }

    /// Begins to connect; it is writable once connected. `receive_buffer` bounds what the kernel takes for a client
    /// that does not read, in bytes; the kernel takes about twice as much.
    ///
    /// # Errors
    /// No descriptor or port is left, or the peer is not there.
    pub(crate) fn open(&mut self, id: LinkId, receive_buffer: Option<usize>) -> io::Result<()> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        if let Some(bytes) = receive_buffer {
            sockopt::set_socket_recv_buffer_size(&socket, bytes)?;
        }
        bind(&socket, id)?;
        match rustix::net::connect(&socket, &self.peer) {
            Ok(()) | Err(rustix::io::Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        let link = &mut self.links[id];
        link.generation = link.generation.wrapping_add(1);
        link.unsent.clear();
        epoll::add(&self.epoll, &socket, data(id, link.generation), EventFlags::OUT)?;
        link.socket = Some(socket);
        Ok(())
    }

    /// What became of connecting. Afterwards the socket is watched for what arrives.
    ///
    /// # Errors
    /// It was refused, reset or timed out.
    pub(crate) fn connected(&mut self, id: LinkId) -> io::Result<()> {
        let socket = self.links[id].socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        sockopt::socket_error(socket)??;
        self.watch(id, EventFlags::IN)
    }

    /// Closes; nothing is said to the peer but that.
    pub(crate) fn close(&mut self, id: LinkId) {
        let link = &mut self.links[id];
        link.socket = None;
        link.unsent = Vec::new();
    }

    /// Looks at it no more, and says nothing to the peer: as somebody does whose network is gone.
    pub(crate) fn forsake(&mut self, id: LinkId) {
        let link = &mut self.links[id];
        if let Some(socket) = link.socket.take() {
            // It fails only for one that is not watched, and then it was none.
            let _ = epoll::delete(&self.epoll, &socket);
            link.forsaken.push(socket);
        }
        link.unsent = Vec::new();
    }

    /// Whether there is a socket under the number.
    pub(crate) fn is_open(&self, id: LinkId) -> bool {
        self.links[id].socket.is_some()
    }

    /// Stops or starts to look at what arrives.
    ///
    /// # Errors
    /// There is no socket.
    pub(crate) fn listen(&self, id: LinkId, listening: bool) -> io::Result<()> {
        self.watch(id, if listening { EventFlags::IN } else { EventFlags::empty() })
    }

    fn watch(&self, id: LinkId, flags: EventFlags) -> io::Result<()> {
        let link = &self.links[id];
        let socket = link.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        Ok(epoll::modify(&self.epoll, socket, data(id, link.generation), flags)?)
    }

    /// Sends, or keeps what the kernel does not take until the socket is writable.
    ///
    /// # Errors
    /// The connection is gone.
    pub(crate) fn send(&mut self, id: LinkId, bytes: &[u8]) -> io::Result<()> {
        self.in_vain_since = None;
        let link = &mut self.links[id];
        if !link.unsent.is_empty() {
            link.unsent.extend_from_slice(bytes);
            return Ok(());
        }
        let socket = link.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let sent = taken(rustix::net::send(socket, bytes, SendFlags::NOSIGNAL))?;
        if sent < bytes.len() {
            link.unsent.extend_from_slice(&bytes[sent..]);
            self.watch(id, EventFlags::IN | EventFlags::OUT)?;
        }
        Ok(())
    }

    /// Sends what was kept.
    ///
    /// # Errors
    /// The connection is gone.
    pub(crate) fn flush(&mut self, id: LinkId) -> io::Result<()> {
        let link = &mut self.links[id];
        let socket = link.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let sent = taken(rustix::net::send(socket, &link.unsent, SendFlags::NOSIGNAL))?;
        link.unsent.drain(..sent);
        if link.unsent.is_empty() { self.watch(id, EventFlags::IN) } else { Ok(()) }
    }

    /// Reads what is there, at most as much as fits into `buffer`.
    ///
    /// # Errors
    /// The connection was reset.
    pub(crate) fn receive(&self, id: LinkId, buffer: &mut [u8]) -> io::Result<Received> {
        let socket = self.links[id].socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        match rustix::net::recv(socket, buffer, RecvFlags::empty()) {
            Ok((0, _)) => Ok(Received::End),
            Ok((bytes, _)) => Ok(Received::Bytes(bytes)),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(Received::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether waiting is done awake. While anything is measured it is: to wake a sleeping generator would be work
    /// of the server's core, at every frame, that clients at the other end of a network do not cause.
    pub(crate) fn stay_awake(&mut self, awake: bool) {
        self.awake = awake;
    }

    /// How long it has waited awake and in vain: CPU time that is no work.
    pub(crate) fn idle(&self) -> Duration {
        self.idle
    }

    /// Waits for events, and says how many there are; awake, it does not wait but look.
    ///
    /// # Errors
    /// As the system's `epoll_pwait2`.
    pub(crate) fn wait(&mut self, at_most: Duration) -> io::Result<usize> {
        if !self.awake {
            return self.poll(at_most);
        }
        let events = self.poll(Duration::ZERO)?;
        let now = (events == 0).then(thread_cpu_time);
        if let (Some(since), Some(now)) = (self.in_vain_since, now) {
            self.idle += now - since;
        }
        self.in_vain_since = now;
        Ok(events)
    }

    fn poll(&mut self, at_most: Duration) -> io::Result<usize> {
        self.events.clear();
        let timeout = Timespec {
            tv_sec: i64::try_from(at_most.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: at_most.subsec_nanos().into(),
        };
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.events), Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(self.events.len()),
            Err(error) => Err(error.into()),
        }
    }

    /// The event at `index`; `None`: it was of a socket that is no more.
    pub(crate) fn event(&self, index: usize) -> Option<Ready> {
        let event = self.events[index];
        let (link, generation) = ((event.data.u64() & 0xFFFF_FFFF) as usize, (event.data.u64() >> 32) as u32);
        let current = &self.links[link];
        let flags = event.flags;
        (current.socket.is_some() && current.generation == generation).then(|| Ready {
            link,
            writable: flags.contains(EventFlags::OUT),
            readable: flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR),
        })
    }
}

/// Others may take the core, so it is not the clock on the wall that tells what was waited.
fn thread_cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn data(id: LinkId, generation: u32) -> EventData {
    EventData::new_u64(u64::from(generation) << 32 | id as u64)
}

/// Picks the source address; the port is left to connecting, which has more to choose from.
fn bind(socket: &OwnedFd, id: LinkId) -> io::Result<()> {
    let address = (id / PER_ADDRESS) as u8 + 1;
    setsockopt(socket, IpBindAddressNoPort, &true)?;
    let from = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, address), 0));
    Ok(rustix::net::bind(socket, &from)?)
}

fn taken(sent: rustix::io::Result<usize>) -> io::Result<usize> {
    match sent {
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(0),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
    };

    use super::*;

    fn pair() -> (Net, std::net::TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut net = Net::new(listener.local_addr().unwrap(), 2).unwrap();
        net.open(1, None).unwrap();
        let (peer, _) = listener.accept().unwrap();
        assert_eq!(net.wait(Duration::from_secs(5)).unwrap(), 1);
        assert_eq!(net.event(0), Some(Ready { link: 1, writable: true, readable: false }));
        net.connected(1).unwrap();
        (net, peer)
    }

    #[test]
    fn bytes_go_both_ways() {
        let (mut net, mut peer) = pair();
        net.send(1, b"there").unwrap();
        let mut buffer = [0; 16];
        assert_eq!(peer.read(&mut buffer).unwrap(), 5);
        peer.write_all(b"back").unwrap();
        assert_eq!(net.wait(Duration::from_secs(5)).unwrap(), 1);
        assert_eq!(net.receive(1, &mut buffer).unwrap(), Received::Bytes(4));
        assert_eq!(net.receive(1, &mut buffer).unwrap(), Received::Nothing);
        drop(peer);
        net.wait(Duration::from_secs(5)).unwrap();
        assert_eq!(net.receive(1, &mut buffer).unwrap(), Received::End);
    }

    #[test]
    fn what_the_kernel_does_not_take_is_kept() {
        let (mut net, mut peer) = pair();
        let much = vec![7; 8 << 20];
        net.send(1, &much).unwrap();
        net.send(1, b"end").unwrap();
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            peer.read_to_end(&mut all).unwrap();
            all
        });
        while !net.links[1].unsent.is_empty() {
            net.wait(Duration::from_secs(5)).unwrap();
            net.flush(1).unwrap();
        }
        net.close(1);
        let all = reader.join().unwrap();
        assert_eq!((all.len(), &all[all.len() - 3..]), (much.len() + 3, &b"end"[..]));
    }

    #[test]
    fn an_event_of_an_earlier_socket_is_nobodys() {
        let (mut net, mut peer) = pair();
        peer.write_all(b"late").unwrap();
        assert_eq!(net.wait(Duration::from_secs(5)).unwrap(), 1);
        net.close(1);
        assert_eq!(net.event(0), None);
    }
}
