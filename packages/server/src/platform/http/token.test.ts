import Fastify from "fastify";
import { describe, expect, it } from "vitest";

import { findToken, type FoundToken } from "./token.ts";

/** Returns the token found in a request with these headers, sent through a real listener's parser. */
async function find(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  isHttps = false,
): Promise<FoundToken | undefined> {
  await using app = Fastify();
  let found: FoundToken | undefined;
  app.get("/", (request) => {
    found = findToken(request, isHttps);
    return "";
  });
  let refusal: Error | undefined;
  app.setErrorHandler<Error>((error) => {
    refusal = error;
    return "";
  });
  await app.inject({ url, headers });
  if (refusal !== undefined) throw refusal;
  return found;
}

const everywhere = {
  query: "/?coder_session_token=query&access_token=access",
  cookie: "a=b; coder_session_token=cookie; c=d",
  header: "header",
  bearer: "Bearer bearer",
};

describe("findToken", () => {
  it("takes the first place of cookie, query, header, bearer and access token", async () => {
    const { query, cookie, header, bearer } = everywhere;
    const all = { cookie, "coder-session-token": header, authorization: bearer };
    expect(await find(query, all)).toEqual({ token: "cookie", isCookie: true });
    const { cookie: _cookie, ...noCookie } = all;
    expect(await find(query, noCookie)).toEqual({ token: "query", isCookie: false });
    expect(await find("/?access_token=access", noCookie)).toMatchObject({ token: "header" });
    expect(await find("/?access_token=access", { authorization: bearer })).toMatchObject({
      token: "bearer",
    });
    expect(await find("/?access_token=access")).toMatchObject({ token: "access" });
    expect(await find("/")).toBeUndefined();
  });

  it("passes over a place that is empty", async () => {
    const headers = { cookie: "coder_session_token=", "coder-session-token": "header" };
    expect(await find("/?coder_session_token=", headers)).toMatchObject({ token: "header" });
  });

  it.each(["bearer  spaced ", "BEARER spaced"])("reads the scheme of %j", async (authorization) => {
    expect(await find("/", { authorization })).toMatchObject({ token: "spaced" });
  });

  it("knows no token in another scheme or another cookie", async () => {
    const headers = { authorization: "Basic abc", cookie: "xcoder_session_token=1; x" };
    expect(await find("/", headers)).toBeUndefined();
  });

  it("trims the access token and undoes the escapes of the query", async () => {
    expect(await find("/?access_token=%20a%2Db%20")).toMatchObject({ token: "a-b" });
  });
});

const browsers = {
  "an Origin": { origin: "https://slipway.test" },
  "fetch metadata": { "sec-fetch-mode": "navigate" },
  "the user agent of browsers": { "user-agent": "Mozilla/5.0" },
};
const host = "__Host-coder_session_token";

describe("the session cookie", () => {
  it.each(Object.entries(browsers))(
    "over https counts by the name that no other host sets, with %s",
    async (_what, headers) => {
      const bare = "coder_session_token=tossed";
      expect(await find("/", { ...headers, cookie: bare }, true)).toBeUndefined();
      const both = { ...headers, cookie: `${bare}; ${host}=own` };
      expect(await find("/", both, true)).toEqual({ token: "own", isCookie: true });
      expect(await find("/", { ...headers, cookie: bare }, false)).toMatchObject({
        token: "tossed",
      });
    },
  );

  it("has the plain name if a program sends it, which keeps no cookies of pages", async () => {
    const program = { "user-agent": "Go-http-client/1.1", cookie: "coder_session_token=a" };
    expect(await find("/", program, true)).toEqual({ token: "a", isCookie: true });
  });

  it("counts only if all of them are the same", async () => {
    const twice = "coder_session_token=a; x=y; coder_session_token=a";
    expect(await find("/", { cookie: twice })).toMatchObject({ token: "a" });
    const differing = { cookie: "coder_session_token=tossed; coder_session_token=own" };
    await expect(find("/?c", differing)).rejects.toMatchObject({ code: "unauthenticated" });
    const headers = { ...differing, "coder-session-token": "header" };
    await expect(find("/", headers)).rejects.toMatchObject({ name: "SeveralSessions" });
  });
});
