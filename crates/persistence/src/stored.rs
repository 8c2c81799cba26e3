//! The forms in which values are written down, the same in every store: settings as JSON, enums as their words.
//!
//! Raw settings cannot be serialized by `model`, so that they never slip onto a viewer's route. These forms are
//! for rows of the database.

pub mod occupancies;

use model::{CleanText, Settings, SettingsPatch, TextError, Visibility, limits};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::StoreError;

/// Settings as the audit and the results of operations hold them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredSettings {
    /// Who sees the user.
    pub visibility: Visibility,
    /// See [`Settings::show_activity`].
    pub show_activity: bool,
    /// See [`Settings::show_current_page`].
    pub show_current_page: bool,
    /// See [`Settings::appear_offline`].
    pub appear_offline: bool,
    /// The custom status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_status: Option<String>,
    /// The custom emoji.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_emoji: Option<String>,
}

impl From<&Settings> for StoredSettings {
    fn from(settings: &Settings) -> Self {
        let text = |text: &Option<CleanText>| text.as_ref().map(|text| text.as_str().to_owned());
        Self {
            visibility: settings.visibility,
            show_activity: settings.show_activity,
            show_current_page: settings.show_current_page,
            appear_offline: settings.appear_offline,
            custom_status: text(&settings.custom_status),
            custom_emoji: text(&settings.custom_emoji),
        }
    }
}

impl TryFrom<StoredSettings> for Settings {
    type Error = TextError;

    fn try_from(stored: StoredSettings) -> Result<Self, TextError> {
        let text = |raw: Option<String>, field, max_chars| match raw {
            Some(raw) => CleanText::parse(&raw, field, max_chars),
            None => Ok(None),
        };
        Ok(Self {
            visibility: stored.visibility,
            show_activity: stored.show_activity,
            show_current_page: stored.show_current_page,
            appear_offline: stored.appear_offline,
            custom_status: text(stored.custom_status, "customStatus", limits::CUSTOM_STATUS_CHARS)?,
            custom_emoji: text(stored.custom_emoji, "customEmoji", limits::CUSTOM_EMOJI_CHARS)?,
        })
    }
}

/// Settings as JSON.
///
/// # Errors
/// [`StoreError::Corrupt`], which no settings cause.
pub fn write_settings(settings: &Settings) -> Result<String, StoreError> {
    write_json(&StoredSettings::from(settings))
}

/// What a change of settings asks for, word for word: bodies of one operation are compared whole, so that no two are ever
/// taken for one.
///
/// # Errors
/// [`StoreError::Corrupt`], which no patch causes.
pub fn write_request(patch: &SettingsPatch) -> Result<String, StoreError> {
    write_json(&serde_json::json!({ "changeSettings": patch }))
}

/// Settings from their JSON.
///
/// # Errors
/// [`StoreError::Corrupt`] where no hub wrote it.
pub fn read_settings(json: &str) -> Result<Settings, StoreError> {
    let stored: StoredSettings = serde_json::from_str(json).map_err(corrupt)?;
    settings(stored)
}

/// Settings from their columns.
///
/// # Errors
/// [`StoreError::Corrupt`] where a text is longer than any hub writes.
pub fn settings(stored: StoredSettings) -> Result<Settings, StoreError> {
    Settings::try_from(stored).map_err(corrupt)
}

/// Any value as JSON.
///
/// # Errors
/// [`StoreError::Corrupt`] where it has no JSON.
pub fn write_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(corrupt)
}

/// The word of an enum: `contacts`, `admin`, `desktop`.
///
/// # Errors
/// [`StoreError::Corrupt`] where the value is more than a word.
pub fn write_word<T: Serialize>(value: &T) -> Result<String, StoreError> {
    match serde_json::to_value(value).map_err(corrupt)? {
        Value::String(word) => Ok(word),
        other => Err(corrupt(format!("{other} is not a word"))),
    }
}

/// An enum from its word.
///
/// # Errors
/// [`StoreError::Corrupt`] where the word is not known.
pub fn read_word<T: DeserializeOwned>(word: String) -> Result<T, StoreError> {
    serde_json::from_value(Value::String(word)).map_err(corrupt)
}

/// What is stored cannot be right.
pub fn corrupt(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Corrupt(source.into())
}

#[cfg(test)]
mod tests {
    use model::{Device, Role, SettingsPatch};

    use super::*;

    #[test]
    fn settings_survive_their_json() {
        let patch = SettingsPatch {
            visibility: Some(Visibility::Nobody),
            custom_status: Some("Back at noon".into()),
            custom_emoji: Some("🌸".into()),
            ..SettingsPatch::default()
        };
        let settings = patch.apply(&Settings::default()).unwrap();
        assert_eq!(read_settings(&write_settings(&settings).unwrap()).unwrap(), settings);
    }

    #[test]
    fn what_no_hub_wrote_is_corrupt() {
        let too_long = write_settings(&Settings::default())
            .unwrap()
            .replace('}', &format!(",\"customEmoji\":\"{}\"}}", "x".repeat(11)));
        for json in ["", "{}", too_long.as_str()] {
            assert!(matches!(read_settings(json), Err(StoreError::Corrupt(_))), "{json}");
        }
    }

    #[test]
    fn enums_are_words() {
        assert_eq!(write_word(&Device::Tablet).unwrap(), "tablet");
        assert_eq!(read_word::<Role>("owner".into()).unwrap(), Role::Owner);
        assert!(matches!(read_word::<Role>("king".into()), Err(StoreError::Corrupt(_))));
        assert!(matches!(write_word(&7), Err(StoreError::Corrupt(_))));
    }
}
