//! The web UI's types of the API are those of `wire`. After a wanted change: `CLOWN_WRITE_TYPES=1 cargo test --test it http::types`.

use std::{fmt::Write, path::Path};

use serde_json::Value;

const FILE: &str = "assets/ui/src/api.d.ts";

#[test]
fn the_types_of_the_web_ui_are_those_of_the_wire() {
    let made = typescript(&clown::http::openapi());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if std::env::var_os("CLOWN_WRITE_TYPES").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differ = made.lines().zip(kept.lines()).find(|(a, b)| a != b);
    assert!(
        made == kept,
        "{FILE} is not what wire says, first at {differ:?}; make it again: CLOWN_WRITE_TYPES=1 cargo test --test it http::types"
    );
}

fn typescript(document: &Value) -> String {
    let mut out = String::from("// Made from src/wire by a test (tests/it/http/types.rs). Do not edit.\n");
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        comment(&mut out, schema, "");
        writeln!(out, "export type {name} = {};", of(schema, "")).unwrap();
    }
    out.push_str("\n/** Every address: what it takes and gives. */\nexport interface Routes {\n");
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            route(&mut out, &format!("{} {path}", method.to_uppercase()), operation);
        }
    }
    out.push_str("}\n");
    out
}

fn route(out: &mut String, name: &str, operation: &Value) {
    comment(out, operation, "  ");
    writeln!(out, "  \"{name}\": {{").unwrap();
    for place in ["path", "query"] {
        let fields = operation["parameters"].as_array().into_iter().flatten().filter(|p| p["in"] == place);
        let fields: Vec<String> = fields
            .map(|p| {
                let value = of(&p["schema"], "    ");
                let value = if place == "path" { "string | number".into() } else { value };
                format!("{:?}{}: {value}", p["name"].as_str().unwrap(), if p["required"] == true { "" } else { "?" })
            })
            .collect();
        if !fields.is_empty() {
            writeln!(out, "    {place}: {{ {} }};", fields.join("; ")).unwrap();
        }
    }
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        writeln!(out, "    body: {};", of(body, "    ")).unwrap();
    }
    let reply = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    writeln!(out, "    reply: {};\n  }};", if reply.is_null() { "void".into() } else { of(reply, "    ") }).unwrap();
}

fn comment(out: &mut String, schema: &Value, indent: &str) {
    if let Some(text) = schema["description"].as_str() {
        writeln!(out, "{indent}/** {} */", text.replace("*/", "* /").replace('\n', &format!("\n{indent} * "))).unwrap();
    }
}

/// A schema as a type.
fn of(schema: &Value, indent: &str) -> String {
    if let Some(value) = schema.get("const") {
        return value.to_string();
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    let mut all: Vec<String> = schema["$ref"].as_str().map(|name| name.rsplit('/').next().unwrap().to_owned()).into_iter().collect();
    for word in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[word].as_array() {
            let choices: Vec<String> = choices.iter().map(|c| of(c, indent)).collect();
            all.push(if choices.len() == 1 { choices.concat() } else { format!("({})", choices.join(" | ")) });
        }
    }
    all.extend(schema["allOf"].as_array().into_iter().flatten().map(|part| of(part, indent)));
    let named = schema["type"].as_str().filter(|kind| *kind != "object" || all.is_empty() || schema.get("properties").is_some());
    if let Some(kind) = named {
        all.push(simple(kind, schema, indent));
    } else if let Some(kinds) = schema["type"].as_array() {
        let kinds: Vec<String> = kinds.iter().map(|kind| simple(kind.as_str().unwrap(), schema, indent)).collect();
        all.push(format!("({})", kinds.join(" | ")));
    }
    if all.is_empty() { "unknown".into() } else { all.join(" & ") }
}

fn simple(kind: &str, schema: &Value, indent: &str) -> String {
    match kind {
        "integer" | "number" => "number".into(),
        "array" => match schema["prefixItems"].as_array() {
            Some(items) => format!("[{}]", items.iter().map(|item| of(item, indent)).collect::<Vec<_>>().join(", ")),
            None => format!("Array<{}>", of(&schema["items"], indent)),
        },
        "object" => object(schema, indent),
        other => other.into(),
    }
}

fn object(schema: &Value, indent: &str) -> String {
    let deeper = format!("{indent}  ");
    let Some(fields) = schema["properties"].as_object().filter(|f| !f.is_empty()) else {
        return match &schema["additionalProperties"] {
            Value::Bool(false) => "Record<string, never>".into(),
            Value::Object(_) => format!("Record<string, {}>", of(&schema["additionalProperties"], indent)),
            _ => "Record<string, unknown>".into(),
        };
    };
    let mut out = String::from("{\n");
    for (name, inner) in fields {
        let required = schema["required"].as_array().is_some_and(|r| r.iter().any(|n| n == name));
        comment(&mut out, inner, &deeper);
        writeln!(out, "{deeper}{name}{}: {};", if required { "" } else { "?" }, of(inner, &deeper)).unwrap();
    }
    out + indent + "}"
}
