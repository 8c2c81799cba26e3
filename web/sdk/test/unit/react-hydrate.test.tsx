// @vitest-environment happy-dom

// A page that came from a server is taken over as it is, and shows what is known a moment later.

import { act } from "@testing-library/react";
import { type ReactNode, StrictMode } from "react";
import { hydrateRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, type Mock, vi } from "vitest";
import { Everything, SHOWN_AT_FIRST } from "../support/everything.js";
import { settled } from "../support/fake.js";
import { BEN, fakeTime, Stage } from "../support/react.js";

let stage: Stage;
let root: Root | undefined;
let complaints: Mock;
let html: string;

beforeEach(() => {
  fakeTime();
  stage = new Stage();
  complaints = vi.fn();
  vi.spyOn(console, "error").mockImplementation(complaints);
  html = renderToString(new Stage().inside(<Everything />));
});

afterEach(async () => {
  await act(async () => root?.unmount());
  stage.end();
  document.body.replaceChildren();
  vi.restoreAllMocks();
});

/** Takes the page over, and gives the text of each picture of it. */
async function takeOver(page: ReactNode): Promise<string[]> {
  const place = document.createElement("div");
  place.innerHTML = html;
  document.body.append(place);
  const pictures = [place.textContent ?? ""];
  const watch = new MutationObserver(() => pictures.push(place.textContent ?? ""));
  watch.observe(place, { subtree: true, characterData: true, childList: true });
  await act(async () => {
    root = hydrateRoot(place, page, { onRecoverableError: complaints });
    await settled();
  });
  pictures.push(place.textContent ?? "");
  return pictures;
}

describe("taking over a page of a server", () => {
  it("shows it as it came, then connects", async () => {
    const pictures = await takeOver(stage.inside(<Everything />));
    expect(pictures[0]).toBe(SHOWN_AT_FIRST);
    expect(pictures.at(-1)).toBe(
      SHOWN_AT_FIRST.replace("closed", "connecting").replace("not present", "online"),
    );
    await stage.welcome();
    await act(() => stage.connection.grant(1, [{ userId: BEN, status: "busy" }]));
    expect(document.body.textContent).toContain("connected live 1 busy");
    expect(complaints).not.toHaveBeenCalled();
    expect(stage.hub.connections).toHaveLength(1);
  });

  it("says nothing of a mismatch where all of it is known already", async () => {
    await stage.live(<Everything />, [{ userId: BEN, status: "busy" }]);
    expect(document.body.textContent).toContain("connected live 1 busy");
    const pictures = await takeOver(<StrictMode>{stage.inside(<Everything />)}</StrictMode>);
    expect(pictures[0]).toBe(SHOWN_AT_FIRST);
    expect(pictures.at(-1)).toContain("connected live 1 busy");
    expect(complaints).not.toHaveBeenCalled();
    expect(stage.hub.connections).toHaveLength(1);
    expect(stage.connection.count("subscribe")).toBe(1);
  });
});
