//! The generator: thousands of clients of the protocol on one thread.
//!
//! One thread, epoll, one read buffer for all, nothing allocated for a frame that arrives. It is not the client
//! library: that one is made for a program with one connection; this one for a core that has to keep up with two
//! million changes a second and judge each of them.

pub(crate) mod calls;
pub(crate) mod clock;
pub(crate) mod drive;
pub(crate) mod frame;
pub(crate) mod judge;
pub(crate) mod net;
pub(crate) mod scan;
pub(crate) mod schedule;
pub(crate) mod speech;
pub(crate) mod swarm;
