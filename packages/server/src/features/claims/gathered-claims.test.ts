import { expect, it } from "vitest";

import { Unavailable } from "../../platform/errors/errors.ts";
import { maxWaiting } from "./creation-queue.ts";
import { GatheredClaims, maxTogether } from "./gathered-claims.ts";

interface Transaction {
  readonly requests: readonly string[];
  readonly end: PromiseWithResolvers<readonly (string | undefined)[]>;
}

const { signal } = new AbortController();

/** Returns claims whose transactions are in progress until told to end. */
function open() {
  const begun: Transaction[] = [];
  const claims = new GatheredClaims<string, string>((requests) => {
    const end = Promise.withResolvers<readonly (string | undefined)[]>();
    begun.push({ requests, end });
    return end.promise;
  });
  const succeed = (index: number): void => {
    const { requests = [], end } = begun[index] ?? {};
    end?.resolve(requests.map((request) => `${request} claimed`));
  };
  return { claims, begun, succeed };
}

/** Waits until no request can proceed by itself. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("makes a single claim at once, and those that arrive meanwhile together", async () => {
  const { claims, begun, succeed } = open();
  const first = claims.claim("ann", "a1", signal);
  expect(begun.map(({ requests }) => requests)).toEqual([["a1"]]);
  const others = ["a2", "a3"].map((request) => claims.claim("ann", request, signal));
  await settled();
  expect(begun).toHaveLength(1);
  succeed(0);
  expect(await first).toBe("a1 claimed");
  await settled();
  expect(begun[1]?.requests).toEqual(["a2", "a3"]);
  begun[1]?.end.resolve([undefined, "a3 claimed"]);
  expect(await Promise.all(others)).toEqual([undefined, "a3 claimed"]);
  void claims.claim("ann", "a4", signal);
  expect(begun[2]?.requests).toEqual(["a4"]);
});

it("lets users take turns, so that one with many requests delays only themselves", async () => {
  const { claims, begun, succeed } = open();
  void claims.claim("ann", "first", signal);
  for (let index = 0; index < 2 * maxTogether; index += 1) {
    void claims.claim("ann", `a${index}`, signal);
  }
  for (const request of ["b0", "b1"]) void claims.claim("bob", request, signal);
  void claims.claim("cat", "c0", signal);
  succeed(0);
  await settled();
  expect(begun[1]?.requests).toHaveLength(maxTogether);
  expect(begun[1]?.requests.slice(0, 6)).toEqual(["a0", "b0", "c0", "a1", "b1", "a2"]);
  void claims.claim("dan", "d0", signal);
  succeed(1);
  await settled();
  expect(begun[2]?.requests.slice(0, 2)).toEqual([`a${maxTogether - 3}`, "d0"]);
});

it("tells all claims of a transaction that it failed, and goes on", async () => {
  const { claims, begun, succeed } = open();
  const first = claims.claim("ann", "a", signal);
  const others = ["b", "c"].map((user) => claims.claim(user, user, signal));
  succeed(0);
  await first;
  await settled();
  begun[1]?.end.reject(new Error("no database"));
  const results = await Promise.allSettled(others);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  const next = claims.claim("dan", "d", signal);
  succeed(2);
  expect(await next).toBe("d claimed");
});

it("claims nothing for those who are gone before their turn", async () => {
  const { claims, begun, succeed } = open();
  void claims.claim("ann", "a", signal);
  const client = new AbortController();
  const gone = claims.claim("bob", "b", client.signal);
  const other = claims.claim("cat", "c", signal);
  client.abort(new Error("disconnected"));
  succeed(0);
  await expect(gone).rejects.toThrow("disconnected");
  await settled();
  expect(begun[1]?.requests).toEqual(["c"]);
  succeed(1);
  expect(await other).toBe("c claimed");
});

it("refuses those for whom there is no room, and makes the others", async () => {
  const { claims, begun, succeed } = open();
  const made = Array.from({ length: maxWaiting + 1 }, (_, index) =>
    claims.claim(`user${index % 7}`, String(index), signal),
  );
  expect(() => claims.claim("late", "late", signal)).toThrow(Unavailable);
  for (let index = 0; begun.length > index; index += 1) {
    succeed(index);
    await settled();
  }
  expect((await Promise.all(made)).every((result, index) => result === `${index} claimed`)).toBe(
    true,
  );
  expect(begun).toHaveLength(1 + Math.ceil(maxWaiting / maxTogether));
});
