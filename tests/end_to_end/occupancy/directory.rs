//! What the directory says ends a hold: by the hub, and behind its back.

use std::time::Duration;

use model::{AccountId, ClockOutReason, CloseCode, DirectoryChange, OrganizationId, Plan, Role, UserId};
use reqwest::StatusCode;
use uuid::Uuid;

use super::agency::{Agency, Extension, clocking_in, not_entered, said};
use crate::fixture::put_user;

/// A new assistant, clocked in to a new account.
struct Hired {
    user: UserId,
    account: AccountId,
    extension: Extension,
}

async fn hire(agency: &Agency) -> Hired {
    let user = UserId(Uuid::new_v4());
    let member = DirectoryChange::PutMember { organization: agency.organization(), user, role: Role::Member };
    agency.world.change(&[put_user(user, false), member]).await;
    let account = agency.put_account("Desk").await;
    let extension = agency.extension(&agency.code(user).await, account).await;
    Hired { user, account, extension }
}

async fn the_directory_ends_holds(agency: Agency) {
    let organization = agency.organization();
    let other = OrganizationId(Uuid::new_v4());
    let put = DirectoryChange::PutOrganization { id: other, name: "Other".into(), plan: Plan::Standard };
    agency.world.change(&[put]).await;
    for nth in 0..4 {
        let Hired { user, account, mut extension } = hire(&agency).await;
        let change = match nth {
            0 => DirectoryChange::RemoveMember { organization, user },
            1 => DirectoryChange::RemoveAccount { id: account },
            2 => DirectoryChange::PutAccount { id: account, organization: other, name: "Desk".into() },
            _ => DirectoryChange::RemoveUser { id: user },
        };
        agency.world.change(std::slice::from_ref(&change)).await;
        assert!(agency.listed(agency.world.olga).await.is_empty(), "{change:?}");
        let (over, code) = extension.over().await;
        assert_eq!(over.reason, Some(ClockOutReason::Removed), "{change:?}");
        assert_eq!(code, CloseCode::ClockedOut);
    }
}

#[tokio::test]
async fn the_directory_ends_holds_with_sqlite() {
    the_directory_ends_holds(Agency::embedded().await).await;
}

#[tokio::test]
async fn the_directory_ends_holds_with_postgres() {
    the_directory_ends_holds(Agency::with_postgres().await).await;
}

/// As the platform's own back-end does it, with SQL.
#[tokio::test]
async fn so_does_plain_sql() {
    let agency = Agency::with_postgres().await;
    let postgres = agency.postgres.clone().expect("a Postgres");
    for nth in 0..4 {
        let Hired { user, account, mut extension } = hire(&agency).await;
        let sql = match nth {
            0 => format!("DELETE FROM user_organizations WHERE user_id = '{user}'"),
            1 => format!("DELETE FROM accounts WHERE id = '{account}'"),
            2 => format!("DELETE FROM users WHERE id = '{user}'"),
            _ => format!("DELETE FROM account_presence WHERE account_id = '{account}'"),
        };
        postgres.sql(&sql);
        let (over, _) = extension.over().await;
        assert_eq!(over.reason, Some(ClockOutReason::Removed), "{sql}");
        let left = format!("SELECT count(*) FROM account_presence WHERE account_id = '{account}'");
        assert_eq!(postgres.sql(&left), "0", "{sql}");
    }
}

/// Signed out, but not clocked out: that is for an admin to decide.
#[tokio::test]
async fn who_is_disabled_is_shut_out_and_stays_where_they_are() {
    let agency = Agency::embedded().await;
    let Hired { user, account, mut extension } = hire(&agency).await;
    agency.world.change(&[put_user(user, true)]).await;
    assert_eq!(extension.closed().await, CloseCode::AccountDisabled);
    let back = agency.back(&extension.held.token.clone()).await;
    assert_eq!(not_entered(back), (String::new(), Some(CloseCode::AccountDisabled)));
    assert_eq!(agency.listed(agency.world.olga).await.len(), 1);
    // Let in again, it goes on.
    agency.world.change(&[put_user(user, false)]).await;
    let mut again = agency.back(&extension.held.token.clone()).await.expect("it lasts");
    let answer = again.ask(|id| wire::ClientFrame::Ping(wire::Request { id })).await;
    assert!(matches!(answer, wire::ServerFrame::Ack(_)), "{answer:?}");
    said(agency.clear(agency.world.olga, account, "?reason=left").await, StatusCode::OK).await;
}

/// However a disabling meets a clock-in, nobody who is disabled is left on a socket. Whether they hold the account is
/// decided by which was committed first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_disabled_while_clocking_in_is_shut_out() {
    let agency = Agency::with_postgres().await;
    let postgres = agency.postgres.clone().expect("a Postgres");
    let account = agency.put_account("Desk").await;
    for nth in 0..40 {
        let user = UserId(Uuid::new_v4());
        let member =
            DirectoryChange::PutMember { organization: agency.organization(), user, role: Role::Member };
        agency.world.change(&[put_user(user, false), member]).await;
        let code = agency.code(user).await;
        let disabling = tokio::task::spawn_blocking({
            let postgres = postgres.clone();
            move || {
                // Not hoped for: it moves the two against each other, and any order will do.
                std::thread::sleep(Duration::from_millis(nth % 10));
                postgres.sql(&format!("UPDATE users SET disabled = true WHERE id = '{user}'"))
            }
        });
        let entered = agency.enter(clocking_in(&code, account)).await;
        disabling.await.expect("it is done");
        match entered {
            Ok(mut extension) => assert_eq!(extension.closed().await, CloseCode::AccountDisabled),
            Err(refused) => {
                let (code, closed) = not_entered(Err(refused));
                let too_late = code == "invalid_code" || closed == Some(CloseCode::AccountDisabled);
                assert!(too_late, "{code} {closed:?}");
            }
        }
        postgres.sql(&format!("DELETE FROM users WHERE id = '{user}'"));
    }
}

/// An erasure ends it too.
#[tokio::test]
async fn an_erasure_clocks_out() {
    let agency = Agency::embedded().await;
    let Hired { user, mut extension, .. } = hire(&agency).await;
    let erased = agency.call(reqwest::Method::DELETE, "/api/presence/me", user).send().await.unwrap();
    assert!(erased.status().is_success());
    assert_eq!(extension.over().await.0.reason, Some(ClockOutReason::Removed));
    assert!(agency.listed(agency.world.olga).await.is_empty());
}
