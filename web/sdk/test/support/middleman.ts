// A man in the middle of a real conversation: what the hub says can be added to, dropped and said twice.

import type { AddressInfo } from "node:net";
import { type RawData, WebSocket, WebSocketServer } from "ws";

/** What becomes of a message of the hub: what is said to the client in its place. */
export type Rewrite = (message: string | Buffer) => readonly (string | Buffer)[];

const AS_IT_IS: Rewrite = (message) => [message];

export class Middleman {
  /** How many connections clients have made. */
  tried = 0;
  /** From now on, of each connection. */
  rewrite: Rewrite = AS_IT_IS;
  readonly #hub: string;
  readonly #server: WebSocketServer;
  readonly #near: Set<WebSocket> = new Set();

  private constructor(hub: string) {
    this.#hub = hub;
    // The subprotocol of the client's first choice, as the hub does.
    const handleProtocols = ([first = ""]: Set<string>) => first;
    this.#server = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols });
    this.#server.on("connection", (near) => this.#accept(near));
  }

  /** Between clients and the hub at this address. `end()` it when the test has ended. */
  static async between(hub: string): Promise<Middleman> {
    const middleman = new Middleman(hub);
    await new Promise((resolve) => middleman.#server.once("listening", resolve));
    return middleman;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws`;
  }

  /** Says something to all clients that the hub has not said. */
  say(...messages: (string | Buffer | object)[]): void {
    for (const near of this.#near)
      for (const message of messages)
        near.send(
          typeof message === "string" || Buffer.isBuffer(message) ? message : JSON.stringify(message),
        );
  }

  /** Closes all connections with a code, as if the hub had. */
  close(code: number): void {
    for (const near of this.#near) near.close(code);
  }

  end(): Promise<void> {
    for (const near of this.#near) near.terminate();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #accept(near: WebSocket): void {
    this.tried += 1;
    this.#near.add(near);
    const far = new WebSocket(this.#hub, near.protocol);
    const early: [RawData, boolean][] = [];
    near.on("message", (data, binary) => {
      if (far.readyState === WebSocket.OPEN) far.send(data, { binary });
      else early.push([data, binary]);
    });
    far.on("open", () => {
      for (const [data, binary] of early.splice(0)) far.send(data, { binary });
    });
    far.on("message", (data, binary) => {
      for (const said of this.rewrite(binary ? (data as Buffer) : `${data}`)) near.send(said);
    });
    far.on("close", (code) => near.close(sendable(code) ? code : undefined));
    near.on("close", (code) => {
      this.#near.delete(near);
      far.close(sendable(code) ? code : undefined);
    });
    for (const socket of [near, far]) socket.on("error", () => {});
  }
}

/** 1005 and 1006 say that there was no code. */
function sendable(code: number): boolean {
  return code === 1000 || code >= 3000;
}
