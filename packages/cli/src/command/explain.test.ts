import { AnswerError, ApiError, ConnectError } from "@slipway/sdk/http";
import { expect, it } from "vitest";

import { PromptCanceledError } from "../terminal/prompts.ts";
import { CommandError, InterruptError, notLoggedIn, OutputError, UsageError } from "./errors.ts";
import { explain } from "./explain.ts";

const url = "https://slipway.example.com";

it.each([
  [new UsageError("wrong", "see"), 2, "wrong", "see"],
  [new CommandError("failed"), 1, "failed", undefined],
  [new CommandError("gone", { exitCode: 4, cause: new Error("why") }), 4, "gone: why", undefined],
  [notLoggedIn(url), 3, `you are not logged in to ${url}`, `log in with: slipway login ${url}`],
  [notLoggedIn(undefined), 3, "you are not logged in", "log in with: slipway login <url>"],
  [
    new ApiError(401, { message: "Signed out." }),
    3,
    "Signed out.",
    `log in with: slipway login ${url}`,
  ],
  [new ApiError(403, { message: "No." }), 3, "No.", "see the logged-in user with: slipway whoami"],
  [new ApiError(404, { message: "Not found." }), 4, "Not found.", undefined],
  [
    new ApiError(409, { message: "Busy.", detail: "a build runs" }),
    1,
    "Busy.\na build runs",
    undefined,
  ],
  [
    new ApiError(400, {
      message: "Validation failed.",
      validations: [{ field: "name", detail: "too long" }],
    }),
    1,
    "Validation failed.\n  name: too long",
    undefined,
  ],
  [new ApiError(500, { message: "Oh." }), 1, "Oh.", "see the server's log for details"],
  [new InterruptError("SIGINT"), 130, undefined, undefined],
  [new InterruptError("SIGTERM"), 143, undefined, undefined],
  [new PromptCanceledError(), 130, undefined, undefined],
  [new OutputError(Object.assign(new Error("x"), { code: "EPIPE" })), 141, undefined, undefined],
  [new OutputError(Object.assign(new Error("x"), { code: "ENOSPC" })), 1, undefined, undefined],
  [new Error("bug", { cause: new Error("deeper") }), 1, "bug: deeper", undefined],
  [
    new TypeError("x.map is not a function"),
    1,
    "x.map is not a function",
    "the server may have sent an answer of an unknown form; otherwise this is a bug of slipway",
  ],
  [
    new AnswerError(url, { cause: new SyntaxError("Unexpected token") }),
    1,
    `${url} does not answer as a Slipway server does: Unexpected token`,
    "check that the address is that of a server, not of a page that stands before it",
  ],
])("explains %s", (error, exitCode, text, hint) => {
  expect(explain(error, url)).toEqual({ exitCode, text, hint });
});

it("names the address of a server that does not answer", () => {
  const error = new ConnectError(url, { cause: new Error("connect ECONNREFUSED") });
  const { exitCode, text, hint } = explain(error, url);
  expect(exitCode).toBe(1);
  expect(text).toBe(`cannot reach ${url}: connect ECONNREFUSED`);
  expect(hint).toContain("slipway login <url>");
});

it.each([
  Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }),
  AbortSignal.abort(new DOMException("too long", "TimeoutError")).reason,
])("warns of a request whose answer was lost: %s", (cause: unknown) => {
  expect(explain(new ConnectError(url, { cause }), url).hint).toBe(
    "the server may be restarting; the request may have taken effect, so look before you repeat it",
  );
});
