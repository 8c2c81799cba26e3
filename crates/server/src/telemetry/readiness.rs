//! Whether clients should be sent here.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Named conditions, all of which must hold. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<BTreeMap<&'static str, bool>>>);

impl Readiness {
    /// Conditions that do not hold yet.
    #[must_use]
    pub fn waiting_for(names: &[&'static str]) -> Self {
        Self(Arc::new(Mutex::new(names.iter().map(|name| (*name, false)).collect())))
    }

    /// Notes that a condition holds, or does so no more.
    pub fn set(&self, name: &'static str, holds: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, holds);
    }

    /// Whether all conditions hold.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.conditions().values().all(|holds| *holds)
    }

    /// The conditions by name.
    #[must_use]
    pub fn conditions(&self) -> BTreeMap<&'static str, bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
