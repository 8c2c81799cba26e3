//! A world by seed: people without settings, in two organizations, in weddings that are over, colleagues and
//! collaborators at once, appearing offline, disabled. The facts are kept beside it as the hub would know them.

use std::collections::BTreeMap;

use model::{
    AccountId, Minute, Occupancy, OrganizationId, Relation, Role, Settings, UserFacts, UserId, Visibility,
    Wall, WeddingId,
};
use policy::{Sight, relates, sight};
use rand::{Rng, SeedableRng, rngs::SmallRng, seq::IndexedRandom};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

pub(super) const PEOPLE: usize = 200;
const ORGANIZATIONS: usize = 14;
const WEDDINGS: usize = 40;

/// A fact with its fate: what is not kept is written and taken away again.
struct Fleeting<T> {
    kept: bool,
    fact: T,
}

pub(super) struct World {
    pub(super) users: BTreeMap<UserId, UserFacts>,
    /// Accounts that somebody holds.
    pub(super) held: BTreeMap<AccountId, (OrganizationId, Occupancy)>,
    organizations: Vec<OrganizationId>,
    weddings: Vec<Fleeting<WeddingId>>,
    members: Vec<Fleeting<(UserId, OrganizationId, Role)>>,
    collaborations: Vec<Fleeting<(WeddingId, UserId, UserId)>>,
}

impl World {
    pub(super) fn generated(seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let users: BTreeMap<UserId, UserFacts> =
            (0..PEOPLE).map(|n| (UserId(uuid(&mut rng)), person(n, &mut rng))).collect();
        let organizations = (0..ORGANIZATIONS).map(|_| OrganizationId(uuid(&mut rng))).collect();
        let weddings = (0..WEDDINGS).map(|_| fleeting(WeddingId(uuid(&mut rng)), &mut rng)).collect();
        let (held, members, collaborations) = Default::default();
        let mut world = Self { users, held, organizations, weddings, members, collaborations };
        world.hire(&mut rng);
        world.marry(&mut rng);
        world.clock_in(&mut rng);
        world
    }

    fn hire(&mut self, rng: &mut SmallRng) {
        for (user, facts) in &mut self.users {
            let employers = *[0, 1, 1, 2].choose(rng).expect("four");
            let organizations: Vec<_> = self.organizations.choose_multiple(rng, employers).copied().collect();
            for organization in organizations {
                let role = *[Role::Owner, Role::Admin, Role::Member, Role::Member].choose(rng).expect("four");
                let member = fleeting((*user, organization, role), rng);
                if member.kept {
                    facts.organizations.insert(organization, role);
                }
                self.members.push(member);
            }
        }
    }

    fn marry(&mut self, rng: &mut SmallRng) {
        let ids: Vec<UserId> = self.users.keys().copied().collect();
        for wedding in &self.weddings {
            let count = rng.random_range(3..8);
            let people: Vec<UserId> = ids.choose_multiple(rng, count).copied().collect();
            let (clients, suppliers) = people.split_at(rng.random_range(1..3));
            for (supplier, client) in suppliers.iter().flat_map(|s| clients.iter().map(move |c| (*s, *c))) {
                let collaboration = fleeting((wedding.fact, supplier, client), rng);
                if collaboration.kept && wedding.kept {
                    for user in [supplier, client] {
                        self.users.get_mut(&user).expect("a user").weddings.insert(wedding.fact);
                    }
                }
                self.collaborations.push(collaboration);
            }
        }
    }

    fn clock_in(&mut self, rng: &mut SmallRng) {
        for (user, facts) in &self.users {
            for organization in facts.organizations.keys() {
                if rng.random_bool(0.6) {
                    continue;
                }
                let since = instant(rng);
                let stale_since =
                    rng.random_bool(0.3).then(|| Wall(since.0 + rng.random_range(0..1_000_000)));
                let occupancy = Occupancy { user: *user, since, stale_since, epoch: rng.random_range(1..9) };
                self.held.insert(AccountId(uuid(rng)), (*organization, occupancy));
            }
        }
    }

    /// What the policy lets a viewer read of last-seen: nothing at all to those who are disabled.
    pub(super) fn seen_by(&self, viewer: UserId) -> BTreeMap<UserId, Minute> {
        let of_viewer = &self.users[&viewer];
        let sees = |subject: UserId, facts: &UserFacts| {
            let settings = facts.settings.clone().unwrap_or_default();
            let relates = |relation: Relation| relates(relation, (viewer, of_viewer), (subject, facts));
            !of_viewer.disabled && !facts.disabled && sight(relates, Some(&settings)) != Sight::Hidden
        };
        let seen = self.users.iter().filter(|(subject, facts)| sees(**subject, facts));
        seen.filter_map(|(subject, facts)| Some((*subject, facts.last_seen?.minute()))).collect()
    }

    pub(super) async fn write(&self, admin: &mut PgConnection) {
        self.write_people(admin).await;
        self.write_organizations(admin).await;
        self.write_weddings(admin).await;
        self.write_accounts(admin).await;
    }

    async fn write_people(&self, admin: &mut PgConnection) {
        let people = self.users.iter().map(|(user, facts)| {
            format!("('{user}', '{}', {}, '1970-01-01Z')", facts.display_name, facts.disabled)
        });
        insert(admin, "users (id, display_name, disabled, created_at)", people).await;
        let settings = self.users.iter().filter_map(|(user, facts)| {
            let settings = facts.settings.as_ref()?;
            let visibility = visibility(settings.visibility);
            Some(format!(
                "('{user}', '{visibility}', true, false, {}, NULL, NULL, now())",
                settings.appear_offline
            ))
        });
        insert(admin, "presence_settings", settings).await;
        let last_seen = self.users.iter().filter_map(|(user, facts)| {
            let at = timestamp(facts.last_seen?);
            Some(format!("('{user}', date_trunc('minute', {at}, 'UTC'), {at}, '/hidden', now())"))
        });
        insert(admin, "user_last_seen (user_id, last_seen_at, seen_at, last_page, updated_at)", last_seen)
            .await;
    }

    async fn write_organizations(&self, admin: &mut PgConnection) {
        let organizations = self.organizations.iter().map(|id| format!("('{id}', 'Organization')"));
        insert(admin, "organizations (id, name)", organizations).await;
        let member = |(user, organization, role): &(UserId, OrganizationId, Role)| {
            format!("('{user}', '{organization}', '{}')", word(*role))
        };
        insert(admin, "user_organizations", self.members.iter().map(|m| member(&m.fact))).await;
        let left = self.members.iter().filter(|member| !member.kept).map(|m| member(&m.fact));
        remove(admin, "user_organizations WHERE (user_id::text, organization_id::text, role)", left).await;
    }

    async fn write_weddings(&self, admin: &mut PgConnection) {
        insert(admin, "weddings", self.weddings.iter().map(|w| format!("('{}', 'Wedding')", w.fact))).await;
        let ids = |(wedding, supplier, client): &(WeddingId, UserId, UserId)| {
            format!("'{wedding}', '{supplier}', '{client}'")
        };
        let all = self.collaborations.iter().map(|c| format!("({}, 'florist')", ids(&c.fact)));
        insert(admin, "wedding_collaborations", all).await;
        let ended = self.collaborations.iter().filter(|c| !c.kept).map(|c| format!("({})", ids(&c.fact)));
        let row = "wedding_collaborations WHERE (wedding_id::text, supplier_id::text, client_id::text)";
        remove(admin, row, ended).await;
        let over = self.weddings.iter().filter(|w| !w.kept).map(|w| format!("('{}')", w.fact));
        remove(admin, "weddings WHERE id::text", over).await;
    }

    async fn write_accounts(&self, admin: &mut PgConnection) {
        let accounts =
            self.held.iter().map(|(id, (organization, _))| format!("('{id}', '{organization}', 'Inbox')"));
        insert(admin, "accounts (id, organization_id, name)", accounts).await;
        let held = self.held.iter().map(|(id, (organization, held))| {
            let (user, since, epoch) = (held.user, timestamp(held.since), held.epoch);
            let stale = held.stale_since.map_or("NULL".to_owned(), timestamp);
            format!("('{id}', '{organization}', '{user}', {since}, {since}, {since}, {stale}, {epoch})")
        });
        insert(admin, "account_presence", held).await;
    }
}

fn person(n: usize, rng: &mut SmallRng) -> UserFacts {
    const VISIBILITIES: [Visibility; 4] =
        [Visibility::Everyone, Visibility::Team, Visibility::Contacts, Visibility::Nobody];
    let settings = Settings {
        visibility: *VISIBILITIES.choose(rng).expect("four"),
        appear_offline: rng.random_bool(0.2),
        ..Settings::default()
    };
    UserFacts {
        display_name: format!("Person {n}"),
        disabled: rng.random_bool(0.06),
        organizations: BTreeMap::new(),
        enterprise: Default::default(),
        erased: false,
        weddings: Default::default(),
        settings: rng.random_bool(0.65).then_some(settings),
        last_seen: rng.random_bool(0.95).then(|| instant(rng)),
    }
}

fn instant(rng: &mut SmallRng) -> Wall {
    Wall(rng.random_range(1_700_000_000_000..1_780_000_000_000))
}

fn uuid(rng: &mut SmallRng) -> Uuid {
    Uuid::from_u128(rng.random())
}

fn fleeting<T>(fact: T, rng: &mut SmallRng) -> Fleeting<T> {
    Fleeting { kept: rng.random_bool(0.8), fact }
}

fn timestamp(at: Wall) -> String {
    format!("to_timestamp({} / 1000.0)", at.0)
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        Role::Member => "member",
    }
}

fn visibility(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Everyone => "everyone",
        Visibility::Team => "team",
        Visibility::Contacts => "contacts",
        Visibility::Nobody => "nobody",
    }
}

async fn insert(admin: &mut PgConnection, into: &str, rows: impl Iterator<Item = String>) {
    let rows: Vec<String> = rows.collect();
    run(admin, format!("INSERT INTO {into} VALUES {}", rows.join(", "))).await;
}

async fn remove(admin: &mut PgConnection, from: &str, rows: impl Iterator<Item = String>) {
    let rows: Vec<String> = rows.collect();
    run(admin, format!("DELETE FROM {from} IN ({})", rows.join(", "))).await;
}

async fn run(admin: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(admin).await.expect("the world is written");
}
