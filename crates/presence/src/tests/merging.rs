//! Many sessions of a user are one member.

use model::{Device, SessionId, Status, SubscribeRequest, Track};

use super::stage::*;
use crate::{merge::merge, session::Tracked};

fn merged(sessions: &[(u64, Track, u64)]) -> Option<policy::Merged> {
    let tracked: Vec<(SessionId, Tracked)> = sessions
        .iter()
        .map(|(id, track, at)| (session(*id), Tracked { track: track.clone(), active_at: model::Mono(*at) }))
        .collect();
    merge(tracked.iter().map(|(id, tracked)| (*id, tracked)))
}

#[test]
fn busy_wins_else_the_most_active() {
    use Status::{Away, Busy, Idle, Online};
    let rows: [(&[Status], Status); 7] = [
        (&[Away, Busy, Online], Busy),
        (&[Busy, Away], Busy),
        (&[Away, Online, Idle], Online),
        (&[Away, Idle], Idle),
        (&[Idle, Online], Online),
        (&[Away, Away], Away),
        (&[Idle], Idle),
    ];
    for (statuses, expected) in rows {
        let sessions: Vec<_> = statuses.iter().zip(1..).map(|(s, id)| (id, Track::of(*s), id)).collect();
        assert_eq!(merged(&sessions).unwrap().status, expected, "{statuses:?}");
    }
    assert_eq!(merged(&[]), None);
}

#[test]
fn everything_else_comes_from_the_session_active_last_and_a_tie_goes_to_the_greater_id() {
    let all = Track { device: Some(Device::Tablet), custom_status: text("hi"), ..on_page("/all") };
    let bare = Track::of(Status::Away);
    let page = |sessions: &[(u64, Track, u64)]| merged(sessions).unwrap().page;
    assert_eq!(page(&[(1, all.clone(), 5), (2, bare.clone(), 4)]), text("/all"));
    assert_eq!(page(&[(1, all.clone(), 4), (2, bare.clone(), 5)]), None, "not filled up from the others");
    assert_eq!(page(&[(1, all.clone(), 4), (2, bare.clone(), 4)]), None);
    assert_eq!(page(&[(3, all.clone(), 4), (2, bare, 4)]), text("/all"));
    let one = merged(&[(1, Track { is_typing: true, custom_emoji: text("🎂"), ..all }, 0)]).unwrap();
    assert!(one.is_typing);
    assert_eq!(
        (one.device, one.custom_status, one.custom_emoji),
        (Some(Device::Tablet), text("hi"), text("🎂"))
    );
}

#[test]
fn a_ping_is_not_activity_and_an_identical_track_is() {
    let mut stage = Stage::new();
    stage.come(1, 1, on_page("/one")).at(10).come(2, 1, on_page("/two"));
    stage.at(20).ask(1, crate::Command::Ping);
    assert_eq!(stage.sees(2, SubscribeRequest::of(wedding(1))), "1:online|/two");
    stage.at(30).track(1, on_page("/one"));
    assert_eq!(stage.sees(2, SubscribeRequest::of(wedding(1))), "1:online|/one");
}

#[test]
fn a_session_is_only_where_its_scope_says() {
    let mut stage = Stage::new();
    stage.put(1, facts(&[1, 2], &[])).put(2, facts(&[1, 2], &[]));
    let scoped = Track { scope: Some([wedding(2)].into()), status: Status::Busy, ..on_page("/b") };
    stage.come(1, 1, scoped);
    assert_eq!(stage.sees(2, SubscribeRequest::of(wedding(1))), "");
    assert_eq!(stage.sees(1, SubscribeRequest::of(wedding(1))), "", "nor for oneself");
    assert_eq!(stage.sees(2, SubscribeRequest::of(wedding(2))), "1:busy|/b");
    stage.come(2, 1, on_page("/a"));
    assert_eq!(stage.sees(2, SubscribeRequest::of(wedding(1))), "1:online|/a");
    stage.track(1, Track { scope: Some([wedding(1)].into()), ..Track::of(Status::Busy) });
    assert_eq!(
        stage.sees(2, SubscribeRequest::of(wedding(2))),
        "1:online|/a",
        "a new scope replaces the old"
    );
}
