import { getEventListeners } from "node:events";

import { describe, expect, it } from "vitest";

import { abortable, whenAborted, withTimeout } from "./abort.ts";

const pending = new Promise<never>(() => undefined);

describe("abortable", () => {
  it("passes the result on, or the error", async () => {
    const { signal } = new AbortController();
    await expect(abortable(Promise.resolve(1), signal)).resolves.toBe(1);
    await expect(abortable(Promise.reject(new Error("broken")), signal)).rejects.toThrow("broken");
  });

  it("rejects with the reason of the signal, unchanged", async () => {
    const controller = new AbortController();
    const outcome = abortable(pending, controller.signal);
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(outcome).rejects.toBe(reason);
    await expect(abortable(Promise.resolve(1), controller.signal)).rejects.toBe(reason);
  });

  it("drops the late failure of a promise that comes with an ended signal", async () => {
    const late = Promise.withResolvers<void>();
    await expect(abortable(late.promise, AbortSignal.abort(new Error("over")))).rejects.toThrow(
      "over",
    );
    late.reject(new Error("would end the process if nobody took it"));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  });

  it("leaves no listener behind, however it ends", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    await abortable(Promise.resolve(), signal);
    await abortable(Promise.reject(new Error("broken")), signal).catch(() => undefined);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    const outcome = abortable(pending, signal).catch(() => undefined);
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    controller.abort();
    await outcome;
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});

describe("whenAborted", () => {
  it("resolves at the abort, and at once when it was before", async () => {
    const controller = new AbortController();
    const waiting = whenAborted(controller.signal);
    controller.abort(new Error("enough"));
    await expect(waiting).resolves.toBeUndefined();
    await expect(whenAborted(controller.signal)).resolves.toBeUndefined();
  });
});

describe("withTimeout", () => {
  it("follows its signal and ends by itself with a TimeoutError", async () => {
    const controller = new AbortController();
    const long = withTimeout(controller.signal, 60_000);
    controller.abort(new Error("enough"));
    expect(() => long.throwIfAborted()).toThrow("enough");
    const short = withTimeout(new AbortController().signal, 1);
    await whenAborted(short);
    expect(short.reason).toMatchObject({ name: "TimeoutError" });
  });
});
