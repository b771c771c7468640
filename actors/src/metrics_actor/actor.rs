//! The actor itself.

use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::message::MetricsMessage;
use super::state::{MetricsArgs, MetricsState};

/// How often histograms are moved into their buckets. Between two upkeeps every observation is held in memory:
/// at 100,000 tasks a second five seconds are 8 MB.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Owner of the runtime's recorder; see the [module](super).
#[derive(Debug, Clone, Copy, Default)]
pub struct MetricsActor;

impl Actor for MetricsActor {
    type Msg = MetricsMessage;
    type State = MetricsState;
    type Arguments = MetricsArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<MetricsMessage>,
        args: MetricsArgs,
    ) -> Result<MetricsState, ActorProcessingErr> {
        args.mailbox.begin();
        // The timer ends with the actor.
        let _timer = myself.send_interval(UPKEEP_INTERVAL, || MetricsMessage::Upkeep);
        Ok(MetricsState { meter: args.meter, mailbox: args.mailbox })
    }

    async fn handle(
        &self,
        _myself: ActorRef<MetricsMessage>,
        message: MetricsMessage,
        state: &mut MetricsState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            MetricsMessage::Upkeep => state.meter.run_upkeep(),
            MetricsMessage::GetText(reply) => {
                state.mailbox.taken();
                // Whoever asked may have stopped waiting.
                let _ = reply.send(state.meter.render());
            }
        }
        Ok(())
    }
}
