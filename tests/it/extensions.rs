//! What users and manifests add to runs: MCP servers, hooks, commands of manifests, plugins.

mod hooks;
mod lifecycle;
mod mcp;
mod plugins;
