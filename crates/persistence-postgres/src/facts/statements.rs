//! The statements that read users. What relates them is found by key where there are indexes; where a platform has
//! none, its tables are read once for all users of a page, and not once for each.
//!
//! The users are selected first, and each one's own rows are then found by their keys (`OFFSET 0` keeps it so): joined,
//! Postgres may read these tables from their first row up to the page, for every page. Tables that the platform made may
//! be looser than ours: a role that is no administrator's is a member's, and a row without a wedding or an organization
//! relates nobody. Both sides of the collaborations are asked rather than the view over them: each side has its index.

use std::sync::Arc;

/// The statements for one database.
#[derive(Clone, Debug)]
pub(crate) struct Statements {
    /// A page: `$1` the first id there may be, `$2` how many.
    pub(super) page: Arc<str>,
    /// Of some: `$1` their ids.
    pub(super) some: Arc<str>,
}

/// Which tables of relations have the indexes to look up a user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Indexed {
    pub(crate) memberships: bool,
    pub(crate) collaborations: bool,
}

impl Statements {
    pub(crate) fn new(indexed: Indexed) -> Self {
        let memberships = if indexed.memberships { MEMBERSHIPS_BY_KEY } else { MEMBERSHIPS_BY_SCAN };
        let collaborations =
            if indexed.collaborations { COLLABORATIONS_BY_KEY } else { COLLABORATIONS_BY_SCAN };
        let of = |which: &str| {
            format!(
                "WITH u AS MATERIALIZED (SELECT id, display_name, disabled FROM users {which}) \
                 {FACTS} {memberships} {collaborations} {OWN}"
            )
        };
        Self {
            page: of("WHERE id >= $1 ORDER BY id LIMIT $2").into(),
            some: of("WHERE id = ANY ($1)").into(),
        }
    }
}

const FACTS: &str = "SELECT u.id, coalesce(u.display_name::text, '') AS display_name, \
    u.disabled IS TRUE AS disabled, s.visibility, s.show_activity, s.show_current_page, s.appear_offline, \
    s.custom_status, s.custom_status_emoji, coalesce(s.erased_at = 'infinity', false) AS erased, seen.seen_at, \
    coalesce(m.organizations, '{}') AS organizations, coalesce(m.roles, '{}') AS roles, \
    coalesce(m.enterprise, '{}') AS enterprise, \
    coalesce(c.weddings, '{}') AS weddings FROM u";

const OWN: &str = "LEFT JOIN LATERAL \
    (SELECT * FROM presence_settings WHERE user_id = u.id OFFSET 0) AS s ON true LEFT JOIN LATERAL \
    (SELECT seen_at FROM user_last_seen WHERE user_id = u.id OFFSET 0) AS seen ON true ORDER BY u.id";

/// Organizations, and the roles in them in the same order, of several the highest last; and which of them keep a log. The subselect is asked by key
/// for each membership, where a join might read all organizations for every user.
macro_rules! memberships {
    () => {
        "array_agg(organization_id ORDER BY CASE role::text WHEN 'owner' THEN 2 WHEN 'admin' THEN 1 ELSE 0 END) AS organizations, \
         array_agg(CASE WHEN role::text IN ('owner', 'admin') THEN role::text ELSE 'member' END \
             ORDER BY CASE role::text WHEN 'owner' THEN 2 WHEN 'admin' THEN 1 ELSE 0 END) AS roles, \
         array_agg(organization_id) FILTER (WHERE (SELECT plan::text = 'enterprise' FROM organizations AS o \
             WHERE o.id = organization_id)) AS enterprise \
         FROM user_organizations WHERE organization_id IS NOT NULL AND"
    };
}

const MEMBERSHIPS_BY_KEY: &str =
    concat!("LEFT JOIN LATERAL (SELECT ", memberships!(), " user_id = u.id) AS m ON true");

/// `IS TRUE` keeps it from becoming a join, of which Postgres may hash the wrong side.
const MEMBERSHIPS_BY_SCAN: &str = concat!(
    "LEFT JOIN (SELECT user_id, ",
    memberships!(),
    " (user_id IN (SELECT id FROM u)) IS TRUE GROUP BY user_id) AS m ON m.user_id = u.id"
);

const COLLABORATIONS_BY_KEY: &str = "LEFT JOIN LATERAL (SELECT array_agg(wedding_id) AS weddings FROM \
    (SELECT wedding_id FROM wedding_collaborations WHERE supplier_id = u.id \
    UNION ALL SELECT wedding_id FROM wedding_collaborations WHERE client_id = u.id) AS side \
    WHERE wedding_id IS NOT NULL) AS c ON true";

const COLLABORATIONS_BY_SCAN: &str = "LEFT JOIN (SELECT person.id, array_agg(wedding_id) AS weddings \
    FROM wedding_collaborations CROSS JOIN LATERAL (VALUES (supplier_id), (client_id)) AS person (id) \
    WHERE wedding_id IS NOT NULL AND (supplier_id IN (SELECT id FROM u) OR client_id IN (SELECT id FROM u)) \
    GROUP BY person.id) AS c ON c.id = u.id";
