//! Who put a program where it is, and so is the one to replace or remove it.

use std::path::{Component, Path};

/// Where dpkg lists the files of a package of our name.
const DPKG_LIST: &str = "/var/lib/dpkg/info/clown.list";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manager {
    Dpkg,
    Homebrew,
    /// With the name of the package that people ask for.
    Npm(String),
    Cargo,
    Nix,
}

impl Manager {
    /// `None` for a program that somebody copied there, or that install.sh did. `program`: absolute, links resolved.
    pub fn of(program: &Path) -> Option<Self> {
        Self::with(program, Path::new(DPKG_LIST))
    }

    fn with(program: &Path, dpkg_list: &Path) -> Option<Self> {
        let parts: Vec<&str> =
            program.components().filter_map(|c| if let Component::Normal(part) = c { part.to_str() } else { None }).collect();
        if parts.contains(&"Cellar") {
            return Some(Self::Homebrew);
        }
        if let Some(at) = parts.iter().rposition(|part| *part == "node_modules") {
            // `clown-linux-x64` came with `clown`.
            let package =
                parts.get(at + 1..).unwrap_or_default().iter().take_while(|p| **p != "bin").copied().collect::<Vec<_>>().join("/");
            let name = package.rsplitn(3, '-').nth(2).unwrap_or(&package).to_owned();
            return Some(Self::Npm(name));
        }
        if program.starts_with("/nix/store") {
            return Some(Self::Nix);
        }
        let list = std::fs::read_to_string(dpkg_list).unwrap_or_default();
        if list.lines().any(|line| Path::new(line) == program) {
            return Some(Self::Dpkg);
        }
        let crates = program.parent().and_then(Path::parent).map(|dir| dir.join(".crates.toml"))?;
        let noted = std::fs::read_to_string(crates).is_ok_and(|text| text.lines().any(|line| line.starts_with("\"clown ")));
        noted.then_some(Self::Cargo)
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Dpkg => "dpkg",
            Self::Homebrew => "Homebrew",
            Self::Npm(_) => "npm",
            Self::Cargo => "cargo",
            Self::Nix => "Nix",
        }
    }

    /// The command that brings a newer one.
    pub fn update(&self) -> String {
        match self {
            Self::Dpkg => "sudo apt install ./clown_VERSION_ARCHITECTURE.deb, with the .deb of the newer release".to_owned(),
            Self::Homebrew => "brew upgrade clown".to_owned(),
            Self::Npm(name) => format!("npm install -g {name}@latest"),
            Self::Cargo => "cargo install --force clown, as you installed it".to_owned(),
            Self::Nix => "the configuration that Nix installed it from".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_program_says_whose_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("clown.list");
        std::fs::write(&list, "/.\n/usr/bin\n/usr/bin/clown\n").unwrap();
        let cargo = dir.path().join("cargo/bin/clown");
        std::fs::create_dir_all(cargo.parent().unwrap()).unwrap();
        std::fs::write(dir.path().join("cargo/.crates.toml"), "[v1]\n\"clown 0.1.0 (path+file:///x)\" = [\"clown\"]\n").unwrap();
        let npm = |path: &str, name: &str| assert_eq!(Manager::with(Path::new(path), &list), Some(Manager::Npm(name.into())), "{path}");
        npm("/usr/lib/node_modules/clown-linux-x64/bin/clown", "clown");
        npm("/usr/lib/node_modules/clown/node_modules/clown-darwin-arm64/bin/clown", "clown");
        npm("/x/node_modules/@some/run-clown-linux-x64/bin/clown", "@some/run-clown");
        for (path, manager) in [
            ("/opt/homebrew/Cellar/clown/0.1.0/bin/clown", Some(Manager::Homebrew)),
            ("/nix/store/abc-clown/bin/clown", Some(Manager::Nix)),
            ("/usr/bin/clown", Some(Manager::Dpkg)),
            ("/usr/local/bin/clown", None),
            ("/home/u/.local/bin/clown", None),
            (cargo.to_str().unwrap(), Some(Manager::Cargo)),
        ] {
            assert_eq!(Manager::with(Path::new(path), &list), manager, "{path}");
        }
        assert_eq!(Manager::with(Path::new("/usr/bin/clown"), &dir.path().join("none")), None);
    }
}
