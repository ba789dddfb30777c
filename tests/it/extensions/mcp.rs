//! MCP servers are told once and really called by the real agents.

use serde_json::Value;

use crate::{
    agents::{Agent, for_each_agent, has_part_of, new_key},
    proxy::{Cast, Format, WORD},
    support::{Cmd, Out, TestHome},
};

for_each_agent!(a_program_is_called_and_has_its_key, an_address_is_called_with_its_key);

/// A server with one tool. It notes what it was given: `keys` has its variables or headers.
/// `node server.js` speaks on standard input; `node server.js FILE` over HTTP, and writes its port there.
const SERVER: &str = r#"
const fs = require('fs'), word = 'told-4711-\u00fcnd';
const tool = { name: 'say_word', description: 'says the word', inputSchema: { type: 'object', properties: { loud: { type: 'boolean' } } } };
function answer(m, note) {
  const ok = (result) => ({ jsonrpc: '2.0', id: m.id, result });
  if (m.id === undefined) return null;
  if (m.method === 'initialize') {
    const v = m.params.protocolVersion;
    return ok({ protocolVersion: v, capabilities: { tools: {} }, serverInfo: { name: 'words', version: '1' } });
  }
  if (m.method === 'tools/list') return ok({ tools: [tool] });
  if (m.method === 'tools/call') { note(); return ok({ content: [{ type: 'text', text: 'the server says ' + word }] }); }
  return { jsonrpc: '2.0', id: m.id, error: { code: -32601, message: 'no such method' } };
}
if (process.argv[2]) {
  const server = require('http').createServer((req, res) => {
    let body = '';
    req.on('data', (d) => (body += d)).on('end', () => {
      if (req.method !== 'POST') { res.writeHead(405).end(); return; }
      const out = answer(JSON.parse(body), () => fs.writeFileSync(__dirname + '/keys', JSON.stringify(req.headers)));
      if (!out) { res.writeHead(202).end(); return; }
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(out));
    });
  });
  server.listen(0, '127.0.0.1', () => fs.writeFileSync(process.argv[2], String(server.address().port)));
  process.stdin.on('end', () => process.exit()).resume();
} else {
  require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const out = answer(JSON.parse(line), () => fs.writeFileSync(__dirname + '/keys', JSON.stringify(process.env)));
    if (out) process.stdout.write(JSON.stringify(out) + '\n');
  });
}
"#;

struct Scene {
    home: TestHome,
    cast: Cast,
    script: String,
}

impl Scene {
    fn new(agent: &Agent) -> Self {
        let (home, cast) = (TestHome::with_agents(), Cast::start());
        home.clown(&["config", "set", "secrets.backend", "file"]).ok();
        let format = if agent.id == "codex" { Format::Responses } else { Format::Anthropic };
        let endpoint =
            format!("[[endpoints]]\nformat = \"{}\"\nbase_url = \"{}\"\nauth = \"{}\"\n", format.id(), cast.url(format), format.auth());
        let manifest = format!("schema = 1\nid = \"up\"\nname = \"up\"\nany_model = true\ndefault_model = \"agent\"\n{endpoint}");
        home.write(home.root().join("providers.d/up.toml"), &manifest);
        home.clown(&["profiles", "create", agent.id, "p", "--provider", "up", "--api-key-stdin"]).stdin(new_key("up").as_bytes()).ok();
        let script = home.write(home.work().join("srv/server.js"), SERVER).display().to_string();
        Self { home, cast, script }
    }

    fn run(&self, agent: &Agent) -> Out {
        self.asking(agent).ok()
    }

    fn asking(&self, agent: &Agent) -> Cmd {
        // The server's tools need no other leave than `--allow`.
        let ask: &[&str] = if agent.id == "claude" { &["-p"] } else { agent.ask };
        self.home.clown(&[&["run", "p"][..], ask, &["ask the server"]].concat())
    }

    /// Whether a request came that has the tool's result.
    fn told(&self) -> bool {
        self.cast.requests().iter().any(|r| r.holds("call_agent1") && r.holds("the server says"))
    }

    /// What the server noted when it was called.
    fn keys(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.home.work().join("srv/keys")).unwrap_or_default()).unwrap_or_default()
    }
}

fn a_program_is_called_and_has_its_key(agent: &Agent) {
    let scene = Scene::new(agent);
    let (home, key) = (&scene.home, new_key("mcp"));
    let add = ["mcp", "add", "--secret", "WORDS_TOKEN", "--ref", "OTHER_TOKEN=env:MINE", "--env", "MOOD=calm \"quoted\"", "--allow"];
    let rest = ["--profile", "p", "words", "node", &scene.script];
    home.clown(&[&add[..], &rest[..]].concat()).stdin(format!("{key}\n").as_bytes()).ok();
    let out = scene.asking(agent).env("MINE", "from-my-variable").ok();
    assert!(out.stdout().contains(WORD), "{}", out.report());
    assert!(scene.told(), "the server's words did not reach the model: {}", out.report());
    let keys = scene.keys();
    assert_eq!((keys["WORDS_TOKEN"].as_str(), keys["MOOD"].as_str()), (Some(&*key), Some("calm \"quoted\"")), "{}", out.report());
    assert_eq!(keys["OTHER_TOKEN"], "from-my-variable", "{}", out.report());
    // Kept nowhere but in the key store, and shown by nothing.
    let kept = home.files_with(home.everything(), key.as_bytes());
    assert_eq!(kept, [home.root().join("secrets/keys.json"), home.work().join("srv/keys")]);
    for shown in [home.clown(&["mcp", "list"]).ok(), home.clown(&["mcp", "list", "--json"]).ok()] {
        assert!(!has_part_of(&key, &shown.stdout) && shown.stdout().contains("WORDS_TOKEN"), "{}", shown.report());
    }

    home.clown(&["mcp", "remove", "--profile", "p", "words"]).ok();
    assert!(home.files_with(&home.root(), key.as_bytes()).is_empty(), "the key stayed");
    let out = scene.run(agent);
    assert!(!scene.told(), "the server is still there: {}", out.report());
}

fn an_address_is_called_with_its_key(agent: &Agent) {
    let scene = Scene::new(agent);
    let (home, key) = (&scene.home, new_key("mcp"));
    let port_file = home.work().join("port");
    let mut server = home.program("node", &[&scene.script, port_file.to_str().unwrap()]).spawn();
    crate::support::wait_until("the server's port", || std::fs::read_to_string(&port_file).is_ok_and(|port| !port.is_empty()));
    let url = format!("http://127.0.0.1:{}/mcp", std::fs::read_to_string(&port_file).unwrap());
    let add = ["mcp", "add", "--url", &url, "--secret", "Authorization", "--header", "X-Team=blue", "--allow", "words"];
    // For all profiles, and with the scheme that people copy along.
    home.clown(&add).stdin(format!("Bearer {key}\n").as_bytes()).ok();
    let out = scene.run(agent);
    assert!(out.stdout().contains(WORD) && scene.told(), "{}", out.report());
    let keys = scene.keys();
    assert_eq!((keys["authorization"].as_str(), keys["x-team"].as_str()), (Some(&*format!("Bearer {key}")), Some("blue")), "{keys}");
    drop(server.stdin.take());
    server.wait().unwrap();
}
