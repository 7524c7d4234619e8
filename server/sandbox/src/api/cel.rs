//! The few CEL rules that a definition of the console's needs: equality with the old value, presence, comparison of
//! sizes, `all` and `exists` over a list, and their combination with `!`, `&&`, `||`. A rule outside this subset is taken as satisfied (and said so in
//! the log), because only a real API server can judge it.

use serde_json::Value;

/// One entry of `x-kubernetes-validations`.
#[derive(Debug)]
pub(crate) struct Rule {
    text: String,
    expression: Option<Expr>,
    message: String,
}

#[derive(Debug)]
enum Expr {
    Or(Vec<Expr>),
    And(Vec<Expr>),
    Not(Box<Expr>),
    Has(Path),
    /// What holds for all items of a list, or for one at least.
    Each {
        list: Path,
        all: bool,
        item: String,
        holds: Box<Expr>,
    },
    Compare(Operand, Operator, Operand),
    Bool(Operand),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operator {
    Equal,
    Unequal,
    AtMost,
    AtLeast,
    Less,
    More,
}

#[derive(Debug, Clone)]
struct Path {
    start: Start,
    fields: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Start {
    This,
    Old,
    /// An item of a list that `all` or `exists` goes through.
    Item(String),
}

#[derive(Debug)]
enum Operand {
    At(Path),
    Size(Path),
    Literal(Value),
    Nested(Box<Expr>),
}

impl Rule {
    pub(crate) fn new(json: &Value) -> Self {
        let text = json["rule"].as_str().unwrap_or_default().to_owned();
        let mut parser = Parser { rest: &text, items: Vec::new() };
        let expression = parser.or().filter(|_| parser.rest.trim().is_empty());
        if expression.is_none() {
            tracing::debug!(rule = text, "the sandbox does not judge this CEL rule");
        }
        let message = json["message"].as_str().map_or_else(|| format!("failed rule: {text}"), Into::into);
        Self { text, expression, message }
    }

    /// Transition rules (those that name `oldSelf`) apply only where there is an old value.
    pub(crate) fn check(&self, value: &Value, old: Option<&Value>) -> Result<(), String> {
        let Some(expression) = &self.expression else { return Ok(()) };
        if self.text.contains("oldSelf") && old.is_none() {
            return Ok(());
        }
        match expression.holds(&Scope { this: value, old, items: Vec::new() }) {
            Some(false) => Err(self.message.clone()),
            _ => Ok(()),
        }
    }
}

#[derive(Clone)]
struct Scope<'a> {
    this: &'a Value,
    old: Option<&'a Value>,
    /// The innermost last.
    items: Vec<(&'a str, &'a Value)>,
}

impl Path {
    fn get<'a>(&self, scope: &Scope<'a>) -> Option<&'a Value> {
        let start = match &self.start {
            Start::This => Some(scope.this),
            Start::Old => scope.old,
            Start::Item(name) => scope.items.iter().rev().find(|(item, _)| item == name).map(|(_, value)| *value),
        };
        self.fields.iter().try_fold(start?, |value, field| value.get(field))
    }
}

impl Operand {
    fn value<'a>(&'a self, scope: &Scope<'a>) -> Option<Value> {
        match self {
            Self::At(path) => path.get(scope).cloned(),
            Self::Size(path) => Some(Value::from(match path.get(scope)? {
                Value::Array(items) => items.len(),
                Value::Object(map) => map.len(),
                Value::String(text) => text.chars().count(),
                _ => return None,
            })),
            Self::Literal(value) => Some(value.clone()),
            Self::Nested(expr) => expr.holds(scope).map(Value::Bool),
        }
    }
}

impl Expr {
    /// `None`: a field that is not there was read; CEL would raise an error, which we leave to a real server.
    fn holds<'a>(&'a self, scope: &Scope<'a>) -> Option<bool> {
        match self {
            Self::Or(parts) => any(parts.iter().map(|part| part.holds(scope))),
            Self::And(parts) => every(parts.iter().map(|part| part.holds(scope))),
            Self::Each { list, all, item, holds } => {
                let items = list.get(scope)?.as_array()?;
                let mut inner = scope.clone();
                let results = items.iter().map(|value| {
                    inner.items.push((item, value));
                    let held = holds.holds(&inner);
                    inner.items.pop();
                    held
                });
                if *all { every(results) } else { any(results) }
            }
            Self::Not(part) => part.holds(scope).map(|held| !held),
            Self::Has(path) => Some(path.get(scope).is_some()),
            Self::Bool(operand) => operand.value(scope)?.as_bool(),
            Self::Compare(left, operator, right) => {
                let (left, right) = (left.value(scope)?, right.value(scope)?);
                let ordering = left.as_f64().zip(right.as_f64()).and_then(|(l, r)| l.partial_cmp(&r));
                match operator {
                    Operator::Equal => Some(left == right),
                    Operator::Unequal => Some(left != right),
                    Operator::AtMost => ordering.map(std::cmp::Ordering::is_le),
                    Operator::AtLeast => ordering.map(std::cmp::Ordering::is_ge),
                    Operator::Less => ordering.map(std::cmp::Ordering::is_lt),
                    Operator::More => ordering.map(std::cmp::Ordering::is_gt),
                }
            }
        }
    }
}

/// One that holds outweighs those that can't be told, as in CEL.
fn any(results: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    every(results.map(|held| held.map(|held| !held))).map(|none| !none)
}

/// One that does not hold outweighs those that can't be told.
fn every(results: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut answer = Some(true);
    for held in results {
        match held {
            Some(false) => return held,
            Some(true) => {}
            None => answer = None,
        }
    }
    answer
}

/// Recursive descent: or → and → not → comparison.
struct Parser<'a> {
    rest: &'a str,
    /// Names of the items that are known here.
    items: Vec<String>,
}

impl Parser<'_> {
    fn eat(&mut self, token: &str) -> bool {
        let trimmed = self.rest.trim_start();
        if let Some(rest) = trimmed.strip_prefix(token) {
            self.rest = rest;
            return true;
        }
        false
    }

    fn or(&mut self) -> Option<Expr> {
        let mut parts = vec![self.and()?];
        while self.eat("||") {
            parts.push(self.and()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) })
    }

    fn and(&mut self) -> Option<Expr> {
        let mut parts = vec![self.not()?];
        while self.eat("&&") {
            parts.push(self.not()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) })
    }

    fn not(&mut self) -> Option<Expr> {
        if !self.rest.trim_start().starts_with("!=") && self.eat("!") {
            return Some(Expr::Not(Box::new(self.not()?)));
        }
        let left = self.operand()?;
        for (token, operator) in [
            ("==", Operator::Equal),
            ("!=", Operator::Unequal),
            ("<=", Operator::AtMost),
            (">=", Operator::AtLeast),
            ("<", Operator::Less),
            (">", Operator::More),
        ] {
            if self.eat(token) {
                return Some(Expr::Compare(left, operator, self.operand()?));
            }
        }
        Some(match left {
            Operand::Nested(expr) => *expr,
            other => Expr::Bool(other),
        })
    }

    fn operand(&mut self) -> Option<Operand> {
        if self.eat("(") {
            let inner = self.or()?;
            return self.eat(")").then(|| Operand::Nested(Box::new(inner)));
        }
        if self.eat("has(") {
            let path = self.path()?;
            return self.eat(")").then(|| Operand::Nested(Box::new(Expr::Has(path))));
        }
        if self.eat("size(") {
            let path = self.path()?;
            return self.eat(")").then_some(Operand::Size(path));
        }
        let trimmed = self.rest.trim_start();
        if let Some(quote) = trimmed.chars().next().filter(|c| matches!(c, '\'' | '"')) {
            let (text, rest) = trimmed.get(1..)?.split_once(quote)?;
            self.rest = rest;
            return Some(Operand::Literal(text.into()));
        }
        if trimmed.starts_with(|c: char| c.is_ascii_digit()) {
            let end = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
            let number: u64 = trimmed.get(..end)?.parse().ok()?;
            self.rest = trimmed.get(end..)?;
            return Some(Operand::Literal(number.into()));
        }
        for (word, value) in [("true", true), ("false", false)] {
            if self.eat(word) {
                return Some(Operand::Literal(value.into()));
            }
        }
        let mut path = self.path()?;
        let last = path.fields.last().map(String::as_str);
        if let Some(all) = last.filter(|word| matches!(*word, "all" | "exists")).map(|word| word == "all")
            && self.eat("(")
        {
            path.fields.pop();
            return self.each(path, all);
        }
        if path.fields.last().is_some_and(|last| last == "size") && self.eat("()") {
            path.fields.pop();
            return Some(Operand::Size(path));
        }
        Some(Operand::At(path))
    }

    /// After `list.all(`: the item's name, and what holds for it.
    fn each(&mut self, list: Path, all: bool) -> Option<Operand> {
        let (item, rest) = self.rest.split_once(',')?;
        let item = item.trim().to_owned();
        if !item.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        self.rest = rest;
        self.items.push(item.clone());
        let holds = Box::new(self.or()?);
        self.items.pop();
        self.eat(")").then(|| Operand::Nested(Box::new(Expr::Each { list, all, item, holds })))
    }

    fn path(&mut self) -> Option<Path> {
        let trimmed = self.rest.trim_start();
        let end = trimmed.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(trimmed.len());
        let mut words = trimmed.get(..end)?.split('.');
        let start = match words.next()? {
            "self" => Start::This,
            "oldSelf" => Start::Old,
            item if self.items.iter().any(|known| known == item) => Start::Item(item.to_owned()),
            _ => return None,
        };
        let fields: Vec<String> = words.map(Into::into).collect();
        self.rest = trimmed.get(end..)?;
        Some(Path { start, fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(rule: &str, value: &Value, old: Option<&Value>) -> bool {
        Rule::new(&json!({"rule": rule, "message": "no"})).check(value, old).is_ok()
    }

    #[test]
    fn reads_the_rules_that_definitions_use() {
        let both = json!({"a": {"b": [1, 2]}, "c": "x"});
        let one = json!({"c": "x"});
        assert!(holds("self == oldSelf", &both, Some(&both)));
        assert!(!holds("self == oldSelf", &both, Some(&one)));
        assert!(holds("self == oldSelf", &both, None), "a transition rule needs an old value");
        assert!(!holds("has(self.a) != has(self.c)", &both, None));
        assert!(holds("has(self.a) != has(self.c)", &one, None));
        assert!(!holds("!(has(self.a) && has(self.c))", &both, None));
        assert!(holds("!has(self.a) || size(self.a.b) <= 2", &both, None));
        assert!(!holds("self.a.b.size() > 2", &both, None));
        assert!(holds("self.c == 'x'", &one, None));
        assert!(!holds("!has(oldSelf.c) || self.c == oldSelf.c", &json!({"c": "y"}), Some(&one)));
    }

    #[test]
    fn goes_through_lists() {
        let apart = "self.a.all(x, !self.b.exists(y, y.name == x.name))";
        let lists = |a: &str, b: &str| json!({"a": [{"name": "k"}, {"name": a}], "b": [{"name": b}, {"name": "l"}]});
        assert!(holds(apart, &lists("m", "n"), None));
        assert!(!holds(apart, &lists("m", "m"), None));
        assert!(holds(&format!("!has(self.b) || {apart}"), &json!({"a": [{"name": "k"}]}), None));
        assert!(!holds("self.items.all(x, x > 1)", &json!({"items": [2, 0]}), None));
        assert!(holds("self.items.all(x, x > 1) && !self.items.exists(x, x == 2)", &json!({"items": []}), None));
        assert!(holds("self.items.all(x, x.y == 1)", &json!({"items": [{}]}), None), "who can't tell does not refuse");
    }

    #[test]
    fn leaves_other_rules_to_a_real_server() {
        assert!(holds("self.items.map(x, x > 1)", &json!({"items": [0]}), None));
        assert!(holds("self.items.all(x, z > 1)", &json!({"items": [0]}), None));
        assert!(holds("self.missing == 1", &json!({}), None));
    }
}
