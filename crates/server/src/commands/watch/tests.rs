use client::{Change, ChannelEvent, Ending, Phase, Replica, Standing};
use model::{
    AccountId, AccountRecord, ChannelId, CleanText, Device, EntryId, ErrorCode, Holder, Minute, PersonRecord,
    PersonState, Record, RequestId, SharedRecord, Status, SubscribedChannel, SubscriptionId, ViewFrame,
    WeddingId,
};
use uuid::Uuid;
use wire::{ServerFrame, Subscribed};

use super::{text::safe, *};

fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

fn wedding() -> ChannelId {
    ChannelId::Wedding(WeddingId(Uuid::from_u128(7)))
}

fn names() -> Names {
    let mut names = Names::default();
    let document = format!(
        r#"{{"users": [{{"id": "{}", "displayName": "Ada \u001b[31m Byron"}}, {{"id": "{}", "displayName": "Grace"}}],
        "organizations": [{{"id": "{}", "name": "Agency", "members": [{{"user": "{}", "role": "admin"}}],
          "accounts": [{{"id": "{}", "name": "Inbox"}}]}}],
        "weddings": [{{"id": "{}", "name": "June\u202e", "collaborations": [
          {{"supplier": "{}", "client": "{}", "supplierType": "florist"}}]}}]}}"#,
        user(1),
        user(2),
        Uuid::from_u128(9),
        user(1),
        Uuid::from_u128(5),
        Uuid::from_u128(7),
        user(1),
        user(2)
    );
    names.learn(&persistence::import::parse(&document).unwrap());
    names
}

fn text(raw: &str) -> Option<CleanText> {
    CleanText::parse(raw, "text", 100).unwrap()
}

fn here(number: u128, status: Status) -> Record {
    let state = PersonState::Present {
        status,
        page: text("/timeline"),
        is_typing: true,
        device: Some(Device::Mobile),
        custom_status: text("setting up"),
        custom_emoji: text("📷"),
    };
    Record::Person(PersonRecord { user_id: user(number), state })
}

fn bare(number: u128, status: Status) -> Record {
    let state = PersonState::Present {
        status,
        page: None,
        is_typing: false,
        device: None,
        custom_status: text("lunch"),
        custom_emoji: None,
    };
    Record::Person(PersonRecord { user_id: user(number), state })
}

fn offline(number: u128, last_seen: Option<Minute>) -> Record {
    Record::Person(PersonRecord { user_id: user(number), state: PersonState::Offline { last_seen } })
}

fn account(holder: Holder) -> Record {
    Record::Account(AccountRecord { account_id: AccountId(Uuid::from_u128(5)), holder })
}

/// 2026-11-21 14:02 UTC.
const AT: Minute = Minute(29_921_162);

/// Three minutes later.
fn later() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs((AT.0 as u64 + 3) * 60)
}

fn line(before: Option<Record>, now: Option<Record>) -> String {
    let id = before.as_ref().or(now.as_ref()).unwrap().id();
    let changes = vec![Change { id, before, now }];
    let event = ChannelEvent { channel: wedding(), standing: Standing::Followed(Phase::Live), changes };
    let lines = lines::of(&Event::Channel(event), &names(), Palette::Plain, later());
    assert_eq!(lines.len(), 1);
    let line = lines[0].strip_prefix("June").unwrap();
    line.trim_start().to_owned()
}

#[test]
fn a_change_is_a_line() {
    for (before, now, said) in [
        (
            None,
            Some(here(1, Status::Online)),
            r#"+ Ada [31m Byron (florist)  online  typing…  on /timeline  mobile  📷 "setting up""#,
        ),
        (
            Some(bare(2, Status::Busy)),
            Some(bare(2, Status::Away)),
            r#"~ Grace (couple)  busy → away  "lunch""#,
        ),
        (
            Some(bare(2, Status::Idle)),
            Some(offline(2, Some(AT))),
            "~ Grace (couple)  idle → offline  last seen 2026-11-21 14:02",
        ),
        (Some(bare(3, Status::Idle)), None, "- 00000000"),
        (None, Some(offline(3, None)), "+ 00000000  offline  never seen"),
        (None, Some(account(Holder::Occupied)), "+ Inbox (account)  ● Occupied"),
        (None, Some(account(Holder::Own { since: AT })), "+ Inbox (account)  ● Yours · since 14:02"),
    ] {
        assert_eq!(line(before, now), said);
    }
}

#[test]
fn nothing_that_people_write_reaches_the_terminal_as_a_command() {
    let display_name = "Eve\u{1b}]0;owned\u{7}\r\nAda\u{202e}".to_owned();
    let holder = Holder::Named { user_id: user(1), display_name, since: AT, stale_since: Some(AT) };
    let said = line(None, Some(account(holder)));
    assert_eq!(said, "+ Inbox (account)  ◐ Eve]0;owned  Ada · since 14:02 · last seen 3 min ago");
    assert_eq!(safe("\u{9b}31m\u{0}a\u{200b}b\u{2066}\tc"), "31mab c");
    let ending = Connection::Ended(Ending::Handshake("\u{1b}[2J".to_owned()));
    assert_eq!(
        lines::of(&Event::Connection(ending), &names(), Palette::Plain, later()),
        ["cannot connect: [2J"]
    );
}

#[test]
fn the_connection_and_the_standing_of_channels_are_told() {
    let of = |connection| lines::of(&Event::Connection(connection), &names(), Palette::Plain, later());
    assert!(of(Connection::Connecting).is_empty());
    assert_eq!(of(Connection::Connected { resumed: false }), ["connected"]);
    assert_eq!(of(Connection::Connected { resumed: true }), ["connected again; nothing was missed"]);
    let waiting = Connection::Waiting { wait: Duration::from_millis(1_500), cause: "no network".to_owned() };
    assert_eq!(of(waiting), ["your view is stale: no network; trying again in 1.5 s"]);
    assert!(
        lines::of(&Event::Settings(model::Settings::default()), &names(), Palette::Plain, later()).is_empty()
    );
    for (standing, said) in [
        (Standing::Followed(Phase::Live), None),
        (Standing::Left, None),
        (Standing::Followed(Phase::Stale), Some("June                        this view may be old")),
        (
            Standing::Gone(ErrorCode::UnknownChannel),
            Some("June                        there is no such channel for this viewer"),
        ),
        (
            Standing::Gone(ErrorCode::ChannelLimit),
            Some("June                        too many channels are followed"),
        ),
    ] {
        let event = ChannelEvent { channel: wedding(), standing, changes: Vec::new() };
        let said: Vec<_> = said.into_iter().collect();
        assert_eq!(lines::of(&Event::Channel(event), &names(), Palette::Plain, later()), said);
    }
}

#[test]
fn colours_only_where_they_are_wanted() {
    let event = Event::Connection(Connection::Connected { resumed: false });
    assert_eq!(lines::of(&event, &names(), Palette::Colours, later()), ["\u{1b}[2mconnected\u{1b}[0m"]);
    let change = Change { id: EntryId::Person(user(1)), before: None, now: Some(here(1, Status::Busy)) };
    let event = ChannelEvent { channel: wedding(), standing: Standing::Left, changes: vec![change] };
    let lines = lines::of(&Event::Channel(event), &names(), Palette::Colours, later());
    assert!(lines[0].contains("\u{1b}[31mbusy\u{1b}[0m"), "{}", lines[0]);
    // Tests have no terminal.
    assert_eq!(Palette::of_stdout(), Palette::Plain);
}

/// Has a replica subscribe to a channel and be shown these.
fn show(replica: &mut Replica, channel: ChannelId, records: Vec<Record>) {
    let channel = SubscribedChannel { channel, outcome: Ok(SubscriptionId(1)) };
    let answer = Subscribed { re: RequestId(1), channels: vec![channel] };
    replica.apply(&ServerFrame::Subscribed(answer)).unwrap();
    let join = records.into_iter().map(|record| std::sync::Arc::new(SharedRecord::new(record))).collect();
    let view = ViewFrame {
        subscription: SubscriptionId(1),
        sequence: 1,
        phase: model::Phase::Snapshot { more: false },
        join,
        update: Vec::new(),
        leave: Vec::new(),
    };
    replica.apply(&ServerFrame::View(view)).unwrap();
}

fn replica() -> Replica {
    let mut replica = Replica::new();
    let records = vec![offline(1, None), bare(2, Status::Away), account(Holder::Occupied)];
    show(&mut replica, wedding(), records);
    replica
}

#[test]
fn a_table_shows_who_is_here_first() {
    let mut table = Table::new(names(), Palette::Plain);
    let other = ChannelId::Wedding(WeddingId(Uuid::from_u128(8)));
    let gone = Standing::Gone(ErrorCode::UnknownChannel);
    table.note(&Event::Channel(ChannelEvent { channel: other, standing: gone, changes: Vec::new() }));
    let mut replica = replica();
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 + 3_723);
    let lines = table.lines(&replica, &Connection::Connected { resumed: true }, at);
    let lines: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
    assert_eq!(
        lines,
        [
            "01:02:03 UTC  live  (Ctrl-C ends)",
            "",
            "June  1 here",
            "  Grace                couple         away     \"lunch\"",
            "  Ada [31m Byron       florist        offline  never seen",
            "  Inbox                account                 ● Occupied",
            "",
            "wedding:00000000-0000-0000-0000-000000000008  there is no such channel for this viewer",
        ]
    );
    table.note(&Event::Channel(ChannelEvent {
        channel: other,
        standing: Standing::Left,
        changes: Vec::new(),
    }));
    replica.disconnected();
    let lines = table.lines(&replica, &Connection::Connecting, at);
    assert_eq!(lines[0], "01:02:03 UTC  connecting  (Ctrl-C ends)");
    assert_eq!(lines[2], "June  this view may be old");
    assert_eq!(lines.len(), 6);
}

#[test]
fn a_table_leaves_the_terminal_as_it_was() {
    let mut out = Vec::new();
    table::open(&mut out).unwrap();
    table::close(&mut out).unwrap();
    let drawn = String::from_utf8(out).unwrap();
    for mode in ["?1049", "?25", "?7"] {
        assert_eq!(drawn.matches(&format!("\u{1b}[{mode}h")).count(), 1, "{mode}");
        assert_eq!(drawn.matches(&format!("\u{1b}[{mode}l")).count(), 1, "{mode}");
    }
}

#[test]
fn names_come_from_the_sample_world_and_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("names.json");
    std::fs::write(&file, format!(r#"{{"users": [{{"id": "{}", "displayName": "Grace"}}]}}"#, user(2)))
        .unwrap();
    let names = names::known(Some(&file)).unwrap();
    assert_eq!(names.user(user(2)), "Grace");
    assert_eq!(names.user(user(3)), "00000000");
    assert_eq!(names.channel(wedding()), wedding().to_string());
    let missing = names::known(Some(&directory.path().join("none.json")));
    assert!(matches!(missing, Err(CommandError::Read { .. })));
}

#[test]
fn a_token_is_given_or_made() {
    let args = |words: &[&str]| match <crate::cli::Cli as clap::Parser>::parse_from(words).command {
        crate::cli::Command::Watch(args) => args,
        other => panic!("{other:?}"),
    };
    let channel = wedding().to_string();
    assert!(tokens(&args(&["hub", "watch", "--token", "t", &channel])).is_ok());
    let secret = "a-secret-of-more-than-thirty-two-bytes";
    let user = user(1).to_string();
    assert!(tokens(&args(&["hub", "watch", "--as", &user, "--secret", secret, &channel])).is_ok());
    let nobody = WatchArgs { token: None, ..args(&["hub", "watch", "--token", "t", &channel]) };
    assert!(matches!(tokens(&nobody), Err(CommandError::NoIssuer)));
}

/// What a viewer of an organization is shown of it.
fn view_of(table: &SideBySide, viewer: u128, records: Vec<Record>) -> side_by_side::View {
    let mut replica = Replica::new();
    let settings = model::Settings::default();
    replica
        .apply(&ServerFrame::Welcome(Box::new(wire::Welcome {
            user: user(viewer),
            session: model::SessionId(Uuid::from_u128(viewer)),
            resume: None,
            heartbeat_ms: 1,
            heartbeat_timeout_ms: 1,
            resume_ms: 1,
            limits: wire::Announced { message_bytes: 1, subscriptions: 1 },
            settings,
        })))
        .unwrap();
    show(&mut replica, organization(), records);
    table.view(&replica, &Connection::Connected { resumed: false }, later())
}

fn organization() -> ChannelId {
    ChannelId::Organization(model::OrganizationId(Uuid::from_u128(9)))
}

/// Each row without what fills it up.
fn rows(lines: &[String]) -> Vec<Vec<&str>> {
    lines.iter().map(|line| line.split('│').map(str::trim).collect()).collect()
}

#[test]
fn an_admin_and_an_assistant_are_shown_side_by_side() {
    let table = SideBySide::new(names(), Palette::Plain);
    let named = |stale_since| {
        let display_name = "Ana Costa".to_owned();
        account(Holder::Named { user_id: user(3), display_name, since: AT, stale_since })
    };
    let admin = view_of(&table, 1, vec![bare(2, Status::Away), named(None)]);
    let assistant = view_of(&table, 2, vec![account(Holder::Occupied)]);
    let lines = table.lines(&[admin, assistant], later());
    assert_eq!(
        rows(&lines),
        [
            vec!["14:05:00 UTC  (Ctrl-C ends)"],
            vec!["as Ada [31m Byron  live", "as Grace  live"],
            vec![""],
            vec!["Agency", ""],
            vec!["Inbox                  ● Ana Costa · since 14:02", "● Occupied"],
            vec![r#"Grace                  away  "lunch""#, ""],
        ]
    );
    let lost = view_of(&table, 1, vec![named(Some(AT))]);
    let own = view_of(&table, 3, vec![account(Holder::Own { since: AT })]);
    let lines = table.lines(&[lost, own], later());
    assert_eq!(
        rows(&lines)[4],
        ["Inbox                  ◐ Ana Costa · since 14:02 · last seen 3 min ago", "● Yours · since 14:02"]
    );
    let free = [1, 2].map(|viewer| view_of(&table, viewer, Vec::new()));
    assert_eq!(rows(&table.lines(&free, later()))[4], ["Inbox                  ○ Available", "○ Available"]);
}

#[test]
fn a_second_viewer_has_a_token_or_is_given_some() {
    let args = |words: &[&str]| match <crate::cli::Cli as clap::Parser>::parse_from(words).command {
        crate::cli::Command::Watch(args) => args,
        other => panic!("{other:?}"),
    };
    let channel = organization().to_string();
    let alone = args(&["hub", "watch", "--token", "t", &channel]);
    assert_eq!(viewers(&alone).unwrap().len(), 1);
    let beside = args(&["hub", "watch", "--token", "t", "--side-by-side", "u", &channel]);
    let both = viewers(&beside).unwrap();
    assert_eq!((both.len(), both[0].channels[0].channel), (2, organization()));
    assert_eq!(both[0].channels, both[1].channels);
    let secret = "a-secret-of-more-than-thirty-two-bytes";
    let user = user(1).to_string();
    let words = ["hub", "watch", "--as", &user, "--secret", secret, "--side-by-side-as", &user, &channel];
    assert_eq!(viewers(&args(&words)).unwrap().len(), 2);
}
