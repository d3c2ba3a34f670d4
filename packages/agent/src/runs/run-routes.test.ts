import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";

import { silentLogger, systemClock } from "@slipway/runtime";
import { encodeRunCommand, parseRunEvent, type RunEvent } from "@slipway/wire/services/run-frames";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";

import { listenOnLoopback } from "../../tests/support/loopback-service.ts";
import { openRuns } from "../../tests/support/run-world.ts";
import { createApiService } from "../http/api-service.ts";
import { processRoutes } from "./process-routes.ts";
import { runRoutes } from "./run-routes.ts";
import type { RunsLimits } from "./runs.ts";

interface Answer {
  readonly status: number;
  readonly body: any; // oxlint-disable-line typescript/no-explicit-any -- compared with what is expected
}

async function openApi(limits: Partial<RunsLimits> = {}) {
  const { runs, start } = openRuns(limits);
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const needs = { runs, clock: systemClock };
  const port = await listenOnLoopback(
    createApiService({
      routes: [...runRoutes(needs), ...processRoutes(needs)],
      logger: silentLogger,
      signal: stopping.signal,
    }),
  );
  const ask = async (method: string, path: string, body?: object): Promise<Answer> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v0${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };
  const attach = (run: string, query = ""): Attached => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v0/runs/${run}/attach${query}`);
    onTestFinished(() => socket.terminate());
    return follow(socket);
  };
  return { runs, start, ask, attach };
}

interface Attached {
  readonly socket: WebSocket;
  readonly events: readonly RunEvent[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

function follow(socket: WebSocket): Attached {
  const events: RunEvent[] = [];
  socket.on("message", (data: Buffer) => events.push(parseRunEvent(data)));
  socket.on("error", () => undefined);
  const closed = once(socket, "close").then(([code, reason]) => {
    return { code: Number(code), reason: String(reason) };
  });
  return { socket, events, closed };
}

const textOf = (events: readonly RunEvent[]): string =>
  Buffer.concat(
    events.flatMap((event) => (event.type === "output" ? [Uint8Array.from(event.bytes)] : [])),
  ).toString("latin1");

describe("the routes of runs", () => {
  it("start a run and wait for its end", async () => {
    const { ask } = await openApi();
    const id = randomUUID();
    const started = await ask("POST", "/runs?wait_ms=5000", { id, command: "echo hi; exit 7" });
    expect(started).toMatchObject({
      status: 201,
      body: {
        run: { id, exit_code: 7, status: "exited" },
        chunks: [{ seq: 3, stream: "stdout", data: "hi\n" }],
        is_complete: true,
      },
    });
    expect((await ask("GET", "/runs")).body.runs).toMatchObject([{ id }]);
    expect((await ask("GET", `/runs/${id}`)).body).toMatchObject({ id, last_seq: 3 });
    const rest = await ask("GET", `/runs/${id}/output?after=1&limit=1&encoding=base64`);
    expect(rest.body).toMatchObject({ chunks: [{ seq: 2, data: "aQ==" }], is_complete: false });
  });

  it("start a run and wait for its end or its first output, as requested", async () => {
    const { ask } = await openApi();
    const body = { command: "echo hi; sleep 1000" };
    const started = await ask("POST", "/runs?wait_ms=20000&wait_for=output", body);
    expect(started.body).toMatchObject({
      run: { status: "running" },
      chunks: [{ data: "hi\n" }],
      is_complete: false,
    });
    const ended = await ask("POST", "/runs?wait_ms=20000&wait_for=output", { command: "true" });
    expect(ended.body).toMatchObject({ run: { exit_code: 0 }, chunks: [], is_complete: true });
  });

  it("wait for output, not longer", async () => {
    const { ask } = await openApi();
    const { body } = await ask("POST", "/runs", {
      command: "read x; echo $x; read y",
      stdin: true,
    });
    const waiting = ask("GET", `/runs/${body.run.id}/output?wait_ms=20000`);
    await ask("POST", `/runs/${body.run.id}/stdin`, { data: "hello\n" });
    expect((await waiting).body).toMatchObject({
      chunks: [{ data: "hello\n" }],
      is_complete: false,
    });
    const ended = await ask("POST", `/runs/${body.run.id}/stdin`, { data: "", close: true });
    expect(ended.body).toMatchObject({ stdin: "closed" });
    await ask("GET", `/runs/${body.run.id}/output?after=6&wait_ms=20000`);
    const signal = await ask("POST", `/runs/${body.run.id}/signal`, { signal: "INT" });
    expect(signal).toMatchObject({ status: 409, body: { code: "not-running" } });
  });

  it.each([
    ["GET", `/runs/${randomUUID()}`, 404, "not-found"],
    ["GET", "/runs/x", 404, "not-found"],
    ["GET", `/runs?x=y`, 200, undefined],
    ["POST", "/runs", 400, "invalid-request"],
    ["POST", "/runs?wait_ms=-1", 400, "invalid-request"],
  ])("answer %s %s with %d %s", async (method, path, status, code) => {
    const { ask } = await openApi();
    const body = path.includes("wait_ms") ? { command: "true" } : {};
    const answer = await ask(method, path, ...(method === "POST" ? [body] : []));
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it("follow a run from any position to its end, and resume exactly", async () => {
    const { start, attach } = await openApi();
    const run = await start({ command: "seq 1 60000; echo e >&2; exit 9" });
    const whole = attach(run.id);
    expect(await whole.closed).toEqual({ code: 1000, reason: "" });
    const text = textOf(whole.events);
    expect(text).toHaveLength(run.output.lastSeq);
    const last = whole.events.at(-1);
    expect(last?.type === "state" && JSON.parse(last.json)).toMatchObject({ exit_code: 9 });
    // A caller whose connection breaks after each few messages.
    const hash = createHash("sha256");
    let position = 0;
    while (position < text.length) {
      const part = attach(run.id, `?after=${position}`);
      await once(part.socket, "message");
      await expect.poll(() => textOf(part.events)).not.toBe("");
      part.socket.terminate();
      const got = textOf(part.events);
      hash.update(got, "latin1");
      position += got.length;
    }
    expect(hash.digest("hex")).toBe(createHash("sha256").update(text, "latin1").digest("hex"));
  });

  it("slow no run by a caller who does not read, and tell them what they missed", async () => {
    const { start, attach } = await openApi({ maxOutputBytes: 4 * 64 * 1024 });
    const run = await start({ command: "read x; head -c 40000000 /dev/zero", stdin: true });
    const slow = attach(run.id);
    await once(slow.socket, "message");
    slow.socket.pause();
    run.input?.write(0, Buffer.from("\n"));
    await run.exited;
    slow.socket.resume();
    expect(await slow.closed).toMatchObject({ code: 1000 });
    const gaps = slow.events.filter(({ type }) => type === "gap");
    expect(gaps.length).toBeGreaterThan(0);
    // Each event as its position, and the position after it.
    const spans = slow.events.flatMap((event): { from?: number; to: number }[] => {
      if (event.type === "gap") return [{ to: event.position }];
      if (event.type !== "output") return [];
      return [{ from: event.position, to: event.position + event.bytes.length }];
    });
    const wrong = spans.filter(({ from, to }, at) => {
      const before = spans[at - 1]?.to ?? 0;
      return from === undefined ? to <= before : from !== before;
    });
    expect(wrong).toEqual([]);
    expect(spans.at(-1)?.to).toBe(40_000_000);
  });

  it("carry input, and say how much of it the command was given", async () => {
    const { start, attach } = await openApi();
    const run = await start({ command: "cat", stdin: true });
    const { socket, events, closed } = attach(run.id);
    await once(socket, "open");
    const send = (position: number, text: string): void =>
      socket.send(encodeRunCommand({ type: "input", position, bytes: Buffer.from(text) }));
    send(0, "ab");
    send(0, "abc");
    await expect
      .poll(() => events.findLast(({ type }) => type === "taken"))
      .toEqual({
        type: "taken",
        position: 3,
      });
    send(1, "bcd");
    socket.send(encodeRunCommand({ type: "close-input", position: 4 }));
    expect(await closed).toMatchObject({ code: 1000 });
    expect(textOf(events)).toBe("abcd");
  });

  it.each<[string, Uint8Array, number]>([
    ["no frame", Uint8Array.of(0), 1003],
    ["a gap in the input", encodeRunCommand({ type: "close-input", position: 9 }), 1008],
    ["an unknown signal", encodeRunCommand({ type: "signal", name: "SIGNOPE" }), 1008],
    ["a size without a terminal", encodeRunCommand({ type: "resize", columns: 1, rows: 1 }), 1008],
    ["a message beyond the limit", new Uint8Array(100_000), 1009],
  ])("disconnect a caller who sends %s, without harm to the run", async (_what, message, code) => {
    const { start, attach } = await openApi();
    const run = await start({ command: "cat", stdin: true });
    const { socket, closed } = attach(run.id);
    await once(socket, "open");
    socket.send(message);
    expect(await closed).toMatchObject({ code });
    expect(run.isRunning).toBe(true);
  });
});

describe("the routes of processes", () => {
  it("start, list, read and signal them, as stock agents do", async () => {
    const { ask } = await openApi();
    const command = "head -c 40000 /dev/zero | tr '\\0' x; echo; echo $CODER; sleep 1000";
    const started = await ask("POST", "/processes/start", {
      command,
      env: { CODER: "me" },
      background: true,
    });
    expect(started).toMatchObject({ status: 200, body: { started: true, id: expect.any(String) } });
    const { id } = started.body;
    const listed = { id, command, background: true, running: true };
    expect((await ask("GET", "/processes/list")).body.processes).toMatchObject([listed]);
    await expect
      .poll(async () => (await ask("GET", `/processes/${id}/output`)).body.output)
      .toMatch(/^x{2048}\n\.\.\. \d+ bytes omitted \.\.\.\nx{2048}\nme\n$/);
    const waiting = ask("GET", `/processes/${id}/output?wait=true`);
    expect((await ask("POST", `/processes/${id}/signal`, { signal: "hup" })).status).toBe(400);
    expect((await ask("POST", `/processes/${id}/signal`, { signal: "kill" })).status).toBe(200);
    expect((await waiting).body).toMatchObject({
      running: false,
      exit_code: -1,
      truncated: { original_bytes: 40_004, retained_bytes: 32_768, strategy: "head_tail" },
    });
    expect((await ask("POST", `/processes/${id}/signal`, { signal: "kill" })).status).toBe(409);
    expect((await ask("GET", `/processes/${randomUUID()}/output`)).status).toBe(404);
    expect((await ask("POST", "/processes/start", { command: " " })).status).toBe(400);
  });
});
