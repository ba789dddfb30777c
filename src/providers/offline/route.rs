//! From method and path to a wire format. Prefixes and a missing `/v1` are accepted because agents
//! join base URLs differently: Claude Code adds `/v1/messages`, Codex only `/responses`.

use bytes::Bytes;
use serde_json::json;

use super::frames::json_reply;
use super::{Body, MODELS, Reply, Request, chat, messages, responses};

/// 2026-01-01T00:00:00Z. Models do not get newer with the clock.
const MODEL_CREATED: u64 = 1_767_225_600;
const MODEL_CREATED_AT: &str = "2026-01-01T00:00:00Z";

/// Answers one request. Never fails: what cannot be answered is a 400 or 404 reply.
pub fn answer(request: &Request<'_>) -> Reply {
    let mut tail = request.path.split('/').filter(|part| !part.is_empty()).rev();
    let last = tail.next().unwrap_or("");
    let before = tail.next().unwrap_or("");
    match (request.method, before, last) {
        ("GET" | "HEAD", "", "") | ("GET" | "HEAD", "api", "hello") => empty(),
        ("POST", "messages", "count_tokens") => messages::count_tokens(request),
        ("POST", _, "messages") => messages::reply(request),
        ("POST", "chat", "completions") => chat::reply(request),
        ("POST", _, "responses") => responses::reply(request),
        ("GET" | "HEAD", _, "models") => models(),
        ("GET" | "HEAD", "models", id) => json_reply(200, &model(id)),
        _ => not_found(request),
    }
}

fn empty() -> Reply {
    Reply { status: 200, content_type: "text/plain; charset=utf-8", body: Body::Full(Bytes::new()) }
}

/// `GET /v1/models`: the fields of both vendors in one object, so that either SDK can read it.
fn models() -> Reply {
    let data: Vec<_> = MODELS.iter().map(|id| model(id)).collect();
    json_reply(
        200,
        &json!({
            "object": "list",
            "data": data,
            "has_more": false,
            "first_id": MODELS.first(),
            "last_id": MODELS.last(),
        }),
    )
}

fn model(id: &str) -> serde_json::Value {
    json!({
        "id": id,
        "object": "model",
        "created": MODEL_CREATED,
        "owned_by": "offline",
        "type": "model",
        "display_name": id,
        "created_at": MODEL_CREATED_AT,
        "lifecycle": "active",
    })
}

/// The format is unknown here, so the body satisfies both vendors' error shapes.
fn not_found(request: &Request<'_>) -> Reply {
    let message = format!("offline: nothing answers {} {}", request.method, request.path);
    json_reply(
        404,
        &json!({
            "type": "error",
            "error": {
                "type": "not_found_error",
                "message": message,
                "param": null,
                "code": "not_found",
            },
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::super::frames::testing::{get, post, value};
    use super::*;

    #[test]
    fn every_path_is_found_with_any_prefix_and_without_v1() {
        let message = r#"{"messages":[{"role":"user","content":"hi"}]}"#;
        let input = r#"{"input":"hi"}"#;
        for (path, body) in [
            ("/v1/messages", message),
            ("/anthropic/v1/messages", message),
            ("/messages", message),
            ("/v1/messages/count_tokens", message),
            ("/openai/v1/chat/completions", message),
            ("/chat/completions", message),
            ("/v1/responses", input),
            ("/responses/", input),
        ] {
            assert_eq!(post(path, body).status, 200, "{path}");
        }
    }

    #[test]
    fn probes_are_empty_and_ok() {
        for (method, path) in [("HEAD", "/"), ("GET", "/"), ("HEAD", "/api/hello")] {
            let reply = answer(&Request { method, path, body: b"", now: 0 });
            assert_eq!(reply.status, 200);
            assert!(matches!(reply.body, Body::Full(bytes) if bytes.is_empty()));
        }
    }

    #[test]
    fn models_serve_both_vendors() {
        let list = value(&get("/v1/models"));
        assert_eq!(list["object"], "list");
        assert_eq!(list["has_more"], false);
        assert_eq!(list["data"][0]["id"], "offline-1");
        assert_eq!(list["data"][1]["display_name"], "offline-mini");
        assert_eq!(value(&get("/models/other"))["id"], "other");
    }

    #[test]
    fn anything_else_is_404_in_a_shape_both_vendors_read() {
        for reply in [get("/v1/messages"), post("/v1/embeddings", "{}")] {
            assert_eq!(reply.status, 404);
            let body = value(&reply);
            assert_eq!(body["type"], "error");
            assert_eq!(body["error"]["code"], "not_found");
        }
    }
}
