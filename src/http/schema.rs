//! What the wire types say of themselves: fields for queries, and the OpenAPI document.

use schemars::{Schema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    route::{BASE, Route},
    routes::ROUTES,
};
use crate::{
    base::error::{Error, Result},
    wire::{Call, Effect, http},
};

/// What a text in an address stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Whole,
    Number,
    Bool,
    /// Given again for each value.
    List(&'static Shape),
    /// Not for addresses.
    Other,
}

/// A field of a call that an address may give; one of an object inside has its name after a dot.
pub(super) struct Field {
    pub path: Vec<&'static str>,
    pub shape: Shape,
    required: bool,
    schema: Value,
}

impl Field {
    pub fn name(&self) -> String {
        self.path.join(".")
    }

    pub fn read(&self, text: &str) -> Result<Value> {
        let wrong = |what: &str| Error::invalid(format!("{} is {text:?}, and not {what}", self.name()));
        let shape = match self.shape {
            Shape::List(of) => *of,
            other => other,
        };
        match shape {
            Shape::Whole => match (text.parse::<u64>(), text.parse::<i64>()) {
                (Ok(n), _) => Ok(n.into()),
                (_, Ok(n)) => Ok(n.into()),
                _ => Err(wrong("a whole number")),
            },
            Shape::Number => text.parse::<f64>().ok().filter(|n| n.is_finite()).map(Value::from).ok_or_else(|| wrong("a number")),
            Shape::Bool => text.parse::<bool>().map(Value::from).map_err(|_| wrong("true or false")),
            _ => Ok(text.into()),
        }
    }
}

/// Fields of a call, those of one object inside it too.
pub(super) fn fields<C: Call>() -> Vec<Field> {
    let settings = SchemaSettings::draft2020_12().for_deserialize().with(|s| s.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<C>().to_value();
    let mut found = Vec::new();
    for (name, inner, required) in properties(&schema) {
        let name: &'static str = name.leak();
        if shape(&inner) == Shape::Other {
            for (below, innermost, _) in properties(&inner) {
                let below: &'static str = below.leak();
                found.push(Field { path: vec![name, below], shape: shape(&innermost), required: false, schema: innermost });
            }
        } else {
            found.push(Field { path: vec![name], shape: shape(&inner), required, schema: inner });
        }
    }
    found
}

fn properties(schema: &Value) -> Vec<(String, Value, bool)> {
    let required = |name: &str| schema["required"].as_array().is_some_and(|r| r.iter().any(|n| n == name));
    let of = schema["properties"].as_object().into_iter().flatten();
    of.map(|(name, inner)| (name.clone(), inner.clone(), required(name))).collect()
}

fn shape(schema: &Value) -> Shape {
    let null = |s: &&Value| s["type"] != "null";
    let choices = ["anyOf", "oneOf"].iter().find_map(|k| schema[*k].as_array());
    if let Some(choices) = choices {
        let mut shapes = choices.iter().filter(null).map(shape);
        let first = shapes.next().unwrap_or(Shape::Other);
        return if shapes.all(|s| s == first) { first } else { Shape::Other };
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|k| *k != "null"),
        kind => kind.as_str(),
    };
    match kinds {
        Some("string") => Shape::Text,
        Some("integer") => Shape::Whole,
        Some("number") => Shape::Number,
        Some("boolean") => Shape::Bool,
        Some("array") => match shape(&schema["items"]) {
            Shape::Text => Shape::List(&Shape::Text),
            Shape::Whole => Shape::List(&Shape::Whole),
            _ => Shape::Other,
        },
        _ => Shape::Other,
    }
}

/// Everything that is served below `/api/v1`, as OpenAPI 3.1. Types with one name are the same in every place; a type that
/// is read in another form than it is written has `In` behind its name there.
pub fn openapi() -> Value {
    let replies = SchemaSettings::draft2020_12().for_serialize().with(|s| s.definitions_path = "/components/schemas".into());
    let requests = SchemaSettings::draft2020_12().for_deserialize().with(|s| s.definitions_path = "/components/schemas".into());
    let (mut replies, mut requests) = (replies.into_generator(), requests.into_generator());
    let mut parts = Vec::new();
    for route in ROUTES.iter() {
        parts.push((route, value((route.request)(&mut requests)), value((route.reply)(&mut replies))));
    }
    requests.subschema_for::<http::Login>();
    requests.subschema_for::<http::ToServer>();
    replies.subschema_for::<http::FromServer>();
    replies.subschema_for::<http::Failed>();
    let mut written = replies.take_definitions(true);
    let mut read = requests.take_definitions(true);
    read.values_mut().for_each(close);
    join(&mut written, &mut read);
    let mut paths = Map::new();
    for (route, _, reply) in parts {
        let operation = operation(route, &written, &reply);
        let path = format!("{BASE}{}", route.pattern);
        let at = paths.entry(path).or_insert_with(|| json!({}));
        at[route.method.as_str().to_lowercase()] = operation;
    }
    paths.extend(others());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "clown",
            "version": crate::router::VERSION,
            "description": "What the daemon does, as resources. Every body is the one of the same call on the local socket.",
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": written,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "description": "The text of the file http-token." } },
        },
    })
}

fn value(schema: Schema) -> Value {
    schema.to_value()
}

/// What is read is read in full: an unknown field is refused.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let open = ["additionalProperties", "unevaluatedProperties", "allOf", "$ref"].iter().any(|k| fields.contains_key(*k));
            let choice = fields.contains_key("oneOf") || fields.contains_key("anyOf");
            if fields.get("type").is_some_and(|t| t == "object") && !open {
                let word = if choice { "unevaluatedProperties" } else { "additionalProperties" };
                fields.insert(word.into(), false.into());
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// One list of both: what is equal once, what differs under another name.
fn join(written: &mut Map<String, Value>, read: &mut Map<String, Value>) {
    loop {
        let other: Vec<String> = read.iter().filter(|(n, s)| written.get(*n).is_some_and(|w| w != *s)).map(|(n, _)| n.clone()).collect();
        if other.is_empty() {
            break;
        }
        // A name changes what refers to it, which may then differ too.
        for name in &other {
            if let Some(schema) = read.remove(name) {
                read.insert(format!("{name}In"), schema);
            }
            let (from, to) = (format!("#/components/schemas/{name}"), format!("#/components/schemas/{name}In"));
            read.values_mut().for_each(|schema| rename(schema, &from, &to));
        }
    }
    written.extend(std::mem::take(read));
    written.sort_keys();
}

fn rename(schema: &mut Value, from: &str, to: &str) {
    match schema {
        Value::Object(fields) => fields.iter_mut().for_each(|(key, inner)| match inner {
            Value::String(text) if key == "$ref" && text == from => *text = to.to_owned(),
            other => rename(other, from, to),
        }),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, from, to)),
        _ => {}
    }
}

fn failures(codes: &[u16]) -> Map<String, Value> {
    let failed = json!({ "$ref": "#/components/schemas/Failed" });
    let of = |_| json!({ "description": "refused or failed", "content": { "application/json": { "schema": failed } } });
    codes.iter().map(|code| (code.to_string(), of(code))).collect()
}

fn operation(route: &Route, types: &Map<String, Value>, reply: &Value) -> Value {
    let mut responses = failures(&[400, 401, 403, 404, 405, 408, 409, 413, 415, 421, 422, 500, 502, 503]);
    responses.insert("200".into(), json!({ "description": "done", "content": { "application/json": { "schema": reply } } }));
    responses.sort_keys();
    let mut parameters: Vec<Value> = Vec::new();
    let in_path: Vec<&str> = route.path_fields().collect();
    for field in &route.fields {
        let name = field.name();
        if in_path.contains(&name.as_str()) {
            parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": field.schema }));
        } else if !route.has_body() {
            parameters.push(json!({ "name": name, "in": "query", "required": field.required, "schema": not_null(&field.schema) }));
        }
    }
    if route.effect == Effect::Once {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "The same key again, within 15 minutes, gives the first answer and does nothing.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[0-9A-Za-z_.-]+$" },
        }));
    }
    let of = |name: &str| types.get(name).unwrap_or(&Value::Null);
    let request = pascal(route.call);
    let request = if types.contains_key(&format!("{request}In")) { format!("{request}In") } else { request };
    let schema = of(&request);
    let mut operation = json!({ "operationId": route.call, "parameters": parameters, "responses": responses });
    if let Some(text) = schema["description"].as_str() {
        operation["description"] = text.into();
    }
    if route.has_body() {
        operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": body_of(schema, &in_path) } } });
    }
    operation
}

/// A parameter that is given is given as a value.
fn not_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(kinds) = schema["type"].as_array() {
        let kinds: Vec<Value> = kinds.iter().filter(|k| *k != "null").cloned().collect();
        schema["type"] = if let [one] = kinds.as_slice() { one.clone() } else { kinds.into() };
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        schema["anyOf"] = choices.iter().filter(|c| c["type"] != "null").cloned().collect();
    }
    if let Value::Object(fields) = &mut schema {
        fields.remove("default");
    }
    schema
}

/// Without what the address says.
fn body_of(schema: &Value, in_path: &[&str]) -> Value {
    let mut schema = schema.clone();
    if let Some(fields) = schema["properties"].as_object_mut() {
        fields.retain(|name, _| !in_path.contains(&name.as_str()));
    }
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|name| !name.as_str().is_some_and(|n| in_path.contains(&n)));
    }
    schema
}

/// `proxy.add-key` as `ProxyAddKey`, as its type is named in `wire`.
fn pascal(call: &str) -> String {
    let words = call.split(['.', '-']);
    words.map(|w| w.chars().take(1).flat_map(char::to_uppercase).chain(w.chars().skip(1)).collect::<String>()).collect()
}

/// What is no call.
fn others() -> Map<String, Value> {
    let ok = |kind: &str, what: &str| json!({ "description": what, "content": { kind: { "schema": { "type": "string" } } } });
    let with = |status: &str, reply: Value, codes: &[u16]| {
        let mut responses = failures(codes);
        responses.insert(status.into(), reply);
        responses
    };
    let login = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Login" } } });
    let document = json!({ "description": "this document", "content": { "application/json": { "schema": { "type": "object" } } } });
    let text = |name: &str, place: &str| json!({ "name": name, "in": place, "schema": { "type": "string" } });
    let all = [
        (
            format!("{BASE}/login"),
            "post",
            json!({
                "operationId": "login", "description": "Buys a cookie with what a login link holds, once.", "security": [],
                "requestBody": { "required": true, "content": login },
                "responses": with("204", json!({ "description": "the cookie is set" }), &[400, 401, 403, 405, 408, 413, 415, 421, 500]),
            }),
        ),
        (
            format!("{BASE}/logout"),
            "post",
            json!({
                "operationId": "logout", "description": "Ends the session of the cookie.",
                "requestBody": { "required": true, "content": { "application/json": { "schema": { "type": "object", "additionalProperties": false } } } },
                "responses": with("204", json!({ "description": "the cookie is gone" }), &[400, 401, 403, 405, 408, 413, 415, 421]),
            }),
        ),
        (
            format!("{BASE}/events"),
            "get",
            json!({
                "operationId": "events", "description": "Events as they happen, as a stream of server-sent events.",
                "parameters": [text("topics", "query"), text("Last-Event-ID", "header")],
                "responses": with("200", ok("text/event-stream", "events"), &[400, 401, 403, 405, 421, 503]),
            }),
        ),
        (
            format!("{BASE}/openapi.json"),
            "get",
            json!({
                "operationId": "openapi", "responses": with("200", document, &[400, 401, 403, 405, 421]),
            }),
        ),
    ];
    all.into_iter().map(|(path, method, operation)| (path, json!({ method: operation }))).collect()
}
