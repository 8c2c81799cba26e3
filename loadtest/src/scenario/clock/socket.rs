//! A client on a thread of its own, for what has to be seen at the moment at which it arrives.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use model::Encoding;

use super::desk::CHANNEL;
use crate::{
    engine::{
        frame::{self, Next},
        speech::Speech,
    },
    hub::Hub,
    world::agency::{Assistant, assistant},
};

/// How long a look waits for something to arrive.
const LOOK: Duration = Duration::from_millis(100);
/// For the answer to a handshake.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// A text that has arrived.
pub(super) struct Arrived {
    pub(super) at: Instant,
    pub(super) text: String,
}

/// A socket that answers heartbeats.
pub(super) struct Socket {
    stream: TcpStream,
    /// What has arrived and was not taken yet, with the time of the last of it.
    bytes: Vec<u8>,
    at: Instant,
    speech: Speech,
    requests: u32,
}

impl Socket {
    /// Connects as an assistant, or the owner, who announces nothing.
    ///
    /// # Errors
    /// The hub does not let them in.
    pub(super) fn enter(hub: &Hub, who: Assistant) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(hub.address())?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LOOK))?;
        let speech = Speech::new(Encoding::Json, 0);
        let mut socket = Self { stream, bytes: Vec::new(), at: Instant::now(), speech, requests: 0 };
        socket.stream.write_all(&speech.upgrade(hub.address()))?;
        socket.upgraded()?;
        socket.stream.write_all(&speech.hello(&hub.token(assistant(who))?, None, None))?;
        Ok(socket)
    }

    fn upgraded(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(end) = self.bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                ensure!(self.bytes.starts_with(b"HTTP/1.1 101"), "the upgrade was refused");
                self.bytes.drain(..end + 4);
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the upgrade is not answered");
            self.read()?;
        }
    }

    /// Asks for the agency's people and accounts.
    ///
    /// # Errors
    /// The connection is gone.
    pub(super) fn subscribe(&mut self) -> anyhow::Result<()> {
        self.requests += 1;
        Ok(self.stream.write_all(&self.speech.subscribe(self.requests, CHANNEL))?)
    }

    /// Gives a view up.
    ///
    /// # Errors
    /// The connection is gone.
    pub(super) fn unsubscribe(&mut self, subscription: u32) -> anyhow::Result<()> {
        self.requests += 1;
        Ok(self.stream.write_all(&self.speech.unsubscribe(self.requests, subscription))?)
    }

    /// The next text; `None`: nothing arrives for a moment.
    ///
    /// # Errors
    /// The connection is over.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Arrived>> {
        loop {
            let Some((opcode, text)) = self.whole()? else {
                if self.read()? {
                    continue;
                }
                return Ok(None);
            };
            match opcode {
                frame::TEXT if text == r#"{"t":"heartbeat"}"# => {
                    self.stream.write_all(&self.speech.heartbeat())?;
                }
                frame::TEXT => return Ok(Some(Arrived { at: self.at, text })),
                frame::CLOSE => bail!("the hub closed an onlooker's connection"),
                9 => self.stream.write_all(&Speech::pong())?,
                _ => {}
            }
        }
    }

    /// The first frame of what has arrived, taken out.
    fn whole(&mut self) -> anyhow::Result<Option<(u8, String)>> {
        let (length, taken) = match frame::next(&self.bytes) {
            Next::Whole(frame) => {
                (frame.length, (frame.opcode, String::from_utf8_lossy(frame.payload).into_owned()))
            }
            Next::Partial => return Ok(None),
            Next::Broken => bail!("bytes that are no frame"),
        };
        self.bytes.drain(..length);
        Ok(Some(taken))
    }

    /// Whether something more has arrived.
    fn read(&mut self) -> anyhow::Result<bool> {
        let kept = self.bytes.len();
        self.bytes.resize(kept + CHUNK, 0);
        let read = self.stream.read(&mut self.bytes[kept..]);
        self.at = Instant::now();
        self.bytes.truncate(kept + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => bail!("the hub ended an onlooker's connection"),
            Ok(_) => Ok(true),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(error).context("an onlooker's connection"),
        }
    }
}
