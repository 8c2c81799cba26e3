//! What is true for a viewer, moment by moment: the oracle's word on what two worlds have in common.

use model::{Interest, Mono, PeopleInterest, SessionId, SubscribeRequest, UserId};
use oracle::{Act, Event, Oracle, Truth, Watch, World};

use crate::{
    noninterference::{AFTERMATH_MS, Script, Step, acts_for},
    script::{Cast, START_WALL},
};

/// What is true of a channel for a viewer, step by step, with the viewer's own acts in between.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Moment {
    /// This is true from then on.
    Truth(Mono, Truth),
    /// The viewer acts.
    Own(Mono),
}

/// The timed projection of every channel for `viewer`. A roster with accounts contains every lesser interest.
pub(crate) fn truths(script: &Script, viewer: UserId, cast: &Cast) -> Vec<Vec<Moment>> {
    let interest = Interest { people: PeopleInterest::Roster, accounts: true };
    let channels = cast.channels();
    let watches: Vec<_> = channels.into_iter().map(|channel| Watch { viewer, channel, interest }).collect();
    timelines(script, viewer, &watches)
}

/// The truth after every act, also between acts of one instant: the heart takes them one by one.
fn timelines(script: &Script, viewer: UserId, watches: &[Watch]) -> Vec<Vec<Moment>> {
    let oracle = Oracle::new(START_WALL, crate::rig::limits());
    let end = script.last().map_or(Mono(0), |(at, _)| *at) + AFTERMATH_MS;
    let instants = oracle.instants(&log(script));
    let mut world = oracle.start();
    let mut moments = vec![Vec::new(); watches.len()];
    let mut steps = script.iter().peekable();
    for instant in instants.into_iter().filter(|instant| *instant <= end) {
        world.advance(instant);
        note(&world, instant, watches, &mut moments);
        while let Some((at, step)) = steps.next_if(|(at, _)| *at <= instant) {
            if let Step::Act(act) = step {
                world.apply(&Event { at: *at, act: act.clone() });
                note(&world, *at, watches, &mut moments);
            }
            if is_own(step, viewer, script) {
                moments.iter_mut().for_each(|moments| moments.push(Moment::Own(*at)));
            }
        }
    }
    moments
}

fn note(world: &World, at: Mono, watches: &[Watch], moments: &mut [Vec<Moment>]) {
    for (watch, moments) in watches.iter().zip(moments) {
        let truth = world.view(*watch);
        let before = moments.iter().rev().find_map(|moment| match moment {
            Moment::Truth(_, truth) => Some(truth),
            Moment::Own(_) => None,
        });
        if before != Some(&truth) {
            moments.push(Moment::Truth(at, truth));
        }
    }
}

pub(crate) fn is_own(step: &Step, viewer: UserId, script: &Script) -> bool {
    match step {
        Step::Subscribe(_) => true,
        Step::Act(act) => acts_for(act, viewer, script),
    }
}

/// The script as the oracle hears it. Signs of life that answer heartbeats are left out of both worlds alike.
fn log(script: &Script) -> Vec<Event> {
    let events = script.iter().map(|(at, step)| match step {
        Step::Act(act) => Event { at: *at, act: act.clone() },
        // A request is a sign of life.
        Step::Subscribe(_) => Event { at: *at, act: Act::Alive { session: SessionId(uuid::Uuid::nil()) } },
    });
    events.collect()
}

/// What is true in the end of the channels that were there all the time.
pub(crate) fn lasting(script: &Script, viewer: UserId, requests: &[SubscribeRequest]) -> Vec<Option<Truth>> {
    let watch =
        |request: &SubscribeRequest| Watch { viewer, channel: request.channel, interest: request.interest() };
    let watches: Vec<_> = requests.iter().map(watch).collect();
    let lasting = timelines(script, viewer, &watches).into_iter().map(|moments| {
        let looked = moments.iter().rposition(|moment| *moment == Moment::Own(Mono(1))).unwrap_or(0);
        let truth = |moment: &Moment| match moment {
            Moment::Truth(_, truth) => Some(truth.clone()),
            Moment::Own(_) => None,
        };
        let in_force = moments[..looked].iter().rev().find_map(truth).flatten();
        let later: Vec<_> = moments[looked..].iter().filter_map(truth).collect();
        let there = in_force.is_some() && later.iter().all(Option::is_some);
        there.then(|| later.last().cloned().flatten().or(in_force))
    });
    lasting.collect()
}
