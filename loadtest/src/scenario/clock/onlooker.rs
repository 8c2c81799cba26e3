//! Those who look on: the owner, who is shown who is where, and an assistant's tab, which is shown that somebody is.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, bail, ensure};
use model::{EntryId, Holder, Phase, Record, ViewFrame};
use wire::ServerFrame;

use super::socket::{Arrived, Socket};
use crate::{
    hub::Hub,
    world::agency::{Account, Assistant, OWNER, account_number, assistant_number, name, names_another},
};

/// For the first view to be complete.
const PATIENCE: Duration = Duration::from_secs(60);
/// Words kept of what went wrong; the rest is counted.
const COMPLAINTS: usize = 4;

/// What an account shows to somebody; an account that is free shows none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Badge {
    Occupied,
    Own,
    Named(Assistant),
}

impl Badge {
    /// What `viewer` is to be shown of an account that `holder` is in.
    pub(super) fn of(holder: Assistant, viewer: Assistant) -> Self {
        match viewer {
            OWNER => Self::Named(holder),
            viewer if viewer == holder => Self::Own,
            _ => Self::Occupied,
        }
    }
}

/// A change that was seen.
#[derive(Clone, Copy, Debug)]
struct Sight {
    at: Instant,
    account: Account,
    badge: Option<Badge>,
}

/// What somebody was shown.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// As it is at the end.
    pub(super) badges: BTreeMap<Account, Badge>,
    /// Told more than may be seen.
    pub(super) forbidden: u64,
    pub(super) complaints: Vec<String>,
}

/// Somebody who looks on, on a thread of its own.
pub(super) struct Onlooker {
    pub(super) name: &'static str,
    pub(super) who: Assistant,
    sights: Receiver<Sight>,
    over: Arc<AtomicBool>,
    looking: JoinHandle<anyhow::Result<Seen>>,
}

impl Onlooker {
    /// Watches the agency; returns when the first view is there.
    ///
    /// # Errors
    /// The hub does not show it.
    pub(super) fn start(name: &'static str, hub: &Hub, who: Assistant) -> anyhow::Result<Self> {
        let mut socket = Socket::enter(hub, who)?;
        socket.subscribe()?;
        let (seeing, sights) = mpsc::channel();
        let mut view = View { who, seen: Seen::default(), sequence: 0, complete: false, seeing };
        let deadline = Instant::now() + PATIENCE;
        while !view.complete {
            ensure!(Instant::now() < deadline, "the {name} is not shown the agency");
            socket.next()?.map_or(Ok(()), |arrived| view.take(&arrived))?;
        }
        let over = Arc::new(AtomicBool::new(false));
        let until = over.clone();
        let looking = thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                socket.next()?.map_or(Ok(()), |arrived| view.take(&arrived))?;
            }
            Ok(view.seen)
        });
        Ok(Self { name, who, sights, over, looking })
    }

    /// Waits until accounts are shown with those who are in them, or as free: when the last one was.
    ///
    /// # Errors
    /// One is not shown so in time.
    pub(super) fn sees(
        &mut self,
        expected: &[(Account, Option<Assistant>)],
        within: Duration,
    ) -> anyhow::Result<Instant> {
        let badge = |holder: Option<Assistant>| holder.map(|holder| Badge::of(holder, self.who));
        let mut missing: Vec<_> =
            expected.iter().map(|(account, holder)| (*account, badge(*holder))).collect();
        let deadline = Instant::now() + within;
        loop {
            let wait = deadline.saturating_duration_since(Instant::now());
            let sight = self.sights.recv_timeout(wait);
            let sight = sight.with_context(|| format!("{missing:?} was not shown to the {}", self.name))?;
            missing.retain(|badge| *badge != (sight.account, sight.badge));
            if missing.is_empty() {
                return Ok(sight.at);
            }
        }
    }

    /// What it was shown, once nothing arrives any more.
    ///
    /// # Errors
    /// Its connection was lost, or a frame could not be read.
    pub(super) fn end(self) -> anyhow::Result<Seen> {
        self.over.store(true, Ordering::Relaxed);
        let seen = self.looking.join().map_err(|_| anyhow!("an onlooker ended in a panic"))?;
        seen.with_context(|| format!("the {}", self.name))
    }
}

/// One view, and who looks.
struct View {
    who: Assistant,
    seen: Seen,
    sequence: u32,
    complete: bool,
    seeing: Sender<Sight>,
}

impl View {
    fn take(&mut self, arrived: &Arrived) -> anyhow::Result<()> {
        if self.who != OWNER && names_another(&arrived.text, self.who) {
            self.forbid(|| format!("an assistant is named: {}", arrived.text));
        }
        let frame = wire::decode_server(model::Encoding::Json, arrived.text.as_bytes());
        match frame.map_err(|error| anyhow!("{error:?}: {}", arrived.text))? {
            ServerFrame::View(view) => self.view(&view, arrived.at),
            ServerFrame::Welcome(_) | ServerFrame::Subscribed(_) => Ok(()),
            other => bail!("{other:?} came"),
        }
    }

    fn view(&mut self, view: &ViewFrame, at: Instant) -> anyhow::Result<()> {
        ensure!(view.sequence == self.sequence + 1, "frame {} after {}", view.sequence, self.sequence);
        self.sequence = view.sequence;
        for record in view.join.iter().chain(&view.update) {
            self.record(record.record(), at)?;
        }
        for entry in &view.leave {
            let EntryId::Account(account) = entry else { continue };
            let account = account_number(*account).context("an account of nobody we know")?;
            self.sees(Sight { at, account, badge: None });
        }
        self.complete |= view.phase != Phase::Snapshot { more: true };
        Ok(())
    }

    fn record(&mut self, record: &Record, at: Instant) -> anyhow::Result<()> {
        let Record::Account(record) = record else { return Ok(()) };
        let account = account_number(record.account_id).context("an account of nobody we know")?;
        let badge = match &record.holder {
            Holder::Occupied => Badge::Occupied,
            Holder::Own { .. } => Badge::Own,
            Holder::Named { user_id, display_name, stale_since, .. } => {
                let who = assistant_number(*user_id).context("a holder whom nobody knows")?;
                ensure!(*display_name == name(who) && stale_since.is_none(), "{record:?} was shown");
                Badge::Named(who)
            }
        };
        if matches!(badge, Badge::Named(_)) != (self.who == OWNER) {
            let who = self.who;
            self.forbid(|| format!("{record:?} was shown to {who}"));
        }
        self.sees(Sight { at, account, badge: Some(badge) });
        Ok(())
    }

    fn sees(&mut self, sight: Sight) {
        match sight.badge {
            Some(badge) => self.seen.badges.insert(sight.account, badge),
            None => self.seen.badges.remove(&sight.account),
        };
        if self.complete {
            // Nobody waits for it any more at the very end.
            let _ = self.seeing.send(sight);
        }
    }

    fn forbid(&mut self, what: impl FnOnce() -> String) {
        self.seen.forbidden += 1;
        if self.seen.complaints.len() < COMPLAINTS {
            self.seen.complaints.push(what());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::agency::{account, assistant};

    fn shown_to(who: Assistant, entry: &str) -> (Seen, Option<Badge>) {
        let (seeing, sights) = mpsc::channel();
        let mut view = View { who, seen: Seen::default(), sequence: 0, complete: true, seeing };
        let text =
            format!(r#"{{"t":"diff","sub":1,"seq":1,"join":[{{"accountId":"{}",{entry}}}]}}"#, account(4));
        view.take(&Arrived { at: Instant::now(), text }).unwrap();
        (view.seen, sights.try_recv().unwrap().badge)
    }

    fn named(who: Assistant) -> String {
        let (id, name) = (assistant(who), name(who));
        format!(r#""holder":"named","userId":"{id}","displayName":"{name}","since":"2026-11-21T08:00:00Z""#)
    }

    #[test]
    fn the_owner_is_shown_who_it_is() {
        let (seen, badge) = shown_to(OWNER, &named(7));
        assert_eq!((seen.forbidden, badge), (0, Some(Badge::of(7, OWNER))));
        assert_eq!(seen.badges[&4], Badge::Named(7));
        assert_eq!(shown_to(OWNER, r#""holder":"occupied""#).0.forbidden, 1);
    }

    #[test]
    fn an_assistant_is_shown_no_name() {
        assert_eq!(shown_to(5, r#""holder":"occupied""#).0.forbidden, 0);
        let own = r#""holder":"own","since":"2026-11-21T08:00:00Z""#;
        assert_eq!(shown_to(5, own).1, Some(Badge::of(5, 5)));
        assert!(shown_to(5, &named(7)).0.forbidden > 0);
        let beside = format!(r#""holder":"occupied","before":"{}""#, assistant(7));
        assert_eq!(shown_to(5, &beside).0.forbidden, 1, "in a field that no client knows");
    }
}
