use playhouse_protocol::FailureClass;

use super::Meter;

#[tokio::test(start_paused = true)]
async fn requests_are_counted_by_kind_and_outcome_with_their_time() {
    let meter = Meter::new().unwrap();
    meter.agent("review").begin().end(None);
    meter.agent("review").begin().end(Some(FailureClass::Deadline));
    let running = meter.agent("review").begin();
    tokio::time::advance(std::time::Duration::from_secs(3)).await;
    let text = meter.render();
    for line in [
        "playhouse_agent_requests_started_total{agent=\"review\"} 3",
        "playhouse_agent_requests_running{agent=\"review\"} 1",
        "playhouse_agent_requests_ended_total{agent=\"review\",outcome=\"ok\"} 1",
        "playhouse_agent_requests_ended_total{agent=\"review\",outcome=\"deadline\"} 1",
        "# TYPE playhouse_agent_request_duration_seconds histogram",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    drop(running);
    let text = meter.render();
    assert!(text.contains("outcome=\"cancelled\"} 1"), "a dropped request counts as cancelled\n{text}");
    assert!(text.contains("duration_seconds_bucket{agent=\"review\",le=\"5\"} 3"), "{text}");
    assert!(text.contains("duration_seconds_bucket{agent=\"review\",le=\"2.5\"} 2"), "{text}");
}

#[test]
fn every_metric_has_a_help_text_and_none_is_a_summary() {
    let meter = Meter::new().unwrap();
    meter.agent("review").begin().end(None);
    meter.run_upkeep();
    let text = meter.render();
    for line in text.lines().filter(|line| line.starts_with("# TYPE")) {
        let name = line.split_whitespace().nth(2).unwrap();
        assert!(text.contains(&format!("# HELP {name} ")), "{name} has no help");
        assert!(!line.ends_with("summary"), "{line}");
    }
}
