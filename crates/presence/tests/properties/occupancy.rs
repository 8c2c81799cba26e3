//! What a member of an organization learns of its accounts: whether each is held, and nothing of who, of what they do
//! there, or of whose move it was. Two worlds that differ only in that are one, byte for byte.

use std::collections::BTreeMap;

use model::{
    AccountFacts, AccountId, ChannelId, Encoding, EntryId, Holder, Limits, Mono, Occupancy, OrganizationId,
    Outgoing, Record, Role, SessionId, Settings, SubscribeRequest, UserFacts, UserId, Visibility, Wall,
};
use presence::Input;

use crate::{
    for_each_seed,
    noninterference::Transcript,
    rig::{Rig, limits},
    script::{Dice, START_WALL},
};

const ACCOUNTS: u64 = 4;
const ASSISTANTS: u64 = 5;
const STEPS: u64 = 40;

/// What every member may know: which accounts are held at which time.
type Held = BTreeMap<u64, u64>;

/// One thing that happens in a world.
#[derive(Clone, Debug)]
enum Change {
    /// At one instant, as it was committed: who holds each of these from then on.
    Commit(Vec<(u64, Option<u64>)>),
    /// A sign that an extension was lost, or is back: seen by admins alone.
    Lost(u64, bool),
}

struct Cast {
    organization: OrganizationId,
    accounts: Vec<AccountId>,
    assistants: Vec<UserId>,
    member: UserId,
    admin: UserId,
}

impl Cast {
    fn new(dice: &mut Dice) -> Self {
        Self {
            organization: OrganizationId(dice.id()),
            accounts: (0..ACCOUNTS).map(|_| AccountId(dice.id())).collect(),
            assistants: (0..ASSISTANTS).map(|_| UserId(dice.id())).collect(),
            member: UserId(dice.id()),
            admin: UserId(dice.id()),
        }
    }

    fn facts(&self, role: Role) -> UserFacts {
        UserFacts {
            display_name: format!("{role:?}"),
            disabled: false,
            organizations: [(self.organization, role)].into(),
            enterprise: Default::default(),
            weddings: Default::default(),
            settings: Some(Settings { visibility: Visibility::Nobody, ..Settings::default() }),
            last_seen: None,
            erased: false,
        }
    }
}

/// One world: its changes by time.
struct World {
    changes: Vec<(Mono, Change)>,
}

/// A free account for each that is given back, so that what is held stays as wanted: `wanted` says of each step which
/// accounts are held. Who holds them, `dice` say.
fn world(wanted: &[(Mono, Vec<u64>)], dice: &mut Dice) -> World {
    let (mut changes, mut held) = (Vec::new(), Held::new());
    for (at, accounts) in wanted {
        let mut commit: Vec<(u64, Option<u64>)> = Vec::new();
        for account in (0..ACCOUNTS).filter(|account| !accounts.contains(account)) {
            if held.remove(&account).is_some() {
                commit.push((account, None));
            }
        }
        // Sometimes somebody else sits there from now on, or they change seats: committed as one, nobody can tell.
        held.retain(|_, _| !dice.one_in(3));
        for account in accounts {
            if !held.contains_key(account) {
                let mut free = (0..ASSISTANTS)
                    .filter(|who| !held.values().any(|holder| holder == who))
                    .collect::<Vec<_>>();
                let who = free.swap_remove(dice.below(free.len() as u64) as usize);
                held.insert(*account, who);
                commit.push((*account, Some(who)));
            }
        }
        // Within one commit the order is nobody's: whoever goes may be told of after whoever comes.
        commit.reverse();
        changes.push((*at, Change::Commit(commit)));
        if dice.one_in(2)
            && let Some(account) = held.keys().next()
        {
            changes.push((*at + dice.below(5), Change::Lost(*account, dice.one_in(2))));
        }
    }
    changes.sort_by_key(|(at, _)| *at);
    World { changes }
}

/// What the viewer gets in a world, and what an admin has in the end.
fn play(
    cast: &Cast,
    world: &World,
    end: Mono,
    encoding: Encoding,
) -> (Transcript, BTreeMap<AccountId, UserId>) {
    let mut rig = Rig::new(limits());
    for (user, role) in [(cast.member, Role::Member), (cast.admin, Role::Admin)] {
        rig.input(Input::Facts { user, facts: Some(cast.facts(role)) });
    }
    for user in &cast.assistants {
        rig.input(Input::Facts { user: *user, facts: Some(cast.facts(Role::Member)) });
    }
    for account in &cast.accounts {
        let facts = AccountFacts { organization: cast.organization, name: "shared".into() };
        rig.input(Input::Account { account: *account, facts: Some(facts) });
    }
    // Fixed: what is compared must not depend on which world was played first.
    let sessions = [2, 4].map(|n| SessionId(uuid::Uuid::from_u128(n)));
    for (session, user) in sessions.into_iter().zip([cast.member, cast.admin]) {
        rig.connect(session, user, None, None);
        let mut channels = vec![SubscribeRequest::of(ChannelId::Organization(cast.organization))];
        channels.push(SubscribeRequest::of(ChannelId::Account(cast.accounts[0])));
        rig.subscribe(session, channels);
    }
    let mut now: BTreeMap<u64, Occupancy> = BTreeMap::new();
    for (at, change) in &world.changes {
        while let Some(tick) = rig.next_tick(*at) {
            rig.tick(tick);
        }
        rig.tick(*at);
        let inputs = inputs(cast, &mut now, *at, change);
        rig.input(Input::Together(inputs));
        nobody_sits_twice(&rig, sessions[1]);
    }
    while let Some(tick) = rig.next_tick(end) {
        rig.tick(tick);
    }
    rig.tick(end);
    let frames = rig.clients[&sessions[0]].frames.iter();
    let transcript =
        frames.map(|(at, frame)| (*at, wire::encode(encoding, frame, &Limits::default()))).collect();
    (transcript, seats(&rig, sessions[1]))
}

fn inputs(cast: &Cast, now: &mut BTreeMap<u64, Occupancy>, at: Mono, change: &Change) -> Vec<Input> {
    let wall = Wall(START_WALL.0 + at.0 as i64);
    let mut inputs = Vec::new();
    match change {
        Change::Commit(commit) => {
            for (account, who) in commit {
                match who {
                    Some(who) => {
                        let user = cast.assistants[*who as usize];
                        now.insert(
                            *account,
                            Occupancy { user, since: wall, stale_since: None, epoch: at.0 + 1 },
                        );
                    }
                    None => drop(now.remove(account)),
                }
                inputs.push(*account);
            }
        }
        Change::Lost(account, lost) => {
            if let Some(occupancy) = now.get_mut(account) {
                occupancy.stale_since = lost.then_some(wall);
                inputs.push(*account);
            }
        }
    }
    let occupancy = |account: &u64| Input::Occupancy {
        account: cast.accounts[*account as usize],
        occupancy: now.get(account).cloned(),
    };
    inputs.iter().map(occupancy).collect()
}

/// Whom the admin's frames say to be where, folded.
fn seats(rig: &Rig, session: SessionId) -> BTreeMap<AccountId, UserId> {
    let mut seats = BTreeMap::new();
    for (_, frame) in &rig.clients[&session].frames {
        // The first subscription: of the whole organization.
        let Outgoing::View(view) = frame else { continue };
        if view.subscription.0 != 1 {
            continue;
        }
        for left in &view.leave {
            if let EntryId::Account(account) = left {
                seats.remove(account);
            }
        }
        for record in view.join.iter().chain(&view.update) {
            if let Record::Account(record) = record.record()
                && let Holder::Named { user_id, .. } = record.holder
            {
                seats.insert(record.account_id, user_id);
            }
        }
    }
    seats
}

/// What was committed as one is told as one: no admin sees anybody in two accounts, after any frame.
fn nobody_sits_twice(rig: &Rig, admin: SessionId) {
    let mut holders: Vec<_> = seats(rig, admin).into_values().collect();
    let count = holders.len();
    holders.sort();
    holders.dedup();
    assert_eq!(holders.len(), count, "somebody is in two accounts");
}

/// Which accounts are held, at each step.
fn wanted(dice: &mut Dice) -> Vec<(Mono, Vec<u64>)> {
    let mut at = Mono(0);
    (0..STEPS)
        .map(|_| {
            at = at + 1 + dice.below(150);
            (at, (0..ACCOUNTS).filter(|_| dice.one_in(2)).collect())
        })
        .collect()
}

#[test]
fn who_holds_an_account_changes_no_byte_for_members() {
    let (mut runs, mut differing) = (0_u64, 0_u64);
    for_each_seed("who_holds_an_account_changes_no_byte_for_members", 400, |seed| {
        let mut dice = Dice::new(seed ^ 0xacc);
        let cast = Cast::new(&mut dice);
        let wanted = wanted(&mut dice);
        let end = wanted.last().expect("steps").0 + 20_000;
        let [one, other] = [(); 2].map(|()| world(&wanted, &mut dice));
        let encoding = dice.pick(&Encoding::ALL);
        let (one, other) = (play(&cast, &one, end, encoding), play(&cast, &other, end, encoding));
        assert!(one.0.len() > 5, "the member is shown something");
        assert_eq!(one.0, other.0, "a member can tell the worlds apart");
        runs += 1;
        differing += u64::from(one.1 != other.1);
    });
    assert!(runs < 100 || differing * 2 > runs, "{differing} of {runs}: the worlds must differ for admins");
}
