//! What people do, and how it is drawn.

use rand::{Rng, rngs::SmallRng};

use crate::world::{Choice, Visibility};

/// Something that a person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// A page, a status, typing: over their socket.
    Track,
    /// The same by REST, in their socket's session.
    Announce,
    /// They choose who may see what.
    Settings,
    /// They ask about some people, in one call.
    Several,
    /// They ask for the people of their wedding.
    Team,
    /// They ask about one.
    One,
    /// They ask why somebody sees them or not.
    Why,
    /// A supplier's part in their wedding is taken away, or given back.
    Collaboration,
    /// Their connection ends without a word, and they are back within the grace.
    Cut,
    /// The same, and nobody tells the hub that it is over.
    Silence,
    /// They are back only after the grace.
    Loss,
}

/// A deed by its share of a thousand.
pub(super) fn draw(dice: &mut SmallRng, deeds: &[(Deed, u32)]) -> Deed {
    let mut number = dice.random_range(0..1_000);
    for (deed, share) in deeds {
        if number < *share {
            return *deed;
        }
        number -= share;
    }
    Deed::Track
}

/// Another choice than before. Who hides is soon back, and few hide.
pub(super) fn another(dice: &mut SmallRng, before: Choice) -> Choice {
    let mut choice = before;
    while choice == before {
        choice = match dice.random_range(0..10) {
            0..2 => Choice { appear_offline: !before.appear_offline, ..before },
            2..5 => Choice { visibility: visibility(dice), ..before },
            5..7 if before.appear_offline => Choice { appear_offline: false, ..before },
            5..8 => Choice { show_activity: !before.show_activity, ..before },
            _ => Choice { show_current_page: !before.show_current_page, ..before },
        };
    }
    choice
}

fn visibility(dice: &mut SmallRng) -> Visibility {
    match dice.random_range(0..10) {
        0 => Visibility::Nobody,
        1..4 => Visibility::Everyone,
        4..7 => Visibility::Team,
        _ => Visibility::Contacts,
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn deeds_come_by_their_shares() {
        let mut dice = SmallRng::seed_from_u64(1);
        let drawn: Vec<_> =
            (0..1_000).map(|_| draw(&mut dice, &[(Deed::Track, 700), (Deed::Cut, 300)])).collect();
        let cuts = drawn.iter().filter(|deed| **deed == Deed::Cut).count();
        assert!((250..350).contains(&cuts), "{cuts}");
        assert_eq!(draw(&mut dice, &[]), Deed::Track);
    }

    #[test]
    fn a_choice_is_another_one_and_most_can_be_seen() {
        let mut dice = SmallRng::seed_from_u64(2);
        let (mut choice, mut hidden) = (Choice::NONE, 0);
        for _ in 0..1_000 {
            let next = another(&mut dice, choice);
            assert_ne!(next, choice);
            choice = next;
            hidden += u32::from(choice.appear_offline || choice.visibility == Visibility::Nobody);
        }
        assert!((100..600).contains(&hidden), "{hidden}");
    }
}
