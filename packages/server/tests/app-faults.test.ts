import { type Socket } from "node:net";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { AppStage } from "./support/app-stage.ts";
import { ask } from "./support/app-world.ts";

/* Apps that misbehave: the viewer gets a page that names the fault. */

let stage: AppStage;

beforeAll(async () => {
  stage = await AppStage.open();
});

afterAll(() => stage[Symbol.asyncDispose]());

describe("an app that", () => {
  it.each<readonly [string, (socket: Socket) => void, number, string]>([
    ["answers nothing", () => undefined, 504, "no-answer"],
    ["ends the connection", (socket) => socket.once("data", () => socket.end()), 502, "ended"],
    [
      "resets the connection",
      (socket) => socket.once("data", () => socket.resetAndDestroy()),
      502,
      "ended",
    ],
    ["answers garbage", (socket) => socket.write("<garbage>\r\n\r\n"), 502, "malformed"],
    [
      "answers another protocol",
      (socket) => socket.write("SSH-2.0-OpenSSH_9\r\n"),
      502,
      "malformed",
    ],
    [
      "answers a gigantic header",
      (socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(1_000_000)}\r\n\r\n`),
      502,
      "large-header",
    ],
    [
      "answers half a header, and waits",
      (socket) => socket.write("HTTP/1.1 200 OK\r\nX: "),
      504,
      "no-answer",
    ],
    [
      "answers half a header, and ends",
      (socket) => socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nX: ")),
      502,
      "ended",
    ],
    [
      "answers with two lengths",
      (socket) =>
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 5\r\n\r\nabcde"),
      502,
      "malformed",
    ],
    [
      "answers with a length beside chunks",
      (socket) =>
        socket.write(
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
      502,
      "malformed",
    ],
    [
      "answers with a line break in a field",
      (socket) => socket.write("HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\n\r\n"),
      502,
      "malformed",
    ],
    [
      "answers without end before its header",
      (socket) => {
        const more = (): void => {
          while (socket.write("HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000)));
          socket.once("drain", more);
        };
        more();
      },
      504,
      "no-answer",
    ],
    [
      "changes the protocol unasked",
      (socket) =>
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
        ),
      502,
      "malformed",
    ],
  ])("%s gets an error page", async (_what, serve, status, reason) => {
    const asked = {
      host: await stage.openPort(serve),
      headers: { ...stage.headers, Accept: "text/html" },
    };
    const page = await ask(stage.server.url, "/", asked);
    expect(page.status).toBe(status);
    expect(page.text).toContain(`<code>${reason}: `);
    expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
  });

  it("is not there gets one that names the rung", async () => {
    const page = await ask(stage.server.url, "/", {
      host: `9999--main--dev--admin.apps.test`,
      headers: { ...stage.headers, Accept: "application/json" },
    });
    expect(page.status).toBe(502);
    expect(JSON.parse(page.text)).toMatchObject({
      message: expect.stringContaining("nothing listens on the port"),
      detail: expect.stringMatching(/^port: /),
    });
  });

  it("ends in the middle of its answer is cut off, not completed", async () => {
    const cut = await stage.openPort((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        setImmediate(() => socket.end());
      });
    });
    await expect(ask(stage.server.url, "/", { host: cut, headers: stage.headers })).rejects.toThrow(
      /aborted|hang up/,
    );
  });

  it("speaks https is reached without a name that anybody vouches for", async () => {
    const page = await ask(stage.server.url, "/", {
      host: (await stage.openPort((socket) => socket.write("not TLS"))).replace("--", "s--"),
      headers: { ...stage.headers, Accept: "text/html" },
    });
    expect(page.status).toBe(502);
    expect(page.text).toContain("<code>no-tls: ");
  });
});
