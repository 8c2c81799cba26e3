// A network between a client and a hub, which fails in the ways that networks do.

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** One connection through a proxy. */
interface Pair {
  near: Socket;
  far: Socket;
  stalled: boolean;
}

export class Network {
  /** How many connections were tried, also those that were refused. */
  tried = 0;
  readonly #to: number;
  readonly #server: Server;
  readonly #pairs: Set<Pair> = new Set();
  #refuses = false;
  #idleMs = 0;

  /** @internal */
  constructor(to: number) {
    this.#to = to;
    this.#server = createServer((near) => this.#accept(near));
  }

  /** @internal */
  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `ws://…/ws`, for `createPresence`. */
  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  /** How many connections there are now. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Breaks all connections, without a word of the hub's or the client's. */
  cut(): void {
    for (const pair of this.#pairs) this.#break(pair);
  }

  /** Whether new connections are refused. Those that there are go on. */
  refuse(refuses: boolean): void {
    this.#refuses = refuses;
  }

  /** From now on nothing goes through the connections that there are, and neither end is told. New ones are whole. */
  stall(): void {
    for (const pair of this.#pairs) {
      const { near, far } = pair;
      pair.stalled = true;
      near.unpipe(far);
      far.unpipe(near);
      // Read on, so that who writes notices nothing.
      near.resume();
      far.resume();
    }
  }

  /** Breaks each connection, of now and later, through which nothing has come for so long. 0: none. */
  cutIdle(ms: number): void {
    this.#idleMs = ms;
    for (const pair of this.#pairs) this.#watch(pair);
  }

  /** Breaks all connections and takes no more. */
  end(): Promise<void> {
    this.cut();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #accept(near: Socket): void {
    this.tried += 1;
    if (this.#refuses) {
      near.destroy();
      return;
    }
    const pair = { near, far: connect(this.#to, "127.0.0.1"), stalled: false };
    this.#pairs.add(pair);
    for (const socket of [pair.near, pair.far]) {
      socket.setNoDelay(true);
      // What a broken connection says is said by its close.
      socket.on("error", () => {});
      // Who is behind a silent network does not learn that the other end has gone.
      socket.on("close", () => (pair.stalled && socket === pair.far ? undefined : this.#break(pair)));
    }
    near.pipe(pair.far);
    pair.far.pipe(near);
    this.#watch(pair);
  }

  #watch(pair: Pair): void {
    pair.near.removeAllListeners("timeout");
    pair.near.setTimeout(this.#idleMs, () => this.#break(pair));
  }

  #break(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.near.destroy();
    pair.far.destroy();
  }
}

/** A proxy in front of a port of this machine. `end()` it when the test has ended. */
export async function cuttable(port: number): Promise<Network> {
  const proxy = new Network(port);
  await proxy.listen();
  return proxy;
}
