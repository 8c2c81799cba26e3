// What a server does: without a window, without a WebSocket, and without waiting for anything.

import { renderToReadableStream, renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createPresence } from "../../src/index.js";
import { PresenceProvider } from "../../src/react/index.js";
import { Everything, SHOWN_AT_FIRST } from "../support/everything.js";

let asked: number;

function page() {
  const presence = createPresence({
    url: "wss://presence.example.com/ws",
    token: () => {
      asked += 1;
      return "token";
    },
  });
  const html = (
    <PresenceProvider presence={presence}>
      <Everything />
    </PresenceProvider>
  );
  return { presence, html };
}

beforeEach(() => {
  asked = 0;
  vi.stubGlobal("WebSocket", undefined);
  vi.useFakeTimers({ toFake: ["setTimeout", "setInterval"] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("on a server", () => {
  it("a page with every hook is drawn as before any connection, and none is made", async () => {
    expect(typeof window).toBe("undefined");
    const errors = vi.spyOn(console, "error");
    const { presence, html } = page();
    expect(renderToString(html).replaceAll("<!-- -->", "")).toBe(`<p>${SHOWN_AT_FIRST}</p>`);
    await Promise.resolve();
    expect(presence.connection.get()).toEqual({ state: "closed" });
    expect(presence.me.get().track).toBeUndefined();
    expect(asked).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(errors).not.toHaveBeenCalled();
  });

  it("a stream says the same", async () => {
    vi.useRealTimers();
    const { html } = page();
    const text = await new Response(await renderToReadableStream(html)).text();
    expect(text.replaceAll("<!-- -->", "")).toBe(`<p>${SHOWN_AT_FIRST}</p>`);
  });

  it("one presence serves many requests, and knows nothing of them after", () => {
    const { presence, html } = page();
    const me = presence.me.get();
    for (let request = 0; request < 100; request += 1) renderToString(html);
    expect(presence.me.get()).toBe(me);
    expect(presence.settings.get()).toBeUndefined();
  });
});
