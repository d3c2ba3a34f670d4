import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";

import { AppStage, answerOf, maxPerUser } from "./support/app-stage.ts";
import { ask } from "./support/app-world.ts";

/* The connections to an app: kept open, closed with their viewers, and limited. */

let stage: AppStage;

beforeAll(async () => {
  stage = await AppStage.open();
});

afterAll(() => stage[Symbol.asyncDispose]());

it("keeps connections for the next request, and makes new ones for those at once", async () => {
  stage.answer = (_asked, response) => response.end("x");
  await stage.ask("/");
  stage.app.connections.clear();
  for (let turn = 0; turn < 10; turn += 1) await stage.ask("/");
  // A connection that is unused for seconds is closed.
  expect(stage.app.connections.size).toBeLessThan(5);
  stage.app.connections.clear();
  await Promise.all(Array.from({ length: 4 }, () => stage.ask("/")));
  expect(stage.app.connections.size).toBeLessThanOrEqual(4);
});

it("leaves nothing behind on a connection that is used again", async () => {
  const warnings: string[] = [];
  const note = ({ message }: Error): void => void warnings.push(message);
  process.on("warning", note);
  onTestFinished(() => void process.off("warning", note));
  stage.answer = (_asked, response) => response.end("x");
  stage.app.connections.clear();
  for (let turn = 0; turn < 40; turn += 1) await stage.ask("/");
  expect(stage.app.connections.size).toBeLessThan(4);
  expect(warnings).toEqual([]);
});

it("tries a kept connection that the app has closed only once", async () => {
  let count = 0;
  const closing = await stage.openPort((socket) => {
    count += 1;
    // Each connection answers once, promises to stay open, and closes at the second request.
    let requests = 0;
    socket.on("data", () => {
      requests += 1;
      if (requests === 1) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      else socket.destroy();
    });
  });
  for (let turn = 0; turn < 3; turn += 1) {
    expect(
      await ask(stage.server.url, "/", { host: closing, headers: stage.headers }),
    ).toMatchObject({ text: "ok" });
  }
  expect(count).toBe(3);
});

it("ends a request when its viewer leaves, even one that is answered forever", async () => {
  const left = Promise.withResolvers<void>();
  stage.answer = (_asked, response) => {
    const timer = setInterval(() => response.write("more"), 5);
    response.once("close", () => {
      clearInterval(timer);
      left.resolve();
    });
  };
  const sent = stage.begin("GET");
  sent.end();
  await answerOf(sent);
  sent.destroy();
  await left.promise;
  await expect.poll(() => stage.metric("slipway_app_requests_open")).toBe(0);
});

it("limits the requests of a user", async () => {
  stage.answer = (_asked, response) => void response.write("begun");
  const held = Array.from({ length: maxPerUser }, () => {
    const sent = stage.begin("GET");
    sent.end();
    return sent;
  });
  await Promise.all(held.map(answerOf));
  const refused = await stage.ask("/", { headers: { Accept: "application/json" } });
  expect(refused.status).toBe(429);
  expect(refused.text).toContain("too many connections to apps");
  for (const sent of held) sent.destroy();
  stage.answer = (_asked, response) => response.end("again");
  await vi.waitFor(async () => expect((await stage.ask("/")).text).toBe("again"));
});
