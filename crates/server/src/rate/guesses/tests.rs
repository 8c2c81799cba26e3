use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::time::advance;

use super::*;
use crate::config::{Config, Sources};

fn limits(per_address: u32, per_second: u32) -> CallLimits {
    let limits = Config::load(&Sources::default()).expect("the defaults can be read").limits;
    CallLimits { wrong_codes_per_address: per_address, wrong_codes_per_second: per_second, ..limits }
}

fn address(n: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, n).into()
}

fn code(n: u8) -> Option<CodeHash> {
    Some(CodeHash([n; 32]))
}

/// A wrong try: the milliseconds to wait where it was not let through.
fn wait(begun: Result<Try<'_>, RequestError>) -> Option<u64> {
    let error = match begun {
        Ok(counted) => {
            counted.was_wrong();
            return None;
        }
        Err(error) => error,
    };
    assert_eq!(error.code, ErrorCode::RateLimited);
    error.retry_after_ms
}

#[tokio::test(start_paused = true)]
async fn an_address_has_so_many_wrong_ones_in_a_minute_and_others_their_own() {
    let guesses = Guesses::new(&limits(3, 1_000));
    for n in 0..3 {
        assert_eq!(wait(guesses.begin(address(1), code(n))), None, "try {n}");
    }
    assert_eq!(wait(guesses.begin(address(1), code(9))), Some(20_000), "n + 1");
    assert_eq!(wait(guesses.begin(address(1), None)), Some(20_000), "the same, whatever it is");
    assert_eq!(wait(guesses.begin(address(2), code(9))), None);
    advance(Duration::from_secs(20)).await;
    assert_eq!(wait(guesses.begin(address(1), code(9))), None, "one has leaked");
    assert!(wait(guesses.begin(address(1), code(9))).is_some());
}

#[tokio::test(start_paused = true)]
async fn right_ones_are_not_counted() {
    let guesses = Guesses::new(&limits(1, 1));
    for n in 0..100 {
        drop(guesses.begin(address(1), code(n)).expect("there is room again"));
    }
    assert_eq!(wait(guesses.begin(address(1), code(200))), None);
    assert!(wait(guesses.begin(address(1), code(200))).is_some());
}

/// A thousand at once are no more than a thousand one by one; what is over in the meantime, also because its caller went
/// away, makes room.
#[tokio::test(start_paused = true)]
async fn tries_under_way_take_room_until_they_are_over() {
    let guesses = Guesses::new(&limits(3, 1_000));
    let mut under_way: Vec<_> =
        (0..3).map(|n| guesses.begin(address(1), code(n)).expect("there is room")).collect();
    assert_eq!(wait(guesses.begin(address(1), code(9))), Some(20_000), "n + 1");
    drop(under_way.pop());
    let again = guesses.begin(address(1), code(9)).expect("it was given back");
    under_way.pop().expect("another").was_wrong();
    drop((again, under_way));
    assert_eq!(wait(guesses.begin(address(1), code(9))), None);
    assert_eq!(wait(guesses.begin(address(1), code(9))), None);
    assert_eq!(wait(guesses.begin(address(1), code(9))), Some(20_000), "the wrong one stays counted");
}

#[tokio::test(start_paused = true)]
async fn one_code_and_all_together_have_their_limits() {
    let guesses = Guesses::new(&limits(1_000, 4));
    let of_one = (0..100).take_while(|_| guesses.begin(address(1), code(1)).map(drop).is_ok()).count();
    assert_eq!(of_one, 25, "five a second, five seconds' worth at once, right or wrong");
    let in_all =
        (0..100_u8).take_while(|n| wait(guesses.begin(address(*n), code(100 + n))).is_none()).count();
    assert_eq!(in_all, 40);
    assert_eq!(wait(guesses.begin(address(200), code(250))), Some(250));
}

#[tokio::test(start_paused = true)]
async fn a_v6_network_is_one_and_what_is_over_is_forgotten() {
    let guesses = Guesses::new(&limits(1, 1_000));
    let v6 = |last| IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, last));
    assert_eq!(wait(guesses.begin(v6(1), code(1))), None);
    assert!(wait(guesses.begin(v6(2), code(2))).is_some());
    guesses.sweep();
    assert_eq!(guesses.addresses.len(), 1);
    advance(Duration::from_secs(61)).await;
    guesses.sweep();
    assert!(guesses.addresses.is_empty());
}
