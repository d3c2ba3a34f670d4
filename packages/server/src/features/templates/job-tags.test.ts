import { expect, it } from "vitest";

import { jobTags } from "./job-tags-service.ts";

const zone = { name: "zone", value: "home", parameter: "where" };
const size = { name: "size", value: "big" };

it.each([
  ["the defaults of a plan", {}, [], { zone: "home", size: "big" }],
  ["the values of a build", {}, [{ name: "where", value: "away" }], { zone: "away", size: "big" }],
  [
    "the tags of the push first",
    { zone: "here", region: "eu" },
    [{ name: "where", value: "away" }],
    { zone: "here", size: "big", region: "eu" },
  ],
])("takes %s", (_what, pushed_tags, values, expected) => {
  expect(jobTags({ definition: { tags: [zone, size] }, pushed_tags }, values)).toEqual(expected);
});

it("leaves a version without tags to the servers", () => {
  expect(jobTags({ definition: {}, pushed_tags: {} })).toEqual({});
});
