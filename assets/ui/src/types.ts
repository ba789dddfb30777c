// PROVISIONAL: names of the generated types.
export interface Figures { input_tokens: number; output_tokens: number; reasoning_tokens: number; cache_read_tokens: number; cache_write_5m_tokens: number; cache_write_1h_tokens: number; cache_write_12h_tokens?: number; cache_write_other_tokens?: number; total_tokens: number; requests: number; cost_usd: number | null; partial: boolean }
export interface Failure { code: string; message: string; hints?: string[]; review?: string }
export interface Problem { file: string; line?: number; key?: string; message: string }
export interface Detection { path: string; version?: string; problem?: string }
export type Origin = "built-in" | "registry" | "user";
export interface AgentRow { id: string; name: string; origin: Origin; installed?: Detection; install_hint: string; profiles: number }
export interface Agents { agents: AgentRow[]; problems?: Problem[] }
export interface AgentDetail { manifest: any; origin: Origin; file?: string; installed?: Detection; script_origin?: Origin; providers: string[] }
export interface ProviderRow { id: string; name: string; kind: string; origin: Origin; formats: string[]; regions?: string[]; default_model?: string; profiles: number }
export interface Providers { providers: ProviderRow[]; problems?: Problem[] }
export interface Endpoint { region?: string; format: string; base_url: string; auth: string }
export interface ProviderDetail { manifest: any; origin: Origin; file?: string; agents: string[] }
export interface Route { name: string; condition: string; targets: string[]; priority: number; weight: number }
export interface RouteRow extends Route { generated?: boolean }
export interface Profile { version: number; alias: string; agent: string; provider: string; endpoint?: string; model?: string; isolation: string; home: string; credential: any; approved_hosts?: string[]; proxy?: any; args?: string[]; env?: Record<string, string>; preferences?: Record<string, string>; created: string; last_used?: string }
export interface ProfileRow { alias: string; agent: string; provider: string; endpoint?: string; model?: string; isolation: string; running: number; last_used?: string }
export interface Profiles { profiles: ProfileRow[]; problems?: Problem[] }
export interface ProfileDetail { profile: Profile; effective_model?: string; base_url?: string; key: string; proxy: "off" | "enabled" | "needed"; warnings?: string[] }
export interface Created { profile: Profile; files: string[]; warnings?: string[]; notes?: string[]; dry_run: boolean }
export interface Deleted { kept_home?: string; key_deleted: boolean; warnings?: string[] }
export interface Choices { agents: string[]; providers: string[]; needs_key: boolean; key_url?: string; reusable: string[]; regions: string[]; models: string[] }
export interface Budget { profile: string; every: "day" | "month"; usd?: number; tokens?: number; action: "warn" | "refuse" | "route"; target?: string; timezone: string }
export interface BudgetState extends Budget { since: string; resets_at: string; used_usd: number | null; used_tokens: number; partial: boolean; percent: number; level: number }
export interface Line extends Figures { date?: string; session?: string; agent?: string; profile?: string; project?: string; model?: string; first?: string; last?: string; models?: string[]; breakdown?: Line[]; block?: any }
export interface Window { agent: string; profile?: string; name?: string; minutes: number; used_percent: number; resets_at?: string; seen_at: string }
export interface SummaryReply { slice: any; totals: Figures; today: Figures; yesterday: Figures; week: Figures; month: Figures; days: Line[]; agents: Line[]; profiles: Line[]; models: Line[]; projects: Line[]; active: Line[]; windows?: Window[]; unpriced: string[]; budgets?: BudgetState[]; prices: string; known: boolean }
export interface Page { group: string; slice: any; lines: Line[]; count: number; totals: Figures; unpriced: string[]; windows?: Window[]; known: boolean }
export interface UsageRequest extends Figures { time: string; agent: string; profile: string | null; provider: string | null; model: string; project: string | null; session: string; key: string; aborted: boolean; sidechain: boolean; source_cost_usd: number | null }
export interface Exported { requests: UsageRequest[]; next?: number; known: boolean }
export type Exit = { code: number } | { signal: number } | "unknown" | "not_started";
export interface Session { id: string; state: "starting" | "running" | "ended" | "lost"; profile: string; agent: string; agent_version?: string; provider: string; model?: string; cwd: string; process?: { pid: number }; started: string; ended?: string; exit?: Exit; usage?: Figures & { models: (Figures & { model: string })[]; runtime_ms?: number; source: string; difference_usd?: number } }
export interface Sessions { sessions: Session[]; bad_lines: number }
export interface Instance { alias: string; use: string; state: "stopped" | "starting" | "running" | "restarting" | "failed"; port?: number; pid?: number; engine?: string; since?: string; restarts: number; sessions: number; config: string; log: string; problem?: string }
export interface Instances { instances: Instance[] }
export interface Routing { alias: string; use: string; strategy: string; routes: RouteRow[]; aliases: Record<string, string>; keys: { number: number; provider: string; key: string; approved_hosts: string[] }[]; warnings?: string[] }
export interface Explanation { alias: string; facts: Record<string, string>; steps: { rule: string; condition: string; holds: boolean; reasons: string[] }[]; rule?: string; targets: { target: string; model: string }[] }
export interface RegistryState { url?: string; channel: string; keys: string[]; threshold: number; root: number; lock?: any; expired: boolean; commits: string[]; refresh_hours: number; last_error?: string; prices_synced?: string; prices: number }
export interface Synced { commit: string; channel: string; version: number; artifacts: number; source: string; changed: boolean; new: number; kept: number; removed: number; bytes: number; requests: number; expires: string; notes?: string[]; prices?: any }
export interface Differences { channel: string; commit?: string; next: string; changes: { change: "added" | "changed" | "removed"; kind: string; id: string; text: string }[]; bytes: number }
export interface Setting { key: string; value: unknown; default: unknown; help: string }
export interface Settings { file: string; settings: Setting[]; warnings?: string[] }
export interface StatusReply { pid: number; version: string; protocol: number; endpoint: string; events: string; home: string; log: string; started: string; stay_alive: boolean; idle_timeout: number; guards: string[]; calls: number; defects: number; heals: number }
export interface Event { epoch: string; seq: number; time: string; topic: string; subject: string }
export interface Events { epoch: string; seq: number; resync: boolean; events: Event[] }
export interface ScriptRow { name: string; origin: Origin; file?: string; agents: string[]; hash: string; needs_approval?: boolean }
export interface Review { name: string; hash: string; approved: boolean; file?: string; compared?: string; diff: string }
export interface TemplateRow { agent: string; name: string; description: string; origin: Origin }
export interface Progress { stage: "idle" | "index" | "fetch" | "check" | "commit" | "prices"; done: number; total: number }
export interface ProxyRequest { id: string; time: string; model: string; rule: string; target: string; status: number; outcome: string; failed: number; first_ms: number; total_ms: number; input_tokens: number; output_tokens: number }
