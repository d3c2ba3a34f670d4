import { expect, it } from "vitest";

import { type ApiRoute, emptyAnswer } from "./route.ts";
import { Router } from "./router.ts";

const handle = async () => emptyAnswer(204);
const routes: readonly ApiRoute[] = [
  { kind: "plain", method: "GET", path: "/runs/list", handle },
  { kind: "plain", method: "GET", path: "/runs/:id", handle },
  { kind: "plain", method: "POST", path: "/runs/:id", handle },
  { kind: "plain", method: "POST", path: "/runs/:id/chunks/:at", handle },
  { kind: "socket", path: "/watch", maxMessageBytes: 1, open: async () => async () => undefined },
];
const router = new Router(routes);

it.each([
  ["GET", "/runs/list", 0, {}],
  ["GET", "/runs/a%2Fb%20c", 1, { id: "a/b c" }],
  ["POST", "/runs/list?x=1", 2, { id: "list" }],
  ["POST", "/runs/7/chunks/0", 3, { id: "7", at: "0" }],
  ["GET", "/watch", 4, {}],
])("finds the route of %s %s", (method, target, index, params) => {
  const found = router.find(method, target);
  expect(found).toMatchObject({ route: routes[index], params });
});

it("hands on the query", () => {
  expect(router.find("GET", "/runs/1?after=2&after=3").query.getAll("after")).toEqual(["2", "3"]);
});

it.each([
  ["GET", "/"],
  ["GET", "/runs"],
  ["GET", "/runs/"],
  ["GET", "/runs/1/"],
  ["PUT", "/runs/1"],
  ["POST", "/watch"],
  ["GET", "/RUNS/list"],
])("has no route for %s %s", (method, target) => {
  expect(() => router.find(method, target)).toThrow(expect.objectContaining({ status: 404 }));
});

it("refuses a parameter that is no text", () => {
  expect(() => router.find("GET", "/runs/%ff")).toThrow(expect.objectContaining({ status: 400 }));
});

it("upgrades only requests for sockets", () => {
  expect(["/watch", "/runs/list", "/none", "//"].map((path) => router.isSocket(path))).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
