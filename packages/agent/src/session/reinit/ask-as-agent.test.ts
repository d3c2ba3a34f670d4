import { createServer } from "node:http";

import { silentLogger } from "@slipway/runtime";
import { IdentityError, type ReinitAnswer, waitForReinit } from "@slipway/sdk/agent";
import { createFakeClock, openLocalServer } from "@slipway/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

import { givenToken, type Credential, askAsAgent } from "./ask-as-agent.ts";
import { pollReinit } from "./poll-reinit.ts";

const never = new AbortController().signal;
const unauthorized: ReinitAnswer = { kind: "unauthorized" };
const ended: ReinitAnswer = { kind: "ended", reason: "by the server" };

/** Grants `token-1`, `token-2`, and so on, until told to stop. */
class Exchange implements Credential {
  count = 0;
  isRefused = false;
  #token: string | undefined;

  current(): string | undefined {
    return this.#token;
  }

  async refresh(): Promise<string> {
    this.count += 1;
    if (this.isRefused) throw new IdentityError("unknown instance");
    this.#token = `token-${this.count}`;
    return this.#token;
  }
}

/** Asks once for each answer; resolves to the tokens used. */
async function tokensFor(
  credential: Credential,
  answers: readonly ReinitAnswer[],
): Promise<string[]> {
  const tokens: string[] = [];
  const wait = askAsAgent(credential, async (token) => {
    tokens.push(token);
    return answers[tokens.length - 1] ?? ended;
  });
  for (const answer of answers) expect(await wait(never)).toBe(answer);
  return tokens;
}

describe("askAsAgent", () => {
  it("gets a token where there is none, and keeps to it", async () => {
    expect(await tokensFor(new Exchange(), [ended, ended])).toEqual(["token-1", "token-1"]);
  });

  it("gets another one after a refusal, each time", async () => {
    const answers = [unauthorized, unauthorized, ended, ended];
    expect(await tokensFor(new Exchange(), answers)).toEqual([
      "token-1",
      "token-2",
      "token-3",
      "token-3",
    ]);
  });

  it("takes the one that somebody else has got since the refusal", async () => {
    const credential = new Exchange();
    const tokens: string[] = [];
    const wait = askAsAgent(credential, async (token) => {
      tokens.push(token);
      return unauthorized;
    });
    await wait(never);
    await credential.refresh();
    await wait(never);
    expect(tokens).toEqual(["token-1", "token-2"]);
    expect(credential.count).toBe(2);
  });

  it("asks on with the token that it was given, refused or not", async () => {
    expect(await tokensFor(givenToken("given"), [unauthorized, ended])).toEqual(["given", "given"]);
  });

  it("rejects with the reason of the signal when that ends the exchange", async () => {
    const controller = new AbortController();
    const credential: Credential = {
      current: () => undefined,
      refresh: async (signal) => {
        controller.abort(new Error("enough"));
        throw signal.reason;
      },
    };
    const asking = askAsAgent(credential, async () => ended)(controller.signal);
    await expect(asking).rejects.toBe(controller.signal.reason);
  });

  it("slows down while it gets no token, or only such as are refused", async () => {
    for (const isRefused of [true, false]) {
      const clock = createFakeClock(0);
      const credential = new Exchange();
      credential.isRefused = isRefused;
      let asks = 0;
      const end = new AbortController();
      const polling = pollReinit(
        {
          waitForReinit: askAsAgent(credential, async () => {
            asks += 1;
            return unauthorized;
          }),
          onEvent: async () => false,
          clock,
          random: () => 0,
          logger: silentLogger,
        },
        end.signal,
      );
      await clock.advance(600_000);
      // Every ten seconds after it has slowed down.
      expect(credential.count).toBeGreaterThan(60);
      expect(credential.count).toBeLessThan(75);
      expect(asks).toBe(isRefused ? 0 : credential.count);
      end.abort(new Error("enough"));
      await expect(polling).rejects.toThrow("enough");
    }
  });

  it("finds its way from a refused token to the next one's stream", async () => {
    const asked: string[] = [];
    const server = await openLocalServer(
      createServer(({ headers }, response) => {
        const token = String(headers["coder-session-token"]);
        asked.push(token);
        const body = JSON.stringify({ message: token === "token-1" ? "no" : "never" });
        response.writeHead(token === "token-1" ? 401 : 409).end(body);
      }),
    );
    onTestFinished(() => server[Symbol.asyncDispose]());
    const clock = createFakeClock(0);
    const polling = pollReinit(
      {
        waitForReinit: askAsAgent(new Exchange(), (token, signal) =>
          waitForReinit({ serverUrl: server.url, token, headers: {}, clock, signal }),
        ),
        onEvent: async () => false,
        clock,
        random: () => 0,
        logger: silentLogger,
      },
      never,
    );
    await expect.poll(() => asked).toEqual(["token-1"]);
    // The delay starts when the answer arrives.
    await expect
      .poll(async () => {
        await clock.advance(100);
        return asked;
      })
      .toEqual(["token-1", "token-2"]);
    await polling;
  });
});
