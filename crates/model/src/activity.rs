//! What people do, for the analytics of enterprise organizations: a closed list of kinds, and of what may be said of each.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, Visitor},
};

use crate::{CleanText, Device, OrganizationId, SessionId, TextError, limits};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ActivityType {
    /// A page was opened.
    PageView,
    /// A window came to the front.
    Focus,
    /// Something was clicked, typed or moved.
    Interaction,
    /// The status is another one. Also made by the hub.
    StatusUpdate,
    /// An account was taken. Also made by the hub.
    ClockIn,
    /// An account was given back. Also made by the hub.
    ClockOut,
    /// A session ended. Also made by the hub.
    SessionEnd,
}

impl ActivityType {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::PageView,
        Self::Focus,
        Self::Interaction,
        Self::StatusUpdate,
        Self::ClockIn,
        Self::ClockOut,
        Self::SessionEnd,
    ];

    /// The word of the protocol and of the tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PageView => "page_view",
            Self::Focus => "focus",
            Self::Interaction => "interaction",
            Self::StatusUpdate => "status_update",
            Self::ClockIn => "clock_in",
            Self::ClockOut => "clock_out",
            Self::SessionEnd => "session_end",
        }
    }
}

/// What may be said of an activity. Free keys would become free texts about people in a log that others read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MetadataKey {
    /// What was done with it: `click`, `save`.
    Action,
    /// The part of the page: `timeline`, `guest-list`.
    Section,
    /// The element: `add-guest`.
    Element,
    /// The page before.
    Referrer,
    /// How long it took, in milliseconds.
    DurationMs,
    /// How much of it: items, rows.
    Count,
    /// The status from now on.
    Status,
    /// The status before.
    PreviousStatus,
    /// Why, in one of the caller's own words: `inactivity`.
    Reason,
}

impl MetadataKey {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Action,
        Self::Section,
        Self::Element,
        Self::Referrer,
        Self::DurationMs,
        Self::Count,
        Self::Status,
        Self::PreviousStatus,
        Self::Reason,
    ];

    /// The key as the protocol names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Section => "section",
            Self::Element => "element",
            Self::Referrer => "referrer",
            Self::DurationMs => "durationMs",
            Self::Count => "count",
            Self::Status => "status",
            Self::PreviousStatus => "previousStatus",
            Self::Reason => "reason",
        }
    }

    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::DurationMs | Self::Count)
    }
}

impl fmt::Display for MetadataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is said under a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum MetadataValue {
    /// A whole number, not below 0.
    Number(u64),
    /// A text of at most [`limits::METADATA_CHARS`] characters.
    Text(String),
}

/// A number or a text, and nothing that a format would take for one.
impl<'de> Deserialize<'de> for MetadataValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = MetadataValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a whole number not below 0")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<MetadataValue, E> {
                Ok(MetadataValue::Number(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<MetadataValue, E> {
                Ok(MetadataValue::Text(text.to_owned()))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// What is said of an activity, cleaned.
pub type Metadata = BTreeMap<MetadataKey, MetadataValue>;

/// One activity of the caller, cleaned. Raw truth: never serialized for a viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// What was done.
    pub kind: ActivityType,
    /// On which page, without query and fragment.
    pub page: Option<CleanText>,
    /// With which device.
    pub device: Option<Device>,
    /// In which session.
    pub session: Option<SessionId>,
    /// For which organization; `None`: all of the user's that keep a log.
    pub organization: Option<OrganizationId>,
    /// What else is said.
    pub metadata: Metadata,
}

impl Activity {
    /// This kind, and nothing else.
    #[must_use]
    pub fn of(kind: ActivityType) -> Self {
        Self { kind, page: None, device: None, session: None, organization: None, metadata: Metadata::new() }
    }
}

/// An activity as a client sends it, not yet cleaned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActivityRequest {
    /// What was done.
    pub activity_type: ActivityType,
    /// A path such as `/weddings/7/timeline`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::page))]
    pub page: Option<String>,
    /// The device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// One of the caller's sessions. A socket speaks of its own and names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// One of the caller's organizations; left out: all of them that keep a log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<OrganizationId>,
    /// Under the keys of [`MetadataKey`].
    #[serde(default, deserialize_with = "each_key_once", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::metadata))]
    pub metadata: Option<BTreeMap<String, MetadataValue>>,
}

/// A key that is there twice says two things, of which a map would keep one.
fn each_key_once<'de, D>(deserializer: D) -> Result<Option<BTreeMap<String, MetadataValue>>, D::Error>
where
    D: Deserializer<'de>,
{
    struct Once(BTreeMap<String, MetadataValue>);
    struct Keys;

    impl<'de> Visitor<'de> for Keys {
        type Value = Once;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Once, A::Error> {
            let mut read = BTreeMap::new();
            while let Some((key, value)) = map.next_entry()? {
                if read.insert(key, value).is_some() {
                    return Err(de::Error::custom("metadata has a key twice"));
                }
            }
            Ok(Once(read))
        }
    }

    impl<'de> Deserialize<'de> for Once {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(Keys)
        }
    }

    Ok(Option::<Once>::deserialize(deserializer)?.map(|once| once.0))
}

/// Why an activity was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActivityError {
    /// A text is too long.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A key that is not listed.
    #[error("metadata has the key {0:?}; the keys are {keys}", keys = keys())]
    UnknownKey(String),
    /// More keys than there are.
    #[error("metadata has {count} keys; there are {}", MetadataKey::ALL.len())]
    TooManyKeys {
        /// How many.
        count: usize,
    },
    /// A number where a text has to be, or the other way round.
    #[error("metadata.{key} has to be a {wanted}")]
    WrongValue {
        /// The key.
        key: MetadataKey,
        /// What it has to be.
        wanted: &'static str,
    },
}

fn keys() -> String {
    MetadataKey::ALL.iter().map(|key| key.name()).collect::<Vec<_>>().join(", ")
}

impl ActivityRequest {
    /// This kind, and nothing else.
    #[must_use]
    pub fn of(activity_type: ActivityType) -> Self {
        Self {
            activity_type,
            page: None,
            device: None,
            session_id: None,
            organization_id: None,
            metadata: None,
        }
    }

    /// Cleans the texts and checks keys and limits.
    ///
    /// # Errors
    /// [`ActivityError`] names what is wrong, and what would be right.
    pub fn clean(self) -> Result<Activity, ActivityError> {
        let page = self
            .page
            .map(|raw| CleanText::parse_page(&raw, "page", limits::PAGE_CHARS))
            .transpose()?
            .flatten();
        Ok(Activity {
            kind: self.activity_type,
            page,
            device: self.device,
            session: self.session_id,
            organization: self.organization_id,
            metadata: clean_metadata(self.metadata.unwrap_or_default())?,
        })
    }
}

fn clean_metadata(raw: BTreeMap<String, MetadataValue>) -> Result<Metadata, ActivityError> {
    let count = raw.len();
    if count > MetadataKey::ALL.len() {
        return Err(ActivityError::TooManyKeys { count });
    }
    let mut cleaned = Metadata::new();
    for (name, value) in raw {
        let found = MetadataKey::ALL.iter().copied().find(|key| key.name() == name);
        let key = found.ok_or_else(|| ActivityError::UnknownKey(name.chars().take(40).collect()))?;
        if let Some(value) = clean_value(key, value)? {
            cleaned.insert(key, value);
        }
    }
    Ok(cleaned)
}

/// `None`: nothing is left of it.
fn clean_value(key: MetadataKey, value: MetadataValue) -> Result<Option<MetadataValue>, ActivityError> {
    match value {
        MetadataValue::Number(number) if key.is_number() => Ok(Some(MetadataValue::Number(number))),
        MetadataValue::Text(text) if !key.is_number() => {
            let cleaned = match key {
                MetadataKey::Referrer => CleanText::parse_page(&text, key.name(), limits::METADATA_CHARS),
                _ => CleanText::parse(&text, key.name(), limits::METADATA_CHARS),
            };
            Ok(cleaned?.map(|text| MetadataValue::Text(text.as_str().to_owned())))
        }
        MetadataValue::Number(_) => Err(ActivityError::WrongValue { key, wanted: "text" }),
        MetadataValue::Text(_) => Err(ActivityError::WrongValue { key, wanted: "whole number, not below 0" }),
    }
}

#[cfg(test)]
mod tests;
