//! The accept call, and what to do when it fails.

use std::{io, net::SocketAddr, time::Duration};

use tokio::net::{TcpListener, TcpStream};

/// Where connections come from.
pub trait Accept: Send + Sync {
    /// The next connection. Dropping the future loses none.
    ///
    /// # Errors
    /// As the system's accept: of one connection, or for want of a resource.
    fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send;
}

impl Accept for TcpListener {
    fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send {
        Self::accept(self)
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Pauses after failures that come back at once, such as no file descriptor being free: without a pause the loop would
/// spin, and the connections that could free one would not run.
#[derive(Debug, Default)]
pub(super) struct Backoff(Option<Duration>);

impl Backoff {
    pub(super) fn reset(&mut self) {
        self.0 = None;
    }

    pub(super) async fn after(&mut self, error: &io::Error) {
        if is_of_one_connection(error) {
            return;
        }
        metrics::counter!("presence_hub_accept_errors_total").increment(1);
        let pause = self.0.map_or(FIRST_PAUSE, |last| (last * 2).min(LONGEST_PAUSE));
        self.0 = Some(pause);
        tracing::error!(%error, pause_ms = pause.as_millis() as u64, "connections cannot be accepted; trying again");
        tokio::time::sleep(pause).await;
    }
}

/// The peer was gone before it was accepted; the next one may be there.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
