//! Many commands at once.

use std::{
    process::Child,
    sync::{Arc, Barrier},
};

use super::home::{Cmd, Out};

/// Runs the commands at the same moment, each in a thread of its own; answers in their order.
pub fn at_once(commands: Vec<Cmd>) -> Vec<Out> {
    let barrier = Arc::new(Barrier::new(commands.len()));
    let threads: Vec<_> = commands
        .into_iter()
        .map(|command| {
            let barrier = Arc::clone(&barrier);
            std::thread::spawn(move || {
                barrier.wait();
                command.run()
            })
        })
        .collect();
    threads.into_iter().map(|t| t.join().unwrap()).collect()
}

/// A child that is ended with the test.
pub struct Kept(pub Child);

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
