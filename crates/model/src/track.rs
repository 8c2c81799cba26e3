//! What a session announces about itself. A track replaces the one before it whole: what is left out is gone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{ChannelId, CleanText, TextError, limits};

/// What a person chose or a client detected. `offline` is derived and never sent by a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Active.
    Online,
    /// Detected inactivity.
    Idle,
    /// Chosen absence.
    Away,
    /// Chosen: do not disturb.
    Busy,
}

impl Status {
    /// The word of the protocol.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Idle => "idle",
            Self::Away => "away",
            Self::Busy => "busy",
        }
    }
}

/// The kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// A desktop or laptop.
    Desktop,
    /// A phone.
    Mobile,
    /// A tablet.
    Tablet,
}

/// The announced state of one session, cleaned. Raw truth: never serialized for a viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// The status.
    pub status: Status,
    /// The page, without query and fragment.
    pub page: Option<CleanText>,
    /// Whether the person is typing; ends by itself.
    pub is_typing: bool,
    /// The device.
    pub device: Option<Device>,
    /// Overrides the text in the settings while the session lives.
    pub custom_status: Option<CleanText>,
    /// Overrides the emoji in the settings while the session lives.
    pub custom_emoji: Option<CleanText>,
    /// The only channels in which the session exists; `None`: all channels of the user.
    pub scope: Option<BTreeSet<ChannelId>>,
}

impl Track {
    /// A bare track: this status and nothing else, in all channels.
    #[must_use]
    pub fn of(status: Status) -> Self {
        Self {
            status,
            page: None,
            is_typing: false,
            device: None,
            custom_status: None,
            custom_emoji: None,
            scope: None,
        }
    }

    /// Whether a session with this track exists in `channel`.
    #[must_use]
    pub fn covers(&self, channel: ChannelId) -> bool {
        self.scope.as_ref().is_none_or(|scope| scope.contains(&channel))
    }
}

/// A track as a client sends it, not yet cleaned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrackRequest {
    /// The status.
    pub status: Status,
    /// A path such as `/weddings/7/timeline`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_page: Option<String>,
    /// Whether the person is typing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_typing: Option<bool>,
    /// The device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// At most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_status: Option<String>,
    /// At most 10 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_emoji: Option<String>,
    /// The channels in which the session exists; left out: all of the user's.
    #[serde(default, rename = "in", skip_serializing_if = "Option::is_none")]
    pub scope: Option<Vec<ChannelId>>,
}

/// Why a track was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrackError {
    /// A text is too long.
    #[error(transparent)]
    Text(#[from] TextError),
    /// More channels in `in` than a session may name.
    #[error("in names more than {} channels", limits::SCOPE_CHANNELS)]
    TooManyChannels,
}

impl TrackRequest {
    /// A bare request: this status and nothing else.
    #[must_use]
    pub fn of(status: Status) -> Self {
        Self {
            status,
            current_page: None,
            is_typing: None,
            device: None,
            custom_status: None,
            custom_emoji: None,
            scope: None,
        }
    }

    /// Cleans the texts and checks the limits.
    ///
    /// # Errors
    /// [`TrackError`] names the field and its limit.
    pub fn clean(self) -> Result<Track, TrackError> {
        let Self { status, current_page, is_typing, device, custom_status, custom_emoji, scope } = self;
        let page = current_page
            .map(|raw| CleanText::parse_page(&raw, "currentPage", limits::PAGE_CHARS))
            .transpose()?
            .flatten();
        Ok(Track {
            status,
            page,
            is_typing: is_typing.unwrap_or(false),
            device,
            custom_status: clean(custom_status, "customStatus", limits::CUSTOM_STATUS_CHARS)?,
            custom_emoji: clean(custom_emoji, "customEmoji", limits::CUSTOM_EMOJI_CHARS)?,
            scope: scope.map(clean_scope).transpose()?,
        })
    }
}

pub(crate) fn clean(
    raw: Option<String>,
    field: &'static str,
    max_chars: usize,
) -> Result<Option<CleanText>, TextError> {
    Ok(raw.map(|raw| CleanText::parse(&raw, field, max_chars)).transpose()?.flatten())
}

fn clean_scope(channels: Vec<ChannelId>) -> Result<BTreeSet<ChannelId>, TrackError> {
    let channels: BTreeSet<_> = channels.into_iter().collect();
    if channels.len() > limits::SCOPE_CHANNELS { Err(TrackError::TooManyChannels) } else { Ok(channels) }
}

#[cfg(test)]
mod tests;
