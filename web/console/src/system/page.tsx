// How the hub itself is, live, for who runs it: a page to be kept open, and understood at a glance.

import { useEffect } from "preact/hooks";
import { Meter } from "../analytics/charts.js";
import type { ApiError } from "../api.js";
import { clock, number, perSecond, seconds, timeOfDay } from "../format.js";
import { useSession } from "../session.js";
import { Icon } from "../ui/icon.js";
import { Card, Empty, Failed, Loading, PageHead, says } from "../ui/parts.js";
import type { Course } from "./course.js";
import {
  connected,
  heart,
  isNothing,
  jobs,
  limits,
  log,
  type Refusal,
  type Row,
  refusals,
  store,
  type Tile,
  tiles,
  traffic,
  writer,
} from "./sections.js";
import { Spark } from "./spark.js";
import { conditions, verdict, type Warning, warnings } from "./warnings.js";
import { useAge, useWatch } from "./watch.js";

export function SystemPage() {
  const { api } = useSession();
  const { course, error, seen } = useWatch(api);
  const age = useAge(course?.now.at, error !== undefined);
  const wrong = course ? warnings(course) : [];
  useAttention(wrong.length, age !== undefined);
  if (error?.status === 403) return <NoOperator />;
  return (
    <>
      <PageHead title="System">
        {course && <p class="page-sub">presence-hub {course.now.version}</p>}
        {course && (
          <p class="page-figure">
            as of{" "}
            <time dateTime={new Date(course.now.clock).toISOString()}>{timeOfDay(course.now.clock)}</time>
          </p>
        )}
      </PageHead>
      {!course && (error ? <Failed error={error} /> : <Loading what="how the hub is" />)}
      {course && (
        <div class="system">
          <Verdict wrong={wrong} age={age} error={error} seen={seen} />
          <Tiles course={course} />
          <Sections course={course} />
          <p class="hint system-note">
            Rates are of the last 10 seconds, times of the last minute, lines of the last three. p99: of a
            hundred, 99 took no longer. Other counts begin when the hub is started.
          </p>
        </div>
      )}
    </>
  );
}

function NoOperator() {
  return (
    <>
      <PageHead title="System" />
      <Empty title="This page is for the operators of the hub.">
        Its configuration names them: console.operators.
      </Empty>
    </>
  );
}

/** Says in the name of the tab that something is wrong: the page is kept open behind others. */
function useAttention(count: number, old: boolean): void {
  useEffect(() => {
    const mark = old ? "(?) " : count > 0 ? `(${count}) ` : "";
    document.title = `${mark}System · Presence`;
  }, [count, old]);
}

const VERDICTS = {
  well: "The hub is well.",
  warn: "The hub works, and something should be looked at.",
  bad: "The hub is not well.",
  unknown: "It is not known how the hub is.",
} as const;

interface VerdictProps {
  readonly wrong: readonly Warning[];
  /** In seconds; `undefined`: what is shown is of now. */
  readonly age: number | undefined;
  readonly error: ApiError | undefined;
  readonly seen: () => void;
}

function Verdict({ wrong, age, error, seen }: VerdictProps) {
  const is = age === undefined ? verdict(wrong) : "unknown";
  return (
    <section class={`card glance glance-${is}`} aria-label="At a glance">
      <div class="glance-head">
        <span class="glance-icon">
          <Icon name={is === "well" ? "check" : "alert"} />
        </span>
        <div class="glance-text">
          <p class="glance-says" role="status">
            {VERDICTS[is]}
          </p>
          {is === "well" && (
            <p class="hint">
              All that it needs is there, and nothing failed or was lost since you opened this page.
            </p>
          )}
          {age !== undefined && (
            <p class="hint">
              {error && `${says(error)} `}What you see is {seconds(age)} old.
            </p>
          )}
        </div>
        {wrong.some(({ clock: counted }) => counted !== undefined) && (
          <button type="button" class="button" onClick={seen}>
            Mark as seen
          </button>
        )}
      </div>
      {wrong.length > 0 && (
        <ul class="warnings">
          {wrong.map((warning) => (
            <Wrong key={warning.id} warning={warning} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Wrong({ warning: { level, says: what, more, clock: at } }: { readonly warning: Warning }) {
  return (
    <li class={`warning warning-${level}`}>
      <p class="warning-says">
        <span class="sr-only">{level === "bad" ? "Now: " : "Soon: "}</span>
        {what}
      </p>
      <p class="hint">
        {more}
        {at !== undefined && ` Last at ${clock(new Date(at).toISOString())}.`}
      </p>
    </li>
  );
}

function Tiles({ course }: { readonly course: Course }) {
  return (
    <dl class="metrics">
      {tiles(course).map((tile) => (
        <Main key={tile.name} tile={tile} />
      ))}
    </dl>
  );
}

function Main({ tile: { name, value, unit, most, lines } }: { readonly tile: Tile }) {
  return (
    <div class="metric tile">
      <dt>{name}</dt>
      <dd>
        <span class="tile-value">
          {value}
          {unit && <small>{unit}</small>}
        </span>
        <Spark lines={lines} />
        <span class="tile-most">{most ? `at most ${most}` : "no line yet"}</span>
      </dd>
    </div>
  );
}

function Sections({ course }: { readonly course: Course }) {
  return (
    <>
      <Health course={course} />
      <Card title="Connected" note="Now">
        <Facts rows={connected(course)} />
      </Card>
      <Card title="Traffic" note="What goes out, and what is asked">
        <Facts rows={traffic(course)} />
      </Card>
      <Card title="The heart" note="One task that everything goes through">
        <Facts rows={heart(course)} />
      </Card>
      <Card title="Store" note="What is committed, and following it">
        <Facts rows={store(course)} />
      </Card>
      <Card title="Writer" note="What may lag: activity and last seen">
        <Facts rows={writer(course)} />
      </Card>
      <Card title="Refused" note="Errors told and limits, by code">
        <Refusals of={refusals(course, "errors_total")} what="Error" none="No error was told." />
        <Facts rows={limits(course)} />
      </Card>
      <Card title="Closed" note="Sockets that the hub closed, by code">
        <Refusals of={refusals(course, "close_codes_total")} what="Close code" none="None was closed." />
      </Card>
      <Jobs course={course} />
    </>
  );
}

function Health({ course }: { readonly course: Course }) {
  return (
    <Card title="Health" note="What it needs, and whether that is there">
      <ul class="conditions">
        {conditions(course).map(({ name, holds, level, says: what }) => (
          <li key={name} class={`condition condition-${holds ? "holds" : level}`}>
            <Icon name={holds ? "check" : "alert"} />
            <span>
              <span class="sr-only">{holds ? "Yes: " : "No: "}</span>
              {what}
            </span>
          </li>
        ))}
      </ul>
      <Facts rows={log(course)} />
    </Card>
  );
}

function Facts({ rows }: { readonly rows: readonly Row[] }) {
  return (
    <dl class="facts">
      {rows.map((row) => (
        <Fact key={row.name} row={row} />
      ))}
    </dl>
  );
}

function Fact({ row }: { readonly row: Row }) {
  const { name, value, level, share } = row;
  return (
    <div class={`fact fact-${level ?? (isNothing(row) ? "nothing" : "something")}`}>
      <dt>{name}</dt>
      <dd>
        {share !== undefined && <Meter share={share} />}
        {level && <Icon name="alert" />}
        {level && <span class="sr-only">to be looked at: </span>}
        {value}
      </dd>
    </div>
  );
}

interface RefusalsProps {
  readonly of: readonly Refusal[];
  readonly what: string;
  readonly none: string;
}

function Refusals({ of, what, none }: RefusalsProps) {
  if (of.length === 0) return <p class="hint">{none}</p>;
  return (
    <table class="table codes">
      <thead>
        <tr>
          <th scope="col">{what}</th>
          <th scope="col" class="figure">
            Now
          </th>
          <th scope="col" class="figure">
            In all
          </th>
        </tr>
      </thead>
      <tbody>
        {of.map(({ code, perSecond: now, total }) => (
          <tr key={code}>
            <th scope="row">
              <code>{code}</code>
            </th>
            <td class={now ? "figure" : "figure figure-nothing"}>
              {now === undefined ? "–" : `${perSecond(now)}/s`}
            </td>
            <td class="figure">{number(total)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Jobs({ course }: { readonly course: Course }) {
  const done = jobs(course);
  return (
    <Card title="Jobs" note="Those that this hub did">
      {done.length === 0 ? (
        <p class="hint">None yet.</p>
      ) : (
        <table class="table codes">
          <thead>
            <tr>
              <th scope="col">Job</th>
              <th scope="col" class="figure">
                Runs
              </th>
              <th scope="col" class="figure">
                Failed
              </th>
              <th scope="col" class="figure">
                Took
              </th>
            </tr>
          </thead>
          <tbody>
            {done.map(({ name, runs, failures, took }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="figure">{number(runs)}</td>
                <td class={`figure figure-${failures > 0 ? "bad" : "nothing"}`}>{number(failures)}</td>
                <td class="figure">{took ?? "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}
