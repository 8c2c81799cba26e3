//! Whether clients should be sent here, and what does not work as it should meanwhile.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;
use utoipa::ToSchema;

/// What a condition that does not hold means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// Clients are to go elsewhere.
    Needed,
    /// Clients are served, but not with everything: sending them away would take presence from them too.
    Missed,
}

/// Named conditions. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<BTreeMap<&'static str, (Weight, bool)>>>);

/// What `/readyz` says.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Verdict {
    /// Whether clients should be sent here.
    pub ready: bool,
    /// What they have to do without meanwhile.
    pub degraded: Vec<&'static str>,
    /// Every condition, by name.
    pub conditions: BTreeMap<&'static str, bool>,
}

impl Readiness {
    /// Conditions that do not hold yet. Without one of them no client should come.
    #[must_use]
    pub fn waiting_for(names: &[&'static str]) -> Self {
        let conditions = names.iter().map(|name| (*name, (Weight::Needed, false)));
        Self(Arc::new(Mutex::new(conditions.collect())))
    }

    /// Notes that a condition holds, or does so no more.
    pub fn set(&self, name: &'static str, holds: bool) {
        self.note(name, Weight::Needed, holds);
    }

    /// Notes that something works that clients can do without for a while, or does so no more.
    pub fn set_missed(&self, name: &'static str, works: bool) {
        self.note(name, Weight::Missed, works);
    }

    fn note(&self, name: &'static str, weight: Weight, holds: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, (weight, holds));
    }

    /// What all conditions come to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let conditions = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let failing = |weight| move |(_, it): &(&&'static str, &(Weight, bool))| *it == &(weight, false);
        Verdict {
            ready: !conditions.iter().any(|it| failing(Weight::Needed)(&it)),
            degraded: conditions.iter().filter(failing(Weight::Missed)).map(|(name, _)| *name).collect(),
            conditions: conditions.iter().map(|(name, (_, holds))| (*name, *holds)).collect(),
        }
    }
}
