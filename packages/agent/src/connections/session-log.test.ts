import { expect, it } from "vitest";

import { type ConnectionReport, SessionLog } from "./session-log.ts";

function openLog(): { readonly log: SessionLog; readonly reports: ConnectionReport[] } {
  const reports: ConnectionReport[] = [];
  let time = 0;
  const log = new SessionLog({ report: (one) => void reports.push(one), now: () => (time += 1) });
  return { log, reports };
}

it("reports the two ends of a session with one id", () => {
  const { log, reports } = openLog();
  log.open("ssh", "fd7a::1").close({ statusCode: 7, reason: "exit status 7" });
  const [connect, disconnect] = reports;
  expect(connect).toMatchObject({ action: "connect", statusCode: 0, reason: "", atMs: 1 });
  expect(disconnect).toEqual({
    id: connect?.id,
    action: "disconnect",
    type: "ssh",
    ip: "fd7a::1",
    atMs: 2,
    statusCode: 7,
    reason: "exit status 7",
  });
});

it("counts the sessions of each type, and each end once", () => {
  const { log, reports } = openLog();
  const first = log.open("ssh", undefined);
  log.open("reconnecting-pty", "localhost");
  expect(log.counts).toMatchObject({ ssh: 1, "reconnecting-pty": 1, vscode: 0 });
  first.close({ statusCode: 0, reason: "graceful" });
  first.close({ statusCode: 1, reason: "again" });
  expect(log.counts).toMatchObject({ ssh: 0, "reconnecting-pty": 1 });
  expect(reports.map(({ ip }) => ip)).toEqual(["", "127.0.0.1", ""]);
});
