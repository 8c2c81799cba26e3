//! What is hidden ahead of the database: tightenings that are in force here, but not known to be committed, or not
//! read back yet. A veil only ever narrows what the store says; it is lifted once the store says it too.

use std::{collections::HashMap, sync::Arc};

use model::{Settings, SettingsPatch, UserId};
use persistence::OperationId;
use tokio::sync::Mutex;

/// The veils, and the gate that all settings pass on their way to the heart: whoever shows something holds it from the
/// look at the veils to the heart's mailbox, so that nothing from before a veil arrives after it.
pub(crate) type Gate = Arc<Mutex<Veils>>;

/// Tightenings by user. As many as wait in the spool, and the few that are on their way to be read back.
#[derive(Debug, Default)]
pub(crate) struct Veils {
    by_user: HashMap<UserId, Vec<(OperationId, SettingsPatch)>>,
}

impl Veils {
    /// Hides what `patch` hides until the veil of this name is lifted.
    pub(crate) fn put(&mut self, user: UserId, operation: OperationId, patch: SettingsPatch) {
        let veils = self.by_user.entry(user).or_default();
        // Of one name there may be two: asked for again, a change does not show what its first veil hides.
        if !veils.contains(&(operation, patch.clone())) {
            veils.push((operation, patch));
        }
    }

    /// Lifts one veil; whether there was one.
    pub(crate) fn lift(&mut self, user: UserId, operation: OperationId) -> bool {
        let Some(veils) = self.by_user.get_mut(&user) else { return false };
        let before = veils.len();
        veils.retain(|(name, _)| *name != operation);
        let lifted = veils.len() < before;
        if veils.is_empty() {
            self.by_user.remove(&user);
        }
        lifted
    }

    /// The settings as they may be shown.
    pub(crate) fn over(&self, user: UserId, settings: Settings) -> Settings {
        let veils = self.by_user.get(&user).into_iter().flatten();
        veils.fold(settings, |settings, (_, patch)| settings.narrowed(patch))
    }
}

#[cfg(test)]
mod tests {
    use model::Visibility;
    use uuid::Uuid;

    use super::*;

    fn see(visibility: Visibility) -> SettingsPatch {
        SettingsPatch { visibility: Some(visibility), ..SettingsPatch::default() }
    }

    #[test]
    fn veils_narrow_together_and_are_lifted_one_by_one() {
        let (ada, ben) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let name = |n| OperationId(Uuid::from_u128(n));
        let open = Settings { visibility: Visibility::Everyone, ..Settings::default() };
        let mut veils = Veils::default();
        veils.put(ada, name(1), see(Visibility::Team));
        veils.put(ada, name(2), SettingsPatch { appear_offline: Some(true), ..SettingsPatch::default() });
        veils.put(ada, name(2), SettingsPatch { appear_offline: Some(true), ..SettingsPatch::default() });
        assert_eq!(veils.over(ben, open.clone()), open);
        let hidden = veils.over(ada, open.clone());
        assert_eq!((hidden.visibility, hidden.appear_offline), (Visibility::Team, true));
        assert!(veils.lift(ada, name(2)) && !veils.lift(ada, name(2)) && !veils.lift(ben, name(1)));
        let team = veils.over(ada, open.clone());
        assert_eq!((team.visibility, team.appear_offline), (Visibility::Team, false));
        assert!(veils.lift(ada, name(1)));
        assert_eq!(veils.over(ada, open.clone()), open);
        assert!(veils.by_user.is_empty(), "nothing is left of it");
    }
}
