import Fastify from "fastify";
import { describe, expect, it } from "vitest";

import { findToken, type FoundToken } from "./token.ts";

/** Returns the token found in a request with these headers, sent through a real listener's parser. */
async function find(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<FoundToken | undefined> {
  await using app = Fastify();
  let found: FoundToken | undefined;
  app.get("/", (request) => {
    found = findToken(request);
    return "";
  });
  await app.inject({ url, headers });
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
