use super::*;
use crate::{
    engine::schedule::{Schedule, Spacing},
    floor::Writer,
};

const SIZES: Sizes = Sizes { message: 40, frame: 130 };

/// Two channels of three; everybody is shown what they do to two, themself among them.
fn seats() -> Vec<Seat> {
    (0..6).map(|person| Seat { person, channel: person / 3, place: person % 3, audience: 2 }).collect()
}

#[test]
fn every_event_reaches_as_many_as_it_names() {
    let mut writer = Writer::new(SIZES).unwrap();
    let address = writer.address().unwrap();
    // It ends with the test's process.
    std::thread::spawn(move || writer.run());
    let mut members = Members::new(&seats(), SIZES, address).unwrap();
    members.connect().unwrap();
    drive::rest(&mut members, Duration::from_millis(20)).unwrap();
    let start = members.clock().now();
    let schedule = Schedule::new((0..6).collect(), 1000.0, Spacing::Even, 1);
    drive::play(&mut members, schedule.within(start, 100_000_000), |_, _| {}).unwrap();
    assert!(drive::settle(&mut members, Duration::from_secs(10)).unwrap());
    assert_eq!((members.delivered(), members.latency().count()), (198, 198));
}
