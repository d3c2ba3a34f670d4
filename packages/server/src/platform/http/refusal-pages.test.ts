import { silentLogger } from "@slipway/runtime";
import { expect, it } from "vitest";

import { createHttpServer } from "./http-server.ts";

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async function get(url: string, accept: string) {
  const app = await createHttpServer("v1", silentLogger);
  const { statusCode, headers, body } = await app.inject({ url, headers: { accept } });
  await app.close();
  return { status: statusCode, type: headers["content-type"], vary: headers["vary"], body };
}

it("shows a browser a page for an unknown path, with the way home", async () => {
  const { body, ...answer } = await get("/workspaces/dev?x=<b>", browser);
  expect(answer).toEqual({
    status: 404,
    type: "text/html; charset=utf-8",
    vary: ["Origin", "Cookie", "Accept"],
  });
  expect(body).toContain("<h1>There is no such page</h1>");
  expect(body).toContain('<a class="next" href="/">');
  expect(body).not.toContain("<b>");
});

it.each([
  ["/workspaces/dev", "*/*"],
  ["/workspaces/dev", "application/json"],
  ["/api/v2/nowhere", browser],
  ["/api", browser],
  ["/bin/nothing", browser],
  ["//bin/nothing", browser],
])("answers %s for %s with JSON", async (url, accept) => {
  const { body, status, type } = await get(url, accept);
  expect({ body: JSON.parse(body), status, type }).toEqual({
    body: { message: "Route not found." },
    status: 404,
    type: "application/json; charset=utf-8",
  });
});
