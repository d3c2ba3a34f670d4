import type { ServerResponse } from "node:http";

import { objectOf, systemClock, textOf } from "@slipway/runtime";
import { expect, it } from "vitest";

import { openApiServer, refuse as refuseRequest } from "../../tests/support/api-server.ts";
import type { ClusterConnection } from "./cluster-connection.ts";
import { type ObjectEvent, watchObjects } from "./watch-objects.ts";

/* The loop of lists and watches, at an API server that answers as each test wants. */

const { signal } = new AbortController();

type Handler = (url: URL, response: ServerResponse) => void;

/** Serves the answers in their order, the last one again and again, and collects the requests. */
async function serve(...handlers: readonly Handler[]) {
  const urls: string[] = [];
  const server = await openApiServer(({ url }, response) => {
    const handler = handlers[Math.min(urls.length, handlers.length - 1)];
    urls.push(
      `${url.searchParams.get("watch") ?? "list"} ${url.searchParams.get("resourceVersion")}`,
    );
    handler?.(url, response);
  });
  return { connection: server.connection, urls };
}

const list =
  (version: string, ...names: readonly string[]): Handler =>
  (_url, response) => {
    const items = names.map((name) => ({ metadata: { name } }));
    response.end(JSON.stringify({ metadata: { resourceVersion: version }, items }));
  };

const events =
  (...lines: readonly unknown[]): Handler =>
  (_url, response) => {
    response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  };

const changed = (name: string, resourceVersion: string, type = "MODIFIED") => ({
  type,
  object: { metadata: { name, resourceVersion } },
});

/** Watches until it has seen this many events. */
async function watchFor(
  connection: ClusterConnection,
  count: number,
  { silenceMs = 5_000, patienceMs = 5_000 } = {},
): Promise<readonly string[]> {
  const ending = new AbortController();
  const seen: string[] = [];
  const take = (event: ObjectEvent): void => {
    const objects = event.kind === "listed" ? event.objects : [event.object];
    const names = objects.map(({ metadata }) => textOf(objectOf(metadata)["name"]));
    seen.push(`${event.kind} ${names.join(",")}`);
    if (seen.length >= count) ending.abort(new Error("seen"));
  };
  const options = { clock: systemClock, patienceMs, silenceMs };
  await expect(
    watchObjects(connection, { path: "/pods" }, take, options, ending.signal),
  ).rejects.toThrow("seen");
  return seen;
}

const refuse =
  (code: number, reason: string): Handler =>
  (_url, response) =>
    refuseRequest(response, code, reason);

const keepOpen: Handler = (_url, response) => void response.write("\n");

it("goes on from the last version after the end of a watch, bookmarks included", async () => {
  const bookmark = changed("", "7", "BOOKMARK");
  const { connection, urls } = await serve(
    list("1", "a"),
    events(changed("a", "5"), bookmark),
    events(changed("a", "8", "DELETED")),
  );
  expect(await watchFor(connection, 3)).toEqual(["listed a", "changed a", "removed a"]);
  expect(urls).toEqual(["list null", "1 1", "1 7"]);
});

it.each([
  ["as an event", events({ type: "ERROR", object: { code: 410, reason: "Expired" } })],
  ["as a status", refuse(410, "Gone")],
])("lists again when the version is too old, which comes %s", async (_name, expired) => {
  const { connection, urls } = await serve(list("1", "a"), expired, list("9", "b"), keepOpen);
  expect(await watchFor(connection, 2)).toEqual(["listed a", "listed b"]);
  expect(urls.slice(0, 3)).toEqual(["list null", "1 1", "list null"]);
});

it("begins a new watch when one is silent", async () => {
  const { connection, urls } = await serve(list("1", "a"), keepOpen, events(changed("a", "2")));
  expect(await watchFor(connection, 2, { silenceMs: 200 })).toEqual(["listed a", "changed a"]);
  expect(urls).toEqual(["list null", "1 1", "1 1"]);
});

it("begins a new watch after a broken line and a lost connection", async () => {
  const { connection } = await serve(
    list("1", "a"),
    (_url, response) => response.end('{"type":'),
    (_url, response) => response.destroy(),
    events(changed("a", "2")),
  );
  expect(await watchFor(connection, 2)).toEqual(["listed a", "changed a"]);
});

it("reads a list page by page", async () => {
  const { connection } = await serve(
    (_url, response) =>
      response.end(
        JSON.stringify({ metadata: { continue: "c" }, items: [{ metadata: { name: "a" } }] }),
      ),
    (url, response) => list("4", url.searchParams.get("continue") ?? "")(url, response),
    keepOpen,
  );
  expect(await watchFor(connection, 1)).toEqual(["listed a,c"]);
});

it("begins a list anew when the server no longer has the version of its next page", async () => {
  const page: Handler = (_url, response) =>
    response.end(
      JSON.stringify({ metadata: { continue: "c" }, items: [{ metadata: { name: "a" } }] }),
    );
  const { connection, urls } = await serve(page, refuse(410, "Expired"), list("4", "b"), keepOpen);
  expect(await watchFor(connection, 1)).toEqual(["listed b"]);
  expect(urls.slice(0, 3)).toEqual(["list null", "list null", "list null"]);
});

it("asks for its selection in lists, in their pages and in watches", async () => {
  const asked: string[] = [];
  const ask =
    (answer: Handler): Handler =>
    (url, response) => {
      asked.push(
        `${url.searchParams.get("labelSelector")} ${url.searchParams.get("fieldSelector")}`,
      );
      answer(url, response);
    };
  const page: Handler = (_url, response) =>
    response.end('{"metadata":{"continue":"c"},"items":[]}');
  const { connection } = await serve(ask(page), ask(list("1")), ask(events(changed("a", "2"))));
  const selection = { path: "/pods", labelSelector: "l=1", fieldSelector: "f=2" };
  const ending = new AbortController();
  const take = ({ kind }: ObjectEvent): void => {
    if (kind === "changed") ending.abort(new Error("seen"));
  };
  const options = { clock: systemClock, patienceMs: 5_000 };
  await expect(watchObjects(connection, selection, take, options, ending.signal)).rejects.toThrow(
    "seen",
  );
  expect(asked).toEqual(["l=1 f=2", "l=1 f=2", "l=1 f=2"]);
});

it("pauses before it watches again, for longer each time in which nothing happens", async () => {
  const delays: number[] = [];
  const sleep = async (ms: number): Promise<void> => void delays.push(ms);
  const { connection } = await serve(
    list("1", "a"),
    ...Array.from({ length: 6 }, () => events()),
    events(changed("a", "2")),
    events(changed("a", "3")),
  );
  const ending = new AbortController();
  const take = (event: ObjectEvent): void => {
    if (event.kind === "changed" && delays.length > 7) ending.abort(new Error("seen"));
  };
  const options = { clock: { ...systemClock, sleep }, patienceMs: 5_000 };
  await expect(
    watchObjects(connection, { path: "/pods" }, take, options, ending.signal),
  ).rejects.toThrow("seen");
  const [first = 0, , , , , last = 0, afterEvent = 0] = delays;
  expect(first).toBeGreaterThan(50);
  expect(last).toBeGreaterThan(2_000);
  expect(afterEvent).toBeLessThanOrEqual(200);
});

it("fails with the server's reason when it refuses, without another attempt", async () => {
  const { connection, urls } = await serve((_url, response) => {
    response.statusCode = 403;
    response.end(JSON.stringify({ reason: "Forbidden", message: "pods is forbidden" }));
  });
  const options = { clock: systemClock, patienceMs: 5_000 };
  await expect(
    watchObjects(
      connection,
      { path: "/pods" },
      () => undefined,
      options,
      AbortSignal.timeout(10_000),
    ),
  ).rejects.toMatchObject({ status: 403, reason: "Forbidden", message: "pods is forbidden" });
  expect(urls).toEqual(["list null"]);
});

it("repeats a change that meets another one, and not one that is refused for its name", async () => {
  const { connection, urls } = await serve(refuse(409, "Conflict"), list("1"));
  const change = { method: "PATCH", path: "/pods/a", body: {} } as const;
  await connection.json({ ...change, signal: AbortSignal.timeout(10_000) });
  expect(urls).toHaveLength(2);
  const taken = await serve(refuse(409, "AlreadyExists"));
  await expect(
    taken.connection.json({ ...change, signal: AbortSignal.timeout(10_000) }),
  ).rejects.toMatchObject({ status: 409, reason: "AlreadyExists" });
  expect(taken.urls).toHaveLength(1);
});

it("repeats a request while the server is overloaded, and refuses an answer without an end", async () => {
  const { connection, urls } = await serve(
    (_url, response) => {
      response.statusCode = 429;
      response.end("{}");
    },
    list("1", "a"),
  );
  await connection.json({ method: "GET", path: "/pods", signal: AbortSignal.timeout(10_000) });
  expect(urls).toHaveLength(2);
  const endless = await serve((_url, response) => {
    const chunk = Buffer.alloc(1024 * 1024, " ");
    const send = (): void => {
      while (response.write(chunk));
      response.once("drain", send);
    };
    send();
  });
  await expect(
    endless.connection.json({ method: "GET", path: "/pods", signal: AbortSignal.timeout(20_000) }),
  ).rejects.toThrow("more than 16777216 bytes");
});

it("gives a request up when the server is away for longer than it may be", async () => {
  const { connection, requests } = await openApiServer(
    (_request, response) => refuseRequest(response, 503, "Unavailable"),
    { patienceMs: 300 },
  );
  await expect(
    connection.json({ method: "GET", path: "/pods", signal: AbortSignal.timeout(20_000) }),
  ).rejects.toMatchObject({ status: 503 });
  expect(requests.length).toBeGreaterThan(1);
});

it("watches for any time in which nothing happens", async () => {
  const quiet = Array.from({ length: 3 }, () => keepOpen);
  const { connection } = await serve(list("1", "a"), ...quiet, events(changed("a", "2")));
  // Time for a busy machine to answer; the three silences together last longer than the patience.
  const seen = await watchFor(connection, 2, { silenceMs: 300, patienceMs: 500 });
  expect(seen).toEqual(["listed a", "changed a"]);
});

it("fails when the server refuses watches for longer than it may", async () => {
  const { connection } = await serve(list("1", "a"), refuse(503, "Unavailable"));
  const options = { clock: systemClock, patienceMs: 100 };
  const watching = watchObjects(connection, { path: "/pods" }, () => undefined, options, signal);
  await expect(watching).rejects.toMatchObject({ status: 503 });
});

it("leaves the connections of requests free, however many watches are open", async () => {
  const answered = list("1", "a");
  const server = await openApiServer(({ url }, response) => {
    const isWatch = url.searchParams.get("watch") === "1";
    (isWatch ? keepOpen : answered)(url, response);
  });
  const { connection, requests } = server;
  const ending = new AbortController();
  const options = { clock: systemClock, patienceMs: 5_000 };
  const watches = Array.from({ length: 40 }, () =>
    watchObjects(connection, { path: "/pods" }, () => undefined, options, ending.signal),
  );
  const ended = Promise.allSettled(watches);
  await expect.poll(() => requests).toHaveLength(80);
  expect(await connection.json({ method: "GET", path: "/pods", signal })).toHaveProperty("items");
  ending.abort();
  await ended;
});

it("ends a watch that sends an object without an end", async () => {
  let sentBytes = 0;
  const endless: Handler = (_url, response) => {
    const chunk = Buffer.alloc(1024 * 1024, "x");
    const send = (): void => {
      do sentBytes += chunk.length;
      while (response.write(chunk));
      response.once("drain", send);
    };
    send();
  };
  const { connection, urls } = await serve(list("1", "a"), endless, events(changed("a", "2")));
  expect(await watchFor(connection, 2)).toEqual(["listed a", "changed a"]);
  expect(urls).toEqual(["list null", "1 1", "1 1"]);
  // The buffers of a connection hold some of it.
  expect(sentBytes).toBeLessThan(64 * 1024 * 1024);
});
