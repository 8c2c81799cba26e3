// What a reload must not lose: the status that a person chose. A page without storage has it until it is reloaded.

import type { Own, PersonPatch } from "./own.js";

const KEY = "presence-hub";
const SHAPE: { [K in keyof Required<PersonPatch>]: RegExp } = {
  status: /^(online|away|busy)$/,
  customStatus: /./,
  customEmoji: /./,
};

export function recall(own: Own): void {
  try {
    const said = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    const fits = Object.entries(SHAPE).filter(([key, shape]) => shape.test(said[key] ?? ""));
    own.say(Object.fromEntries(fits.map(([key]) => [key, `${said[key]}`])));
  } catch {
    // Denied, absent or not ours.
  }
}

export function remember(own: Own): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(own.person));
  } catch {
    // As above.
  }
}

export function forget(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // As above.
  }
}
