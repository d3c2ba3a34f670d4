import { expect, it } from "vitest";

import { devcontainerNames, freeName } from "./devcontainer-name.ts";

it.each([
  ["/home/ada/Site", ["site", "ada-site", "home-ada-site"]],
  ["/srv/my_app (2)", ["my-app-2", "srv-my-app-2"]],
  ["/a/b/c/d/e/f/g", ["g", "f-g", "e-f-g", "d-e-f-g", "c-d-e-f-g", "b-c-d-e-f-g"]],
  ["/home/日本", ["home", "box-1"]],
  ["/", ["box-1"]],
])("names the dev container of %s", (folder, names) => {
  expect(devcontainerNames({ folder, containerName: "box_1" })).toEqual(
    folder === "/" || names.includes("box-1") ? names : [...names, "box-1"],
  );
});

it("prefers the name of the template, unless servers refuse it", () => {
  const namesOf = (templateName: string) =>
    devcontainerNames({ folder: "/site", templateName, containerName: "" });
  expect(namesOf("Front")).toEqual(["Front", "site"]);
  expect(namesOf("my_front")).toEqual(["site"]);
});

it("cuts long names, and none ends with a dash", () => {
  const names = devcontainerNames({ folder: `/${"x".repeat(63)}-y`, containerName: "" });
  expect(names).toEqual(["x".repeat(63)]);
});

it("takes the first free name, and a number if there is none", () => {
  expect(freeName(["a", "b"], (name) => name === "a")).toBe("b");
  expect(freeName(["a"], (name) => name === "a" || name === "dev-container-1")).toBe(
    "dev-container-2",
  );
});
