//! A run whose numbers are worked out by hand, what is refused, laws, and simulations.

mod by_hand;
mod faults;
mod laws;
mod measuring;
mod simulations;
mod stopping;
mod warnings;
