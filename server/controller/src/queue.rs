//! A queue of names to look at: each at most once, at the earliest time that was asked for, and never by two workers at a
//! time. It knows nothing of what the names mean.

use crate::backoff;
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

/// What follows after a key was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing; it went through.
    Done,
    /// Look again after this long.
    After(Duration),
    /// Look again after `again`, and never before `gap`, whoever asks: many requests in a row become one look.
    Rest {
        /// The least pause.
        gap: Duration,
        /// The next look of itself.
        again: Duration,
    },
    /// It did not go through: back off, and no sooner than the server asked.
    Again(Option<Duration>),
}

/// The queue.
pub struct Queue<K> {
    state: Mutex<State<K>>,
    changed: Notify,
}

struct State<K> {
    /// When each waiting key is due.
    due: HashMap<K, Instant>,
    /// The same by time; an entry that disagrees with `due` is out of date.
    order: BinaryHeap<Reverse<(Instant, u64, K)>>,
    running: HashSet<K>,
    /// How often a key that does not go through was tried, and until when it must rest.
    backing_off: HashMap<K, (u32, Instant)>,
    count: u64,
}

impl<K: Clone + Eq + Hash + Ord> Default for Queue<K> {
    fn default() -> Self {
        let state = State {
            due: HashMap::new(),
            order: BinaryHeap::new(),
            running: HashSet::new(),
            backing_off: HashMap::new(),
            count: 0,
        };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }
}

impl<K: Clone + Eq + Hash + Ord> Queue<K> {
    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks that `key` be looked at now.
    pub fn add(&self, key: K) {
        self.add_after(key, Duration::ZERO);
    }

    /// Asks that `key` be looked at after a pause; an earlier time that was asked for stays. A key that backs off is not
    /// looked at before its time, whoever asks.
    pub fn add_after(&self, key: K, pause: Duration) {
        let mut state = self.lock();
        let rests = state.backing_off.get(&key).map(|(_, until)| *until);
        let at = (Instant::now() + pause).max(rests.unwrap_or_else(Instant::now));
        if state.due.get(&key).is_some_and(|due| *due <= at) {
            return;
        }
        state.due.insert(key.clone(), at);
        state.count += 1;
        let count = state.count;
        state.order.push(Reverse((at, count, key)));
        drop(state);
        self.changed.notify_one();
    }

    /// Takes the next key that is due, waiting for it. It stays with the caller until [`Queue::done`].
    pub async fn next(&self) -> K {
        loop {
            let changed = self.changed.notified();
            match self.take() {
                Ok(key) => {
                    // There may be more for the other workers.
                    self.changed.notify_one();
                    return key;
                }
                Err(Some(at)) => tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep_until(at) => {}
                },
                Err(None) => changed.await,
            }
        }
    }

    /// A key that is due and not with a worker, or when to look again.
    fn take(&self) -> Result<K, Option<Instant>> {
        let now = Instant::now();
        let mut state = self.lock();
        let mut held = Vec::new();
        let found = loop {
            let Some(Reverse((at, _, key))) = state.order.peek() else { break Err(None) };
            let (at, key) = (*at, key.clone());
            if state.due.get(&key) != Some(&at) {
                state.order.pop();
            } else if at > now {
                break Err(Some(at));
            } else if state.running.contains(&key) {
                // `done` puts it back in order.
                held.extend(state.order.pop());
            } else {
                state.order.pop();
                state.due.remove(&key);
                state.running.insert(key.clone());
                break Ok(key);
            }
        };
        // Held keys leave the order but stay due: their worker's `done` re-enters them.
        drop(held);
        found
    }

    /// Gives `key` back; if it was asked for meanwhile it is due again.
    pub fn done(&self, key: &K) {
        let mut state = self.lock();
        state.running.remove(key);
        if let Some(at) = state.due.get(key).copied() {
            state.count += 1;
            let count = state.count;
            state.order.push(Reverse((at, count, key.clone())));
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Gives `key` back and asks for it again as `next` says.
    pub fn finish(&self, key: &K, next: Next)
    where
        K: std::fmt::Display,
    {
        let mut state = self.lock();
        let before = state.backing_off.remove(key).map_or(0, |(tries, _)| tries);
        let rest = |tries, pause| Some((tries, Instant::now() + pause));
        let (again, rests) = match next {
            Next::Done => (None, None),
            Next::After(pause) => (Some(pause), None),
            Next::Rest { gap, again } => (Some(again), rest(0, gap)),
            Next::Again(asked) => {
                let pause = backoff::pause(&key.to_string(), before + 1, asked);
                (Some(pause), rest(before + 1, pause))
            }
        };
        // What was asked for meanwhile rests too.
        let meanwhile = if rests.is_some() { state.due.remove(key) } else { None };
        if let Some(rests) = rests {
            state.backing_off.insert(key.clone(), rests);
        }
        drop(state);
        if meanwhile.is_some() {
            self.add(key.clone());
        }
        if let Some(pause) = again {
            self.add_after(key.clone(), pause);
        }
        self.done(key);
    }

    /// Works on keys until `stop`: what was begun is finished.
    pub async fn work<F>(&self, stop: &CancellationToken, look: impl Fn(K) -> F)
    where
        K: std::fmt::Display,
        F: Future<Output = Next>,
    {
        loop {
            let key = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                key = self.next() => key,
            };
            let next = look(key.clone()).await;
            self.finish(&key, next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_key_once_at_the_earliest_time() {
        let queue = Queue::default();
        queue.add_after("late", Duration::from_secs(5));
        queue.add("now");
        queue.add("now");
        queue.add_after("now", Duration::from_secs(1));
        assert_eq!(queue.next().await, "now");
        queue.done(&"now");
        queue.add_after("late", Duration::from_secs(1));
        let before = Instant::now();
        assert_eq!(queue.next().await, "late");
        assert_eq!(before.elapsed().as_secs(), 1);
        queue.done(&"late");
        assert!(tokio::time::timeout(Duration::from_mins(1), queue.next()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_never_with_two_workers() {
        let queue = Queue::default();
        queue.add("a");
        assert_eq!(queue.next().await, "a");
        queue.add("a");
        let second = tokio::time::timeout(Duration::from_secs(1), queue.next()).await;
        assert!(second.is_err(), "it is still with the first worker");
        queue.done(&"a");
        assert_eq!(queue.next().await, "a", "what was asked for meanwhile is not lost");
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_go_through_comes_back_later_and_later() {
        let queue = Queue::default();
        queue.add("a".to_owned());
        let mut pauses = Vec::new();
        for asked in [None, None, None, None, Some(Duration::from_secs(20))] {
            let before = Instant::now();
            let key = queue.next().await;
            pauses.push(before.elapsed());
            queue.finish(&key, Next::Again(asked));
            queue.add(key);
        }
        let before = Instant::now();
        let key = queue.next().await;
        assert!(before.elapsed() >= Duration::from_secs(20), "the server's wish");
        assert!(pauses[4] > pauses[1] * 3, "{pauses:?}");
        queue.finish(&key, Next::Done);
    }

    #[tokio::test(start_paused = true)]
    async fn many_requests_become_one_look() {
        let queue = Queue::default();
        let (gap, again) = (Duration::from_millis(100), Duration::from_mins(1));
        queue.add("a".to_owned());
        let mut looks = 0;
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(1) {
            queue.add("a".to_owned());
            if let Ok(key) = tokio::time::timeout(Duration::from_millis(1), queue.next()).await {
                looks += 1;
                queue.finish(&key, Next::Rest { gap, again });
            }
        }
        assert!((9..=11).contains(&looks), "{looks}");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_workers_wake_for_later_keys() {
        let queue = std::sync::Arc::new(Queue::default());
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let queue = std::sync::Arc::clone(&queue);
                tokio::spawn(async move { queue.next().await })
            })
            .collect();
        tokio::task::yield_now().await;
        for key in 0..3 {
            queue.add_after(key, Duration::from_millis(10));
        }
        let mut got = Vec::new();
        for worker in workers {
            got.push(worker.await.unwrap());
        }
        got.sort_unstable();
        assert_eq!(got, [0, 1, 2]);
    }
}
