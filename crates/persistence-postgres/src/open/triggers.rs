//! The triggers that notice changes, erase, and end holds: each is there and fires. Without one, what the platform writes
//! into its table would be shown late, somebody who was deleted would stay in the audit, who is no member any more
//! would hold an account, or reports would tell of what was erased.

use sqlx::PgConnection;

use crate::{OpenError, address::Target};

/// The first trigger that does not fire, and what makes it fire.
const SILENT: &str = "
    WITH wanted (relation, name, definition) AS (
        SELECT relation, name, format(clause, relation, routine, emptied) FROM (VALUES
            ('users', 'presence_users_changed', 'presence_all_changed'),
            ('user_organizations', 'presence_members_changed', 'presence_all_changed'),
            ('wedding_collaborations', 'presence_collaborations_changed', 'presence_all_changed'),
            ('accounts', 'presence_accounts_changed', 'presence_all_changed'),
            ('presence_settings', 'presence_settings_changed', 'presence_all_changed'),
            ('account_presence', 'presence_occupancy_changed', 'presence_all_changed'),
            ('activity_rollups', 'presence_days_follow', 'presence_days_follow'),
            ('activity_pages', 'presence_pages_follow', 'presence_pages_follow')
        ) AS watched (relation, routine, emptied) CROSS JOIN (VALUES
            ('presence_inserted', 'AFTER INSERT ON public.%I REFERENCING NEW TABLE AS after \
                EXECUTE FUNCTION public.%I()'),
            ('presence_updated', 'AFTER UPDATE ON public.%I REFERENCING OLD TABLE AS before NEW TABLE AS after \
                EXECUTE FUNCTION public.%I()'),
            ('presence_deleted', 'AFTER DELETE ON public.%I REFERENCING OLD TABLE AS before \
                EXECUTE FUNCTION public.%I()'),
            ('presence_truncated', 'AFTER TRUNCATE ON public.%1$I EXECUTE FUNCTION public.%3$I()')
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
                REFERENCING OLD TABLE AS before NEW TABLE AS after EXECUTE FUNCTION public.presence_plans_changed()'),
            ('account_presence', 'presence_hold_began', 'AFTER INSERT ON public.account_presence \
                REFERENCING NEW TABLE AS after EXECUTE FUNCTION public.presence_holds_changed()'),
            ('account_presence', 'presence_hold_changed', 'AFTER UPDATE ON public.account_presence \
                REFERENCING OLD TABLE AS before NEW TABLE AS after EXECUTE FUNCTION public.presence_holds_changed()'),
            ('account_presence', 'presence_hold_ended', 'AFTER DELETE ON public.account_presence \
                REFERENCING OLD TABLE AS before EXECUTE FUNCTION public.presence_holds_changed()'),
            ('account_presence', 'presence_emptied', 'BEFORE TRUNCATE ON public.account_presence \
                EXECUTE FUNCTION public.presence_holds_emptied()'),
            ('user_organizations', 'presence_moved', 'AFTER UPDATE ON public.user_organizations \
                REFERENCING OLD TABLE AS before EXECUTE FUNCTION public.presence_members_left()'),
            ('user_organizations', 'presence_left', 'AFTER DELETE ON public.user_organizations \
                REFERENCING OLD TABLE AS before EXECUTE FUNCTION public.presence_members_left()'),
            ('user_organizations', 'presence_emptied', 'BEFORE TRUNCATE ON public.user_organizations \
                EXECUTE FUNCTION public.presence_holds_emptied()'),
            ('accounts', 'presence_left', 'AFTER UPDATE ON public.accounts REFERENCING NEW TABLE AS after \
                EXECUTE FUNCTION public.presence_accounts_left()'),
            ('users', 'presence_leaves',
                'BEFORE DELETE ON public.users FOR EACH ROW EXECUTE FUNCTION public.presence_user_leaves()'),
            ('access_codes', 'presence_minted', 'AFTER INSERT ON public.access_codes FOR EACH ROW \
                EXECUTE FUNCTION public.presence_code_changed()'),
            ('access_codes', 'presence_revoked', 'AFTER UPDATE ON public.access_codes FOR EACH ROW \
                WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL) \
                EXECUTE FUNCTION public.presence_code_changed()')
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
