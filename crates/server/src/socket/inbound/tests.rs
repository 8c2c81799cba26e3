use super::*;

#[test]
fn a_bucket_takes_what_it_has_room_for_and_leaks() {
    let mut bucket = Bucket::new(3, Duration::from_secs(1), 10);
    let start = Instant::now();
    for n in 1..=3 {
        assert_eq!(bucket.put(start), Duration::ZERO, "{n}");
    }
    assert_eq!(bucket.put(start), Duration::from_millis(100));
    let later = start + Duration::from_millis(250);
    assert_eq!(bucket.put(later), Duration::ZERO, "two and a half have leaked");
    assert_eq!(bucket.put(later), Duration::from_millis(50));
    let long_after = start + Duration::from_secs(60);
    for n in 1..=3 {
        assert_eq!(bucket.put(long_after), Duration::ZERO, "{n}");
    }
    assert!(bucket.put(long_after) > Duration::ZERO, "an empty bucket has no more room than an empty bucket");
}
