//! View frames in JSON, read by hand.
//!
//! Two million records a second leave no room for a document tree. This reads what the hub writes, in any order of
//! fields after the envelope's first three, without whitespace and without escapes (the generator's own texts need
//! none). Anything else is unreadable, which fails the run: a scanner that guesses cannot judge.

use crate::world::{Person, agency::Account};

/// How every entry begins, up to the last digits of the id. A test holds it to the ids that the world makes.
const PERSON: &[u8; 39] = b"{\"userId\":\"00000010-0000-0000-0000-0000";
/// The same of an account.
const ACCOUNT: &[u8; 42] = b"{\"accountId\":\"00000080-0000-0000-0000-0000";
/// The value of each hexadecimal digit; others have bits above the fourth.
const DIGITS: [u8; 256] = digits();

/// The first fields of a view frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) snapshot: bool,
    pub(crate) subscription: u32,
    pub(crate) sequence: u32,
}

/// What a record shows beyond the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The number in the custom status; 0 where there is none.
    pub(crate) version: u32,
    pub(crate) page: bool,
    /// The device or typing.
    pub(crate) activity: bool,
}

/// Takes the entries of a frame.
pub(crate) trait Entries {
    fn shown(&mut self, person: Person, shown: Shown);
    fn left(&mut self, person: Person);
    /// An account is occupied; `bare`: nothing else is said of it.
    fn occupied(&mut self, account: Account, bare: bool);
    fn freed(&mut self, account: Account);
}

/// Reads the envelope of a `diff` or `snapshot`, and gives the bytes behind it; `None`: it is neither.
pub(crate) fn envelope(payload: &[u8]) -> Option<(Envelope, &[u8])> {
    let mut cursor = Cursor(payload);
    cursor.take(b"{\"t\":\"")?;
    let snapshot = match cursor.text()? {
        b"diff" => false,
        b"snapshot" => true,
        _ => return None,
    };
    cursor.take(b",\"sub\":")?;
    let subscription = cursor.number()?;
    cursor.take(b",\"seq\":")?;
    let sequence = cursor.number()?;
    Some((Envelope { snapshot, subscription, sequence }, cursor.0))
}

/// Reads the lists behind the envelope, and whether `more` is to come; `None`: unreadable.
pub(crate) fn entries(rest: &[u8], to: &mut impl Entries) -> Option<bool> {
    let mut cursor = Cursor(rest);
    let mut more = false;
    while let Some(name) = cursor.field()? {
        match name {
            b"join" | b"update" => cursor.list(|cursor| cursor.record(to))?,
            b"leave" => cursor.list(|cursor| cursor.leave(to))?,
            b"more" => more = cursor.boolean()?,
            _ => return None,
        }
    }
    cursor.0.is_empty().then_some(more)
}

/// Where the reading stands.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, literal: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(())
    }

    fn has(&mut self, literal: &[u8]) -> bool {
        self.take(literal).is_some()
    }

    /// Up to the next quote, which is passed over.
    fn text(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        let (text, rest) = self.0.split_at(end);
        self.0 = rest.strip_prefix(b"\"")?;
        Some(text)
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        self.take(b"\"")?;
        self.text()
    }

    fn number(&mut self) -> Option<u32> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (text, rest) = self.0.split_at(digits);
        self.0 = rest;
        std::str::from_utf8(text).ok()?.parse().ok()
    }

    fn boolean(&mut self) -> Option<bool> {
        if self.has(b"true") {
            return Some(true);
        }
        self.take(b"false").map(|()| false)
    }

    /// The name of the next field of an object that has had one before; an inner `None` at its end.
    #[expect(clippy::option_option, reason = "the outer one is what `?` needs: unreadable")]
    fn field(&mut self) -> Option<Option<&'a [u8]>> {
        if self.has(b"}") {
            return Some(None);
        }
        self.take(b",\"")?;
        let name = self.text()?;
        self.take(b":")?;
        Some(Some(name))
    }

    fn list(&mut self, mut entry: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(b"[")?;
        if self.has(b"]") {
            return Some(());
        }
        loop {
            entry(self)?;
            if !self.has(b",") {
                return self.take(b"]");
            }
        }
    }

    fn record(&mut self, to: &mut impl Entries) -> Option<()> {
        let Some(person) = self.person() else { return self.account(to) };
        let shown = match self.plain() {
            Some(shown) => shown,
            None => self.fields()?,
        };
        to.shown(person, shown);
        Some(())
    }

    /// What nearly all records are: a status and a custom status, in this order. Without it nothing is read.
    fn plain(&mut self) -> Option<Shown> {
        let mut ahead = Self(self.0);
        ahead.take(b",\"status\":\"")?;
        ahead.text()?;
        ahead.take(b",\"customStatus\":\"")?;
        let version = version(ahead.text()?)?;
        ahead.take(b"}")?;
        self.0 = ahead.0;
        Some(Shown { version, ..Shown::default() })
    }

    fn fields(&mut self) -> Option<Shown> {
        let mut shown = Shown::default();
        while let Some(name) = self.field()? {
            match name {
                b"customStatus" => shown.version = version(self.string()?)?,
                b"currentPage" => shown.page = self.string().is_some(),
                b"device" => shown.activity = self.string().is_some(),
                b"isTyping" => shown.activity |= self.boolean()?,
                b"status" | b"customEmoji" => drop(self.string()?),
                _ => return None,
            }
        }
        Some(shown)
    }

    fn leave(&mut self, to: &mut impl Entries) -> Option<()> {
        match self.person() {
            Some(person) => to.left(person),
            None => to.freed(self.id(ACCOUNT)?),
        }
        self.take(b"}")
    }

    /// The record of an account.
    fn account(&mut self, to: &mut impl Entries) -> Option<()> {
        let account = self.id(ACCOUNT)?;
        let (mut fields, mut occupied) = (0, false);
        while let Some(name) = self.field()? {
            occupied |= self.string()? == b"occupied" && name == b"holder";
            fields += 1;
        }
        to.occupied(account, occupied && fields == 1);
        Some(())
    }

    /// The beginning of an entry: `{"userId":"..."`.
    fn person(&mut self) -> Option<Person> {
        self.id(PERSON)
    }

    /// The number of an entry that begins so.
    fn id(&mut self, beginning: &[u8]) -> Option<u32> {
        self.take(beginning)?;
        let (digits, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest.strip_prefix(b"\"")?;
        hex(digits)
    }
}

/// The number in a custom status, in hexadecimal.
pub(crate) fn version(text: &[u8]) -> Option<u32> {
    (1..=8).contains(&text.len()).then(|| hex(text))?
}

fn hex(digits: &[u8]) -> Option<u32> {
    let (mut number, mut strange) = (0, 0);
    for byte in digits {
        let digit = DIGITS[usize::from(*byte)];
        number = number << 4 | u32::from(digit & 0xF);
        strange |= digit;
    }
    (strange < 16).then_some(number)
}

const fn digits() -> [u8; 256] {
    let mut table = [0xFF; 256];
    let mut n = 0;
    while n < 16 {
        table[b"0123456789abcdef"[n as usize] as usize] = n;
        n += 1;
    }
    table
}

#[cfg(test)]
mod tests;
