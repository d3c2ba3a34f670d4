import { silentLogger } from "@slipway/runtime";
import { createFakeClock } from "@slipway/testkit";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import { expect, it } from "vitest";

import { ScriptedServer } from "../../tests/support/scripted-server.ts";
import { Announcements } from "./announcements.ts";

it("asks the server at each shell, and shows what is enabled", async () => {
  const server = new ScriptedServer();
  let message = "Maintenance at noon";
  server.on(Agent.method.getAnnouncementBanners, () => ({
    announcementBanners: [
      { enabled: true, message },
      { enabled: false, message: "not yet" },
    ],
  }));
  const announcements = new Announcements(createFakeClock(), silentLogger);
  expect(await announcements.read()).toEqual([]);
  const ended = new AbortController();
  const running = announcements.run(server.connect(), ended.signal);
  expect(await announcements.read()).toEqual(["Maintenance at noon"]);
  message = "Maintenance is over";
  expect(await announcements.read()).toEqual(["Maintenance is over"]);
  // A lost connection.
  ended.abort();
  await running;
  message = "nobody asks";
  expect(await announcements.read()).toEqual(["Maintenance is over"]);
});

it("does not wait for a server that does not answer, or does not know them", async () => {
  const clock = createFakeClock();
  const server = new ScriptedServer();
  const announcements = new Announcements(clock, silentLogger);
  const ended = new AbortController();
  const running = announcements.run(server.connect(), ended.signal);
  // The call has no handler.
  expect(await announcements.read()).toEqual([]);
  server.on(Agent.method.getAnnouncementBanners, () => new Promise<never>(() => undefined));
  const reading = announcements.read();
  await clock.advance(1_000);
  expect(await reading).toEqual([]);
  ended.abort();
  await running;
});
