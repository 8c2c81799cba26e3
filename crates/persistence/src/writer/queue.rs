//! The newest state of each of many things, in the order in which they began to wait, bounded.

use std::{
    collections::{BTreeSet, HashMap, VecDeque, hash_map},
    hash::Hash,
};

use model::UserId;

use super::pending::Noted;
use crate::{LastSeen, Stretch, StretchId};

/// Past so many places, a queue that is empty gives its memory back.
const KEPT_PLACES: usize = 4_096;

/// A row of which only the newest state counts.
pub(super) trait Changing: Clone {
    type Key: Copy + Eq + Hash;
    fn key(&self) -> Self::Key;
    fn user(&self) -> UserId;
    /// Takes over what is newer in `other`, in whichever order the two came.
    fn absorb(&mut self, other: Self);
}

impl Changing for LastSeen {
    type Key = UserId;

    fn key(&self) -> UserId {
        self.user
    }

    fn user(&self) -> UserId {
        self.user
    }

    fn absorb(&mut self, other: Self) {
        if other.at >= self.at {
            *self = other;
        }
    }
}

impl Changing for Stretch {
    type Key = StretchId;

    fn key(&self) -> StretchId {
        self.id
    }

    fn user(&self) -> UserId {
        self.user
    }

    fn absorb(&mut self, other: Self) {
        let ended = self.ended || other.ended;
        if other.seen >= self.seen {
            *self = other;
        }
        self.ended = ended;
    }
}

struct Place<R> {
    row: R,
    /// Whether this state is on the disk.
    saved: bool,
}

pub(super) struct Queue<R: Changing> {
    order: VecDeque<R::Key>,
    places: HashMap<R::Key, Place<R>>,
    max: usize,
    saved: usize,
    /// Rows that were taken and may come back. Their places are kept.
    out: usize,
}

impl<R: Changing> Queue<R> {
    pub(super) fn new(max: usize) -> Self {
        Self { order: VecDeque::new(), places: HashMap::new(), max, saved: 0, out: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Of these, whose state is on the disk.
    pub(super) fn saved(&self) -> usize {
        self.saved
    }

    pub(super) fn note(&mut self, row: R) -> Noted {
        if self.places.len() + self.out >= self.max && !self.places.contains_key(&row.key()) {
            return Noted { merged: false, dropped: 1 };
        }
        Noted { merged: self.put(row, false), dropped: 0 }
    }

    /// Puts a row whether there is room or not; whether it was merged with one that waits.
    pub(super) fn put(&mut self, row: R, saved: bool) -> bool {
        match self.places.entry(row.key()) {
            hash_map::Entry::Occupied(mut place) => {
                let place = place.get_mut();
                place.row.absorb(row);
                self.saved -= usize::from(place.saved);
                place.saved = saved;
                self.saved += usize::from(saved);
                true
            }
            hash_map::Entry::Vacant(place) => {
                self.order.push_back(row.key());
                place.insert(Place { row, saved });
                self.saved += usize::from(saved);
                false
            }
        }
    }

    /// Takes the first rows, at most so many. [`Queue::settle`] says what became of them.
    pub(super) fn take(&mut self, rows: usize) -> Vec<R> {
        let count = rows.min(self.order.len());
        let places = self.order.drain(..count).filter_map(|key| self.places.remove(&key));
        let mut taken = Vec::with_capacity(count);
        for place in places {
            self.saved -= usize::from(place.saved);
            taken.push(place.row);
        }
        self.out = taken.len();
        taken
    }

    /// What was taken is written, or put back by [`Queue::put_back`].
    pub(super) fn settle(&mut self) {
        self.out = 0;
        if self.places.is_empty() && self.order.capacity() > KEPT_PLACES {
            self.order = VecDeque::new();
            self.places = HashMap::new();
        }
    }

    /// Puts what was taken back to where it was.
    pub(super) fn put_back(&mut self, rows: Vec<R>) {
        for row in rows.into_iter().rev() {
            if !self.put(row, false) {
                self.order.rotate_right(1);
            }
        }
        self.out = 0;
    }

    /// Of the rows from this place on, at most `rows`: those that are not on the disk, or all. From now on they count
    /// as saved; the second value is how many places were looked at.
    pub(super) fn save(&mut self, from: usize, rows: usize, all: bool) -> (Vec<R>, usize) {
        let keys: Vec<R::Key> = self.order.iter().skip(from).take(rows).copied().collect();
        let mut picked = Vec::new();
        for key in &keys {
            let Some(place) = self.places.get_mut(key).filter(|place| all || !place.saved) else { continue };
            self.saved += usize::from(!place.saved);
            place.saved = true;
            picked.push(place.row.clone());
        }
        (picked, keys.len())
    }

    /// The disk did not take them.
    pub(super) fn unsave(&mut self) {
        self.places.values_mut().for_each(|place| place.saved = false);
        self.saved = 0;
    }

    pub(super) fn forget(&mut self, users: &BTreeSet<UserId>) {
        let places = &mut self.places;
        let before = places.len();
        places.retain(|_, place| !users.contains(&place.row.user()));
        if places.len() < before {
            self.order.retain(|key| places.contains_key(key));
            self.saved = places.values().filter(|place| place.saved).count();
        }
    }
}
