//! Delivery to a server that fails in every way that servers do.

mod delivery;
mod fake;
