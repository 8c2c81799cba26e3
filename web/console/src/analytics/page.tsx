// How an organization works: when, where and on what, for its owners and admins.

import { useEffect, useState } from "preact/hooks";
import { OrganizationChoice } from "../accounts/page.js";
import { mayAdminister, type Organization, type Report } from "../contract.js";
import { capital, duration, hour, month, number, weekday } from "../format.js";
import { useLoaded } from "../loaded.js";
import { useNames, useSession } from "../session.js";
import type { PageProps } from "../shell/shell.js";
import { Icon } from "../ui/icon.js";
import { Card, Empty, Failed, Loading, PageHead, Words } from "../ui/parts.js";
import { Bars, Meter, Strip } from "./charts.js";
import { devices, hours, isEmpty, lastDays, months, peak, weekdays } from "./figures.js";
import { RangePicker } from "./range.js";

export function AnalyticsPage({ mine, rest }: PageProps) {
  const all = mine.organizations.filter(({ role }) => mayAdminister(role));
  const organization = all.find(({ organizationId }) => organizationId === rest) ?? all[0];
  if (!organization) return <Empty title="Reports are for owners and admins." />;
  return <Analytics key={organization.organizationId} organization={organization} all={all} />;
}

/** The page stays open all day. The hub makes a new report every 15 minutes, and counts anew who is active. */
const EVERY_MS = 60_000;

interface Props {
  readonly organization: Organization;
  readonly all: readonly Organization[];
}

function Analytics({ organization, all }: Props) {
  const { organizationId, plan } = organization;
  const { api } = useSession();
  const [range, setRange] = useState(() => lastDays(30));
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const { value, error, again } = useLoaded(
    () => api.report(organizationId, range.from, range.to, zone),
    [api, organizationId, range.from, range.to, zone],
  );
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") again();
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, [again]);
  return (
    <>
      <PageHead title="Presence analytics">
        <OrganizationChoice page="analytics" now={organization} all={all} />
      </PageHead>
      <div class="toolbar">
        <RangePicker range={range} onChange={setRange} />
        <p class="hint">Hours are those of {zone.replaceAll("_", " ")}.</p>
      </div>
      {error && <Failed error={error} />}
      {!value && !error && <Loading what="the report" />}
      {value &&
        (isEmpty(value) ? (
          <Nothing plan={plan} activeNow={value.activeNow} />
        ) : (
          <Figures of={value} organizationId={organizationId} />
        ))}
    </>
  );
}

function Nothing({ plan, activeNow }: { readonly plan: string; readonly activeNow: number }) {
  if (plan !== "enterprise")
    return <Empty title="No activity is kept">Reports come with the plan “enterprise”.</Empty>;
  return (
    <Empty title="Nothing in these days">
      {activeNow > 0 ? `${number(activeNow)} active now: a report follows within a minute. ` : ""}
      Only people who show their activity are counted.
    </Empty>
  );
}

function Figures({ of, organizationId }: { readonly of: Report; readonly organizationId: string }) {
  const byHour = hours(of.peakHours);
  const busiest = peak(byHour);
  return (
    <div class="analytics">
      <dl class="metrics">
        <Metric name="Sessions" value={number(of.totalSessions)} />
        <Metric
          name="Average session"
          value={of.totalSessions > 0 ? duration(of.averageSessionDuration) : "–"}
        />
        <Metric name="Active now" value={number(of.activeNow)} live={of.activeNow > 0} />
        <Metric name="Busiest hour" value={busiest ? hour(busiest.key) : "–"} />
      </dl>
      <Card title="Hours" note="People active in each hour of the day" class="wide">
        <Bars
          title="People active in each hour of the day"
          bars={byHour}
          name={hour}
          tick={(key) => (key % 4 === 0 ? hour(key) : undefined)}
        />
      </Card>
      <Card title="Weekdays" note="People active on each day of the week">
        <Strip
          title="People active on each day of the week"
          bars={weekdays(of)}
          name={(key) => weekday(key, "long")}
          tick={(key) => weekday(key)}
        />
      </Card>
      <Card title="Months" note="People active in each month">
        <Bars
          title="People active in each month"
          bars={months(of)}
          name={(key) => month(key, "long")}
          tick={(key) => (key % 2 === 1 ? month(key) : undefined)}
        />
      </Card>
      <Pages of={of} />
      <Devices of={of} />
      <Suppliers of={of} />
      <MostActive of={of} organizationId={organizationId} />
      <p class="hint analytics-note">
        Only people who show their activity are counted, and none of the time in which they are hidden. Groups
        of fewer than three are not told apart.
      </p>
    </div>
  );
}

function Metric({
  name,
  value,
  live = false,
}: {
  readonly name: string;
  readonly value: string;
  readonly live?: boolean;
}) {
  return (
    <div class="metric">
      <dt>{name}</dt>
      <dd>
        {value}
        {live && <span class="metric-live" aria-hidden="true" />}
      </dd>
    </div>
  );
}

function Pages({ of }: { readonly of: Report }) {
  const most = of.pageViews[0]?.views ?? 1;
  return (
    <Card title="Pages" note="Most viewed" class="wide">
      {of.pageViews.length === 0 ? (
        <p class="hint">No page was viewed by three people.</p>
      ) : (
        <div class="table-box">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Page</th>
                <th scope="col" class="figure">
                  Views
                </th>
                <th scope="col" class="figure">
                  People
                </th>
              </tr>
            </thead>
            <tbody>
              {of.pageViews.slice(0, 12).map(({ page, views, uniqueUsers }) => (
                <tr key={page}>
                  <th scope="row">
                    <Words text={page} />
                    <Meter share={views / most} />
                  </th>
                  <td class="figure">{number(views)}</td>
                  <td class="figure">{number(uniqueUsers)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function Devices({ of }: { readonly of: Report }) {
  return (
    <Card title="Devices" note="Sessions by device" class="third">
      <ul class="list">
        {devices(of).map(({ device, sessions, share }) => (
          <li key={device} class="list-row">
            <span class="list-name">
              <Icon name={device} />
              {capital(device)}
            </span>
            <Meter share={share} />
            <span class="figure">
              {sessions === 0 ? "–" : `${number(sessions)} · ${Math.round(share * 100)}%`}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Suppliers({ of }: { readonly of: Report }) {
  const most = Math.max(1, ...of.supplierTypes.map(({ averageSessions }) => averageSessions));
  return (
    <Card title="Supplier types" note="Sessions per person, and their busiest hours" class="third">
      {of.supplierTypes.length === 0 ? (
        <p class="hint">No type with three active people.</p>
      ) : (
        <ul class="list">
          {of.supplierTypes.map(({ type, averageSessions, peakHours }) => (
            <li key={type} class="list-row">
              <span class="list-name">
                <Words text={capital(type)} />
              </span>
              <Meter share={averageSessions / most} />
              <span class="figure">{number(averageSessions)}</span>
              <span class="list-note hint">
                {peakHours.length > 0
                  ? peakHours.map((at) => hour(at.hour)).join(", ")
                  : "no hour with three of them"}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function MostActive({ of, organizationId }: { readonly of: Report; readonly organizationId: string }) {
  const { value: names } = useNames(`organization:${organizationId}`);
  const most = of.mostActiveUsers[0]?.totalMinutes ?? 1;
  return (
    <Card class="third" title="Most active" note="Those who show their activity">
      {of.mostActiveUsers.length === 0 ? (
        <p class="hint">Nobody.</p>
      ) : (
        <ol class="list">
          {of.mostActiveUsers.map(({ userId, totalMinutes }) => (
            <li key={userId} class="list-row">
              <span class="list-name">
                <Words text={names?.people.get(userId)?.displayName ?? "Somebody who has left"} />
              </span>
              <Meter share={totalMinutes / most} />
              <span class="figure">{duration(totalMinutes)}</span>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}
