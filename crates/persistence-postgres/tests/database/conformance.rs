//! What every store promises.

use std::sync::Arc;

use persistence::conformance::Fixture;

use crate::fixture;

async fn store() -> Fixture {
    let home = fixture::shared_home().await;
    let store = Arc::new(home.store().await);
    Fixture { store, keep: Box::new(home) }
}

persistence::conformance_tests!(store);
