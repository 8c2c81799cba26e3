//! Frames as lines that a test can read.

use model::{EntryId, Holder, Outgoing, PersonState, Phase, Record, ResumeOutcome, ViewFrame};

use super::stage::START;

/// What a frame is counted with.
pub(super) fn weight(frame: &Outgoing) -> usize {
    match frame {
        Outgoing::View(view) => {
            let records = view.join.iter().chain(&view.update).map(|record| record.record().weight());
            128 + records.sum::<usize>() + 64 * view.leave.len()
        }
        other => other.weight(),
    }
}

pub(super) fn words(frame: &Outgoing) -> String {
    match frame {
        Outgoing::Welcome(welcome) => match &welcome.resume {
            None => "welcome".into(),
            Some(ResumeOutcome::NotResumed(why)) => format!("welcome anew {why:?}"),
            Some(ResumeOutcome::Resumed(views)) => {
                let views = views.iter().map(|(id, outcome)| match outcome {
                    Ok(()) => format!(" {}:ok", id.0),
                    Err(why) => format!(" {}:{why:?}", id.0),
                });
                format!("welcome back{}", views.collect::<String>())
            }
        },
        Outgoing::Subscribed { channels, .. } => {
            let outcome = |channel: &model::SubscribedChannel| match channel.outcome {
                Ok(id) => format!(" {}", id.0),
                Err(code) => format!(" {}", code.name()),
            };
            format!("subscribed{}", channels.iter().map(outcome).collect::<String>())
        }
        Outgoing::View(view) => view_words(view),
        Outgoing::Ended { subscription, reason } => format!("ended {} {reason:?}", subscription.0),
        Outgoing::Ack { .. } => "ack".into(),
        Outgoing::Error { error, .. } => format!("error {}", error.code.name()),
        Outgoing::Settings(settings) => {
            format!(
                "settings {:?}{}",
                settings.visibility,
                if settings.appear_offline { " offline" } else { "" }
            )
        }
        Outgoing::Heartbeat => "heartbeat".into(),
        Outgoing::TokenExpiring { in_ms } => format!("expiring in {in_ms}"),
        Outgoing::Stale { stale, .. } => if *stale { "stale" } else { "fresh" }.into(),
    }
}

/// `view 1#2 +1:online ~.. -..`: subscription, sequence, joins, updates, leaves; `page` or `last` in a snapshot.
fn view_words(view: &ViewFrame) -> String {
    let phase = match view.phase {
        Phase::Snapshot { more: true } => " page",
        Phase::Snapshot { more: false } => " last",
        Phase::Live => "",
    };
    let list = |sign: &str, records: &[std::sync::Arc<model::SharedRecord>]| {
        records.iter().map(|record| format!(" {sign}{}", record_words(record.record()))).collect::<String>()
    };
    let leave = view.leave.iter().map(|id| format!(" -{}", entry_words(*id))).collect::<String>();
    let (join, update) = (list("+", &view.join), list("~", &view.update));
    format!("view {}#{}{phase}{join}{update}{leave}", view.subscription.0, view.sequence)
}

fn entry_words(id: EntryId) -> String {
    match id {
        EntryId::Person(user) => user.0.as_u128().to_string(),
        EntryId::Account(account) => format!("account-{}", account.0.as_u128()),
    }
}

pub(super) fn record_words(record: &Record) -> String {
    let what = match record {
        Record::Person(person) => state_words(&person.state),
        Record::Account(account) => match &account.holder {
            Holder::Occupied => "occupied".into(),
            Holder::Own { .. } => "own".into(),
            Holder::Named { user_id, display_name, .. } => format!("{}={display_name}", user_id.0.as_u128()),
        },
    };
    format!("{}:{what}", entry_words(record.id()))
}

fn state_words(state: &PersonState) -> String {
    match state {
        PersonState::Offline { last_seen: None } => "offline".into(),
        PersonState::Offline { last_seen: Some(minute) } => format!("offline@{}", minute.0 - START / 60_000),
        PersonState::Present { status, page, is_typing, device, custom_status, custom_emoji } => {
            let texts = [page, custom_status, custom_emoji].into_iter().flatten();
            let mut words = format!("{status:?}").to_lowercase();
            texts.for_each(|text| words.push_str(&format!("|{}", text.as_str())));
            words.push_str(if *is_typing { "|typing" } else { "" });
            device.iter().for_each(|device| words.push_str(&format!("|{device:?}")));
            words
        }
    }
}
