//! The admin port from outside.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use playhouse_gateway::{AdminError, AdminServer};
use playhouse_runtime::Runtime;

async fn get(port: u16, path: &str) -> (u16, String, String) {
    let response = reqwest::get(format!("http://127.0.0.1:{port}{path}")).await.unwrap();
    let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    (response.status().as_u16(), kind.unwrap_or_default(), response.text().await.unwrap())
}

#[tokio::test]
async fn metrics_and_health_are_served_until_the_port_is_closed() {
    let runtime = Runtime::builder().start().await.unwrap();
    let server = AdminServer::bind("127.0.0.1:0".parse().unwrap(), runtime.clone()).await.unwrap();
    let port = server.address().port();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(server.serve(async {
        let _ = stopped.await;
    }));

    let (status, kind, text) = get(port, "/metrics").await;
    assert_eq!((status, kind.as_str()), (200, "text/plain; version=0.0.4; charset=utf-8"));
    assert!(text.contains("# TYPE playhouse_tasks_accepted_total counter"), "{text}");
    assert_eq!(get(port, "/healthz").await.0, 200);
    assert_eq!(get(port, "/readyz").await.0, 200);
    assert_eq!(get(port, "/nothing").await.0, 404);

    runtime.shutdown_gracefully().await;
    assert_eq!(get(port, "/readyz").await.0, 503);

    stop.send(()).unwrap();
    serving.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn an_address_that_other_machines_reach_is_refused() {
    let runtime = Runtime::builder().start().await.unwrap();
    let refused = AdminServer::bind("0.0.0.0:0".parse().unwrap(), runtime.clone()).await;
    assert!(matches!(refused, Err(AdminError::NotLoopback { .. })), "{refused:?}");
    runtime.shutdown_gracefully().await;
}
