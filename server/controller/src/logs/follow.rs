//! Follows the log of one try of a task until its container has ended and the end was read. It knows the API server's log
//! call; the archive is for [`super::archive`], what the lines mean is for [`super::lines`].

use super::{
    archive::{Archive, BATCH},
    lines::{Line, MOST_BYTES, MOST_LINES, Position, Resume, Splitter},
};
use crate::backoff;
use domain::{execution::LogLine, log::clean::clean};
use futures::AsyncReadExt;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::LogParams};
use std::time::Duration;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

/// A line waits at most this long to be archived.
const DELAY: Duration = Duration::from_millis(150);
/// After a stream ended: how long to wait for the word that the container ended too, before following again.
const GRACE: Duration = Duration::from_secs(2);
/// A task has ended, its container is still there: it may stop for this long.
const LAST_PASS: Duration = Duration::from_mins(1);
/// The longest pause after a pass that broke.
const MOST_PAUSE: Duration = Duration::from_secs(5);
/// After its container has ended, a log that the cluster refuses to show is asked for this long.
const REFUSED_FOR: Duration = Duration::from_secs(20);
/// The same where the cluster does not answer at all: the pod may still be there when it does again.
const AWAY_FOR: Duration = Duration::from_mins(10);
/// Of the cluster's own words no more is repeated in the archive, in characters.
const WORDS: usize = 200;

/// Follows one log.
pub struct Follower {
    /// Pods of the run's namespace.
    pub pods: Api<Pod>,
    /// Its pod.
    pub pod: String,
    /// The container that runs the step.
    pub container: String,
    /// Where it is kept.
    pub archive: Archive,
    /// Whether the container has ended, as the recorder sees it.
    pub ended: watch::Receiver<bool>,
    /// The container had ended before anybody could begin to follow: an earlier process may have read all of it.
    pub late: bool,
}

/// How a pass over the stream ended.
#[derive(Debug, PartialEq, Eq)]
enum Pass {
    /// The stream came to its end.
    Whole,
    /// It broke.
    Broken(Broken),
    /// The pod is not there.
    Gone,
    /// The task ended a while ago, the stream did not.
    Late,
    /// As much was archived as is.
    Full,
}

#[derive(Debug, PartialEq, Eq)]
enum Broken {
    /// Nobody answered.
    Away,
    /// The API server or the kubelet answered so, instead of the container.
    Refused(String),
}

impl Follower {
    /// Runs until the end was read, or until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = async {
                self.follow().await;
                self.archive.close().await;
            } => {}
        }
    }

    async fn follow(&mut self) {
        let Some(mut position) = self.archive.position().await else { return };
        let (mut failures, mut failing_since) = (0, None);
        let mut read_to_an_end = false;
        let why = loop {
            // Asked before reading: what ended before the reading began is read to its end.
            let ended = *self.ended.borrow();
            let had = position.line;
            let pass = self.pass(&mut position).await;
            let before = read_to_an_end;
            // A kubelet that removes a pod refuses for a moment what it has just shown to its end.
            let refused = matches!(pass, Pass::Broken(Broken::Refused(_))) && position.line == had;
            read_to_an_end = pass == Pass::Whole || (before && refused);
            if position.line > had {
                (failures, failing_since) = (0, None);
            }
            match pass {
                Pass::Whole if ended => return,
                // The stream was followed to its end before the pod was removed; or it was archived by an earlier process.
                Pass::Gone if before || (self.late && position.line > 0) => return,
                Pass::Whole => self.ended_within(GRACE).await,
                Pass::Broken(broken) => {
                    let since = *failing_since.get_or_insert_with(Instant::now);
                    if ended && since.elapsed() >= broken.patience() {
                        break gap(&broken.in_words());
                    }
                    failures += 1;
                    tokio::time::sleep(backoff::pause(&self.pod, failures, None).min(MOST_PAUSE)).await;
                }
                Pass::Gone => break gap("pod was removed"),
                Pass::Late => break gap("the container went on after its task had ended"),
                Pass::Full => break cut(),
            }
        };
        self.archive.append(&mut vec![position.next(None, why)]).await;
    }

    async fn ended_within(&mut self, grace: Duration) {
        let _ = tokio::time::timeout(grace, self.ended.wait_for(|ended| *ended)).await;
    }

    /// Reads the log from its start to where the stream ends, archiving what is new.
    async fn pass(&self, position: &mut Position) -> Pass {
        if position.is_full() {
            return Pass::Full;
        }
        let params = LogParams {
            container: Some(self.container.clone()),
            // A container that has ended is read to its end at once; one that is still stopping may have more to say.
            follow: true,
            timestamps: true,
            ..LogParams::default()
        };
        let mut late = std::pin::pin!(late(self.ended.clone()));
        let stream = tokio::select! {
            // A container that has not written yet has no answer yet.
            stream = self.pods.log_stream(&self.pod, &params) => stream,
            () = &mut late => return Pass::Late,
        };
        let mut stream = match stream {
            Ok(stream) => std::pin::pin!(stream),
            Err(kube::Error::Api(status)) if status.code == 404 => return Pass::Gone,
            Err(kube::Error::Api(status)) => {
                return Pass::Broken(Broken::Refused(format!("{} {}", status.code, status.message)));
            }
            Err(_) => return Pass::Broken(Broken::Away),
        };
        let mut splitter = Splitter::default();
        let mut resume = Resume::from(*position);
        let mut batch: Vec<LogLine> = Vec::new();
        let mut due = Instant::now() + DELAY;
        let mut chunk = vec![0; 16 * 1024];
        let pass = loop {
            tokio::select! {
                read = stream.read(&mut chunk) => {
                    let (lines, pass) = match read {
                        Ok(0) => (splitter.finish().into_iter().collect(), Some(Pass::Whole)),
                        Ok(n) => (splitter.push(&chunk[..n]), None),
                        // The line that was cut off comes again with the next pass.
                        Err(_) => (Vec::new(), Some(Pass::Broken(Broken::Away))),
                    };
                    if batch.is_empty() {
                        due = Instant::now() + DELAY;
                    }
                    let stopped = take(lines, &mut resume, position, &mut batch);
                    if let Some(pass) = stopped.or(pass) {
                        break pass;
                    }
                }
                () = tokio::time::sleep_until(due), if !batch.is_empty() => self.archive.append(&mut batch).await,
                () = &mut late => break Pass::Late,
            }
            if batch.len() >= BATCH {
                self.archive.append(&mut batch).await;
            }
        };
        self.archive.append(&mut batch).await;
        pass
    }
}

impl Broken {
    const fn patience(&self) -> Duration {
        match self {
            Self::Away => AWAY_FOR,
            Self::Refused(_) => REFUSED_FOR,
        }
    }

    fn in_words(&self) -> String {
        match self {
            Self::Away => "the cluster did not answer".into(),
            Self::Refused(words) => {
                let words: String = clean(words.as_bytes()).chars().take(WORDS).collect();
                format!("the cluster refused it: {words}")
            }
        }
    }
}

/// What is left in place of lines that nobody can read any more.
fn gap(why: &str) -> String {
    format!("[… log gap: {why} …]")
}

/// What is left in place of lines that are too many.
fn cut() -> String {
    let mib = MOST_BYTES / 1024 / 1024;
    format!("[… log cut: no more than {MOST_LINES} lines and {mib} MiB of an attempt are kept …]")
}

/// Comes when a container's time to stop is over.
async fn late(mut ended: watch::Receiver<bool>) {
    let _ = ended.wait_for(|ended| *ended).await;
    tokio::time::sleep(LAST_PASS).await;
}

/// Puts what is new into the batch; why it stops, if it does.
fn take(lines: Vec<Line>, resume: &mut Resume, position: &mut Position, batch: &mut Vec<LogLine>) -> Option<Pass> {
    let mut stopped = None;
    for line in lines {
        match line {
            Line::Container(at, _) if !resume.is_new(at) => {}
            Line::Container(..) if position.is_full() => return Some(Pass::Full),
            Line::Container(at, text) => batch.push(position.next(Some(at), text)),
            Line::Kubelet(words) => {
                tracing::debug!(words, "the kubelet answered instead of the container");
                stopped = Some(Pass::Broken(Broken::Refused(words)));
            }
        }
    }
    stopped
}
