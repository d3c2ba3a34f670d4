import { describe, expect, it } from "vitest";

import { bearerToken, forwardedHeaders, withoutOwnParameters } from "./request-headers.ts";

const client = {
  address: "203.0.113.7",
  protocol: "https",
  host: "web--dev--ann.apps.test",
  forwardedFor: "203.0.113.7, 10.0.0.1",
} as const;
const sessionToken = `${"a".repeat(10)}-${"b".repeat(22)}`;

function forwarded(rawHeaders: readonly string[], isUpgrade = false, basePath = ""): string[] {
  const headers = Object.fromEntries(
    Array.from({ length: rawHeaders.length / 2 }, (_, index) => [
      rawHeaders[index * 2]?.toLowerCase() ?? "",
      rawHeaders[index * 2 + 1] ?? "",
    ]),
  );
  const request = { rawHeaders: [...rawHeaders], headers };
  return forwardedHeaders(request, { client, basePath, isUpgrade });
}

const added = [
  "X-Forwarded-For",
  "203.0.113.7, 10.0.0.1",
  "X-Forwarded-Host",
  "web--dev--ann.apps.test",
  "X-Forwarded-Proto",
  "https",
];

describe("forwardedHeaders", () => {
  it("keeps the spelling, the order and repetitions", () => {
    const raw = ["Host", "x", "X-B", "1", "x-a", "2", "X-B", "3", "Sec-WebSocket-Key", "k"];
    expect(forwarded(raw)).toEqual([
      "Host",
      client.host,
      "X-B",
      "1",
      "x-a",
      "2",
      "X-B",
      "3",
      "Sec-WebSocket-Key",
      "k",
      ...added,
    ]);
  });

  it("drops what concerns the connection, and what that names", () => {
    const raw = [
      "Connection",
      "close, X-Hop, Host, Content-Length",
      "X-Hop",
      "1",
      "Keep-Alive",
      "timeout=5",
      "Proxy-Authorization",
      "Basic x",
      "TE",
      "trailers",
      "Trailer",
      "x",
      "Upgrade",
      "h2c",
      "Host",
      "x",
      "Content-Length",
      "5",
      "X-Own",
      "kept",
    ];
    expect(forwarded(raw)).toEqual([
      "Host",
      client.host,
      "Content-Length",
      "5",
      "X-Own",
      "kept",
      ...added,
      "TE",
      "trailers",
      "Connection",
      "TE",
    ]);
  });

  it("asks for trailers if the client does, but not with an upgrade", () => {
    expect(forwarded(["TE", "trailers"])).toEqual([...added, "TE", "trailers", "Connection", "TE"]);
    expect(forwarded(["TE", "trailers;q=0.1, deflate"])).toContain("TE");
    expect(forwarded(["TE", "deflate, no-trailers"])).toEqual(added);
    expect(forwarded(["TE", "trailers", "Upgrade", "x"], true)).not.toContain("TE");
  });

  it("drops forged reports of proxies", () => {
    const raw = [
      "X-Forwarded-For",
      "1.2.3.4",
      "X-Real-IP",
      "1.2.3.4",
      "Forwarded",
      "for=1.2.3.4",
      "X-Forwarded-Host",
      "evil.test",
      "X-Forwarded-Proto",
      "gopher",
      "X-Forwarded-Prefix",
      "/",
    ];
    expect(forwarded(raw, false, "/@ann/dev/apps/web")).toEqual([
      ...added,
      "X-Forwarded-Prefix",
      "/@ann/dev/apps/web",
    ]);
  });

  it("drops the viewer's credentials, and keeps those of the app", () => {
    const raw = [
      "Cookie",
      "a=1; coder_session_token=s; coder_signed_app_token=t;own=2",
      "cookie",
      "coder_subdomain_app_session_token_0123=x; __Host-slipway_app_login=y",
      "Coder-Session-Token",
      sessionToken,
      "Authorization",
      `Bearer ${sessionToken}`,
      "authorization",
      "Bearer of-the-app",
      "Authorization",
      "Basic YTpi",
    ];
    expect(forwarded(raw)).toEqual([
      "Cookie",
      "a=1; own=2",
      "authorization",
      "Bearer of-the-app",
      "Authorization",
      "Basic YTpi",
      ...added,
    ]);
  });

  it("frames a body of unknown length anew, and asks for an upgrade", () => {
    expect(forwarded(["Transfer-Encoding", "gzip, chunked"])).toEqual([
      ...added,
      "Transfer-Encoding",
      "chunked",
    ]);
    const upgrade = ["Connection", "keep-alive, Upgrade", "Upgrade", "websocket"];
    expect(forwarded(upgrade, true)).toEqual([
      ...added,
      "Connection",
      "Upgrade",
      "Upgrade",
      "websocket",
    ]);
  });
});

it.each([
  [`Bearer ${sessionToken}`, sessionToken],
  [`bearer   ${sessionToken} `, sessionToken],
  ["Bearer eyJhbGciOiJIUzI1NiJ9.e30.x", undefined],
  [`Basic ${sessionToken}`, undefined],
  ["", undefined],
  [undefined, undefined],
])("finds the session token in %j", (header, token) => {
  expect(bearerToken(header)).toBe(token);
});

it.each([
  ["", ""],
  ["?a=b&c=%20d&&e", "?a=b&c=%20d&&e"],
  ["?coder_session_token=x", ""],
  ["?a=1&coder_session_token=x&b=2", "?a=1&b=2"],
  ["?coder%5Fsession%5Ftoken=x&b=2", "?b=2"],
  ["?coder_application_connect_api_key_35e783=x", ""],
  ["?", ""],
])("leaves of the query %j %j", (query, left) => {
  expect(withoutOwnParameters(query)).toBe(left);
});
