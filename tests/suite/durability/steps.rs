use playhouse_runtime::protocol::FailureClass;
use playhouse_runtime::protocol::journal::{StepKind, StepPath};
use playhouse_runtime::protocol::task::{TaskOptions, TaskStatus};

use super::acting::{Act, Acting, Theatre, call};

#[tokio::test]
async fn steps_are_written_down_with_their_places_questions_and_answers() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let acts = vec![call("one"), Act::Ask(vec![call("two"), Act::Draw])];
    let task = runtime.submit::<Acting>(acts, TaskOptions::default()).await.unwrap();
    task.result().await.unwrap();
    let steps = runtime.store().steps(task.id()).await.unwrap();
    let places: Vec<_> = steps.iter().map(|step| step.path.to_string()).collect();
    assert_eq!(places, ["1", "2.1", "2.2", "2"]);
    assert_eq!(steps[0].kind, StepKind::ModelCall { model: "counting".to_owned() });
    assert_eq!(steps[3].kind, StepKind::AgentCall { agent: "acting".to_owned() });
    let asked = runtime.store().step_input(task.id(), StepPath::root().child(1)).await.unwrap().unwrap();
    assert_eq!(&*asked.parts[1].bytes, b"one");
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn an_agent_that_asks_something_else_is_stopped_by_name_and_its_task_kept() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let acts = vec![call("one"), Act::CallAtRandom, Act::Panic { once: true }];
    let task = runtime.submit::<Acting>(acts, TaskOptions::default()).await.unwrap();
    let failure = task.result().await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Internal);
    assert!(failure.message.starts_with("go on at step 2: it was asked a model ("), "{failure}");
    assert!(failure.hint.unwrap().contains("AgentContext::step"));
    let letter = runtime.dead_letter(task.id()).await.unwrap();
    assert_eq!(letter.task.status, TaskStatus::DeadLettered);
    assert_eq!(letter.steps.len(), 2, "nothing that was paid for is thrown away");
    assert_eq!(theatre.stage.asked("number 1"), 0, "the other question was not asked");
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_request_that_could_not_be_read_back_is_refused_at_once() {
    use playhouse_runtime::{Agent, AgentContext, AgentError, Runtime};
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Skipping {
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        number: u64,
    }
    struct Skipper;
    impl Agent for Skipper {
        const KIND: &'static str = "skipper";
        type Request = Skipping;
        type Reply = u64;
        async fn run(&self, _: &mut AgentContext, request: Skipping) -> Result<u64, AgentError> {
            Ok(request.number + request.note.map_or(0, |note| note.len() as u64))
        }
    }
    let runtime = Runtime::builder().agent(Skipper).start().await.unwrap();
    let refused = runtime.run::<Skipper>(Skipping { note: None, number: 1 }).await.unwrap_err();
    assert!(refused.message.starts_with("write down the request of agent skipper"), "{refused}");
    assert!(refused.hint.unwrap().contains("skipped"));
    assert_eq!(runtime.store().counts().await.unwrap().total(), 0);
    let fine = Skipping { note: Some("ab".to_owned()), number: 1 };
    assert_eq!(runtime.run::<Skipper>(fine).await.unwrap(), 3);
    runtime.shutdown_gracefully().await;
}
