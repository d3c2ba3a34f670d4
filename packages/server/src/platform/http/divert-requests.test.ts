import { describe, expect, it } from "vitest";

import { readTarget } from "./divert-requests.ts";

interface Sent {
  readonly url: string;
  readonly hosts: readonly string[];
}

function requestOf({ url, hosts }: Sent): Parameters<typeof readTarget>[0] {
  const [host] = hosts;
  return {
    url,
    headers: host === undefined ? {} : { host },
    rawHeaders: hosts.flatMap((one, index) => [index === 0 ? "Host" : "hOST", one]),
  };
}

describe("a request target", () => {
  it.each([
    ["/", "a.test"],
    ["/a?b=http://c.test/", "a.test:3000"],
    ["//b.test/a", "a.test"],
    ["*", "[::1]:3000"],
    ["/", "[fe80::1%25eth0]"],
    ["/", "xn--bcher-kva.test"],
    ["/", "a_b.test:"],
    ["/", ""],
  ])("of its own form is left as it is: %s at %s", (url, host) => {
    const request = requestOf({ url, hosts: [host] });
    expect(readTarget(request)).toBeUndefined();
    expect(request).toEqual(requestOf({ url, hosts: [host] }));
  });

  it.each([
    ["http://a.test", "/", "a.test"],
    ["http://a.test/", "/", "a.test"],
    ["HTTP://A.test:3000/b//c?d#e", "/b//c?d#e", "A.test:3000"],
    ["https://[::1]:3000?a=/b", "/?a=/b", "[::1]:3000"],
    ["http://a.test//b.test/c", "//b.test/c", "a.test"],
  ])("that is absolute comes before the host of the header: %s", (url, path, host) => {
    for (const hosts of [["other.test"], []]) {
      const request = requestOf({ url, hosts });
      expect(readTarget(request)).toBeUndefined();
      expect(request).toMatchObject({ url: path, headers: { host } });
    }
  });

  it.each([
    "http://",
    "http:///a",
    "http://user@a.test/",
    "http://user:secret@a.test/",
    "http://a.test:x/",
    "http://a b.test/",
    "http://a.test\\b/",
    "ftp://a.test/",
    "ws://a.test/",
    "a.test:443",
    "a",
    "",
  ])("is refused if it is another or none: %j", (url) => {
    expect(readTarget(requestOf({ url, hosts: ["a.test"] }))).toContain("request target");
  });
});

describe("a Host header", () => {
  it.each([
    [["a.test", "b.test"]],
    [["a.test", "a.test"]],
    [["", "a.test"]],
    [["a.test, b.test/"]],
    [["user@a.test"]],
    [["a.test/b"]],
    [["a.test?b"]],
    [["http://a.test"]],
    [["a test"]],
    [["a.test:b"]],
    [["[::1"]],
    [["::1"]],
    [["ä.test"]],
  ])("is refused if there are several, or if it is not one host: %j", (hosts) => {
    expect(readTarget(requestOf({ url: "/", hosts }))).toContain("Host");
    expect(readTarget(requestOf({ url: "http://a.test/", hosts }))).toContain("Host");
  });
});
