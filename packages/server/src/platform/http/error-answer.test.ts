import { describe, expect, it } from "vitest";

import {
  Conflict,
  Forbidden,
  Gone,
  Invalid,
  NotFound,
  NotReady,
  PreconditionFailed,
  RateLimited,
  type Refusal,
  TooLarge,
  Unauthenticated,
  Unavailable,
  Unprocessable,
  Unreachable,
} from "../errors/errors.ts";
import { LimitReached } from "../errors/limit-reached.ts";
import { answerOf, findAnswer } from "./error-answer.ts";
import { HttpError } from "./errors.ts";

function limitReached(isTemporary: boolean): LimitReached {
  return new LimitReached({
    name: "maxDryRunsPerUser",
    isTemporary,
    limit: "2 dry runs",
    used: "ann has 2",
    advice: "Wait.",
  });
}

describe("the answer to a refusal", () => {
  it.each<readonly [Refusal, number]>([
    [new Invalid("no"), 400],
    [new Unauthenticated("no"), 401],
    [new Forbidden("no"), 403],
    [new NotFound("no"), 404],
    [new NotReady("no"), 406],
    [new Conflict("no"), 409],
    [limitReached(false), 409],
    [new Gone("no"), 410],
    [new PreconditionFailed("no"), 412],
    [new TooLarge("no"), 413],
    [new Unprocessable("no"), 422],
    [new RateLimited("no"), 429],
    [limitReached(true), 429],
    [new Unreachable("no"), 500],
    [new Unavailable("no"), 503],
  ])("has for %s the status %i", (refusal, status) => {
    expect(answerOf(refusal).status).toBe(status);
  });

  it("has the texts, and leaves out those that are empty", () => {
    const validations = [{ field: "name", detail: "is required" }];
    expect(answerOf(new Invalid("no", { detail: "why", validations })).body).toEqual({
      message: "no",
      detail: "why",
      validations,
    });
    expect(answerOf(new Invalid("no", { validations: [] })).body).toEqual({ message: "no" });
  });

  it("has headers for the credentials to present, and for the time to wait", () => {
    expect(answerOf(new Unauthenticated("no", { challenge: "Bearer" })).headers).toEqual({
      "WWW-Authenticate": "Bearer",
    });
    expect(answerOf(new Unavailable("no", { retryAfterSeconds: 30 })).headers).toEqual({
      "Retry-After": "30",
    });
    expect(answerOf(new NotFound("no")).headers).toEqual({});
  });
});

it("finds no answer for a fault of the server", () => {
  expect(findAnswer(new Error("Connection terminated unexpectedly"))).toBeUndefined();
  expect(findAnswer(new HttpError(408, "late", { headers: { A: "b" } }))).toEqual({
    status: 408,
    headers: { A: "b" },
    body: { message: "late" },
  });
});

it("closes the connection of a client that asks too much", () => {
  expect(answerOf(new RateLimited("no")).headers).toMatchObject({ Connection: "close" });
  expect(answerOf(new NotFound("no")).headers).not.toHaveProperty("Connection");
});
