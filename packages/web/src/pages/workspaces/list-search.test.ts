import { expect, it } from "vitest";

import { pageQuery, readListSearch } from "./list-search.ts";

it("reads what it knows, and leaves the default out", () => {
  expect(readListSearch({ q: "owner:me", sort: "name", group: "odd", x: "1" })).toEqual({
    sort: "name",
  });
  expect(readListSearch({ q: "", group: "template" })).toEqual({ q: "", group: "template" });
  expect(readListSearch({ q: 42 })).toEqual({ q: "42" });
});

it("asks for pages of a hundred", () => {
  expect(pageQuery({ sort: "status" }, 2)).toEqual({
    q: "owner:me",
    limit: "100",
    offset: "200",
    sort: "status",
  });
});
