import { createServer, type RequestListener } from "node:http";

import { openLocalServer } from "@slipway/testkit";
import { expect, it } from "vitest";

import { createProviderFetch, maxProviderAnswerBytes } from "./provider-fetch.ts";

/** Sends a request to a provider with this response. */
async function ask(answer: RequestListener, timeoutMs = 10_000): Promise<string> {
  await using server = await openLocalServer(createServer(answer));
  const fetch = createProviderFetch({ timeoutMs, maxRequests: 8 });
  const response = await fetch(server.url, { headers: { Authorization: "Bearer s3cret" } });
  return `${response.status} ${await response.text()}`;
}

it("returns an answer with its body", async () => {
  expect(await ask((_, response) => response.end("x"))).toBe("200 x");
});

it("gives up on a provider that never answers, or never ends", async () => {
  await expect(ask(() => undefined, 50)).rejects.toMatchObject({ code: "unreachable" });
  const endless: RequestListener = (_, response) => void response.write("x");
  await expect(ask(endless, 50)).rejects.toThrow("did not answer within 0.05 s");
});

it("reads no more than the limit", async () => {
  const huge: RequestListener = (_, response) => {
    response.end(Buffer.alloc(maxProviderAnswerBytes + 1));
  };
  await expect(ask(huge)).rejects.toMatchObject({ code: "malformed" });
  const whole: RequestListener = (_, response) => {
    response.end("x".repeat(maxProviderAnswerBytes));
  };
  expect(await ask(whole)).toHaveLength(maxProviderAnswerBytes + "200 ".length);
});

it("follows no redirect, which would carry the token elsewhere", async () => {
  const elsewhere: RequestListener = (_, response) => {
    response.writeHead(302, { Location: "http://127.0.0.1:1/" }).end();
  };
  expect(await ask(elsewhere)).toBe("302 ");
});

it("refuses requests beyond the limit rather than queue them", async () => {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  await using server = await openLocalServer(
    createServer((_, response) => void released.then(() => response.end())),
  );
  const fetch = createProviderFetch({ timeoutMs: 10_000, maxRequests: 1 });
  const first = fetch(server.url, {});
  await expect(fetch(server.url, {})).rejects.toMatchObject({ code: "unreachable" });
  release();
  expect((await first).status).toBe(200);
  expect((await fetch(server.url, {})).status).toBe(200);
});

it("tells what failed without the token", async () => {
  const failing = createProviderFetch()("http://127.0.0.1:1/", {
    headers: { Authorization: "Bearer s3cret" },
  });
  await expect(failing).rejects.toThrow(/^it cannot be reached: (?!.*s3cret)/);
});
