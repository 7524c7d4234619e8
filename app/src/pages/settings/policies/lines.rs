//! Where in a text a fault stands: programs know the pointer, people see lines.

/// The line (counted from 1) on which the member at a pointer begins, as far as the text is written in blocks: that of the part
/// that it belongs to where it is not there, or stands in brackets. None where not even that can be told.
pub fn line_of(yaml: &str, pointer: &str) -> Option<usize> {
    let mut lines: Vec<(usize, String)> =
        yaml.lines().enumerate().map(|(at, line)| (at + 1, line.to_owned())).filter(|(_, line)| says(line)).collect();
    let mut found = None;
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        let Some(part) = part(&lines, &segment) else { break };
        found = Some(part.line);
        lines = part.lines;
    }
    found
}

/// A member of an object or an item of a list: the line on which it begins, and what it is made of.
struct Part {
    line: usize,
    lines: Vec<(usize, String)>,
}

fn part(lines: &[(usize, String)], segment: &str) -> Option<Part> {
    let depth = indent(&lines.first()?.1);
    let is_item = |line: &str| line.trim_start().starts_with('-');
    let at_depth = |line: &str| indent(line) == depth;
    if lines.first().is_some_and(|(_, line)| is_item(line)) {
        let number = segment.parse().ok()?;
        let begins = |(_, line): &(usize, String)| at_depth(line) && is_item(line);
        let from = lines.iter().enumerate().filter(|(_, line)| begins(line)).map(|(at, _)| at).nth(number)?;
        let own = lines[from + 1..].iter().take_while(|line| !begins(line));
        // The item's first line without its hyphen is a line as any other of it.
        let (line, text) = &lines[from];
        let first = (*line, text.replacen('-', " ", 1));
        let lines = std::iter::once(first).chain(own.cloned()).filter(|(_, line)| says(line)).collect();
        return Some(Part { line: *line, lines });
    }
    let from = lines.iter().position(|(_, line)| at_depth(line) && names(line, segment))?;
    // A list may begin right below the name that it belongs to.
    let own = lines[from + 1..].iter().take_while(|(_, line)| indent(line) > depth || at_depth(line) && is_item(line));
    Some(Part { line: lines[from].0, lines: own.cloned().collect() })
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether anything stands on it.
fn says(line: &str) -> bool {
    let text = line.trim();
    !text.is_empty() && !text.starts_with('#') && text != "---"
}

/// Whether a line begins with this name and a colon.
fn names(line: &str, name: &str) -> bool {
    let Some((written, _)) = line.split_once(':') else { return false };
    let written = written.trim();
    let bare = ['"', '\''].into_iter().find_map(|quote| written.strip_prefix(quote)?.strip_suffix(quote));
    bare.unwrap_or(written) == name
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "\
# A comment
name: careful

groups:
  sre: [ann, bob]
rules:
- name: first
  match:
    risk: high
    environment:
      - production
      - staging
  approvals: { need: 2 }
-
  \"name\": last
  approvals: 1
";

    #[test]
    fn a_fault_is_found_on_its_line() {
        for (pointer, line) in [
            ("/name", Some(2)),
            ("/groups/sre", Some(5)),
            ("/groups/sre/1", Some(5)),
            ("/rules", Some(6)),
            ("/rules/0/name", Some(7)),
            ("/rules/0/match/environment/1", Some(12)),
            ("/rules/0/approvals/need", Some(13)),
            ("/rules/0/freeze", Some(7)),
            ("/rules/1", Some(14)),
            ("/rules/1/name", Some(15)),
            ("/rules/7/name", Some(6)),
            ("/freezes", None),
            ("", None),
        ] {
            assert_eq!(line_of(YAML, pointer), line, "{pointer}");
        }
    }

    #[test]
    fn whatever_is_typed_can_be_looked_through() {
        for text in ["", "{\"name\": 1}", "- - a", ":", "-", "\u{e9}: 1\n  b", "a:\n- \n-"] {
            for pointer in ["", "/", "/a", "/0", "/0/0", "/a/0/b", "/a/99999999999999999999"] {
                line_of(text, pointer);
            }
        }
    }
}
