//! A registry's files as a sync leaves them, without one.

use std::os::unix::fs::symlink;

use super::TestHome;

impl TestHome {
    /// Makes a commit of these files (path in it, text) and the link to it.
    pub fn registry(&self, files: &[(&str, &str)]) {
        let id = blake3::hash(format!("{files:?}").as_bytes()).to_hex()[..40].to_owned();
        let root = self.root().join("registry");
        let commit = root.join("commits").join(&id);
        std::fs::create_dir_all(&commit).unwrap();
        for (path, text) in files {
            self.write(commit.join(path), text);
        }
        let new = root.join(".new");
        symlink(format!("commits/{id}"), &new).unwrap();
        std::fs::rename(new, root.join("current")).unwrap();
    }
}
