//! Any frame at all, for properties.

use std::sync::Arc;

use model::{
    AccountId, AccountRecord, ActivityRequest, ActivityType, ChannelId, CleanText, ClockOutReason, CloseCode,
    Device, EndReason, EntryId, ErrorCode, Holder, Kept, MetadataValue, Minute, NotResumed, OrganizationId,
    Outgoing, PeopleInterest, PersonRecord, PersonState, Phase, Record, RequestError, RequestId,
    ResumeOutcome, ResumePoint, ResumeRequest, SessionId, Settings, SettingsPatch, SharedRecord, Status,
    SubscribeRequest, SubscribedChannel, SubscriptionId, TrackRequest, UserId, ViewFrame, Visibility,
    WeddingId, WelcomeFrame, limits,
};
use proptest::{
    collection::{btree_map, vec},
    option::of,
    prelude::*,
    sample::select,
};
use wire::{
    ActivityFrame, ChangeAccount, ClientFrame, ClockInRequest, ClockOut, ClockedIn, ClockedOut, Closing,
    Hello, Refresh, Request, ServerFrame, SetSettings, Subscribe, Token, TrackFrame, Unsubscribe,
};

fn uuid() -> impl Strategy<Value = uuid::Uuid> + Clone {
    any::<u128>().prop_map(uuid::Uuid::from_u128)
}

fn minute() -> impl Strategy<Value = Minute> {
    // Up to the year 9999, where RFC 3339 ends.
    (0_i64..=4_223_371_679).prop_map(Minute)
}

/// Text with much of what JSON escapes or cleaning touches.
fn raw_text(max_chars: usize) -> impl Strategy<Value = String> {
    let odd =
        select(vec!['"', '\\', '/', '\u{200D}', '\u{7f}', '\n', '\u{1F469}', 'é', '\u{301}', '\u{10FFFF}']);
    let one = prop_oneof![2 => odd, 1 => any::<char>(), 2 => prop::char::range(' ', '~')];
    vec(one, 0..=max_chars).prop_map(String::from_iter)
}

/// Cleaned, and often as long as it may be.
fn clean_text(max_chars: usize) -> impl Strategy<Value = Option<CleanText>> {
    let longest = select(vec!["\"", "\\", "\u{10FFFF}", "é"]).prop_map(move |text| text.repeat(max_chars));
    let text = prop_oneof![3 => raw_text(max_chars), 1 => longest];
    of(text).prop_map(move |raw| CleanText::parse(&raw?, "text", max_chars).ok().flatten())
}

fn status() -> impl Strategy<Value = Status> {
    select(vec![Status::Online, Status::Idle, Status::Away, Status::Busy])
}

fn device() -> impl Strategy<Value = Option<Device>> {
    of(select(vec![Device::Desktop, Device::Mobile, Device::Tablet]))
}

fn visibility() -> impl Strategy<Value = Visibility> {
    select(vec![Visibility::Everyone, Visibility::Team, Visibility::Contacts, Visibility::Nobody])
}

fn channel() -> impl Strategy<Value = ChannelId> {
    (0..3, uuid()).prop_map(|(kind, id)| match kind {
        0 => ChannelId::Wedding(WeddingId(id)),
        1 => ChannelId::Organization(OrganizationId(id)),
        _ => ChannelId::Account(AccountId(id)),
    })
}

fn entry() -> impl Strategy<Value = EntryId> {
    (any::<bool>(), uuid()).prop_map(|(person, id)| {
        if person { EntryId::Person(UserId(id)) } else { EntryId::Account(AccountId(id)) }
    })
}

fn person_state() -> impl Strategy<Value = PersonState> {
    let texts = (
        clean_text(limits::PAGE_CHARS),
        clean_text(limits::CUSTOM_STATUS_CHARS),
        clean_text(limits::CUSTOM_EMOJI_CHARS),
    );
    let present =
        (status(), any::<bool>(), device(), texts).prop_map(|(status, is_typing, device, texts)| {
            let (page, custom_status, custom_emoji) = texts;
            PersonState::Present { status, page, is_typing, device, custom_status, custom_emoji }
        });
    prop_oneof![2 => present, 1 => of(minute()).prop_map(|last_seen| PersonState::Offline { last_seen })]
}

fn holder() -> impl Strategy<Value = Holder> {
    let named = (uuid(), raw_text(limits::NAME_CHARS), minute(), of(minute()));
    prop_oneof![
        Just(Holder::Occupied),
        minute().prop_map(|since| Holder::Own { since }),
        named.prop_map(|(user, display_name, since, stale_since)| {
            Holder::Named { user_id: UserId(user), display_name, since, stale_since }
        }),
    ]
}

pub(crate) fn record() -> impl Strategy<Value = Record> {
    let person = (uuid(), person_state())
        .prop_map(|(user, state)| Record::Person(PersonRecord { user_id: UserId(user), state }));
    let account = (uuid(), holder())
        .prop_map(|(id, holder)| Record::Account(AccountRecord { account_id: AccountId(id), holder }));
    prop_oneof![2 => person, 1 => account]
}

fn shared(max: usize) -> impl Strategy<Value = Vec<Arc<SharedRecord>>> {
    vec(record().prop_map(|record| Arc::new(SharedRecord::new(record))), 0..=max)
}

pub(crate) fn view(max: usize) -> impl Strategy<Value = ViewFrame> {
    let phase = prop_oneof![any::<bool>().prop_map(|more| Phase::Snapshot { more }), Just(Phase::Live)];
    let lists = (shared(max), shared(max), vec(entry(), 0..=max));
    (any::<u32>(), any::<u32>(), phase, lists).prop_map(|(subscription, sequence, phase, lists)| {
        let (join, update, leave) = lists;
        ViewFrame { subscription: SubscriptionId(subscription), sequence, phase, join, update, leave }
    })
}

fn settings() -> impl Strategy<Value = Settings> {
    let texts = (clean_text(limits::CUSTOM_STATUS_CHARS), clean_text(limits::CUSTOM_EMOJI_CHARS));
    (visibility(), any::<[bool; 3]>(), texts).prop_map(
        |(visibility, flags, (custom_status, custom_emoji))| {
            let [show_activity, show_current_page, appear_offline] = flags;
            Settings {
                visibility,
                show_activity,
                show_current_page,
                appear_offline,
                custom_status,
                custom_emoji,
            }
        },
    )
}

fn not_resumed() -> impl Strategy<Value = NotResumed> {
    select(vec![NotResumed::UnknownSession, NotResumed::UnknownChannel, NotResumed::Sequence])
}

fn resume_outcome() -> impl Strategy<Value = ResumeOutcome> {
    let one = (any::<u32>().prop_map(SubscriptionId), of(not_resumed()));
    let one = one.prop_map(|(subscription, reason)| (subscription, reason.map_or(Ok(()), Err)));
    prop_oneof![
        vec(one, 0..64).prop_map(ResumeOutcome::Resumed),
        not_resumed().prop_map(ResumeOutcome::NotResumed)
    ]
}

fn welcome() -> impl Strategy<Value = Outgoing> {
    let times = any::<[u64; 3]>();
    (uuid(), uuid(), of(resume_outcome()), times, settings()).prop_map(
        |(user, session, resume, times, settings)| {
            let [heartbeat_ms, heartbeat_timeout_ms, resume_ms] = times;
            let (user, session) = (UserId(user), SessionId(session));
            Outgoing::Welcome(WelcomeFrame {
                user,
                session,
                resume,
                heartbeat_ms,
                heartbeat_timeout_ms,
                resume_ms,
                settings,
            })
        },
    )
}

fn error_code() -> impl Strategy<Value = ErrorCode> {
    select(ErrorCode::ALL.to_vec())
}

fn subscribed() -> impl Strategy<Value = Outgoing> {
    let outcome = prop_oneof![any::<u32>().prop_map(|id| Ok(SubscriptionId(id))), error_code().prop_map(Err)];
    let one = (channel(), outcome).prop_map(|(channel, outcome)| SubscribedChannel { channel, outcome });
    (request(), vec(one, 0..64)).prop_map(|(re, channels)| Outgoing::Subscribed { re, channels })
}

fn error() -> impl Strategy<Value = Outgoing> {
    (of(request()), error_code(), "[ -~é]{0,240}", of(any::<u64>())).prop_map(
        |(re, code, message, retry_after_ms)| Outgoing::Error {
            re,
            error: RequestError { code, message, retry_after_ms },
        },
    )
}

pub(crate) fn outgoing() -> impl Strategy<Value = Outgoing> {
    let subscription = || any::<u32>().prop_map(SubscriptionId);
    prop_oneof![
        welcome(),
        subscribed(),
        view(3).prop_map(Outgoing::View),
        subscription()
            .prop_map(|subscription| Outgoing::Ended { subscription, reason: EndReason::UnknownChannel }),
        (request(), any::<bool>()).prop_map(|(re, durable)| Outgoing::Ack {
            re,
            kept: if durable { Kept::Durably } else { Kept::Spooled },
        }),
        error(),
        settings().prop_map(Outgoing::Settings),
        Just(Outgoing::Heartbeat),
        any::<u64>().prop_map(|in_ms| Outgoing::TokenExpiring { in_ms }),
        (of(subscription()), any::<bool>())
            .prop_map(|(subscription, stale)| Outgoing::Stale { subscription, stale }),
    ]
}

fn request() -> impl Strategy<Value = RequestId> {
    any::<u32>().prop_map(RequestId)
}

fn track() -> impl Strategy<Value = TrackRequest> {
    let texts = (of(raw_text(20)), of(raw_text(20)), of(raw_text(20)));
    (status(), of(any::<bool>()), device(), texts, of(vec(channel(), 0..4))).prop_map(
        |(status, is_typing, device, (current_page, custom_status, custom_emoji), scope)| TrackRequest {
            status,
            current_page,
            is_typing,
            device,
            custom_status,
            custom_emoji,
            scope,
        },
    )
}

fn patch() -> impl Strategy<Value = SettingsPatch> {
    let texts = (of(raw_text(20)), of(raw_text(20)));
    (of(visibility()), any::<[Option<bool>; 3]>(), texts).prop_map(
        |(visibility, flags, (custom_status, custom_emoji))| {
            let [show_activity, show_current_page, appear_offline] = flags;
            SettingsPatch {
                visibility,
                show_activity,
                show_current_page,
                appear_offline,
                custom_status,
                custom_emoji,
            }
        },
    )
}

fn subscribe_request() -> impl Strategy<Value = SubscribeRequest> {
    let people = select(vec![PeopleInterest::None, PeopleInterest::Present, PeopleInterest::Roster]);
    (channel(), of(people), of(any::<bool>())).prop_map(|(channel, people, accounts)| SubscribeRequest {
        channel,
        people,
        accounts,
    })
}

fn hello() -> impl Strategy<Value = ClientFrame> {
    let point = any::<(u32, u32)>().prop_map(|(subscription, sequence)| ResumePoint {
        subscription: SubscriptionId(subscription),
        sequence,
    });
    let resume = (uuid(), vec(point, 0..4))
        .prop_map(|(session, subscriptions)| ResumeRequest { session: SessionId(session), subscriptions });
    (of(raw_text(40).prop_map(Token::new)), of(resume), of(track()))
        .prop_map(|(token, resume, track)| ClientFrame::Hello(Hello { token, resume, track, clock_in: None }))
}

fn extension_hello() -> impl Strategy<Value = ClientFrame> {
    (raw_text(40), uuid(), of(uuid())).prop_map(|(code, account, op_id)| {
        let (code, account_id) = (Token::new(code), AccountId(account));
        let clock_in = Some(ClockInRequest { code, account_id, op_id });
        ClientFrame::Hello(Hello { clock_in, ..Hello::default() })
    })
}

fn epoch() -> impl Strategy<Value = u64> {
    prop_oneof![0..=1_u64 << 53, Just(1 << 53)]
}

fn clock_out() -> impl Strategy<Value = ClientFrame> {
    (request(), uuid(), epoch(), of(uuid())).prop_map(|(id, account, epoch, op_id)| {
        ClientFrame::ClockOut(ClockOut { id, account_id: AccountId(account), epoch, op_id })
    })
}

fn change_account() -> impl Strategy<Value = ClientFrame> {
    (request(), uuid(), epoch(), uuid(), of(uuid())).prop_map(|(id, account, epoch, to, op_id)| {
        let (account_id, to) = (AccountId(account), AccountId(to));
        ClientFrame::ChangeAccount(ChangeAccount { id, account_id, epoch, to, op_id })
    })
}

fn clocked_in() -> impl Strategy<Value = ServerFrame> {
    let ids = (uuid(), uuid(), uuid());
    (of(request()), ids, epoch(), minute(), raw_text(40), any::<[u64; 3]>(), vec(raw_text(10), 0..4))
        .prop_map(|(re, (user, organization, account), epoch, since, token, times, admins_see)| {
            let [token_ms, heartbeat_ms, heartbeat_timeout_ms] = times;
            ServerFrame::ClockedIn(Box::new(ClockedIn {
                re,
                user: UserId(user),
                organization: OrganizationId(organization),
                account_id: AccountId(account),
                epoch,
                since,
                token: Token::new(token),
                token_ms,
                heartbeat_ms,
                heartbeat_timeout_ms,
                admins_see,
            }))
        })
}

fn clocked_out() -> impl Strategy<Value = ServerFrame> {
    (uuid(), epoch(), of(select(ClockOutReason::ALL))).prop_map(|(account, epoch, reason)| {
        ServerFrame::ClockedOut(ClockedOut { account_id: AccountId(account), epoch, reason })
    })
}

fn closing() -> impl Strategy<Value = ServerFrame> {
    (select(CloseCode::ALL), of(raw_text(40)), of(any::<u64>())).prop_map(
        |(code, message, reconnect_after_ms)| {
            ServerFrame::Closing(Closing { code, message, reconnect_after_ms })
        },
    )
}

/// Whatever the shell says besides what the heart said: to extensions, and before a close.
pub(crate) fn shell_frame() -> impl Strategy<Value = ServerFrame> {
    prop_oneof![clocked_in(), clocked_out(), closing()]
}

fn activity() -> impl Strategy<Value = ActivityRequest> {
    let texts = select(vec!["action", "section", "element", "referrer", "reason"]).prop_map(str::to_owned);
    let texts = btree_map(texts, raw_text(20).prop_map(MetadataValue::Text), 0..4);
    let count = any::<u64>().prop_map(MetadataValue::Number);
    let metadata = (texts, count).prop_map(|(mut metadata, count)| {
        metadata.insert("count".to_owned(), count);
        metadata
    });
    let kind = select(ActivityType::ALL);
    (kind, of(raw_text(40)), device(), of(uuid()), of(uuid()), of(metadata)).prop_map(
        |(activity_type, page, device, session, organization, metadata)| ActivityRequest {
            activity_type,
            page,
            device,
            session_id: session.map(SessionId),
            organization_id: organization.map(OrganizationId),
            metadata,
        },
    )
}

pub(crate) fn client_frame() -> impl Strategy<Value = ClientFrame> {
    let plain = || request().prop_map(|id| Request { id });
    prop_oneof![
        hello(),
        extension_hello(),
        clock_out(),
        change_account(),
        plain().prop_map(ClientFrame::Renew),
        (request(), vec(subscribe_request(), 0..4))
            .prop_map(|(id, channels)| ClientFrame::Subscribe(Subscribe { id, channels })),
        (request(), any::<u32>()).prop_map(|(id, subscription)| {
            ClientFrame::Unsubscribe(Unsubscribe { id, subscription: SubscriptionId(subscription) })
        }),
        (request(), track()).prop_map(|(id, track)| ClientFrame::Track(TrackFrame { id, track })),
        plain().prop_map(ClientFrame::Untrack),
        (request(), activity())
            .prop_map(|(id, activity)| ClientFrame::Activity(ActivityFrame { id, activity })),
        plain().prop_map(ClientFrame::SignOut),
        (request(), patch(), of(uuid()))
            .prop_map(|(id, settings, op_id)| ClientFrame::SetSettings(SetSettings { id, settings, op_id })),
        (request(), raw_text(40))
            .prop_map(|(id, token)| ClientFrame::Refresh(Refresh { id, token: Token::new(token) })),
        plain().prop_map(ClientFrame::Ping),
        Just(ClientFrame::Heartbeat),
    ]
}
