// What this session announces: what is wanted, what the hub has, and when the next may be told.

import { describe, expect, it } from "vitest";
import { Own } from "../../src/own.js";

const A = "wedding:a";
const B = "wedding:b";

/** Tells the hub what is wanted, and the hub takes it. */
function tell(own: Own, now: number): void {
  const wanted = own.wanted(now);
  own.telling(wanted, now);
  own.told(wanted);
}

describe("what is wanted", () => {
  it("is nothing for who is nowhere", () => {
    const own = new Own("desktop");
    own.say({ status: "busy" });
    expect(own.wanted(0)).toBeUndefined();
    expect(own.due(0)).toBeUndefined();
  });

  it("keeps what is left out, and takes back what is null", () => {
    const own = new Own("mobile");
    own.enter(undefined, { currentPage: "/a" }, 0);
    own.say({ status: "busy", customStatus: "on site", customEmoji: "📸" });
    own.say({ customStatus: null });
    expect(own.wanted(0)).toEqual({ status: "busy", device: "mobile", currentPage: "/a", customEmoji: "📸" });
    own.enter(undefined, { currentPage: null }, 0);
    own.say({ status: null, customEmoji: null });
    expect(own.wanted(0)).toEqual({ status: "online", device: "mobile" });
  });

  it("is in the channels that are tracked, and nowhere else", () => {
    const own = new Own("desktop");
    own.enter(undefined, { currentPage: "/everywhere" }, 0);
    own.enter(B, { currentPage: "/b" }, 0);
    expect(own.wanted(0)).toEqual({ status: "online", device: "desktop", currentPage: "/b", in: [B] });
    own.leave(B);
    expect(own.wanted(0)).toEqual({ status: "online", device: "desktop", currentPage: "/everywhere" });
  });

  it("never shows the page or the typing of one channel in another", () => {
    const own = new Own("desktop");
    own.enter(B, { currentPage: "/b", isTyping: true }, 0);
    own.enter(A, { currentPage: "/a" }, 0);
    expect(own.wanted(0)).toEqual({ status: "online", device: "desktop", in: [A, B] });
    own.enter(A, { currentPage: "/b", isTyping: true }, 0);
    expect(own.wanted(0)).toMatchObject({ currentPage: "/b", isTyping: true });
  });

  it("is idle only for who chose nothing else", () => {
    const own = new Own("desktop");
    own.enter(undefined, {}, 0);
    own.idle = true;
    expect(own.wanted(0)?.status).toBe("idle");
    own.say({ status: "away" });
    expect(own.wanted(0)?.status).toBe("away");
  });
});

describe("telling", () => {
  it("waits a second between two changes, and not at all to say nothing new", () => {
    const own = new Own("desktop");
    own.enter(undefined, {}, 0);
    expect(own.due(0)).toBeLessThanOrEqual(0);
    tell(own, 0);
    expect(own.due(1)).toBeUndefined();
    own.say({ status: "busy" });
    expect(own.due(1)).toBe(1_050);
    own.say({ status: "online" });
    expect(own.due(2)).toBeUndefined();
  });

  it("lets go at once, and stop typing at once", () => {
    const own = new Own("desktop");
    own.enter(undefined, { isTyping: true }, 0);
    tell(own, 0);
    own.enter(undefined, { isTyping: false }, 1);
    expect(own.due(1)).toBeLessThanOrEqual(1);
    own.leave(undefined);
    expect(own.due(1)).toBeLessThanOrEqual(1);
  });

  it("gives typing a second of its own", () => {
    const own = new Own("desktop");
    own.enter(undefined, {}, 0);
    tell(own, 0);
    own.enter(undefined, { isTyping: true }, 10);
    expect(own.due(10)).toBeLessThanOrEqual(10);
    tell(own, 10);
    own.enter(undefined, { isTyping: false }, 20);
    tell(own, 20);
    own.enter(undefined, { isTyping: true }, 30);
    expect(own.due(30)).toBe(1_060);
  });

  it("says typing again while it goes on, and lets it end by itself", () => {
    const own = new Own("desktop");
    own.enter(undefined, { isTyping: true }, 0);
    tell(own, 0);
    expect(own.due(5_000)).toBeUndefined();
    own.enter(undefined, { isTyping: true }, 5_000);
    expect(own.due(5_000)).toBe(4_000);
    tell(own, 5_000);
    expect(own.typingEnds()).toBe(15_000);
    expect(own.wanted(14_999)?.isTyping).toBe(true);
    expect(own.wanted(15_000)?.isTyping).toBeUndefined();
    expect(own.due(15_000)).toBeUndefined();
    own.enter(undefined, { isTyping: true }, 15_001);
    expect(own.due(15_001)).toBeLessThanOrEqual(15_001);
  });

  it("waits for as long as the hub wants", () => {
    const own = new Own("desktop");
    own.enter(undefined, {}, 0);
    own.hold(3_000, 100);
    expect(own.due(200)).toBe(3_100);
  });

  it("leaves the channels again that the hub did not take", () => {
    const own = new Own("desktop");
    own.enter(A, {}, 0);
    own.revert();
    expect(own.wanted(0)).toBeUndefined();
    expect(own.due(0)).toBeUndefined();
    own.enter(A, { currentPage: "/a" }, 0);
    tell(own, 0);
    own.enter(B, {}, 0);
    own.revert();
    expect(own.wanted(0)).toEqual({ status: "online", device: "desktop", currentPage: "/a", in: [A] });
    expect(own.due(0)).toBeUndefined();
  });

  it("takes back what the hub does not take", () => {
    const own = new Own("desktop");
    own.enter(undefined, { currentPage: "/a" }, 0);
    own.say({ status: "busy" });
    tell(own, 0);
    own.say({ customStatus: "x".repeat(101) });
    own.revert();
    expect(own.wanted(0)).toEqual({ status: "busy", device: "desktop", currentPage: "/a" });
    expect(own.due(0)).toBeUndefined();
  });
});
