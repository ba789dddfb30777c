//! Licences of every dependency against the list in deny.toml; more by cargo-deny where that is installed.

use std::fs;
use std::time::Duration;

use crate::outcome::{Failure, Outcome};
use crate::shell::{self, cargo, run};
use crate::{dirs, usage};

pub(crate) fn task(args: &[&str]) -> Outcome {
    usage::only(args, &[])?;
    check()
}

pub(crate) fn check() -> Outcome {
    own_check()?;
    if shell::works(&mut cargo(&["deny", "--version"])) {
        return run(&mut cargo(&["deny", "--locked", "check", "licenses", "bans", "sources", "advisories"]));
    }
    eprintln!("    advisories were NOT checked: cargo-deny is not installed (cargo install --locked cargo-deny)");
    Ok(())
}

fn own_check() -> Outcome {
    let path = dirs::root().join("deny.toml");
    let text = fs::read_to_string(&path).map_err(|err| Failure::new(format!("cannot read {}: {err}", path.display())))?;
    let allowed = allow_list(&text);
    let mut tree = cargo(&["tree", "--workspace", "--locked", "--target", "all", "--prefix", "none", "--format", "{p}\t{l}"]);
    let (ok, text) = shell::capture(&mut tree, Duration::from_secs(600))?;
    if !ok {
        return Err(Failure::new("`cargo tree` failed, so licences cannot be checked"));
    }
    let mut packages: Vec<(&str, &str)> = text.lines().filter_map(|line| line.trim_end_matches(" (*)").split_once('\t')).collect();
    packages.sort_unstable();
    packages.dedup();
    let bad: Vec<&(&str, &str)> = packages.iter().filter(|(_, licence)| !permits(licence, &allowed)).collect();
    for (package, licence) in &bad {
        eprintln!("    {package}: \"{licence}\"");
    }
    if !bad.is_empty() {
        return Err(Failure::new(format!("{} packages have no licence from the list in deny.toml", bad.len()))
            .hint("drop the dependency, or add the licence there after reading it"));
    }
    eprintln!("    {} packages, all under a permitted licence", packages.len());
    Ok(())
}

/// The quoted names in `allow = [ ... ]`, comments left out.
fn allow_list(deny: &str) -> Vec<String> {
    let lines = deny.lines().map(|line| line.split('#').next().unwrap_or_default());
    let inside = lines.skip_while(|line| !line.starts_with("allow")).take_while(|line| !line.starts_with(']'));
    inside.flat_map(|line| line.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Whether an SPDX expression can be met with the allowed licences. An empty one cannot.
fn permits(expression: &str, allowed: &[String]) -> bool {
    // "MIT/Apache-2.0" is the old spelling of OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let met = either(&mut rest, allowed);
    met && rest.is_empty()
}

fn either(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = both(words, allowed);
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        met |= both(words, allowed);
    }
    met
}

fn both(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = one(words, allowed);
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut &[&str], allowed: &[String]) -> bool {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let met = either(words, allowed);
            let [")", rest @ ..] = *words else {
                return false;
            };
            *words = rest;
            met
        }
        [name, "WITH", exception, rest @ ..] => {
            *words = rest;
            let full = format!("{name} WITH {exception}");
            allowed.contains(&full)
        }
        [name, rest @ ..] => {
            *words = rest;
            // "MPL-2.0+" leaves the choice of the version, so the plain one will do.
            allowed.iter().any(|licence| licence == name.trim_end_matches('+'))
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(expression: &str) -> bool {
        permits(expression, &["MIT".into(), "Apache-2.0".into(), "Apache-2.0 WITH LLVM-exception".into()])
    }

    #[test]
    fn expressions() {
        assert!(ok("MIT"));
        assert!(ok("MIT+"));
        assert!(ok("GPL-3.0 OR MIT"));
        assert!(ok("GPL-3.0/MIT"));
        assert!(ok("(MIT OR GPL-3.0) AND Apache-2.0"));
        assert!(ok("Apache-2.0 WITH LLVM-exception"));
        assert!(ok("MIT AND (GPL-2.0 OR (Apache-2.0 AND MIT))"));
        assert!(!ok(""));
        assert!(!ok("GPL-3.0"));
        assert!(!ok("MIT AND GPL-3.0"));
        assert!(!ok("MIT WITH LLVM-exception"));
        assert!(!ok("(MIT"));
        assert!(!ok("MIT GPL-3.0"));
    }

    #[test]
    fn the_list_is_read_from_deny_toml() {
        let text = "[licenses]\nallow = [\n  \"MIT\", # not \"GPL\"\n  \"ISC\",\n]\n[bans]\nx = \"y\"\n";
        assert_eq!(allow_list(text), ["MIT", "ISC"]);
    }
}
