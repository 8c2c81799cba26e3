//! Who may do what to whose: every route and every operation of a socket, by everybody, about what is their own, what they
//! share, what is others', and what there is not. One table says what each cell answers.
//!
//! Each cell has people of its own, so that no answer depends on the one before it.

mod cells;
mod routes;
mod sockets;
mod town;

use std::fmt;

/// Cells that are asked at once.
const AT_ONCE: usize = 8;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    /// Without a token.
    Nobody,
    /// A member of the agency.
    User,
    /// The owner of another organization.
    Stranger,
    /// A member of the agency, with the token of a clock-in.
    Assistant,
    /// The agency's admin.
    Admin,
    /// The platform's back-end.
    Service,
    /// The same as the user: answered as they are.
    ServiceAsUser,
}

impl Caller {
    /// In the order of the table. The last one has no row of its own.
    const ALL: [Self; 7] = [
        Self::Nobody,
        Self::User,
        Self::Stranger,
        Self::Assistant,
        Self::Admin,
        Self::Service,
        Self::ServiceAsUser,
    ];
}

/// Whose it is that is asked about, from where the user stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Own,
    Shared,
    Foreign,
    Unknown,
}

impl Whose {
    const ALL: [Self; 4] = [Self::Own, Self::Shared, Self::Foreign, Self::Unknown];
}

/// What a cell answers: a status where it is done, the code of the problem where it is not.
#[derive(Clone, PartialEq, Eq)]
struct Word(String);

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The words of a caller for each [`Whose`]; a single one stands for all of them.
fn words(row: &str) -> [Word; 4] {
    let words: Vec<_> = row.split_whitespace().map(|word| Word(word.to_owned())).collect();
    match words.as_slice() {
        [one] => [(); 4].map(|()| one.clone()),
        [own, shared, foreign, unknown] => [own, shared, foreign, unknown].map(Clone::clone),
        _ => panic!("{row:?} is for one or for four"),
    }
}
