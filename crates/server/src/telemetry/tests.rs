use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::{body::Body, http::Request};
use tower::ServiceExt;

use super::{Readiness, keep_metrics, metrics_builder, operations, start_log, subscriber};
use crate::config::{Log, LogFormat};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged(format: LogFormat, level: &str) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let log = Log { format, level: level.to_owned() };
    tracing::subscriber::with_default(subscriber(&log, move || writer.clone()).unwrap(), || {
        tracing::info!(connections = 3, "the hub listens");
        tracing::debug!("a detail");
    });
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_log_is_text_or_json_from_a_level_on() {
    let text = logged(LogFormat::Text, "info");
    assert!(text.contains("the hub listens connections=3") && !text.contains("a detail"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&logged(LogFormat::Json, "info")).unwrap();
    assert_eq!((&json["message"], &json["connections"]), (&"the hub listens".into(), &3.into()));
    assert!(logged(LogFormat::Text, "warn,server=debug").contains("a detail"));
    assert!(logged(LogFormat::Text, "warn").is_empty());
}

#[test]
fn a_second_log_is_refused() {
    let log = Log { format: LogFormat::Text, level: "error".to_owned() };
    let results = [start_log(&log), start_log(&log)];
    assert!(results[1].is_err());
}

async fn ask(router: &axum::Router, path: &str) -> (u16, String) {
    let response = router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn operators_see_life_readiness_and_metrics() {
    let recorder = metrics_builder().unwrap().build_recorder();
    let readiness = Readiness::waiting_for(&["store"]);
    let router = operations(recorder.handle(), readiness.clone());
    assert_eq!(ask(&router, "/livez").await, (200, "ok\n".to_owned()));
    assert_eq!(
        ask(&router, "/readyz").await,
        (503, r#"{"ready":false,"degraded":[],"conditions":{"store":false}}"#.to_owned())
    );
    readiness.set("store", true);
    assert_eq!(ask(&router, "/readyz").await.0, 200);
    readiness.set_missed("archive", false);
    assert_eq!(
        ask(&router, "/readyz").await,
        (
            200,
            r#"{"ready":true,"degraded":["archive"],"conditions":{"archive":false,"store":true}}"#.to_owned()
        )
    );
    readiness.set("draining", false);
    assert_eq!(ask(&router, "/readyz").await.0, 503);

    metrics::with_local_recorder(&recorder, || {
        metrics::counter!("presence_hub_requests_total", "status" => "200").increment(2);
        metrics::histogram!("presence_hub_request_seconds").record(0.003);
    });
    let (status, text) = ask(&router, "/metrics").await;
    assert_eq!(status, 200);
    assert!(text.contains("presence_hub_requests_total{status=\"200\"} 2"), "{text}");
    assert!(text.contains("presence_hub_request_seconds_bucket{le=\"0.005\"} 1"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_upkeep_ends_when_told() {
    let recorder = metrics_builder().unwrap().build_recorder();
    let stop = tokio_util::sync::CancellationToken::new();
    let task = tokio::spawn(keep_metrics(recorder.handle(), stop.clone()));
    tokio::time::sleep(std::time::Duration::from_secs(11)).await;
    stop.cancel();
    task.await.unwrap();
}
