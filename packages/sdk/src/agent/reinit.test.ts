import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { systemClock } from "@slipway/runtime";
import { createFakeClock, openLocalServer } from "@slipway/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

import { maxSilenceMs, type ReinitAnswer, type ReinitOptions, waitForReinit } from "./reinit.ts";

type Answer = (response: ServerResponse, request: IncomingMessage) => void | Promise<void>;

async function ask(answer: Answer, options: Partial<ReinitOptions> = {}): Promise<ReinitAnswer> {
  const server = await openLocalServer(
    createServer((request, response) => void answer(response, request)),
  );
  onTestFinished(() => server[Symbol.asyncDispose]());
  return waitForReinit({
    serverUrl: server.url,
    token: "secret",
    headers: { "X-Extra": "1" },
    clock: systemClock,
    signal: new AbortController().signal,
    ...options,
  });
}

const ping = "event: ping\n\n";
const ids = { workspace_id: "w", reason: "prebuild_claimed", owner_id: "o" };
const frame = `event: data\ndata: ${JSON.stringify(ids)}\n\n`;
const event = { workspaceId: "w", ownerId: "o", reason: "prebuild_claimed" };

function streamed(...pieces: string[]): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
    for (const piece of pieces) response.write(piece);
  };
}

function refused(status: number, type: string, body: string): Answer {
  return (response) => {
    response.writeHead(status, { "Content-Type": type }).end(body);
  };
}

describe("waitForReinit", () => {
  it("asks with its token, in a way that lets the server answer out of its state", async () => {
    let asked: IncomingMessage | undefined;
    const answer = await ask((response, request) => {
      asked = request;
      streamed(ping, ping, frame)(response);
    });
    expect(answer).toEqual({ kind: "event", event });
    expect(asked?.url).toBe("/api/v2/workspaceagents/me/reinit?wait=true");
    expect(asked?.headers).toMatchObject({ "coder-session-token": "secret", "x-extra": "1" });
  });

  it("closes the connection after the event, which some servers keep open", async () => {
    const closed = Promise.withResolvers<void>();
    await ask((response) => {
      response.on("close", () => closed.resolve());
      streamed(frame)(response);
    });
    await closed.promise;
  });

  it("reads a frame that comes in single bytes", async () => {
    const answer = await ask(async (response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      for (const byte of Buffer.from(ping + frame.replaceAll("\n", "\r\n"))) {
        await new Promise((resolve) => {
          response.write(Buffer.of(byte), resolve);
        });
      }
    });
    expect(answer).toEqual({ kind: "event", event });
  });

  it("tells a stream that ended, and one that was cut, from no stream", async () => {
    expect(
      await ask((response) => {
        streamed(ping)(response);
        response.end();
      }),
    ).toEqual({ kind: "ended", reason: "by the server" });
    expect(
      await ask((response) => {
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        response.write(ping, () => response.destroy());
      }),
    ).toMatchObject({ kind: "ended", reason: expect.stringContaining("aborted") });
    expect(
      await ask((response) => {
        response.destroy();
      }),
    ).toMatchObject({ kind: "failed", error: { code: "no-reinit-stream" } });
  });

  it("says that it is refused", async () => {
    const body = JSON.stringify({ message: "no" });
    expect(await ask(refused(401, "application/json", body))).toEqual({ kind: "unauthorized" });
    expect(await ask(refused(401, "text/html", "<p>"))).toEqual({ kind: "unauthorized" });
  });

  it("believes a 409 only with the body of a server", async () => {
    const message = "Workspace is not a prebuilt workspace waiting to be claimed.";
    const body = JSON.stringify({ message, detail: "…" });
    expect(await ask(refused(409, "application/json; charset=utf-8", body))).toEqual({
      kind: "not-a-prebuild",
      message,
    });
    for (const other of [
      "",
      "Conflict",
      "<html>",
      "{",
      `{"error":"conflict"}`,
      "null",
      `["message"]`,
    ]) {
      expect(await ask(refused(409, "application/json", other))).toMatchObject({ kind: "failed" });
    }
  });

  it.each([
    [refused(200, "text/html", "<html>"), "text/html"],
    [refused(404, "text/plain", "no such page"), "404"],
    [refused(502, "text/html", "bad gateway"), "502"],
    [refused(500, "application/json", JSON.stringify({ message: "database" })), "500: database"],
    [streamed(`event: error\ndata: {"message":"broken"}\n\n`), "broken"],
    [streamed("event: data\ndata: what\n\n"), "what"],
    [streamed("x".repeat(70_000)), "65536"],
  ])("fails and says why (%#)", async (answer, why) => {
    const result = await ask(answer);
    expect(result).toMatchObject({ kind: "failed" });
    expect(
      result.kind === "failed" && `${result.error.message} ${String(result.error.cause)}`,
    ).toContain(why);
  });

  it("fails where nobody listens", async () => {
    const server = await openLocalServer(createServer());
    await server[Symbol.asyncDispose]();
    expect(await ask(() => undefined, { serverUrl: server.url })).toMatchObject({ kind: "failed" });
  });

  it("gives up a server that sends no headers, or after them no ping", async () => {
    const clock = createFakeClock(0);
    const asked = Promise.withResolvers<void>();
    const silent = ask(() => asked.resolve(), { clock });
    await asked.promise;
    await clock.advance(maxSilenceMs - 1);
    expect(clock.sleepers).toBe(1);
    await clock.advance(1);
    expect(await silent).toMatchObject({
      kind: "failed",
      error: { cause: { name: "TimeoutError" } },
    });

    let readings = 0;
    const counting = {
      ...clock,
      monotonic: () => {
        readings += 1;
        return clock.now();
      },
    };
    const halfOpen = ask(streamed(ping), { clock: counting });
    // Two checks at the start, one for the headers, one for the ping.
    await expect.poll(() => readings).toBe(4);
    await clock.advance(maxSilenceMs);
    expect(await halfOpen).toMatchObject({
      kind: "ended",
      reason: expect.stringContaining("nothing heard"),
    });
  });

  it("rejects with the reason of its signal, also in the middle of a stream", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const outcome = expect(
      ask(
        (response) => {
          streamed(ping)(response);
          controller.abort(new Error("enough"));
        },
        { signal },
      ),
    ).rejects.toThrow("enough");
    await outcome;
    await expect(ask(streamed(frame), { signal })).rejects.toThrow("enough");
  });
});
