//! Ids as newtypes, so that one is never taken for another. Ids made by the hub are random (UUID v4).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        /// Text in JSON, 16 bytes in MessagePack.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )+};
}

uuid_ids! {
    /// A person: the `sub` of the platform's token.
    UserId,
    /// One device of one user; survives reconnects. Known to its owner alone.
    SessionId,
    /// A wedding.
    WeddingId,
    /// An organization.
    OrganizationId,
    /// A shared account of an organization, in which one assistant works at a time.
    AccountId,
}

/// One socket, numbered by the shell for as long as the process lives. Never shown to anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// A subscription within its session: 1, 2, 3 in the order in which the viewer asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubscriptionId(pub u32);

/// The number a client gave to its request; the answer carries it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub u32);

/// A channel, on the wire `wedding:<uuid>`, `organization:<uuid>` or `account:<uuid>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChannelId {
    /// The people who take part in a wedding.
    Wedding(WeddingId),
    /// The members of an organization, and the occupancy of its accounts.
    Organization(OrganizationId),
    /// The occupancy of one account.
    Account(AccountId),
}

/// A text that names no channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a channel is wedding:<uuid>, organization:<uuid> or account:<uuid>")]
pub struct ChannelIdError;

impl FromStr for ChannelId {
    type Err = ChannelIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, id) = text.split_once(':').ok_or(ChannelIdError)?;
        // Only the hyphenated form: one channel has one name.
        let id = Uuid::try_parse(id).ok().filter(|_| id.len() == 36).ok_or(ChannelIdError)?;
        match kind {
            "wedding" => Ok(Self::Wedding(WeddingId(id))),
            "organization" => Ok(Self::Organization(OrganizationId(id))),
            "account" => Ok(Self::Account(AccountId(id))),
            _ => Err(ChannelIdError),
        }
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wedding(id) => write!(f, "wedding:{id}"),
            Self::Organization(id) => write!(f, "organization:{id}"),
            Self::Account(id) => write!(f, "account:{id}"),
        }
    }
}

impl Serialize for ChannelId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChannelId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// What a channel lists: a person, or the occupancy of an account. The order is the order of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EntryId {
    /// A person.
    #[serde(rename = "userId")]
    Person(UserId),
    /// The occupancy of an account.
    #[serde(rename = "accountId")]
    Account(AccountId),
}

#[cfg(test)]
mod tests;
