//! The text of access codes: what an admin reads out and an assistant types.
//!
//! 100 random bits in Crockford's base 32 (<https://www.crockford.com/base32.html>), in four groups: no letter is
//! taken for a digit, and upper and lower case are the same. Only the hash is kept.

use aws_lc_rs::digest;
use persistence::CodeHash;
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a code, of five bits each.
const CHARS: usize = 20;
/// Characters between two dashes.
const GROUP: usize = 5;
/// Longer texts are no code, whatever is in them.
const MAX_BYTES: usize = 64;

/// A new code: its text, to be shown once, and its hash.
#[must_use]
pub fn generate() -> (String, CodeHash) {
    let seed = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
    let random = digest::digest(&digest::SHA256, &seed);
    let plain: Vec<u8> =
        random.as_ref().iter().take(CHARS).map(|byte| ALPHABET[usize::from(byte % 32)]).collect();
    let groups: Vec<_> = plain.chunks(GROUP).map(String::from_utf8_lossy).collect();
    (groups.join("-"), hash(&plain))
}

/// The hash of a code as somebody typed it; `None`: it cannot be a code.
#[must_use]
pub fn read(text: &str) -> Option<CodeHash> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let typed = text.chars().filter(|c| !matches!(c, '-' | ' '));
    let plain: Option<Vec<u8>> = typed.map(symbol).collect();
    plain.filter(|plain| plain.len() == CHARS).map(|plain| hash(&plain))
}

/// The symbol that is meant.
fn symbol(typed: char) -> Option<u8> {
    let symbol = match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    u8::try_from(symbol).ok().filter(|symbol| ALPHABET.contains(symbol))
}

fn hash(plain: &[u8]) -> CodeHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, plain).as_ref());
    CodeHash(hash)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_code_is_read_as_it_was_made_and_as_people_type() {
        let (text, hash) = generate();
        assert_eq!((text.len(), text.matches('-').count()), (23, 3), "{text}");
        assert_eq!(read(&text), Some(hash));
        assert_eq!(read(&text.to_lowercase().replace('-', " ")), Some(hash));
        assert_eq!(read(&text.replace('0', "o").replace('1', "l")), Some(hash));
        assert_ne!(generate().1, hash);
    }

    #[test]
    fn what_cannot_be_a_code_is_none() {
        let (text, _) = generate();
        for wrong in ["", "ABC", &text[1..], &format!("{text}0"), &text.replace('-', "_"), &"0".repeat(65)] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(read(&"Ü".repeat(20)), None);
    }

    #[test]
    fn every_symbol_occurs() {
        let texts: String = (0..200).map(|_| generate().0).collect();
        let symbols: BTreeSet<_> = texts.bytes().filter(|byte| *byte != b'-').collect();
        assert_eq!(symbols, ALPHABET.iter().copied().collect());
    }
}
