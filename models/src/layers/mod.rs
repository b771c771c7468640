//! Layers: each wraps any [`ModelClient`](crate::ModelClient) and is one, so they can be put around each other
//! in any order; the catalog says which order is used and why. What a layer decides is in a file without time, chance
//! or await of its own; the layer beside it hands those in.
//!
//! From the provider outwards: [`Observed`] measures attempts, [`Limited`] bounds how many run at once, [`Paced`] how
//! fast they are begun, [`Breaking`] refuses calls while too many fail, [`Hedged`] sends a second call when the first is
//! slow, [`Retrying`] tries again, [`Priced`] fills in what an answer cost, [`Cached`] gives an answer again, [`FallingBack`] asks another
//! model.
//!
//! All of them serve a plain call and a streamed one alike, and all may be dropped at any time: a call that is dropped
//! gives back what it holds, and counts neither as a success nor as a failure.

mod breaker;
mod cached;
mod fallback;
mod hedged;
mod limited;
mod observed;
mod paced;
mod priced;
mod relay;
mod retry;
mod window;

pub use breaker::{Breaker, Breaking};
pub use cached::{Cached, CachedParts};
pub use fallback::{Candidate, FallingBack};
pub use hedged::Hedged;
pub use limited::{Concurrency, Limited};
pub use observed::Observed;
pub use paced::{Pace, Paced};
pub use priced::Priced;
pub use retry::{RetryBudget, RetryPolicy, Retrying};
