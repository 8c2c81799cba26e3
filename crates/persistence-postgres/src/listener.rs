//! Hears that something has changed, on a connection of its own that comes back by itself.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use persistence::Wake;
use sqlx::{
    Executor,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{sleep, timeout},
};

const CHANNEL: &str = "presence_changes";
/// Between two questions to the server. A connection whose other end is gone says nothing at all.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// How long an answer, or a connection, may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between the first two attempts to connect; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What was heard and not yet told.
#[derive(Default)]
struct Bell {
    rung: Notify,
    changed: AtomicBool,
    deaf: AtomicBool,
}

impl Bell {
    fn ring(&self, wake: Wake) {
        match wake {
            Wake::Changed => self.changed.store(true, SeqCst),
            Wake::Deaf => self.deaf.store(true, SeqCst),
        }
        self.rung.notify_one();
    }

    /// To be told that everything is to be read again includes to be told that something has changed.
    fn heard(&self) -> Option<Wake> {
        if self.deaf.swap(false, SeqCst) {
            self.changed.store(false, SeqCst);
            return Some(Wake::Deaf);
        }
        self.changed.swap(false, SeqCst).then_some(Wake::Changed)
    }
}

/// The task that listens. Ends with the last of its owners.
pub(crate) struct Listener {
    bell: Arc<Bell>,
    task: JoinHandle<()>,
}

impl Listener {
    pub(crate) fn start(options: PgConnectOptions) -> Self {
        let bell = Arc::new(Bell::default());
        Self { bell: bell.clone(), task: tokio::spawn(listen(options, bell)) }
    }

    /// Returns when there is something to ask for. What was heard stays until it was returned.
    pub(crate) async fn woken(&self) -> Wake {
        loop {
            if let Some(wake) = self.bell.heard() {
                return wake;
            }
            self.bell.rung.notified().await;
        }
    }

    pub(crate) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn listen(options: PgConnectOptions, bell: Arc<Bell>) {
    let (mut pause, mut was_lost) = (FIRST_PAUSE, false);
    loop {
        match timeout(PATIENCE, connect(options.clone())).await {
            Ok(Ok(listener)) => {
                if was_lost {
                    tracing::info!("listening to the database's changes again");
                    bell.ring(Wake::Deaf);
                }
                pause = FIRST_PAUSE;
                let lost = hear(listener, &bell).await;
                tracing::warn!(%lost, "the connection that listens to the database's changes is lost");
            }
            Ok(Err(error)) => tracing::debug!(%error, "cannot listen to the database's changes"),
            Err(_) => tracing::debug!("cannot listen to the database's changes: no answer"),
        }
        was_lost = true;
        sleep(pause.mul_f64(rand::random_range(0.5..1.0))).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn connect(options: PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    let pool = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let mut listener = PgListener::connect_with(&pool.connect_with(options).await?).await?;
    // Connecting again is ours: a pool would wait for the server without end, and without saying so.
    listener.eager_reconnect(false);
    listener.ignore_pool_close_event(true);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Rings for what is heard until the connection is lost; why it was.
async fn hear(mut listener: PgListener, bell: &Bell) -> String {
    loop {
        match timeout(ASK_EVERY, listener.try_recv()).await {
            Ok(Ok(Some(_))) => bell.ring(Wake::Changed),
            Ok(Ok(None)) => return "the server closed it".into(),
            Ok(Err(error)) => return error.to_string(),
            Err(_) => match timeout(PATIENCE, listener.execute("SELECT 1")).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return error.to_string(),
                Err(_) => return "the server does not answer".into(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_is_told_once_and_the_worst_of_it() {
        let bell = Bell::default();
        assert_eq!(bell.heard(), None);
        bell.ring(Wake::Changed);
        bell.ring(Wake::Changed);
        assert_eq!((bell.heard(), bell.heard()), (Some(Wake::Changed), None));
        bell.ring(Wake::Changed);
        bell.ring(Wake::Deaf);
        assert_eq!((bell.heard(), bell.heard()), (Some(Wake::Deaf), None));
    }
}
