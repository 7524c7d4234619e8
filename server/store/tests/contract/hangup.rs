//! Who hangs up in the middle of something leaves nothing behind.

use crate::{
    accounts::make,
    support::{Bench, contract},
};
use domain::{identity::Role, ports::PolicyStore as _};
use std::time::Duration;
use tokio::time::timeout;

contract!(who_hangs_up_leaves_no_transaction_open);

async fn who_hangs_up_leaves_no_transaction_open(bench: Bench) {
    let store = &bench.store;
    let mut cut = 0;
    for n in 0..400 {
        // A little later each time: somewhere in between the transaction has begun and its answer is on the way.
        let asked = timeout(Duration::from_micros(n * 5), store.active()).await;
        cut += u32::from(asked.is_err());
    }
    assert!(cut > 20, "hung up {cut} times");
    // All connections are used; on one that was left within a transaction that only reads nothing can be written.
    for n in 0..40 {
        assert!(make(store, &format!("n{n}"), &[Role::Viewer]).await);
    }
}
