//! What the conditions of approval policies mean: CEL, evaluated on the facts of one case. A condition is short, knows no clock,
//! loops over lists one at a time, and is read and evaluated on a thread with room enough, one for all that is asked together:
//! whatever stands in it, the console goes on.

use cel::{
    Context, Env, ExecutionError, Value,
    common::ast::{EntryExpr, Expr, IdedEntryExpr, IdedExpr},
};
use domain::{
    policy::{Conditions, Facts, VARIABLES},
    reader::{nearest, quoted},
};
use serde_json::Value as Json;
use std::{
    cell::Cell,
    collections::HashMap,
    io,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// Expressions inside each other, in brackets.
const MOST_NESTED: u16 = 24;
/// Parts inside each other, of whatever kind: `a + b + c` has three.
const MOST_DEEP: usize = 64;
/// Conditions that are kept read; a policy has at most a hundred.
const MOST_KEPT: usize = 500;
/// Of the thread: far more than the deepest condition takes.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// Reads and evaluates conditions.
pub struct Cel {
    env: Arc<Env>,
    read: Mutex<HashMap<String, Arc<IdedExpr>>>,
}

impl Cel {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self { env: Arc::new(Env::stdlib().with_optional_support(false)), read: Mutex::default() }
    }

    fn expression(&self, condition: &str) -> Result<Arc<IdedExpr>, String> {
        let kept = || self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(expression) = kept().get(condition) {
            return Ok(Arc::clone(expression));
        }
        let env = Arc::clone(&self.env);
        let expression = Arc::new(apart(move || parse(&env, condition))??);
        let mut kept = kept();
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(condition.to_owned(), Arc::clone(&expression));
        Ok(expression)
    }

    fn evaluate(&self, expression: &IdedExpr, facts: &Facts) -> Result<bool, String> {
        apart(|| {
            let mut context = Context::with_env(Arc::clone(&self.env));
            for (name, value) in facts.variables() {
                context.add_variable_from_value(name, value_of(value));
            }
            match Value::resolve(expression, &context) {
                Ok(Value::Bool(holds)) => Ok(holds),
                Ok(other) => Err(format!("it comes to a {}, and must be true or false", other.type_of())),
                Err(ExecutionError::NoSuchKey(key)) => {
                    Err(format!("nothing may be said of {key}: ask has(…), or \"{key}\" in …, first"))
                }
                Err(error) => Err(error.to_string()),
            }
        })?
    }
}

impl Conditions for Cel {
    fn check(&self, condition: &str) -> Option<String> {
        let expression = match self.expression(condition) {
            Ok(expression) => expression,
            Err(why) => return Some(why),
        };
        Facts::samples().iter().find_map(|facts| self.evaluate(&expression, facts).err())
    }

    fn holds(&self, condition: &str, facts: &Facts) -> Result<bool, String> {
        let expression = self.expression(condition)?;
        self.evaluate(&expression, facts)
    }

    fn together(&self, work: &mut (dyn FnMut() + Send)) {
        if APART.get() {
            work();
            return;
        }
        let ended = thread::scope(|scope| {
            let running = stack().spawn_scoped(scope, || {
                APART.set(true);
                work();
            })?;
            Ok::<_, io::Error>(running.join())
        });
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(panic)) => resume_unwind(panic),
            // No thread for all of it: each condition asks for its own, and says so where it gets none.
            Err(_) => work(),
        }
    }
}

thread_local! {
    /// Whether this thread is one with room enough for conditions.
    static APART: Cell<bool> = const { Cell::new(false) };
}

fn stack() -> thread::Builder {
    thread::Builder::new().name("condition".into()).stack_size(STACK_BYTES)
}

/// Does something on a thread with room enough, this one or one of its own, and outlives it if it panics.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    let done = if APART.get() {
        catch_unwind(AssertUnwindSafe(work))
    } else {
        thread::scope(|scope| {
            let running = stack().spawn_scoped(scope, work).map_err(|error| error.to_string())?;
            Ok::<_, String>(running.join())
        })?
    };
    done.map_err(|_| "it can't be read; write it in another way".to_owned())
}

fn parse(env: &Env, condition: &str) -> Result<IdedExpr, String> {
    let parsed = env.parser().max_recursion_depth(MOST_NESTED).parse(condition);
    let expression = parsed.map_err(|errors| match errors.errors.first() {
        Some(first) => format!("this is no condition in CEL, at character {}: {}", first.pos.1, first.msg),
        None => "this is no condition in CEL".to_owned(),
    })?;
    let mut walk = Walk { bound: Vec::new(), looping: false };
    walk.through(&expression, 0)?;
    Ok(expression)
}

/// Looks at every part of an expression.
struct Walk<'e> {
    /// Names that loops give to the items.
    bound: Vec<&'e str>,
    looping: bool,
}

impl<'e> Walk<'e> {
    fn through(&mut self, part: &'e IdedExpr, depth: usize) -> Result<(), String> {
        if depth > MOST_DEEP {
            return Err("this condition is too deep; split it into several rules".into());
        }
        let next = depth + 1;
        match &part.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.known(name),
            Expr::Select(select) => self.through(&select.operand, next),
            Expr::Call(call) => {
                call.target.iter().map(|target| &**target).chain(&call.args).try_for_each(|one| self.through(one, next))
            }
            Expr::List(list) => list.elements.iter().try_for_each(|one| self.through(one, next)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| self.entry(entry, next)),
            Expr::Struct(made) => made.entries.iter().try_for_each(|entry| self.entry(entry, next)),
            Expr::Comprehension(each) => {
                self.through(&each.iter_range, next)?;
                if self.looping {
                    return Err("loop over one list at a time; split this into several rules".into());
                }
                self.looping = true;
                self.bound.extend([each.iter_var.as_str(), each.accu_var.as_str()]);
                self.bound.extend(each.iter_var2.as_deref());
                let parts = [&each.accu_init, &each.loop_cond, &each.loop_step, &each.result];
                let found = parts.into_iter().try_for_each(|one| self.through(one, next));
                self.bound.clear();
                self.looping = false;
                found
            }
        }
    }

    fn entry(&mut self, entry: &'e IdedEntryExpr, depth: usize) -> Result<(), String> {
        match &entry.expr {
            EntryExpr::StructField(field) => self.through(&field.value, depth),
            EntryExpr::MapEntry(entry) => {
                self.through(&entry.key, depth)?;
                self.through(&entry.value, depth)
            }
        }
    }

    fn known(&self, name: &str) -> Result<(), String> {
        let names = || VARIABLES.iter().map(|variable| variable.name);
        if self.bound.contains(&name) || names().any(|known| known == name) {
            return Ok(());
        }
        let advice = match nearest(name, names()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("known are {}", names().collect::<Vec<_>>().join(", ")),
        };
        Err(format!("there is no variable {}: {advice}", quoted(name)))
    }
}

/// A fact as CEL has it: whole numbers are `int`, others `double`.
fn value_of(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(flag),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => text.into(),
        Json::Array(items) => items.into_iter().map(value_of).collect::<Vec<Value>>().into(),
        Json::Object(members) => {
            members.into_iter().map(|(name, value)| (name, value_of(value))).collect::<HashMap<String, Value>>().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::policy::Measure;

    fn full() -> Facts {
        let [full, _] = Facts::samples();
        full
    }

    #[test]
    fn conditions_hold_or_do_not() {
        let cel = Cel::new();
        for (condition, holds) in [
            ("environment == 'production' && severity in ['high', 'critical']", true),
            ("risk == 'low' || target.name.startsWith('my-')", true),
            ("namespaces.all(n, n in ['payments', 'checkout'])", true),
            ("namespaces.exists(n, n == 'web')", false),
            ("'SCALE_TARGET_REPLICAS' in parameters && int(parameters.SCALE_TARGET_REPLICAS) < 2", true),
            ("has(model.confidence) && model.confidence >= 0.95", false),
            ("has(measured.low) && measured.low > 0.8 && measured.runs >= 20", true),
            ("playbook.matches('^oomkill-[a-z-]+$')", true),
            ("has(context.team) && context.team == 'checkout'", true),
        ] {
            assert_eq!(cel.check(condition), None, "{condition}");
            assert_eq!(cel.holds(condition, &full()), Ok(holds), "{condition}");
        }
    }

    #[test]
    fn what_is_written_about_the_variables_is_so() {
        let text = include_str!("../../docs/policies.md");
        for variable in VARIABLES {
            let row = format!("| `{}` | {} |", variable.name, variable.kind);
            assert!(text.contains(&row), "{row}");
        }
        let cel = Cel::new();
        for condition in [
            "size(namespaces) > 0 && namespaces.exists_one(n, n.endsWith('s'))",
            "namespaces.filter(n, n.contains('pay')).size() == 1 && namespaces.map(n, n + '-x') == ['payments-x']",
            "string(double(measured.runs)) != ''",
        ] {
            assert_eq!(cel.holds(condition, &full()), Ok(true), "{condition}");
        }
    }

    #[test]
    fn what_is_no_condition_is_told_before_it_is_needed() {
        let cel = Cel::new();
        for (condition, told) in [
            ("environment ==", "no condition in CEL"),
            ("enviroment == 'x'", "did you mean environment?"),
            ("size(environment)", "must be true or false"),
            ("model.confidence > 0.5", "ask has(…)"),
            ("parameters.MODE == 'x'", "MODE"),
            ("namespaces.all(n, namespaces.all(m, n == m))", "one list at a time"),
        ] {
            let why = cel.check(condition).unwrap_or_else(|| panic!("{condition} passed"));
            assert!(why.contains(told), "{condition}: {why}");
        }
    }

    #[test]
    fn nothing_that_is_written_brings_the_console_down() {
        let cel = Cel::new();
        let deep =
            ["(".repeat(250), "[".repeat(500), format!("{}1", "1+".repeat(249)), format!("a{}", ".a".repeat(249))];
        for condition in deep.iter().map(String::as_str).chain(["'\u{0}", "\\", "1 / 0 == 1", "x.?y", "`a`"]) {
            assert!(cel.check(condition).is_some(), "{condition}");
        }
    }

    #[test]
    fn what_is_asked_together_shares_a_thread() {
        let cel = Cel::new();
        let (mut threads, mut answers) = (Vec::new(), Vec::new());
        cel.together(&mut || {
            threads.push(thread::current().id());
            answers.push(cel.holds("1 / 0 == 1", &full()).is_err());
            answers.push(cel.holds("severity == 'high'", &full()) == Ok(true));
            cel.together(&mut || threads.push(thread::current().id()));
        });
        assert_eq!(answers, [true, true]);
        assert!(threads[0] == threads[1] && threads[0] != thread::current().id());
        let mut broken: Result<(), String> = Ok(());
        cel.together(&mut || broken = apart(|| panic!("as a condition may")));
        assert!(broken.is_err(), "what would bring the thread down is no answer, and no more than that");
    }

    #[test]
    fn nothing_measured_never_counts_as_zero() {
        let cel = Cel::new();
        let unknown = Facts { measured: None, confidence: None, ..full() };
        assert_eq!(cel.holds("measured.runs == 0", &unknown), Ok(true));
        assert_eq!(cel.holds("has(measured.rate)", &unknown), Ok(false));
        assert!(cel.holds("measured.rate < 0.5", &unknown).is_err());
        let known = Facts { measured: Measure::of(4, 1), ..full() };
        assert_eq!(cel.holds("has(measured.rate) && measured.rate < 0.5", &known), Ok(true));
    }
}
