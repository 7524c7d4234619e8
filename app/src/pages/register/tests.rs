use super::*;
use domain::fault::Fault;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

fn faults(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let code = |fault: Fault| (fault.pointer, fault.code.into_owned());
    read(&fields(pairs)).faults.into_iter().map(code).collect()
}

#[test]
fn json_and_yaml_make_the_same_document() {
    let json = read(&fields(&[("document", "{\"workflow_id\": \"a\", \"execution\": {\"retry_count\": 2}}")]));
    let yaml = read(&fields(&[("document", "workflow_id: a\r\nexecution:\r\n  retry_count: 2\r\n")]));
    assert_eq!(json, yaml);
    assert_eq!(json.document["execution"]["retry_count"], 2);
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    assert_eq!(faults(&[("document", "{\"a\": 1, \"a\": 2}")]), [(String::new(), "json_duplicate_key".into())]);
    assert_eq!(faults(&[("document", "a: 1\na: 2\n")]), [(String::new(), "json_duplicate_key".into())]);
    assert_eq!(faults(&[("document", "a: [")])[0].1, "yaml_syntax");
    assert_eq!(faults(&[("document", "just words")]), [(String::new(), "wrong_type".into())]);
    assert_eq!(faults(&[("document", "  ")]), [("/document".into(), "required".into())]);
}

#[test]
fn yaml_is_no_way_around_the_rules_of_json() {
    for number in [".nan", ".inf", "-.inf", "9007199254740993.0"] {
        let found = faults(&[("document", &format!("a:\n  maximum: {number}\n"))]);
        assert_eq!(found, [("/a/maximum".into(), "json_number".into())], "{number}");
    }
    let deep = format!("a: {}1{}", "[".repeat(40), "]".repeat(40));
    assert_eq!(faults(&[("document", &deep)])[0].1, "json_too_deep");
    let many = "x,".repeat(20_000);
    let again = "*a,".repeat(20_000);
    assert_eq!(faults(&[("document", &format!("a: &a [{many}]\nb: [{again}]\n"))])[0].1, "json_too_large");
}

#[test]
fn the_form_makes_a_document_and_blank_rows_make_nothing() {
    let made = read(&fields(&[
        ("workflow_id", " oomkill "),
        ("version", "1.0.0"),
        ("description", "One.\r\nTwo."),
        ("image_pull_policy", ""),
        ("risk", "high"),
        ("signal_type", "OOMKilled"),
        ("tags", "memory, , oom"),
        ("retry_count", "2"),
        ("outputs", "replicas integer"),
        ("exposed.0.type", "string"),
        ("exposed.2.name", "REPLICAS"),
        ("exposed.2.type", "integer"),
        ("exposed.2.required", "on"),
        ("exposed.2.minimum", "0"),
        ("exposed.2.enum", "1, 2"),
        ("exposed.4.name", "ZONE"),
        ("exposed.4.type", "string"),
        ("exposed.4.depends_on", "REPLICAS: 1"),
        ("hidden.1.name", "TOKEN"),
        ("hidden.1.secret", "git/token"),
    ]));
    assert_eq!(made.faults, []);
    assert_eq!(
        made.document,
        json!({
            "workflow_id": "oomkill", "version": "1.0.0", "description": "One.\nTwo.", "risk": "high",
            "labels": {"signal_type": "OOMKilled", "tags": ["memory", "oom"]},
            "execution": {"retry_count": 2},
            "outputs": [{"name": "replicas", "type": "integer"}],
            "parameters": {
                "exposed": [
                    {"name": "REPLICAS", "type": "integer", "required": true, "minimum": 0, "enum": [1, 2]},
                    {"name": "ZONE", "type": "string", "depends_on": {"REPLICAS": [1]}},
                ],
                "hidden": [{"name": "TOKEN", "secret_ref": {"name": "git", "key": "token"}}],
            },
        })
    );
}

#[test]
fn what_is_no_number_is_told_at_its_place_and_the_rest_is_read() {
    let typed =
        [("exposed.4.name", "N"), ("exposed.4.type", "integer"), ("exposed.4.maximum", "many"), ("retry_count", "x")];
    let found: Vec<_> = faults(&typed).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(found, ["/execution/retry_count", "/parameters/exposed/0/maximum"]);
    assert_eq!(read(&fields(&typed)).document["parameters"]["exposed"][0]["name"], "N");
}

/// The document by way of the form, as a browser sends it back.
fn round(document: &Value) -> Option<Value> {
    let fields = as_fields(document)?;
    // A browser sends two characters for a line's end, and every choice and blank field too.
    let mut sent: Vec<_> = fields.into_iter().map(|(name, value)| (name, value.replace('\n', "\r\n"))).collect();
    for blank in ["tags", "timeout", "paste", "exposed.900.name", "hidden.900.value"] {
        if !sent.iter().any(|(name, _)| name == blank) {
            sent.push((blank.to_owned(), String::new()));
        }
    }
    sent.push(("exposed.900.type".to_owned(), "string".to_owned()));
    assert!(sent.iter().all(|(_, value)| !value.chars().any(|c| c.is_control() && c != '\r' && c != '\n')), "{sent:?}");
    let Reading { document, faults } = read(&sent);
    assert_eq!(faults, []);
    Some(document)
}

#[test]
fn nothing_is_lost_between_document_and_form() {
    let document = json!({
        "workflow_id": "oomkill", "version": "1.0.0", "title": " blank before", "description": "One.\n\nTwo.",
        "container_image": "quay.io/a/b:c", "unknown": {"a": [1, null]}, "remediation_steps": ["Look"],
        "parameters": {
            "exposed": [
                {"name": "MODE", "type": "string", "required": false, "enum": ["a, b", "", "c"], "tekton_mapping": "env.MODE"},
                {"name": "N", "type": "integer", "required": true, "default": 1.0, "examples": [2, 3], "min_length": 7},
                {"name": "Z", "type": "no type", "depends_on": {"MODE": ["c"], "N": [1]}},
                {"type": "string"}, {},
            ],
            "hidden": [
                {"name": "A", "value": 5}, {"name": "B", "value": ""}, {"name": "C", "secret_ref": {"name": "x/y", "key": "z"}},
                {"name": "D", "value": "x", "secret_ref": {"name": "x", "key": "z"}, "description": "both"},
            ],
        },
        "labels": {"signal_type": "*", "tags": ["a,b", "c"], "mine": 1}, "execution": {},
        "internal_steps": ["one\ntwo"], "outputs": [{"name": "a", "type": "string", "more": true}],
    });
    assert_eq!(round(&document), Some(document.clone()));
    let fields = as_fields(&document).unwrap();
    let kept: Vec<_> = write::kept(&fields).into_iter().map(|(pointer, _)| pointer).collect();
    for pointer in [
        "/title",
        "/unknown/a",
        "/remediation_steps",
        "/labels/mine",
        "/parameters/exposed/0/tekton_mapping",
        "/parameters/hidden/0/value",
        "/internal_steps",
        "/outputs",
    ] {
        assert!(kept.contains(&pointer.to_owned()), "{pointer} is told: {kept:?}");
    }
    assert!(!kept.contains(&"/parameters/exposed/0/required".to_owned()));
    // The lists as they came: flat, empty, or not there.
    for parameters in
        [json!([]), json!([{"name": "A", "type": "string"}]), json!({}), json!({"exposed": [], "hidden": []})]
    {
        let document = json!({"parameters": parameters});
        assert_eq!(round(&document), Some(document.clone()));
    }
    // What is no outline of a registration stays the text that it is.
    for odd in [json!([]), json!("x")] {
        assert_eq!(as_fields(&odd), None);
    }
}

#[test]
fn the_form_becomes_text_and_text_becomes_the_form() {
    let start = as_fields(&json!({"workflow_id": "a", "parameters": [{"name": "N", "type": "integer", "minimum": 1}]}));
    let mut start = start.unwrap();
    start.push(("from".into(), "a@1.0.0".into()));
    for word in ["as.json", "as.yaml"] {
        let text = turn(&start, word).unwrap().unwrap();
        assert!(text.iter().any(|(name, value)| name == "document" && value.contains("minimum")), "{text:?}");
        assert!(text.contains(&("from".into(), "a@1.0.0".into())));
        let mut again = turn(&text, "as.form").unwrap().unwrap();
        let mut start = start.clone();
        again.sort();
        start.sort();
        assert_eq!(again, start);
    }
    // A text that would be lost is not turned.
    assert!(turn(&fields(&[("retry_count", "x")]), "as.json").unwrap().is_err());
    assert!(turn(&fields(&[("document", "a: [")]), "as.form").unwrap().is_err());
    assert!(turn(&fields(&[]), "register").is_none());
}

#[test]
fn rows_come_and_go_and_the_focus_follows() {
    let one = fields(&[("exposed.3.name", "A"), ("exposed.3.type", "string"), ("action", "add.exposed")]);
    let two = turn(&one, "add.exposed").unwrap().unwrap();
    assert_eq!(fields::present(&two, "exposed"), [3, 4]);
    assert_eq!(fields::value(&two, "focus"), Some("exposed.4.name"));
    let left = turn(&two, "remove.exposed.3").unwrap().unwrap();
    assert_eq!(fields::present(&left, "exposed"), [4]);
    let none = turn(&left, "remove.exposed.4").unwrap().unwrap();
    assert_eq!(fields::value(&none, "focus"), Some("add.exposed"));
    assert_eq!(read(&none).document, json!({}));
}

static WORDS: &[&str] = &[
    "name",
    "type",
    "enum",
    "string",
    "integer",
    "boolean",
    "default",
    "depends_on",
    "value",
    "exposed",
    "hidden",
    "A",
    "secret_ref",
    "key",
    "pattern",
    "minimum",
    "parameters",
    "labels",
    "tags",
    "execution",
    "workflow_id",
    "required",
    "internal_steps",
    "outputs",
    "retry_count",
    "examples",
    "a, b",
    " a",
    "a\nb",
    "",
    "\"",
    "\\",
    "\u{202e}",
    "kept",
];
static MEMBERS: &[&str] = &[
    "name",
    "type",
    "required",
    "default",
    "enum",
    "pattern",
    "minimum",
    "max_length",
    "examples",
    "depends_on",
    "value",
    "secret_ref",
    "description",
    "tekton_mapping",
];
static KINDS: &[&str] = &["string", "integer", "number", "boolean", "other"];

/// Any JSON with a liking for what a registration is made of.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![4 => prop::sample::select(WORDS).prop_map(str::to_owned), 1 => any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-8_000_000..8_000_000_i32).prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Something with the outline of a parameter.
fn any_row() -> impl Strategy<Value = Value> {
    let member = prop::sample::select(MEMBERS);
    let kind = prop::sample::select(KINDS);
    (prop::collection::btree_map(member, any_json(), 0..6), kind, any::<bool>()).prop_map(|(members, kind, typed)| {
        let mut row: Map<String, Value> = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        if typed {
            row.insert("type".into(), kind.into());
            row.insert("depends_on".into(), json!({"A": ["x", "y, z"]}));
        }
        Value::Object(row)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_document_with_the_outline_of_a_registration_comes_back(
        document in any_json(),
        exposed in prop::collection::vec(any_row(), 0..4),
        hidden in prop::collection::vec(any_row(), 0..3),
        flat in any::<bool>(),
    ) {
        let mut document = document.as_object().cloned().unwrap_or_default();
        let lists = if flat { json!(exposed) } else { json!({"exposed": exposed, "hidden": hidden}) };
        document.insert("parameters".into(), lists);
        let document = Value::Object(document);
        prop_assert_eq!(round(&document), Some(document));
    }

    #[test]
    fn what_a_form_can_not_hold_is_refused_and_never_lost(document in any_json()) {
        if let Some(back) = round(&document) {
            prop_assert_eq!(back, document);
        }
    }

    #[test]
    fn text_is_the_very_document_or_there_is_none(document in any_json()) {
        prop_assume!(document.as_object().is_some_and(|members| !members.is_empty()));
        let fields = [("document".to_owned(), document.to_string())];
        prop_assume!(read(&fields).document == document);
        for word in ["as.json", "as.yaml"] {
            let Some(Ok(text)) = turn(&fields, word) else {
                prop_assert!(word != "as.json", "JSON is JSON");
                continue;
            };
            prop_assert_eq!(&read(&text).document, &document);
        }
    }
}
