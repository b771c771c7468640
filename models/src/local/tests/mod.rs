//! Tests of the whole embedded model.

mod answers;
mod damaged_files;
mod kernels;
mod llama_server;
mod provider;
mod tiny;
