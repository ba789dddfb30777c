//! The HTTP interface from outside: who is let in, what is served, and that it says what the socket says.

mod bad_input;
mod contract;
mod equal;
mod examples;
mod figures;
mod life;
mod live;
mod login;
mod matrix;
mod types;
mod web;
