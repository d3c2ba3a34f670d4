import { CreateSubAgentRequest_AppSchema as AppSchema } from "@slipway/wire/protobuf/gen/agent_pb";
import { createMessage, parseMessage } from "@slipway/wire/protobuf/message";
import { expect, it } from "vitest";

import { checkApps, storedSlug, base32Hex } from "./sub-agent-apps.ts";

it("makes slugs differ between agents", () => {
  expect(storedSlug("dev", "web")).toBe("76l3q1id-web");
});

it("keeps the good apps and tells what is wrong with the others", () => {
  // Numbers unknown to any release.
  const { share } = parseMessage(AppSchema, Uint8Array.of(0x58, 9));
  const { openIn } = parseMessage(AppSchema, Uint8Array.of(0x48, 2));
  const apps = [
    { slug: "web", url: "http://localhost:80", healthcheck: { url: "/health", interval: -1 } },
    { slug: "Web" },
    { slug: "web" },
    { slug: "shared", share },
    { slug: "window", openIn },
    { slug: "far", url: `http://${"a".repeat(2048)}` },
  ].map((app) => createMessage(AppSchema, app));
  const { apps: kept, errors } = checkApps("dev", apps);
  expect(kept).toMatchObject([
    {
      slug: "76l3q1id-web",
      position: 0,
      health: "initializing",
      healthcheck_interval_seconds: 0,
      sharing_level: "owner",
      open_in: "slim-window",
    },
  ]);
  expect(errors.map(({ index, field }) => [index, field])).toEqual([
    [1, "slug"],
    [2, "slug"],
    [3, "share"],
    [4, "open_in"],
    [5, "url"],
  ]);
});

it.each([
  ["", ""],
  ["f", "co"],
  ["fo", "cpng"],
  ["foo", "cpnmu"],
  ["foob", "cpnmuog"],
  ["fooba", "cpnmuoj1"],
  ["foobar", "cpnmuoj1e8"],
])("encodes %j as RFC 4648 section 10 does", (text, encoded) => {
  expect(base32Hex(new TextEncoder().encode(text))).toBe(encoded);
});
