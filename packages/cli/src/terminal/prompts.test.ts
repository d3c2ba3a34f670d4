import { PassThrough } from "node:stream";

import { expect, it, vi } from "vitest";

import { PromptCanceledError, type Prompts, terminalPrompts } from "./prompts.ts";

const enter = "\r";
const ctrlC = "\u0003";
const ctrlD = "\u0004";

/** Prompts that are answered with keys, typed one by one as soon as a question appears. */
function promptsWith(...keys: readonly string[]): Prompts & { readonly shown: () => string } {
  return promptsUntil(new AbortController().signal, ...keys);
}

function promptsUntil(
  signal: AbortSignal,
  ...keys: readonly string[]
): Prompts & { readonly shown: () => string } {
  const input = new PassThrough();
  const output = new PassThrough();
  const left = [...keys];
  let shown = "";
  output.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
    const key = left.shift();
    if (key !== undefined) setImmediate(() => void input.write(key));
  });
  return { ...terminalPrompts({ input, output, signal }), shown: () => shown };
}

it("takes Enter alone for no before a destructive action", async () => {
  expect(await promptsWith(enter).confirm("Delete it?")).toBe(false);
  expect(await promptsWith(enter).confirm("Make the first user?", { initial: true })).toBe(true);
});

it.each(["y", "yes", "Yes", "Y"])("takes %s and Enter for a yes", async (typed) => {
  expect(await promptsWith(typed + enter).confirm("Delete it?")).toBe(true);
});

it.each(["n", "no"])("takes %s and Enter for a no", async (typed) => {
  expect(await promptsWith(typed + enter).confirm("Delete it?")).toBe(false);
});

it("takes no other line for a yes, such as one that was meant for the shell", async () => {
  const prompts = promptsWith(`slipway list${enter}`);
  const asked = prompts.confirm("Delete it?");
  await vi.waitFor(() => expect(prompts.shown()).toContain("write yes or no"));
  const isAnswered = await Promise.race([asked.then(() => true), Promise.resolve(false)]);
  expect(isAnswered).toBe(false);
});

it("cancels a prompt by Ctrl-C", async () => {
  await expect(promptsWith(ctrlC).confirm("Delete it?")).rejects.toThrow(PromptCanceledError);
});

it("shows nothing of a secret, nor of the one that Enter alone takes", async () => {
  const typed = promptsWith(`s3cret${enter}`);
  expect(await typed.secret({ message: "Token" })).toBe("s3cret");
  expect(typed.shown()).not.toContain("s3cret");
  const kept = promptsWith(enter);
  expect(await kept.secret({ message: "Token", fallback: "present" })).toBe("present");
  expect(kept.shown()).not.toContain("present");
});

it("requires a secret where there is none to take", async () => {
  const prompts = promptsWith(enter, `s3cret${enter}`);
  expect(await prompts.secret({ message: "Token" })).toBe("s3cret");
  expect(prompts.shown()).toContain("an answer is required");
});

/** Each kind of prompt. */
const questions: readonly (readonly [string, (prompts: Prompts) => Promise<unknown>])[] = [
  ["text", (prompts) => prompts.text({ message: "Name" })],
  ["password", (prompts) => prompts.password("Password")],
  ["secret", (prompts) => prompts.secret({ message: "Token" })],
  ["confirm", (prompts) => prompts.confirm("Sure?")],
  ["select", (prompts) => prompts.select("Which", [{ value: "a", label: "a" }])],
  ["multiselect", (prompts) => prompts.multiselect("Which", [{ value: "a", label: "a" }], [])],
];

it.each(questions)("cancels a %s that is asked after the signal", async (_, ask) => {
  await expect(ask(promptsUntil(AbortSignal.abort()))).rejects.toThrow(PromptCanceledError);
});

it.each(questions)("cancels an open %s at the signal", async (_, ask) => {
  const ending = new AbortController();
  const prompts = promptsUntil(ending.signal);
  const asked = ask(prompts);
  await vi.waitFor(() => expect(prompts.shown()).not.toBe(""));
  ending.abort();
  await expect(asked).rejects.toThrow(PromptCanceledError);
});

it.each(questions)("cancels a %s by Ctrl-D, after text too", async (_, ask) => {
  await expect(ask(promptsWith(ctrlD))).rejects.toThrow(PromptCanceledError);
  await expect(ask(promptsWith(`x${ctrlD}`))).rejects.toThrow(PromptCanceledError);
});

it.each(questions)("cancels a %s whose input ends, and every later one", async (_, ask) => {
  const input = new PassThrough();
  const output = new PassThrough();
  const prompts = terminalPrompts({ input, output, signal: new AbortController().signal });
  output.once("data", () => input.end("ye"));
  await expect(ask(prompts)).rejects.toThrow(PromptCanceledError);
  await expect(ask(prompts)).rejects.toThrow(PromptCanceledError);
  expect(input.listenerCount("close")).toBe(0);
});

it("removes from prompts what steers the terminal", async () => {
  const prompts = promptsWith(enter);
  const hostile = "a\u001b]52;c;ZXZpbA==\u0007b\u009b2J";
  await prompts.select(hostile, [{ value: "x", label: hostile, hint: hostile }]);
  expect(prompts.shown()).toContain("ab");
  for (const steering of ["\u001b]", "\u0007", "\u009b"]) {
    expect(prompts.shown()).not.toContain(steering);
  }
});
