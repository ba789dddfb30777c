//! Runs every rule over the tree and prints what is wrong.

use super::tree::{Tree, Violation};
use super::{documents, house, text};
use crate::outcome::{Failure, Outcome};
use crate::{dirs, usage};

pub(crate) fn task(args: &[&str]) -> Outcome {
    usage::only(args, &[])?;
    let tree = Tree::read(&dirs::root())?;
    let mut found: Vec<Violation> = Vec::new();
    for source in &tree.sources {
        found.extend(text::check(source));
        found.extend(house::check(source));
    }
    found.extend(documents::check(&tree));
    found.sort();
    for violation in &found {
        println!("{violation}");
    }
    if !found.is_empty() {
        return Err(Failure::new(format!("tidy: {} violations of the house rules", found.len()))
            .hint("each line above says what to do; the rules themselves are in xtask/src/tidy"));
    }
    eprintln!("    {} files follow the house rules", tree.sources.len());
    Ok(())
}
