//! Many who clock in at once: one gets in, and nobody is ever seen in two places.

use std::{collections::BTreeMap, sync::Arc};

use model::{AccountId, Role, UserId};
use tokio::task::JoinSet;

use super::{
    Shared, account,
    clocked::{clear, clock_in, code, enter, hold, mint, put_agency, revocation, uses},
    operation, put, put_account, put_member, put_user, user, world,
};
use crate::{ClockIn, ClockedIn, ExportPart, ForceClear, NewCode, StoreError};

/// How many come at once.
const CROWD: u128 = 20;

/// So many more assistants, with a code each, and as many accounts: all from 101 on.
async fn put_crowd(store: &Shared) {
    put_agency(store).await;
    let mut changes = Vec::new();
    for n in 101..=100 + CROWD {
        changes.extend([put_user(n), put_member(1, n, Role::Member), put_account(n, 1)]);
    }
    put(store, changes).await;
    for n in 101..=100 + CROWD {
        mint(store, code(n, n)).await;
    }
}

/// Who holds what, and nobody twice.
async fn holders(store: &Shared) -> BTreeMap<AccountId, UserId> {
    let accounts = world(store).await.1;
    let held: BTreeMap<_, _> =
        accounts.into_iter().filter_map(|(id, state)| Some((id, state.occupancy?.user))).collect();
    let people: std::collections::BTreeSet<_> = held.values().collect();
    assert_eq!(people.len(), held.len(), "somebody is in two places: {held:?}");
    held
}

/// The answers of many calls made at once, with somebody who looks all the time.
async fn all_at_once<T: Send + 'static>(
    store: &Shared,
    calls: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut running: JoinSet<T> = JoinSet::new();
    for call in calls {
        running.spawn(call);
    }
    let mut answers = Vec::new();
    while !running.is_empty() {
        holders(store).await;
        while let Some(answer) = running.try_join_next() {
            answers.push(answer.unwrap());
        }
    }
    answers
}

/// One of them is in, and the others are told that it is taken, with nothing used up.
pub async fn of_many_one_gets_in(store: Shared) {
    put_crowd(&store).await;
    let calls = (101..=100 + CROWD).map(|n| {
        let store = store.clone();
        async move { (n, clock_in(&store, n, 1).await) }
    });
    let mut winners = Vec::new();
    for (n, answer) in all_at_once(&store, calls).await {
        match answer {
            Ok(clocked_in) => winners.push((n, clocked_in)),
            Err(error) => assert!(matches!(error, StoreError::Occupied), "{error:?}"),
        }
        assert_eq!(uses(&store, n).await, u32::from(winners.iter().any(|(winner, _)| *winner == n)));
    }
    let [(winner, clocked_in)] = winners.as_slice() else { panic!("{winners:?}") };
    assert_eq!(holders(&store).await, BTreeMap::from([(account(1), user(*winner))]));
    assert_eq!(store.find_hold(clocked_in.hold).await.unwrap().hold, clocked_in.hold);
}

/// Whoever goes everywhere at once has been everywhere, one place after the other, and is in the last one.
pub async fn one_assistant_is_in_one_place(store: Shared) {
    put_crowd(&store).await;
    let calls = (101..=100 + CROWD).map(|n| {
        let store = store.clone();
        async move { clock_in(&store, 2, n).await.expect("nobody else is there") }
    });
    let answers: Vec<ClockedIn> = all_at_once(&store, calls).await;
    let mut next: BTreeMap<Option<AccountId>, AccountId> =
        answers.iter().map(|answer| (answer.left, answer.hold.account)).collect();
    assert_eq!(next.len(), answers.len(), "two left the same place: {answers:?}");
    let mut place = None;
    while let Some(to) = next.remove(&place) {
        place = Some(to);
    }
    assert!(next.is_empty(), "no way leads there: {next:?}");
    assert_eq!(holders(&store).await, BTreeMap::from([(place.unwrap(), user(2))]));
    assert_eq!(uses(&store, 2).await, CROWD as u32);
}

/// Whose places are changed in a circle: each answer is one that there is, and all is as the answers say.
pub async fn moves_in_a_circle_end(store: Shared) {
    put_crowd(&store).await;
    let mut held = Vec::new();
    for n in 101..=104 {
        held.push(hold(&store, n, n).await);
    }
    let held = Arc::new(held);
    let calls = (0..4_usize).flat_map(|n| {
        [1, 2, 3].map(|step| {
            let (store, held) = (store.clone(), held.clone());
            let to = account(101 + ((n + step) % 5) as u128);
            async move { store.change_account(held[n], to, None).await }
        })
    });
    let mut moved = 0;
    for answer in all_at_once(&store, calls).await {
        match answer {
            Ok(clocked_in) => moved += u32::from(clocked_in.new),
            Err(error) => assert!(matches!(error, StoreError::Occupied | StoreError::NotHeld), "{error:?}"),
        }
    }
    assert!(moved > 0, "one account was free");
    let people: Vec<_> = holders(&store).await.into_values().collect();
    assert!((101..=104).all(|n| people.contains(&user(n))) && people.len() == 4, "{people:?}");
}

/// A code that is good for one clock-in lets in once, wherever they go.
pub async fn a_use_is_used_once(store: Shared) {
    put_crowd(&store).await;
    mint(&store, NewCode { max_uses: Some(1), ..code(1, 2) }).await;
    let calls = (101..=100 + CROWD).map(|n| {
        let store = store.clone();
        async move { clock_in(&store, 1, n).await }
    });
    let answers = all_at_once(&store, calls).await;
    let good: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    let [ClockedIn { hold, new: true, .. }] = good[..] else { panic!("{answers:?}") };
    assert!(
        answers.iter().all(|answer| matches!(answer, Ok(_) | Err(StoreError::InvalidCode))),
        "{answers:?}"
    );
    assert_eq!((uses(&store, 1).await, holders(&store).await.len()), (1, 1));
    assert_eq!(store.find_hold(*hold).await.unwrap().hold, *hold);
}

/// One name, called many times at once: done by one of the calls, and told by all of them.
pub async fn one_name_is_done_once(store: Shared) {
    put_crowd(&store).await;
    let came = at_once(&store, |store| async move {
        let enter = ClockIn { operation: operation(1), ..enter(2, 1) };
        store.clock_in(enter).await.unwrap()
    })
    .await;
    assert_eq!((count_new(&came, |it| it.new), uses(&store, 2).await), (1, 1));
    let first = came[0].hold;
    let moved = at_once(&store, |store| async move {
        store.change_account(first, account(2), operation(2)).await.unwrap()
    })
    .await;
    assert_eq!(count_new(&moved, |it| it.new), 1);
    assert!(came.iter().all(|it| it.hold == first) && moved.iter().all(|it| it.hold == moved[0].hold));
    let cleared = at_once(&store, |store| async move {
        let clear = ForceClear { operation: operation(3), ..clear(1, 2) };
        store.force_clear(clear).await.unwrap()
    })
    .await;
    assert_eq!(count_new(&cleared, |it| it.new), 1);
    assert!(cleared.iter().all(|it| it.hold == moved[0].hold), "{cleared:?}");
    let entries = super::exported::exported(&store, 2, ExportPart::Audit).await;
    let occupancy = entries.iter().filter(|entry| entry["kind"] == "occupancy");
    assert_eq!(occupancy.count(), 3, "{entries:?}");
}

/// The same call many times at once.
async fn at_once<T, F>(store: &Shared, call: impl Fn(Shared) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    all_at_once(store, (0..CROWD).map(|_| call(store.clone())).collect::<Vec<_>>()).await
}

fn count_new<T>(answers: &[T], is_new: impl Fn(&T) -> bool) -> usize {
    answers.iter().filter(|answer| is_new(answer)).count()
}

/// Whose code is revoked, and who is clocked out with it, is out when that is done: whether they came before or not at all.
pub async fn who_is_revoked_is_out(store: Shared) {
    put_crowd(&store).await;
    for round in 0..10_u128 {
        let n = 200 + round;
        mint(&store, code(n, 2)).await;
        let calls = (0..6_u128).map(|call| {
            let store = store.clone();
            async move {
                match call {
                    3 => store.revoke_code(revocation(1, n, true)).await.map(|_| ()),
                    _ => clock_in(&store, n, 101 + call).await.map(|_| ()),
                }
            }
        });
        for answer in all_at_once(&store, calls).await {
            assert!(matches!(answer, Ok(()) | Err(StoreError::InvalidCode)), "{answer:?}");
        }
        assert_eq!(holders(&store).await, BTreeMap::new(), "round {round}");
    }
}

/// Clearing against clocking out and clocking in: what was ended was ended once, and who is in is known.
pub async fn a_hold_ends_once(store: Shared) {
    put_crowd(&store).await;
    for round in 0..10 {
        let held = hold(&store, 2, 1).await;
        let calls = (0..4).map(|n| {
            let store = store.clone();
            async move {
                match n {
                    0 | 1 => store.force_clear(clear(1, 1)).await.map(|it| Some(it.hold)),
                    2 => store.clock_out(held, None).await.map(|it| Some(it.hold)),
                    _ => clock_in(&store, 5, 1).await.map(|_| None),
                }
            }
        });
        let answers = all_at_once(&store, calls).await;
        let ends: Vec<_> =
            answers.iter().filter_map(|answer| answer.as_ref().ok().copied().flatten()).collect();
        assert_eq!(ends.iter().filter(|hold| **hold == held).count(), 1, "round {round}: {answers:?}");
        if store.force_clear(clear(1, 1)).await.is_ok() {
            assert!(answers.iter().any(|answer| matches!(answer, Ok(None))), "{answers:?}");
        }
    }
}
