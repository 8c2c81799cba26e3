//! What a replica is and what became of a step, in words that do not depend on the implementation.

use client::{Applied, Fault, Phase, Replica, replica::Changed};
use model::{ChannelId, Encoding, EntryId, Record};
use serde_json::{Value, json};
use wire::{ServerFrame, SettingsNow};

use crate::hub::name;

/// What a frame came to, and where each channel stands then.
pub(crate) fn outcome(applied: &Result<Applied, Fault>, replica: &Replica) -> String {
    format!("{} | {}", came_to(applied, replica), standing(replica))
}

/// Where each channel stands: phase, sequence and how many are listed.
pub(crate) fn standing(replica: &Replica) -> String {
    let one = |(channel, list): (ChannelId, &client::List)| {
        let phase = phase(replica, channel);
        format!("{channel} {phase} {} {}", list.sequence(), list.entries().len())
    };
    replica.lists().map(one).collect::<Vec<_>>().join(", ")
}

fn came_to(applied: &Result<Applied, Fault>, replica: &Replica) -> String {
    match applied {
        Ok(Applied::Nothing) => "nothing".to_owned(),
        Ok(Applied::Welcomed { resumed, lost }) => {
            let mut lost: Vec<_> = lost.iter().map(ToString::to_string).collect();
            lost.sort_unstable();
            format!("welcomed {resumed} {}", lost.join(" "))
        }
        Ok(Applied::Subscribed(_)) => "subscribed".to_owned(),
        Ok(Applied::Changed(changed)) => {
            format!("changed {} {}", changed.channel, differences(changed, replica))
        }
        Ok(Applied::Ended(channel)) => format!("ended {channel}"),
        Ok(Applied::Settings) => "settings".to_owned(),
        Ok(Applied::Staleness(_)) => "staleness".to_owned(),
        Ok(Applied::Closing) => "closing".to_owned(),
        Err(Fault { channel: Some(channel), kind }) => format!("fault {channel} {}", name(*kind)),
        Err(Fault { channel: None, .. }) => "unknown".to_owned(),
    }
}

/// Who came (`+`), changed (`~`) and went (`-`), sorted.
fn differences(changed: &Changed, replica: &Replica) -> String {
    let entries = replica.list(changed.channel).map(client::List::entries);
    let sign = |(id, before): &(EntryId, Option<Record>)| {
        let is_listed = entries.is_some_and(|entries| entries.contains_key(id));
        let sign = match (before.is_some(), is_listed) {
            (false, _) => '+',
            (true, true) => '~',
            (true, false) => '-',
        };
        match id {
            EntryId::Person(user) => format!("{sign}person:{user}"),
            EntryId::Account(account) => format!("{sign}account:{account}"),
        }
    };
    let mut signs: Vec<_> = changed.before.iter().map(sign).collect();
    signs.sort_unstable();
    signs.join(" ")
}

/// All that a replica has.
pub(crate) fn dump(replica: &Replica) -> Value {
    let settings = replica.settings().cloned();
    let settings = settings.map(|settings| frame(&ServerFrame::Settings(SettingsNow { settings })));
    let closing = replica.closing().cloned();
    let resume = replica.resume().map(|resume| {
        let point = |point: &model::ResumePoint| {
            json!({ "subscription": point.subscription.0, "sequence": point.sequence })
        };
        let subscriptions: Vec<_> = resume.subscriptions.iter().map(point).collect();
        json!({ "session": resume.session, "subscriptions": subscriptions })
    });
    json!({
        "user": replica.user(),
        "session": replica.session(),
        "settings": settings.map(|frame| frame["settings"].clone()),
        "closing": closing.map(|closing| frame(&ServerFrame::Closing(closing))),
        "resume": resume,
        "channels": replica.lists().map(|(channel, list)| json!({
            "channel": channel,
            "phase": phase(replica, channel),
            "sequence": list.sequence(),
            "subscription": replica.subscription(channel).map(|subscription| subscription.0),
            "entries": list.entries().values().map(entry).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}

fn phase(replica: &Replica, channel: ChannelId) -> &'static str {
    match replica.phase(channel) {
        Some(Phase::CatchingUp) => "loading",
        Some(Phase::Live) => "live",
        Some(Phase::Stale) => "stale",
        None => "none",
    }
}

fn frame(frame: &ServerFrame) -> Value {
    read(&wire::encode_server(Encoding::Json, frame))
}

fn entry(record: &Record) -> Value {
    read(&wire::encode_record(Encoding::Json, record))
}

fn read(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("what is written here is JSON")
}
