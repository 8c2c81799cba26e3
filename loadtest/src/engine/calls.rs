//! Calls by HTTP, from thousands of callers on the epoll of the clients: each has a connection that stays, and asks for
//! one thing after another. A call counts from when it was due, whatever its caller still waits for.

use std::{collections::VecDeque, ops::Range};

use super::{
    clock::Nanos,
    net::{LinkId, Net, Ready, Received},
};

/// The number of a caller, from 0.
pub(crate) type Caller = usize;

/// Something to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) caller: Caller,
    /// What it is to whoever asks; it is found again in the answer.
    pub(crate) tag: u32,
    pub(crate) due: Nanos,
    /// The whole request.
    pub(crate) message: Vec<u8>,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) caller: Caller,
    pub(crate) tag: u32,
    pub(crate) due: Nanos,
    pub(crate) at: Nanos,
    /// None: the connection was lost before there was an answer.
    pub(crate) status: Option<u16>,
    pub(crate) body: Vec<u8>,
}

/// One caller.
#[derive(Debug, Default)]
struct Line {
    /// The first one is under way as soon as the connection stands.
    calls: VecDeque<Call>,
    connected: bool,
    /// What has arrived of the answer.
    partial: Vec<u8>,
}

/// All callers. Their sockets have the numbers from `first` on.
#[derive(Debug)]
pub(crate) struct Calls {
    first: LinkId,
    lines: Vec<Line>,
    answered: VecDeque<Answered>,
    outstanding: usize,
}

impl Calls {
    /// Callers who have asked nothing yet, and have no connection before they do.
    pub(crate) fn new(links: Range<LinkId>) -> Self {
        let lines = links.clone().map(|_| Line::default()).collect();
        Self { first: links.start, lines, answered: VecDeque::new(), outstanding: 0 }
    }

    /// Whether a socket is one of theirs.
    pub(crate) fn has(&self, link: LinkId) -> bool {
        link >= self.first
    }

    /// Calls that have no answer yet.
    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// The next that was answered.
    pub(crate) fn next(&mut self) -> Option<Answered> {
        self.answered.pop_front()
    }

    /// Asks, as soon as the caller's other calls are answered.
    pub(crate) fn ask(&mut self, net: &mut Net, call: Call, now: Nanos) {
        let caller = call.caller;
        self.outstanding += 1;
        self.lines[caller].calls.push_back(call);
        if self.lines[caller].calls.len() == 1 {
            self.begin(net, caller, now);
        }
    }

    /// Takes what a socket is ready for.
    pub(crate) fn take(&mut self, net: &mut Net, ready: Ready, buffer: &mut [u8], now: Nanos) {
        let caller = ready.link - self.first;
        let done = match (ready.writable, self.lines[caller].connected) {
            (true, false) => self.connected(net, caller),
            (true, true) => net.flush(ready.link),
            (false, _) => Ok(()),
        };
        if done.is_err() {
            return self.lost(net, caller, now);
        }
        if ready.readable {
            self.read(net, caller, buffer, now);
        }
    }

    /// Sends the first call; without a connection, opens one for it.
    fn begin(&mut self, net: &mut Net, caller: Caller, now: Nanos) {
        let (link, line) = (self.first + caller, &self.lines[caller]);
        let Some(call) = line.calls.front() else { return };
        let begun = match (line.connected, net.is_open(link)) {
            (true, _) => net.send(link, &call.message),
            (false, true) => Ok(()),
            (false, false) => net.open(link, None),
        };
        if begun.is_err() {
            self.lost(net, caller, now);
        }
    }

    fn connected(&mut self, net: &mut Net, caller: Caller) -> std::io::Result<()> {
        let link = self.first + caller;
        net.connected(link)?;
        self.lines[caller].connected = true;
        self.lines[caller].calls.front().map_or(Ok(()), |call| net.send(link, &call.message))
    }

    fn read(&mut self, net: &mut Net, caller: Caller, buffer: &mut [u8], now: Nanos) {
        match net.receive(self.first + caller, buffer) {
            Ok(Received::Bytes(count)) => {
                self.lines[caller].partial.extend_from_slice(&buffer[..count]);
                self.answers(net, caller, now);
            }
            Ok(Received::Nothing) => {}
            Ok(Received::End) | Err(_) => self.lost(net, caller, now),
        }
    }

    /// Takes an answer that has arrived whole, and goes on with the next call.
    fn answers(&mut self, net: &mut Net, caller: Caller, now: Nanos) {
        match next(&self.lines[caller].partial) {
            Next::Partial => {}
            Next::Broken => self.lost(net, caller, now),
            Next::Whole { status, body } => {
                let partial = std::mem::take(&mut self.lines[caller].partial);
                self.finish(caller, now, Some(status), partial[body].to_vec());
                self.begin(net, caller, now);
            }
        }
    }

    /// A connection is gone: the hub may end one that nothing is asked over; else a call has no answer.
    fn lost(&mut self, net: &mut Net, caller: Caller, now: Nanos) {
        net.close(self.first + caller);
        self.lines[caller].connected = false;
        self.lines[caller].partial.clear();
        self.finish(caller, now, None, Vec::new());
        self.begin(net, caller, now);
    }

    fn finish(&mut self, caller: Caller, at: Nanos, status: Option<u16>, body: Vec<u8>) {
        let Some(Call { tag, due, .. }) = self.lines[caller].calls.pop_front() else { return };
        self.outstanding -= 1;
        self.answered.push_back(Answered { caller, tag, due, at, status, body });
    }
}

/// What the bytes so far are.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Whole {
        status: u16,
        body: Range<usize>,
    },
    Partial,
    /// No answer to one call that says how long it is.
    Broken,
}

fn next(bytes: &[u8]) -> Next {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Next::Partial };
    let Some((status, length)) = std::str::from_utf8(&bytes[..end]).ok().and_then(head) else {
        return Next::Broken;
    };
    let body = end + 4..end + 4 + length;
    match bytes.len().cmp(&body.end) {
        std::cmp::Ordering::Less => Next::Partial,
        std::cmp::Ordering::Equal => Next::Whole { status, body },
        std::cmp::Ordering::Greater => Next::Broken,
    }
}

/// Status and length of the body; none without either. An answer that has none says no length.
fn head(text: &str) -> Option<(u16, usize)> {
    let mut lines = text.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())
    });
    Some((status, length.unwrap_or(Some(0))?))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        time::{Duration, Instant},
    };

    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

    #[test]
    fn an_answer_ends_where_it_says() {
        let (start, end) = (ANSWER.len() - 2, ANSWER.len());
        assert_eq!(next(ANSWER), Next::Whole { status: 200, body: start..end });
        assert!((0..end).all(|cut| next(&ANSWER[..cut]) == Next::Partial));
        assert_eq!(next(&[ANSWER, b"!"].concat()), Next::Broken);
        assert_eq!(next(b"HTTP/1.1 204 No Content\r\n\r\n"), Next::Whole { status: 204, body: 27..27 });
        assert_eq!(next(b"HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n"), Next::Broken);
    }

    fn call(tag: u32) -> Call {
        Call { caller: 0, tag, due: 5, message: format!("call {tag};").into_bytes() }
    }

    /// Lets the caller go on until the next answer.
    fn answer(net: &mut Net, calls: &mut Calls) -> Answered {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(answered) = calls.next() {
                return answered;
            }
            assert!(Instant::now() < deadline, "no answer");
            for index in 0..net.wait(Duration::from_millis(10)).unwrap() {
                if let Some(ready) = net.event(index) {
                    calls.take(net, ready, &mut [0; 4096], 7);
                }
            }
        }
    }

    /// Reads one call, and answers it.
    fn serve(stream: &mut TcpStream) -> String {
        let mut asked = [0; 7];
        stream.read_exact(&mut asked).unwrap();
        stream.write_all(ANSWER).unwrap();
        String::from_utf8_lossy(&asked).into_owned()
    }

    #[test]
    fn one_call_is_asked_after_another_and_a_lost_one_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut net = Net::new(listener.local_addr().unwrap(), 1).unwrap();
        let mut calls = Calls::new(0..1);
        (1..4).for_each(|tag| calls.ask(&mut net, call(tag), 6));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let first = serve(&mut stream);
            stream.read_exact(&mut [0; 7]).unwrap();
            drop(stream);
            let (mut stream, _) = listener.accept().unwrap();
            (first, serve(&mut stream))
        });
        let answered: Vec<_> = (1..4).map(|_| answer(&mut net, &mut calls)).collect();
        let told: Vec<_> = answered.iter().map(|it| (it.tag, it.status)).collect();
        assert_eq!(told, [(1, Some(200)), (2, None), (3, Some(200))]);
        assert_eq!((&answered[0].body[..], answered[0].due, answered[0].at), (&b"hi"[..], 5, 7));
        assert_eq!(server.join().unwrap(), ("call 1;".to_owned(), "call 3;".to_owned()));
        assert_eq!(calls.outstanding(), 0);
    }
}
