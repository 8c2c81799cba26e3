// A decision of the hub's in plain words, rule by rule. No I/O.

import { OWN_CHOICE, type Rule, type Visibility, type Why } from "../contract.js";

export interface Step {
  readonly kind: "yes" | "no" | "theirs" | "fact";
  readonly says: string;
  readonly more?: string;
}

/** Who is spoken of; `you` for the reader. */
export interface Named {
  readonly subject: string;
  readonly viewer: string;
  /** The reader is the subject. */
  readonly subjectIsYou: boolean;
  readonly viewerIsYou: boolean;
  /** The name of a channel. */
  readonly channel: (channel: string) => string;
}

const LETS: { readonly [V in Visibility]: string } = {
  everyone: "everyone see them",
  team: "colleagues see them",
  contacts: "collaborators see them",
  nobody: "nobody see them",
};

export function steps({ rules }: Why, of: Named): readonly Step[] {
  return rules.map((rule) => step(rule, of));
}

function step(rule: Rule, of: Named): Step {
  const both = of.viewerIsYou
    ? `You and ${of.subject}`
    : of.subjectIsYou
      ? `${of.viewer} and you`
      : `${of.viewer} and ${of.subject}`;
  switch (rule.rule) {
    case "same_user":
      return rule.holds
        ? { kind: "yes", says: "Everybody sees themselves, whatever they chose." }
        : { kind: "no", says: `${both} are not the same person.` };
    case "organization_member":
      return shared(rule, `${both} share an organization.`, `${both} share no organization.`, of);
    case "wedding_collaborator":
      return shared(
        rule,
        `${both} take part in one wedding.`,
        `${both} take part in no wedding together.`,
        of,
      );
    case "visibility":
      return rule.choice === OWN_CHOICE
        ? theirs(`Who sees ${of.subject} is their own choice, and not told.`)
        : { kind: "fact", says: lets(rule.choice, of) };
    case "appear_offline":
      if (rule.choice === OWN_CHOICE)
        return theirs("Whether they appear offline is their own choice, and not told.");
      return rule.choice
        ? { kind: "no", says: `${chose(of)} to appear offline: to others signed out.` }
        : { kind: "yes", says: `${are(of)} not appearing offline.` };
    case "show_activity":
      if (rule.choice === OWN_CHOICE)
        return theirs("Whether they show their activity is their own choice, and not told.");
      return {
        kind: "fact",
        says: `Typing, device and idleness are ${rule.choice ? "shown" : "not shown"}.`,
      };
    case "show_current_page":
      if (rule.choice === OWN_CHOICE)
        return theirs("Whether they show their page is their own choice, and not told.");
      return { kind: "fact", says: `The current page is ${rule.choice ? "shown" : "not shown"}.` };
  }
}

function shared(rule: Extract<Rule, { channels: unknown }>, yes: string, no: string, of: Named): Step {
  if (!rule.holds) return { kind: "no", says: no };
  const more = rule.channels.map(({ channel }) => of.channel(channel)).join(", ");
  return { kind: "yes", says: yes, ...(more && { more }) };
}

function theirs(says: string): Step {
  return { kind: "theirs", says };
}

function lets(choice: Visibility, of: Named): string {
  return of.subjectIsYou
    ? `You let ${LETS[choice].replace("them", "you")}.`
    : `${of.subject} lets ${LETS[choice]}.`;
}

const chose = (of: Named) => (of.subjectIsYou ? "You chose" : `${of.subject} chose`);
const are = (of: Named) => (of.subjectIsYou ? "You are" : `${of.subject} is`);

/** The decision in one sentence. */
export function verdict({ visible }: Why, of: Named): { readonly kind: Step["kind"]; readonly says: string } {
  const [viewer, subject] = [of.viewerIsYou ? "You" : of.viewer, of.subjectIsYou ? "you" : of.subject];
  const itself = of.viewerIsYou && of.subjectIsYou;
  if (visible === undefined) return { kind: "theirs", says: `That depends on what ${subject} chose.` };
  const verb = of.viewerIsYou ? (visible ? "see" : "do not see") : visible ? "sees" : "does not see";
  return { kind: visible ? "yes" : "no", says: `${viewer} ${verb} ${itself ? "yourself" : subject}.` };
}
