// @vitest-environment happy-dom

import { act } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  useConnection,
  useMyPresence,
  usePresenceClient,
  useSettings,
  useTrack,
} from "../../src/react/index.js";
import { settled, USER, WELCOME } from "../support/fake.js";
import { Draws, fakeTime, Stage, WEDDING } from "../support/react.js";

let stage: Stage;

beforeEach(() => {
  fakeTime();
  stage = new Stage();
});

afterEach(() => stage.end());

function text(): string {
  return document.body.textContent ?? "";
}

describe("useMyPresence", () => {
  let say: ReturnType<typeof useMyPresence>[1];
  const status = () => {
    const [me, update] = useMyPresence();
    useTrack(WEDDING);
    say = update;
    const { track, pending, error } = me;
    return `${me.userId} ${track?.status} ${track?.customStatus} ${pending} ${error?.code}`;
  };

  it("shows a change at once, and that the hub has it when it does", async () => {
    await stage.live(<Draws what={status} />);
    expect(text()).toBe(`${USER} online undefined false undefined`);
    const before = say;
    act(() => void say({ status: "busy" }));
    expect(text()).toBe(`${USER} busy undefined true undefined`);
    await act(settled);
    await stage.ack();
    expect(text()).toBe(`${USER} busy undefined false undefined`);
    expect(say).toBe(before);
  });

  it("says something of who is nowhere, and makes nobody present", async () => {
    const person = () => {
      say = useMyPresence()[1];
      return null;
    };
    await stage.live(<Draws what={person} />);
    await act(() => say({ status: "busy" }));
    expect(stage.presence.me.get().track).toBeUndefined();
    await stage.show(<Draws what={() => void useTrack(WEDDING)} />);
    expect(stage.presence.me.get().track).toMatchObject({ status: "busy", in: [WEDDING] });
  });

  it("takes back what the hub does not take, and says why", async () => {
    await stage.live(<Draws what={status} />);
    let failed: unknown;
    act(() => void say({ customStatus: "long" }).catch((error) => (failed = error)));
    expect(text()).toContain("online long true");
    await act(settled);
    const { id } = stage.connection.last("track");
    await stage.say({ t: "error", re: id, code: "invalid_value", message: "too long" });
    expect(text()).toBe(`${USER} online undefined false invalid_value`);
    expect(failed).toMatchObject({ code: "invalid_value" });
  });
});

describe("useSettings", () => {
  it("shows what the hub has, and changes it", async () => {
    let change: ReturnType<typeof useSettings>[1] = async () => ({ durable: true });
    const visibility = () => {
      const [settings, setSettings] = useSettings();
      change = setSettings;
      return settings?.visibility ?? "not known";
    };
    await stage.show(<Draws what={visibility} />);
    expect(text()).toBe("not known");
    await stage.welcome();
    expect(text()).toBe("contacts");
    let done: unknown;
    act(() => void change({ visibility: "nobody" }).then((answer) => (done = answer)));
    expect(text()).toBe("contacts");
    await stage.say(
      { t: "settings", settings: { ...WELCOME.settings, visibility: "nobody" } },
      { t: "ack", re: stage.connection.last("setSettings").id, durable: false },
    );
    expect(text()).toBe("nobody");
    expect(done).toEqual({ durable: false });
  });
});

describe("useConnection", () => {
  it("shows where the connection stands, and why it is not there", async () => {
    const line = () => {
      const connection = useConnection();
      return "reason" in connection ? connection.reason.kind : connection.state;
    };
    await stage.show(<Draws what={line} />);
    expect(text()).toBe("connecting");
    await stage.welcome();
    expect(text()).toBe("connected");
    await act(async () => stage.connection.end(4301));
    expect(text()).toBe("closed");
    expect(stage.presence.connection.get()).toMatchObject({ state: "ended", reason: { code: 4301 } });
  });
});

describe("usePresenceClient", () => {
  it("is the presence itself", async () => {
    let client: unknown;
    const page = () => {
      client = usePresenceClient();
      return null;
    };
    await stage.show(<Draws what={page} />);
    expect(client).toBe(stage.presence);
  });
});
