//! What is shown of a person. All who may see a subject see the same: fields depend on the subject's settings
//! alone, so that a record is made once and shared.

use model::{CleanText, Device, PersonRecord, PersonState, Record, Settings, Status, UserId, Wall};

/// A user's sessions in one channel, merged. Raw truth: never serialized for a viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The merged status.
    pub status: Status,
    /// The page of the session active last.
    pub page: Option<CleanText>,
    /// Whether typing in the session active last.
    pub is_typing: bool,
    /// The device of the session active last.
    pub device: Option<Device>,
    /// The custom status of the session active last, if it has one.
    pub custom_status: Option<CleanText>,
    /// The custom emoji of the session active last, if it has one.
    pub custom_emoji: Option<CleanText>,
}

/// For whom a record is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonForm {
    /// The person themself: every field.
    Own,
    /// Anybody who may see them: what the settings show.
    Public,
}

/// The record of a person who is here.
#[must_use]
pub fn present(form: PersonForm, user_id: UserId, merged: Merged, settings: &Settings) -> Record {
    let shows = |choice: bool| form == PersonForm::Own || choice;
    let activity = shows(settings.show_activity);
    let status = match merged.status {
        // Detected idleness is activity; a chosen `away` is a statement.
        Status::Idle if !activity => Status::Online,
        status => status,
    };
    let state = PersonState::Present {
        status,
        page: merged.page.filter(|_| shows(settings.show_current_page)),
        is_typing: merged.is_typing && activity,
        device: merged.device.filter(|_| activity),
        custom_status: merged.custom_status.or_else(|| settings.custom_status.clone()),
        custom_emoji: merged.custom_emoji.or_else(|| settings.custom_emoji.clone()),
    };
    Record::Person(PersonRecord { user_id, state })
}

/// The record of a person who is not here: when they were last seen, to the minute, and nothing more.
#[must_use]
pub fn offline(user_id: UserId, last_seen: Option<Wall>) -> Record {
    let state = PersonState::Offline { last_seen: last_seen.map(Wall::minute) };
    Record::Person(PersonRecord { user_id, state })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Minute;
    use uuid::Uuid;

    fn text(raw: &str) -> Option<CleanText> {
        CleanText::parse(raw, "text", 100).unwrap()
    }

    fn full(status: Status) -> Merged {
        Merged {
            status,
            page: text("/w/1"),
            is_typing: true,
            device: Some(Device::Mobile),
            custom_status: None,
            custom_emoji: text("🎂"),
        }
    }

    fn shown(form: PersonForm, status: Status, settings: &Settings) -> PersonState {
        match present(form, UserId(Uuid::nil()), full(status), settings) {
            Record::Person(person) => person.state,
            Record::Account(_) => unreachable!("a person"),
        }
    }

    #[test]
    fn fields_follow_the_settings() {
        for (activity, page) in [(false, false), (false, true), (true, false), (true, true)] {
            let settings = Settings {
                show_activity: activity,
                show_current_page: page,
                custom_status: text("from settings"),
                custom_emoji: text("💤"),
                ..Settings::default()
            };
            for status in [Status::Online, Status::Idle, Status::Away, Status::Busy] {
                let expected = PersonState::Present {
                    status: if status == Status::Idle && !activity { Status::Online } else { status },
                    page: text("/w/1").filter(|_| page),
                    is_typing: activity,
                    device: activity.then_some(Device::Mobile),
                    custom_status: text("from settings"),
                    custom_emoji: text("🎂"),
                };
                assert_eq!(shown(PersonForm::Public, status, &settings), expected);
                let PersonState::Present { status: own, page, is_typing, device, .. } =
                    shown(PersonForm::Own, status, &settings)
                else {
                    panic!("present")
                };
                assert_eq!(
                    (own, page, is_typing, device),
                    (status, text("/w/1"), true, Some(Device::Mobile))
                );
            }
        }
    }

    #[test]
    fn offline_is_last_seen_to_the_minute_and_nothing_more() {
        let id = UserId(Uuid::nil());
        for (at, minute) in [(0, 0), (59_999, 0), (60_000, 1), (-1, -1)] {
            let Record::Person(person) = offline(id, Some(Wall(at))) else { panic!("a person") };
            assert_eq!(person.state, PersonState::Offline { last_seen: Some(Minute(minute)) });
        }
        let Record::Person(person) = offline(id, None) else { panic!("a person") };
        assert_eq!(person.state, PersonState::Offline { last_seen: None });
    }
}
