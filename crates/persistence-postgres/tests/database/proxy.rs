//! A way to the server that breaks where a case wants it to: every fault of the network, at a chosen moment.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
    time::sleep,
};

/// The end of a transaction as the client says it, a statement of its own: a beginning names READ COMMITTED.
pub(crate) const COMMIT: &str = "COMMIT\0";

/// What happens to a connection that asks for something with the fault's word in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is cut before the server hears of it.
    CutBefore,
    /// It is cut once the server has answered; the answer is not passed on.
    CutReply,
    /// The server hears it and answers; neither side hears of the other again.
    HoldReply,
    /// It takes this much longer.
    Delay(Duration),
}

/// A fault, the word that brings it about, and how many connections it befalls.
#[derive(Clone, Debug)]
struct Plan {
    word: &'static [u8],
    fault: Fault,
    times: u64,
}

#[derive(Default)]
struct Shared {
    plan: Mutex<Option<Plan>>,
    befallen: AtomicU64,
}

impl Shared {
    /// The fault, where this is what it waits for.
    fn strike(&self, asked: &[u8]) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let planned = plan.as_mut()?;
        let meant = asked.windows(planned.word.len()).any(|word| word == planned.word);
        if !meant || planned.times == 0 {
            return None;
        }
        planned.times -= 1;
        self.befallen.fetch_add(1, SeqCst);
        Some(planned.fault)
    }
}

/// Listens on a port of its own and passes on what it hears.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
        let task = tokio::spawn(accept(listener, SocketAddr::from(([127, 0, 0, 1], server)), shared.clone()));
        Self { port, shared, task }
    }

    /// The URL of the server behind it, by way of it. Without TLS, so that words can be found.
    pub(crate) fn url(&self, direct: &str, server: u16) -> String {
        let url = direct.replace(&format!(":{server}/"), &format!(":{}/", self.port));
        assert_ne!(url, direct, "the URL names the server's port");
        format!("{url}{}sslmode=disable", if url.contains('?') { '&' } else { '?' })
    }

    /// From now on, `fault` befalls the next `times` connections that ask for something with `word` in it.
    pub(crate) fn plan(&self, word: &'static str, fault: Fault, times: u64) {
        let plan = Plan { word: word.as_bytes(), fault, times };
        *self.shared.plan.lock().unwrap_or_else(PoisonError::into_inner) = Some(plan);
    }

    /// Connections that a fault has befallen so far.
    pub(crate) fn befallen(&self) -> u64 {
        self.shared.befallen.load(SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            // A server that is not there is a connection that ends.
            if let Ok(server) = TcpStream::connect(server).await {
                pass(client, server, shared).await;
            }
        });
    }
}

/// What the half that hears the server does with what it hears.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Replies {
    Passed,
    /// The next one cuts the connection.
    Cutting,
    Swallowed,
}

async fn pass(client: TcpStream, server: TcpStream, shared: Arc<Shared>) {
    // Closed, it is reset: what was on its way is gone.
    _ = client.set_zero_linger();
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let (say, hear) = watch::channel(Replies::Passed);
    tokio::select! {
        _ = ask(from_client, to_server, &shared, &say) => {}
        _ = answer(from_server, to_client, hear) => {}
    }
}

async fn ask(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    shared: &Shared,
    replies: &watch::Sender<Replies>,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = client.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        match shared.strike(&buffer[..count]) {
            None => {}
            Some(Fault::CutBefore) => return Ok(()),
            Some(Fault::CutReply) => _ = replies.send(Replies::Cutting),
            Some(Fault::HoldReply) => _ = replies.send(Replies::Swallowed),
            Some(Fault::Delay(pause)) => sleep(pause).await,
        }
        server.write_all(&buffer[..count]).await?;
    }
}

async fn answer(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    replies: watch::Receiver<Replies>,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = server.read(&mut buffer).await?;
        let now = *replies.borrow();
        match now {
            _ if count == 0 => return Ok(()),
            Replies::Passed => client.write_all(&buffer[..count]).await?,
            Replies::Cutting => return Ok(()),
            Replies::Swallowed => {}
        }
    }
}
