//! Rows that are found by id once, and by a small key from then on.
//!
//! The hot path (who is marked, what is compared) follows keys: an array access each. A row that is removed leaves its
//! id behind, so that a view can still say which entry left; the same id gets the same key again. So a table grows with
//! the ids that the directory has ever named, and with nothing that a client can say: an empty row and its place in the
//! index are about 350 B for a user. A restart forgets them.

use std::hash::Hash;

use rustc_hash::FxHashMap;

/// A key of a table: the number of a row.
pub(crate) trait Key: Copy {
    fn from_row(row: u32) -> Self;
    fn row(self) -> usize;
}

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(u32);

        impl Key for $name {
            fn from_row(row: u32) -> Self {
                Self(row)
            }

            fn row(self) -> usize {
                self.0 as usize
            }
        }
    )+};
}

keys! {
    /// A user.
    UserKey,
    /// An account.
    AccountKey,
    /// A channel.
    ChannelKey,
}

/// A user or an account as an entry of a channel, in four bytes: a view keeps one for everything it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EntryKey(u32);

/// What an entry is.
pub(crate) enum Entry {
    Person(UserKey),
    Account(AccountKey),
}

impl EntryKey {
    const ACCOUNT: u32 = 1 << 31;

    pub(crate) fn entry(self) -> Entry {
        match self.0 & Self::ACCOUNT {
            0 => Entry::Person(UserKey(self.0)),
            _ => Entry::Account(AccountKey(self.0 & !Self::ACCOUNT)),
        }
    }
}

impl From<UserKey> for EntryKey {
    fn from(user: UserKey) -> Self {
        Self(user.0)
    }
}

impl From<AccountKey> for EntryKey {
    fn from(account: AccountKey) -> Self {
        Self(account.0 | Self::ACCOUNT)
    }
}

/// Rows by key and by id. It is never walked in the order of its hashes: nothing that a viewer gets depends on them.
#[derive(Debug)]
pub(crate) struct Table<I, K, T> {
    rows: Vec<(I, Option<T>)>,
    keys: FxHashMap<I, K>,
    known: usize,
}

impl<I, K, T> Default for Table<I, K, T> {
    fn default() -> Self {
        Self { rows: Vec::new(), keys: FxHashMap::default(), known: 0 }
    }
}

impl<I: Copy + Eq + Hash, K: Key, T> Table<I, K, T> {
    pub(crate) fn len(&self) -> usize {
        self.known
    }

    pub(crate) fn key(&self, id: &I) -> Option<K> {
        self.keys.get(id).copied()
    }

    /// The id behind a key, whether the row is still there or not.
    pub(crate) fn id(&self, key: K) -> I {
        self.rows[key.row()].0
    }

    pub(crate) fn at(&self, key: K) -> Option<&T> {
        self.rows[key.row()].1.as_ref()
    }

    pub(crate) fn at_mut(&mut self, key: K) -> Option<&mut T> {
        self.rows[key.row()].1.as_mut()
    }

    pub(crate) fn get(&self, id: &I) -> Option<&T> {
        self.at(self.key(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &I) -> Option<&mut T> {
        self.at_mut(self.key(id)?)
    }

    pub(crate) fn remove(&mut self, id: &I) {
        let row = self.key(id).and_then(|key| self.rows[key.row()].1.take());
        self.known -= usize::from(row.is_some());
    }
}

impl<I: Copy + Eq + Hash, K: Key, T: Default> Table<I, K, T> {
    /// The row of an id, made where there is none.
    pub(crate) fn row(&mut self, id: I) -> &mut T {
        let key = self.key_or_new(id);
        let row = &mut self.rows[key.row()].1;
        self.known += usize::from(row.is_none());
        row.get_or_insert_default()
    }

    /// The key of an id, made where there is none; its row may be empty.
    pub(crate) fn key_or_new(&mut self, id: I) -> K {
        *self.keys.entry(id).or_insert_with(|| {
            // 4,294,967,295 users are more than a hub can hold in memory: their rows alone are a terabyte.
            let key = K::from_row(self.rows.len() as u32);
            self.rows.push((id, None));
            key
        })
    }
}
