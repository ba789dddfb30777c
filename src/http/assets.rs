//! The web UI's files, compiled in.

use std::{collections::HashMap, sync::LazyLock};

use hyper::{
    Method,
    header::{self, HeaderMap, HeaderValue},
};
use include_dir::{Dir, include_dir};

use super::body::{Reply, whole};

static DIST: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/assets/dist");

struct Asset {
    kind: &'static str,
    etag: HeaderValue,
    plain: &'static [u8],
    /// As the build compressed them, best first.
    packed: Vec<(&'static str, &'static [u8])>,
    /// Named by its content: it never changes.
    frozen: bool,
}

static ASSETS: LazyLock<HashMap<String, Asset>> = LazyLock::new(|| {
    let mut found = HashMap::new();
    gather(&DIST, &mut found);
    found
});

fn gather(dir: &'static Dir<'static>, found: &mut HashMap<String, Asset>) {
    dir.dirs().for_each(|dir| gather(dir, found));
    for file in dir.files() {
        let path = file.path().to_string_lossy().replace('\\', "/");
        let Some(kind) = kind(&path) else { continue };
        let packed = [("br", "br"), ("gzip", "gz")];
        let packed = packed.iter().filter_map(|(name, end)| Some((*name, DIST.get_file(format!("{path}.{end}"))?.contents()))).collect();
        let tag = format!("\"{}\"", blake3::hash(file.contents()).to_hex().chars().take(20).collect::<String>());
        let Ok(etag) = HeaderValue::from_str(&tag) else { continue };
        let address = if path == "index.html" { "/".to_owned() } else { format!("/{path}") };
        let frozen = path.starts_with("assets/");
        found.insert(address, Asset { kind, etag, plain: file.contents(), packed, frozen });
    }
}

/// `None` for what is not served by itself, compressed forms among it.
fn kind(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

pub(super) fn has(path: &str) -> bool {
    ASSETS.contains_key(path)
}

/// A file, or what stands for it; `None` where there is none. The method is GET or HEAD.
pub(super) fn reply(path: &str, method: &Method, headers: &HeaderMap) -> Option<Reply> {
    let asset = ASSETS.get(path)?;
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|v| v.to_str().is_ok_and(|v| names(v, &asset.etag)));
    let packed = asset.packed.iter().find(|(name, _)| accepts(headers, name));
    let mut reply = match (known, packed) {
        (true, _) => whole(304, "", &[][..]),
        (_, Some((_, bytes))) => whole(200, asset.kind, *bytes),
        (_, None) => whole(200, asset.kind, asset.plain),
    };
    let out = reply.headers_mut();
    if let Some((name, _)) = packed.filter(|_| !known) {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    out.insert(header::ETAG, asset.etag.clone());
    let keep = if asset.frozen { "public, max-age=31536000, immutable" } else { "no-cache" };
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    if *method == Method::HEAD {
        let length = if known { 0 } else { packed.map_or(asset.plain.len(), |(_, bytes)| bytes.len()) };
        out.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        *reply.body_mut() = super::body::Body::Whole(None);
    }
    Some(reply)
}

fn names(list: &str, etag: &HeaderValue) -> bool {
    list.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/").as_bytes() == etag.as_bytes())
}

/// Whether the client takes this encoding; a weight of 0 is a no.
fn accepts(headers: &HeaderMap, name: &str) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts.next().is_some_and(|n| n.eq_ignore_ascii_case(name));
        named && !parts.any(|p| p.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, value: &str) -> HeaderMap {
        [(header::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn the_first_page_is_there_and_confirmed_by_its_tag() {
        let first = reply("/", &Method::GET, &HeaderMap::new()).unwrap();
        assert_eq!(
            (first.status().as_u16(), &first.headers()["content-type"]),
            (200, &HeaderValue::from_static("text/html; charset=utf-8"))
        );
        let tag = first.headers()["etag"].to_str().unwrap().to_owned();
        assert_eq!(reply("/", &Method::GET, &of("if-none-match", &format!("W/\"x\", {tag}"))).unwrap().status(), 304);
        assert_eq!(reply("/", &Method::GET, &of("if-none-match", "\"x\"")).unwrap().status(), 200);
        assert!(reply("/index.html", &Method::GET, &HeaderMap::new()).is_none());
    }

    #[test]
    fn an_encoding_is_taken_as_it_was_offered() {
        assert!(accepts(&of("accept-encoding", "gzip, br;q=0.5"), "br"));
        assert!(!accepts(&of("accept-encoding", "gzip, br;q=0"), "br"));
        assert!(!accepts(&of("accept-encoding", "brx"), "br"));
    }
}
