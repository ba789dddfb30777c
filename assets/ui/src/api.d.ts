// Made from src/wire by a test (tests/it/http/types.rs). Do not edit.
export type AgentDetail = {
  manifest: AgentManifest;
  origin: Origin;
  /** File of the manifest, for user and registry layers. */
  file?: (string | null);
  installed?: (Detection | null);
  /** Layer the agent's script comes from. */
  script_origin?: (Origin | null);
  /** Providers this agent can use. */
  providers: Array<string>;
};
/** One hook. Exactly one of `command` and `url` is there. */
export type AgentHook = {
  /** The agent's word for it, such as `PreToolUse`. */
  event: string;
  /** Which of the event's subjects, such as names of tools; absent: all. */
  matcher?: (string | null);
  /** Line for a shell. It gets the event as JSON on standard input. */
  command?: (string | null);
  /** Address that gets the event as JSON by POST. */
  url?: (string | null);
  /** Seconds; absent: the agent's own limit. */
  timeout?: (number | null);
};
/** One hook. Exactly one of `command` and `url` is there. */
export type AgentHookIn = {
  /** The agent's word for it, such as `PreToolUse`. */
  event: string;
  /** Which of the event's subjects, such as names of tools; absent: all. */
  matcher?: (string | null);
  /** Line for a shell. It gets the event as JSON on standard input. */
  command?: (string | null);
  /** Address that gets the event as JSON by POST. */
  url?: (string | null);
  /** Seconds; absent: the agent's own limit. */
  timeout?: (number | null);
};
/** One hook. Exactly one of `command` and `url` is there. */
export type AgentHookRow = {
  /** Of eight hex digits; follows from the hook. */
  id: string;
  /** The agent's word for it, such as `PreToolUse`. */
  event: string;
  /** Which of the event's subjects, such as names of tools; absent: all. */
  matcher?: (string | null);
  /** Line for a shell. It gets the event as JSON on standard input. */
  command?: (string | null);
  /** Address that gets the event as JSON by POST. */
  url?: (string | null);
  /** Seconds; absent: the agent's own limit. */
  timeout?: (number | null);
};
/** Where an agent reads hooks: a table `hooks` with a list for each event, of matchers with what they call. */
export type AgentHooks = {
  /** Relative to the config directory. */
  file: string;
  /** `json` or `toml`. */
  format: FileFormat;
  /** What a user must know or do for them to run. */
  note?: (string | null);
  events: Array<HookEvent>;
};
/** The hooks of a profile. */
export type AgentHooksOf = {
  hooks: Array<AgentHookRow>;
  /** Absolute path of the agent's file that they are written to. */
  file: string;
  /** Events that the agent knows. */
  events: Array<string>;
  /** The agent is running: the file follows before the next run. */
  later: boolean;
  notes?: Array<string>;
};
/** Id of an agent manifest. */
export type AgentId = string;
export type AgentManifest = {
  schema: number;
  id: AgentId;
  name: string;
  homepage?: (string | null);
  /** Other words accepted for the id on the command line. */
  aliases: Array<string>;
  /** Program names looked up on PATH, in order; the first found is used. */
  binaries: Array<string>;
  /** Newest version the script was proven with, as the program says it. Absent: clown's tests have never run the agent. */
  tested?: (string | null);
  /** Formats the agent speaks, preferred first. */
  formats: Array<Format>;
  auth: Array<AuthMode>;
  script: ScriptName;
  /** Usage parser. */
  usage?: (string | null);
  default_model?: (string | null);
  /** What a user should know before the first run and no setting can change, a sentence each. */
  caveats?: Array<string>;
  /** Arguments that ask one thing without a terminal; the prompt goes behind them. */
  headless?: Array<string>;
  version: VersionProbe;
  isolation: IsolationSpec;
  supports: Supports;
  /** Hooks of the agent's own; absent: it has none that call a command or an address. */
  agent_hooks?: (AgentHooks | null);
  /** Commands that clown runs when something happens to a profile. */
  hooks?: Lifecycle;
  /** Commands that a user can have run for a profile, by name. */
  setup?: Record<string, SetupTask>;
  install: Install;
  login: LoginHint;
  files: HomeFiles;
};
export type AgentRow = {
  id: string;
  name: string;
  origin: Origin;
  installed?: (Detection | null);
  /** Newest version clown's tests ran; absent where they have never run the agent. */
  tested?: (string | null);
  install_hint: string;
  profiles: number;
};
export type Agents = {
  agents: Array<AgentRow>;
  problems?: Array<Problem>;
};
/** Probes every agent again, whatever the cache says. */
export type AgentsDetect = {
  /** Only this agent. */
  id?: (string | null);
};
export type AgentsInspect = {
  id: string;
};
/** Every agent, and whether it is installed. Probes only binaries that changed since last seen. */
export type AgentsList = Record<string, never>;
/** Name of a profile. */
export type Alias = string;
export type Approval = {
  alias: string;
  before: Array<string>;
  after: Array<string>;
};
export type Approved = {
  /** One line per profile that changed. */
  changes: Array<Approval>;
};
export type ArtifactKind = ("agent" | "provider" | "script" | "template" | "models");
/** What a command was run as. */
export type AuditKind = ("plugin" | "hook" | "setup");
/** One line of `logs/audit.jsonl`. */
export type AuditLine = {
  /** RFC 3339, UTC. */
  time: string;
  kind: AuditKind;
  /** `create`, `delete`, `pre_run`, `post_run`, `setup`, or the topic of an event. */
  event: string;
  /** Program of a hook, name of a task or plugin. */
  name: string;
  profile?: (string | null);
  outcome: AuditOutcome;
  code?: (number | null);
  /** How long it took. */
  ms: number;
  /** The last it said on standard error, or why it was ended. */
  message?: string;
};
export type AuditLines = {
  lines: Array<AuditLine>;
};
/** Lines of the record, newest first. */
export type AuditList = {
  /** Absent: every kind. */
  kind?: (AuditKind | null);
  profile?: (string | null);
  /** Name of a plugin or task, or program of a hook. */
  name?: (string | null);
  /** At most 1000; absent: 50. */
  limit?: (number | null);
};
export type AuditOutcome = ("ok" | "timed-out" | "failed" | "too-much" | "not-agreed" | "vetoed" | "dropped");
/** How an agent can be authenticated. */
export type AuthMode = ("key" | "self");
/** How a key travels to an endpoint. */
export type AuthScheme = ("x-api-key" | "x-goog-api-key" | "none" | "bearer");
/** `[[balance]]`: a JSON document that says what is left. Asked with GET. */
export type Balance = {
  /** On the endpoint's host, `/` first. */
  path: string;
  /** Regions it is for; all when empty. */
  regions?: Array<string>;
  /** The key alone stands in `Authorization`, without `Bearer`. Else it travels as to the endpoint. */
  bare_key?: boolean;
  /** For vendors that answer 200 to a failure. */
  status?: (BalanceStatus | null);
  figures: Array<BalanceFigure>;
};
/** One thing that can run out. All places are JSON pointers; a number there may be written as a text. */
export type BalanceFigure = {
  /** What it is, for people: `balance`, `5 hours`, `week`. */
  name: string;
  /** A list: one figure for each item, and the other places are inside the item. */
  each?: (string | null);
  /** Only where these places have these values, as text. */
  when?: Record<string, string>;
  /** A word to stand before the name, such as a model's. */
  of?: (string | null);
  /** `left`, or what `limit` and `used` come to; with the unit `%` a limit of 100 is meant. */
  left?: (string | null);
  used?: (string | null);
  limit?: (string | null);
  /** `USD`, `CNY`, `%`, `tokens`, `requests`. */
  unit?: (string | null);
  unit_at?: (string | null);
  /** What each number is divided by, for vendors that tell cents. */
  divide?: (number | null);
  /** When it begins anew: RFC 3339, or seconds or milliseconds since 1970. */
  resets?: (string | null);
};
/** The vendor's own word of success inside the document. */
export type BalanceStatus = {
  /** JSON pointer. */
  at: string;
  /** What stands there when all is well, as text. */
  ok: string;
  /** JSON pointer to the vendor's sentence. */
  message?: (string | null);
};
/** A session's bill and what we make of it. */
export type Bill = {
  agent: string;
  profile: (string | null);
  session: string;
  model: string;
  ours: Figures;
  /** What the agent says. */
  theirs: Figures;
  difference_tokens: number;
  difference_usd: (number | null);
};
/** Binds a directory to a profile: sets `profile` in its `.clown.toml`, and keeps the rest of it. */
export type BindingsBind = {
  alias: string;
  dir?: (string | null);
};
/** What holds for a directory. Without a file nothing is chosen. */
export type BindingsChoice = {
  dir: string;
  profile?: (string | null);
  /** Agent of the profile; absent when there is no such profile. */
  agent?: (string | null);
  /** The file that chose. */
  file?: (string | null);
  /** blake3 of the file, hex. */
  hash?: (string | null);
  trust: BindingsTrust;
  /** Arguments for each run in this directory, before those of the run. */
  args?: Array<string>;
  /** Variables for each run in this directory. */
  env?: Record<string, string>;
  /** The last directory that was looked into, and why none above it was. */
  stopped: string;
};
/** Whether the settings of a file beyond the profile hold. */
export type BindingsTrust = ("given" | "not-needed" | "missing");
/** Agrees to the text of the file that holds for a directory. The hash says which text was shown. */
export type BindingsTrustFile = {
  dir?: (string | null);
  hash: string;
};
/** Takes `profile` out of a directory's `.clown.toml`; a file with nothing else in it goes. */
export type BindingsUnbind = {
  dir?: (string | null);
};
/** Which profile a directory chooses, and why. */
export type BindingsWhich = {
  /** Absolute; absent: the caller's own. */
  dir?: (string | null);
};
/** Five hours from the full hour of their first request. */
export type Block = {
  start: string;
  end: string;
  /** Nothing was used from `start` to `end`; no block. */
  gap: boolean;
  /** Still open. */
  active: boolean;
  /** Always true: only the vendor knows its windows. What it told is in [`Window`]. */
  estimated: boolean;
  /** Of an active block. */
  burn?: (Burn | null);
};
/** One limit. A profile has at most one for each `every`. */
export type Budget = ({
  action: "warn";
} | {
  action: "refuse";
} | {
  action: "route";
  target: string;
}) & {
  profile: string;
  every: Every;
  usd?: (number | null);
  tokens?: (number | null);
  /** As in `usage::Select`. */
  timezone?: string;
};
/** A limit and how far it is used. */
export type BudgetState = ({
  action: "warn";
} | {
  action: "refuse";
} | {
  action: "route";
  target: string;
}) & {
  profile: string;
  every: Every;
  usd?: (number | null);
  tokens?: (number | null);
  /** As in `usage::Select`. */
  timezone: string;
  /** First day it counts from, `2026-11-01`. */
  since: string;
  /** When it begins anew, RFC 3339. */
  resets_at: string;
  used_usd: (number | null);
  used_tokens: number;
  /** Some of the use has no known price: `used_usd` is too low. */
  partial: boolean;
  /** The larger of both shares. */
  percent: number;
  /** 80, 95 or 100 once that much is used; 0 before. */
  level: number;
};
export type Budgets = {
  budgets: Array<BudgetState>;
};
export type BudgetsList = {
  profile?: (string | null);
};
/** Removes a profile's limits, or only that for one time. */
export type BudgetsRemove = {
  profile: string;
  every?: (Every | null);
};
/** Sets a limit, in place of the one for the same profile and time. */
export type BudgetsSet = {
  budgets: Array<Budget>;
};
/** How fast, and where that leads by the end of the block. */
export type Burn = {
  tokens_per_minute: number;
  /** Input and output only, without what was read from or written to a cache. */
  uncached_tokens_per_minute: number;
  cost_usd_per_hour?: (number | null);
  minutes_left: number;
  projected_tokens: number;
  projected_cost_usd?: (number | null);
};
export type Change = {
  change: ChangeKind;
  kind: ArtifactKind;
  id: string;
  /** Lines with `+`, `-` and space; cut when long. */
  text: string;
};
export type ChangeKind = "added" | "changed" | "removed";
export type Channel = "stable" | "beta" | "nightly";
export type Choices = {
  agents: Array<string>;
  /** Providers that fit the agent, or all. */
  providers: Array<string>;
  /** Whether the provider needs a key. */
  needs_key: boolean;
  key_url?: (string | null);
  /** Profiles of the same provider whose stored key could be shared. */
  reusable: Array<Alias>;
  regions: Array<string>;
  models: Array<string>;
};
/** Kinds of failure. Programs decide by the kind, never by the text. */
export type Code = ("invalid_input" | "not_found" | "already_exists" | "secrets_unavailable" | "io" | "usage" | "conflict" | "unsupported" | "refused" | "corrupt" | "script" | "unreachable" | "protocol" | "defect" | "unknown");
/** A place that is looked at. */
export type Collector = {
  /** `proxy`: the log of a profile's proxy. */
  agent: string;
  profile: (string | null);
  root: string;
  /** Logs that were ever read there. */
  files: number;
  /** Their whole lines; a database has none. */
  lines: number;
  skipped: Skipped;
};
export type Compared = ("built-in" | "agreed");
/** What a word on the command line names. */
export type CompleteKind = "profiles" | "agents" | "providers" | "models" | "sessions" | "scripts" | "templates" | "settings";
/** At most 200, in order. */
export type CompleteReply = {
  words: Array<CompleteWord>;
};
/** A word and what it is, in a few words. */
export type CompleteWord = {
  word: string;
  help?: string;
};
/** Names that begin so. Probes nothing and opens no key store: it is asked at each press of a key. */
export type CompleteWords = {
  kind: CompleteKind;
  begins: string;
  /** Only what fits: providers and templates of this agent. */
  agent?: (string | null);
  /** Models of this provider. */
  provider?: (string | null);
  /** Models of this profile's provider. */
  profile?: (string | null);
};
export type ConfigList = Record<string, never>;
/** Sets one key; an absent value puts the default back. Comments and order of the file are kept. */
export type ConfigSet = {
  key: string;
  value?: (string | null);
};
export type ConfigSettings = {
  file: string;
  settings: Array<Setting>;
  /** Keys in the file that this build does not know. */
  warnings?: Array<string>;
};
export type ConfigText = {
  file: string;
  text: string;
};
export type Created = {
  profile: Profile;
  /** Files written into the profile home, relative to it. */
  files: Array<string>;
  warnings?: Array<string>;
  /** What was decided for the user and is good to know. */
  notes?: Array<string>;
  dry_run: boolean;
};
/** Where a profile's key is. Never the key. */
export type Credential = ({
  kind: "none";
} | {
  kind: "stored";
  store: string;
  key: string;
} | {
  kind: "env";
  var: string;
} | {
  kind: "command";
  argv: Array<string>;
});
/** Where a profile's key is. Never the key. */
export type CredentialIn = ({
  kind: "none";
} | {
  kind: "stored";
  store: string;
  key: string;
} | {
  kind: "env";
  var: string;
} | {
  kind: "command";
  argv: Array<string>;
});
/** Says hello. The cheapest call: answered without touching any state. */
export type DaemonHello = Record<string, never>;
/** Sets the level of the log: `error`, `warn`, `info`, `debug` or `trace`. */
export type DaemonLogLevel = {
  level: string;
};
/** All figures as of now. What is counted for the daemon itself begins with its life; tokens and costs are all there are. */
export type DaemonMetrics = Record<string, never>;
export type DaemonStatus = Record<string, never>;
export type DaemonStop = {
  /** Refuse while sessions are live. */
  only_if_idle?: boolean;
};
export type Deleted = {
  /** The home that was kept. */
  kept_home?: (string | null);
  /** Whether the stored key went too; false when another profile shares it. */
  key_deleted: boolean;
  warnings?: Array<string>;
};
/** What was found of an agent on this machine. */
export type Detection = {
  /** Absolute path, links resolved. */
  path: string;
  /** Absent when the program did not tell. */
  version?: (string | null);
  /** Why there is no version. */
  problem?: (string | null);
};
export type Differences = {
  channel: Channel;
  /** Of what is there. */
  commit?: (string | null);
  next: string;
  changes: Array<Change>;
  /** Bytes a sync would fetch. */
  bytes: number;
};
export type DoctorFinding = {
  /** What was looked at, like `disk` or `profile`. Several findings may have the same. */
  id: string;
  level: DoctorLevel;
  /** A sentence without a full stop. Never holds a key. */
  what: string;
  /** A command or an advice. */
  fix?: (string | null);
  /** Whether `doctor.fix` mends it. */
  safe?: boolean;
};
/** Mends the findings that are `safe`: access modes of clown's own files, and files left over from a crash. */
export type DoctorFix = Record<string, never>;
export type DoctorLevel = ("ok" | "error" | "warning" | "note");
export type DoctorMended = {
  /** What was done, one sentence each. */
  mended: Array<string>;
  /** What could not be done, and why. */
  failed?: Array<string>;
};
export type DoctorReply = {
  index: string;
  /** Of the index, in bytes. */
  size: number;
  requests: number;
  collectors: Array<Collector>;
  /** Lines and files that could not be read. At most 200. */
  problems: Array<Trouble>;
  /** Models without a known price. */
  unpriced: Array<string>;
  /** Models priced by another name. */
  rewritten: Array<[string, string]>;
  prices: string;
  prices_problem?: (string | null);
  /** Whether changes are seen at once. */
  watching: boolean;
  /** Places that the caller's environment names and nobody looks at. */
  elsewhere?: Array<Elsewhere>;
};
export type DoctorReport = {
  findings: Array<DoctorFinding>;
  /** For the caller to compare with its own environment. `Removed` only for agents that have profiles. */
  variables: Array<DoctorVariable>;
};
/** Looks at everything the daemon can see. Runs no agent and changes nothing. */
export type DoctorRun = Record<string, never>;
/** Why a variable of the caller matters. The daemon never learns which of them are set. */
export type DoctorVariable = ({
  role: "removed";
  pattern: string;
  agent: string;
} | {
  role: "key";
  name: string;
  profile: string;
} | {
  role: "vendor";
  name: string;
  provider: string;
});
/** The reply of calls that have nothing to tell. */
export type Done = Record<string, unknown>;
/** A variable moves an agent's logs to a place outside of all that are looked at. */
export type Elsewhere = {
  agent: string;
  variable: string;
  dir: string;
  /** What the setting `usage.roots` would be with it. */
  roots: string;
};
export type Endpoint = {
  region?: (string | null);
  format: Format;
  base_url: string;
  auth: AuthScheme;
};
export type Entry = {
  kind: ArtifactKind;
  id: string;
  /** Relative, with `/`. */
  path: string;
  /** Hex. */
  blake3: string;
  /** Hex. */
  sha256: string;
  /** Bytes. */
  length: number;
};
/** `{"epoch":"..","seq":7,"time":"..","topic":"profile/created","subject":"work"}` */
export type Event = {
  /** Life of the daemon that sent it. Another epoch means: read everything again. */
  epoch: string;
  /** Counts up by one within an epoch. A gap means events were missed. */
  seq: number;
  /** RFC 3339, UTC. */
  time: string;
  /** `noun/verb`; a reader ignores topics it does not know. */
  topic: string;
  /** Alias, session id or other name of what changed. */
  subject: string;
};
export type Events = {
  epoch: string;
  /** Newest sequence number of this epoch. */
  seq: number;
  /** True when events asked for are gone from the buffer, or belong to another epoch. */
  resync: boolean;
  events: Array<Event>;
};
/** Events after a sequence number, from the daemon's ring buffer. */
export type EventsSince = {
  epoch: string;
  seq: number;
};
/** How long a limit holds, in days of the zone it was set in. */
export type Every = "day" | "month";
/** How a process ended. */
export type Exit = ({
  code: number;
} | {
  signal: number;
} | "unknown" | "not_started");
export type Explanation = {
  alias: Alias;
  /** What rules can ask about the request, in their own words. */
  facts: Record<string, string>;
  /** Every rule in the order in which they are asked. */
  steps: Array<Step>;
  /** The winning rule's name, `alias PATTERN` or `by name`; absent: the request would be refused. */
  rule?: (string | null);
  /** Where it would go, then the replacements. */
  targets: Array<TargetRow>;
};
/** Writes profiles and what belongs to them into one file. */
export type Export = {
  /** Absolute path of a file that is not there yet. The daemon writes it, 0600. */
  path: string;
  /** Only these profiles; all when empty. */
  profiles?: Array<string>;
  /** With the agents' transcripts. */
  history?: boolean;
  /** With the registry as it is here, and its pin. */
  registry?: boolean;
  /** With keys, encrypted under this. */
  passphrase?: (KeyText | null);
};
export type Exported = {
  requests: Array<UsageRequest>;
  /** Absent: that was all. */
  next?: (number | null);
  known: boolean;
};
export type ExportedProfile = {
  alias: string;
  agent: string;
  /** Files of its home. */
  settings: number;
  history: number;
};
/** A key besides the profile's own, and where its owner agreed to send it. */
export type ExtraKey = {
  provider: ProviderId;
  credential: Credential;
  approved_hosts?: Array<string>;
};
/** Body of every refusal and failure over HTTP. */
export type Failed = {
  error: Failure;
};
export type FailedTarget = {
  target: string;
  why: string;
};
/** The error body, equal over every face. */
export type Failure = {
  code: Code;
  /** Lower case, no full stop: what failed, on what, and its causes. */
  message: string;
  /** What to do next, one action each. */
  hints?: Array<string>;
  /** What the user may agree to with `scripts.approve`, so that a terminal can ask at once. */
  review?: (string | null);
};
/** One figure, once for each set of labels. */
export type Family = {
  /** As Prometheus writes names. */
  name: string;
  help: string;
  kind: MetricKind;
  /** As UCUM writes units: `s`, `By`, `{request}`. */
  unit: string;
  points: Array<Point>;
};
/** Sums over requests, in the names used everywhere. The parts are disjoint, but for `reasoning_tokens`, which are among
 * `output_tokens`; `total_tokens` is what was billed. */
export type Figures = {
  input_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  cache_read_tokens: number;
  cache_write_5m_tokens: number;
  cache_write_1h_tokens: number;
  cache_write_12h_tokens?: number;
  /** For a time that nobody told. */
  cache_write_other_tokens?: number;
  total_tokens: number;
  requests: number;
  /** Null: nothing in it has a known price. */
  cost_usd: (number | null);
  /** Some of it has no known price, and is not in `cost_usd`. */
  partial: boolean;
};
export type FileFormat = "json" | "toml" | "text";
export type FileMode = ("seed" | "merge");
/** A wire format of model requests. */
export type Format = ("openai-responses" | "openai-chat" | "gemini" | "anthropic");
/** The daemon's text on `/ws`. */
export type FromServer = (Seen & {
  type: "hello";
} | Seen & {
  type: "subscribed";
} | Event & {
  type: "event";
} | Seen & {
  type: "resync";
} | {
  type: "pong";
} | {
  type: "error";
  message: string;
});
/** What a report has a line for. */
export type Group = ("daily" | "weekly" | "monthly" | "sessions" | "models" | "profiles" | "agents" | "projects" | "blocks");
export type HelloReply = {
  pid: number;
  version: string;
  protocol: number;
  epoch: string;
};
/** `[files]`: paths relative to a home. A directory means all below it; a part of a path may hold `*`. What is not named is
 * never exported: logins, caches, and what the agent makes anew. */
export type HomeFiles = {
  /** What the user set up: settings, instructions, commands, skills. */
  settings?: Array<string>;
  /** Keys of the user's at the top of JSON files that are the agent's own otherwise. */
  parts?: Record<string, Array<string>>;
  /** Transcripts and what belongs to them. */
  history?: Array<string>;
  /** The same in SQLite databases. */
  databases?: Array<string>;
  /** Where one session's transcript is, with `{id}` for its id; the first is the transcript, the others go with it.
   * Empty where sessions cannot be taken apart. */
  transcript?: Array<string>;
};
/** A command the agent runs at some event. Only for agents whose manifest has `agent_hooks`. */
export type Hook = {
  /** The agent's word for it, such as `PostToolUse`. */
  event: string;
  /** Which tools; absent: all. */
  matcher?: (string | null);
  command: string;
};
export type HookEvent = {
  name: string;
  /** Whether it takes a matcher. */
  matcher: boolean;
  /** Whether it can call an address. */
  url: boolean;
};
/** Adds a hook. One that is there already is no error. */
export type HooksAdd = {
  alias: string;
  hook: AgentHookIn;
};
export type HooksDocument = {
  version: number;
  /** Whose events they name. */
  agent: AgentId;
  hooks: Array<AgentHook>;
};
/** A profile's hooks as a document for another. */
export type HooksExport = {
  alias: string;
};
/** Adds all hooks of a document, or none: an export, or an agent's own settings with a `hooks` table. */
export type HooksImport = {
  alias: string;
  document: unknown;
};
export type HooksList = {
  alias: string;
};
export type HooksRemove = {
  alias: string;
  id: string;
};
/** Takes in what an export holds: all of it, or nothing. */
export type Import = {
  /** Absolute path of the export. */
  path: string;
  on_conflict?: OnConflict;
  /** Opens the keys in it; without, they are left. */
  passphrase?: (KeyText | null);
  /** Check and show, change nothing. */
  dry_run?: boolean;
};
export type ImportAction = ("add" | "replace" | "rename" | "keep");
export type Imported = {
  /** Version of clown that made the export. */
  by: string;
  /** When, RFC 3339. */
  created: string;
  items: Array<ImportedItem>;
  /** Whether the export has keys in it. */
  sealed: boolean;
  warnings?: Array<string>;
  dry_run: boolean;
};
export type Imported2 = {
  files: number;
  /** That were not known before. */
  requests: number;
  problems?: Array<Trouble>;
};
/** One thing of an export, and what became of it. */
export type ImportedItem = {
  /** `profile`, `manifest`, `budget`, `preference`, `mcp` or `registry`. */
  kind: string;
  name: string;
  action: ImportAction;
  /** The name it has here, when it is another one. */
  to?: (string | null);
  /** Files of its home that came with it. */
  files: number;
};
export type Install = {
  npm?: (string | null);
  hint: string;
};
export type Instance = {
  alias: string;
  use: ProxyUse;
  state: ProxyState;
  port?: (number | null);
  pid?: (number | null);
  /** `embedded`, or the path of another program. */
  engine?: (string | null);
  /** RFC 3339. */
  since?: (string | null);
  /** Times it was started again by itself since it was last started on purpose. */
  restarts: number;
  /** Live sessions of the profile. */
  sessions: number;
  config: string;
  log: string;
  /** What is wrong with it now. */
  problem?: (string | null);
};
export type Instances = {
  instances: Array<Instance>;
};
/** How a profile is kept apart from the real home. */
export type Isolation = ("home-wrapper" | "config-dir");
export type IsolationSpec = {
  default: Isolation;
  modes: Array<Isolation>;
  /** The agent's state directory, relative to the profile home. */
  config_dir: string;
  /** Variable to path relative to the profile home, set in both modes; `.` is the home itself. */
  env: Record<string, string>;
  /** Variable to a directory that all profiles of the agent have in common, in clown's cache: for what the
   * agent unpacks or downloads, never for state. Set in both modes. */
  shared?: Record<string, string>;
  /** Directories made 0700 before a run, relative to the profile home. */
  dirs: Array<string>;
  /** Paths relative to a home that belong to the agent and are never bridged. */
  isolated: Array<string>;
  /** More paths that are not bridged into this agent's own profiles: it would take them for its settings. */
  hidden?: Array<string>;
  /** Variables removed from the caller's environment; a trailing `*` matches the rest. */
  strip_env: Array<string>;
  /** Files of a project that the agent runs as code inside its own process, where the key is. */
  project_code?: Array<ProjectCode>;
};
/** How a key comes in with a call. */
export type KeyInput = ({
  from: "absent";
} | {
  from: "text";
  key: KeyText;
} | {
  from: "reuse";
  alias: string;
} | {
  from: "env";
  var: string;
} | {
  from: "command";
  argv: Array<string>;
});
export type KeyRow = {
  /** For `proxy.remove-key`; the profile's own key is 0 and stays. */
  number: number;
  provider: ProviderId;
  /** Where it is and its masked form. */
  key: string;
  approved_hosts: Array<string>;
};
/** A key that the daemon does not hold: the client reads it and puts it in place of
 * [`KEY_PLACEHOLDER`], so it never crosses the socket. */
export type KeySource = ({
  from: "env";
  var: string;
} | {
  from: "command";
  argv: Array<string>;
});
/** A key on its way between client and daemon. `Debug` shows no byte of it. */
export type KeyText = string;
/** One launcher, as noted in `launchers.json`. */
export type Launcher = {
  /** Name of the command. */
  name: string;
  /** Absolute path of the file. */
  path: string;
  /** The clown it starts. */
  program: string;
  target: LauncherTarget;
};
/** One launcher, as noted in `launchers.json`. */
export type LauncherRow = {
  /** Name of the command. */
  name: string;
  /** Absolute path of the file. */
  path: string;
  /** The clown it starts. */
  program: string;
  target: LauncherTarget;
  state: LauncherState;
};
export type LauncherState = ("ready" | "missing" | "foreign" | "not-on-path");
/** What a launcher runs. */
export type LauncherTarget = ({
  kind: "profile";
  alias: string;
} | {
  kind: "agent";
  id: string;
});
/** What a launcher runs. */
export type LauncherTargetIn = ({
  kind: "profile";
  alias: string;
} | {
  kind: "agent";
  id: string;
});
/** Makes a launcher. A file that is not clown's is never replaced. */
export type LaunchersInstall = {
  target: LauncherTargetIn;
  /** Absent: `AGENT-ALIAS` for a profile, the name of the agent's program for an agent. */
  name?: (string | null);
  /** Absolute; absent: `~/.local/bin`. */
  bin_dir?: (string | null);
  /** The clown to start: absolute path. */
  program: string;
};
export type LaunchersInstalled = {
  launcher: Launcher;
  /** Whether the caller's PATH finds it under its name. */
  found: boolean;
  warnings?: Array<string>;
};
export type LaunchersList = Record<string, never>;
export type LaunchersReply = {
  launchers: Array<LauncherRow>;
};
/** Removes a launcher. A file that is not clown's any more stays. */
export type LaunchersUninstall = {
  name: string;
};
/** Each step in turn, in the profile's home or the run's directory, with the event as JSON on standard input and no key. */
export type Lifecycle = {
  /** Before a new profile is kept. A step that fails undoes the creation. */
  create?: Array<LifecycleStep>;
  /** After a profile is deleted, before its home goes. */
  delete?: Array<LifecycleStep>;
  /** Before each run. A step that fails refuses it. */
  pre_run?: Array<LifecycleStep>;
  /** After each run. */
  post_run?: Array<LifecycleStep>;
};
export type LifecycleStep = {
  /** Program and arguments; no shell reads them. */
  run: Array<string>;
  /** At most 15000. */
  timeout_ms: number;
};
export type Linted = {
  artifacts: number;
  problems: Array<Problem>;
};
/** `registry/registry.lock` (what is in force) and `registry/channels/<channel>.lock` (the last of each channel). */
export type Lock = {
  /** Of this file. */
  schema: number;
  channel: Channel;
  commit: string;
  version: number;
  /** Where it came from. */
  url: string;
  etag?: (string | null);
  /** When the network last confirmed it. RFC 3339, UTC. */
  checked: string;
  /** When it was taken. RFC 3339, UTC. */
  synced: string;
  expires: string;
  root: number;
  /** Ids of the keys whose signatures counted, as `minisign` prints them. */
  keys: Array<string>;
  /** The commit the user chose to stay at. */
  pinned?: (string | null);
  artifacts: Array<Entry>;
};
/** Body of `POST /api/v1/login`: what stood behind `#login=`. */
export type Login = {
  token: string;
};
export type LoginHint = {
  hint: string;
};
/** Adds a server. One of the profile's own hides one for all of the same name. */
export type McpAdd = {
  name: McpName;
  /** Absent: for all profiles. */
  profile?: (string | null);
  /** Its secrets are references to a variable or a command; those that clown shall keep come in `secrets`. */
  server: McpServerIn;
  /** Values for the key store, by variable or header. */
  secrets?: Record<string, KeyText>;
  /** A value that looks like a key is none, and may be kept readable. */
  plain?: boolean;
  /** Take the place of a server of this name. */
  replace?: boolean;
};
export type McpAdded = {
  row: McpRow;
  warnings?: Array<string>;
};
/** Servers for all profiles and of each profile, or those in force for one. */
export type McpList = {
  profile?: (string | null);
};
/** Name of an MCP server, which becomes a part of its tools' names. */
export type McpName = string;
/** Removes a server, and its secrets from the key store. */
export type McpRemove = {
  name: McpName;
  /** Absent: the one for all profiles. */
  profile?: (string | null);
};
export type McpRemoved = {
  warnings?: Array<string>;
};
export type McpRow = {
  name: McpName;
  /** Whose it is; absent: all profiles'. */
  profile?: (string | null);
  server: McpServer;
  /** Agents that cannot take it, of the profiles it is for. */
  not_for?: Array<string>;
};
/** One server. */
export type McpServer = ({
  transport: "stdio";
  command: string;
  args?: Array<string>;
  env?: Record<string, McpValue>;
} | {
  transport: "http";
  url: string;
  headers?: Record<string, McpValue>;
} | {
  transport: "sse";
  url: string;
  headers?: Record<string, McpValue>;
}) & {
  /** Its tools run without a question, where the agent has a way to say so. */
  allow?: boolean;
};
/** One server. */
export type McpServerIn = ({
  transport: "stdio";
  command: string;
  args?: Array<string>;
  env?: Record<string, McpValueIn>;
} | {
  transport: "http";
  url: string;
  headers?: Record<string, McpValueIn>;
} | {
  transport: "sse";
  url: string;
  headers?: Record<string, McpValueIn>;
}) & {
  /** Its tools run without a question, where the agent has a way to say so. */
  allow?: boolean;
};
export type McpServers = {
  servers: Array<McpRow>;
};
export type McpTransport = "stdio" | "http" | "sse";
/** A variable's or header's value: readable, or where the secret is. */
export type McpValue = (string | Credential);
/** A variable's or header's value: readable, or where the secret is. */
export type McpValueIn = (string | CredentialIn);
export type MetricKind = ("gauge" | "histogram" | "counter");
export type Metrics = {
  /** RFC 3339: when counting began. */
  since: string;
  families: Array<Family>;
};
export type Model = {
  id: string;
  /** Context window in tokens. */
  context?: (number | null);
  /** Whether the price table has it; what is used of others costs an unknown sum. */
  priced?: boolean;
};
/** Sums over requests, in the names used everywhere. The parts are disjoint, but for `reasoning_tokens`, which are among
 * `output_tokens`; `total_tokens` is what was billed. */
export type ModelUse = {
  model: string;
  input_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  cache_read_tokens: number;
  cache_write_5m_tokens: number;
  cache_write_1h_tokens: number;
  cache_write_12h_tokens?: number;
  /** For a time that nobody told. */
  cache_write_other_tokens?: number;
  total_tokens: number;
  requests: number;
  /** Null: nothing in it has a known price. */
  cost_usd: (number | null);
  /** Some of it has no known price, and is not in `cost_usd`. */
  partial: boolean;
};
export type MovedSession = {
  /** The agent's id of it. */
  id: string;
  agent: string;
  from: string;
  to: string;
  /** Relative to the profile homes. */
  files: Array<string>;
  copied: boolean;
};
export type MovingExported = {
  path: string;
  /** Size of the file. */
  bytes: number;
  profiles: Array<ExportedProfile>;
  /** Manifests, scripts and templates of the user's own. */
  manifests?: Array<string>;
  /** Keys in it, encrypted. */
  keys: number;
  /** Commit of the registry in it. */
  registry?: (string | null);
  warnings?: Array<string>;
};
/** A key that only the client can fetch, and the name it goes by in `proxy.keys`. */
export type NeededKey = {
  name: string;
  source: KeySource;
};
/** What is done about a name that is taken. */
export type OnConflict = ("fail" | "skip" | "rename" | "replace");
/** Where a manifest or script came from. A later layer hides an earlier one of the same id. */
export type Origin = "built-in" | "registry" | "user";
/** A stretch of days, counted from today in the zone of the question. A week begins on Monday. */
export type Period = ("today" | "yesterday" | "week" | "month" | "30d" | "all" | "7d");
/** What the user agreed to. */
export type PluginEnabled = {
  /** blake3 of the file, hex. Another file is another plugin. */
  hash: string;
  /** Topics with `*` for any rest, and `pre_run`. */
  events: Array<string>;
  /** Milliseconds for one event. */
  timeout_ms: number;
  /** MiB of all its processes together. */
  memory_mb: number;
  /** RFC 3339. */
  at: string;
};
/** File name of a plugin. */
export type PluginName = string;
export type PluginRow = {
  name: PluginName;
  file: string;
  state: PluginState;
  enabled?: (PluginEnabled | null);
};
export type PluginState = ("off" | "on" | "changed" | "missing" | "unusable");
export type Plugins = {
  /** Where they are looked for. */
  dir: string;
  plugins: Array<PluginRow>;
};
export type PluginsDisable = {
  name: PluginName;
};
/** Lets a plugin run as its file is now. */
export type PluginsEnable = {
  name: PluginName;
  /** Absent: those it was enabled for before. */
  events?: Array<string>;
  /** Absent: 5000. */
  timeout_ms?: (number | null);
  /** Absent: 256. */
  memory_mb?: (number | null);
};
export type PluginsList = Record<string, never>;
export type Point = {
  labels: Record<string, string>;
  /** Of a counter or gauge. */
  value?: (number | null);
  spread?: (Spread | null);
};
export type PriceMove = {
  model: string;
  /** Field of the price table, such as `input_cost_per_token`. */
  field: string;
  /** US dollars for one unit of the field. */
  before: number;
  after: number;
};
export type PricesSynced = {
  changed: boolean;
  models: number;
  /** Entries of the file that are no prices and were left out. */
  left_out: number;
  /** Prices that moved more than tenfold. */
  moved: Array<PriceMove>;
  /** Why the old prices stay. */
  refused?: (string | null);
};
/** What came of asking a provider. */
export type ProbeOutcome = ("ok" | "no-such-name" | "no-route" | "no-connection" | "tls" | "too-slow" | "failed" | "reached" | "key-refused" | "nothing-left" | "wrong-url" | "asked-too-often" | "provider-trouble" | "unknown");
/** `[probe]`: how a key is checked. Absent where the usual list of models is enough: `/models` below an
 * OpenAI base URL, `/v1/models` below an Anthropic one, `/v1beta/models` below Gemini's. */
export type ProbeSpec = {
  /** Path of the list of models on the endpoint's host, `/` first; empty where there is none. */
  models?: (string | null);
  /** Path that only a good key opens, where the list of models is open to everybody. */
  check?: (string | null);
};
export type Probed = {
  provider: string;
  /** What was asked for. */
  url?: (string | null);
  outcome: ProbeOutcome;
  /** One line without a full stop. */
  message: string;
  /** The next step when it is not well. */
  fix?: (string | null);
  status?: (number | null);
  /** Until the answer began. */
  milliseconds?: (number | null);
  models?: Array<string>;
};
/** A manifest that could not be used, told without hiding the others. */
export type Problem = {
  file: string;
  /** 1-based, when known. */
  line?: (number | null);
  /** Dotted key, when known. */
  key?: (string | null);
  message: string;
};
/** A process, safe against reused pids. */
export type Process = {
  pid: number;
  /** Start time as the system counts it; absent where the system does not tell. */
  started?: (number | null);
};
/** `profiles/<alias>.json`. Fields of a newer build survive a rewrite in `rest`. */
export type Profile = {
  version: number;
  alias: Alias;
  agent: AgentId;
  provider: ProviderId;
  /** Region of the provider, or a URL of the user's own. */
  endpoint?: (string | null);
  /** Absent: the provider's default, else the agent's. */
  model?: (string | null);
  isolation: Isolation;
  /** Absolute path of the profile home. */
  home: string;
  credential: Credential;
  /** Hosts the owner agreed to send the key to. */
  approved_hosts?: Array<string>;
  proxy?: (ProxySettings | null);
  /** Arguments put before those of each run. */
  args?: Array<string>;
  env?: Record<string, string>;
  /** Handed to the agent's script. */
  preferences?: Record<string, string>;
  /** MCP servers of this profile alone. */
  mcp?: Record<string, McpServer>;
  /** Hooks of the agent's own. */
  hooks?: Array<AgentHook>;
  /** RFC 3339. */
  created: string;
  last_used?: (string | null);
};
export type ProfileDetail = {
  profile: Profile;
  /** Model in effect; absent when the agent decides. */
  effective_model?: (string | null);
  base_url?: (string | null);
  /** Where the key is kept and its masked form. */
  key: string;
  /** Whether requests go through a proxy, and why. */
  proxy: ProxyUse;
  warnings?: Array<string>;
};
export type ProfileRow = {
  alias: Alias;
  agent: AgentId;
  provider: ProviderId;
  endpoint?: (string | null);
  model?: (string | null);
  isolation: Isolation;
  /** Live sessions. */
  running: number;
  last_used?: (string | null);
};
/** Fields of `profiles create` and `profiles edit` that are alike. */
export type ProfileSettings = {
  endpoint?: (string | null);
  model?: (string | null);
  isolation?: (Isolation | null);
  args?: (Array<string> | null);
  /** A null value removes the variable. */
  env?: Record<string, (string | null)>;
  preferences?: Record<string, (string | null)>;
};
export type Profiles = {
  profiles: Array<ProfileRow>;
  /** Profile files that cannot be read; they are left as they are. */
  problems?: Array<Problem>;
};
/** A new profile with the settings and key of another, and a fresh home, or one with its transcripts. */
export type ProfilesClone = {
  alias: string;
  to: string;
  /** Copy the agent's transcripts too. */
  history?: boolean;
};
/** Makes a profile: checks everything, stores the key, seeds the home, then commits the file. */
export type ProfilesCreate = {
  agent: string;
  alias: string;
  provider: string;
  settings?: ProfileSettings;
  key?: KeyInput;
  /** Requests go through a proxy, also where they need not. */
  proxy?: boolean;
  /** Name of one of the agent's templates; what this call sets itself wins. */
  template?: (string | null);
  /** Check and show, change nothing. */
  dry_run?: boolean;
};
export type ProfilesDelete = {
  alias: string;
  /** Remove the profile home as well. */
  purge?: boolean;
};
export type ProfilesEdit = {
  alias: string;
  provider?: (string | null);
  settings?: ProfileSettings;
  key?: KeyInput;
  /** Names of optional settings to clear: `model`, `endpoint`, `args`. */
  unset?: Array<string>;
};
export type ProfilesInspect = {
  alias: string;
};
export type ProfilesList = {
  agent?: (string | null);
};
/** What a creation would need, so that a terminal can ask for what is missing. */
export type ProfilesOptions = {
  agent?: (string | null);
  provider?: (string | null);
};
export type ProfilesRename = {
  alias: string;
  to: string;
};
/** A place in a project, relative to the directories where the agent looks for it. */
export type ProjectCode = {
  /** A file, or a directory with any file in it. */
  path: string;
  /** Only when the file's text has this key. */
  key?: (string | null);
  reach: Reach;
};
/** A text for the agent, such as `CLAUDE.md`. Written when the file is missing. */
export type Prompt = {
  /** Relative to the agent's config directory; ends with `.md`. */
  file: string;
  text: string;
};
export type ProviderDetail = {
  manifest: ProviderManifest;
  origin: Origin;
  file?: (string | null);
  /** Agents that can use it. */
  agents: Array<string>;
};
/** Id of a provider manifest. */
export type ProviderId = string;
/** What kind of provider it is. */
export type ProviderKind = ("remote" | "self" | "offline");
export type ProviderManifest = {
  schema: number;
  id: ProviderId;
  name: string;
  homepage?: (string | null);
  kind: ProviderKind;
  /** The variable the vendor's own documents use for a key. */
  key_env?: (string | null);
  /** Shape of a key, with `*`; a key of another shape is warned about. */
  key_pattern?: (string | null);
  key_url?: (string | null);
  default_region?: (string | null);
  /** Whether models that are not listed are accepted, with a warning. */
  any_model: boolean;
  default_model?: (string | null);
  quirks: Array<string>;
  /** What the addresses, models and windows are known from. */
  evidence?: (string | null);
  /** What a user should know before the first run, a sentence each. */
  caveats?: Array<string>;
  /** Model for each tier (`opus`, `sonnet`, `haiku`). */
  tiers: Record<string, string>;
  endpoints: Array<Endpoint>;
  models: Array<Model>;
  probe?: (ProbeSpec | null);
  balance?: Array<Balance>;
};
export type ProviderRow = {
  id: ProviderId;
  name: string;
  kind: ProviderKind;
  origin: Origin;
  formats: Array<Format>;
  regions?: Array<string>;
  default_model?: (string | null);
  profiles: number;
};
export type Providers = {
  providers: Array<ProviderRow>;
  problems?: Array<Problem>;
};
/** Agrees that the keys of this provider's profiles may go to the hosts its manifest names now. */
export type ProvidersApprove = {
  id: string;
  /** Only this profile; all profiles of the provider when absent. */
  alias?: (string | null);
};
export type ProvidersInspect = {
  id: string;
};
export type ProvidersList = Record<string, never>;
/** Asks a provider for the models of a key. With neither profile nor key it only looks whether the provider answers. */
export type ProvidersProbe = {
  id: string;
  /** Its key and endpoint are used. */
  profile?: (string | null);
  /** Region, or a URL of the user's own; the profile's, else the provider's default when absent. */
  endpoint?: (string | null);
  /** Another key than the profile's. */
  key?: (KeyText | null);
};
/** What providers say is left of what was paid for. */
export type ProvidersQuota = {
  /** Only this profile; all when absent. */
  alias?: (string | null);
  /** Keys that only the caller can fetch, by profile. */
  keys?: Record<string, KeyText>;
};
/** Takes a key for targets of a provider; the hosts of its manifest are approved with it. */
export type ProxyAddKey = {
  alias: string;
  provider: string;
  key?: KeyInput;
};
/** Adds a rule. Its condition and targets are checked first. */
export type ProxyAddRoute = {
  alias: string;
  route: RouteIn;
};
/** The configuration as it would be written now. */
export type ProxyConfig = {
  alias: string;
};
/** Which rule a request would take, and why. */
export type ProxyExplain = {
  alias: string;
  /** Base64 of the request's body: punctuation of its own would count against the limits of a message. */
  request: string;
  /** Absent: what the agent speaks. */
  format?: (Format | null);
  /** The model, for a format that has it in the address. */
  model?: (string | null);
};
/** Brings the keys that the daemon cannot fetch, and starts what waits for them. */
export type ProxyKeys = {
  alias: string;
  keys: Record<string, KeyText>;
};
export type ProxyRemoveAlias = {
  alias: string;
  name: string;
};
export type ProxyRemoveKey = {
  alias: string;
  number: number;
};
export type ProxyRemoveRoute = {
  alias: string;
  name: string;
};
/** One request. Nothing of what was said. */
export type ProxyRequest = {
  id: string;
  /** When it came, RFC 3339. */
  time: string;
  /** As the client called it. */
  model: string;
  /** The rule that chose the target. */
  rule: string;
  /** The target that answered, or the last that was asked. */
  target: string;
  /** As the client got it; 0: none. */
  status: number;
  /** `ok`; `error`: an error was the answer; `broken`: it ended in the middle; `cancelled`: the client went away. */
  outcome: string;
  /** Targets that failed before. */
  failed: Array<FailedTarget>;
  input_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
  output_tokens: number;
  /** Milliseconds to the first byte of the answer and to its end. */
  first_ms: number;
  total_ms: number;
};
/** The last requests through a profile's proxy, newest first. */
export type ProxyRequests = {
  alias: string;
  /** At most 200. */
  limit?: (number | null);
};
export type ProxyRequestsReply = {
  requests: Array<ProxyRequest>;
};
export type ProxyRouting = {
  alias: string;
};
/** Enables or disables the proxy of a profile, or sets its strategy. What is absent stays. */
export type ProxySet = {
  alias: string;
  enabled?: (boolean | null);
  strategy?: (Strategy | null);
};
/** Leads a model's name, `*` allowed, to a target. */
export type ProxySetAlias = {
  alias: string;
  name: string;
  target: string;
};
/** `proxy` in `profiles/<alias>.json`. Absent: as it comes out by itself. */
export type ProxySettings = {
  /** The user wants it, also where agent and provider would understand each other without. */
  enabled: boolean;
  strategy: Strategy;
  /** In the order in which equals are asked. */
  routes?: Array<Route>;
  /** From a model's name, `*` allowed, to a target. */
  aliases?: Record<string, string>;
  /** Keys besides the profile's own: of other providers, or more of the same to take turns with. */
  keys?: Array<ExtraKey>;
};
/** Starts the instance of a profile, or lets a running one be, and waits until it answers. */
export type ProxyStart = {
  alias: string;
  /** End a running one first. */
  restart?: boolean;
};
export type ProxyStarted = {
  instance: Instance;
  /** Keys to fetch and to send with `proxy.keys`; it starts then. */
  needs?: Array<NeededKey>;
};
/** What an instance does now. */
export type ProxyState = ("stopped" | "running" | "starting" | "restarting" | "failed");
/** Instances: of one profile, or of all that use or ran one. */
export type ProxyStatus = {
  alias?: (string | null);
};
/** Stops one instance, or all. None running is no error. */
export type ProxyStop = {
  alias?: (string | null);
};
/** Why requests of a profile go through a proxy, or do not. */
export type ProxyUse = ("off" | "enabled" | "needed");
/** One thing that can run out. */
export type QuotaFigure = {
  name: string;
  left?: (number | null);
  used?: (number | null);
  limit?: (number | null);
  /** `USD`, `%`, `tokens`, ... */
  unit?: (string | null);
  /** RFC 3339. */
  resets?: (string | null);
};
export type QuotaRow = {
  alias: string;
  provider: string;
  outcome: ProbeOutcome;
  /** Why there are no figures, or not all. */
  message?: (string | null);
  figures?: Array<QuotaFigure>;
  /** Where the caller gets the key, which the daemon does not keep. */
  needs?: (KeySource | null);
};
export type Quotas = {
  profiles: Array<QuotaRow>;
};
/** Where an agent looks for a project's files. */
export type Reach = ("above" | "below-home" | "here");
export type Reconciled = {
  slice: Slice;
  /** Sessions with a bill, those that differ first. At most 500. */
  bills: Array<Bill>;
  /** Sessions compared, and those that are equal. */
  compared: number;
  equal: number;
  known: boolean;
};
/** What a sync would change. */
export type RegistryDiff = {
  channel?: (Channel | null);
};
export type RegistryInspect = Record<string, never>;
/** Checks a working tree of a registry's publisher. */
export type RegistryLint = {
  /** Absolute. */
  dir: string;
};
/** Stays at a commit (or the version number of one), or follows the channel again. */
export type RegistryPin = {
  reference?: (string | null);
};
/** How far a sync is that is under way, whoever began it. */
export type RegistryProgress = Record<string, never>;
export type RegistryState = {
  /** None is set up. */
  url?: (string | null);
  channel: Channel;
  /** Ids of the keys trusted now, and how many of them must sign. */
  keys: Array<string>;
  threshold: number;
  root: number;
  lock?: (Lock | null);
  /** Past its expiry: still used, and refreshed when possible. */
  expired: boolean;
  /** Commits on disk. */
  commits: Array<string>;
  /** Hours between refreshes; 0: never by itself. */
  refresh_hours: number;
  last_error?: (string | null);
  /** When prices were last taken, and how many there are. */
  prices_synced?: (string | null);
  prices: number;
};
/** Brings the registry up to date. */
export type RegistrySync = {
  /** Ask again even when it is fresh, unconditionally. Relaxes no check. */
  force?: boolean;
  /** Use and check what is there; no network. */
  offline?: boolean;
  channel?: (Channel | null);
};
/** Checks signatures and every artifact on disk again. */
export type RegistryVerify = Record<string, never>;
export type Review = {
  name: string;
  /** blake3 of the source, hex. */
  hash: string;
  /** Agreed to, or nothing that needs it. */
  approved: boolean;
  file?: (string | null);
  /** What the difference is from; absent: `diff` is the whole text. */
  compared?: (Compared | null);
  /** Lines with `+`, `-` and space. Characters that a terminal obeys or hides are written as `\u{..}`. */
  diff: string;
};
/** A rule: requests for which the condition holds go to the first target; the others replace it. */
export type Route = {
  name: string;
  condition: string;
  /** `provider/model`, or `provider/*` for the model that was asked for. */
  targets: Array<string>;
  /** Higher is asked first. */
  priority: number;
  weight: number;
};
/** A rule: requests for which the condition holds go to the first target; the others replace it. */
export type RouteIn = {
  name: string;
  condition: string;
  /** `provider/model`, or `provider/*` for the model that was asked for. */
  targets: Array<string>;
  /** Higher is asked first. */
  priority?: number;
  weight?: number;
};
/** A rule: requests for which the condition holds go to the first target; the others replace it. */
export type RouteRow = {
  name: string;
  condition: string;
  /** `provider/model`, or `provider/*` for the model that was asked for. */
  targets: Array<string>;
  /** Higher is asked first. */
  priority: number;
  weight: number;
  /** Made by clown; it cannot be removed. */
  generated: boolean;
};
/** A profile's routing after a change, or as it is. */
export type Routing = {
  alias: string;
  use: ProxyUse;
  strategy: Strategy;
  /** The user's, in the order in which they are asked, then those that clown adds. */
  routes: Array<RouteRow>;
  aliases: Record<string, string>;
  keys: Array<KeyRow>;
  warnings?: Array<string>;
};
export type Scanned = {
  files: number;
  bytes_read: number;
  requests: number;
  milliseconds: number;
  problems?: Array<Trouble>;
};
export type ScriptFile = {
  /** Relative to the profile home. */
  path: string;
  format: FileFormat;
  /** A map for json and toml, a string for text. */
  content: unknown;
  mode: FileMode;
};
/** Name of a script without its extension. */
export type ScriptName = string;
/** What a script returns. */
export type ScriptOutput = {
  env: Record<string, string>;
  /** Put before the arguments of the profile and the run. */
  args: Array<string>;
  files: Array<ScriptFile>;
};
export type ScriptRow = {
  name: string;
  origin: Origin;
  file?: (string | null);
  /** Agents whose manifest names it. */
  agents: Array<string>;
  /** blake3 of the source, hex. */
  hash: string;
  /** It came with the registry and the user has not agreed to it. */
  needs_approval: boolean;
};
export type Scripts = {
  scripts: Array<ScriptRow>;
};
/** Agrees to a script of the registry, or to a template (`AGENT/NAME`) that does more than choose a model and give texts. */
export type ScriptsApprove = {
  name: string;
  /** blake3 of the source that was shown, hex. */
  hash: string;
};
export type ScriptsList = Record<string, never>;
/** What the user would agree to. */
export type ScriptsReview = {
  /** As in `ApproveScript`. */
  name: string;
};
/** Runs a script of the user on an example context. */
export type ScriptsTest = {
  source: string;
  name: string;
  agent?: (string | null);
  provider?: (string | null);
};
export type Seen = {
  epoch: string;
  seq: number;
};
export type SeenIn = {
  epoch: string;
  seq: number;
};
/** Which requests. Lists are choices: one of each list must fit, an empty list lets all through. */
export type Select = {
  /** Absent: all, or what `since` and `until` say. */
  period?: (Period | null);
  /** First day, `2026-11-22`; in place of the period's. */
  since?: (string | null);
  /** Last day, counted in full. */
  until?: (string | null);
  /** Where days begin: a name of the time zone database, a POSIX rule, or an offset like `+02:00`. Empty: UTC. */
  timezone?: string;
  /** `-` stands for what was used outside of profiles. */
  profiles?: Array<string>;
  agents?: Array<string>;
  providers?: Array<string>;
  /** `*` stands for any text. */
  models?: Array<string>;
  /** A directory, or the last part of one; `*` stands for any text. */
  projects?: Array<string>;
};
/** One line of `telemetry/sessions.jsonl`. A session writes a line when it opens and one when it
 * closes, and one more when it is known what was used; the last line of an id is the record. */
export type Session = {
  version: number;
  /** UUID v7, so ids sort by time. */
  id: string;
  state: SessionState;
  profile: string;
  agent: string;
  agent_version?: (string | null);
  provider: string;
  model?: (string | null);
  cwd: string;
  /** The agent's process; absent while starting. */
  process?: (Process | null);
  /** The process that started the agent and will report its exit. */
  client?: (Process | null);
  /** RFC 3339. */
  started: string;
  ended?: (string | null);
  exit?: (Exit | null);
  /** What was used while it lasted; absent until that is known. */
  usage?: (SessionUse | null);
};
/** State of a session. */
export type SessionState = ("running" | "ended" | "starting" | "lost");
/** What a session used. */
export type SessionUse = {
  input_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  cache_read_tokens: number;
  cache_write_5m_tokens: number;
  cache_write_1h_tokens: number;
  cache_write_12h_tokens?: number;
  /** For a time that nobody told. */
  cache_write_other_tokens?: number;
  total_tokens: number;
  requests: number;
  /** Null: nothing in it has a known price. */
  cost_usd: (number | null);
  /** Some of it has no known price, and is not in `cost_usd`. */
  partial: boolean;
  models: Array<ModelUse>;
  runtime_ms?: (number | null);
  /** Hash of the price table in force. */
  prices: string;
  /** `log`: the agent's own; `log+proxy`: with requests that only the proxy saw. */
  source: string;
  /** What clown counts more than the agent's own bill says, for all of the agent's sessions that this run was a part of: a bill is for
   * a whole session, resumed or not. Absent where there is no bill or a price is unknown. */
  difference_usd?: (number | null);
};
export type Sessions = {
  sessions: Array<Session>;
  /** Lines of the file that could not be read. */
  bad_lines: number;
};
export type SessionsInspect = {
  /** Whole id or an unambiguous beginning. */
  id: string;
};
export type SessionsList = {
  profile?: (string | null);
  /** Only live sessions. */
  live?: boolean;
  /** At most this many, newest first. At most 500. */
  limit?: number;
  /** Continue below this id. */
  before?: (string | null);
};
/** Moves an agent's session, its transcript and what belongs to it, to another profile of the same agent. */
export type SessionsMove = {
  /** The agent's own session id, or the beginning of it. */
  id: string;
  /** Profile to move it to. */
  to: string;
  /** Profile it is in; needed only when it is in more than one. */
  from?: (string | null);
  /** Leave it where it is as well. */
  copy?: boolean;
};
export type Setting = {
  key: string;
  value: unknown;
  default: unknown;
  help: string;
  /** After a change: from when on it holds, when that is not now. */
  note?: (string | null);
};
/** The tasks of a profile's agent. */
export type SetupList = {
  alias: string;
};
export type SetupRan = {
  /** What it said, at most 64 KiB. */
  output: string;
  ms: number;
};
export type SetupRow = {
  name: string;
  description: string;
  run: Array<string>;
};
/** Runs a task to its end. */
export type SetupRun = {
  alias: string;
  task: string;
};
export type SetupTask = {
  description: string;
  run: Array<string>;
  /** At most 150000. */
  timeout_ms: number;
};
export type SetupTasks = {
  tasks: Array<SetupRow>;
  /** The manifest came with the registry, and nobody agreed to its commands. */
  needs_approval: boolean;
};
/** Lines that told nothing because nobody could read them, by kind. */
export type Skipped = {
  /** No JSON object. */
  garbage: number;
  /** The beginning or the end of one. */
  half: number;
  /** No JSON object and no UTF-8. */
  not_text: number;
  /** Longer than anything that tells of usage. */
  too_long: number;
  /** Of a later version than this build knows. */
  unknown_version: number;
  /** Files that could not be opened, or not to their end. */
  unreadable: number;
};
/** The days that were asked for; absent ends are open. */
export type Slice = {
  since?: (string | null);
  until?: (string | null);
  timezone: string;
};
/** A histogram. */
export type Spread = {
  /** Upper ends, rising; each belongs to its class. */
  bounds: Array<number>;
  /** How many in each class, and beyond the last end. */
  counts: Array<number>;
  sum: number;
};
export type StatusReply = {
  pid: number;
  version: string;
  protocol: number;
  endpoint: string;
  events: string;
  /** Where the web UI and the API are, `http://127.0.0.1:8765`; absent when nothing is served, and then why. */
  http?: (string | null);
  http_problem?: (string | null);
  home: string;
  log: string;
  /** RFC 3339. */
  started: string;
  stay_alive: boolean;
  /** Seconds without work until it exits; 0 is never. */
  idle_timeout: number;
  /** What keeps it alive now, in words. */
  guards: Array<string>;
  calls: number;
  /** Handlers that panicked and were contained. */
  defects: number;
  /** Times the messaging listener was opened again. */
  heals: number;
};
export type StatuslineReply = {
  session: Figures;
  /** Of the profile. */
  today: Figures;
  /** The open block of the profile, if there is one. */
  block?: (UsageLine | null);
  /** The tightest budget, if there is one: its share in percent. */
  budget_percent?: (number | null);
};
export type Step = {
  rule: string;
  condition: string;
  holds: boolean;
  reasons: Array<string>;
};
export type Stopped = {
  stopped: Array<string>;
};
/** How one of several targets is chosen. */
export type Strategy = ("lowest-cost" | "simple" | "weighted" | "adaptive" | "conditional");
export type SummaryReply = {
  slice: Slice;
  totals: Figures;
  /** Today and yesterday, this week and month, whatever was selected. */
  today: Figures;
  yesterday: Figures;
  week: Figures;
  month: Figures;
  /** Of the selected days the last thirty, also those without use. */
  days: Array<UsageLine>;
  /** The five largest of each. */
  agents: Array<UsageLine>;
  profiles: Array<UsageLine>;
  models: Array<UsageLine>;
  projects: Array<UsageLine>;
  /** Open blocks. */
  active: Array<UsageLine>;
  windows?: Array<Window>;
  unpriced: Array<string>;
  budgets?: Array<BudgetState>;
  /** Of the price table and the user's own prices. */
  prices: string;
  known: boolean;
};
export type Supports = {
  hooks: boolean;
  mcp: boolean;
  /** What its MCP servers may be; empty: programs it starts. */
  mcp_transports?: Array<McpTransport>;
};
export type SyncProgress = {
  stage: SyncStage;
  /** Entries of this stage that are done, and all of them; both 0 where nothing is counted. */
  done: number;
  total: number;
};
export type SyncSource = "cache" | "network";
/** What a sync does now, in the order in which it does it. */
export type SyncStage = ("fetch" | "idle" | "index" | "check" | "commit" | "prices");
export type Synced = {
  commit: string;
  channel: Channel;
  version: number;
  /** Entries in force. */
  artifacts: number;
  source: SyncSource;
  /** Whether `current` is another one than before. */
  changed: boolean;
  /** Entries fetched, taken from what was there, and gone. */
  new: number;
  kept: number;
  removed: number;
  /** Bytes of bodies that came over the network, prices included. */
  bytes: number;
  /** Requests made. */
  requests: number;
  expires: string;
  pinned?: (string | null);
  /** What was left out or is to be known, one sentence each. */
  notes?: Array<string>;
  prices?: (PricesSynced | null);
};
export type TargetRow = {
  target: string;
  model: string;
};
/** `templates/<agent>/<name>.toml`. */
export type Template = {
  schema: number;
  agent: AgentId;
  name: TemplateName;
  /** One line. */
  description: string;
  /** Used when the creation names none. */
  model?: (string | null);
  /** Put before those of the creation. */
  args?: Array<string>;
  /** What the creation sets wins. */
  env?: Record<string, string>;
  /** What the creation sets wins. */
  preferences?: Record<string, string>;
  prompts?: Array<Prompt>;
  hooks?: Array<Hook>;
};
export type TemplateDetail = {
  template: Template;
  origin: Origin;
  file?: (string | null);
  /** Whether the user must agree to it before it is used, and has not. */
  needs_approval: boolean;
};
/** Name of a template without its agent and extension. */
export type TemplateName = string;
export type TemplateRow = {
  agent: AgentId;
  name: TemplateName;
  description: string;
  origin: Origin;
};
export type Templates = {
  templates: Array<TemplateRow>;
  /** Files of templates that cannot be used. */
  problems?: Array<Problem>;
};
export type TemplatesInspect = {
  /** Id of an agent, or another word its manifest lists. */
  agent: string;
  name: string;
};
export type TemplatesList = {
  agent?: (string | null);
};
export type Tested = {
  output: ScriptOutput;
  /** Lines the script printed. */
  log: Array<string>;
};
/** A client's text on `/ws`. */
export type ToServer = ({
  type: "subscribe";
  topics: Array<string>;
  /** What was seen last: events after it come first, or `resync`. */
  after?: (SeenIn | null);
} | {
  type: "ping";
});
/** Something that could not be read, and how often. */
export type Trouble = {
  file: string;
  what: string;
  count: number;
};
/** Where clown looks, and what it could not read. */
export type UsageDoctor = Record<string, never>;
/** Requests as they are known, page by page. The order is the index's own and stays while nothing new is read. */
export type UsageExport = {
  select?: Select;
  /** Continue here; 0 at first, then what the reply before said. */
  from?: number;
};
/** Reads logs of an agent at another place, once. Requests that are known already are not counted again. */
export type UsageImport = {
  agent: string;
  /** Absolute. */
  dir: string;
  /** Whose requests these are. */
  profile?: (string | null);
};
/** One line. It names what it is the sum of, and only that. */
export type UsageLine = {
  /** `2026-11-22`; of a week its Monday; `2026-11` for a month. */
  date?: (string | null);
  session?: (string | null);
  agent?: (string | null);
  /** `-`: outside of profiles. */
  profile?: (string | null);
  project?: (string | null);
  model?: (string | null);
  block?: (Block | null);
  input_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  cache_read_tokens: number;
  cache_write_5m_tokens: number;
  cache_write_1h_tokens: number;
  cache_write_12h_tokens?: number;
  /** For a time that nobody told. */
  cache_write_other_tokens?: number;
  total_tokens: number;
  requests: number;
  /** Null: nothing in it has a known price. */
  cost_usd: (number | null);
  /** Some of it has no known price, and is not in `cost_usd`. */
  partial: boolean;
  /** First and last request, RFC 3339. */
  first?: (string | null);
  last?: (string | null);
  /** Models in it, most tokens first. */
  models?: Array<string>;
  /** By model, where it was asked for. */
  breakdown?: Array<UsageLine>;
};
/** Days, sessions and blocks in order of time; everything else by cost, the largest first. */
export type UsagePage = {
  group: Group;
  slice: Slice;
  lines: Array<UsageLine>;
  /** Lines in the whole report. */
  count: number;
  /** Of all that was selected, whatever lines are here. */
  totals: Figures;
  /** Models without a known price. */
  unpriced: Array<string>;
  /** Windows that a vendor told; with blocks only. */
  windows?: Array<Window>;
  /** Whether anything at all is known, also outside of what was selected. */
  known: boolean;
};
/** Our sums against what agents wrote down as their own bill. */
export type UsageReconcile = {
  select?: Select;
};
/** A report; at most [`Page::MOST`] lines at once. */
export type UsageReport = {
  group: Group;
  select?: Select;
  /** Each line by model, too. */
  breakdown?: boolean;
  /** Lines to leave out, from the first. */
  skip?: number;
  /** Only that many at the end of the report: the latest, or for models, profiles, agents and projects the largest. */
  last?: (number | null);
};
/** One billed request. Nothing of what was said. */
export type UsageRequest = {
  /** RFC 3339, UTC. */
  time: string;
  agent: string;
  /** Null: outside of profiles. */
  profile: (string | null);
  provider: (string | null);
  model: string;
  project: (string | null);
  session: string;
  /** The request's identity. */
  key: string;
  input_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  cache_read_tokens: number;
  cache_write_5m_tokens: number;
  cache_write_1h_tokens: number;
  cache_write_12h_tokens?: number;
  /** For a time that nobody told. */
  cache_write_other_tokens?: number;
  total_tokens: number;
  requests: number;
  /** Null: nothing in it has a known price. */
  cost_usd: (number | null);
  /** Some of it has no known price, and is not in `cost_usd`. */
  partial: boolean;
  web_searches: number;
  sidechain: boolean;
  aborted: boolean;
  /** What the agent says it cost. In no sum. */
  source_cost_usd: (number | null);
};
/** Reads all logs from their start. What is known of files that are gone stays. */
export type UsageRescan = Record<string, never>;
/** What the line below an agent's prompt needs. Names come from the agent. */
export type UsageStatusline = {
  agent?: string;
  profile?: (string | null);
  session?: (string | null);
  timezone?: string;
};
/** What fits on a card. */
export type UsageSummary = {
  select?: Select;
};
export type Verified = {
  commit: string;
  artifacts: number;
  keys: Array<string>;
  /** One sentence each; empty: all is as signed. */
  problems: Array<string>;
};
export type VersionProbe = {
  args: Array<string>;
  timeout_ms: number;
  /** What the first printed line looks like (any of these, with `*`), where agents of several vendors have one
   * name. Another program of that name is not this agent. */
  says?: Array<string>;
};
/** A limit as its vendor told it to the agent. */
export type Window = {
  agent: string;
  profile?: (string | null);
  /** The vendor's word for it. */
  name?: (string | null);
  minutes: number;
  used_percent: number;
  resets_at?: (string | null);
  /** When the vendor said so. */
  seen_at: string;
};

/** Every address: what it takes and gives. */
export interface Routes {
  /** Says hello. The cheapest call: answered without touching any state. */
  "GET /api/v1/hello": {
    reply: HelloReply;
  };
  "GET /api/v1/daemon": {
    reply: StatusReply;
  };
  /** All figures as of now. What is counted for the daemon itself begins with its life; tokens and costs are all there are. */
  "GET /api/v1/daemon/metrics": {
    reply: Metrics;
  };
  "POST /api/v1/daemon/stop": {
    body: {
      /** Refuse while sessions are live. */
      only_if_idle?: boolean;
    };
    reply: Done;
  };
  /** Sets the level of the log: `error`, `warn`, `info`, `debug` or `trace`. */
  "PUT /api/v1/daemon/log-level": {
    body: {
      level: string;
    };
    reply: Done;
  };
  /** Events after a sequence number, from the daemon's ring buffer. */
  "GET /api/v1/events/since": {
    query: { "epoch": string; "seq": number };
    reply: Events;
  };
  /** Every agent, and whether it is installed. Probes only binaries that changed since last seen. */
  "GET /api/v1/agents": {
    reply: Agents;
  };
  /** Probes every agent again, whatever the cache says. */
  "POST /api/v1/detections": {
    body: {
      /** Only this agent. */
      id?: (string | null);
    };
    reply: Agents;
  };
  "GET /api/v1/agents/{id}": {
    path: { "id": string | number };
    reply: AgentDetail;
  };
  "GET /api/v1/providers": {
    reply: Providers;
  };
  "GET /api/v1/providers/{id}": {
    path: { "id": string | number };
    reply: ProviderDetail;
  };
  /** Agrees that the keys of this provider's profiles may go to the hosts its manifest names now. */
  "POST /api/v1/providers/{id}/approve": {
    path: { "id": string | number };
    body: {
      /** Only this profile; all profiles of the provider when absent. */
      alias?: (string | null);
    };
    reply: Approved;
  };
  /** Asks a provider for the models of a key. With neither profile nor key it only looks whether the provider answers. */
  "POST /api/v1/providers/{id}/probe": {
    path: { "id": string | number };
    body: {
      /** Its key and endpoint are used. */
      profile?: (string | null);
      /** Region, or a URL of the user's own; the profile's, else the provider's default when absent. */
      endpoint?: (string | null);
      /** Another key than the profile's. */
      key?: (KeyText | null);
    };
    reply: Probed;
  };
  /** What providers say is left of what was paid for. */
  "POST /api/v1/quota": {
    body: {
      /** Only this profile; all when absent. */
      alias?: (string | null);
      /** Keys that only the caller can fetch, by profile. */
      keys?: Record<string, KeyText>;
    };
    reply: Quotas;
  };
  /** What a creation would need, so that a terminal can ask for what is missing. */
  "GET /api/v1/profile-options": {
    query: { "agent"?: string; "provider"?: string };
    reply: Choices;
  };
  "GET /api/v1/profiles": {
    query: { "agent"?: string };
    reply: Profiles;
  };
  /** Makes a profile: checks everything, stores the key, seeds the home, then commits the file. */
  "POST /api/v1/profiles": {
    body: {
      agent: string;
      alias: string;
      provider: string;
      settings?: ProfileSettings;
      key?: KeyInput;
      /** Requests go through a proxy, also where they need not. */
      proxy?: boolean;
      /** Name of one of the agent's templates; what this call sets itself wins. */
      template?: (string | null);
      /** Check and show, change nothing. */
      dry_run?: boolean;
    };
    reply: Created;
  };
  "GET /api/v1/profiles/{alias}": {
    path: { "alias": string | number };
    reply: ProfileDetail;
  };
  "PATCH /api/v1/profiles/{alias}": {
    path: { "alias": string | number };
    body: {
      provider?: (string | null);
      settings?: ProfileSettings;
      key?: KeyInput;
      /** Names of optional settings to clear: `model`, `endpoint`, `args`. */
      unset?: Array<string>;
    };
    reply: Created;
  };
  "DELETE /api/v1/profiles/{alias}": {
    path: { "alias": string | number };
    query: { "purge"?: boolean };
    reply: Deleted;
  };
  "POST /api/v1/profiles/{alias}/rename": {
    path: { "alias": string | number };
    body: {
      to: string;
    };
    reply: Created;
  };
  /** A new profile with the settings and key of another, and a fresh home, or one with its transcripts. */
  "POST /api/v1/profiles/{alias}/clone": {
    path: { "alias": string | number };
    body: {
      to: string;
      /** Copy the agent's transcripts too. */
      history?: boolean;
    };
    reply: Created;
  };
  "GET /api/v1/sessions": {
    query: { "profile"?: string; "live"?: boolean; "limit"?: number; "before"?: string };
    reply: Sessions;
  };
  "GET /api/v1/sessions/{id}": {
    path: { "id": string | number };
    reply: Session;
  };
  /** Moves an agent's session, its transcript and what belongs to it, to another profile of the same agent. */
  "POST /api/v1/sessions/{id}/move": {
    path: { "id": string | number };
    body: {
      /** Profile to move it to. */
      to: string;
      /** Profile it is in; needed only when it is in more than one. */
      from?: (string | null);
      /** Leave it where it is as well. */
      copy?: boolean;
    };
    reply: MovedSession;
  };
  "POST /api/v1/export": {
    body: unknown;
    reply: MovingExported;
  };
  "POST /api/v1/import": {
    body: unknown;
    reply: Imported;
  };
  "GET /api/v1/scripts": {
    reply: Scripts;
  };
  /** Runs a script of the user on an example context. */
  "POST /api/v1/scripts/test": {
    body: {
      source: string;
      name: string;
      agent?: (string | null);
      provider?: (string | null);
    };
    reply: Tested;
  };
  /** What the user would agree to. */
  "GET /api/v1/scripts/review": {
    query: { "name": string };
    reply: Review;
  };
  /** Agrees to a script of the registry, or to a template (`AGENT/NAME`) that does more than choose a model and give texts. */
  "POST /api/v1/scripts/approve": {
    body: {
      name: string;
      /** blake3 of the source that was shown, hex. */
      hash: string;
    };
    reply: Done;
  };
  "GET /api/v1/templates": {
    query: { "agent"?: string };
    reply: Templates;
  };
  "GET /api/v1/templates/{agent}/{name}": {
    path: { "agent": string | number; "name": string | number };
    reply: TemplateDetail;
  };
  /** Which profile a directory chooses, and why. */
  "GET /api/v1/bindings": {
    query: { "dir"?: string };
    reply: BindingsChoice;
  };
  /** Binds a directory to a profile: sets `profile` in its `.clown.toml`, and keeps the rest of it. */
  "PUT /api/v1/bindings": {
    body: {
      alias: string;
      dir?: (string | null);
    };
    reply: BindingsChoice;
  };
  /** Takes `profile` out of a directory's `.clown.toml`; a file with nothing else in it goes. */
  "DELETE /api/v1/bindings": {
    query: { "dir"?: string };
    reply: BindingsChoice;
  };
  /** Whether the settings of a file beyond the profile hold. */
  "POST /api/v1/bindings/trust": {
    body: ("given" | "not-needed" | "missing");
    reply: BindingsChoice;
  };
  "GET /api/v1/launchers": {
    reply: LaunchersReply;
  };
  /** Makes a launcher. A file that is not clown's is never replaced. */
  "POST /api/v1/launchers": {
    body: {
      target: LauncherTargetIn;
      /** Absent: `AGENT-ALIAS` for a profile, the name of the agent's program for an agent. */
      name?: (string | null);
      /** Absolute; absent: `~/.local/bin`. */
      bin_dir?: (string | null);
      /** The clown to start: absolute path. */
      program: string;
    };
    reply: LaunchersInstalled;
  };
  /** Removes a launcher. A file that is not clown's any more stays. */
  "DELETE /api/v1/launchers/{name}": {
    path: { "name": string | number };
    reply: Launcher;
  };
  "GET /api/v1/profiles/{alias}/hooks": {
    path: { "alias": string | number };
    reply: AgentHooksOf;
  };
  /** Adds a hook. One that is there already is no error. */
  "POST /api/v1/profiles/{alias}/hooks": {
    path: { "alias": string | number };
    body: {
      hook: AgentHookIn;
    };
    reply: AgentHooksOf;
  };
  "DELETE /api/v1/profiles/{alias}/hooks/{id}": {
    path: { "alias": string | number; "id": string | number };
    reply: AgentHooksOf;
  };
  /** A profile's hooks as a document for another. */
  "GET /api/v1/hook-documents/{alias}": {
    path: { "alias": string | number };
    reply: HooksDocument;
  };
  /** Adds all hooks of a document, or none: an export, or an agent's own settings with a `hooks` table. */
  "POST /api/v1/hook-documents/{alias}": {
    path: { "alias": string | number };
    body: {
      document: unknown;
    };
    reply: AgentHooksOf;
  };
  /** The tasks of a profile's agent. */
  "GET /api/v1/profiles/{alias}/setup": {
    path: { "alias": string | number };
    reply: SetupTasks;
  };
  /** Runs a task to its end. */
  "POST /api/v1/profiles/{alias}/setup/{task}": {
    path: { "alias": string | number; "task": string | number };
    body: Record<string, never>;
    reply: SetupRan;
  };
  /** Lines of the record, newest first. */
  "GET /api/v1/audit": {
    query: { "kind"?: ("plugin" | "hook" | "setup"); "profile"?: string; "name"?: string; "limit"?: number };
    reply: AuditLines;
  };
  "GET /api/v1/plugins": {
    reply: Plugins;
  };
  /** Lets a plugin run as its file is now. */
  "PUT /api/v1/plugins/{name}": {
    path: { "name": string | number };
    body: {
      /** Absent: those it was enabled for before. */
      events?: Array<string>;
      /** Absent: 5000. */
      timeout_ms?: (number | null);
      /** Absent: 256. */
      memory_mb?: (number | null);
    };
    reply: PluginRow;
  };
  "DELETE /api/v1/plugins/{name}": {
    path: { "name": string | number };
    reply: Done;
  };
  /** Servers for all profiles and of each profile, or those in force for one. */
  "GET /api/v1/mcp": {
    query: { "profile"?: string };
    reply: McpServers;
  };
  /** Adds a server. One of the profile's own hides one for all of the same name. */
  "PUT /api/v1/mcp/{name}": {
    path: { "name": string | number };
    body: {
      /** Absent: for all profiles. */
      profile?: (string | null);
      /** Its secrets are references to a variable or a command; those that clown shall keep come in `secrets`. */
      server: McpServerIn;
      /** Values for the key store, by variable or header. */
      secrets?: Record<string, KeyText>;
      /** A value that looks like a key is none, and may be kept readable. */
      plain?: boolean;
      /** Take the place of a server of this name. */
      replace?: boolean;
    };
    reply: McpAdded;
  };
  /** Removes a server, and its secrets from the key store. */
  "DELETE /api/v1/mcp/{name}": {
    path: { "name": string | number };
    query: { "profile"?: string };
    reply: McpRemoved;
  };
  /** Looks at everything the daemon can see. Runs no agent and changes nothing. */
  "GET /api/v1/doctor": {
    reply: DoctorReport;
  };
  /** Mends the findings that are `safe`: access modes of clown's own files, and files left over from a crash. */
  "POST /api/v1/doctor/fix": {
    body: Record<string, never>;
    reply: DoctorMended;
  };
  /** Names that begin so. Probes nothing and opens no key store: it is asked at each press of a key. */
  "GET /api/v1/words": {
    query: { "kind": "profiles" | "agents" | "providers" | "models" | "sessions" | "scripts" | "templates" | "settings"; "begins": string; "agent"?: string; "provider"?: string; "profile"?: string };
    reply: CompleteReply;
  };
  "GET /api/v1/config": {
    reply: ConfigSettings;
  };
  /** Sets one key; an absent value puts the default back. Comments and order of the file are kept. */
  "PUT /api/v1/config/{key}": {
    path: { "key": string | number };
    body: {
      value?: (string | null);
    };
    reply: Setting;
  };
  /** Instances: of one profile, or of all that use or ran one. */
  "GET /api/v1/proxies": {
    query: { "alias"?: string };
    reply: Instances;
  };
  /** Stops one instance, or all. None running is no error. */
  "DELETE /api/v1/proxies": {
    query: { "alias"?: string };
    reply: Stopped;
  };
  /** Enables or disables the proxy of a profile, or sets its strategy. What is absent stays. */
  "PATCH /api/v1/proxies/{alias}": {
    path: { "alias": string | number };
    body: {
      enabled?: (boolean | null);
      strategy?: (Strategy | null);
    };
    reply: Routing;
  };
  /** Starts the instance of a profile, or lets a running one be, and waits until it answers. */
  "POST /api/v1/proxies/{alias}/start": {
    path: { "alias": string | number };
    body: {
      /** End a running one first. */
      restart?: boolean;
    };
    reply: ProxyStarted;
  };
  /** The configuration as it would be written now. */
  "GET /api/v1/proxies/{alias}/config": {
    path: { "alias": string | number };
    reply: ConfigText;
  };
  /** Which rule a request would take, and why. */
  "POST /api/v1/proxies/{alias}/explain": {
    path: { "alias": string | number };
    body: {
      /** Base64 of the request's body: punctuation of its own would count against the limits of a message. */
      request: string;
      /** Absent: what the agent speaks. */
      format?: (Format | null);
      /** The model, for a format that has it in the address. */
      model?: (string | null);
    };
    reply: Explanation;
  };
  /** The last requests through a profile's proxy, newest first. */
  "GET /api/v1/proxies/{alias}/requests": {
    path: { "alias": string | number };
    query: { "limit"?: number };
    reply: ProxyRequestsReply;
  };
  "GET /api/v1/proxies/{alias}/routing": {
    path: { "alias": string | number };
    reply: Routing;
  };
  /** Adds a rule. Its condition and targets are checked first. */
  "POST /api/v1/proxies/{alias}/routes": {
    path: { "alias": string | number };
    body: {
      route: RouteIn;
    };
    reply: Routing;
  };
  "DELETE /api/v1/proxies/{alias}/routes/{name}": {
    path: { "alias": string | number; "name": string | number };
    reply: Routing;
  };
  /** Leads a model's name, `*` allowed, to a target. */
  "PUT /api/v1/proxies/{alias}/aliases/{name}": {
    path: { "alias": string | number; "name": string | number };
    body: {
      target: string;
    };
    reply: Routing;
  };
  "DELETE /api/v1/proxies/{alias}/aliases/{name}": {
    path: { "alias": string | number; "name": string | number };
    reply: Routing;
  };
  /** Takes a key for targets of a provider; the hosts of its manifest are approved with it. */
  "POST /api/v1/proxies/{alias}/keys": {
    path: { "alias": string | number };
    body: {
      provider: string;
      key?: KeyInput;
    };
    reply: Routing;
  };
  /** Brings the keys that the daemon cannot fetch, and starts what waits for them. */
  "PUT /api/v1/proxies/{alias}/keys": {
    path: { "alias": string | number };
    body: {
      keys: Record<string, KeyText>;
    };
    reply: ProxyStarted;
  };
  "DELETE /api/v1/proxies/{alias}/keys/{number}": {
    path: { "alias": string | number; "number": string | number };
    reply: Routing;
  };
  "GET /api/v1/registry": {
    reply: RegistryState;
  };
  /** How far a sync is that is under way, whoever began it. */
  "GET /api/v1/registry/progress": {
    reply: SyncProgress;
  };
  /** Brings the registry up to date. */
  "POST /api/v1/registry/sync": {
    body: {
      /** Ask again even when it is fresh, unconditionally. Relaxes no check. */
      force?: boolean;
      /** Use and check what is there; no network. */
      offline?: boolean;
      channel?: (Channel | null);
    };
    reply: Synced;
  };
  /** What a sync would change. */
  "GET /api/v1/registry/diff": {
    query: { "channel"?: "stable" | "beta" | "nightly" | null };
    reply: Differences;
  };
  /** Stays at a commit (or the version number of one), or follows the channel again. */
  "PUT /api/v1/registry/pin": {
    body: {
      reference?: (string | null);
    };
    reply: RegistryState;
  };
  /** Checks signatures and every artifact on disk again. */
  "GET /api/v1/registry/verify": {
    reply: Verified;
  };
  /** Checks a working tree of a registry's publisher. */
  "POST /api/v1/registry/lint": {
    body: {
      /** Absolute. */
      dir: string;
    };
    reply: Linted;
  };
  /** What fits on a card. */
  "GET /api/v1/usage": {
    query: { "select.period"?: ("today" | "yesterday" | "week" | "month" | "30d" | "all" | "7d"); "select.since"?: string; "select.until"?: string; "select.timezone"?: string; "select.profiles"?: Array<string>; "select.agents"?: Array<string>; "select.providers"?: Array<string>; "select.models"?: Array<string>; "select.projects"?: Array<string> };
    reply: SummaryReply;
  };
  /** A report; at most [`Page::MOST`] lines at once. */
  "GET /api/v1/usage/report": {
    query: { "group": ("daily" | "weekly" | "monthly" | "sessions" | "models" | "profiles" | "agents" | "projects" | "blocks"); "select.period"?: ("today" | "yesterday" | "week" | "month" | "30d" | "all" | "7d"); "select.since"?: string; "select.until"?: string; "select.timezone"?: string; "select.profiles"?: Array<string>; "select.agents"?: Array<string>; "select.providers"?: Array<string>; "select.models"?: Array<string>; "select.projects"?: Array<string>; "breakdown"?: boolean; "skip"?: number; "last"?: number };
    reply: UsagePage;
  };
  /** Requests as they are known, page by page. The order is the index's own and stays while nothing new is read. */
  "GET /api/v1/usage/export": {
    query: { "select.period"?: ("today" | "yesterday" | "week" | "month" | "30d" | "all" | "7d"); "select.since"?: string; "select.until"?: string; "select.timezone"?: string; "select.profiles"?: Array<string>; "select.agents"?: Array<string>; "select.providers"?: Array<string>; "select.models"?: Array<string>; "select.projects"?: Array<string>; "from"?: number };
    reply: Exported;
  };
  /** What the line below an agent's prompt needs. Names come from the agent. */
  "GET /api/v1/usage/statusline": {
    query: { "agent"?: string; "profile"?: string; "session"?: string; "timezone"?: string };
    reply: StatuslineReply;
  };
  /** Reads all logs from their start. What is known of files that are gone stays. */
  "POST /api/v1/usage/rescan": {
    body: Record<string, never>;
    reply: Scanned;
  };
  /** Reads logs of an agent at another place, once. Requests that are known already are not counted again. */
  "POST /api/v1/usage/import": {
    body: {
      agent: string;
      /** Absolute. */
      dir: string;
      /** Whose requests these are. */
      profile?: (string | null);
    };
    reply: Imported2;
  };
  /** Our sums against what agents wrote down as their own bill. */
  "GET /api/v1/usage/reconcile": {
    query: { "select.period"?: ("today" | "yesterday" | "week" | "month" | "30d" | "all" | "7d"); "select.since"?: string; "select.until"?: string; "select.timezone"?: string; "select.profiles"?: Array<string>; "select.agents"?: Array<string>; "select.providers"?: Array<string>; "select.models"?: Array<string>; "select.projects"?: Array<string> };
    reply: Reconciled;
  };
  /** Where clown looks, and what it could not read. */
  "GET /api/v1/usage/doctor": {
    reply: DoctorReply;
  };
  "GET /api/v1/budgets": {
    query: { "profile"?: string };
    reply: Budgets;
  };
  /** Sets a limit, in place of the one for the same profile and time. */
  "PUT /api/v1/budgets": {
    body: {
      budgets: Array<Budget>;
    };
    reply: Budgets;
  };
  /** Removes a profile's limits, or only that for one time. */
  "DELETE /api/v1/budgets/{profile}": {
    path: { "profile": string | number };
    query: { "every"?: "day" | "month" | null };
    reply: Done;
  };
  /** Buys a cookie with what a login link holds, once. */
  "POST /api/v1/login": {
    body: Login;
    reply: void;
  };
  /** Ends the session of the cookie. */
  "POST /api/v1/logout": {
    body: Record<string, never>;
    reply: void;
  };
  /** Events as they happen, as a stream of server-sent events. */
  "GET /api/v1/events": {
    query: { "topics"?: string };
    reply: void;
  };
  "GET /api/v1/openapi.json": {
    reply: Record<string, unknown>;
  };
}
