//! A connection on which nobody is refused without a word.
//!
//! What cannot be read as a request reaches no route: the HTTP library answers it by itself, with a status, no body and
//! no id, and offers no place to say more. So this sits between the library and the connection, and puts the hub's own
//! problem document in the place of such an answer.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use model::ErrorCode;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};
use uuid::Uuid;

use super::{MAX_HEAD_BYTES, MAX_HEADERS};
use crate::{
    edge::REQUEST_ID,
    problem::{Kind, Problem},
};

/// What a client may still be sending when it is refused is read, so that the answer is not lost with a connection that
/// is reset: at most so much,
const MAX_UNREAD_BYTES: usize = 256 * 1024;
/// and for at most so long.
const MAX_LINGER: Duration = Duration::from_secs(1);

/// A TCP connection as the HTTP library has it.
#[derive(Debug)]
pub struct Worded {
    stream: TcpStream,
    refusal: Option<Box<Refusal>>,
}

/// What is said in the place of a bare answer, and what the client says meanwhile.
#[derive(Debug)]
struct Refusal {
    answer: Vec<u8>,
    written: usize,
    unread: usize,
    given_up: Pin<Box<Sleep>>,
}

impl Worded {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, refusal: None }
    }

    /// The connection itself.
    #[must_use]
    pub fn into_inner(self) -> TcpStream {
        self.stream
    }
}

/// The whole answer with a problem, after which the connection ends.
pub(super) fn last_answer(problem: Problem) -> Vec<u8> {
    problem.count();
    let id = Uuid::new_v4();
    let status = problem.kind().status();
    let retry_after = problem.retry_after_s().map(|s| format!("retry-after: {s}\r\n")).unwrap_or_default();
    let body = problem.request_id(id).to_json();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n{REQUEST_ID}: {id}\r\n\
         {retry_after}x-content-type-options: nosniff\r\nconnection: close\r\n\r\n",
        body.len(),
    );
    [head.as_bytes(), &body].concat()
}

/// What to say in the place of an answer of the library's own. All answers of the hub have an id.
fn instead_of(answer: &[u8]) -> Option<Problem> {
    let status = answer.strip_prefix(b"HTTP/1.1 ").or_else(|| answer.strip_prefix(b"HTTP/1.0 "))?.get(..3)?;
    let problem = match status {
        b"400" => Problem::new(ErrorCode::Malformed, "this is no request of HTTP/1.1 that can be read"),
        b"431" => Problem::new(
            Kind::HeadTooLarge,
            format!(
                "address and headers have at most {MAX_HEAD_BYTES} bytes, and at most {MAX_HEADERS} headers"
            ),
        ),
        _ => return None,
    };
    // Nothing but such a head ends so: no JSON has the bytes of a line's end in it.
    let is_all = answer.ends_with(b"\r\n\r\n");
    let id = REQUEST_ID;
    let is_ours = answer.windows(id.as_str().len()).any(|part| part == id.as_str().as_bytes());
    (is_all && !is_ours).then_some(problem)
}

impl Refusal {
    fn new(problem: Problem) -> Self {
        Self { answer: last_answer(problem), written: 0, unread: 0, given_up: Box::pin(sleep(MAX_LINGER)) }
    }

    fn poll_write(&mut self, mut stream: Pin<&mut TcpStream>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.answer.len() {
            let count = ready!(stream.as_mut().poll_write(cx, &self.answer[self.written..]))?;
            self.written += count;
        }
        Poll::Ready(Ok(()))
    }

    /// Reads what is still on its way until the client ends it too, within the limits.
    fn poll_linger(&mut self, mut stream: Pin<&mut TcpStream>, cx: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [0; 4096];
        while self.unread < MAX_UNREAD_BYTES && self.given_up.as_mut().poll(cx).is_pending() {
            let mut part = ReadBuf::new(&mut bytes);
            match ready!(stream.as_mut().poll_read(cx, &mut part)) {
                Ok(()) if !part.filled().is_empty() => self.unread += part.filled().len(),
                _ => break,
            }
        }
        Poll::Ready(())
    }
}

impl AsyncRead for Worded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Worded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(problem) = instead_of(buf) {
            self.refusal = Some(Box::new(Refusal::new(problem)));
        }
        match self.refusal {
            // It is written as it is flushed.
            Some(_) => Poll::Ready(Ok(buf.len())),
            None => Pin::new(&mut self.stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, refusal } = &mut *self;
        match refusal {
            Some(refusal) => refusal.poll_write(Pin::new(stream), cx),
            None => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        let Self { stream, refusal } = &mut *self;
        let mut stream = Pin::new(stream);
        ready!(stream.as_mut().poll_shutdown(cx))?;
        match refusal {
            Some(refusal) => refusal.poll_linger(stream, cx).map(Ok),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // An answer of the library's own is one piece.
        match bufs {
            [only] => self.poll_write(cx, only),
            _ => Pin::new(&mut self.stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
