//! The badge of an account: who is in it, as far as the viewer may know.

use std::time::SystemTime;

use model::{Holder, Minute};

use super::text::{minute, safe};

/// Nobody is in it.
pub(super) const AVAILABLE: &str = "○ Available";

/// `● Ana Costa · since 14:30`, with `last seen 3 min ago` where the extension is lost.
pub(super) fn badge(holder: &Holder, at: SystemTime) -> String {
    let now = minute_of(at);
    match holder {
        Holder::Occupied => "● Occupied".to_owned(),
        Holder::Own { since } => format!("● Yours · since {}", clock_of(*since, now)),
        Holder::Named { display_name, since, stale_since, .. } => {
            let held = format!("{} · since {}", safe(display_name), clock_of(*since, now));
            match stale_since {
                None => format!("● {held}"),
                Some(seen) => format!("◐ {held} · last seen {}", ago(*seen, now)),
            }
        }
    }
}

fn minute_of(at: SystemTime) -> Minute {
    let since_epoch = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    Minute(i64::try_from(since_epoch / 60).unwrap_or(i64::MAX))
}

/// Without the day where it is today's, in UTC.
fn clock_of(time: Minute, now: Minute) -> String {
    const DAY: i64 = 24 * 60;
    let whole = minute(time);
    match whole.split_once(' ') {
        Some((_, clock)) if time.0.div_euclid(DAY) == now.0.div_euclid(DAY) => clock.to_owned(),
        _ => whole,
    }
}

/// How long ago: exact enough to decide whether to wait for somebody. The hub's clock may be ahead of this one.
fn ago(time: Minute, now: Minute) -> String {
    match now.0.saturating_sub(time.0) {
        ..=0 => "just now".to_owned(),
        minutes @ 1..120 => format!("{minutes} min ago"),
        minutes @ 120..2_880 => format!("{} h ago", minutes / 60),
        minutes => format!("{} days ago", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use model::UserId;
    use uuid::Uuid;

    use super::*;

    /// 2026-11-21 14:33 UTC.
    const NOW: i64 = 29_921_193;

    fn named(since: i64, stale_since: Option<i64>) -> String {
        let holder = Holder::Named {
            user_id: UserId(Uuid::from_u128(1)),
            display_name: "Ana\u{1b}[31m Costa".to_owned(),
            since: Minute(since),
            stale_since: stale_since.map(Minute),
        };
        shown(&holder)
    }

    fn shown(holder: &Holder) -> String {
        badge(holder, SystemTime::UNIX_EPOCH + Duration::from_secs(NOW as u64 * 60 + 59))
    }

    #[test]
    fn each_viewer_gets_the_badge_that_is_theirs() {
        assert_eq!(named(NOW - 3, None), "● Ana[31m Costa · since 14:30");
        assert_eq!(shown(&Holder::Occupied), "● Occupied");
        assert_eq!(shown(&Holder::Own { since: Minute(NOW - 3) }), "● Yours · since 14:30");
    }

    #[test]
    fn whoever_is_lost_was_seen_some_time_ago() {
        for (minutes, words) in [
            (-2, "just now"),
            (0, "just now"),
            (3, "3 min ago"),
            (119, "119 min ago"),
            (120, "2 h ago"),
            (2_880, "2 days ago"),
        ] {
            let said = named(NOW, Some(NOW - minutes));
            assert_eq!(said, format!("◐ Ana[31m Costa · since 14:33 · last seen {words}"));
        }
    }

    #[test]
    fn a_day_that_is_not_today_is_told() {
        assert_eq!(named(NOW - 1_440, None), "● Ana[31m Costa · since 2026-11-20 14:33");
    }
}
