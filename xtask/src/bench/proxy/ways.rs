//! The four ways from the load to the mock upstream, and what has to be there for each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::process::{Process, free_port};
use super::wire::{Answer, Format};
use crate::outcome::{Failure, Outcome};
use crate::shell::{self, run, which};
use crate::{dirs, setup};

/// What the client shows to proxies that ask for it.
pub(super) const KEY: &str = "bench-master-key-0123456789abcdef";
const UPSTREAM_KEY: &str = "bench-upstream-key";

/// What a name of a model begins with: the format it is served in.
pub(super) const SERVED_IN: &[(Format, &str)] = &[(Format::Anthropic, "anthropic"), (Format::Chat, "chat")];
const ANSWERS: &[Answer] = &[Answer::Json, Answer::Burst, Answer::Paced, Answer::Blob];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Direct,
    Nginx,
    Clown,
    LiteLlm,
}

impl Way {
    pub(super) const PROXIES: [Self; 3] = [Self::Nginx, Self::Clown, Self::LiteLlm];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Nginx => "nginx",
            Self::Clown => "clown",
            Self::LiteLlm => "LiteLLM",
        }
    }
}

/// Programs that were found or installed, and where their files go.
pub(super) struct Site {
    dir: PathBuf,
    upstream: u16,
    nginx: Option<PathBuf>,
    litellm: Option<PathBuf>,
    clown: bool,
    /// What could not be set up, and versions of what could.
    pub(super) notes: Vec<String>,
}

impl Site {
    pub(super) fn set_up(upstream: u16, litellm: bool) -> Result<Self, Failure> {
        let dir = dirs::under_target("bench-proxy")?;
        let mut site = Self { dir, upstream, nginx: None, litellm: None, clown: true, notes: Vec::new() };
        site.nginx = site.take("nginx", nginx_program());
        if litellm {
            site.litellm = site.take("LiteLLM", litellm_program(&site.dir));
        } else {
            site.notes.push("LiteLLM was left out, as asked".into());
        }
        Ok(site)
    }

    pub(super) fn has(&self, way: Way) -> bool {
        match way {
            Way::Direct => true,
            Way::Nginx => self.nginx.is_some(),
            Way::Clown => self.clown,
            Way::LiteLlm => self.litellm.is_some(),
        }
    }

    /// Starts a proxy and waits until it answers.
    pub(super) fn start(&self, way: Way) -> Result<Process, Failure> {
        let port = free_port()?;
        let home = self.dir.join("home");
        let (config, log) = (self.dir.join(format!("{}.conf", way.name())), self.dir.join(format!("{}.log", way.name())));
        let (text, mut cmd, health, limit) = match way {
            Way::Direct => return Err(Failure::new("the direct way has no process")),
            Way::Nginx => {
                let mut cmd = Command::new(self.nginx.as_deref().ok_or_else(|| Failure::new("nginx is not there"))?);
                cmd.arg("-e").arg(&log).arg("-p").arg(&self.dir).arg("-c").arg(&config);
                (self.nginx_config(port), cmd, "/health", 10)
            }
            Way::Clown => {
                let mut cmd = Command::new(dirs::clown("release"));
                cmd.args(["ultrallm", "serve", "--config"]).arg(&config);
                (self.clown_config(port), cmd, "/health", 10)
            }
            Way::LiteLlm => {
                let mut cmd = Command::new(self.litellm.as_deref().ok_or_else(|| Failure::new("LiteLLM is not there"))?);
                cmd.arg("--config").arg(&config).args(["--host", "127.0.0.1", "--num_workers", "1", "--port", &port.to_string()]);
                (self.litellm_config(), cmd, "/health/liveliness", 120)
            }
        };
        write(&config, &text)?;
        // It grows by a line with every request of a bench.
        let _ = fs::remove_file(self.usage_log());
        fs::create_dir_all(&home).map_err(|err| Failure::new(format!("cannot create {}: {err}", home.display())))?;
        cmd.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", &home).current_dir(&home);
        cmd.env("CLOWN_PROXY_SECRET", KEY).env("UP_KEY", UPSTREAM_KEY);
        // As the daemon starts an engine.
        cmd.env("MALLOC_ARENA_MAX", "2").env("MALLOC_MMAP_THRESHOLD_", "131072").env("MALLOC_TRIM_THRESHOLD_", "131072");
        cmd.env("LITELLM_LOCAL_MODEL_COST_MAP", "True").env("LITELLM_LOG", "ERROR").env("LITELLM_TELEMETRY", "False");
        Process::start(cmd, port, health, &log, Duration::from_secs(limit))
    }

    /// Not to be tried again.
    pub(super) fn give_up(&mut self, way: Way, why: &str) {
        match way {
            Way::Direct => {}
            Way::Nginx => self.nginx = None,
            Way::Clown => self.clown = false,
            Way::LiteLlm => self.litellm = None,
        }
        self.leave_out(way.name(), why);
    }

    /// A proxy that could not be set up is left out and named.
    fn take(&mut self, name: &str, found: Result<(PathBuf, String), Failure>) -> Option<PathBuf> {
        match found {
            Ok((path, version)) => {
                self.notes.push(version);
                Some(path)
            }
            Err(failure) => {
                self.leave_out(name, &failure.to_string());
                None
            }
        }
    }

    pub(super) fn leave_out(&mut self, name: &str, why: &str) {
        eprintln!("    {name} is NOT measured: {why}");
        self.notes.push(format!("**{name} was not measured**: {}", why.replace(&dirs::target().display().to_string(), "target")));
    }

    /// A plain reverse proxy: nothing is logged, nothing buffered on the way back, a request's body stays in memory.
    fn nginx_config(&self, port: u16) -> String {
        let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| format!("{kind}_temp_path temp;\n")).concat();
        let (dir, upstream) = (self.dir.display(), self.upstream);
        format!(
            "daemon off;\nworker_processes 1;\npid {dir}/nginx.pid;\nevents {{ worker_connections 1024; }}\nhttp {{\n{temp}access_log off;\n\
             keepalive_requests 1000000000;\nclient_body_buffer_size 1m;\nclient_max_body_size 64m;\n\
             upstream mock {{ server 127.0.0.1:{upstream}; keepalive 128; keepalive_requests 1000000000; }}\n\
             server {{\nlisten 127.0.0.1:{port};\nlocation = /health {{ return 200 ok; }}\n\
             location / {{ proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_buffering off; }}\n}}\n}}\n"
        )
    }

    /// Everything on that a user's profile has: the key, a rule for each model, the record of each request.
    fn clown_config(&self, port: u16) -> String {
        let (mut models, mut rules) = (String::new(), String::new());
        for (format, name) in names() {
            let (kind, base, auth) = match format {
                Format::Anthropic => ("anthropic", "", "x-api-key"),
                _ => ("openai-chat", "/v1", "bearer"),
            };
            models += &format!(
                "  - model_name: up/{name}\n    litellm_params: {{model: up/{name}, api_base: \"http://127.0.0.1:{}{base}\", api_key: \"${{UP_KEY}}\", format: {kind}, auth: {auth}}}\n    model_info: {{input_cost_per_token: 0.000001, output_cost_per_token: 0.000002}}\n",
                self.upstream
            );
            rules += &format!("    - {{name: {name}, condition: 'model ~ \"{name}\"', model: up/{name}, priority: 0, weight: 1}}\n");
        }
        format!(
            "server: {{host: 127.0.0.1, port: {port}}}\nmodel_list:\n{models}router_settings:\n  routing_strategy: conditional\n  rules:\n{rules}\
             general_settings:\n  master_key: \"${{CLOWN_PROXY_SECRET}}\"\nclown_settings:\n  usage_log: {:?}\n  log_content: false\n",
            self.usage_log()
        )
    }

    fn usage_log(&self) -> PathBuf {
        self.dir.join("usage.jsonl")
    }

    fn litellm_config(&self) -> String {
        let models: String = names()
            .map(|(format, name)| {
                // `hosted_vllm` speaks chat completions; the `openai` provider would turn Anthropic requests into Responses.
                let (provider, base) = if format == Format::Anthropic { ("anthropic", "") } else { ("hosted_vllm", "/v1") };
                format!(
                    "  - model_name: {name}\n    litellm_params: {{model: {provider}/{name}, api_base: \"http://127.0.0.1:{}{base}\", api_key: {UPSTREAM_KEY}}}\n",
                    self.upstream
                )
            })
            .collect();
        format!("model_list:\n{models}general_settings:\n  master_key: {KEY}\nlitellm_settings:\n  telemetry: false\n  drop_params: true\n")
    }
}

/// The names clients use: `chat-burst` is served as chat completions, in bursts.
fn names() -> impl Iterator<Item = (Format, String)> {
    SERVED_IN.iter().flat_map(|(format, begin)| ANSWERS.iter().map(move |answer| (*format, format!("{begin}-{}", answer.name()))))
}

fn nginx_program() -> Result<(PathBuf, String), Failure> {
    let find = || which("nginx").or_else(|| Some(PathBuf::from("/usr/sbin/nginx")).filter(|path| path.exists()));
    if find().is_none() {
        setup::nginx()?;
    }
    let path = find().ok_or_else(|| Failure::new("there is no program `nginx`").hint("install the package nginx"))?;
    let output = Command::new(&path).arg("-v").output().map_err(|err| Failure::new(format!("nginx does not run: {err}")))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().trim_start_matches("nginx version: ").to_owned();
    Ok((path, said.replace('/', " ")))
}

/// From Python's package index into an environment of its own, once. Not of a pinned version: which one fits depends on what else the
/// configured index offers.
fn litellm_program(dir: &Path) -> Result<(PathBuf, String), Failure> {
    let venv = dir.join("litellm");
    let (python, program) = (venv.join("bin/python"), venv.join("bin/litellm"));
    let version = || -> Result<String, Failure> {
        let code = "import importlib.metadata as m; print(m.version('litellm'))";
        let (ok, said) = shell::capture(Command::new(&python).args(["-c", code]), Duration::from_secs(60))?;
        if ok { Ok(format!("LiteLLM {}", said.trim())) } else { Err(Failure::new("LiteLLM is not whole")) }
    };
    let stamp = venv.join("installed.txt");
    if !stamp.exists() || !program.exists() {
        eprintln!("    installing LiteLLM (hundreds of megabytes, once)");
        let install = || -> Outcome {
            run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "litellm[proxy]"]))
        };
        install().map_err(|failure| Failure::new(format!("LiteLLM could not be installed: {failure}")))?;
        write(&stamp, &version()?)?;
    }
    Ok((program, version()?))
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).map_err(|err| Failure::new(format!("cannot write {}: {err}", path.display())))
}
