import { expect, it } from "vitest";

import { postgresTarget, postgresUrlAt, socketUrl } from "./postgres-url.ts";

it.each([
  [
    socketUrl({ host: "/run/a b", port: 5433, user: "me", database: "db" }),
    { path: "/run/a b/.s.PGSQL.5433" },
    "postgres://127.0.0.1:9/db?user=me",
  ],
  [
    "postgres://me:secret@127.0.0.1:6543/db?sslmode=disable",
    { port: 6543 },
    "postgres://me:secret@127.0.0.1:9/db?sslmode=disable",
  ],
  ["postgres://me@localhost/db", { port: 5432 }, "postgres://me@127.0.0.1:9/db"],
])("finds the listener of %s, and leads to it through a proxy", (url, target, through) => {
  expect(postgresTarget(url)).toEqual(target);
  expect(postgresUrlAt(url, 9)).toBe(through);
});
