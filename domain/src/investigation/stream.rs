//! Reading HolmesGPT's event stream (`POST /api/chat` with `"stream": true`, release 0.45): server-sent events (WHATWG HTML, 9.2) whose
//! data are JSON. Bytes come in as the network cuts them; events come out whole. What it is not known to send is passed over.

use super::{StepKind, Usage};
use crate::text::one_line;
use serde_json::Value;

/// The most characters of a step that are kept.
const STEP_CHARACTERS: usize = 300;
/// Millionths in a dollar.
const MICRO: f64 = 1e6;

/// Puts events together from pieces.
#[derive(Debug, Default)]
pub struct Reader {
    /// The line that is not at its end yet.
    line: Vec<u8>,
    name: String,
    data: String,
}

/// An event as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name; `message` where it has none.
    pub name: String,
    /// Its data.
    pub data: String,
}

impl Reader {
    /// The events that these bytes complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                self.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(&line)).into_owned();
            events.extend(self.take(&line));
        }
        events
    }

    fn take(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
            let name = if name.is_empty() { "message".to_owned() } else { name };
            return (!data.is_empty()).then_some(Event { name, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            // A comment, or a field of no use here.
            _ => {}
        }
        None
    }
}

/// What an event tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// A step on the way, to be shown.
    Step(StepKind, String),
    /// What was used since the question was asked.
    Used(Usage),
    /// The end.
    Answered(Answered),
    /// It did not work, for this reason.
    Failed(String),
}

/// What HolmesGPT says at the end.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// Its answer.
    pub analysis: String,
    /// The conversation so far, to be sent with the next question. It is HolmesGPT's own, and not looked into.
    pub history: Value,
    /// What was used since the question was asked.
    pub usage: Usage,
}

/// What an event tells; nothing where it is of no use here. Data that are not of their form end the attempt.
pub fn told(event: &Event) -> Vec<Told> {
    let known = matches!(
        event.name.as_str(),
        "start_tool_calling"
            | "tool_calling_result"
            | "ai_message"
            | "token_count"
            | "ai_answer_end"
            | "approval_required"
            | "error"
    );
    if !known {
        return Vec::new();
    }
    let Ok(mut data) = serde_json::from_str::<Value>(&event.data) else {
        return vec![Told::Failed(format!("the event {} is no JSON", event.name))];
    };
    match event.name.as_str() {
        "tool_calling_result" => vec![Told::Step(StepKind::Tool, tool(&data))],
        "ai_message" => {
            let said = ["content", "reasoning"].into_iter().filter_map(|part| data[part].as_str());
            let said = said.map(|text| one_line(text, STEP_CHARACTERS)).find(|text| !text.is_empty());
            said.map(|text| Told::Step(StepKind::Agent, text)).into_iter().collect()
        }
        "token_count" => vec![Told::Used(usage(&data["metadata"]["costs"]))],
        "ai_answer_end" => vec![Told::Answered(Answered {
            analysis: data["analysis"].as_str().unwrap_or_default().to_owned(),
            usage: usage(&data["metadata"]["costs"]),
            history: data.get_mut("conversation_history").map(Value::take).unwrap_or_default(),
        })],
        "approval_required" => {
            vec![Told::Failed(
                "a tool of HolmesGPT waits for somebody's approval, which nobody can give here".to_owned(),
            )]
        }
        "error" => {
            let said = ["description", "msg"].into_iter().find_map(|part| data[part].as_str()).unwrap_or_default();
            vec![Told::Failed(one_line(said, STEP_CHARACTERS))]
        }
        // That a tool was begun is told with its result.
        _ => Vec::new(),
    }
}

/// Which tool, with what, and whether it worked. What it found is not kept: it may be anything.
fn tool(data: &Value) -> String {
    let name = data["tool_name"].as_str().or(data["name"].as_str()).unwrap_or("a tool");
    let what = data["description"].as_str().unwrap_or_default();
    let failed = data["result"]["status"].as_str().is_some_and(|status| status == "error");
    let words = [name, if what == name { "" } else { what }, if failed { "(failed)" } else { "" }];
    one_line(&words.join(" "), STEP_CHARACTERS)
}

/// What `costs` says. HolmesGPT writes zero for what its provider does not tell.
fn usage(costs: &Value) -> Usage {
    let count = |name: &str| costs[name].as_i64().filter(|count| *count > 0);
    let dollars = costs["total_cost"].as_f64().filter(|dollars| *dollars > 0.0 && *dollars < 1e6);
    #[expect(clippy::cast_possible_truncation, reason = "a millionth of what is below a million dollars fits")]
    let cost_microusd = dollars.map(|dollars| (dollars * MICRO).round() as i64);
    Usage { prompt_tokens: count("prompt_tokens"), completion_tokens: count("completion_tokens"), cost_microusd }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// As release 0.45.0 wrote it, shortened.
    const RECORDED: &str = concat!(
        "event: token_count\ndata: {\"metadata\": {\"costs\": {\"total_cost\": 0.00045, \"total_tokens\": 120, \"prompt_tokens\": 100, \"completion_tokens\": 20}}}\n\n",
        "event: ai_message\ndata: {\"content\": \"Let me look.\", \"reasoning\": null, \"metadata\": {}}\n\n",
        "event: start_tool_calling\ndata: {\"tool_name\": \"bash\", \"id\": \"c1\"}\n\n",
        "event: tool_calling_result\ndata: {\"tool_call_id\": \"c1\", \"tool_name\": \"bash\", \"description\": \"echo hi\", \"result\": {\"status\": \"success\", \"data\": \"a secret\"}}\n\n",
        "event: ai_answer_end\ndata: {\"analysis\": \"The node <b>is</b> full.\", \"conversation_history\": [{\"role\": \"system\"}], \"follow_up_actions\": [], \"metadata\": {\"costs\": {\"total_cost\": 0.0009, \"prompt_tokens\": 200, \"completion_tokens\": 40}}}\n\n",
    );

    fn all(pieces: &[&[u8]]) -> Vec<Told> {
        let mut reader = Reader::default();
        pieces.iter().flat_map(|piece| reader.push(piece)).flat_map(|event| told(&event)).collect()
    }

    #[test]
    fn a_recorded_stream_is_read_however_it_is_cut() {
        let whole = all(&[RECORDED.as_bytes()]);
        let usage = |prompt: i64, completion: i64, cost: i64| Usage {
            prompt_tokens: Some(prompt),
            completion_tokens: Some(completion),
            cost_microusd: Some(cost),
        };
        let expected = [
            Told::Used(usage(100, 20, 450)),
            Told::Step(StepKind::Agent, "Let me look.".into()),
            Told::Step(StepKind::Tool, "bash echo hi".into()),
            Told::Answered(Answered {
                analysis: "The node <b>is</b> full.".into(),
                history: json!([{ "role": "system" }]),
                usage: usage(200, 40, 900),
            }),
        ];
        assert_eq!(whole, expected);
        for size in [1, 7, 100] {
            let pieces: Vec<&[u8]> = RECORDED.as_bytes().chunks(size).collect();
            assert_eq!(all(&pieces), whole, "in pieces of {size}");
        }
        assert_eq!(all(&[RECORDED.replace('\n', "\r\n").as_bytes()]), whole);
    }

    #[test]
    fn what_is_not_at_its_end_is_nothing_yet_and_what_is_unknown_stays_so() {
        assert_eq!(all(&[b"event: ai_message\ndata: {\"content\": \"x\"}\n"]), []);
        assert_eq!(all(&[b": a comment\n\nevent: conversation_history_compacted\ndata: {}\n\nid: 3\n\n"]), []);
        assert_eq!(all(&[b"event: ai_message\ndata: {\"content\": null, \"reasoning\": \" \\u0007 \"}\n\n"]), []);
    }

    #[test]
    fn what_went_wrong_is_said_on_one_line() {
        let of = |text: &str| all(&[text.as_bytes()]);
        let failed =
            of("event: error\ndata: {\"description\": \"Rate\\nlimit\", \"error_code\": 5204, \"success\": false}\n\n");
        assert_eq!(failed, [Told::Failed("Rate limit".into())]);
        assert!(matches!(of("event: ai_answer_end\ndata: {\n\n")[..], [Told::Failed(_)]));
        assert!(matches!(of("event: approval_required\ndata: {}\n\n")[..], [Told::Failed(_)]));
        let tool = of(
            "event: tool_calling_result\ndata: {\"tool_name\": \"kubectl\", \"description\": \"kubectl\", \"result\": {\"status\": \"error\"}}\n\n",
        );
        assert_eq!(tool, [Told::Step(StepKind::Tool, "kubectl (failed)".into())]);
    }

    #[test]
    fn a_price_that_nobody_knows_is_none() {
        let usage = usage(&json!({ "total_cost": 0.0, "prompt_tokens": 10, "completion_tokens": 0 }));
        assert_eq!(usage, Usage { prompt_tokens: Some(10), ..Usage::default() });
    }
}
