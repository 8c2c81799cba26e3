//! `watch`: a channel in a terminal, as one viewer sees it.
//!
//! On a terminal it is a table that is drawn anew in place; elsewhere, lines. What other people have written goes
//! through [`text::safe`] before it gets near a terminal.

pub(super) mod lines;
pub(super) mod names;
mod table;
pub(super) mod text;

#[cfg(test)]
mod tests;

use std::{
    io::{IsTerminal, Write, stdout},
    time::{Duration, SystemTime},
};

use client::{Client, Connection, Event, Events, Options, TokenSource};
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
    let mut options = Options::new(&args.url, tokens(args)?);
    options.encoding = args.encoding.into();
    for channel in &args.channels {
        let request = SubscribeRequest::of(*channel);
        options = options.channel(if args.roster { SubscribeRequest::roster(*channel) } else { request });
    }
    // Lines are for programs and logs: without colours.
    let face = if stdout().is_terminal() && !args.plain {
        Face::table(names, Palette::of_stdout())
    } else {
        Face::Lines(names, Palette::Plain)
    };
    super::runtime()?.block_on(async {
        let (client, events) = Client::start(options);
        let followed = follow(&client, events, face, told_to_end(), out).await;
        client.close().await;
        followed
    })
}

/// The token given, or tokens made for a user, each time a new one.
fn tokens(args: &WatchArgs) -> Result<TokenSource, CommandError> {
    match (&args.token, args.user) {
        (Some(token), _) => Ok(Token::new(token).into()),
        (None, Some(user)) => Ok(minted(issuer(args.secret.clone().unwrap_or_default()), user)),
        (None, None) => Err(CommandError::NoIssuer),
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
}

impl Face {
    /// A table.
    pub(super) fn table(names: Names, palette: Palette) -> Self {
        Self::Table(Table::new(names, palette))
    }
}

/// Shows what is new until `end`, or until the client has ended.
pub(super) async fn follow(
    client: &Client,
    mut events: Events,
    mut face: Face,
    end: impl Future<Output = std::io::Result<()>>,
    out: &mut impl Write,
) -> Result<(), CommandError> {
    tokio::pin!(end);
    if let Face::Table(table) = &mut face {
        table.open(out)?;
    }
    let mut next_frame = Instant::now();
    let mut is_new = true;
    let done = loop {
        tokio::select! {
            ended = &mut end => break ended.map_err(CommandError::from),
            event = events.next() => match event {
                Some(event) => is_new |= tell(&mut face, &event, out)?,
                None => break Err(ended(client)),
            },
            () = sleep_until(next_frame), if is_new => {
                if let Face::Table(table) = &face {
                    table.draw(client, now(), out)?;
                }
                (is_new, next_frame) = (false, Instant::now() + FRAME);
            }
        }
    };
    if let Face::Table(table) = &face {
        table.close(out)?;
    }
    done
}

/// Whether the table has to be drawn.
fn tell(face: &mut Face, event: &Event, out: &mut impl Write) -> Result<bool, CommandError> {
    let (names, palette) = match face {
        Face::Lines(names, palette) => (names, palette),
        Face::Table(table) => {
            table.note(event);
            return Ok(true);
        }
    };
    for line in lines::of(event, names, *palette) {
        writeln!(out, "{}  {line}", text::clock(now()))?;
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
