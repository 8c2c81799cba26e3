//! A commit whose answer is lost, of a call that nobody named: it is tried again, done once, and told as new.

use persistence::{Ended, ExportPart, ForceClear, Occupancies, Person, Revocation, Store};
use persistence_postgres::{PostgresOptions, PostgresStore};

use super::{account, clock_in, code, entries, hold, staffed};
use crate::{
    fixture::{self, Home, user},
    proxy::{COMMIT, Fault, Proxy},
};

async fn behind_a_proxy(assistants: u128) -> (Home, Proxy, PostgresStore) {
    let home = fixture::private_home(&[]).await;
    let server = home.database.cluster().port();
    let proxy = Proxy::start(server).await;
    let url = proxy.url(&home.url(), server);
    let options = PostgresOptions { connections: 2, ..PostgresOptions::new(url) };
    let store = staffed(&home, options, assistants).await;
    (home, proxy, store)
}

/// What an admin asks for without a name.
fn clear(of_account: u128) -> ForceClear {
    ForceClear {
        by: user(1).into(),
        account: account(of_account),
        holder: None,
        reason: None,
        operation: None,
    }
}

#[tokio::test]
async fn what_nobody_named_is_done_once_and_new() {
    let (home, proxy, store) = behind_a_proxy(2).await;
    let lose = || proxy.plan(COMMIT, Fault::CutReply, 1);
    lose();
    let came = clock_in(&store, 0, 0).await.expect("it is done");
    lose();
    let moved = store.change_account(came.hold, account(1), None).await.expect("it is done");
    assert_eq!((came.new, came.left, moved.new, moved.left), (true, None, true, Some(account(0))));
    lose();
    let out = store.clock_out(moved.hold, None).await.expect("it is done");
    assert_eq!(out, Ended { hold: moved.hold, new: true });
    let (first, second) = (hold(&store, 0, 0).await, hold(&store, 1, 1).await);
    lose();
    let cleared = store.force_clear(clear(0)).await.expect("it is done");
    assert_eq!(cleared, Ended { hold: first, new: true });
    lose();
    let revocation = Revocation { by: user(1).into(), code: code(1).id, clock_out: true, operation: None };
    let revoked = store.revoke_code(revocation).await.expect("it is done");
    assert_eq!(revoked, Some(Ended { hold: second, new: true }));
    assert_eq!(proxy.befallen(), 5);
    let events: Vec<String> = entries(&home).into_iter().map(|entry| entry[1].clone()).collect();
    let expected =
        ["clocked_in", "moved", "clocked_out", "clocked_in", "clocked_in", "force_cleared", "code_revoked"];
    assert_eq!(events, expected);
    store.close().await;
}

/// It is in nobody's export, and does not wait for a day to be dropped. Who stays where they are leaves nothing.
#[tokio::test]
async fn what_nobody_named_is_soon_forgotten() {
    let (home, proxy, store) = behind_a_proxy(1).await;
    let held = hold(&store, 0, 0).await;
    let results = || home.count("SELECT count(*) FROM operation_results");
    let before = results();
    proxy.plan(COMMIT, Fault::CutReply, 1);
    assert_eq!(hold(&store, 0, 0).await, held);
    assert_eq!((proxy.befallen(), results()), (1, before));
    for person in [user(1), user(2)] {
        let page = store.export_page(person, ExportPart::Operations, None).await.expect("an export");
        assert_eq!(page.rows, [] as [String; 0]);
    }
    assert!(before > 0);
    let lasting = "SELECT count(*) FROM operation_results WHERE at > now() - interval '22 hours'";
    assert_eq!(home.count(lasting), 0);
    store.close().await;
}
