import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";

import { ObjectLines } from "./object-lines.ts";
import { parseContainer } from "./parse-container.ts";

function joined(text: string, maxLength = 100_000): readonly string[] {
  const objects: string[] = [];
  const lines = new ObjectLines(maxLength, (json) => void objects.push(json));
  for (const line of text.split("\n")) lines.take(line);
  return objects;
}

it("passes on an object a line, and the objects of a list over several lines", () => {
  expect(joined('{"a":1}\n{"b":{}}\n')).toEqual(['{"a":1}', '{"b":{}}']);
  const objects = [
    { a: { b: "}" }, c: [{}] },
    { d: "},", e: [{ f: 1 }] },
  ];
  for (const indentation of [1, 2, 4]) {
    const list = JSON.stringify(objects, undefined, indentation);
    expect(joined(list).map((json) => JSON.parse(json))).toEqual(objects);
  }
  expect(joined("[]\n")).toEqual([]);
});

it("passes on what is no object, and nothing of one beyond the limit", () => {
  expect(joined("text\nmore")).toEqual(["text", "more"]);
  expect(joined(`{\n${"x".repeat(60)}\n${"y".repeat(60)}\n}\n{"a":1}`, 100)).toEqual([
    "",
    '{"a":1}',
  ]);
  expect(joined("{\nunfinished")).toEqual([]);
});

it("reads what podman 4.3 printed", () => {
  const recorded = join(import.meta.dirname, "../../../../vectors/containers/podman-4.3.txt");
  const containers = joined(readFileSync(recorded, "utf8")).map((json) => parseContainer(json));
  expect(containers).toMatchObject([
    {
      name: "web",
      image: "localhost/box:1",
      status: "running",
      labels: { tier: "front", "devcontainer.local_folder": "/home/ada/site" },
      volumes: { "/home/ada/site": "/site" },
    },
    { name: "failed", status: "exited with code 3", running: false },
  ]);
});
