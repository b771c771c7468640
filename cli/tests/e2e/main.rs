//! The real binary, from the outside: what it prints where, what it writes, how it ends.

mod bad_input;
mod batch;
mod cancel;
mod develop;
mod home;
mod lists;
mod real_model;
