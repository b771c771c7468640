//! Comparisons of models and prompts on honest numbers.
//!
//! Read in this order: [`run`] is what a run is made of, where it is kept and how it asks; [`analysis`] is what may be claimed from it;
//! [`report`] writes that down for people; [`verify`] makes it all again; [`statistics`] are the formulas. [`tracking`] tells others of a
//! run; [`registry`] keeps versions of models and says which is in production. [`ab`] watches splits in production. [`use_cases`] are for embedders.

pub mod run;

pub mod analysis;
pub mod report;
pub mod statistics;
pub mod verify;

pub mod ab;
pub mod registry;
pub mod tracking;

pub mod use_cases;

mod digest;
mod files;

#[cfg(test)]
mod fixture;
