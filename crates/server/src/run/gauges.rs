//! What the hub and the writer have done, as metrics. Read now and then; nobody on the way of a frame pays for it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use persistence::WriterHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    telemetry::{Readiness, Verdict},
};

const INTERVAL: Duration = Duration::from_secs(1);
/// Users without recent calls are forgotten once in so many rounds.
const SWEEP_ROUNDS: u64 = 60;

pub(super) async fn keep(app: Arc<App>, writer: WriterHandle, readiness: Readiness, stop: CancellationToken) {
    let mut round = 0_u64;
    while stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
        round += 1;
        set("presence_hub_mailbox_waiting", app.hub.waiting());
        take_census(&app).await;
        count(&app);
        set("presence_hub_extensions", app.operations.extensions().connections());
        set("presence_hub_settings_spooled", app.operations.spooled());
        set("presence_hub_store_followed", usize::from(app.operations.follows()));
        set("presence_hub_follower_asks_waiting", app.operations.waiting());
        note_writer(&writer);
        note_verdict(&readiness.verdict());
        if round.is_multiple_of(SWEEP_ROUNDS) {
            app.user_limits.sweep();
            app.guesses.sweep();
        }
    }
}

/// Asks the heart as everybody does, and so finds out how long it takes to have an answer.
async fn take_census(app: &App) {
    let asked = Instant::now();
    let Ok(census) = app.hub.census().await else { return };
    metrics::histogram!("presence_hub_mailbox_seconds").record(asked.elapsed());
    set("presence_hub_connections", census.connections);
    set("presence_hub_sessions", census.sessions);
    set("presence_hub_views", census.views);
    set("presence_hub_channels", census.channels);
    set("presence_hub_users", census.users);
    set("presence_hub_accounts", census.accounts);
}

fn note_verdict(verdict: &Verdict) {
    metrics::gauge!("presence_hub_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
    set("presence_hub_ready", usize::from(verdict.ready));
    for (name, holds) in &verdict.conditions {
        metrics::gauge!("presence_hub_degraded", "condition" => *name).set(u8::from(!holds));
    }
}

fn set(name: &'static str, value: usize) {
    metrics::gauge!(name).set(value as f64);
}

fn count(app: &App) {
    let counters = app.hub.counters();
    let totals = [
        ("presence_hub_inputs_total", &counters.inputs),
        ("presence_hub_frames_total", &counters.frames),
        ("presence_hub_frame_bytes_total", &counters.bytes),
        ("presence_hub_snapshots_total", &counters.snapshots),
        ("presence_hub_diffs_total", &counters.diffs),
        ("presence_hub_changes_total", &counters.changes),
        ("presence_hub_closes_total", &counters.closes),
    ];
    for (name, total) in totals {
        metrics::counter!(name).absolute(total.load(Ordering::Relaxed));
    }
}

fn note_writer(writer: &WriterHandle) {
    let stats = writer.stats();
    set("presence_hub_writer_pending", stats.pending as usize);
    set("presence_hub_backlog_rows", stats.backlog_rows as usize);
    set("presence_hub_backlog_bytes", stats.backlog_bytes as usize);
    let totals = [
        ("presence_hub_writer_noted_total", stats.noted),
        ("presence_hub_writer_coalesced_total", stats.coalesced),
        ("presence_hub_writer_dropped_total", stats.dropped),
        ("presence_hub_writer_written_total", stats.written),
        ("presence_hub_writer_passed_over_total", stats.passed_over),
        ("presence_hub_writer_refused_total", stats.refused),
        ("presence_hub_writer_failed_batches_total", stats.failed_batches),
        ("presence_hub_backlog_corrupt_lines_total", stats.corrupt_lines),
        ("presence_hub_backlog_torn_lines_total", stats.torn_lines),
        ("presence_hub_backlog_syncs_total", stats.syncs),
        ("presence_hub_backlog_failures_total", stats.disk_failures),
        ("presence_hub_gaps_total", stats.gaps),
    ];
    for (name, total) in totals {
        metrics::counter!(name).absolute(total);
    }
}
