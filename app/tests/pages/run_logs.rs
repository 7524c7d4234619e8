//! What a run's page must show of a log, and what it must never show.

use crate::{
    runs::{count, page_at},
    runs_samples::{lines, log, running},
};
use domain::{
    execution::LogLine,
    log::{LogEnd, level::Level, window::Hits},
};

#[test]
fn a_log_is_text_with_a_link_to_each_line_and_its_gaps_marked() {
    let mut written = lines(1, 9);
    written.remove(4);
    let page = page_at(running(), "", Some(log(written)));
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>alert"));
    assert!(
        page.contains("/runs/run-1?task=create-gitops-pr&amp;attempt=1&amp;line=4#L4")
            || page.contains("attempt=1&line=4#L4"),
        "{page}"
    );
    assert!(page.contains("1 line is missing"));
    assert!(page.contains("id=\"L9\""));
}

fn text(texts: &[&str]) -> Vec<LogLine> {
    let mut lines = lines(1, u32::try_from(texts.len()).unwrap());
    for (line, text) in lines.iter_mut().zip(texts) {
        (*text).clone_into(&mut line.text);
    }
    lines
}

#[test]
fn a_log_has_its_colours_levels_and_groups_and_no_escape() {
    let written = text(&[
        "\u{1b}[1;32mok\u{1b}[0m plain \u{1b}[2J",
        "ERROR: refused",
        "::group::Fetch <images>",
        "layer 1",
        "layer 2",
        "::endgroup::",
        "after",
    ]);
    let page = page_at(running(), "", Some(log(written)));
    assert!(page.contains("<span class=\"c-green c-bold\">ok</span>"), "{page}");
    assert!(!page.contains('\u{1b}'));
    assert!(page.contains("class=\"error\""));
    assert!(page.contains("Fetch &lt;images&gt;") && page.contains("2 lines"));
    assert!(!page.contains("endgroup") && !page.contains("missing"), "marks show nothing, and nothing is missing");
    assert!(page.contains("id=\"L4\"") && page.contains("id=\"L7\""));
}

#[test]
fn what_is_found_is_marked_across_colours_and_counted() {
    let mut found = log(text(&["one \u{1b}[31mtim\u{1b}[0meout", "Timeout again"]));
    found.view.hits = Some(Hits { count: 2, more: false, shown: 2 });
    found.view.line = Some(2);
    let page = page_at(running(), "find=timeout", Some(found));
    assert!(
        page.contains("<mark class=\"c-red\">tim</mark><mark class=\"\">eout</mark>")
            || page.contains("<mark>eout</mark>"),
        "{page}"
    );
    assert!(page.contains("2 of 2") && page.contains("hit=1"));
    // The log of a running task grows, and so does the count: nobody would hear anything else any more.
    assert!(!page.contains("role=\"status\" class=\"hits\"") && page.contains("class=\"vh\">Found<"), "{page}");
    assert!(page.contains("class=\" on\"") || page.contains("class=\"on\""), "the line that is meant is marked");
}

#[test]
fn what_is_not_known_of_the_end_of_a_log_is_told() {
    let mut cut = log(lines(1, 9));
    cut.view.state.end = LogEnd::Cut;
    assert!(page_at(running(), "", Some(cut)).contains("lines may be missing"));
    let mut awaited = log(lines(1, 9));
    awaited.view.state.end = LogEnd::Awaited;
    assert!(page_at(running(), "", Some(awaited)).contains("its last lines are awaited"));
    // Nor is a log of which nothing has come yet one that is empty.
    let none = |end| {
        let mut none = log(Vec::new());
        (none.view.last, none.view.state.end) = (0, end);
        page_at(running(), "", Some(none))
    };
    assert!(none(LogEnd::Awaited).contains("what it wrote is awaited"));
    assert!(none(LogEnd::Cut).contains("was not archived in time"));
}

#[test]
fn a_part_of_a_log_has_the_way_to_the_others_without_any_script() {
    let mut part = log(lines(401, 600));
    part.view.last = 5000;
    part.view.more = (true, true);
    let page = page_at(running(), "from=401", Some(part.clone()));
    assert!(page.contains("before=401") && page.contains("from=1001") && page.contains("The end"));
    assert_eq!(count(&page, "class=\"chunk\""), 3);
    assert_eq!(Level::from_name("error"), Some(Level::Error));
    part.view.lines.clear();
    assert!(page_at(running(), "level=error", Some(part)).contains("No line says so"));
}

#[test]
fn a_group_that_goes_over_several_chunks_is_one_that_can_be_folded() {
    let mut texts = vec!["::group::Fetch"];
    texts.extend(["a layer"; 450]);
    texts.extend(["::endgroup::", "after"]);
    let page = page_at(running(), "", Some(log(text(&texts))));
    assert_eq!(count(&page, "data-group=\"1\" data-last-line=\"452\""), 3, "{page}");
    assert_eq!((count(&page, "<details open data-group"), count(&page, "class=\"group rest\"")), (0, 2));
    assert!(
        page.contains("450 lines") && page.contains("continued, 200 lines") && page.contains("continued, 51 lines")
    );
    assert!(!page.contains("goes on") && !page.contains("missing"));
    let opened = page_at(running(), "find=layer", Some(log(text(&texts))));
    assert_eq!(count(&opened, "<details open data-group"), 3, "what is searched for is not hidden");
}

#[test]
fn a_logs_times_have_their_day_and_zone() {
    assert!(page_at(running(), "times=on", Some(log(lines(1, 9)))).contains("Times are UTC, of 2026-"));
    assert!(!page_at(running(), "", Some(log(lines(1, 9)))).contains("Times are UTC"));
}
