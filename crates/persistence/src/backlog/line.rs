//! One row as one line: `<CRC-32 of the rest, 8 hexadecimal digits> <JSON>`. So a line that was damaged is told from one
//! that was not, each by itself.

use std::{borrow::Cow, io};

use model::{
    ActivityType, CleanText, Device, Metadata, OrganizationId, SessionId, UserId, Wall, limits::PAGE_CHARS,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{ActivityRow, Gap, GapReason, LastSeen, Stretch, StretchId};

/// Bytes before the JSON: the sum, and a blank.
const HEAD: usize = 9;

/// What a line says, whichever file it is in.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Line<'a> {
    LastSeen {
        user: UserId,
        at: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        page: Option<Cow<'a, str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        device: Option<Device>,
        #[serde(skip_serializing_if = "Option::is_none")]
        activity: Option<ActivityType>,
        session_minutes: u32,
    },
    Activity {
        id: Uuid,
        organization: OrganizationId,
        user: UserId,
        activity: ActivityType,
        #[serde(skip_serializing_if = "Option::is_none")]
        page: Option<Cow<'a, str>>,
        at: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        device: Option<Device>,
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<SessionId>,
        #[serde(default, skip_serializing_if = "is_empty")]
        metadata: Cow<'a, Metadata>,
    },
    Stretch {
        organization: OrganizationId,
        session: SessionId,
        started: i64,
        user: UserId,
        seen: i64,
        ended: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        device: Option<Device>,
    },
    Gap {
        id: Uuid,
        from: i64,
        until: i64,
        rows: u64,
        reason: GapReason,
        tried: bool,
    },
}

#[expect(clippy::ptr_arg, reason = "serde hands over the field as it is")]
fn is_empty(metadata: &Cow<'_, Metadata>) -> bool {
    metadata.is_empty()
}

/// A gap, and whether the store was asked to take it, so that it may have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MarkedGap {
    pub(super) gap: Gap,
    pub(super) tried: bool,
}

/// What can be a line.
pub(super) trait Row: Sized {
    fn line(&self) -> impl Serialize;
    /// `None`: the line is of another kind, or no hub wrote it.
    fn of_line(json: &[u8]) -> Option<Self>;

    /// Appends it to `into`; on an error nothing is.
    fn push(&self, into: &mut Vec<u8>) -> io::Result<()> {
        let start = into.len();
        into.extend_from_slice(&[b'0'; HEAD]);
        if let Err(error) = serde_json::to_writer(&mut *into, &self.line()) {
            into.truncate(start);
            return Err(error.into());
        }
        let head = format!("{:08x} ", crc32fast::hash(&into[start + HEAD..]));
        into[start..start + HEAD].copy_from_slice(head.as_bytes());
        into.push(b'\n');
        Ok(())
    }

    /// The row of a line without its end; `None` where it does not check.
    fn parse(line: &[u8]) -> Option<Self> {
        Self::of_line(checked(line)?)
    }
}

/// All of these, line by line.
pub(super) fn lines<'a, R: Row + 'a>(rows: impl IntoIterator<Item = &'a R>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    rows.into_iter().try_for_each(|row| row.push(&mut bytes))?;
    Ok(bytes)
}

/// The JSON of a line whose sum is right.
fn checked(line: &[u8]) -> Option<&[u8]> {
    let (head, json) = line.split_at_checked(HEAD)?;
    let sum = std::str::from_utf8(head).ok()?.strip_suffix(' ')?;
    (u32::from_str_radix(sum, 16).ok()? == crc32fast::hash(json)).then_some(json)
}

/// Whose row it is; `None` where the line does not check, or is of nobody.
pub(super) fn user_of(line: &[u8]) -> Option<UserId> {
    match serde_json::from_slice(checked(line)?).ok()? {
        Line::LastSeen { user, .. } | Line::Activity { user, .. } | Line::Stretch { user, .. } => Some(user),
        Line::Gap { .. } => None,
    }
}

fn text(page: &Option<CleanText>) -> Option<Cow<'_, str>> {
    page.as_ref().map(|page| page.as_str().into())
}

/// It was clean when it was written; cleaned again it stays what it was.
fn page(text: Option<Cow<'_, str>>) -> Option<Option<CleanText>> {
    let Some(text) = text else { return Some(None) };
    CleanText::parse_page(&text, "page", PAGE_CHARS).ok()
}

impl Row for LastSeen {
    fn line(&self) -> impl Serialize {
        let Self { user, at, page, device, activity, session_minutes } = self;
        Line::LastSeen {
            user: *user,
            at: at.0,
            page: text(page),
            device: *device,
            activity: *activity,
            session_minutes: *session_minutes,
        }
    }

    fn of_line(json: &[u8]) -> Option<Self> {
        let Line::LastSeen { user, at, page: raw, device, activity, session_minutes } =
            serde_json::from_slice(json).ok()?
        else {
            return None;
        };
        Some(Self { user, at: Wall(at), page: page(raw)?, device, activity, session_minutes })
    }
}

impl Row for ActivityRow {
    fn line(&self) -> impl Serialize {
        Line::Activity {
            id: self.id,
            organization: self.organization,
            user: self.user,
            activity: self.kind,
            page: text(&self.page),
            at: self.at.0,
            device: self.device,
            session: self.session,
            metadata: Cow::Borrowed(&self.metadata),
        }
    }

    fn of_line(json: &[u8]) -> Option<Self> {
        let Line::Activity { id, organization, user, activity, page: raw, at, device, session, metadata } =
            serde_json::from_slice(json).ok()?
        else {
            return None;
        };
        let metadata = metadata.into_owned();
        let (kind, at, page) = (activity, Wall(at), page(raw)?);
        Some(Self { id, organization, user, kind, page, at, device, session, metadata })
    }
}

impl Row for Stretch {
    fn line(&self) -> impl Serialize {
        Line::Stretch {
            organization: self.id.organization,
            session: self.id.session,
            started: self.id.started.0,
            user: self.user,
            seen: self.seen.0,
            ended: self.ended,
            device: self.device,
        }
    }

    fn of_line(json: &[u8]) -> Option<Self> {
        let Line::Stretch { organization, session, started, user, seen, ended, device } =
            serde_json::from_slice(json).ok()?
        else {
            return None;
        };
        let id = StretchId { organization, session, started: Wall(started) };
        Some(Self { id, user, seen: Wall(seen), ended, device })
    }
}

impl Row for MarkedGap {
    fn line(&self) -> impl Serialize {
        let Gap { id, from, until, rows, reason } = self.gap;
        Line::Gap { id, from: from.0, until: until.0, rows, reason, tried: self.tried }
    }

    fn of_line(json: &[u8]) -> Option<Self> {
        let Line::Gap { id, from, until, rows, reason, tried } = serde_json::from_slice(json).ok()? else {
            return None;
        };
        Some(Self { gap: Gap { id, from: Wall(from), until: Wall(until), rows, reason }, tried })
    }
}

#[cfg(test)]
mod tests;
