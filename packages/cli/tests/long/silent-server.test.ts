import { expect, it } from "vitest";

import {
  expectHarmless,
  frame,
  honest,
  openHostileServer,
  pour,
  steeringText,
} from "../support/hostile-server.ts";

/* The command, in a separate process, against servers that never finish a response. */

it("ends with an error if no answer comes", async () => {
  const { run } = await openHostileServer({ answer: () => undefined });
  for (const ended of await Promise.all(
    ["list", "whoami", "start demo"].map((line) => run(line)),
  )) {
    expect(ended).toMatchObject({ code: 1, err: expect.stringMatching(/^error: cannot reach /) });
    expectHarmless(ended);
  }
});

it("ends with an error if an answer comes byte by byte", async () => {
  const { run } = await openHostileServer({
    answer: (response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write(" "), 100);
      response.on("close", () => clearInterval(drip));
    },
  });
  const ended = await run("list");
  expect(ended).toMatchObject({ code: 1, err: expect.stringMatching(/^error: cannot reach /) });
  expectHarmless(ended);
});

it("says that no WebSocket opens if the server opens none, and stops when it is told to", async () => {
  const { run } = await openHostileServer({ answer: honest, opensSockets: false });
  const ended = await run("logs demo -f", (child) => {
    child.stderr?.once("data", () => child.kill("SIGINT"));
  });
  expect(ended).toMatchObject({
    code: 130,
    err: expect.stringMatching(/^cannot open a WebSocket/),
  });
  expectHarmless(ended);
});

it("ends with an error at a coordinator that talks nonsense without end", async () => {
  const { run } = await openHostileServer({
    socket: (stream) => pour(stream, frame(steeringText)),
  });
  const lines = ["ping demo -n 1 -t 3s", "ssh demo true"];
  for (const ended of await Promise.all(lines.map((line) => run(line)))) {
    expect(ended.code).toBeGreaterThan(0);
    expect(ended.err).toMatch(/^error: /m);
    expectHarmless(ended);
  }
});
