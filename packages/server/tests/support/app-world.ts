import { createServer, type IncomingMessage, request, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

import { WebSocketServer } from "ws";

/** A server in place of a workspace's app, on a port of this machine, with the requests that it received. */
export interface AppServer extends AsyncDisposable {
  readonly port: number;
  readonly requests: SeenRequest[];
  /** The ports of the connections to it. */
  readonly connections: Set<number>;
}

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly rawHeaders: readonly string[];
}

/** Opens an app that responds with `answer`, and echoes WebSocket messages. */
export async function openApp(answer: RequestListener): Promise<AppServer> {
  const requests: SeenRequest[] = [];
  const connections = new Set<number>();
  const note = ({ method = "", url = "", headers, rawHeaders }: IncomingMessage): void => {
    requests.push({ method, url, headers, rawHeaders });
  };
  const server = createServer((asked, response) => {
    note(asked);
    answer(asked, response);
  });
  server.on("connection", ({ remotePort = 0 }) => connections.add(remotePort));
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (asked, socket, head) => {
    note(asked);
    sockets.handleUpgrade(asked, socket, head, (peer) => {
      peer.on("message", (data, isBinary) => peer.send(data, { binary: isBinary }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
    port: (server.address() as AddressInfo).port,
    requests,
    connections,
    [Symbol.asyncDispose]: async () => {
      for (const peer of sockets.clients) peer.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface Asked {
  readonly method?: string;
  /** The host of the app (default: the server's). */
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** Requests a path of a server exactly as given: nothing is normalized, followed or added. */
export async function ask(serverUrl: string, path: string, asked: Asked = {}): Promise<Answered> {
  const { port } = new URL(serverUrl);
  const { method = "GET", host = `127.0.0.1:${port}`, headers = {}, body } = asked;
  const sent = request({
    host: "127.0.0.1",
    port,
    method,
    path,
    agent: false,
    headers: { Host: host, ...headers },
  });
  sent.end(body);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.once("response", resolve);
    sent.once("error", reject);
  });
  const text = (await buffer(response)).toString();
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

/** A browser's cookies, by host: a cookie is sent only to the host that set it. */
export class CookieJar {
  readonly #cookies = new Map<string, Map<string, string>>();

  /** Stores the cookies of a response; returns the response. */
  note(host: string, answer: Answered): Answered {
    const cookies = this.#cookies.get(host) ?? new Map<string, string>();
    this.#cookies.set(host, cookies);
    for (const cookie of answer.headers["set-cookie"] ?? []) {
      const [pair = ""] = cookie.split(";");
      const [name = "", value = ""] = pair.split(/=(.*)/s);
      if (/max-age=0/i.test(cookie)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return answer;
  }

  of(host: string): string {
    return [...(this.#cookies.get(host) ?? [])].map((pair) => pair.join("=")).join("; ");
  }
}
