import { systemClock } from "@slipway/runtime";
import { expect, it } from "vitest";

import { value } from "./allowed-fields.ts";
import { Bundle, maxBundleBytes, maxPartBytes } from "./bundle.ts";
import { secretHider } from "./secret-text.ts";

function open(signal = new AbortController().signal): Bundle {
  return new Bundle(secretHider(["hunter2"]), { clock: systemClock, signal });
}

it("notes a part that cannot be had, without its secrets, and goes on", async () => {
  const bundle = open();
  await bundle.addJson("a.json", value, () => Promise.reject(new Error("wrong: hunter2")));
  await bundle.addJson("b.json", value, async () => "b");
  expect(bundle.missing).toEqual([{ part: "a.json", problem: "wrong: [removed]" }]);
  expect(bundle.files).toEqual([{ name: "b.json", text: '"b"\n' }]);
});

it("ends at an interruption instead of noting it", async () => {
  const reason = new Error("Ctrl-C");
  const bundle = open(AbortSignal.abort(reason));
  const adding = bundle.addJson("a.json", value, (signal) => {
    signal.throwIfAborted();
    return Promise.resolve("a");
  });
  await expect(adding).rejects.toBe(reason);
});

it("keeps the last lines of a log that is too long", async () => {
  const bundle = open();
  const lines = Array.from({ length: maxPartBytes / 8 }, (_, index) => `line ${index}`);
  await bundle.addLog("a.log", async () => lines);
  const text = bundle.files.map((file) => file.text).join("");
  expect(text.length).toBeLessThan(maxPartBytes + 100);
  expect(text.split("\n").slice(0, 2)).toEqual([
    "… (older lines left out)",
    expect.stringMatching(/^line \d+$/),
  ]);
  expect(text).toMatch(new RegExp(`line ${lines.length - 1}\n$`));
});

it("takes no more than the largest bundle", async () => {
  const bundle = open();
  const large = "x".repeat(maxPartBytes - 10);
  const count = maxBundleBytes / maxPartBytes + 1;
  for (let index = 0; index < count; index += 1) {
    await bundle.addJson(
      `${index}.json`,
      () => large,
      async () => "",
    );
  }
  const size = bundle.files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  expect(size).toBeLessThanOrEqual(maxBundleBytes);
  expect(bundle.missing).toMatchObject([{ problem: expect.stringContaining("33554432 bytes") }]);
  await bundle.addLog("small.log", async () => ["small"]);
  expect(bundle.files.at(-1)).toEqual({ name: "small.log", text: "small\n" });
});
