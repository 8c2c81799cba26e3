//! The indexes that lookups need of tables that the platform made. Without them everything still works, slowly.

use sqlx::PgConnection;

use crate::{OpenError, address::Target, facts::Indexed};

/// What each table is looked up by.
const MISSING: &str = "
    SELECT relation, attribute FROM (VALUES
        ('user_organizations', 'user_id'), ('user_organizations', 'organization_id'),
        ('wedding_collaborations', 'wedding_id'), ('wedding_collaborations', 'supplier_id'),
        ('wedding_collaborations', 'client_id'), ('accounts', 'organization_id')
    ) AS looked_up (relation, attribute)
    WHERE NOT EXISTS (
        SELECT FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = to_regclass('public.' || relation) AND a.attname = attribute
          AND i.indisvalid AND i.indpred IS NULL)
    ORDER BY relation, attribute";

/// Which there are; says once which are missing, and what makes them.
pub(super) async fn look(target: &Target, connection: &mut PgConnection) -> Result<Indexed, OpenError> {
    let missing: Vec<(String, String)> =
        sqlx::query_as(MISSING).fetch_all(connection).await.map_err(|error| target.failed(error))?;
    if !missing.is_empty() {
        let create = remedy(&missing);
        tracing::warn!(%create, "tables have no index for what they are looked up by; reading them will be slow");
    }
    let has = |relation: &str, attribute: &str| !missing.iter().any(|(r, a)| r == relation && a == attribute);
    Ok(Indexed {
        memberships: has("user_organizations", "user_id"),
        collaborations: has("wedding_collaborations", "supplier_id")
            && has("wedding_collaborations", "client_id"),
    })
}

fn remedy(missing: &[(String, String)]) -> String {
    let create = |(relation, attribute): &(String, String)| {
        format!("CREATE INDEX CONCURRENTLY ON public.{relation} ({attribute});")
    };
    missing.iter().map(create).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_index_has_its_statement() {
        let missing = [("accounts".to_owned(), "organization_id".to_owned())];
        assert_eq!(remedy(&missing), "CREATE INDEX CONCURRENTLY ON public.accounts (organization_id);");
    }
}
