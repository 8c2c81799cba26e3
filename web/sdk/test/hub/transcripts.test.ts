// The two clients are held to each other: of the same frames the reducer here makes what the one in Rust makes of them.

import { isDeepStrictEqual } from "node:util";
import { expect, it } from "vitest";
import { Replica } from "../../src/replica.js";
import { dump, type Step, type Transcript, take, transcripts } from "../support/transcripts.js";

const COUNT = 10_000;
const SEED = 1;
/** The example is compiled first, where it is not. */
const PATIENCE_MS = 600_000;

/** What must have been there often, so that the agreement means something. */
const COVERED = [
  ..."nothing changed settings staleness ended subscribed closing unknown done".split(" "),
  ..."fault:gap fault:phase fault:join fault:update fault:leave".split(" "),
  ..."phase:loading phase:live phase:stale".split(" "),
  ..."do:disconnected do:leaveSession do:forget".split(" "),
  ..."welcome:new welcome:not welcome:resumed resumed:true resumed:sequence".split(" "),
  ..."resumed:unknown_channel resumed:unknown_session resumed:unnamed".split(" "),
  ..."page:more page:last diff person account weather".split(" "),
];

it("comes to what the Rust client comes to", { timeout: PATIENCE_MS }, async () => {
  const covered = new Map<string, number>();
  let compared = 0;
  for await (const transcript of transcripts(COUNT, SEED)) {
    compared += 1;
    const difference = compare(transcript);
    if (difference)
      throw new Error(`line ${compared}, seed ${transcript.seed}: ${JSON.stringify(difference, null, 1)}`);
    for (const what of seen(transcript)) covered.set(what, (covered.get(what) ?? 0) + 1);
  }
  expect(compared).toBe(COUNT);
  expect(COVERED.filter((what) => (covered.get(what) ?? 0) < 100)).toEqual([]);
});

/** What this client makes otherwise; `undefined`: nothing. */
function compare({ steps, outcomes, end }: Transcript): unknown {
  const replica = new Replica();
  for (const [at, step] of steps.entries()) {
    const [ours, theirs] = [take(step, replica), known(outcomes[at] ?? "")];
    if (ours !== theirs) return { step: at + 1, frame: step, ours, theirs };
  }
  const ours = dump(replica);
  return isDeepStrictEqual(ours, end) ? undefined : { ours, theirs: end };
}

/** What is told to the rest of this client is less: of these nobody has to know. */
function known(outcome: string): string {
  return outcome.replace(/^(subscribed|closing|unknown) /, "nothing ");
}

function seen({ steps, outcomes }: Transcript): string[] {
  const unnamed = steps.some((step, at) => isUnnamed(step, outcomes[at] ?? ""));
  return [...steps.flatMap(said), ...outcomes.flatMap(came), ...(unnamed ? ["resumed:unnamed"] : [])];
}

/** Whether a subscription was lost because the hub went on without naming it. */
function isUnnamed(step: Step, outcome: string): boolean {
  if (!("t" in step) || step.t !== "welcome" || !step.resume?.resumed) return false;
  const refused = step.resume.subscriptions.filter((one) => !one.resumed && one.reason !== "sequence");
  const lost = outcome.replace(/ \|.*/, "").split(" ").slice(2).filter(Boolean);
  return lost.length > refused.length;
}

function came(outcome: string): string[] {
  const [what = "", standing = ""] = outcome.split(" | ");
  const [kind = "", , fault] = what.split(" ");
  const phases = standing.match(/loading|live|stale/g) ?? [];
  return [kind === "fault" ? `fault:${fault}` : kind, ...phases.map((phase) => `phase:${phase}`)];
}

function said(step: Step): string[] {
  if ("do" in step) return [`do:${step.do}`];
  if (step.t === "snapshot" || step.t === "diff")
    return [
      step.t === "diff" ? "diff" : `page:${step.more ? "more" : "last"}`,
      ...(step.join ?? []).map((record) => ("accountId" in record ? "account" : "person")),
    ];
  if (step.t !== "welcome") return [step.t];
  if (!step.resume) return ["welcome:new"];
  if (!step.resume.resumed) return ["welcome:not"];
  const outcomes = step.resume.subscriptions;
  const named = outcomes.map((one) => `resumed:${one.resumed || one.reason}`);
  return ["welcome:resumed", ...named];
}
