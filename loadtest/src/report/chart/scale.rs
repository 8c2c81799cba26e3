//! From values to places along an axis.

/// An axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// Equal steps.
    Linear { from: f64, to: f64 },
    /// Equal factors; both ends are more than 0.
    Log { from: f64, to: f64 },
}

/// Ticks of a linear axis, about.
const STEPS: f64 = 5.0;

impl Scale {
    /// From 0 to a round number that is not less than `most`.
    pub(super) fn up_to(most: f64) -> Self {
        let most = if most > 0.0 && most.is_finite() { most } else { 1.0 };
        let step = round_step(most);
        Self::Linear { from: 0.0, to: (most / step - 1e-9).ceil() * step }
    }

    /// From a first to a last moment.
    pub(super) fn over(from: f64, to: f64) -> Self {
        Self::Linear { from, to: if to > from { to } else { from + 1.0 } }
    }

    /// Around values that are more than 0, with a little room at both ends.
    pub(super) fn factors(from: f64, to: f64) -> Self {
        let from = from.max(f64::MIN_POSITIVE);
        Self::Log { from: from / 1.25, to: to.max(from) * 1.25 }
    }

    /// Where a value lies: 0 at one end, 1 at the other.
    pub(super) fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear { from, to } => (value - from) / (to - from),
            Self::Log { from, to } => (value.max(from) / from).ln() / (to / from).ln(),
        }
    }

    /// Round values to be named.
    pub(super) fn ticks(self) -> Vec<f64> {
        match self {
            Self::Linear { from, to } => {
                let step = round_step(to - from);
                let (first, last) = ((from / step - 1e-9).ceil() as i64, (to / step + 1e-9).floor() as i64);
                (first..=last).map(|n| n as f64 * step).collect()
            }
            Self::Log { from, to } => log_ticks(from, to),
        }
    }
}

/// 1, 2 or 5 times a power of ten.
fn round_step(length: f64) -> f64 {
    let rough = length / STEPS;
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| rough <= factor * power * (1.0 + 1e-9));
    factor.unwrap_or(10.0) * power
}

/// Powers of ten; where they are fewer than three, three times them as well.
fn log_ticks(from: f64, to: f64) -> Vec<f64> {
    let powers = from.log10().floor() as i32..=to.log10().ceil() as i32;
    let inside = |factors: &[f64]| -> Vec<f64> {
        let all =
            powers.clone().flat_map(|power| factors.iter().map(move |factor| factor * 10_f64.powi(power)));
        all.filter(|tick| (from..=to).contains(tick)).collect()
    };
    let tens = inside(&[1.0]);
    if tens.len() < 3 { inside(&[1.0, 3.0]) } else { tens }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_axis_ends_at_a_round_number() {
        for (most, to) in [(1.0, 1.0), (1.05, 1.5), (7.3, 8.0), (97.0, 100.0), (0.013, 0.015), (4.0, 4.0)] {
            let Scale::Linear { to: end, .. } = Scale::up_to(most) else { panic!("a linear axis") };
            assert!((end - to).abs() < 1e-9, "{most}: {end}, not {to}");
        }
        assert_eq!(Scale::up_to(f64::NAN), Scale::up_to(1.0));
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(Scale::up_to(10.0).ticks(), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(Scale::over(0.0, 9.7).ticks(), [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(Scale::over(3.0, 3.0).ticks().len(), 6);
        let ticks = Scale::Log { from: 0.05, to: 200.0 }.ticks();
        assert_eq!(ticks.len(), 4, "{ticks:?}");
        assert_eq!(Scale::Log { from: 9.0, to: 90.0 }.ticks(), [10.0, 30.0]);
    }

    #[test]
    fn places_go_from_one_end_to_the_other() {
        let linear = Scale::over(10.0, 20.0);
        assert_eq!((linear.place(10.0), linear.place(15.0), linear.place(20.0)), (0.0, 0.5, 1.0));
        let log = Scale::Log { from: 1.0, to: 100.0 };
        assert!((log.place(10.0) - 0.5).abs() < 1e-9);
        assert_eq!((log.place(1.0), log.place(0.0), log.place(100.0)), (0.0, 0.0, 1.0));
    }
}
