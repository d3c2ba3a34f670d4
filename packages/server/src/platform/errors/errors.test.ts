import { expect, it } from "vitest";

import { forbidden, ifFound, notFound } from "./errors.ts";

it("what is not found is undefined; an outage is not taken for that", async () => {
  expect(await ifFound(Promise.resolve(7))).toBe(7);
  expect(await ifFound(Promise.reject(notFound()))).toBeUndefined();
  const refusal = forbidden("no");
  await expect(ifFound(Promise.reject(refusal))).rejects.toBe(refusal);
  const outage = new Error("Connection terminated unexpectedly");
  await expect(ifFound(Promise.reject(outage))).rejects.toBe(outage);
});
