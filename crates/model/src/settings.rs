//! A user's own choice of who sees them, and what.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{CleanText, TextError, limits, track::clean};

/// Who sees a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Always seen.
    Everyone,
    /// Seen by those who share an organization.
    Team,
    /// Seen by those who share a wedding.
    Contacts,
    /// Never seen.
    Nobody,
}

/// Settings in force. Users without a row have [`Settings::default`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(rename_all = "camelCase"))]
pub struct Settings {
    /// Who sees the user.
    pub visibility: Visibility,
    /// Whether typing, device and detected idleness are shown, and activity logged.
    pub show_activity: bool,
    /// Whether the current page is shown.
    pub show_current_page: bool,
    /// Signed out for everybody else.
    pub appear_offline: bool,
    /// Shown while no session announces its own.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::custom_status))]
    pub custom_status: Option<CleanText>,
    /// Shown while no session announces its own.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::custom_emoji))]
    pub custom_emoji: Option<CleanText>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            visibility: Visibility::Contacts,
            show_activity: true,
            show_current_page: false,
            appear_offline: false,
            custom_status: None,
            custom_emoji: None,
        }
    }
}

impl Settings {
    /// Whether nobody else sees the user: last-seen then stands still and no activity is logged.
    #[must_use]
    pub fn hidden(&self) -> bool {
        self.appear_offline || self.visibility == Visibility::Nobody
    }
}

/// A change of settings: what is left out stays as it is; an empty text, or null, removes a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SettingsPatch {
    /// Who sees the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// Whether typing, device and detected idleness are shown, and activity logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_activity: Option<bool>,
    /// Whether the current page is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_current_page: Option<bool>,
    /// Signed out for everybody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appear_offline: Option<bool>,
    /// At most 100 characters.
    #[serde(default, deserialize_with = "null_removes", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::custom_status))]
    pub custom_status: Option<String>,
    /// At most 10 characters.
    #[serde(default, deserialize_with = "null_removes", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::custom_emoji))]
    pub custom_emoji: Option<String>,
}

/// Settings are sent with `null` for a text that is not there: sent back, it means the same.
fn null_removes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(Some(text.unwrap_or_default()))
}

impl SettingsPatch {
    /// The settings after the change.
    ///
    /// # Errors
    /// [`TextError`] where a text is too long; nothing is changed then.
    pub fn apply(&self, before: &Settings) -> Result<Settings, TextError> {
        let text = |new: &Option<String>, old: &Option<CleanText>, field, max| match new {
            Some(raw) => clean(Some(raw.clone()), field, max),
            None => Ok(old.clone()),
        };
        Ok(Settings {
            visibility: self.visibility.unwrap_or(before.visibility),
            show_activity: self.show_activity.unwrap_or(before.show_activity),
            show_current_page: self.show_current_page.unwrap_or(before.show_current_page),
            appear_offline: self.appear_offline.unwrap_or(before.appear_offline),
            custom_status: text(
                &self.custom_status,
                &before.custom_status,
                "customStatus",
                limits::CUSTOM_STATUS_CHARS,
            )?,
            custom_emoji: text(
                &self.custom_emoji,
                &before.custom_emoji,
                "customEmoji",
                limits::CUSTOM_EMOJI_CHARS,
            )?,
        })
    }
}

/// Hiding: what is asked early and kept safe when the database is away.
impl SettingsPatch {
    /// Whether the change only hides: no choice becomes wider, and no text is shown that was not shown before. `team` and
    /// `contacts` are different people: from one to the other is not narrower. What it asks for may be in force already,
    /// where it names nothing but what hides: hiding twice is hiding.
    #[must_use]
    pub fn tightens(&self, before: &Settings) -> bool {
        let narrowed = before.narrowed(self);
        let hides = narrowed != *before || self.names_only_what_hides();
        hides && self.apply(before).is_ok_and(|after| after == narrowed)
    }

    fn names_only_what_hides(&self) -> bool {
        let goes = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
        *self != Self::default()
            && self.visibility != Some(Visibility::Everyone)
            && self.show_activity != Some(true)
            && self.show_current_page != Some(true)
            && self.appear_offline != Some(false)
            && goes(&self.custom_status)
            && goes(&self.custom_emoji)
    }
}

impl Settings {
    /// What is shown under both these settings and the change: every choice the narrower of the two. A text goes
    /// where the change removes it, and is never replaced.
    #[must_use]
    pub fn narrowed(&self, by: &SettingsPatch) -> Self {
        let text = |now: &Option<CleanText>, new: &Option<String>| {
            now.clone().filter(|_| new.as_deref().is_none_or(|new| !new.is_empty()))
        };
        Self {
            visibility: by.visibility.map_or(self.visibility, |to| self.visibility.narrower(to)),
            show_activity: self.show_activity && by.show_activity != Some(false),
            show_current_page: self.show_current_page && by.show_current_page != Some(false),
            appear_offline: self.appear_offline || by.appear_offline == Some(true),
            custom_status: text(&self.custom_status, &by.custom_status),
            custom_emoji: text(&self.custom_emoji, &by.custom_emoji),
        }
    }
}

impl Visibility {
    /// Those whom both admit.
    fn narrower(self, other: Self) -> Self {
        match (self, other) {
            (Self::Everyone, narrower) | (narrower, Self::Everyone) => narrower,
            (one, other) if one == other => one,
            _ => Self::Nobody,
        }
    }
}

#[cfg(test)]
mod tests;
