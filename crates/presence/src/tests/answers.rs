//! What a connection is told besides views.

use model::{ConnectionId, ErrorCode, Kept, RequestError, RequestId};

use super::stage::*;
use crate::{Command, Input, ReplyTo};

fn reply(stage: &mut Stage, connection: u64, re: Option<u32>, result: Result<(), ErrorCode>) {
    let to = ReplyTo { connection: ConnectionId(connection), re: re.map(RequestId) };
    stage.input(Input::Reply(
        to,
        result.map(|()| Kept::Durably).map_err(|code| RequestError::new(code, "why")),
    ));
}

#[test]
fn the_shell_answers_through_the_connections_own_queue() {
    let mut stage = Stage::new();
    stage.slow.insert(1);
    stage.connect(1, 1).ask(1, Command::Ping);
    reply(&mut stage, 1, Some(7), Ok(()));
    reply(&mut stage, 1, Some(8), Err(ErrorCode::RateLimited));
    reply(&mut stage, 1, None, Err(ErrorCode::Malformed));
    reply(&mut stage, 1, None, Ok(()));
    reply(&mut stage, 77, Some(9), Ok(()));
    stage.settings(1, offline());
    assert_eq!(stage.heard(1), ["0 welcome"]);
    stage.flush(1);
    let expected =
        ["0 ack", "0 ack", "0 error rate_limited", "0 error malformed", "0 settings Everyone offline"];
    assert_eq!(stage.heard(1), expected, "in the order in which they were given");
    stage.flush(1);
    assert!(stage.heard(1).is_empty());
}

#[test]
fn answers_that_come_after_the_connection_are_dropped() {
    let mut stage = Stage::new();
    stage.connect(1, 1).lose(1).heard(1);
    reply(&mut stage, 1, Some(7), Ok(()));
    stage.ask(1, Command::Ping);
    stage.flush(1);
    stage.heartbeat(1);
    assert!(stage.heard(1).is_empty());
}

#[test]
fn that_all_is_stale_is_told_once_to_everybody_and_to_whoever_comes() {
    let mut stage = Stage::new();
    stage.connect(1, 1);
    stage.input(Input::Stale { stale: true });
    stage.input(Input::Stale { stale: true });
    stage.connect(2, 2);
    assert_eq!(stage.heard(1), ["0 welcome", "0 stale"]);
    assert_eq!(stage.heard(2), ["0 welcome", "0 stale"]);
    stage.input(Input::Stale { stale: false });
    stage.connect(3, 1);
    assert_eq!(
        [1, 2, 3].map(|connection| stage.heard(connection)),
        [["0 fresh"], ["0 fresh"], ["0 welcome"]]
    );
}

#[test]
fn who_reads_nothing_hears_only_how_it_is_in_the_end() {
    let mut stage = Stage::new();
    stage.slow.insert(1);
    stage.connect(1, 1);
    for stale in [true, false, true, false] {
        stage.input(Input::Stale { stale });
    }
    stage.flush(1);
    assert_eq!(stage.heard(1), ["0 welcome", "0 fresh"]);
}
