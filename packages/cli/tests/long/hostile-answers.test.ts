import { expect, it } from "vitest";

import {
  expectHarmless,
  frame,
  honest,
  openHostileServer,
  pour,
  steeringText,
  type Tricks,
} from "../support/hostile-server.ts";
import { sampleWorkspace } from "../support/sample-workspace.ts";

/* The command, in a separate process, against a hostile server. */

/** The size of a log after which it is ended: 100 MB of text. */
const maxRead = 2 * 1024 * 1024;

it.each<[string, NonNullable<Tricks["answer"]>, RegExp]>([
  [
    "an endless body",
    (response) => {
      response.writeHead(200);
      pour(response, " ".repeat(65_536));
    },
    /does not answer as a Slipway server does: a body of more than 67108864 bytes/,
  ],
  [
    "an endless text of an error",
    (response) => {
      response.writeHead(500, "Oh\tno");
      response.write('{"message":"');
      pour(response, steeringText);
    },
    /unexpected answer 500/,
  ],
  [
    "a long text of an error",
    (response) => {
      const text = steeringText.repeat(20);
      response.writeHead(400).end(JSON.stringify({ message: text, detail: text }));
    },
    /^error: /,
  ],
  [
    "an error of another form",
    (response) => response.writeHead(400).end('{"message":{"a":1},"validations":7}'),
    /unexpected answer 400/,
  ],
  [
    "redirects that never end, with bodies that never end",
    (response, path) => {
      response.writeHead(307, { Location: `/api/v2${path}?${Date.now()}` });
      pour(response, steeringText);
    },
    /more than 20 redirects/,
  ],
  [
    "a redirect to a file",
    (response) => response.writeHead(302, { Location: "file:///etc/passwd" }).end(),
    /cannot reach/,
  ],
  [
    "a redirect to nowhere",
    (response) => response.writeHead(302, { Location: "http://[" }).end(),
    /cannot reach/,
  ],
  [
    "a header that never ends",
    (response) => {
      const { socket } = response;
      socket?.write("HTTP/1.1 200 OK\r\nX-Long: ");
      if (socket) pour(socket, "x".repeat(65_536));
    },
    /cannot reach \S+: Parse Error: Header overflow/,
  ],
  [
    "JSON of another form",
    (response) => response.end('{"workspaces":7,"count":{}}'),
    /^error: .+\nthe server may have sent an answer of an unknown form/,
  ],
  [
    "a list of nothing",
    (response) => response.end('{"workspaces":[null],"count":1}'),
    /^error: .+\nthe server may have sent an answer of an unknown form/,
  ],
  [
    "a page",
    (response) => response.end(`<html>${steeringText}</html>`),
    /does not answer as a Slipway server does/,
  ],
])("ends with an error at %s", { timeout: 60_000 }, async (_, answer, problem) => {
  const { run } = await openHostileServer({ answer });
  const ended = await run("list");
  expect(ended.code).toBe(1);
  expect(ended.err).toMatch(problem);
  expect(ended.err.length).toBeLessThan(20_000);
  expectHarmless(ended);
});

it("shows a workspace without the values that never arrive whole", async () => {
  const { run } = await openHostileServer({
    answer: (response, path) => {
      if (!path.endsWith("/watch-metadata")) return honest(response, path);
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write("event: data\ndata: ");
      return pour(response, steeringText);
    },
  });
  const ended = await run("show demo");
  expect(ended).toMatchObject({ code: 0, out: expect.stringContaining("demo") });
  expectHarmless(ended);
});

it("keeps nothing of a log that does not end, and stops when it is told to", async () => {
  let id = 0;
  const { run } = await openHostileServer({
    heapMebibytes: 64,
    socket: (stream) => {
      const go = (): void => {
        let isFree = true;
        while (isFree && stream.writable) {
          id += 1;
          const entry = {
            id,
            created_at: sampleWorkspace.created_at,
            output: steeringText,
            level: "info",
          };
          isFree = stream.write(frame(JSON.stringify([entry])));
        }
      };
      stream.on("drain", go);
      go();
    },
  });
  const ended = await run("logs demo -f", (child) => {
    let bytes = 0;
    child.stdout?.on("data", (chunk: Buffer) => {
      const was = bytes;
      bytes += chunk.length;
      if (was <= maxRead && bytes > maxRead) child.kill("SIGINT");
    });
  });
  expect(ended.code).toBe(130);
  expectHarmless(ended);
});

it("ends with an error at one message that does not end", async () => {
  const { run } = await openHostileServer({
    socket: (stream) => {
      stream.write(frame('[{"id":1,"output":"', { isLast: false }));
      pour(stream, frame("x".repeat(65_536), { isFirst: false, isLast: false }));
    },
  });
  const ended = await run("logs demo -f");
  expect(ended).toMatchObject({
    code: 1,
    err: expect.stringContaining("Max payload size exceeded"),
  });
  expectHarmless(ended);
});

it.each(["not JSON", "[7]", '{"id":"x"}'.repeat(2)])(
  "ends with an error at the message %j of a log",
  async (text) => {
    const { run } = await openHostileServer({ socket: (stream) => stream.write(frame(text)) });
    const ended = await run("logs demo -f");
    expect(ended).toMatchObject({ code: 1, err: expect.stringContaining("does not answer as") });
    expectHarmless(ended);
  },
);

it.each([
  ["templates pull small", "/organizations/default/templates/small", "../../escaped"],
  ["templates pull small", "/organizations/default/templates/small", "large"],
  ["show demo", "/users/me/workspace/demo", "demo;touch x"],
])("refuses another name than that of %s", async (line, asked, name) => {
  const { run } = await openHostileServer({
    answer: (response, path) =>
      path === asked
        ? response.end(JSON.stringify({ ...sampleWorkspace, name }))
        : honest(response, path),
  });
  expect(await run(line)).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringContaining(`the server answered with the `),
  });
});

it("completes no name that a shell would run", async () => {
  const names = ["good", "$(touch x)", "a;touch", "`touch`", "--force", "a'b"];
  const workspaces = names.map((name) => ({ ...sampleWorkspace, name }));
  const { run } = await openHostileServer({
    answer: (response) => response.end(JSON.stringify({ workspaces, count: workspaces.length })),
  });
  const { out } = await run("__complete show ");
  const completed = out.split("\n").map((line) => line.split("\t")[0]);
  expect(completed.filter((name = "") => names.includes(name))).toEqual(["good"]);
});

it.runIf(process.platform === "linux")(
  "ends where nobody can make the directory of a template",
  async () => {
    const { run } = await openHostileServer({});
    expect(await run("templates init /proc/nope")).toMatchObject({
      code: 1,
      err: expect.stringContaining("/proc/nope"),
    });
  },
);
