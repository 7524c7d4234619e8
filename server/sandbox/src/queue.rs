//! A work queue for a controller: keys wait at most once, some of them until a later moment.
//! It wakes its reader by notification; it never polls. It knows no objects.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// See the module.
pub(crate) struct Queue<K> {
    state: Mutex<State<K>>,
    wake: Notify,
}

struct State<K> {
    ready: VecDeque<K>,
    /// What is in `ready`.
    waiting: BTreeSet<K>,
    later: BinaryHeap<Reverse<(Instant, K)>>,
}

impl<K: Ord + Clone> Queue<K> {
    pub(crate) fn new() -> Self {
        let state = State { ready: VecDeque::new(), waiting: BTreeSet::new(), later: BinaryHeap::new() };
        Self { state: Mutex::new(state), wake: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, key: K) {
        self.lock().add(key);
        self.wake.notify_one();
    }

    pub(crate) fn push_after(&self, key: K, delay: Duration) {
        self.lock().later.push(Reverse((Instant::now() + delay, key)));
        self.wake.notify_one();
    }

    /// The next key; for one reader.
    pub(crate) async fn next(&self) -> K {
        loop {
            let due = {
                let mut state = self.lock();
                state.promote();
                if let Some(key) = state.take() {
                    return key;
                }
                state.later.peek().map(|Reverse((at, _))| *at)
            };
            match due {
                Some(at) => {
                    tokio::select! {
                        () = self.wake.notified() => {}
                        () = tokio::time::sleep_until(at) => {}
                    }
                }
                None => self.wake.notified().await,
            }
        }
    }
}

impl<K: Ord + Clone> State<K> {
    fn add(&mut self, key: K) {
        if self.waiting.insert(key.clone()) {
            self.ready.push_back(key);
        }
    }

    fn promote(&mut self) {
        let now = Instant::now();
        while self.later.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            if let Some(Reverse((_, key))) = self.later.pop() {
                self.add(key);
            }
        }
    }

    fn take(&mut self) -> Option<K> {
        let key = self.ready.pop_front()?;
        self.waiting.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn keys_wait_once_and_late_ones_come_late() {
        let queue = Queue::new();
        queue.push_after("late", Duration::from_millis(50));
        queue.push("a");
        queue.push("b");
        queue.push("a");
        assert_eq!(queue.next().await, "a");
        assert_eq!(queue.next().await, "b");
        let before = Instant::now();
        assert_eq!(queue.next().await, "late");
        assert!(before.elapsed() >= Duration::from_millis(50));
    }
}
