// What was asked of the hub and not answered yet. No I/O.

import { PresenceError, quiet } from "./errors.js";
import type { ClientFrame } from "./protocol/client.js";
import type { ServerFrame } from "./protocol/server.js";

type Numbered = Extract<ClientFrame, { id: number }>;
/** A request before it has its number. */
export type Body = Numbered extends infer F ? (F extends Numbered ? Omit<F, "id"> : never) : never;
/** What answers a request that was done. */
export type Answer = Extract<ServerFrame, { t: "ack" | "subscribed" | "clockedIn" }>;

/** Requests that may wait for their answer. */
const MOST = 256;

interface Ask {
  /** Made anew each time it is sent: what it names may have changed. */
  body: () => Body;
  /** Whether it is asked again on the next connection. */
  again: boolean;
  resolve: (answer: Answer) => void;
  reject: (error: PresenceError) => void;
  /** Under which it was sent on this connection. */
  id?: number | undefined;
}

export class Requests {
  #asks: Ask[] = [];
  #last = 0;

  ask(body: () => Body, again: boolean): Promise<Answer> {
    return quiet(
      new Promise((resolve, reject) => {
        if (this.#asks.length < MOST) this.#asks.push({ body, again, resolve, reject });
        else reject(new PresenceError("too_many_requests", `${MOST} requests wait for their answer`));
      }),
    );
  }

  /** The next frame to send, on a connection that was welcomed. */
  next(): Numbered | undefined {
    const ask = this.#asks.find(({ id }) => id === undefined);
    if (!ask) return undefined;
    ask.id = this.#last = (this.#last + 1) % 2 ** 32;
    return { ...ask.body(), id: ask.id } as Numbered;
  }

  /** Takes an answer. Frames that answer nothing, and answers that nobody waits for, are passed over. */
  answered(frame: ServerFrame): void {
    const re = (frame as { re?: number }).re;
    const at = re === undefined ? -1 : this.#asks.findIndex(({ id }) => id === re);
    const [ask] = at < 0 ? [] : this.#asks.splice(at, 1);
    if (frame.t === "error") ask?.reject(new PresenceError(frame.code, frame.message, frame.retryAfterMs));
    else ask?.resolve(frame as Answer);
  }

  /** The connection is gone. */
  disconnected(): void {
    const asks = this.#asks;
    this.#asks = asks.filter((ask) => ask.again || ask.id === undefined);
    for (const ask of asks) {
      if (!ask.again && ask.id !== undefined)
        ask.reject(new PresenceError("lost", "the connection was lost"));
      ask.id = undefined;
    }
  }

  /** Nothing will be answered any more. */
  end(error: PresenceError): void {
    for (const ask of this.#asks.splice(0)) ask.reject(error);
  }
}
