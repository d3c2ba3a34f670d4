import { expect, it } from "vitest";

import { parseTemplateSearch } from "./search.ts";

it.each([
  ["", { exactName: undefined, isDeprecated: undefined }],
  ['exact_name:"my-box"', { exactName: "my-box", isDeprecated: undefined }],
  [" exact_name:box  deprecated:false ", { exactName: "box", isDeprecated: false }],
  ["deprecated:true", { exactName: undefined, isDeprecated: true }],
])("reads %j", (text, filter) => {
  expect(parseTemplateSearch(text)).toEqual(filter);
});

it.each(["box", "deprecated:maybe", 'name:"box"', "exact_name:", '"'])("refuses %j", (text) => {
  expect(() => parseTemplateSearch(text)).toThrow("Invalid template search query.");
});
