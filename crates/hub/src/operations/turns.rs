//! One change of a user after another, in the order in which they were asked for.
//!
//! Changes of different users never wait for each other. Without this, a hiding that takes the reserved connection
//! could be overtaken by the showing that was asked for before it.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
};

use model::UserId;
use tokio::{runtime::Handle, sync::oneshot};

/// The last turn of each user who has one.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<UserId, Last>>>);

#[derive(Debug)]
struct Last {
    number: u64,
    ended: oneshot::Receiver<()>,
}

/// A place in the line of one user, taken when it was made. Dropped, it lets the next one in: at once where it has come,
/// else when everybody before it has ended.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Turns,
    user: UserId,
    number: u64,
    before: Option<oneshot::Receiver<()>>,
    /// Dropped with the turn: that is what the next one waits for.
    ends: Option<oneshot::Sender<()>>,
}

impl Turns {
    /// Takes the last place in the line of `user`, at once.
    pub(super) fn queue(&self, user: UserId) -> Turn {
        let (ends, ended) = oneshot::channel();
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, before) = match lines.entry(user) {
            Entry::Occupied(mut line) => {
                let number = line.get().number + 1;
                (number, Some(line.insert(Last { number, ended }).ended))
            }
            Entry::Vacant(line) => {
                line.insert(Last { number: 0, ended });
                metrics::gauge!("presence_hub_change_lines").increment(1);
                (0, None)
            }
        };
        drop(lines);
        Turn { turns: self.clone(), user, number, before, ends: Some(ends) }
    }
}

impl Turns {
    /// Nobody has to wait for this turn any more.
    fn end(&self, user: UserId, number: u64) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(line) = lines.entry(user)
            && line.get().number == number
        {
            line.remove();
            metrics::gauge!("presence_hub_change_lines").decrement(1);
        }
    }
}

impl Turn {
    /// Waits until everybody before has ended. May be given up and gone on with later.
    pub(super) async fn come(&mut self) {
        if let Some(before) = &mut self.before {
            // An error is how a turn ends: its sender is dropped.
            let _ = before.await;
            self.before = None;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (turns, user, number) = (self.turns.clone(), self.user, self.number);
        match (self.before.take(), Handle::try_current()) {
            (Some(before), Ok(runtime)) => {
                let ends = self.ends.take();
                runtime.spawn(async move {
                    let _ = before.await;
                    turns.end(user, number);
                    drop(ends);
                });
            }
            _ => turns.end(user, number),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;
    use uuid::Uuid;

    use super::*;

    async fn comes(turn: &mut Turn) -> bool {
        timeout(Duration::from_millis(1), turn.come()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn turns_come_in_order_and_users_are_apart() {
        let turns = Turns::default();
        let (ada, ben) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let (mut first, mut second, mut third) = (turns.queue(ada), turns.queue(ada), turns.queue(ada));
        let mut other = turns.queue(ben);
        assert!(comes(&mut first).await && comes(&mut other).await);
        assert!(!comes(&mut second).await && !comes(&mut third).await);
        drop(first);
        assert!(!comes(&mut third).await && comes(&mut second).await);
        drop(second);
        assert!(comes(&mut third).await);
        drop((third, other));
        assert!(turns.0.lock().unwrap().is_empty(), "nothing is left of it");
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_lets_nobody_overtake() {
        let turns = Turns::default();
        let ada = UserId(Uuid::from_u128(1));
        let (first, mut second, mut third) = (turns.queue(ada), turns.queue(ada), turns.queue(ada));
        assert!(!comes(&mut second).await);
        drop(second);
        assert!(!comes(&mut third).await, "the first is not over");
        drop(first);
        assert!(comes(&mut third).await);
        let mut fourth = turns.queue(ada);
        drop(turns.queue(ada));
        assert!(!comes(&mut fourth).await && !comes(&mut turns.queue(ada)).await);
        drop(third);
        assert!(comes(&mut fourth).await);
    }
}
