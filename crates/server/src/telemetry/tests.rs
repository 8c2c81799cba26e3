use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{body::Body, http::Request, routing::get};
use tower::ServiceExt;
use tracing::Instrument;

use super::{
    Instruments, Readiness, catalogue, keep_metrics, metrics_builder, operations, start_log, subscriber,
};
use crate::{
    config::{Log, LogFormat},
    edge,
};

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

#[tokio::test]
async fn every_line_of_a_request_has_its_id() {
    for format in [LogFormat::Json, LogFormat::Text] {
        let lines = Lines::default();
        let writer = lines.clone();
        // The span is there however little is let through.
        let log = Log { format, level: "warn".to_owned() };
        let _log = tracing::subscriber::set_default(subscriber(&log, move || writer.clone()).unwrap());
        let warns =
            async || tokio::spawn(async { tracing::warn!("from a task") }.in_current_span()).await.unwrap();
        let router = edge::around(axum::Router::new().route("/", get(warns)), Duration::from_secs(20));
        let response = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        let id = response.headers()["x-request-id"].to_str().unwrap();
        let line = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(line.contains("from a task") && line.contains(&format!("\"{id}\"")), "{line}");
        if matches!(log.format, LogFormat::Json) {
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(line["span"]["request_id"], id);
        }
    }
}

#[test]
fn lines_that_somebody_should_read_are_counted_whatever_the_filter_is() {
    let recorder = metrics_builder().unwrap().build_recorder();
    let log = Log { format: LogFormat::Text, level: "off".to_owned() };
    metrics::with_local_recorder(&recorder, || {
        tracing::subscriber::with_default(subscriber(&log, io::sink).unwrap(), || {
            tracing::error!("one");
            tracing::warn!("two");
            tracing::warn!("three");
            tracing::info!("nothing to read");
        });
    });
    let text = recorder.handle().render();
    for line in ["{level=\"error\"} 1", "{level=\"warn\"} 2"] {
        assert!(text.contains(&format!("presence_hub_log_lines_total{line}")), "{text}");
    }
}

#[test]
fn a_metric_is_there_before_anything_happens() {
    let recorder = metrics_builder().unwrap().build_recorder();
    metrics::with_local_recorder(&recorder, catalogue::begin);
    let text = recorder.handle().render();
    for line in [
        "presence_hub_refused_connections_total{reason=\"address\"} 0",
        "presence_hub_errors_total{way=\"socket\",code=\"internal\"} 0",
        "presence_hub_connections 0",
        "presence_hub_request_seconds_count 0",
        "presence_hub_writer_batch_rows_bucket{rows=\"activity\",le=\"1000\"} 0",
    ] {
        assert!(text.lines().any(|it| it == line), "no {line} in\n{text}");
    }
    assert!(!text.contains("presence_hub_requests_total{"), "its labels are only known when they occur");
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
    let instruments = Instruments { metrics: recorder.handle(), readiness: readiness.clone() };
    let router = operations(instruments);
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
