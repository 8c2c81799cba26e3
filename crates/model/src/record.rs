//! What one viewer may see of one entry. Records are made by the projection; nothing else reaches a viewer.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize, Serializer, de, ser::SerializeStruct};

use crate::{AccountId, CleanText, Device, EntryId, Minute, Status, UserId};

/// The two encodings of the one schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// Text frames.
    Json,
    /// Binary frames; ids are 16 bytes.
    MessagePack,
}

impl Encoding {
    /// All encodings.
    pub const ALL: [Self; 2] = [Self::Json, Self::MessagePack];
}

/// One entry of a list, as one viewer may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Record {
    /// A person.
    Person(PersonRecord),
    /// The occupancy of an account.
    Account(AccountRecord),
}

impl Record {
    /// Which entry this is.
    #[must_use]
    pub fn id(&self) -> EntryId {
        match self {
            Self::Person(person) => EntryId::Person(person.user_id),
            Self::Account(account) => EntryId::Account(account.account_id),
        }
    }

    /// An upper bound of the encoded size in bytes, whatever the encoding, with the comma that may follow; the frame
    /// budget counts with it. Walks over the texts: [`SharedRecord::weight`] has it ready.
    ///
    /// Arithmetic: what JSON writes, field by field. MessagePack is never longer: its keys lack two quotes and a colon,
    /// its ids have 18 bytes for 38, and a text has a header of at most 3 bytes for its two quotes, without escapes.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::Person(person) => person.state.weight(),
            Self::Account(account) => account.holder.weight(),
        }
    }
}

/// Bytes of an id as text.
const ID: usize = 36;
/// Bytes of the longest time: `"+262142-12-31T23:59:00Z"`.
const TIME: usize = 25;
/// Bytes of the longest device, or the longest status of somebody present, with its quotes.
const WORD: usize = 9;

/// Bytes of a field with its comma, its text escaped.
fn field(name: &str, text: &Option<CleanText>) -> usize {
    text.as_ref().map_or(0, |text| name.len() + r#","":"#.len() + quoted(text.as_str()))
}

/// Bytes of a text in JSON. A clean text has no control characters; a name of the directory might.
fn quoted(text: &str) -> usize {
    // One plain count each: what the compiler makes into a few instructions for many bytes.
    let count = |is: fn(&u8) -> bool| text.as_bytes().iter().filter(|byte| is(byte)).count();
    let escaped = count(|byte| matches!(byte, b'"' | b'\\'));
    let controls = count(|byte| *byte < 0x20);
    2 + text.len() + escaped + controls * (r"\u0000".len() - 1)
}

impl PersonState {
    fn weight(&self) -> usize {
        match self {
            Self::Present { page, is_typing, device, custom_status, custom_emoji, .. } => {
                let texts =
                    [("currentPage", page), ("customStatus", custom_status), ("customEmoji", custom_emoji)];
                r#"{"userId":"","status":},"#.len()
                    + ID
                    + WORD
                    + texts.iter().map(|(name, text)| field(name, text)).sum::<usize>()
                    + if *is_typing { r#","isTyping":true"#.len() } else { 0 }
                    + if device.is_some() { r#","device":"#.len() + WORD } else { 0 }
            }
            Self::Offline { .. } => r#"{"userId":"","status":"offline","lastSeen":},"#.len() + ID + TIME,
        }
    }
}

impl Holder {
    fn weight(&self) -> usize {
        let rest = match self {
            Self::Occupied => r#""occupied""#.len(),
            Self::Own { .. } => r#""own","since":"#.len() + TIME,
            Self::Named { display_name, stale_since, .. } => {
                r#""named","userId":"","displayName":,"since":"#.len()
                    + ID
                    + quoted(display_name)
                    + TIME
                    + stale_since.map_or(0, |_| r#","staleSince":"#.len() + TIME)
            }
        };
        r#"{"accountId":"","holder":},"#.len() + ID + rest
    }
}

/// A person as one viewer may see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRecord {
    /// The person.
    pub user_id: UserId,
    /// Here, or last seen.
    pub state: PersonState,
}

/// Here, or last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonState {
    /// Here.
    Present {
        /// The merged status.
        status: Status,
        /// Shown only by choice.
        page: Option<CleanText>,
        /// Shown only with activity.
        is_typing: bool,
        /// Shown only with activity.
        device: Option<Device>,
        /// The session's, else the settings'.
        custom_status: Option<CleanText>,
        /// The session's, else the settings'.
        custom_emoji: Option<CleanText>,
    },
    /// Not here: this and nothing more.
    Offline {
        /// To the minute; `None` where never seen.
        last_seen: Option<Minute>,
    },
}

/// `{userId, status, ...}`; a field that is not shown is not there. Offline is `{userId, status, lastSeen}`.
impl Serialize for PersonRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.state {
            PersonState::Offline { last_seen } => {
                let mut fields = serializer.serialize_struct("Person", 3)?;
                fields.serialize_field("userId", &self.user_id)?;
                fields.serialize_field("status", "offline")?;
                fields.serialize_field("lastSeen", last_seen)?;
                fields.end()
            }
            PersonState::Present { status, page, is_typing, device, custom_status, custom_emoji } => {
                let texts =
                    [("currentPage", page), ("customStatus", custom_status), ("customEmoji", custom_emoji)];
                let shown = texts.iter().filter(|(_, text)| text.is_some()).count();
                let count = 2 + shown + usize::from(*is_typing) + usize::from(device.is_some());
                let mut fields = serializer.serialize_struct("Person", count)?;
                fields.serialize_field("userId", &self.user_id)?;
                fields.serialize_field("status", status)?;
                for (name, text) in texts {
                    if let Some(text) = text {
                        fields.serialize_field(name, text.as_str())?;
                    }
                }
                if *is_typing {
                    fields.serialize_field("isTyping", &true)?;
                }
                if let Some(device) = device {
                    fields.serialize_field("device", device)?;
                }
                fields.end()
            }
        }
    }
}

/// The occupancy of an account as one viewer may see it. An available account has no record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AccountRecord {
    /// The account.
    pub account_id: AccountId,
    /// What the viewer may know of the holder.
    #[serde(flatten)]
    pub holder: Holder,
}

/// What a viewer may know of who holds an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "holder", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Holder {
    /// To a member: the one fact.
    Occupied,
    /// To the assistant in it.
    Own {
        /// Clocked in at.
        since: Minute,
    },
    /// To owners and admins.
    #[cfg_attr(feature = "openapi", schema(rename_all = "camelCase"))]
    Named {
        /// The assistant.
        user_id: UserId,
        /// Their name.
        display_name: String,
        /// Clocked in at.
        since: Minute,
        /// The last sign of life, while the extension is lost.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        stale_since: Option<Minute>,
    },
}

/// Every field a record can have on the wire. Fields that a later version adds are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnyRecord {
    user_id: Option<UserId>,
    status: Option<String>,
    last_seen: Option<Minute>,
    current_page: Option<String>,
    #[serde(default)]
    is_typing: bool,
    device: Option<Device>,
    custom_status: Option<String>,
    custom_emoji: Option<String>,
    account_id: Option<AccountId>,
    holder: Option<String>,
    display_name: Option<String>,
    since: Option<Minute>,
    stale_since: Option<Minute>,
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = AnyRecord::deserialize(deserializer)?;
        fields.into_record().ok_or_else(|| de::Error::custom("neither a person nor an account"))
    }
}

impl AnyRecord {
    fn into_record(self) -> Option<Record> {
        match self.account_id {
            Some(account_id) => {
                self.into_holder().map(|holder| Record::Account(AccountRecord { account_id, holder }))
            }
            None => Some(Record::Person(PersonRecord { user_id: self.user_id?, state: self.into_state()? })),
        }
    }

    fn into_holder(self) -> Option<Holder> {
        match self.holder?.as_str() {
            "occupied" => Some(Holder::Occupied),
            "own" => Some(Holder::Own { since: self.since? }),
            "named" => Some(Holder::Named {
                user_id: self.user_id?,
                display_name: self.display_name?,
                since: self.since?,
                stale_since: self.stale_since,
            }),
            _ => None,
        }
    }

    fn into_state(self) -> Option<PersonState> {
        let status = match self.status?.as_str() {
            "offline" => return Some(PersonState::Offline { last_seen: self.last_seen }),
            "online" => Status::Online,
            "idle" => Status::Idle,
            "away" => Status::Away,
            "busy" => Status::Busy,
            _ => return None,
        };
        let text = |raw: Option<String>| {
            raw.and_then(|raw| CleanText::parse(&raw, "text", usize::MAX).ok().flatten())
        };
        Some(PersonState::Present {
            status,
            page: text(self.current_page),
            is_typing: self.is_typing,
            device: self.device,
            custom_status: text(self.custom_status),
            custom_emoji: text(self.custom_emoji),
        })
    }
}

/// A record with room for its encoded bytes: encoded at most once per encoding, shared by all viewers who see
/// the same.
#[derive(Debug)]
pub struct SharedRecord {
    record: Record,
    weight: u32,
    encoded: [OnceLock<Box<[u8]>>; Encoding::ALL.len()],
}

impl SharedRecord {
    /// A record to share.
    #[must_use]
    pub fn new(record: Record) -> Self {
        // Texts are bounded by far less than 4 GiB.
        let weight = u32::try_from(record.weight()).unwrap_or(u32::MAX);
        Self { record, weight, encoded: Default::default() }
    }

    /// `before` where its value is the same, so that who was shown it need not compare further; else a new one.
    #[must_use]
    pub fn renew(before: Option<Arc<Self>>, record: Record) -> Arc<Self> {
        before.filter(|before| before.record == record).unwrap_or_else(|| Arc::new(Self::new(record)))
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// [`Record::weight`], in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.weight as usize
    }

    /// Its bytes, appended by `encode` the first time.
    pub fn encoded(&self, encoding: Encoding, encode: impl FnOnce(&mut Vec<u8>, &Record)) -> &[u8] {
        self.encoded[encoding as usize].get_or_init(|| {
            let mut bytes = Vec::with_capacity(self.weight());
            encode(&mut bytes, &self.record);
            bytes.into_boxed_slice()
        })
    }
}

impl PartialEq for SharedRecord {
    fn eq(&self, other: &Self) -> bool {
        self.record == other.record
    }
}

impl Eq for SharedRecord {}

#[cfg(test)]
mod tests;
