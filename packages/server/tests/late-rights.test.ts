import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { createUser, getUser } from "@slipway/api/users/routes";
import { silentLogger } from "@slipway/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { NotFound, Unauthenticated } from "../src/platform/errors/errors.ts";
import { Admissions } from "../src/platform/http/admission.ts";
import { type Authenticator, fullGrant } from "../src/platform/http/caller.ts";
import { createHttpServer } from "../src/platform/http/http-server.ts";
import { RequestLimits } from "../src/platform/http/request-limits.ts";
import { Routes } from "../src/platform/http/routes.ts";

/* Rights that end while a request is in progress: its body is slow, or it waits for its turn. */

let app: Awaited<ReturnType<typeof createHttpServer>>;
let now = 0;
/** The caller's roles; undefined once their session has ended. */
let roles: readonly string[] | undefined;
let identified = 0;
/** The roles with which requests were answered. */
let answered: (readonly string[])[] = [];
let release = Promise.withResolvers<void>();
let sockets: Socket[] = [];

const authenticator: Authenticator = {
  user: async () => {
    identified += 1;
    if (roles === undefined) throw new Unauthenticated("signed out");
    return { id: "ann", username: "ann", roles, keyId: "", grant: fullGrant };
  },
  userOrProxy: (request, route) => authenticator.user(request, route),
  agent: async () => {
    throw new Unauthenticated("signed out");
  },
  allow: async () => undefined,
};

beforeEach(async () => {
  now = 0;
  roles = ["owner"];
  identified = 0;
  answered = [];
  sockets = [];
  release = Promise.withResolvers();
  app = await createHttpServer("v0", silentLogger);
  const limits = new RequestLimits({ now: () => 60_000 });
  const admissions = new Admissions(authenticator, limits, { monotonic: () => now });
  const routes = new Routes(app, admissions, silentLogger);
  routes.user(createUser, async (_request, caller) => {
    answered.push(caller.roles);
    throw new NotFound("nothing here");
  });
  routes.user(getUser, async (_request, caller) => {
    answered.push(caller.roles);
    await release.promise;
    throw new NotFound("nothing here");
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
});

afterEach(async () => {
  release.resolve();
  for (const socket of sockets) socket.destroy();
  await app.close();
});

const body = JSON.stringify({
  username: "bob",
  email: "bob@example.com",
  password: "correct-horse-battery-42",
});

/** Sends a request without its body until its caller is identified; resolves to a function that sends the rest. */
async function begin(): Promise<() => Promise<number>> {
  const address = app.server.address();
  const socket = connect(typeof address === "object" ? (address?.port ?? 0) : 0, "127.0.0.1");
  sockets.push(socket);
  socket.write(
    "POST /api/v2/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
      `Content-Length: ${body.length}\r\n\r\n`,
  );
  await expect.poll(() => identified, { timeout: 20_000 }).toBe(1);
  return async () => {
    socket.write(body);
    const [answer]: readonly unknown[] = await once(socket, "data");
    return Number(/^HTTP\/1\.1 (\d+)/.exec(String(answer))?.[1]);
  };
}

describe("a request whose body takes a while", () => {
  it("is refused if its session has ended meanwhile", async () => {
    const finish = await begin();
    roles = undefined;
    now += 1_000;
    expect(await finish()).toBe(401);
    expect(answered).toEqual([]);
  });

  it("is answered with the rights that its caller has then", async () => {
    const finish = await begin();
    roles = [];
    now += 1_000;
    expect(await finish()).toBe(404);
    expect(answered).toEqual([[]]);
  });

  it("has its caller identified once if it comes at once", async () => {
    const finish = await begin();
    now += 999;
    expect(await finish()).toBe(404);
    expect(identified).toBe(1);
  });
});

it("refuses a request that waited for its turn if its session has ended meanwhile", async () => {
  const send = () => app.inject({ url: "/api/v2/users/bob" });
  const inTurn = Array.from({ length: 8 }, send);
  const waiting = send();
  await expect.poll(() => identified, { timeout: 20_000 }).toBe(9);
  roles = undefined;
  now += 1_000;
  release.resolve();
  expect((await waiting).statusCode).toBe(401);
  for (const answer of await Promise.all(inTurn)) expect(answer.statusCode).toBe(404);
  expect(answered).toHaveLength(8);
});
