//! What containers wrote, for `/log`. It knows no pods: a container is a pod's uid and a name.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::Stream;
use futures::stream;
use tokio::sync::watch;

use super::Query;
use super::status::ApiError;
use crate::time;

/// Bytes of text kept for each container: as much as the kubelet keeps before it rotates (`containerLogMaxSize`).
const KEPT_BYTES: usize = 10 << 20;

/// One container's output.
pub(crate) struct Log {
    lines: Mutex<Lines>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Lines {
    /// Unix milliseconds and text.
    kept: VecDeque<(i64, String)>,
    /// Bytes of what is kept.
    bytes: usize,
    /// Lines rotated away.
    dropped: usize,
    closed: bool,
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self, at_ms: i64, text: &str) {
        let mut lines = self.lock();
        for line in text.lines() {
            lines.bytes += line.len();
            lines.kept.push_back((at_ms, line.to_owned()));
        }
        while lines.bytes > KEPT_BYTES
            && let Some((_, rotated)) = lines.kept.pop_front()
        {
            lines.bytes -= rotated.len();
            lines.dropped += 1;
        }
        drop(lines);
        self.changed.send_replace(());
    }

    /// The container has ended.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.send_replace(());
    }
}

/// All containers' output.
#[derive(Default)]
pub(crate) struct Logs {
    by_container: Mutex<HashMap<String, HashMap<String, Arc<Log>>>>,
}

impl Logs {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, HashMap<String, Arc<Log>>>> {
        self.by_container.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fresh log for a container that starts.
    pub(crate) fn open(&self, pod_uid: &str, container: &str) -> Arc<Log> {
        let log = Arc::new(Log { lines: Mutex::default(), changed: watch::Sender::new(()) });
        self.lock().entry(pod_uid.into()).or_default().insert(container.into(), Arc::clone(&log));
        log
    }

    pub(crate) fn get(&self, pod_uid: &str, container: &str) -> Option<Arc<Log>> {
        self.lock().get(pod_uid)?.get(container).cloned()
    }

    /// The pod is gone, and its output with it; who follows sees the end.
    pub(crate) fn forget(&self, pod_uid: &str) {
        let logs = self.lock().remove(pod_uid);
        logs.into_iter().flat_map(HashMap::into_values).for_each(|log| log.close());
    }
}

/// The query of `/log`.
#[derive(Debug)]
pub(crate) struct LogOptions {
    pub(crate) follow: bool,
    timestamps: bool,
    since_ms: Option<i64>,
    tail: Option<usize>,
    limit: Option<usize>,
}

impl LogOptions {
    pub(crate) fn parse(query: &Query, now_ms: i64) -> Result<Self, ApiError> {
        let flag = |name: &str| query.get(name).is_some_and(|value| value == "true" || value == "1");
        let number = |name: &str| match query.get(name) {
            None => Ok(None),
            Some(text) => text.parse::<u32>().map(Some).map_err(|_| {
                ApiError::bad_request(format!("unable to decode query: {name}: \"{text}\" is not a number"))
            }),
        };
        let since = match query.get("sinceTime") {
            Some(text) => {
                Some(time::parse(text).ok_or_else(|| ApiError::bad_request(format!("sinceTime: \"{text}\"")))?)
            }
            None => number("sinceSeconds")?.map(|seconds| now_ms - i64::from(seconds) * 1000),
        };
        let size = |value: Option<u32>| value.and_then(|value| usize::try_from(value).ok());
        Ok(Self {
            follow: flag("follow"),
            timestamps: flag("timestamps"),
            since_ms: since,
            tail: size(number("tailLines")?),
            limit: size(number("limitBytes")?),
        })
    }

    fn render(&self, line: &(i64, String)) -> String {
        if self.timestamps { format!("{} {}\n", time::nanos(line.0), line.1) } else { format!("{}\n", line.1) }
    }
}

/// What there is now, as text, and the position after it.
pub(crate) fn read(log: &Log, options: &LogOptions) -> (Bytes, usize) {
    let lines = log.lock();
    let wanted: Vec<_> =
        lines.kept.iter().filter(|(at, _)| options.since_ms.is_none_or(|since| *at >= since)).collect();
    let skip = options.tail.map_or(0, |tail| wanted.len().saturating_sub(tail));
    let mut text: String = wanted.iter().skip(skip).map(|line| options.render(line)).collect();
    if let Some(limit) = options.limit {
        let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
    }
    (Bytes::from(text), lines.dropped + lines.kept.len())
}

/// The same, and all that comes until the container ends.
pub(crate) fn follow(log: Arc<Log>, options: LogOptions) -> impl Stream<Item = Bytes> + Send {
    let changed = log.changed.subscribe();
    let (first, position) = read(&log, &options);
    let rest = stream::unfold((log, options, changed, position), |(log, options, mut changed, position)| async move {
        loop {
            changed.borrow_and_update();
            let (text, next, closed) = {
                let lines = log.lock();
                let from = position.saturating_sub(lines.dropped);
                let text: String =
                    lines.kept.range(from.min(lines.kept.len())..).map(|line| options.render(line)).collect();
                (text, lines.dropped + lines.kept.len(), lines.closed)
            };
            if !text.is_empty() {
                return Some((Bytes::from(text), (log, options, changed, next)));
            }
            if closed || changed.changed().await.is_err() {
                return None;
            }
        }
    });
    futures::StreamExt::chain(stream::iter((!first.is_empty()).then_some(first)), rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;

    fn options(query: &[(&str, &str)]) -> LogOptions {
        let query = query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        LogOptions::parse(&query, 10_000).unwrap()
    }

    #[tokio::test]
    async fn tail_since_timestamps_and_follow() {
        let logs = Logs::default();
        let log = logs.open("uid", "step-run");
        log.write(1_000, "one\ntwo");
        log.write(9_000, "three");
        let text = |query: &[(&str, &str)]| String::from_utf8(read(&log, &options(query)).0.to_vec()).unwrap();
        assert_eq!(text(&[]), "one\ntwo\nthree\n");
        assert_eq!(text(&[("tailLines", "1")]), "three\n");
        assert_eq!(text(&[("sinceSeconds", "5")]), "three\n");
        assert_eq!(text(&[("tailLines", "1"), ("timestamps", "true")]), "1970-01-01T00:00:09.000000000Z three\n");
        assert_eq!(text(&[("limitBytes", "5")]), "one\nt");
        let followed = follow(Arc::clone(&log), options(&[("follow", "true"), ("tailLines", "1")]));
        log.write(9_500, "four");
        log.close();
        let all: Vec<Bytes> = followed.collect().await;
        assert_eq!(all.concat(), b"three\nfour\n");
    }
}
