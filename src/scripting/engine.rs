//! The language as scripts get it: values, text, JSON, TOML and YAML; no clock, no files, no eval.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rhai::{
    Dynamic, Engine, EvalAltResult, ImmutableString, Module, NativeCallContext, OptimizationLevel, Position, Scope,
    packages::{Package, StandardPackage},
    serde::to_dynamic,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::wire::scripts::{Context, Output};

/// Wall clock of one evaluation.
const LIMIT: Duration = Duration::from_millis(1500);
const MAX_LOG_LINES: usize = 100;
const MAX_LOG_LINE: usize = 500;

/// What a script gave, or where and why it failed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Output { output: Output, log: Vec<String> },
    Failed { line: Option<usize>, column: Option<usize>, message: String },
}

/// Runs a script to its end. Meant for the child process.
pub(crate) fn evaluate(source: &str, context: &Context, only_compile: bool) -> Verdict {
    // The library is known to panic on some scripts.
    catch_unwind(AssertUnwindSafe(|| inner(source, context, only_compile)))
        .unwrap_or_else(|_| failed(None, "the script made the interpreter panic".to_owned()))
}

fn inner(source: &str, context: &Context, only_compile: bool) -> Verdict {
    let log = Arc::new(Mutex::new(Vec::new()));
    let engine = engine(&log);
    let ctx = match to_dynamic(context) {
        Ok(ctx) => ctx,
        Err(e) => return failed(None, format!("the context cannot be handed over: {e}")),
    };
    let mut scope = Scope::new();
    scope.push_constant_dynamic("ctx", ctx);
    // Strict variables need the scope at compile time.
    let ast = match engine.compile_with_scope(&scope, source) {
        Ok(ast) => ast,
        Err(e) => return failed(Some(e.position()), e.err_type().to_string()),
    };
    if only_compile {
        return Verdict::Output { output: Output::default(), log: Vec::new() };
    }
    match engine.eval_ast_with_scope::<Dynamic>(&mut scope, &ast) {
        Ok(result) => match shape(&result) {
            Ok(output) => Verdict::Output { output, log: log.lock().unwrap_or_else(PoisonError::into_inner).clone() },
            Err(message) => failed(None, message),
        },
        Err(error) => {
            let inner = error.unwrap_inner();
            let position = if inner.position().is_none() { error.position() } else { inner.position() };
            failed(Some(position), message_of(inner))
        }
    }
}

fn failed(position: Option<Position>, message: String) -> Verdict {
    let message = printable(&message, 2000);
    Verdict::Failed { line: position.and_then(|p| p.line()), column: position.and_then(|p| p.position()), message }
}

/// The library adds the position to the text; we carry it apart.
fn message_of(error: &EvalAltResult) -> String {
    if let EvalAltResult::ErrorRuntime(thrown, _) = error {
        return match thrown.clone().into_string() {
            Ok(text) => text,
            Err(_) => serde_json::to_string(thrown).unwrap_or_else(|_| thrown.to_string()),
        };
    }
    let mut error = Box::new(copy_without_position(error));
    error.clear_position();
    error.to_string()
}

fn copy_without_position(error: &EvalAltResult) -> EvalAltResult {
    let text = error.to_string();
    let cut = text.rfind(" (line ").unwrap_or(text.len());
    EvalAltResult::ErrorSystem(text.get(..cut).unwrap_or(&text).to_owned(), "".into())
}

/// Result to data, naming the place that has the wrong form.
fn shape(result: &Dynamic) -> Result<Output, String> {
    if !result.is_map() {
        return Err(format!("the script must end with a map #{{ env, args, files }}, not with {}", result.type_name()));
    }
    let value: Value = rhai::serde::from_dynamic(result).map_err(|e| format!("the result is not plain data: {e}"))?;
    serde_path_to_error::deserialize(value).map_err(|e| format!("in the result, {}: {}", e.path(), e.inner()))
}

fn engine(log: &Arc<Mutex<Vec<String>>>) -> Engine {
    let mut engine = Engine::new_raw();
    // The optimizer panics on assignments to constants.
    engine.set_optimization_level(OptimizationLevel::None);
    engine.register_global_module(StandardPackage::new().as_shared_module());
    engine
        .set_max_operations(500_000)
        .set_max_expr_depths(64, 32)
        .set_max_call_levels(32)
        .set_max_string_size(256 * 1024)
        .set_max_array_size(10_000)
        .set_max_map_size(10_000)
        .set_max_modules(0)
        .set_max_functions(100)
        .set_max_variables(256)
        .set_strict_variables(true);
    for word in ["eval", "import", "export"] {
        engine.disable_symbol(word);
    }
    // `sleep` is in the language core and no progress call comes while it sleeps.
    engine.register_fn("sleep", |_: i64| -> Result<(), Box<EvalAltResult>> { Err("sleep is not allowed".into()) });
    engine.register_fn("sleep", |_: f64| -> Result<(), Box<EvalAltResult>> { Err("sleep is not allowed".into()) });
    let start = Instant::now();
    engine.on_progress(move |_| (start.elapsed() > LIMIT).then(|| Dynamic::from("took too long")));
    let lines = Arc::clone(log);
    engine.on_print(move |text| push(&lines, text));
    let lines = Arc::clone(log);
    engine.on_debug(move |text, _, position| push(&lines, &format!("[{position}] {text}")));
    engine.register_static_module("json", json().into());
    engine.register_static_module("toml", toml_module().into());
    engine.register_static_module("yaml", yaml().into());
    engine
}

fn push(log: &Mutex<Vec<String>>, text: &str) {
    let mut lines = log.lock().unwrap_or_else(PoisonError::into_inner);
    if lines.len() < MAX_LOG_LINES {
        lines.push(printable(text, MAX_LOG_LINE));
    }
}

/// Without control characters, so that no script can write to a terminal.
fn printable(text: &str, max: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(max).collect()
}

type Native<T> = Result<T, Box<EvalAltResult>>;

/// Errors of native functions have no position unless they are given one.
fn at(cx: &NativeCallContext<'_>, message: impl std::fmt::Display) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorRuntime(message.to_string().into(), cx.call_position()))
}

fn json() -> Module {
    let mut module = Module::new();
    module.set_native_fn("encode", |cx: NativeCallContext<'_>, value: Dynamic| -> Native<ImmutableString> {
        serde_json::to_string(&value).map(Into::into).map_err(|e| at(&cx, format!("json::encode: {e}")))
    });
    module.set_native_fn("pretty", |cx: NativeCallContext<'_>, value: Dynamic| -> Native<ImmutableString> {
        serde_json::to_string_pretty(&value).map(Into::into).map_err(|e| at(&cx, format!("json::pretty: {e}")))
    });
    module.set_native_fn("decode", |cx: NativeCallContext<'_>, text: &str| -> Native<Dynamic> {
        serde_json::from_str(text).map_err(|e| at(&cx, format!("json::decode: {e}")))
    });
    module
}

fn toml_module() -> Module {
    let mut module = Module::new();
    module.set_native_fn("encode", |cx: NativeCallContext<'_>, value: Dynamic| -> Native<ImmutableString> {
        toml::to_string_pretty(&value).map(Into::into).map_err(|e| at(&cx, format!("toml::encode: {e}")))
    });
    module.set_native_fn("decode", |cx: NativeCallContext<'_>, text: &str| -> Native<Dynamic> {
        toml::from_str(text).map_err(|e| at(&cx, format!("toml::decode: {}", e.message())))
    });
    module
}

fn yaml() -> Module {
    let mut module = Module::new();
    module.set_native_fn("encode", |cx: NativeCallContext<'_>, value: Dynamic| -> Native<ImmutableString> {
        serde_saphyr::to_string(&value).map(Into::into).map_err(|e| at(&cx, format!("yaml::encode: {e}")))
    });
    module.set_native_fn("decode", |cx: NativeCallContext<'_>, text: &str| -> Native<Dynamic> {
        serde_saphyr::from_str::<Value>(text)
            .map_err(|e| at(&cx, format!("yaml::decode: {e}")))
            .and_then(|value| to_dynamic(value).map_err(|e| at(&cx, e)))
    });
    module
}

#[cfg(test)]
mod tests;
