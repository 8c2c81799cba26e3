//! `watch`: a channel in a terminal, as one viewer sees it, or as two do, side by side.
//!
//! On a terminal it is a table that is drawn anew in place; elsewhere, lines. What other people have written goes
//! through [`text::safe`] before it gets near a terminal.

mod badge;
pub(super) mod lines;
pub(super) mod names;
mod side_by_side;
mod table;
pub(super) mod text;

#[cfg(test)]
mod tests;

use std::{
    io::{self, IsTerminal, Write, stdout},
    time::{Duration, SystemTime},
};

use client::{Client, Connection, Event, Events, Options, TokenSource};
use futures_util::future::select_all;
use model::{SubscribeRequest, UserId};
use tokio::time::{Instant, sleep_until};
use wire::Token;

use super::{CommandError, serve::told_to_end};
use crate::{
    auth::jwt::mint,
    cli::WatchArgs,
    config::{Issuer, Secret},
};
use names::Names;
use side_by_side::SideBySide;
use table::Table;
use text::Palette;

/// Between two drawings of the table.
const FRAME: Duration = Duration::from_millis(50);
/// How long a token lives that is made here; a new one is made in time.
const TOKEN_LIFE: Duration = Duration::from_secs(3600);

/// `watch`: shows channels until Ctrl-C.
///
/// # Errors
/// [`CommandError::Ended`] where the hub does not let the viewer in.
pub fn watch(args: &WatchArgs, out: &mut impl Write) -> Result<(), CommandError> {
    let names = names::known(args.names.as_deref())?;
    let viewers = viewers(args)?;
    // Lines are for programs and logs: without colours.
    let face = match (stdout().is_terminal() && !args.plain, viewers.len()) {
        (false, _) => Face::Lines(names, Palette::Plain),
        (true, 1) => Face::table(names, Palette::of_stdout()),
        (true, _) => Face::SideBySide(SideBySide::new(names, Palette::of_stdout())),
    };
    super::runtime()?.block_on(async {
        let (clients, events): (Vec<_>, Vec<_>) = viewers.into_iter().map(Client::start).unzip();
        let followed = follow_all(&clients, events, face, told_to_end(), out).await;
        for client in clients {
            client.close().await;
        }
        followed
    })
}

/// The viewer, and the one beside them, each with the same channels.
fn viewers(args: &WatchArgs) -> Result<Vec<Options>, CommandError> {
    let tokens = std::iter::once(tokens(args)?).chain(tokens_beside(args));
    Ok(tokens.map(|tokens| options(args, tokens)).collect())
}

fn options(args: &WatchArgs, tokens: TokenSource) -> Options {
    let mut options = Options::new(&args.url, tokens);
    options.encoding = args.encoding.into();
    for channel in &args.channels {
        let request = SubscribeRequest::of(*channel);
        options = options.channel(if args.roster { SubscribeRequest::roster(*channel) } else { request });
    }
    options
}

/// The token given, or tokens made for a user, each time a new one.
fn tokens(args: &WatchArgs) -> Result<TokenSource, CommandError> {
    match (&args.token, args.user) {
        (Some(token), _) => Ok(Token::new(token).into()),
        (None, Some(user)) => Ok(minted(issuer(args.secret.clone().unwrap_or_default()), user)),
        (None, None) => Err(CommandError::NoIssuer),
    }
}

/// Those of the second viewer; `None`: there is none.
fn tokens_beside(args: &WatchArgs) -> Option<TokenSource> {
    match (&args.side_by_side, args.side_by_side_as) {
        (Some(token), _) => Some(Token::new(token).into()),
        (None, user) => Some(minted(issuer(args.secret.clone().unwrap_or_default()), user?)),
    }
}

/// An issuer without a name, of this shared secret.
pub(super) fn issuer(secret: String) -> Issuer {
    Issuer {
        issuer: None,
        audience: "authenticated".to_owned(),
        hs256_secret: Secret::new(secret),
        hs256_secret_file: Default::default(),
        jwks_url: None,
        algorithms: Vec::new(),
    }
}

/// Tokens as `issuer` would sign them for `user`.
pub(super) fn minted(issuer: Issuer, user: UserId) -> TokenSource {
    TokenSource::new(move || {
        let token = mint(&issuer, user, TOKEN_LIFE);
        std::future::ready(token.map(Token::new).map_err(|error| error.to_string()))
    })
}

/// How the news are shown.
pub(super) enum Face {
    /// As they come, one a line.
    Lines(Names, Palette),
    /// As a table.
    Table(Table),
    /// As a table with a column for each viewer.
    SideBySide(SideBySide),
}

impl Face {
    /// A table.
    pub(super) fn table(names: Names, palette: Palette) -> Self {
        Self::Table(Table::new(names, palette))
    }

    fn is_drawn(&self) -> bool {
        !matches!(self, Self::Lines(..))
    }

    fn draw(&self, clients: &[Client], out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Lines(..) => Ok(()),
            Self::Table(table) => clients.iter().try_for_each(|client| table.draw(client, now(), out)),
            Self::SideBySide(columns) => columns.draw(clients, now(), out),
        }
    }
}

/// Shows what is new until `end`, or until the client has ended.
pub(super) async fn follow(
    client: &Client,
    events: Events,
    face: Face,
    end: impl Future<Output = io::Result<()>>,
    out: &mut impl Write,
) -> Result<(), CommandError> {
    follow_all(std::slice::from_ref(client), vec![events], face, end, out).await
}

/// As [`follow`], of several viewers, until the first of them has ended.
pub(super) async fn follow_all(
    clients: &[Client],
    mut events: Vec<Events>,
    mut face: Face,
    end: impl Future<Output = io::Result<()>>,
    out: &mut impl Write,
) -> Result<(), CommandError> {
    tokio::pin!(end);
    if face.is_drawn() {
        table::open(out)?;
    }
    let mut next_frame = Instant::now();
    let mut is_new = true;
    let done = loop {
        tokio::select! {
            ended = &mut end => break ended.map_err(CommandError::from),
            (event, viewer) = next_of(&mut events) => match event {
                Some(event) => is_new |= tell(&mut face, clients, viewer, &event, out)?,
                None => break Err(ended(&clients[viewer])),
            },
            () = sleep_until(next_frame), if is_new => {
                face.draw(clients, out)?;
                (is_new, next_frame) = (false, Instant::now() + FRAME);
            }
        }
    };
    if face.is_drawn() {
        table::close(out)?;
    }
    done
}

/// The next event of any viewer, and whose it is. Safe to cancel.
async fn next_of(events: &mut [Events]) -> (Option<Event>, usize) {
    let all = events.iter_mut().map(|events| Box::pin(events.next()));
    let (event, viewer, _) = select_all(all).await;
    (event, viewer)
}

/// Whether the table has to be drawn.
fn tell(
    face: &mut Face,
    clients: &[Client],
    viewer: usize,
    event: &Event,
    out: &mut impl Write,
) -> Result<bool, CommandError> {
    let (names, palette) = match face {
        Face::Lines(names, palette) => (names, palette),
        Face::Table(table) => {
            table.note(event);
            return Ok(true);
        }
        Face::SideBySide(_) => return Ok(true),
    };
    // Of several, each line says whose it is.
    let whose = match clients {
        [_] => String::new(),
        all => format!("{:<18}  ", all[viewer].user().map(|user| names.user(user)).unwrap_or_default()),
    };
    for line in lines::of(event, names, *palette, now()) {
        writeln!(out, "{}  {whose}{line}", text::clock(now()))?;
    }
    out.flush()?;
    Ok(false)
}

fn ended(client: &Client) -> CommandError {
    match client.connection() {
        Connection::Ended(ending) => CommandError::Ended(ending),
        _ => CommandError::Ended(client::Ending::Closed),
    }
}

fn now() -> SystemTime {
    SystemTime::now()
}
