//! Just enough HTTP/1.1 to fill a hub: one connection, one call after the other.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::Value;
use uuid::Uuid;

/// Longer than the hub's own deadline for a request.
const DEADLINE: Duration = Duration::from_secs(310);

/// A connection for calls.
pub(crate) struct Rest {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

impl Rest {
    /// # Errors
    /// Nobody listens there.
    pub(crate) fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("nobody listens on {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        Ok(Self { stream: BufReader::new(stream), address })
    }

    /// Calls, and wants to hear that all is well.
    pub(super) fn call(&mut self, method: &str, path: &str, token: &str, body: &Value) -> anyhow::Result<()> {
        let Answer { status, body, .. } = self.ask(method, path, token, body)?;
        ensure!((200..300).contains(&status), "{method} {path}: {status} {body}");
        Ok(())
    }

    /// Calls, and takes whatever is answered. No token, or no body: empty, or null.
    ///
    /// # Errors
    /// There is no answer.
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        token: &str,
        body: &Value,
    ) -> anyhow::Result<Answer> {
        self.stream.get_mut().write_all(&request(self.address, (method, path), token, body))?;
        read_answer(&mut self.stream)
    }
}

/// A whole request. No token, or no body: empty, or null.
pub(crate) fn request(host: SocketAddr, (method, path): (&str, &str), token: &str, body: &Value) -> Vec<u8> {
    let mut message = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
    if !token.is_empty() {
        message += &format!("Authorization: Bearer {token}\r\n");
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    message += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    (message + &body).into_bytes()
}

/// The request of a durable operation, with its name.
pub(crate) fn named(request: &[u8], operation: Uuid) -> Vec<u8> {
    let line = request.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let (first, rest) = request.split_at(line);
    [first, format!("Idempotency-Key: {operation}\r\n").as_bytes(), rest].concat()
}

/// What was answered to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// After how many seconds it is worth asking again.
    pub(crate) retry_after_s: Option<u64>,
    pub(crate) body: String,
}

/// An answer that says how long it is, as a whole or chunk by chunk.
fn read_answer(stream: &mut impl BufRead) -> anyhow::Result<Answer> {
    let status = read_line(stream)?;
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    let (mut length, mut retry_after_s) = (Length::Known(0), None);
    loop {
        let line = read_line(stream)?;
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = Length::Known(value.trim().parse()?);
            }
            Some((name, _)) if name.eq_ignore_ascii_case("transfer-encoding") => length = Length::Chunked,
            Some((name, value)) if name.eq_ignore_ascii_case("retry-after") => {
                retry_after_s = value.trim().parse().ok();
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = String::new();
    match length {
        Length::Known(bytes) => drop(stream.take(bytes).read_to_string(&mut body)?),
        Length::Chunked => read_chunks(stream, &mut body)?,
    }
    Ok(Answer { status: status.context("an answer without a status")?, retry_after_s, body })
}

/// How an answer tells where it ends.
enum Length {
    Known(u64),
    Chunked,
}

/// Chunks, each behind its length in hexadecimal; one of no length is the last.
fn read_chunks(stream: &mut impl BufRead, body: &mut String) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    loop {
        let length = u64::from_str_radix(&read_line(stream)?, 16).context("a chunk without a length")?;
        stream.by_ref().take(length).read_to_end(&mut bytes)?;
        ensure!(read_line(stream)?.is_empty(), "a chunk is longer than it says");
        if length == 0 {
            body.push_str(std::str::from_utf8(&bytes)?);
            return Ok(());
        }
    }
}

fn read_line(stream: &mut impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line).context("the answer does not come")?;
    ensure!(line.ends_with('\n'), "the connection ended within an answer");
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_put_together() {
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na\u{e9}\r\nA\r\n0123456789\r\n0\r\n\r\n\
                    HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\ncut";
        let mut stream = text.as_bytes();
        assert_eq!(read_answer(&mut stream).unwrap().body, "a\u{e9}0123456789");
        assert!(read_answer(&mut stream).is_err());
    }

    #[test]
    fn an_operation_is_named_in_the_head() {
        let host = "127.0.0.1:80".parse().unwrap();
        let text = named(&request(host, ("PUT", "/a"), "", &serde_json::json!({})), Uuid::nil());
        let text = String::from_utf8(text).unwrap();
        let start = format!("PUT /a HTTP/1.1\r\nIdempotency-Key: {}\r\nHost: ", Uuid::nil());
        assert!(text.starts_with(&start) && text.ends_with("\r\n\r\n{}"), "{text}");
    }

    #[test]
    fn answers_are_read_one_after_the_other() {
        let text = "HTTP/1.1 204 No Content\r\ndate: x\r\n\r\nHTTP/1.1 503 Service Unavailable\r\n\
                    Content-Length: 3\r\nRetry-After: 1\r\n\r\nno!HTTP/1.1";
        let mut stream = text.as_bytes();
        let answer =
            |status, retry_after_s, body: &str| Answer { status, retry_after_s, body: body.to_owned() };
        assert_eq!(read_answer(&mut stream).unwrap(), answer(204, None, ""));
        assert_eq!(read_answer(&mut stream).unwrap(), answer(503, Some(1), "no!"));
        assert!(read_answer(&mut stream).is_err());
    }
}
