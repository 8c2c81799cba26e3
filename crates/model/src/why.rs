//! Why a viewer sees a subject or does not: every rule, and how it came out.

use serde::{Serialize, Serializer};

use crate::{ChannelId, Role, UserId, Visibility};

/// A decision, rule by rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Why {
    /// Who is looked at.
    pub subject: UserId,
    /// Who looks.
    pub viewer: UserId,
    /// The rules, in the order in which they are asked.
    pub rules: Vec<Rule>,
    /// How it came out; left out where it would tell what the subject chose.
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visible: Option<bool>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Rule {
    /// Everybody sees themself.
    SameUser {
        /// Whether it holds.
        holds: bool,
    },
    /// They share an organization.
    OrganizationMember {
        /// Whether it holds.
        holds: bool,
        /// Those that they share, as far as the asker may know them.
        channels: Vec<Shared>,
    },
    /// They take part in one wedding.
    WeddingCollaborator {
        /// Whether it holds.
        holds: bool,
        /// Those that they share, as far as the asker may know them.
        channels: Vec<Shared>,
    },
    /// Whom the subject lets see them.
    Visibility {
        /// The choice.
        #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::choice::<Visibility>))]
        choice: Choice<Visibility>,
    },
    /// To everybody else they are signed out.
    AppearOffline {
        /// The choice.
        #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::choice::<bool>))]
        choice: Choice<bool>,
    },
    /// Whether typing, device and idleness are shown.
    ShowActivity {
        /// The choice.
        #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::choice::<bool>))]
        choice: Choice<bool>,
    },
    /// Whether the page is shown.
    ShowCurrentPage {
        /// The choice.
        #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::choice::<bool>))]
        choice: Choice<bool>,
    },
}

/// A channel that both are in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Shared {
    /// The channel.
    pub channel: ChannelId,
    /// The subject's role, where the channel knows roles.
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_role: Option<Role>,
    /// The viewer's.
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub viewer_role: Option<Role>,
}

/// What a subject chose, or that it is theirs alone to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice<T> {
    /// It is told.
    Told(T),
    /// It is not, whatever it is.
    Own,
}

/// Instead of a choice that is not told.
pub(crate) const OWN: &str = "the subject's own choice";

impl<T: Serialize> Serialize for Choice<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Told(choice) => choice.serialize(serializer),
            Self::Own => serializer.serialize_str(OWN),
        }
    }
}
