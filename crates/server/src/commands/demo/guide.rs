//! What a newcomer reads before the first line.

use std::net::SocketAddr;

use model::ChannelId;

use super::{
    super::watch::text::Palette,
    world::{Person, World},
};

/// What a newcomer reads before the first line.
pub(super) struct Guide<'a> {
    pub(super) world: &'a World,
    pub(super) viewer: &'a Person,
    pub(super) palette: Palette,
    /// The tokens of an admin and of an assistant, and their organization.
    pub(super) desk: Option<(String, String, ChannelId)>,
}

/// Where the demonstration is.
pub(super) struct Addresses {
    pub(super) console: String,
    pub(super) socket: String,
    pub(super) operations: SocketAddr,
}

impl Guide<'_> {
    /// The header. `token` is for the command that it shows.
    pub(super) fn header(&self, at: &Addresses, token: &str) -> String {
        let Self { world, viewer, palette, desk } = self;
        let Addresses { console, socket: url, operations } = at;
        format!(
            "{title}: open {console} in a browser on this machine\n\n\
             A wedding agency, three weddings on one weekend, {count} people who come and go over real sockets.\n\
             You see what {name} ({part}) sees, as it happens: {places}.\n  \
             + comes into sight   ~ changes   - goes out of sight   (times are UTC)\n\n\
             Not everybody is seen by everybody: {hidden}.\n\n\
             To see through other eyes: {program} demo --viewer NAME\n{cast}\n\
             A second terminal with a table of one wedding, through the same eyes:\n\n{command}\n\n{desk}\
             Socket {url}   Metrics http://{operations}/metrics   Ctrl-C ends it.\n\n",
            title = palette.strong("presence-hub demo"),
            count = world.people.len(),
            name = palette.strong(&viewer.name),
            part = viewer.part,
            places = places(world, viewer),
            hidden = hidden(world, viewer),
            program = program(),
            cast = cast(world),
            command = watch_command(viewer, url, token),
            desk = desk.as_ref().map(|desk| side_by_side(desk, url)).unwrap_or_default(),
        )
    }
}

fn places(world: &World, viewer: &Person) -> String {
    viewer.channels.iter().map(|channel| world.names.channel(*channel)).collect::<Vec<_>>().join(", ")
}

/// Who is not seen, and why: the point of it all.
fn hidden(world: &World, viewer: &Person) -> String {
    let others = world.people.iter().filter(|person| person.id != viewer.id);
    let hidden = others.filter_map(|person| Some(format!("{} {}", person.name, person.choice.hides()?)));
    hidden.collect::<Vec<_>>().join("; ")
}

fn cast(world: &World) -> String {
    let mut cast = String::new();
    for people in world.people.chunks(4) {
        let named = people.iter().map(|person| format!("{} ({})", person.name, person.part));
        cast.push_str(&format!("  {}\n", named.collect::<Vec<_>>().join(", ")));
    }
    cast
}

fn watch_command(viewer: &Person, url: &str, token: &str) -> String {
    let is_wedding = |channel: &&ChannelId| matches!(channel, ChannelId::Wedding(_));
    let channel = viewer.channels.iter().find(is_wedding).or(viewer.channels.first());
    let channel = channel.map(ToString::to_string).unwrap_or_default();
    format!("{} watch --roster --url {url} --token {token} {channel}", program())
}

/// Occupancy, by the rights of two viewers.
fn side_by_side((admin, assistant, organization): &(String, String, ChannelId), url: &str) -> String {
    format!(
        "Assistants clock in to the shared accounts of the agency, move, get lost, come back and clock out.\n\
         A third terminal with their badges, side by side as an admin and as an assistant see them:\n\n\
         {} watch --url {url} --token {admin} --side-by-side {assistant} {organization}\n\n",
        program()
    )
}

/// As this program was called.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "presence-hub".to_owned())
}
