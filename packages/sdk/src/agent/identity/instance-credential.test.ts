import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

import { errorText, systemClock } from "@slipway/runtime";
import { createFakeClock, openLocalServer } from "@slipway/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

import { DialError, IdentityError } from "../errors.ts";
import {
  InstanceCredential,
  type InstanceCredentialOptions,
  maxExchangeMs,
} from "./instance-credential.ts";
import { maxAnswerBytes } from "./request-text.ts";

interface ExchangeRequest {
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** Returns the response to the exchange with this number, starting at 1. */
type Answer = (response: ServerResponse, count: number) => void;

interface Bench {
  readonly credential: InstanceCredential;
  /** The requests to the metadata service. */
  readonly questions: string[];
  readonly exchanges: ExchangeRequest[];
}

const metadata: Readonly<Record<string, string>> = {
  "/latest/api/token": "session",
  "/latest/dynamic/instance-identity/signature": "signed",
  "/latest/dynamic/instance-identity/document": "{}",
  "/metadata/attested/document": '{"signature":"signed","encoding":"pkcs7"}',
  "/computeMetadata/v1/instance/service-accounts/default/identity": "a.b.c",
};

const grant: Answer = (response, count) =>
  void response.end(JSON.stringify({ session_token: `token-${count}` }));

function refuse(status: number, body: string): Answer {
  return (response) => void response.writeHead(status).end(body);
}

async function open(
  answer: Answer = grant,
  options: Partial<InstanceCredentialOptions> = {},
): Promise<Bench> {
  const questions: string[] = [];
  const exchanges: ExchangeRequest[] = [];
  const service = await openLocalServer(
    createServer(({ url = "" }, response) => {
      questions.push(url);
      response.end(metadata[url.replace(/\?.*/, "")]);
    }),
  );
  const server = await openLocalServer(
    createServer((request, response) => {
      const { method, url, headers } = request;
      void text(request).then((body) => {
        exchanges.push({ line: `${method} ${url}`, headers, body: JSON.parse(body) });
        answer(response, exchanges.length);
      });
    }),
  );
  onTestFinished(async () => {
    await service[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  const credential = new InstanceCredential({
    serverUrl: server.url,
    headers: { "X-Extra": "1" },
    cloud: "google",
    agentName: undefined,
    metadataUrl: service.url,
    clock: systemClock,
    ...options,
  });
  return { credential, questions, exchanges };
}

const never = new AbortController().signal;

async function failure(refreshing: Promise<string>): Promise<DialError | IdentityError> {
  const error: unknown = await refreshing.catch((thrown: unknown) => thrown);
  if (error instanceof DialError || error instanceof IdentityError) return error;
  throw new Error("it did not fail as it should", { cause: error });
}

describe("InstanceCredential", () => {
  it.each([
    ["aws", { signature: "signed", document: "{}" }],
    ["azure", { signature: "signed", encoding: "pkcs7" }],
    ["google", { json_web_token: "a.b.c" }],
  ] as const)("exchanges an identity of %s for a token", async (cloud, identity) => {
    const { credential, exchanges } = await open(grant, { cloud });
    expect(credential.current()).toBeUndefined();
    expect(await credential.refresh(never)).toBe("token-1");
    expect(credential.current()).toBe("token-1");
    const line = `POST /api/v2/workspaceagents/${cloud}-instance-identity`;
    expect(exchanges).toMatchObject([{ line, body: identity }]);
    expect(exchanges[0]?.body).not.toHaveProperty("agent_name");
    expect(exchanges[0]?.headers).toMatchObject({
      "content-type": "application/json",
      "x-extra": "1",
    });
    expect(exchanges[0]?.headers).not.toHaveProperty("coder-session-token");
  });

  it("names the agent that is meant, and finds a server below a path", async () => {
    const { credential, exchanges } = await open(grant, { agentName: "main" });
    await credential.refresh(never);
    expect(exchanges[0]?.body).toEqual({ json_web_token: "a.b.c", agent_name: "main" });

    const seen = Promise.withResolvers<string | undefined>();
    const server = await openLocalServer(
      createServer((request, response) => {
        seen.resolve(request.url);
        response.writeHead(404).end();
      }),
    );
    onTestFinished(() => server[Symbol.asyncDispose]());
    const below = await open(grant, { serverUrl: `${server.url}/base/` });
    await failure(below.credential.refresh(never));
    expect(await seen.promise).toBe("/base/api/v2/workspaceagents/google-instance-identity");
  });

  it("exchanges anew at each refresh", async () => {
    const { credential, questions, exchanges } = await open();
    await credential.refresh(never);
    expect(await credential.refresh(never)).toBe("token-2");
    expect(credential.current()).toBe("token-2");
    expect([questions.length, exchanges.length]).toEqual([2, 2]);
  });

  it("lets callers at the same time share one exchange, also its failure", async () => {
    const { credential, exchanges } = await open((response, count) =>
      (count === 1 ? grant : refuse(401, '{"message":"no"}'))(response, count),
    );
    const both = await Promise.all([credential.refresh(never), credential.refresh(never)]);
    expect(both).toEqual(["token-1", "token-1"]);
    expect(exchanges).toHaveLength(1);
    const [one, other] = await Promise.all([
      failure(credential.refresh(never)),
      failure(credential.refresh(never)),
    ]);
    expect(one).toBe(other);
    expect(exchanges).toHaveLength(2);
  });

  it("goes on with an exchange when one of its callers leaves, and ends it with the last", async () => {
    const asked = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const { credential, exchanges } = await open((response, count) => {
      response.on("close", () => left.resolve());
      if (count > 1) grant(response, count);
      asked.resolve();
    });
    const [first, last] = [new AbortController(), new AbortController()];
    const refreshing = [first, last].map(({ signal }) =>
      credential.refresh(signal).catch((error: unknown) => error),
    );
    await asked.promise;
    first.abort(new Error("first"));
    expect(await refreshing[0]).toBe(first.signal.reason);
    const joined = new AbortController();
    const third = credential.refresh(joined.signal).catch((error: unknown) => error);
    last.abort(new Error("last"));
    joined.abort(new Error("third"));
    expect(await Promise.all([refreshing[1], third])).toEqual([
      last.signal.reason,
      joined.signal.reason,
    ]);
    await left.promise;
    expect(exchanges).toHaveLength(1);
    expect(await credential.refresh(never)).toBe("token-2");
  });

  it("asks nobody for a caller who has left already", async () => {
    const { credential, questions } = await open();
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(credential.refresh(signal)).rejects.toThrow("enough");
    expect(questions).toEqual([]);
  });

  it("keeps the token it has when it gets no other", async () => {
    const { credential } = await open((response, count) =>
      (count === 1 ? grant : refuse(401, '{"message":"no"}'))(response, count),
    );
    await credential.refresh(never);
    await failure(credential.refresh(never));
    expect(credential.current()).toBe("token-1");
  });

  it("passes on what the server says to an identity, and what to do", async () => {
    const message =
      'Multiple agents found with instance ID "i-1". Set CODER_AGENT_NAME to one of: a, b';
    const { credential } = await open(refuse(409, JSON.stringify({ message })));
    const error = await failure(credential.refresh(never));
    expect(error).toMatchObject({ name: "IdentityError", code: "no-identity" });
    expect(error.message).toContain(`Google Cloud identity (409: ${message}): see that`);
  });

  it.each([
    [refuse(502, "<html>s3cret"), "the server answered 502"],
    [refuse(404, "no such page"), "the server answered 404"],
    [refuse(500, '{"message":"database"}'), "the server answered 500: database"],
    [refuse(429, '{"message":"slow down"}'), "the server answered 429: slow down"],
    [refuse(200, "s3cret"), "the server answered 200 without a token"],
    [refuse(200, '{"session_token":7}'), "the server answered 200 without a token"],
    [refuse(200, '{"session_token":""}'), "the server answered 200 without a token"],
    [
      refuse(200, '{"session_token":"s3cret\\r\\nX: 1"}'),
      "the server answered 200 without a token",
    ],
    [
      refuse(200, JSON.stringify({ session_token: "x".repeat(maxAnswerBytes) })),
      "the server answered 200 without a token",
    ],
    [(response: ServerResponse) => void response.destroy(), "no HTTP answer from 127.0.0.1"],
  ])("fails on the rung http when nobody looks at the identity (%#)", async (answer, message) => {
    const { credential } = await open(answer);
    const error = await failure(credential.refresh(never));
    expect(error).toMatchObject({ name: "DialError", rung: "http" });
    expect(error.message).toContain(message);
    expect(errorText(error)).not.toContain("s3cret");
    expect(credential.current()).toBeUndefined();
  });

  it("fails on the rung tcp where no server listens", async () => {
    const server = await openLocalServer(createServer());
    await server[Symbol.asyncDispose]();
    const { credential } = await open(grant, { serverUrl: server.url });
    expect(await failure(credential.refresh(never))).toMatchObject({
      rung: "tcp",
      message: `cannot connect to 127.0.0.1 port ${server.port}`,
    });
  });

  it("gives all of an exchange ten seconds: the metadata service", async () => {
    const clock = createFakeClock();
    const asked = Promise.withResolvers<void>();
    const silent = await openLocalServer(createServer(() => asked.resolve()));
    onTestFinished(() => silent[Symbol.asyncDispose]());
    const { credential } = await open(grant, { clock, metadataUrl: silent.url });
    const failing = failure(credential.refresh(never));
    await asked.promise;
    await clock.advance(maxExchangeMs - 1);
    expect(clock.sleepers).toBe(1);
    await clock.advance(1);
    const error = await failing;
    expect(error.name).toBe("IdentityError");
    expect(error.message).toContain(`${silent.url} cannot be reached (no answer within 10000 ms)`);
  });

  it("gives all of an exchange ten seconds: the server, in the middle of its answer too", async () => {
    const clock = createFakeClock();
    for (const begun of ["", '{"session_token":']) {
      const asked = Promise.withResolvers<void>();
      const { credential } = await open(
        (response) => {
          if (begun !== "") response.write(begun);
          asked.resolve();
        },
        { clock },
      );
      const failing = failure(credential.refresh(never));
      await asked.promise;
      await clock.advance(maxExchangeMs);
      const error = await failing;
      expect(error).toMatchObject({ rung: "http" });
      expect(errorText(error)).toMatch(/^no HTTP answer from 127.*: no answer within 10000 ms$/);
      expect(clock.sleepers).toBe(0);
    }
  });
});
