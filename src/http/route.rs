//! One line of the table: what it matches, and how a request becomes the body of its call.

use hyper::Method;
use percent_encoding::percent_decode_str;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};

use super::schema::{Field, Shape, fields};
use crate::{
    base::error::{Error, Result, closest},
    wire::{Call, Effect},
};

pub const BASE: &str = "/api/v1";

pub struct Route {
    pub method: Method,
    /// Below `/api/v1`, with fields in braces.
    pub pattern: &'static str,
    pub call: &'static str,
    pub effect: Effect,
    /// Touches memory only, so it may be answered without another thread.
    pub quick: bool,
    pub(super) request: fn(&mut SchemaGenerator) -> Schema,
    pub(super) reply: fn(&mut SchemaGenerator) -> Schema,
    /// Fields of a body that nobody would read.
    unread: fn(&Value) -> Vec<String>,
    /// What the path and the query may say.
    pub(super) fields: Vec<Field>,
}

/// What the table says of an address.
pub(super) enum Found<'r, 'p> {
    Route(&'r Route, Vec<&'p str>),
    /// Only these methods.
    Methods(Vec<Method>),
    Nothing,
}

impl Route {
    pub(super) fn of<C: Call>(method: &Method, pattern: &'static str) -> Self {
        Self {
            method: method.clone(),
            pattern,
            call: C::NAME,
            effect: C::EFFECT,
            quick: false,
            request: |g| g.subschema_for::<C>(),
            reply: |g| g.subschema_for::<C::Reply>(),
            unread: |body| {
                let mut unread = Vec::new();
                // What is wrong with the rest is the router's to say.
                let _ = serde_ignored::deserialize::<_, _, C>(body, |path| unread.push(path.to_string()));
                unread
            },
            fields: fields::<C>(),
        }
    }

    pub(super) fn quick(mut self) -> Self {
        self.quick = true;
        self
    }

    /// Whether the call's fields come as JSON; else they come in the query.
    pub fn has_body(&self) -> bool {
        matches!(self.method, Method::POST | Method::PUT | Method::PATCH)
    }

    pub fn path_fields(&self) -> impl Iterator<Item = &'static str> {
        self.pattern.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    fn matches<'p>(&self, path: &'p str) -> Option<Vec<&'p str>> {
        let mut values = Vec::new();
        let mut given = path.split('/');
        for part in self.pattern.split('/') {
            let value = given.next()?;
            if part.starts_with('{') {
                if value.is_empty() {
                    return None;
                }
                values.push(value);
            } else if part != value {
                return None;
            }
        }
        given.next().is_none().then_some(values)
    }

    /// The body of the call.
    pub(super) fn body(&self, values: &[&str], query: Option<&str>, bytes: &[u8]) -> Result<Value> {
        let mut body = Map::new();
        if self.has_body() {
            if !bytes.is_empty() {
                // It may hold a key, so nothing of it is quoted.
                let parsed: Value = serde_json::from_slice(bytes)
                    .map_err(|e| Error::invalid(format!("the body is not JSON: line {}, column {}", e.line(), e.column())))?;
                let Value::Object(fields) = parsed else { return Err(Error::invalid("the body is not a JSON object")) };
                body = fields;
            }
            if query.is_some_and(|q| !q.is_empty()) {
                return Err(Error::invalid("this address takes no query").hint("send the fields as JSON"));
            }
        } else {
            self.read_query(query.unwrap_or_default(), &mut body)?;
        }
        for (name, value) in self.path_fields().zip(values) {
            let text =
                percent_decode_str(value).decode_utf8().map_err(|_| Error::invalid(format!("{name} in the address is not UTF-8")))?;
            let field = self.fields.iter().find(|f| f.path == [name]);
            let value = field.map_or(Ok(Value::from(text.as_ref())), |field| field.read(&text))?;
            if body.insert(name.to_owned(), value).is_some() {
                return Err(Error::invalid(format!("{name} stands in the address and in what was sent")));
            }
        }
        let body = Value::Object(body);
        if let Some(name) = (self.unread)(&body).first() {
            let error = Error::invalid(format!("{} has no field {name:?}", self.call));
            return Err(error.did_you_mean(name, self.fields.iter().filter_map(|f| f.path.first().copied())));
        }
        Ok(body)
    }

    fn read_query(&self, query: &str, body: &mut Map<String, Value>) -> Result<()> {
        for (name, text) in form_urlencoded::parse(query.as_bytes()) {
            let in_path = |field: &Field| self.path_fields().any(|p| field.path == [p]);
            let Some(field) = self.fields.iter().find(|f| f.name() == name && !in_path(f)) else {
                let error = Error::invalid(format!("{} has no parameter {name:?}", self.call));
                let names: Vec<String> = self.fields.iter().map(Field::name).collect();
                return Err(match closest(&name, names.iter().map(String::as_str)) {
                    Some(near) => error.hint(format!("did you mean {near}")),
                    None => error,
                });
            };
            let value = field.read(&text)?;
            let (last, above) = field.path.split_last().ok_or_else(|| Error::defect("a field without a name"))?;
            let mut at = &mut *body;
            for part in above {
                let inner = at.entry(*part).or_insert_with(|| Value::Object(Map::new()));
                at = inner.as_object_mut().ok_or_else(|| Error::invalid(format!("{part} was given as a value already")))?;
            }
            if matches!(field.shape, Shape::List(_)) {
                match at.entry(*last).or_insert_with(|| Value::Array(Vec::new())) {
                    Value::Array(list) => list.push(value),
                    _ => return Err(Error::defect("a list is none")),
                }
            } else if at.insert((*last).to_owned(), value).is_some() {
                return Err(Error::invalid(format!("{name} is given twice")));
            }
        }
        Ok(())
    }
}

/// Fixed words go before fields.
pub(super) fn find<'r, 'p>(routes: &'r [Route], method: &Method, path: &'p str) -> Found<'r, 'p> {
    let mut best: Option<(&Route, Vec<&str>)> = None;
    let mut methods = Vec::new();
    for route in routes {
        let Some(values) = route.matches(path) else { continue };
        methods.push(route.method.clone());
        if route.method == *method && best.as_ref().is_none_or(|(_, v)| values.len() < v.len()) {
            best = Some((route, values));
        }
    }
    match best {
        Some((route, values)) => Found::Route(route, values),
        None if methods.is_empty() => Found::Nothing,
        None => Found::Methods(methods),
    }
}
