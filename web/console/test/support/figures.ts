// What a hub says of itself, made by hand: few figures for one test, or all of a busy evening, to see how it looks.

import type { Figure, System } from "../../src/contract.js";

/** Values by series, as in `errors_total{code=internal,way=rest}`; all begin with `presence_hub_`. */
export interface Values {
  readonly [series: string]: number;
}

export const HOLDING = {
  accepting: true,
  backlog: true,
  directory: true,
  follower: true,
  spool: true,
  store: true,
};

/** A hub that is well but for the conditions that are told. */
export function system(values: Values = {}, conditions: { readonly [name: string]: boolean } = {}): System {
  const all = { ...HOLDING, ...conditions };
  const failing = Object.entries(all).flatMap(([name, holds]) => (holds ? [] : [name]));
  const needed = ["accepting", "directory"];
  return {
    version: "0.1.0",
    health: {
      ready: !failing.some((name) => needed.includes(name)),
      degraded: failing.filter((name) => !needed.includes(name)),
      conditions: all,
    },
    figures: Object.entries(values).map(figure),
  };
}

function figure([series, value]: [string, number]): Figure {
  const [name = "", inside] = series.replace("}", "").split("{");
  const labels = inside?.split(",").map((pair) => pair.split("=") as [string, string]);
  return { name: `presence_hub_${name}`, ...(labels && { labels: Object.fromEntries(labels) }), value };
}

/** A histogram that so many values were given up to each bound, those of lower bounds not among them. */
export function histogram(name: string, given: readonly (readonly [string, number])[], labels = ""): Values {
  let upTo = 0;
  const buckets = given.map(([le, n]) => {
    upTo += n;
    return [`${name}_bucket{${labels && `${labels},`}le=${le}}`, upTo] as const;
  });
  return Object.fromEntries([...buckets, [`${name}_count${labels && `{${labels}}`}`, upTo]]);
}

/** Up to a millisecond, 5 ms, 25 ms, 100 ms and above all bounds: so many of each. */
const times = (name: string, given: readonly number[], labels = "") =>
  histogram(
    name,
    ["0.001", "0.005", "0.025", "0.1", "+Inf"].map((le, at) => [le, given[at] ?? 0] as const),
    labels,
  );

/** The nth answer of a hub with a thousand people, asked every 2 s. */
export function evening(n: number): System {
  const wave = (every: number) => Math.sin((n * 2 * Math.PI) / every);
  /** What has come together until now of so much a second. */
  const until = (perSecond: number) => Math.round(2 * perSecond * (n + wave(17)));
  return system({
    connections: Math.round(1_180 + 40 * wave(60)),
    extensions: 84,
    sessions: 1_312,
    views: 4_870,
    channels: 612,
    users: 10_240,
    accounts: 2_150,
    seats_taken: 1_391,
    handshakes_waiting: 0,
    frames_total: until(940),
    frame_bytes_total: until(231_000),
    changes_total: until(1_420),
    diffs_total: until(890),
    snapshots_total: until(12),
    inputs_total: until(260),
    turns_kept_total: until(0.4),
    mailbox_waiting: Math.round(40 + 30 * wave(9)),
    outboxes_waiting: 3,
    outbox_bytes: 11_300,
    "requests_total{method=GET,route=/api/presence/users,status=200}": until(31),
    "requests_total{method=POST,route=/api/presence/track,status=200}": until(8),
    requests_under_way: 2,
    ...times("request_seconds", [30 * n, 26 * n, 19 * n, 3 * n, 0]),
    ...times("mailbox_seconds", [2 * n, Math.floor(n / 9), 0, 0, 0]),
    "errors_total{code=rate_limited,way=socket}": 214 + 3 * n,
    "errors_total{code=unauthorized,way=rest}": 37,
    "errors_total{code=unknown_channel,way=rest}": 12,
    "close_codes_total{code=normal}": 1_904 + n,
    "close_codes_total{code=heartbeat_timeout}": 133,
    "close_codes_total{code=token_expired}": 21,
    "close_codes_total{code=internal_error}": 0,
    tokens_refused_total: 21,
    codes_refused_total: 4,
    "rate_limited_total{call=update}": 214 + 3 * n,
    store_followed: 1,
    follower_age_seconds: 0.31,
    ...times("follower_round_seconds", [3 * n, n, 0, 0, 0]),
    "database_connections{pool=usual}": 10,
    "database_connections{pool=reserved}": 2,
    "database_connections_busy{pool=usual}": 3,
    "database_connections_busy{pool=reserved}": 1,
    ...times("database_acquire_seconds", [50 * n, 0, 0, 0, 0], "pool=usual"),
    ...times("database_seconds", [10 * n, 30 * n, 9 * n, n, 0]),
    database_retries_total: 2,
    writer_pending: Math.round(420 + 380 * wave(2.5)),
    writer_noted_total: until(190),
    writer_written_total: until(128),
    ...times("writer_batch_seconds", [0, n, n, 0, 0], "rows=activity"),
    ...times("writer_batch_seconds", [n, n, 0, 0, 0], "rows=last-seen"),
    ...times("writer_batch_seconds", [], "rows=stretches"),
    "job_runs_total{name=rollups}": 481,
    "job_runs_total{name=stale-presence}": 96,
    "job_runs_total{name=expire}": 8,
    "job_failures_total{name=expire}": 1,
    "job_seconds_sum{name=rollups}": 118,
    "job_seconds_count{name=rollups}": 481,
    "job_seconds_sum{name=stale-presence}": 0.595,
    "job_seconds_count{name=stale-presence}": 96,
    "job_seconds_sum{name=expire}": 2.9,
    "job_seconds_count{name=expire}": 8,
    "log_lines_total{level=error}": 0,
    "log_lines_total{level=warn}": 9,
  });
}

/** The same, while its database is away. */
export function outage(n: number): System {
  const { figures } = evening(n);
  const away: Values = {
    follower_age_seconds: 42.6,
    store_followed: 0,
    settings_spooled: 2,
    backlog_rows: 18_400,
    backlog_bytes: 3_460_000,
    database_failures_total: 131,
    "log_lines_total{level=error}": 2,
    writer_failed_batches_total: 24,
  };
  const replaced = new Set(Object.entries(away).map((entry) => key(figure(entry))));
  const { health, figures: others } = system(away, {
    store: false,
    follower: false,
    backlog: false,
    spool: false,
  });
  return {
    version: "0.1.0",
    health,
    figures: [...figures.filter((is) => !replaced.has(key(is))), ...others],
  };
}

const key = ({ name, labels = {} }: Figure) => `${name} ${JSON.stringify(labels)}`;
