import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";

import { makeWorkspace, pushTemplate } from "@slipway/testkit";
import { expect, inject, onTestFinished, vi } from "vitest";

import { type Answered, type AppServer, ask, type Asked, openApp } from "./app-world.ts";
import { appsTemplate } from "./apps-template.ts";
import { openServer, type OpenServer } from "./open-server.ts";

/** The maximum number of connections to apps for a user of the stage. */
export const maxPerUser = 8;

/** The settings of each server of the stage. */
export const appSettings = {
  SLIPWAY_SECRET_KEY: randomBytes(32).toString("hex"),
  SLIPWAY_WILDCARD_ACCESS_URL: "*.apps.test",
};

/** A server with a workspace of its administrator, an app in it, and what a viewer needs to request the app. */
export class AppStage implements AsyncDisposable {
  readonly server: OpenServer;
  readonly app: AppServer;
  /** The host of the app. */
  readonly host: string;
  /** The administrator's token. */
  readonly headers: Readonly<Record<string, string>>;
  /** Answers the next requests to the app. */
  answer: RequestListener = (_request, response) => response.end("hello");
  #opened = new AsyncDisposableStack();

  private constructor(server: OpenServer, app: AppServer) {
    this.server = server;
    this.app = app;
    this.host = this.hostOf("web");
    this.headers = { "Coder-Session-Token": server.admin.headers["Coder-Session-Token"] ?? "" };
  }

  static async open(): Promise<AppStage> {
    await using opened = new AsyncDisposableStack();
    const app = opened.use(await openApp((asked, response) => stage.answer(asked, response)));
    const server = opened.use(
      await openServer(inject("postgresUrl"), {
        ...appSettings,
        SLIPWAY_MAX_APP_ANSWER_SECONDS: "2",
        SLIPWAY_MAX_APP_CONNECTIONS_PER_USER: String(maxPerUser),
      }),
    );
    const url = `http://localhost:${app.port}`;
    const template = appsTemplate("process", {
      web: `{ url: "${url}", subdomain: true }`,
      team: `{ url: "${url}", subdomain: true, share: authenticated }`,
      open: `{ url: "${url}", subdomain: true, share: public }`,
    });
    const templateId = await pushTemplate(server.admin, "apps", template);
    await makeWorkspace(server.admin, "dev", templateId, ({ status }) => status === "connected");
    const stage: AppStage = new AppStage(server, app);
    // The agent may connect before its build has completed, until which the workspace is starting.
    await vi.waitFor(async () => expect((await stage.ask("/")).text).toBe("hello"), 10_000);
    stage.#opened = opened.move();
    return stage;
  }

  /** Returns the host of an app of the workspace: `web` of the administrator, `team` of all users, `open` of everyone. */
  hostOf(name: string): string {
    return `${name}--dev--admin.apps.test:${new URL(this.server.url).port}`;
  }

  /** Requests a path of the app as the administrator. */
  ask(path: string, asked: Asked = {}): Promise<Answered> {
    const headers = { ...this.headers, ...asked.headers };
    return ask(this.server.url, path, { host: this.host, ...asked, headers });
  }

  /** Starts a request to the app, which ends with the test. */
  begin(method: string, path = "/"): ClientRequest {
    const { port } = new URL(this.server.url);
    const headers = { Host: this.host, ...this.headers };
    const sent = request({ host: "127.0.0.1", port, method, path, agent: false, headers });
    sent.on("error", () => undefined);
    onTestFinished(() => void sent.destroy());
    return sent;
  }

  /** Opens a port whose server handles each connection with `serve`; resolves to the host of that port. */
  async openPort(serve: (socket: Socket) => void): Promise<string> {
    const sockets = new Set<Socket>();
    const listener = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      serve(socket);
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    onTestFinished(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
    const { port } = listener.address() as AddressInfo;
    return `${port}--main--dev--admin.apps.test:${new URL(this.server.url).port}`;
  }

  /** Resolves to the current value of a server metric. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.server.url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

/** Resolves to the response to a request, whose body may still follow. */
export async function answerOf(sent: ClientRequest): Promise<IncomingMessage> {
  const [response] = await once(sent, "response");
  return response;
}
