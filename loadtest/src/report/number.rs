//! Numbers as people read them.

/// Three significant digits, thousands apart; a dash for what is no number.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if !value.is_finite() => "-".to_owned(),
        0.0 => "0".to_owned(),
        _ if size >= 1000.0 => thousands(value.round()),
        _ if size >= 99.95 => format!("{value:.0}"),
        _ if size >= 9.995 => format!("{value:.1}"),
        _ if size >= 0.0995 => format!("{value:.2}"),
        _ if size >= 0.000_05 => format!("{value:.4}").trim_end_matches('0').to_owned(),
        _ => format!("{value:.1e}"),
    }
}

/// A number that is counted: all its digits.
pub(super) fn count(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    if value.fract() == 0.0 { thousands(value) } else { short(value) }
}

/// A share in per cent. Rounded down, so that only what is whole reads as 100.
pub(super) fn percent(share: f64) -> String {
    if share == 1.0 {
        return "100 %".to_owned();
    }
    format!("{:.3} %", (share * 100_000.0).floor() / 1000.0)
}

fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_enough() {
        let cases = [
            (0.0, "0"),
            (0.000_001, "1.0e-6"),
            (0.0123, "0.0123"),
            (0.05, "0.05"),
            (0.1, "0.10"),
            (1.2345, "1.23"),
            (9.999, "10.0"),
            (12.34, "12.3"),
            (99.97, "100"),
            (123.4, "123"),
            (1234.5, "1,235"),
            (-1_234_567.0, "-1,234,567"),
            (f64::NAN, "-"),
        ];
        for (value, text) in cases {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn counts_keep_their_digits() {
        assert_eq!(
            (count(7.0), count(100.0), count(19_999_999.0)),
            ("7".into(), "100".into(), "19,999,999".into())
        );
        assert_eq!((count(1.5), count(f64::INFINITY)), ("1.50".into(), "-".into()));
    }

    #[test]
    fn only_the_whole_is_100_percent() {
        assert_eq!((percent(1.0), percent(0.999_999_9)), ("100 %".into(), "99.999 %".into()));
        assert_eq!((percent(0.5), percent(1.000_01)), ("50.000 %".into(), "100.001 %".into()));
    }
}
