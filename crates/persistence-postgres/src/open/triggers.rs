//! The triggers that notice changes and erase: each is there and fires. Without one, what the platform writes into its
//! table would be shown late, or somebody who was deleted would stay in the audit.

use sqlx::PgConnection;

use crate::{OpenError, address::Target};

/// The first trigger that does not fire, and what makes it fire.
const SILENT: &str = "
    WITH wanted (relation, name, definition) AS (
        SELECT relation, name, format(clause, relation, routine) FROM (VALUES
            ('users', 'presence_users_changed'), ('user_organizations', 'presence_members_changed'),
            ('wedding_collaborations', 'presence_collaborations_changed'),
            ('accounts', 'presence_accounts_changed'), ('presence_settings', 'presence_settings_changed'),
            ('account_presence', 'presence_occupancy_changed')
        ) AS watched (relation, routine) CROSS JOIN (VALUES
            ('presence_inserted', 'AFTER INSERT ON public.%I REFERENCING NEW TABLE AS after \
                EXECUTE FUNCTION public.%I()'),
            ('presence_updated', 'AFTER UPDATE ON public.%I REFERENCING OLD TABLE AS before NEW TABLE AS after \
                EXECUTE FUNCTION public.%I()'),
            ('presence_deleted', 'AFTER DELETE ON public.%I REFERENCING OLD TABLE AS before \
                EXECUTE FUNCTION public.%I()'),
            ('presence_truncated', 'AFTER TRUNCATE ON public.%I EXECUTE FUNCTION public.presence_all_changed()')
        ) AS kinds (name, clause)
        UNION ALL VALUES
            ('presence_changes', 'presence_truncated',
                'AFTER TRUNCATE ON public.presence_changes EXECUTE FUNCTION public.presence_all_changed()'),
            ('presence_settings', 'presence_chosen', 'BEFORE UPDATE ON public.presence_settings FOR EACH ROW \
                WHEN (OLD.erased_at = ''infinity'' AND NEW.erased_at = ''infinity'' AND NEW.visibility <> ''nobody'') \
                EXECUTE FUNCTION public.presence_chosen()'),
            ('users', 'presence_gone', 'AFTER DELETE ON public.users REFERENCING OLD TABLE AS before \
                EXECUTE FUNCTION public.presence_users_gone()'),
            ('users', 'presence_all_gone',
                'BEFORE TRUNCATE ON public.users EXECUTE FUNCTION public.presence_users_gone()'),
            ('users', 'presence_erasing', 'BEFORE DELETE ON public.users EXECUTE FUNCTION public.presence_erasing()'),
            ('organizations', 'presence_erasing',
                'BEFORE DELETE ON public.organizations EXECUTE FUNCTION public.presence_erasing()'),
            ('organizations', 'presence_gone', 'AFTER DELETE ON public.organizations \
                REFERENCING OLD TABLE AS before EXECUTE FUNCTION public.presence_organizations_gone()'),
            ('organizations', 'presence_all_gone', 'BEFORE TRUNCATE ON public.organizations \
                EXECUTE FUNCTION public.presence_organizations_gone()'),
            ('organizations', 'presence_updated', 'AFTER UPDATE ON public.organizations \
                REFERENCING OLD TABLE AS before NEW TABLE AS after EXECUTE FUNCTION public.presence_plans_changed()')
    )
    SELECT relation, name, CASE WHEN t.oid IS NULL
        THEN format('CREATE TRIGGER %I %s', name, definition)
        ELSE format('ALTER TABLE public.%I ENABLE TRIGGER %I', relation, name) END
    FROM wanted LEFT JOIN pg_trigger AS t
        ON t.tgrelid = to_regclass('public.' || relation) AND t.tgname = name AND NOT t.tgisinternal
    WHERE t.oid IS NULL OR t.tgenabled NOT IN ('O', 'A')
    ORDER BY relation, name LIMIT 1";

pub(super) async fn check(target: &Target, connection: &mut PgConnection) -> Result<(), OpenError> {
    let silent: Option<(String, String, String)> =
        sqlx::query_as(SILENT).fetch_optional(connection).await.map_err(|error| target.failed(error))?;
    let Some((table, trigger, remedy)) = silent else { return Ok(()) };
    Err(OpenError::Unwatched { address: target.address.clone(), table, trigger, remedy })
}
