// A client of the hub: one connection, its channels, what it announces, its settings.

import { Announcer, type Me } from "./announcer.js";
import { Channel } from "./channel.js";
import { type ChannelOptions, Channels } from "./channels.js";
import { type Codec, json } from "./codec.js";
import { PresenceError, quiet } from "./errors.js";
import {
  type Connection,
  Link,
  type Party,
  type Reason,
  type SocketConstructor,
  type Terms,
} from "./link.js";
import { forget, recall, remember } from "./memory.js";
import type { PersonPatch, PlacePatch } from "./own.js";
import { device, followPage } from "./page.js";
import type { ActivityState, Device, Hello, SettingsPatch, TrackState } from "./protocol/client.js";
import type { ServerFrame, SettingsNow } from "./protocol/server.js";
import type { Comeback } from "./retry.js";
import { type Readable, Store, type Unsubscribe } from "./store.js";
import { type TokenSource, Tokens } from "./token.js";

export interface PresenceOptions {
  /** Where the hub is: `wss://presence.example.com/ws`. `http:` and `https:` are taken for `ws:` and `wss:`. */
  readonly url: string;
  readonly token: TokenSource;
  /** The encoding; JSON, if nothing else is said. */
  readonly codec?: Codec;
  /** What this runs on; if nothing is said, it is guessed. */
  readonly device?: Device;
  /** After how long without a sign of life somebody is `idle`. Milliseconds; 5 minutes by default, `Infinity`: never. */
  readonly idleAfterMs?: number;
  /** Whether a reload keeps the status that was chosen, in the tab's session storage. It does by default. */
  readonly remember?: boolean;
  /** Where there is no global `WebSocket`, or another one is wanted. */
  readonly WebSocket?: SocketConstructor;
}

/** What happens here that nobody asked for. */
export class Presence {
  /** Where the connection stands. */
  readonly connection: Readable<Connection>;
  /** What this session announces of itself. */
  readonly me: Readable<Me>;
  /** The user's settings, wherever they were changed; `undefined` before the first welcome. */
  readonly settings: Readable<SettingsNow | undefined>;
  readonly #settings = new Store<SettingsNow | undefined>(undefined);
  readonly #link: Link;
  readonly #channels: Channels;
  readonly #announcer: Announcer;
  readonly #tokens: Tokens;
  readonly #remember: boolean;
  readonly #idleAfterMs: number;
  #announced: TrackState | undefined;
  #stopFollowing: Unsubscribe | undefined;
  #renewal: ReturnType<typeof setTimeout> | undefined;

  /** @internal */
  constructor(options: PresenceOptions) {
    const { url, token, codec = json, idleAfterMs = 300_000 } = options;
    const WebSocket = options.WebSocket ?? (globalThis.WebSocket as unknown as SocketConstructor);
    this.#link = new Link(
      this.#party(),
      codec,
      () => new WebSocket(url.replace(/^http/, "ws"), [codec.protocol]),
    );
    this.#channels = new Channels(this.#link);
    this.#announcer = new Announcer(this.#link, options.device ?? device());
    this.#tokens = new Tokens(token);
    this.#remember = options.remember ?? true;
    this.#idleAfterMs = idleAfterMs;
    if (this.#remember) recall(this.#announcer.own);
    this.connection = this.#link.connection;
    this.me = this.#announcer.me;
    this.settings = this.#settings;
  }

  /** Connects, and stays connected. Harmless where it is. */
  connect = (): void => {
    this.#stopFollowing ??= followPage(
      {
        suspend: () => this.#link.suspend(),
        nudge: () => this.#link.nudge(),
        idle: (idle) => this.#idle(idle),
      },
      this.#idleAfterMs,
    );
    this.#link.start();
  };

  /** Closes the connection. What is announced stays for the hub's time of grace, as after a lost connection. */
  close = (): void => {
    this.#stopFollowing?.();
    this.#stopFollowing = undefined;
    clearTimeout(this.#renewal);
    this.#link.stop();
    this.#announcer.end(new PresenceError("closed", "closed by this client"));
    this.#channels.disconnected();
  };

  /** A handle of a channel: `wedding:<id>`, `organization:<id>` or `account:<id>`. Nothing is asked until it is used. */
  channel = (name: string, options: ChannelOptions = {}): Channel =>
    new Channel(name.toLowerCase(), options, this.#channels, this.#announcer);

  /**
   * Is present in all channels of the user, or changes what is said: what is left out stays, `null` takes back. In
   * `me` it is so at once; the promise ends when the hub has it, or something newer. Changes are merged to the rate that
   * the hub takes.
   */
  track(patch: PersonPatch & PlacePatch = {}): Promise<void> {
    this.#announcer.own.enter(undefined, patch, performance.now());
    return this.say(patch);
  }

  /** Says something about the person (status, custom status) without being present anywhere new. */
  say(patch: PersonPatch): Promise<void> {
    this.#announcer.own.say(patch);
    if (this.#remember) remember(this.#announcer.own);
    return quiet(this.#announcer.changed());
  }

  /** Is not present everywhere any more; what is tracked in a channel stays. */
  untrack(): Promise<void> {
    this.#announcer.own.leave(undefined);
    return quiet(this.#announcer.changed());
  }

  /**
   * Changes the user's settings: what is left out stays. Done once, over however many connections it takes. `durable` is
   * false where the hub could not reach its database: it is in force all the same.
   */
  setSettings(settings: SettingsPatch): Promise<{ durable: boolean }> {
    const opId = crypto.randomUUID();
    const asked = this.#link.ask(() => ({ t: "setSettings", settings, opId }));
    return quiet(asked.then((answer) => ({ durable: answer.t !== "ack" || answer.durable !== false })));
  }

  /** Tells what was done, for the organizations that keep a log. */
  activity(activity: ActivityState): Promise<void> {
    return quiet(this.#link.ask(() => ({ t: "activity", activity })).then(() => {}));
  }

  /** Ends the session at once: everybody sees it. The connection does not come back before `connect`. */
  signOut(): Promise<void> {
    this.#announcer.withdraw();
    if (this.#remember) forget();
    if (this.#link.connection.get().state !== "connected") {
      this.close();
      this.#reset();
      return Promise.resolve();
    }
    return quiet(this.#link.ask(() => ({ t: "signOut" }), false).then(() => {}));
  }

  #party(): Party {
    return {
      hello: () => this.#hello(),
      welcomed: (frame) => this.#welcomed(frame),
      frame: (frame) => this.#frame(frame),
      lost: (reason, comeback) => this.#lost(reason, comeback),
    };
  }

  async #hello(): Promise<Hello> {
    const token = await this.#tokens.fetch();
    const resume = this.#channels.replica.resume();
    this.#announced = this.#announcer.greeting();
    return {
      t: "hello",
      token,
      ...(resume && { resume }),
      ...(this.#announced && { track: this.#announced }),
    };
  }

  #welcomed(frame: ServerFrame): Terms | undefined {
    if (frame.t !== "welcome") return undefined;
    const resumed = frame.resume?.resumed === true;
    if (this.#channels.replica.welcome && this.#channels.replica.welcome.user !== frame.user) this.#reset();
    this.#announcer.welcomed(frame.user, this.#announced, resumed);
    // Behind the link, which is connected only when the frame is taken.
    queueMicrotask(() => this.#announcer.pump());
    return { ...frame, resumed, messageBytes: frame.limits.messageBytes };
  }

  #frame(frame: ServerFrame): void {
    this.#channels.frame(frame);
    if (frame.t === "welcome" || frame.t === "settings") this.#settings.set(frame.settings);
    if (frame.t === "expiring") this.#expiring(frame.inMs);
  }

  /** Of tokens that never last longer than the hub's warning the next is due in the middle of each. */
  #expiring(inMs: number): void {
    const isNew = performance.now() - this.#tokens.givenAt < inMs;
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => void this.#refresh(), isNew ? inMs / 2 : 0);
  }

  /** Where there is no newer token the hub closes when the old one ends, and the next connection asks again. */
  async #refresh(): Promise<void> {
    try {
      const token = await this.#tokens.newer();
      if (token) await this.#link.ask(() => ({ t: "refresh", token }), false);
    } catch {
      // As above.
    }
  }

  #lost(reason: Reason, comeback: Comeback): Comeback {
    clearTimeout(this.#renewal);
    if (reason.kind === "closed" && reason.code === 1000) this.#reset();
    if (reason.kind === "closed" && reason.code === 4001) this.#channels.replica.leaveSession();
    if (comeback.when === "new_token") this.#tokens.refuse();
    const again = isBadHello(reason, comeback) && this.#announcer.distrust();
    this.#channels.disconnected();
    if (again) return { when: "at_once" };
    const never = reason.kind === "token" && !this.#tokens.canRenew;
    return never ? { when: "never" } : comeback;
  }

  /** What was shown to one person is not to be seen by the next. */
  #reset(): void {
    this.#channels.reset();
    this.#settings.set(undefined);
  }

  #idle(idle: boolean): void {
    this.#announcer.own.idle = idle;
    if (this.me.get().track) void this.#announcer.changed();
  }
}

/** Whether it may be what the hello announced that the hub does not take; 1009: it was too large. */
function isBadHello(reason: Reason, { when }: Comeback): boolean {
  if (reason.kind === "refused") return when === "never";
  return reason.kind === "closed" && (reason.code === 4300 || reason.code === 1009);
}

/** A client of the hub. It connects when `connect` is called, or in React when its provider is shown. */
export function createPresence(options: PresenceOptions): Presence {
  return new Presence(options);
}
