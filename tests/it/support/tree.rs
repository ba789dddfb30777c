//! Everything below some directories at one moment, so that a test can require that nothing changed.

use std::{
    collections::BTreeMap,
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
};

use clown::{
    base::paths::Paths,
    ipc::client::Client,
    wire::event::{Event, Since},
};

use super::TestHome;

/// Path to content. Locks, logs, sockets and the endpoint file are the daemon's own life and left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree(BTreeMap<PathBuf, Vec<u8>>);

impl Tree {
    pub fn of(dirs: &[&Path]) -> Self {
        let mut found = BTreeMap::new();
        let mut todo: Vec<PathBuf> = dirs.iter().map(|d| d.to_path_buf()).collect();
        while let Some(dir) = todo.pop() {
            for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
                let (path, kind) = (entry.path(), entry.file_type().unwrap());
                let name = entry.file_name().into_string().unwrap();
                if kind.is_socket() || name.ends_with(".lock") || matches!(name.as_str(), "logs" | "daemon-endpoint" | "cache") {
                    continue;
                }
                let content = if kind.is_dir() {
                    todo.push(path.clone());
                    b"directory".to_vec()
                } else if kind.is_symlink() {
                    format!("link to {}", std::fs::read_link(&path).unwrap().display()).into_bytes()
                } else {
                    std::fs::read(&path).unwrap()
                };
                found.insert(path, content);
            }
        }
        Self(found)
    }

    /// What differs, one path a line; empty when nothing does.
    pub fn changes(&self, after: &Self) -> String {
        let gone = self.0.keys().filter(|p| !after.0.contains_key(*p)).map(|p| format!("gone: {}\n", p.display()));
        let new = after.0.iter().filter(|(p, c)| self.0.get(*p) != Some(c)).map(|(p, _)| format!("new or changed: {}\n", p.display()));
        gone.chain(new).collect()
    }
}

impl TestHome {
    /// The home, clown's tree in it and the runtime directory.
    pub fn tree(&self) -> Tree {
        Tree::of(&[&self.home(), &self.runtime()])
    }

    /// Events the running daemon has sent.
    pub fn events(&self) -> Vec<Event> {
        let mut client = Client::connect(&Paths::at(self.root())).unwrap();
        let all = client.call(&Since { epoch: String::new(), seq: 0 }).unwrap();
        all.events
    }
}
