//! Whether `[probe]` and `[[balance]]` of a provider's manifest say what can be done.

use crate::wire::manifest::{Balance, Figure, ProviderManifest};

/// A path on the endpoint's own host: nothing in it can name another one.
fn own_path(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && path.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'#' | b'@'))
}

/// RFC 6901; the whole document is "".
fn pointer(text: &str) -> bool {
    text.is_empty() || text.starts_with('/')
}

pub(crate) fn check(manifest: &ProviderManifest) -> Result<(), (&'static str, String)> {
    let probe = manifest.probe.iter().flat_map(|p| p.models.iter().filter(|m| !m.is_empty()).chain(&p.check));
    if let Some(path) = probe.into_iter().find(|path| !own_path(path)) {
        return Err(("probe", format!("{path:?} is no path on the endpoint's host, such as /v1/models")));
    }
    manifest.balance.iter().try_for_each(|balance| check_balance(manifest, balance))
}

fn check_balance(manifest: &ProviderManifest, balance: &Balance) -> Result<(), (&'static str, String)> {
    if !own_path(&balance.path) {
        return Err(("balance.path", format!("{:?} is no path on the endpoint's host, such as /user/balance", balance.path)));
    }
    let known = |region: &String| manifest.endpoints.iter().any(|e| e.region.as_ref() == Some(region));
    if let Some(region) = balance.regions.iter().find(|r| !known(r)) {
        return Err(("balance.regions", format!("no endpoint has region {region:?}")));
    }
    if balance.figures.is_empty() {
        return Err(("balance.figures", "needs one".into()));
    }
    let status = balance.status.iter().flat_map(|s| [Some(&s.at), s.message.as_ref()]).flatten();
    let places = status.chain(balance.figures.iter().flat_map(places));
    if let Some(bad) = places.into_iter().find(|place| !pointer(place)) {
        return Err(("balance", format!("{bad:?} is no JSON pointer, such as /data/left")));
    }
    match balance.figures.iter().find(|f| f.left.is_none() && f.used.is_none()) {
        Some(figure) => Err(("balance.figures", format!("{:?} needs left or used", figure.name))),
        None if balance.figures.iter().any(|f| f.divide == Some(0)) => Err(("balance.figures", "nothing can be divided by 0".into())),
        None => Ok(()),
    }
}

fn places(figure: &Figure) -> impl Iterator<Item = &String> {
    let optional = [&figure.each, &figure.of, &figure.left, &figure.used, &figure.limit, &figure.unit_at, &figure.resets];
    optional.into_iter().flatten().chain(figure.when.keys())
}

#[cfg(test)]
mod tests {
    use crate::manifests::parse::provider;

    const GOOD: &str = "schema = 1\nid = \"x\"\nname = \"X\"\n[[endpoints]]\nregion = \"a\"\nformat = \"openai-chat\"\n\
        base_url = \"https://x.example/v1\"\nauth = \"bearer\"\n[probe]\nmodels = \"/v1/models\"\n[[balance]]\npath = \"/user/balance\"\n\
        regions = [\"a\"]\n[[balance.figures]]\nname = \"balance\"\nleft = \"/left\"\ndivide = 100\n";

    #[test]
    fn a_key_can_be_led_nowhere_else() {
        provider("x.toml", "x", GOOD).unwrap();
        for (from, to) in [
            ("/v1/models", "//evil.example/models"),
            ("/v1/models", "https://evil.example/"),
            ("/v1/models", "@evil.example"),
            ("\"/v1/models\"", "'/\\evil.example'"),
            ("/user/balance", "user/balance"),
            ("/user/balance", "/a b"),
            ("[\"a\"]", "[\"b\"]"),
            ("/left", "left"),
            ("divide = 100", "divide = 0"),
            ("left = ", "limit = "),
        ] {
            assert!(provider("x.toml", "x", &GOOD.replace(from, to)).is_err(), "{to}");
        }
    }
}
