//! Just enough HTTP/1.1 to fill a hub: one connection, one call after the other.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::Value;

/// Longer than the hub's own deadline for a request.
const DEADLINE: Duration = Duration::from_secs(310);

/// A connection for calls.
pub(super) struct Rest {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

impl Rest {
    pub(super) fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("nobody listens on {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        Ok(Self { stream: BufReader::new(stream), address })
    }

    /// Calls, and wants to hear that all is well.
    pub(super) fn call(&mut self, method: &str, path: &str, token: &str, body: &Value) -> anyhow::Result<()> {
        let body = body.to_string();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        self.stream.get_mut().write_all((head + &body).as_bytes())?;
        let (status, answer) = read_answer(&mut self.stream)?;
        ensure!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        Ok(())
    }
}

/// The status and the body of an answer that says how long it is.
fn read_answer(stream: &mut impl BufRead) -> anyhow::Result<(u16, String)> {
    let status = read_line(stream)?;
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    let mut length = 0;
    loop {
        let line = read_line(stream)?;
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse()?;
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = String::new();
    stream.take(length).read_to_string(&mut body)?;
    Ok((status.context("an answer without a status")?, body))
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
    fn answers_are_read_one_after_the_other() {
        let text = "HTTP/1.1 204 No Content\r\ndate: x\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno!HTTP/1.1";
        let mut stream = text.as_bytes();
        assert_eq!(read_answer(&mut stream).unwrap(), (204, String::new()));
        assert_eq!(read_answer(&mut stream).unwrap(), (404, "no!".to_owned()));
        assert!(read_answer(&mut stream).is_err());
    }
}
