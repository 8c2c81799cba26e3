//! `demo`: a whole hub in this process, a sample world, people who live in it over real sockets, and what one of
//! them sees.

mod desk;
mod dice;
mod guide;
mod life;
mod past;
mod personas;
mod scene;
pub(super) mod world;

#[cfg(test)]
mod tests;

use std::{io::Write, time::Duration};

use client::{Client, Options};
use metrics_exporter_prometheus::PrometheusHandle;
use model::{ChannelId, SubscribeRequest};
use tokio::{task::JoinSet, time::sleep};

use super::{
    CommandError,
    serve::told_to_end,
    watch::{self, Face, text::Palette},
};
use crate::{
    auth::jwt::mint,
    cli::DemoArgs,
    run::Running,
    telemetry::{start_log, start_metrics},
};
use desk::Desk;
use guide::{Addresses, Guide};
use life::Life;
use scene::Scene;
use world::{Person, World};

/// How long the token lives that is printed for a second terminal.
const PRINTED_TOKEN_LIFE: Duration = Duration::from_secs(12 * 3600);

/// `demo`: lives until Ctrl-C, or for as long as it was told.
///
/// # Errors
/// [`CommandError`] where the hub cannot start, or nobody is called as the viewer is.
pub fn demo(args: &DemoArgs, out: &mut impl Write) -> Result<(), CommandError> {
    let world = World::sample()?;
    let viewer = world.person(args.viewer.as_deref())?.clone();
    let scene = Scene::new(args.port, args.data.as_deref())?;
    start_log(&scene.config.log)?;
    let metrics = start_metrics()?;
    let palette = if args.plain { Palette::Plain } else { Palette::of_stdout() };
    let demo = Demo { world, viewer, scene, palette, seed: args.seed };
    super::runtime()?.block_on(demo.run(metrics, end(args.duration), out))?;
    Ok(writeln!(out, "stopped")?)
}

struct Demo {
    world: World,
    viewer: Person,
    scene: Scene,
    palette: Palette,
    seed: u64,
}

impl Demo {
    async fn run(
        &self,
        metrics: PrometheusHandle,
        end: impl Future<Output = std::io::Result<()>>,
        out: &mut impl Write,
    ) -> Result<(), CommandError> {
        let running = self.scene.start(&self.world, metrics).await?;
        let url = running.socket_url();
        out.write_all(self.header(&running)?.as_bytes())?;
        out.flush()?;
        let mut people = self.populate(&url);
        if let Some(desk) = Desk::of(&self.world) {
            let works = desk.open(self.scene.issuer(), &url, self.seed).await?;
            works.into_iter().for_each(|work| drop(people.spawn(work.live())));
        }
        let shown = self.show(&url, end, out).await;
        // Dropped clients leave like lost connections, which the hub is about to cut anyway.
        drop(people);
        running.shutdown().await;
        shown
    }

    fn header(&self, running: &Running) -> Result<String, CommandError> {
        let token = mint(self.scene.issuer(), self.viewer.id, PRINTED_TOKEN_LIFE)?;
        let desk = self.desk()?;
        let guide = Guide { world: &self.world, viewer: &self.viewer, palette: self.palette, desk };
        let at = Addresses {
            console: running.console_url(),
            socket: running.socket_url(),
            operations: running.operations_address,
        };
        Ok(guide.header(&at, &token))
    }

    /// Tokens for those who look at the accounts, an admin and an assistant.
    fn desk(&self) -> Result<Option<(String, String, ChannelId)>, CommandError> {
        let Some(desk) = Desk::of(&self.world) else { return Ok(None) };
        let Some(assistant) = desk.assistants.first() else { return Ok(None) };
        let [admin, assistant] =
            [desk.admin, *assistant].map(|user| mint(self.scene.issuer(), user, PRINTED_TOKEN_LIFE));
        Ok(Some((admin?, assistant?, ChannelId::Organization(desk.organization))))
    }

    /// Everybody but the viewer begins to live.
    fn populate(&self, url: &str) -> JoinSet<()> {
        let others = self.world.people.iter().filter(|person| person.id != self.viewer.id);
        let lives = others.zip(0..).map(|(person, number)| {
            let tokens = watch::minted(self.scene.issuer().clone(), person.id);
            Life::new(person.clone(), Options::new(url, tokens), self.seed, number).live()
        });
        lives.collect()
    }

    /// Shows what the viewer sees, who is in the world like everybody else.
    async fn show(
        &self,
        url: &str,
        end: impl Future<Output = std::io::Result<()>>,
        out: &mut impl Write,
    ) -> Result<(), CommandError> {
        let tokens = watch::minted(self.scene.issuer().clone(), self.viewer.id);
        let mut options = Options::new(url, tokens).track(self.viewer.first_track());
        options.channels = self.viewer.channels.iter().copied().map(SubscribeRequest::of).collect();
        let (client, events) = Client::start(options);
        let face = Face::Lines(self.world.names.clone(), self.palette);
        let until = async {
            // What cannot be set is shown as it is: the lines tell.
            let _ = client.set_settings(self.viewer.choice.patch()).await;
            end.await
        };
        let shown = watch::follow(&client, events, face, until, out).await;
        client.close().await;
        shown
    }
}

async fn end(duration: Option<Duration>) -> std::io::Result<()> {
    match duration {
        Some(duration) => tokio::select! {
            told = told_to_end() => told,
            () = sleep(duration) => Ok(()),
        },
        None => told_to_end().await,
    }
}
