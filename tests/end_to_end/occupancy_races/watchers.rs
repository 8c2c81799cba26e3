//! Those who look on all the time: somebody with SQL, and the owner of each agency on each hub.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use model::{AccountRecord, ChannelId, Encoding, Holder, OrganizationId, Record, UserId};
use postgres_cluster::Session;
use tokio::{sync::watch, task};
use wire::Hello;

use crate::fixture::{Hub, Tab, token};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(2);

/// Reads the table again and again.
pub(super) struct Reader {
    over: Arc<AtomicBool>,
    looks: Option<JoinHandle<usize>>,
}

impl Reader {
    pub(super) fn begin(mut session: Session) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let until = over.clone();
        let looks = thread::spawn(move || {
            let (mut looks, mut known) = (0, BTreeMap::new());
            while !until.load(Ordering::Relaxed) {
                look(&mut session, &mut known);
                looks += 1;
                thread::sleep(PAUSE);
            }
            looks
        });
        Self { over, looks: Some(looks) }
    }

    /// How often it looked.
    pub(super) fn end(mut self) -> usize {
        self.over.store(true, Ordering::Relaxed);
        self.looks.take().expect("a reader").join().expect("nothing that must not be")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// What must be so at every commit. `known`: who was seen last in each account, with the epoch.
fn look(session: &mut Session, known: &mut BTreeMap<String, (u64, String)>) {
    let rows = session.run("SELECT account_id, organization_id, user_id, epoch FROM account_presence");
    let (rows, mut accounts, mut people) = (rows.expect("rows"), BTreeSet::new(), BTreeSet::new());
    for row in rows.lines() {
        let [account, organization, user, epoch]: [&str; 4] =
            row.split('|').collect::<Vec<_>>().try_into().expect("four columns");
        assert!(accounts.insert(account), "two holders of {account}:\n{rows}");
        assert!(people.insert((organization, user)), "{user} in two accounts:\n{rows}");
        let seen = (epoch.parse().expect("an epoch"), user.to_owned());
        let last = known.insert(account.to_owned(), seen.clone());
        let is_later = last.as_ref().is_none_or(|last| last.0 < seen.0 || *last == seen);
        assert!(is_later, "{seen:?} in {account} after {last:?}");
    }
}

/// The owner of an agency, who is shown who is where.
pub(super) struct Onlooker(task::JoinHandle<usize>);

impl Onlooker {
    pub(super) async fn begin(
        hub: &Hub,
        owner: UserId,
        organization: OrganizationId,
        over: watch::Receiver<bool>,
    ) -> Self {
        let hello = Hello { token: Some(token(owner)), ..Hello::default() };
        let mut tab = Tab::open(hub, Encoding::MessagePack, hello).await.expect("a welcome");
        let channel = ChannelId::Organization(organization);
        tab.watch(channel).await;
        Self(tokio::spawn(look_on(tab, channel, over)))
    }

    /// How many frames it was sent.
    pub(super) async fn end(self) -> usize {
        self.0.await.expect("nothing that must not be seen")
    }
}

async fn look_on(mut tab: Tab, channel: ChannelId, mut over: watch::Receiver<bool>) -> usize {
    let mut frames = 0;
    loop {
        tokio::select! {
            stepped = tab.step() => stepped.expect("a connection"),
            _ = over.changed() => return frames,
        }
        frames += tab.views().count();
        let mut people = BTreeMap::new();
        for record in tab.replica.list(channel).expect("a view").entries().values() {
            let Record::Account(AccountRecord { account_id, holder }) = record else { continue };
            let Holder::Named { user_id, .. } = holder else { panic!("{holder:?} to the owner") };
            let other = people.insert(*user_id, *account_id);
            assert_eq!(other, None, "{user_id} is shown in {account_id} as well, after {:?}", tab.heard);
        }
        tab.forget();
    }
}
