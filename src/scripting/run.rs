//! The daemon's side: starts the child, reads the verdict, checks it, remembers it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    check::check,
    child::{CHILD_COMMAND, Question},
    engine::Verdict,
};
use crate::{
    base::{
        error::{Error, Result},
        os,
        seams::{Spawn, SpawnSpec},
    },
    wire::{
        runs::KEY_PLACEHOLDER,
        scripts::{AgentCtx, Context, EndpointCtx, KeyCtx, ModelCtx, ModelRow, Output, ProfileCtx, ProviderCtx, Tested},
    },
};

/// The child's own ceiling is 1.5 s of wall clock; this also covers a child that is stuck.
const PATIENCE: Duration = Duration::from_secs(2);
const REMEMBERED: usize = 256;
const WHERE: &str = "see where each script comes from: clown scripts list";

pub struct Scripts {
    spawn: Arc<dyn Spawn>,
    /// Results by hash of script and context; a script is a pure function of both.
    remembered: Mutex<HashMap<blake3::Hash, Arc<Tested>>>,
}

impl Scripts {
    pub fn new(spawn: Arc<dyn Spawn>) -> Self {
        Self { spawn, remembered: Mutex::default() }
    }

    /// Result of a script. `name` is for messages.
    pub fn run(&self, name: &str, source: &str, context: &Context) -> Result<Output> {
        self.tested(name, source, context).map(|tested| tested.output.clone())
    }

    /// Result and printed lines.
    pub fn tested(&self, name: &str, source: &str, context: &Context) -> Result<Arc<Tested>> {
        self.answer(name, Question { source: source.to_owned(), context: context.clone(), only_compile: false })
    }

    /// Whether a script can be read as one. In the child too: reading is the interpreter's work.
    pub fn compiles(&self, name: &str, source: &str) -> Result<()> {
        self.answer(name, Question { source: source.to_owned(), context: example_context(), only_compile: true }).map(drop)
    }

    fn answer(&self, name: &str, question: Question) -> Result<Arc<Tested>> {
        let question = serde_json::to_vec(&question).map_err(|e| Error::script(format!("script {name} cannot be started")).cause(e))?;
        let key = blake3::hash(&question);
        if let Some(tested) = self.remembered.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(tested));
        }
        let tested = Arc::new(self.ask(name, question)?);
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(key, Arc::clone(&tested));
        Ok(tested)
    }

    fn ask(&self, name: &str, question: Vec<u8>) -> Result<Tested> {
        let spec = SpawnSpec {
            program: os::own_program().map_err(|e| Error::script("clown's own program is not found").cause(e))?,
            args: vec![CHILD_COMMAND.into()],
            env: BTreeMap::new(),
            cwd: Some(std::path::PathBuf::from(if cfg!(unix) { "/" } else { "." })),
            stdin: question,
            timeout: PATIENCE,
            max_output: 4 << 20,
        };
        let ran = self.spawn.run(&spec).map_err(|e| Error::script(format!("script {name} cannot be started")).cause(e))?;
        if ran.timed_out {
            return Err(Error::script(format!("script {name} did not end within {} s", PATIENCE.as_secs())).hint(WHERE));
        }
        match serde_json::from_slice(&ran.stdout) {
            Ok(Verdict::Output { output, log }) => {
                check(&output)?;
                Ok(Tested { output, log })
            }
            Ok(Verdict::Failed { line, column, message }) => {
                let place = match (line, column) {
                    (Some(line), Some(column)) => format!("{name}:{line}:{column}"),
                    (Some(line), None) => format!("{name}:{line}"),
                    _ => name.to_owned(),
                };
                Err(Error::script(format!("script {place}: {message}")).hint(WHERE))
            }
            // Killed for memory or processor time, before it could say so.
            Err(_) => Err(Error::script(format!("script {name} was ended: it took more memory or time than a script may")).hint(WHERE)),
        }
    }
}

/// A context with every field filled, for trying scripts.
pub fn example_context() -> Context {
    Context {
        agent: AgentCtx { id: "example".into(), name: "Example".into(), version: "1.0.0".into() },
        provider: ProviderCtx {
            id: "example".into(),
            name: "Example".into(),
            kind: "remote".into(),
            any_model: true,
            default_model: "model-1".into(),
            tiers: BTreeMap::new(),
            quirks: Vec::new(),
            models: vec![ModelRow { id: "model-1".into(), context: 200_000 }],
        },
        endpoint: EndpointCtx {
            format: "anthropic".into(),
            base_url: "https://api.example.com".into(),
            auth: "bearer".into(),
            region: String::new(),
        },
        profile: ProfileCtx {
            alias: "example".into(),
            home: "/home/user/.example-profiles/example".into(),
            config_dir: "/home/user/.example-profiles/example/.example".into(),
            isolation: "home-wrapper".into(),
        },
        model: ModelCtx { id: "model-1".into(), context: 200_000, chosen: false },
        key: KeyCtx { placeholder: KEY_PLACEHOLDER.into(), present: true },
        preferences: BTreeMap::new(),
        run: None,
    }
}
