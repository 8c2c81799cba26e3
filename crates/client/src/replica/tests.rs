mod laws;
mod vectors;

use model::{NotResumed, Status};
use wire::{Ended, SettingsNow, Subscribed};

use super::*;
use crate::testing::{LAST_PAGE, PAGE, ViewFrameExt, frame, person, record, subscribed, wedding, welcome_to};

const LIVE: FramePhase = FramePhase::Live;

/// A replica that is welcome and follows one wedding as subscription 1, with 1 and 2 in it.
fn following() -> Replica {
    let mut replica = Replica::new();
    replica.apply(&ServerFrame::Welcome(Box::new(welcome_to(7)))).unwrap();
    replica.apply(&subscribed(model::RequestId(1), 1, &[wedding(1)])).unwrap();
    let page = frame(1, 1, LAST_PAGE).join(1, Status::Online).join(2, Status::Busy);
    replica.apply(&page.said()).unwrap();
    replica
}

fn resumed(outcomes: &[(u32, Result<(), NotResumed>)]) -> ServerFrame {
    let outcomes = outcomes.iter().map(|(id, outcome)| (SubscriptionId(*id), *outcome)).collect();
    let resume = Some(ResumeOutcome::Resumed(outcomes));
    ServerFrame::Welcome(Box::new(Welcome { resume, ..welcome_to(7) }))
}

fn listed(replica: &Replica) -> Vec<EntryId> {
    replica.list(wedding(1)).unwrap().entries().keys().copied().collect()
}

#[test]
fn a_list_is_its_snapshot_and_its_diffs() {
    let mut replica = Replica::new();
    replica.apply(&ServerFrame::Welcome(Box::new(welcome_to(7)))).unwrap();
    replica.apply(&subscribed(model::RequestId(1), 1, &[wedding(1)])).unwrap();
    assert_eq!(replica.phase(wedding(1)), Some(Phase::CatchingUp));
    replica.apply(&frame(1, 1, PAGE).join(1, Status::Online).said()).unwrap();
    assert_eq!(replica.phase(wedding(1)), Some(Phase::CatchingUp));
    let last = frame(1, 2, LAST_PAGE).join(3, Status::Away).update(1, Status::Idle).said();
    let Applied::Changed(changed) = replica.apply(&last).unwrap() else { panic!("a list changed") };
    assert!(changed.completed);
    assert_eq!(replica.phase(wedding(1)), Some(Phase::Live));
    let diff = frame(1, 3, LIVE).join(2, Status::Busy).update(3, Status::Online).leave(1).said();
    let Applied::Changed(changed) = replica.apply(&diff).unwrap() else { panic!("a list changed") };
    assert_eq!(
        changed.before,
        [
            (person(2), None),
            (person(3), Some(record(3, Status::Away))),
            (person(1), Some(record(1, Status::Idle)))
        ]
    );
    assert!(!changed.completed);
    assert_eq!(listed(&replica), [person(2), person(3)]);
    assert_eq!(replica.list(wedding(1)).unwrap().entries()[&person(3)], record(3, Status::Online));
    assert_eq!(replica.lists().count(), 1);
    assert_eq!(replica.channel(SubscriptionId(1)), Some(wedding(1)));
}

#[test]
fn frames_that_do_not_follow_are_not_applied() {
    let wrong = [
        (frame(1, 3, LIVE).leave(1), FaultKind::Gap { expected: 2, got: 3 }),
        (frame(1, 1, LIVE).leave(1), FaultKind::Gap { expected: 2, got: 1 }),
        (frame(1, 2, LIVE).leave(2).join(1, Status::Idle), FaultKind::Join(person(1))),
        (frame(1, 2, LIVE).leave(2).update(3, Status::Idle), FaultKind::Update(person(3))),
        (frame(1, 2, LIVE).leave(2).leave(3), FaultKind::Leave(person(3))),
        (frame(1, 2, LAST_PAGE).leave(2), FaultKind::Phase),
    ];
    for (view, kind) in wrong {
        let mut replica = following();
        let fault = replica.apply(&view.said()).unwrap_err();
        assert_eq!(fault, Fault { channel: Some(wedding(1)), kind });
        assert!(!fault.to_string().is_empty());
        assert_eq!(listed(&replica), [person(1), person(2)]);
        assert_eq!(replica.phase(wedding(1)), Some(Phase::Stale), "{kind}");
        assert_eq!(replica.resume().unwrap().subscriptions[0].sequence, 1);
    }
}

#[test]
fn a_diff_before_the_snapshot_is_complete_is_a_fault() {
    let mut replica = Replica::new();
    replica.apply(&subscribed(model::RequestId(1), 1, &[wedding(1)])).unwrap();
    assert_eq!(replica.apply(&frame(1, 1, LIVE).said()).unwrap_err().kind, FaultKind::Phase);
}

#[test]
fn a_frame_of_no_subscription_is_a_fault_of_no_channel() {
    let fault = following().apply(&frame(9, 1, LIVE).said()).unwrap_err();
    assert_eq!(fault, Fault { channel: None, kind: FaultKind::UnknownSubscription(SubscriptionId(9)) });
}

#[test]
fn it_knows_where_to_go_on() {
    assert_eq!(Replica::new().resume(), None);
    let mut replica = following();
    replica.apply(&frame(1, 2, LIVE).leave(1).said()).unwrap();
    let resume = replica.resume().unwrap();
    assert_eq!(Some(resume.session), replica.session());
    assert_eq!(resume.subscriptions, [ResumePoint { subscription: SubscriptionId(1), sequence: 2 }]);
    replica.leave_session();
    assert_eq!(replica.resume(), None);
}

#[test]
fn a_resumed_subscription_goes_on_behind_its_last_frame() {
    let mut replica = following();
    replica.disconnected();
    assert_eq!(replica.phase(wedding(1)), Some(Phase::Stale));
    let applied = replica.apply(&resumed(&[(1, Ok(()))])).unwrap();
    assert_eq!(applied, Applied::Welcomed { resumed: true, lost: Vec::new() });
    assert_eq!(replica.phase(wedding(1)), Some(Phase::Live));
    replica.apply(&frame(1, 2, LIVE).update(1, Status::Away).said()).unwrap();
}

#[test]
fn a_gap_is_mended_by_coming_back() {
    let mut replica = following();
    replica.apply(&frame(1, 3, LIVE).leave(1).said()).unwrap_err();
    replica.disconnected();
    replica.apply(&resumed(&[(1, Ok(()))])).unwrap();
    assert_eq!(replica.phase(wedding(1)), Some(Phase::Live));
    replica.apply(&frame(1, 2, LIVE).leave(1).said()).unwrap();
    assert_eq!(listed(&replica), [person(2)]);
}

#[test]
fn a_view_that_starts_anew_is_shown_when_it_is_complete() {
    let mut replica = following();
    replica.disconnected();
    replica.apply(&resumed(&[(1, Err(NotResumed::Sequence))])).unwrap();
    assert_eq!(replica.phase(wedding(1)), Some(Phase::Stale));
    let page = replica.apply(&frame(1, 1, PAGE).join(3, Status::Online).said()).unwrap();
    let nothing = Changed { channel: wedding(1), before: Vec::new(), completed: false };
    assert_eq!(page, Applied::Changed(nothing));
    assert_eq!(listed(&replica), [person(1), person(2)]);
    let last = frame(1, 2, LAST_PAGE).join(2, Status::Busy).said();
    let Applied::Changed(changed) = replica.apply(&last).unwrap() else { panic!("a list changed") };
    assert_eq!(changed.before, [(person(1), Some(record(1, Status::Online))), (person(3), None)]);
    assert_eq!(listed(&replica), [person(2), person(3)]);
    assert_eq!(replica.phase(wedding(1)), Some(Phase::Live));
}

#[test]
fn what_is_not_resumed_has_to_be_asked_for_again() {
    for (welcome, is_resumed) in [
        (resumed(&[(1, Err(NotResumed::UnknownChannel))]), true),
        (resumed(&[]), true),
        (ServerFrame::Welcome(Box::new(welcome_to(8))), false),
    ] {
        let mut replica = following();
        replica.disconnected();
        let applied = replica.apply(&welcome).unwrap();
        assert_eq!(applied, Applied::Welcomed { resumed: is_resumed, lost: vec![wedding(1)] });
        assert_eq!(replica.phase(wedding(1)), Some(Phase::Stale));
        assert_eq!(replica.subscription(wedding(1)), None);
        assert!(replica.resume().unwrap().subscriptions.is_empty());
        replica.apply(&subscribed(model::RequestId(2), 5, &[wedding(1)])).unwrap();
        replica.apply(&frame(5, 1, LAST_PAGE).said()).unwrap();
        assert_eq!((listed(&replica).len(), replica.phase(wedding(1))), (0, Some(Phase::Live)));
    }
}

#[test]
fn a_channel_that_ends_or_is_not_there_is_forgotten() {
    let unknown = SubscribedChannel { channel: wedding(1), outcome: Err(ErrorCode::UnknownChannel) };
    let answer = Subscribed { re: model::RequestId(2), channels: vec![unknown] };
    let ended = Ended { subscription: SubscriptionId(1), reason: model::EndReason::UnknownChannel };
    for frame in [ServerFrame::Subscribed(answer), ServerFrame::Ended(ended)] {
        let mut replica = following();
        replica.apply(&frame).unwrap();
        assert!(replica.list(wedding(1)).is_none());
        assert_eq!((replica.phase(wedding(1)), replica.subscription(wedding(1))), (None, None));
    }
    assert_eq!(Replica::new().apply(&ServerFrame::Ended(ended)).unwrap(), Applied::Nothing);
}

#[test]
fn one_subscription_too_many_changes_nothing() {
    let refused = SubscribedChannel { channel: wedding(1), outcome: Err(ErrorCode::ChannelLimit) };
    let mut replica = following();
    let answer = Subscribed { re: model::RequestId(2), channels: vec![refused] };
    replica.apply(&ServerFrame::Subscribed(answer)).unwrap();
    assert_eq!(replica.phase(wedding(1)), Some(Phase::Live));
}

#[test]
fn staleness_of_one_list_and_of_all() {
    let mut replica = following();
    let mut said = |subscription: Option<u32>, stale| {
        let subscription = subscription.map(SubscriptionId);
        let applied = replica.apply(&ServerFrame::Stale(Stale { subscription, stale })).unwrap();
        (applied, replica.phase(wedding(1)).unwrap())
    };
    assert_eq!(said(Some(1), true), (Applied::Staleness(Some(wedding(1))), Phase::Stale));
    assert_eq!(said(None, false), (Applied::Staleness(None), Phase::Live));
    assert_eq!(said(None, true), (Applied::Staleness(None), Phase::Stale));
    assert_eq!(said(Some(9), false), (Applied::Nothing, Phase::Stale));
}

#[test]
fn settings_and_the_farewell_are_kept() {
    let mut replica = following();
    assert_eq!(replica.user(), Some(crate::testing::user(1)));
    let settings = Settings { appear_offline: true, ..Settings::default() };
    let now = SettingsNow { settings: settings.clone() };
    assert_eq!(replica.apply(&ServerFrame::Settings(now)).unwrap(), Applied::Settings);
    assert_eq!(replica.settings(), Some(&settings));
    let closing = Closing::new(model::CloseCode::Restarting);
    assert_eq!(replica.apply(&ServerFrame::Closing(closing.clone())).unwrap(), Applied::Closing);
    assert_eq!(replica.closing(), Some(&closing));
    replica.apply(&resumed(&[])).unwrap();
    assert_eq!(replica.closing(), None);
    assert_eq!(replica.settings(), Some(&Settings::default()));
}
