import { expect, it } from "vitest";

import { parseImageReference } from "./image-reference.ts";

it.each([
  ["debian:12", "debian:12", "docker.io"],
  ["debian", "debian:latest", "docker.io"],
  ["team/image", "team/image:latest", "docker.io"],
  ["index.docker.io/library/debian:12", "index.docker.io/library/debian:12", "docker.io"],
  ["localhost/box:1", "localhost/box:1", "localhost"],
  ["127.0.0.1:5000/box:1", "127.0.0.1:5000/box:1", "127.0.0.1:5000"],
  [
    "registry.example.com/a/b_c/d:v1.2-x",
    "registry.example.com/a/b_c/d:v1.2-x",
    "registry.example.com",
  ],
  [`box@sha256:${"0".repeat(64)}`, `box@sha256:${"0".repeat(64)}`, "docker.io"],
])("parses %s", (text, complete, registry) => {
  expect(parseImageReference(text)).toEqual({ text: complete, registry });
});

it.each([
  "",
  "Debian",
  "debian:",
  "debian:12:13",
  "../containers/json",
  "debian/../../containers",
  "debian?fromSrc=http://example.com",
  "a@b",
  "a@sha256:0",
  "box:1 --privileged",
  "x".repeat(600),
])("rejects %j", (text) => {
  expect(() => parseImageReference(text)).toThrow("wanted a name such as debian:12");
});
