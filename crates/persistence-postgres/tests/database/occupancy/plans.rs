//! The plans by which clock-ins and what surrounds them really run, their triggers' statements included.

use model::Hold;
use persistence::{ForceClear, Occupancies, Store, Truth};

use super::{HOUR, MINUTE, account, clock_in, heard_now, hold, staffed};
use crate::{
    behind::plans::{plans, reads_all_of, say},
    fixture::{self, Home, user},
};

/// What no call reads from one end to the other.
const LARGE: [&str; 8] = [
    "users",
    "organizations",
    "user_organizations",
    "accounts",
    "account_presence",
    "account_epochs",
    "access_codes",
    "operation_results",
];

/// Beside the agency 2,000 others with 5 members each, of whom a half is clocked in, and their codes and results.
const OTHERS: &str = "
    CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql AS $$ SELECT lpad(to_hex(n), 32, '0')::uuid $$;
    INSERT INTO users (id, display_name) SELECT pg_temp.id(10000 + n), 'User' FROM generate_series(0, 9999) AS n;
    INSERT INTO organizations (id, name) SELECT pg_temp.id(30000 + n), 'Agency' FROM generate_series(0, 1999) AS n;
    INSERT INTO user_organizations
        SELECT pg_temp.id(10000 + n), pg_temp.id(30000 + n / 5), 'member' FROM generate_series(0, 9999) AS n;
    INSERT INTO accounts
        SELECT pg_temp.id(40000 + n), pg_temp.id(30000 + n / 5), 'Account' FROM generate_series(0, 9999) AS n;
    INSERT INTO access_codes SELECT pg_temp.id(50000 + n), pg_temp.id(30000 + n / 5), pg_temp.id(10000 + n),
            sha256(n::text::bytea), NULL, now(), now() + interval '1 day' FROM generate_series(0, 9999) AS n;
    INSERT INTO account_presence SELECT pg_temp.id(40000 + n), pg_temp.id(30000 + n / 5), pg_temp.id(10000 + n),
            now(), now(), now(), NULL, n + 1, pg_temp.id(50000 + n) FROM generate_series(0, 9999, 2) AS n;
    INSERT INTO operation_results
        SELECT id, gen_random_uuid(), '{}', '{}', now() FROM users, generate_series(1, 3);
    ANALYZE";

async fn busy_home() -> Home {
    let explain = [("auto_explain.log_min_duration", "0"), ("auto_explain.log_nested_statements", "on")];
    let home = fixture::private_home(&explain).await;
    home.psql(&format!("ALTER ROLE {} SET session_preload_libraries = 'auto_explain'", home.role));
    home.psql(OTHERS);
    home
}

/// As often as Postgres takes to settle on a plan for any values.
const TIMES: usize = 8;

async fn work(store: &persistence_postgres::PostgresStore) {
    for _ in 0..TIMES {
        let held = hold(store, 0, 0).await;
        let moved = store.change_account(held, account(1), None).await.expect("it is free").hold;
        clock_in(store, 0, 1).await.expect("it is held");
        store.find_hold(moved).await.expect("it is held");
        store.write_signs(&[heard_now(moved)], MINUTE, HOUR).await.expect("it is written");
        let clear = ForceClear {
            by: user(1).into(),
            account: account(1),
            holder: None,
            reason: None,
            operation: None,
        };
        store.force_clear(clear).await.expect("it is held");
        let held: Hold = hold(store, 0, 0).await;
        store.clock_out(held, None).await.expect("it is held");
        store.accounts(persistence::Pick::These(vec![account(0), account(1)])).await.expect("accounts");
        store.accounts(persistence::Pick::Next(None, 50)).await.expect("accounts");
    }
}

/// What a clock-in says, and the triggers on what it writes; of each a few words.
const STATEMENTS: [(&str, &str); 10] = [
    ("the turn of a code", "FROM access_codes WHERE code_hash"),
    ("what a clock-in finds", "AS wish (person, organization, account, code)"),
    ("what a clock-in writes", "INSERT INTO account_presence AS mine"),
    ("an end", "ended AS (DELETE FROM account_presence"),
    ("what a clear finds", "AS one LEFT JOIN accounts AS account"),
    ("a hold", "SELECT o.clocked_in_at FROM account_presence"),
    ("signs", "AS sign (account, organization, person, epoch, heard, active)"),
    ("epochs", "INSERT INTO public.account_epochs AS last"),
    ("ended epochs", "UPDATE public.account_epochs SET ended_reason"),
    ("accounts", "SELECT a.id, a.organization_id, a.name, o.user_id"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_clock_in_reads_a_whole_table() {
    let home = busy_home().await;
    let store = staffed(&home, home.options(), 2).await;
    work(&store).await;
    home.psql(
        "UPDATE user_organizations SET role = 'admin' WHERE user_id = '00000000-0000-0000-0000-000000000002'",
    );
    store.close().await;
    let log = home.database.cluster().log();
    for (what, words) in STATEMENTS {
        let plans = plans(&log, words);
        assert!(!plans.is_empty(), "no plan of {what}");
        say(what, plans.last().expect("it is not empty"));
        for plan in &plans {
            for table in LARGE {
                assert!(!reads_all_of(plan, table), "{what} reads all of {table}:\n{plan}");
            }
        }
    }
}
