//! Tests of the whole embedded model.
