//! Every call as a resource. One line each: method, address below `/api/v1`, type of the call. What stands in braces, and
//! for GET and DELETE the query, are fields of the call's body.

use std::sync::LazyLock;

use hyper::Method;

use super::route::Route;
use crate::wire::{
    Call, agents, bindings, budgets, complete, config, daemon, doctor, event, hooks, http, launchers, mcp, metrics, profiles, providers,
    proxy, registry, runs, scripts, sessions, templates, usage,
};

/// Calls that are no resource, and why.
pub const EXCEPTIONS: &[(&str, &str)] = &[
    (runs::Begin::NAME, "plans a run for the process that asks: its directory, its variables, its terminal"),
    (runs::Started::NAME, "told by the process that started the agent"),
    (runs::Ended::NAME, "told by the process that saw the agent end"),
    (runs::Env::NAME, "hands out keys for a shell's environment; a page has none"),
    (http::LoginLink::NAME, "lets a browser in: only who may open the local socket may ask for it"),
];

#[rustfmt::skip] // one line each: a table
pub static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let (get, put, post, patch, delete) = (Method::GET, Method::PUT, Method::POST, Method::PATCH, Method::DELETE);
    vec![
        Route::of::<daemon::Hello>(&get, "/hello").quick(),
        Route::of::<daemon::Status>(&get, "/daemon").quick(),
        Route::of::<metrics::Ask>(&get, "/daemon/metrics"),
        Route::of::<daemon::Stop>(&post, "/daemon/stop"),
        Route::of::<daemon::LogLevel>(&put, "/daemon/log-level"),
        Route::of::<event::Since>(&get, "/events/since").quick(),
        Route::of::<agents::List>(&get, "/agents"),
        Route::of::<agents::Detect>(&post, "/detections"),
        Route::of::<agents::Inspect>(&get, "/agents/{id}"),
        Route::of::<providers::List>(&get, "/providers"),
        Route::of::<providers::Inspect>(&get, "/providers/{id}"),
        Route::of::<providers::Approve>(&post, "/providers/{id}/approve"),
        Route::of::<profiles::Options>(&get, "/profile-options"),
        Route::of::<profiles::List>(&get, "/profiles"),
        Route::of::<profiles::Create>(&post, "/profiles"),
        Route::of::<profiles::Inspect>(&get, "/profiles/{alias}"),
        Route::of::<profiles::Edit>(&patch, "/profiles/{alias}"),
        Route::of::<profiles::Delete>(&delete, "/profiles/{alias}"),
        Route::of::<profiles::Rename>(&post, "/profiles/{alias}/rename"),
        Route::of::<profiles::Duplicate>(&post, "/profiles/{alias}/clone"),
        Route::of::<sessions::List>(&get, "/sessions"),
        Route::of::<sessions::Inspect>(&get, "/sessions/{id}"),
        Route::of::<scripts::List>(&get, "/scripts"),
        Route::of::<scripts::Test>(&post, "/scripts/test"),
        Route::of::<scripts::ReviewScript>(&get, "/scripts/review"),
        Route::of::<scripts::ApproveScript>(&post, "/scripts/approve"),
        Route::of::<templates::List>(&get, "/templates"),
        Route::of::<templates::Inspect>(&get, "/templates/{agent}/{name}"),
        Route::of::<bindings::Which>(&get, "/bindings"),
        Route::of::<bindings::Bind>(&put, "/bindings"),
        Route::of::<bindings::Unbind>(&delete, "/bindings"),
        Route::of::<bindings::TrustFile>(&post, "/bindings/trust"),
        Route::of::<launchers::List>(&get, "/launchers"),
        Route::of::<launchers::Install>(&post, "/launchers"),
        Route::of::<launchers::Uninstall>(&delete, "/launchers/{name}"),
        Route::of::<hooks::List>(&get, "/profiles/{alias}/hooks"),
        Route::of::<hooks::Add>(&post, "/profiles/{alias}/hooks"),
        Route::of::<hooks::Remove>(&delete, "/profiles/{alias}/hooks/{id}"),
        Route::of::<hooks::Export>(&get, "/profiles/{alias}/hooks/export"),
        Route::of::<hooks::Import>(&post, "/profiles/{alias}/hooks/import"),
        Route::of::<mcp::List>(&get, "/mcp"),
        Route::of::<mcp::Add>(&put, "/mcp/{name}"),
        Route::of::<mcp::Remove>(&delete, "/mcp/{name}"),
        Route::of::<doctor::Run>(&get, "/doctor"),
        Route::of::<doctor::Fix>(&post, "/doctor/fix"),
        Route::of::<complete::Ask>(&get, "/words"),
        Route::of::<config::List>(&get, "/config"),
        Route::of::<config::Set>(&put, "/config/{key}"),
        Route::of::<proxy::Status>(&get, "/proxies"),
        Route::of::<proxy::Stop>(&delete, "/proxies"),
        Route::of::<proxy::Set>(&patch, "/proxies/{alias}"),
        Route::of::<proxy::Start>(&post, "/proxies/{alias}/start"),
        Route::of::<proxy::Config>(&get, "/proxies/{alias}/config"),
        Route::of::<proxy::Explain>(&post, "/proxies/{alias}/explain"),
        Route::of::<proxy::Requests>(&get, "/proxies/{alias}/requests"),
        Route::of::<proxy::ShowRouting>(&get, "/proxies/{alias}/routing"),
        Route::of::<proxy::AddRoute>(&post, "/proxies/{alias}/routes"),
        Route::of::<proxy::RemoveRoute>(&delete, "/proxies/{alias}/routes/{name}"),
        Route::of::<proxy::SetAlias>(&put, "/proxies/{alias}/aliases/{name}"),
        Route::of::<proxy::RemoveAlias>(&delete, "/proxies/{alias}/aliases/{name}"),
        Route::of::<proxy::AddKey>(&post, "/proxies/{alias}/keys"),
        Route::of::<proxy::Keys>(&put, "/proxies/{alias}/keys"),
        Route::of::<proxy::RemoveKey>(&delete, "/proxies/{alias}/keys/{number}"),
        Route::of::<registry::Inspect>(&get, "/registry"),
        Route::of::<registry::Progress>(&get, "/registry/progress").quick(),
        Route::of::<registry::Sync>(&post, "/registry/sync"),
        Route::of::<registry::Diff>(&get, "/registry/diff"),
        Route::of::<registry::Pin>(&put, "/registry/pin"),
        Route::of::<registry::Verify>(&get, "/registry/verify"),
        Route::of::<registry::Lint>(&post, "/registry/lint"),
        Route::of::<usage::Summary>(&get, "/usage"),
        Route::of::<usage::Report>(&get, "/usage/report"),
        Route::of::<usage::Export>(&get, "/usage/export"),
        Route::of::<usage::Statusline>(&get, "/usage/statusline"),
        Route::of::<usage::Rescan>(&post, "/usage/rescan"),
        Route::of::<usage::Import>(&post, "/usage/import"),
        Route::of::<usage::Reconcile>(&get, "/usage/reconcile"),
        Route::of::<usage::Doctor>(&get, "/usage/doctor"),
        Route::of::<budgets::List>(&get, "/budgets"),
        Route::of::<budgets::Set>(&put, "/budgets"),
        Route::of::<budgets::Remove>(&delete, "/budgets/{profile}"),
    ]
});
