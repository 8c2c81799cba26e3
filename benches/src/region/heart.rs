//! Regions through the heart's one entrance.

use std::mem;

use model::{Encoding, Track};

use super::Work;
use crate::scene::{Scene, track};

/// Changes that are counted together; as many before them, uncounted, make every buffer as large as it gets.
pub(super) const ROUNDS: u64 = 20;

/// A wedding in which everybody is, and looks.
pub(super) fn room(people: u64, encoding: Encoding) -> Scene {
    watched(Scene::wedding(people, encoding), people)
}

/// An organization in which everybody is, and looks.
pub(super) fn crowd(people: u64) -> Scene {
    watched(Scene::organization(people, Encoding::Json), people)
}

fn watched(mut scene: Scene, people: u64) -> Scene {
    scene.arrive(people);
    scene.all_look(people);
    scene
}

/// One after the other of `people` changes, each when the windows of the change before are over.
pub(super) fn changes(mut scene: Scene, people: u64) -> Work {
    let who = |round| round % people;
    rounds(&mut scene, tracks(1, who));
    let mut counted = tracks(2, who);
    Box::new(move || rounds(&mut scene, mem::take(&mut counted)))
}

/// The first changes, whom nobody else may see.
pub(super) fn hidden_changes(mut scene: Scene) -> Work {
    scene.hide(0);
    rounds(&mut scene, tracks(1, |_| 0));
    let mut counted = tracks(2, |_| 0);
    Box::new(move || rounds(&mut scene, mem::take(&mut counted)))
}

/// Who announces what. Made beforehand: to clean texts is the decoder's part.
fn tracks(times: u64, who: impl Fn(u64) -> u64) -> Vec<(u64, Track)> {
    (0..ROUNDS).map(|round| (who(round), track(times * ROUNDS + round))).collect()
}

fn rounds(scene: &mut Scene, tracks: Vec<(u64, Track)>) -> u64 {
    let before = scene.changes();
    for (who, track) in tracks {
        scene.change(who, track);
        scene.pass();
    }
    scene.changes() - before
}

/// One changes.
pub(super) fn one_change(mut scene: Scene) -> Work {
    rounds(&mut scene, vec![(0, track(1))]);
    let mut counted = vec![(1, track(2))];
    Box::new(move || rounds(&mut scene, mem::take(&mut counted)))
}

/// One looks for the first time, where `people` are.
pub(super) fn snapshot(people: u64) -> Work {
    let mut scene = Scene::organization(people, Encoding::Json);
    scene.arrive(people);
    // Another's look before has encoded the records, as in any channel that somebody follows.
    scene.look(1);
    scene.pass();
    Box::new(move || {
        let before = scene.changes();
        scene.look(0);
        scene.pass();
        scene.changes() - before
    })
}
