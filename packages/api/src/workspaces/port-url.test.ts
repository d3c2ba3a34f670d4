import { expect, it } from "vitest";

import { portUrl } from "./port-url.ts";

const workspace = { name: "demo", owner_name: "ada" };
const region = {
  path_app_url: "https://slipway.example.com",
  wildcard_hostname: "*.apps.example.com",
};

it("names port, agent, workspace and owner below the wildcard host name", () => {
  expect(portUrl({ port: 8080, agentName: "main" }, workspace, region)).toEqual({
    url: "https://8080--main--demo--ada.apps.example.com/",
  });
});

it.each([
  [80, region],
  [8080, { ...region, wildcard_hostname: "" }],
  [8080, undefined],
])("says why port %i has none in region %j", (port, where) => {
  expect(portUrl({ port, agentName: "main" }, workspace, where)).toHaveProperty("problem");
});
