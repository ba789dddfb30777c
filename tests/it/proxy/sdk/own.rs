//! The SDKs accept our own upstream: what the matrix finds is the engine's.

use super::*;

fn check(format: Format) {
    let cast = Cast::start();
    let base = format!("http://127.0.0.1:{}", cast.port);
    let cases = cases(&[format], &script::NAMES, &[true, false], |_, name| name.to_owned());
    compare(format, &base, CLIENT_KEY, &cases, scripted(format));
}

for_each_client!(check);
