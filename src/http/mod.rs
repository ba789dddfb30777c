//! Face: HTTP on loopback. The API over the same router as the local socket, live events, metrics, the web UI's
//! files, and the `offline` model's own server. With the proxy's engine the only user of hyper's server.
//!
//! One gate stands before everything and decides on the head of a request alone (`gate`, `auth`). Keeps `http-token`.
//! Never: reads a body before the gate agreed; answers a page of another origin, or sends it a CORS header; listens
//! beyond loopback; keeps the daemon alive by listening.

mod answer;
mod assets;
mod auth;
mod body;
mod events;
mod gate;
mod house;
mod metrics;
pub mod offline;
mod route;
mod routes;
mod schema;
mod server;
mod sse;
mod ws;

pub use auth::{Keys, LINK_LIFE};
pub use route::Route;
pub use routes::{EXCEPTIONS, ROUTES};
pub use schema::openapi;
pub use server::{Guard, Server, Site, bind};
