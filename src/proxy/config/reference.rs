//! References to the environment: `${X}`, `${{ X }}` and `os.environ/X`.

/// The text with every reference filled in; the name of the first variable that is missing otherwise.
pub fn fill(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    if let Some(name) = text.strip_prefix("os.environ/") {
        return env(name).ok_or_else(|| name.to_owned());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let (name, tail) = match after.strip_prefix('{') {
            Some(inner) => inner.split_once("}}"),
            None => after.split_once('}'),
        }
        .ok_or_else(|| after.to_owned())?;
        let name = name.trim();
        out.push_str(&env(name).ok_or_else(|| name.to_owned())?);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_is_filled_and_a_missing_variable_is_named() {
        let env = |name: &str| (name == "K").then(|| "v".to_owned());
        for (text, want) in [
            ("${K}", Ok("v")),
            ("${{ K }}", Ok("v")),
            ("os.environ/K", Ok("v")),
            ("a ${K} b ${{K}}", Ok("a v b v")),
            ("plain", Ok("plain")),
            ("${L}", Err("L")),
            ("os.environ/L", Err("L")),
            ("${K", Err("K")),
        ] {
            assert_eq!(fill(text, &env), want.map(str::to_owned).map_err(str::to_owned), "{text}");
        }
    }
}
