//! Who hangs up in the middle of something leaves nothing behind.

use crate::{
    accounts::make,
    support::{Bench, contract},
};
use domain::{identity::Role, ports::PolicyStore as _};
use std::{future::poll_fn, pin::pin, task::Poll};

contract!(who_hangs_up_leaves_no_transaction_open);

async fn who_hangs_up_leaves_no_transaction_open(bench: Bench) {
    let store = &bench.store;
    // Asked once, twice, … up to as often as it takes, then dropped: at one of them a transaction has begun, and its answer is on the way.
    for times in 1..=8 {
        for _ in 0..25 {
            asked(times, store.active()).await;
        }
        // All connections are used; on one that was left within a transaction that only reads nothing can be written.
        for n in 0..20 {
            assert!(make(store, &format!("n{times}-{n}"), &[Role::Viewer]).await, "after asking {times} times");
        }
    }
}

/// Polls `what` that often, unless it ends before, and drops it.
async fn asked<T>(times: u32, what: impl Future<Output = T>) {
    let mut what = pin!(what);
    let mut left = times;
    poll_fn(|context| {
        left -= 1;
        if what.as_mut().poll(context).is_ready() || left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
