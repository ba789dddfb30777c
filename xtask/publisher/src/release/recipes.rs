//! What other installers take: install.sh, a Homebrew formula, npm packages. Made from `assets/install`.

use serde_json::{Map, Value, json};

use super::{
    Built, Release,
    archive::{Entry, tarball},
    index::sha256,
};
use crate::{Outcome, json as pretty, read};

pub(crate) fn write(release: &Release) -> Outcome {
    let script = release.filled("assets/install/install.sh", &[])?;
    release.put("install.sh", script.as_bytes())?;
    formula(release)?;
    npm(release)
}

impl Release {
    /// A template with its `@NAMES@` filled in.
    fn filled(&self, file: &str, more: &[(&str, &str)]) -> Outcome<String> {
        let mut text = String::from_utf8(self.read(file)?).map_err(|e| format!("{file}: {e}"))?;
        let keys = self.keys.join(" ");
        let url = self.base_url.as_deref().unwrap_or_default();
        let common = [("VERSION", self.version.as_str()), ("BASE_URL", url), ("KEYS", &keys), ("NPM_NAME", &self.npm_name)];
        for (name, value) in common.iter().chain(more) {
            if value.contains(['\'', '"', '\\', '\n']) && *name != "SOURCES" {
                return Err(format!("{file}: {value:?} cannot be written into it"));
            }
            text = text.replace(&format!("@{name}@"), value);
        }
        Ok(text)
    }
}

/// Needs to know where this version stays.
fn formula(release: &Release) -> Outcome {
    let Some(url) = &release.version_url else {
        println!("no Homebrew formula: it needs --base-url");
        return Ok(());
    };
    let mut sources = String::new();
    for (system, part) in [("macos", "apple-darwin"), ("linux", "linux-musl")] {
        let mut inside = String::new();
        for (method, processor) in [("on_arm", "aarch64"), ("on_intel", "x86_64")] {
            let Some(built) = release.built.iter().find(|b| b.target.starts_with(processor) && b.target.ends_with(part)) else { continue };
            let file = format!("clown-{}-{}.tar.gz", release.version, built.target);
            let hash = sha256(&read(&release.out.join(&file))?);
            inside += &format!("    {method} do\n      url \"{url}/{file}\"\n      sha256 \"{hash}\"\n    end\n");
        }
        if !inside.is_empty() {
            sources += &format!("  on_{system} do\n{inside}  end\n\n");
        }
    }
    // A formula's description has no full stop and at most 80 characters.
    let description: String = release.description.trim_end_matches('.').chars().take(80).collect();
    let text = release.filled("assets/install/clown.rb", &[("DESCRIPTION", &description), ("HOMEPAGE", url), ("SOURCES", &sources)])?;
    release.put("clown.rb", text.as_bytes())
}

/// One package that starts the program, and one with the program for each system, of which npm takes the one that fits.
fn npm(release: &Release) -> Outcome {
    let mut optional = Map::new();
    for built in &release.built {
        let (os, cpu) = node_names(built)?;
        let name = format!("{}-{os}-{cpu}", release.npm_name);
        optional.insert(name.clone(), release.version.clone().into());
        let about = described(release, &name, json!({ "os": [os], "cpu": [cpu] }));
        let package = pretty(&about)?;
        let mut entries = vec![Entry { path: "package.json".into(), bytes: &package, mode: 0o644 }];
        entries.push(Entry { path: format!("bin/{}", built.name), bytes: &built.program, mode: 0o755 });
        entries.extend(built.files.iter().filter(|f| f.path.starts_with("LICENSE") || f.path.starts_with("THIRD")).map(Entry::from));
        release.put(&format!("npm-{name}-{}.tgz", release.version), &tarball("package", &entries, release.epoch)?)?;
    }
    let about = described(
        release,
        &release.npm_name,
        json!({ "bin": { "clown": "clown.js" }, "engines": { "node": ">=16" }, "optionalDependencies": optional }),
    );
    let (package, starter) = (pretty(&about)?, release.filled("assets/install/npm.js", &[])?);
    let readme = release.read("README.md")?;
    let entries = [("package.json", package.as_slice(), 0o644), ("clown.js", starter.as_bytes(), 0o755), ("README.md", &readme, 0o644)];
    let entries: Vec<Entry> = entries.into_iter().map(|(path, bytes, mode)| Entry { path: path.into(), bytes, mode }).collect();
    release.put(&format!("npm-{}-{}.tgz", release.npm_name, release.version), &tarball("package", &entries, release.epoch)?)
}

fn described(release: &Release, name: &str, more: Value) -> Value {
    let mut about = json!({ "name": name, "version": release.version, "description": release.description, "license": release.licence });
    if let (Value::Object(about), Value::Object(more)) = (&mut about, more) {
        about.extend(more);
    }
    about
}

/// System and processor as Node calls them.
fn node_names(built: &Built) -> Outcome<(&'static str, &'static str)> {
    let find = |names: &[(&str, &'static str)]| names.iter().find(|(part, _)| built.target.contains(part)).map(|(_, name)| *name);
    let os = find(&[("linux", "linux"), ("windows", "win32"), ("apple-darwin", "darwin")]);
    let cpu = find(&[("x86_64", "x64"), ("aarch64", "arm64")]);
    os.zip(cpu).ok_or_else(|| format!("npm has no names for {}", built.target))
}
