//! What users and manifests add to runs: MCP servers, hooks, plugins.

mod hooks;
mod mcp;
