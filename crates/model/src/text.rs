//! The cleaning of strings that people write: NFC, without control, bidi and zero-width characters.
//!
//! Cleaning removes rather than refuses, because pasted text carries such characters without its author
//! knowing. ZWJ and ZWNJ stay between letters or emoji, where scripts and emoji sequences need them.
//! Lengths count Unicode scalar values of the cleaned text.

use compact_str::CompactString;
use unicode_normalization::UnicodeNormalization;

/// A cleaned text of at most the length it was cleaned for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CleanText(CompactString);

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// More characters than allowed, after cleaning.
    #[error("{field} has more than {max_chars} characters")]
    TooLong {
        /// The field as the protocol names it.
        field: &'static str,
        /// The limit, in Unicode scalar values.
        max_chars: usize,
    },
}

impl CleanText {
    /// Cleans `raw`; `None` where nothing is left of it.
    ///
    /// # Errors
    /// [`TextError::TooLong`] when more than `max_chars` characters are left.
    pub fn parse(raw: &str, field: &'static str, max_chars: usize) -> Result<Option<Self>, TextError> {
        // Cleaning never needs more input than this to know that the text is too long: NFC composes at most
        // a handful of scalars into one, and a frame is at most 16 KiB anyway.
        let kept: String = raw.chars().filter(|c| !is_removed(*c)).nfc().collect();
        // Once more: what a dropped joiner kept apart may compose. Cleaning twice is then the same as once.
        let cleaned: String = drop_loose_joiners(&kept).nfc().collect();
        let cleaned = cleaned.trim();
        if cleaned.chars().count() > max_chars {
            return Err(TextError::TooLong { field, max_chars });
        }
        Ok((!cleaned.is_empty()).then(|| Self(cleaned.into())))
    }

    /// A page: query and fragment are cut first, so that they are neither shown nor stored.
    ///
    /// # Errors
    /// As [`CleanText::parse`].
    pub fn parse_page(raw: &str, field: &'static str, max_chars: usize) -> Result<Option<Self>, TextError> {
        let path = raw.split(['?', '#']).next().unwrap_or_default();
        Self::parse(path, field, max_chars)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const ZWNJ: char = '\u{200C}';
const ZWJ: char = '\u{200D}';

fn is_removed(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}')
}

/// Keeps a joiner only with a visible character on both sides.
fn drop_loose_joiners(text: &str) -> String {
    let is_joiner = |c: char| c == ZWJ || c == ZWNJ;
    let joins = |c: Option<char>| c.is_some_and(|c| !is_joiner(c) && !c.is_whitespace() && !c.is_ascii());
    let mut kept = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if !is_joiner(c) || (joins(kept.chars().next_back()) && joins(chars.peek().copied())) {
            kept.push(c);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
