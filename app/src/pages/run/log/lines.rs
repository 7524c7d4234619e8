//! The lines of a log, in chunks, with groups folded, levels and colours as classes, and what was found marked.

use super::{super::selection::Selection, Log, bar::Bar};
use crate::{
    components::absolute,
    icon::{Glyph, Icon},
    islands::LogViewer,
};
use domain::{
    execution::{Execution, LogLine, Task, TaskState},
    log::{
        LogEnd,
        ansi::{self, Colour, Style},
        find::places,
        group::{Group, Part, Row, rows},
        level::{self, Level},
        window::{CHUNK, Place, chunk_of},
    },
};
use leptos::prelude::*;
use std::ops::Range;

/// The log, or why there is none.
#[component]
pub fn Lines(run: Execution, task: Task, log: Option<Log>, selection: Selection) -> impl IntoView {
    let end = log.as_ref().map(|log| log.view.state.end);
    let Some(log) = log.filter(|log| log.view.last > 0) else {
        return view! { <div class="log-area"><p class="nothing sub">{nothing(&task, end)}</p></div> }.into_any();
    };
    let view = log.view.clone();
    let attempt = view.state.attempt;
    // A link to a line says all that the line depends on: whose log it is, and which line.
    let look = selection.log.clone();
    let pinned = Selection { attempt: Some(attempt), ..selection.clone() };
    let set = Set {
        base: pinned.with_log(|log| {
            log.go_to(Place::End);
            (log.find, log.level) = (None, None);
        }),
        times: look.times,
        find: look.find.clone(),
        line: view.line,
        open_groups: look.find.is_some(),
    };
    let first = view.lines.first().map_or(1, |line| line.line);
    let end = view.lines.last().map_or(0, |line| line.line);
    let (before, after) = view.more;
    let go = |place| pinned.with_log(|log| log.go_to(place)).href();
    let earlier = before.then(|| go(Place::Before(first)));
    let later = after.then(|| (go(Place::From(end + 1)), selection.with_log(|log| log.go_to(Place::End)).href()));
    // Which log, and how it is set: with any other it is another box. What a viewer has loaded of it stays.
    let key = format!("{}/{attempt}/{:?}", task.name, (look.times, look.long, &look.find));
    let own = look.level.is_none().then_some(key);
    let viewer = own.clone().map(|key| view! { <LogViewer key /> });
    let at_end = view.line.is_none() && look.from.is_none() && look.before.is_none();
    let base = selection.with_log(|log| log.go_to(Place::End)).log_href();
    let none = view.lines.is_empty().then_some(match look.level {
        Some(_) => "No line says so.",
        None => "There is no such line. Take the line away from the address to see the end.",
    });
    let many = view.last > 9999;
    let foot = foot(&task, view.state.end, view.last);
    view! {
        <div class="log-area">
            <Bar run task=task.clone() log selection />
            {earlier.map(|href| view! { <p class="log-more before"><a href=href><span class="up"><Glyph of=Icon::Next /></span>"Earlier lines"</a></p> })}
            <div class="log-box" class:long=look.long class:many=many role="region" aria-label=format!("Log of {}, attempt {attempt}", task.name) tabindex="0"
                data-own=own data-base=base data-last=view.last.to_string() data-line=view.line.map(|n| n.to_string())
                data-end=at_end.then_some("")>
                {none.map(|text| view! { <p class="nothing sub">{text}</p> })}
                <Chunks lines=view.lines groups=view.groups set=set.clone() filtered=look.level.is_some() />
            </div>
            {later.map(|(href, newest)| view! {
                <p class="log-more after"><a href=href><span class="down"><Glyph of=Icon::Next /></span>"Later lines"</a><a href=newest>"The end"</a></p>
            })}
            {foot.map(|(word, class)| view! { <p class=format!("log-foot {class}")>{word}</p> })}
            {viewer}
        </div>
    }
    .into_any()
}

/// What every line has in common.
#[derive(Clone)]
struct Set {
    base: Selection,
    times: bool,
    find: Option<String>,
    line: Option<u32>,
    open_groups: bool,
}

/// Whole chunks, as a viewer can load and drop them; of lines that were picked out, one.
#[component]
fn Chunks(lines: Vec<LogLine>, groups: Vec<Group>, set: Set, filtered: bool) -> impl IntoView {
    let href = set.base.href();
    let base = if href.contains('?') { format!("{href}&line=") } else { format!("{href}?line=") };
    // Where all that is shown is one part of a group, that part is what was asked for.
    let (first, last) = (lines.first().map_or(0, |line| line.line), lines.last().map_or(0, |line| line.line));
    let within = groups.iter().any(|group| group.holds(first) && group.holds(last));
    let set = Set { open_groups: set.open_groups || within, ..set };
    let chunk = |line: &LogLine| if filtered { 0 } else { chunk_of(line.line) };
    let chunks: Vec<(u32, Vec<LogLine>)> =
        lines.chunk_by(|a, b| chunk(a) == chunk(b)).map(|c| (chunk(&c[0]), c.to_vec())).collect();
    chunks
        .into_iter()
        .map(|(first, lines)| {
            // Numbers without gaps begin where the chunk does; of picked lines none is missing.
            let mut before = first.saturating_sub(1);
            let rows: Vec<_> = rows(&lines, &groups)
                .into_iter()
                .map(|row| {
                    let (line, last) = match &row {
                        Row::Line(line) => (line.line, line.line),
                        Row::Part(part) => part.span,
                    };
                    let missing = missing(&lines, before, line).filter(|_| !filtered);
                    before = last;
                    view! {
                        {missing.map(|n| view! { <li class="gap">{missing_words(n)}</li> })}
                        {match row {
                            Row::Line(line) => one(line, &base, &set).into_any(),
                            Row::Part(part) => folded(&part, &base, &set).into_any(),
                        }}
                    }
                })
                .collect();
            view! { <div class="chunk" data-from=first.to_string()><ol class="log" class:times=set.times>{rows}</ol></div> }
        })
        .collect_view()
        .into_any()
}

/// How many lines between these two are in no archive. Marks that show nothing are not missing.
fn missing(lines: &[LogLine], before: u32, line: u32) -> Option<u32> {
    let there = lines.iter().filter(|l| l.line > before && l.line < line).count();
    let between = line.saturating_sub(before + 1);
    between.checked_sub(u32::try_from(there).unwrap_or(u32::MAX)).filter(|n| *n > 0)
}

fn missing_words(lines: u32) -> String {
    if lines == 1 { "1 line is missing".to_owned() } else { format!("{lines} lines are missing") }
}

fn one(line: &LogLine, base: &str, set: &Set) -> impl IntoView + use<> {
    let text = ansi::plain(&line.text);
    let level = level::of(&text);
    // A line without a time is the archive's own word about what it could not read.
    let own = line.at.is_none() && text.starts_with("[…");
    let class = match level {
        _ if own => "own",
        Some(Level::Error) => "error",
        Some(Level::Warning) => "warning",
        Some(Level::Debug) => "debug",
        Some(Level::Info) | None => "",
    };
    let number = line.line;
    let on = set.line == Some(number);
    let time = set.times.then(|| {
        let at = line.at.map(|at| at.to_string().get(11..23).unwrap_or_default().to_owned());
        view! { <time>{at}</time> }
    });
    view! {
        <li id=format!("L{number}") class=class class:on=on>
            // The browser goes where the focus goes, also without our help.
            <a href=format!("{base}{number}#L{number}") title=line.at.map(absolute) autofocus=on>{number}</a>
            {time}
            <span>{pieces(&line.text, set.find.as_deref())}</span>
        </li>
    }
}

/// What is there of a group. The part with its beginning has the title and stands for the whole; what follows in other chunks
/// can be unfolded by itself where no script does it.
fn folded(part: &Part<'_>, base: &str, set: &Set) -> impl IntoView + use<> {
    let group = part.group;
    let open = set.open_groups || !group.is_quiet() || set.line.is_some_and(|line| group.holds(line));
    let title = if group.title.is_empty() { "Group".to_owned() } else { group.title.clone() };
    let count = |lines: usize| if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") };
    let words = if part.begins {
        format!("{}{}", count(group.lines as usize), if group.ended { "" } else { " so far, goes on" })
    } else {
        format!("continued, {}", count(part.lines.len()))
    };
    let lines: Vec<_> = part.lines.iter().map(|line| one(line, base, set)).collect();
    let until = group.ended.then(|| group.last.to_string());
    view! {
        <li class="group" class:rest=!part.begins id=part.begins.then(|| format!("L{}", group.opening))>
            <details open=open data-group=group.opening.to_string() data-last-line=until>
                <summary><b>{format!("{title} ")}</b><span class="sub">{words}</span></summary>
                <ol class="log" class:times=set.times>{lines}</ol>
            </details>
        </li>
    }
}

/// A line's text: its colours as classes, and marks where it holds what is searched for.
fn pieces(text: &str, find: Option<&str>) -> impl IntoView + use<> {
    let plain = ansi::plain(text);
    let marks = find.map(|find| places(&plain, find)).unwrap_or_default();
    let mut at = 0;
    let mut parts = Vec::new();
    for piece in ansi::pieces(text) {
        let span = at..at + piece.text.len();
        at = span.end;
        for (range, marked) in cut(&span, &marks) {
            parts.push((piece.style, marked, plain[range].to_owned()));
        }
    }
    parts
        .into_iter()
        .map(|(style, marked, text)| {
            let class = class_of(style);
            match (marked, class.is_empty()) {
                (false, true) => view! { {text} }.into_any(),
                (false, false) => view! { <span class=class>{text}</span> }.into_any(),
                (true, _) => view! { <mark class=class>{text}</mark> }.into_any(),
            }
        })
        .collect_view()
}

/// A span in parts, each inside or outside of the marks.
fn cut(span: &Range<usize>, marks: &[Range<usize>]) -> Vec<(Range<usize>, bool)> {
    let mut parts = Vec::new();
    let mut at = span.start;
    for mark in marks.iter().filter(|mark| mark.end > span.start && mark.start < span.end) {
        let (from, to) = (mark.start.max(span.start), mark.end.min(span.end));
        if from > at {
            parts.push((at..from, false));
        }
        parts.push((from..to, true));
        at = to;
    }
    if at < span.end {
        parts.push((at..span.end, false));
    }
    parts
}

fn class_of(style: Style) -> String {
    let colour = style.colour.map(|colour| match colour {
        Colour::Grey => "c-grey",
        Colour::Red => "c-red",
        Colour::Green => "c-green",
        Colour::Yellow => "c-yellow",
        Colour::Blue => "c-blue",
        Colour::Magenta => "c-magenta",
        Colour::Cyan => "c-cyan",
    });
    [colour, style.bold.then_some("c-bold")].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// What is to be known of a log's end.
fn foot(task: &Task, end: LogEnd, last: u32) -> Option<(String, &'static str)> {
    let lines = if last == 1 { "1 line".to_owned() } else { format!("{last} lines") };
    match end {
        LogEnd::Open if !task.state.ended() => Some((format!("{lines} so far."), "sub")),
        LogEnd::Open | LogEnd::Whole => (last > CHUNK).then_some((lines, "sub")),
        LogEnd::Awaited => Some((format!("{lines}. It has ended; its last lines are awaited."), "sub")),
        LogEnd::Cut => {
            Some((format!("{lines}. The end of this log was not archived in time: lines may be missing."), "gap"))
        }
    }
}

/// Why there is nothing to read.
fn nothing(task: &Task, end: Option<LogEnd>) -> &'static str {
    match task.state {
        _ if end == Some(LogEnd::Awaited) => "It has ended; what it wrote is awaited.",
        _ if end == Some(LogEnd::Cut) => "What it wrote was not archived in time: lines may be missing.",
        TaskState::Pending => "It has not started: there is no log yet.",
        TaskState::Skipped => "It was skipped: it never ran and wrote nothing.",
        TaskState::Running => "It has written nothing yet.",
        _ if task.started_at.is_some() => "It wrote nothing.",
        _ if task.reason.is_none() && task.message.is_none() => "Its container never started: there is no log.",
        _ => "Its container never started: there is no log. The reason above is the cluster's.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_cut_a_piece_where_they_begin_and_end() {
        let parts = |span: Range<usize>, marks: &[Range<usize>]| {
            cut(&span, marks).into_iter().map(|(range, on)| (range.start, range.end, on)).collect::<Vec<_>>()
        };
        assert_eq!(parts(0..10, &[]), [(0, 10, false)]);
        assert_eq!(parts(0..10, &[Range { start: 2, end: 4 }]), [(0, 2, false), (2, 4, true), (4, 10, false)]);
        assert_eq!(parts(5..10, &[2..7, 9..12]), [(5, 7, true), (7, 9, false), (9, 10, true)]);
        assert!(parts(3..3, &[]).is_empty());
    }

    #[test]
    fn only_what_is_in_no_archive_is_missing() {
        let lines: Vec<LogLine> = [1, 2, 3, 6].map(|line| LogLine { line, at: None, text: String::new() }).to_vec();
        assert_eq!(missing(&lines, 0, 1), None);
        assert_eq!(missing(&lines, 1, 3), None, "a mark in between shows nothing, but is there");
        assert_eq!(missing(&lines, 3, 6), Some(2));
    }
}
