import { describe, expect, it } from "vitest";

import { relayCheck, reportChecks, serversCheck, socketCheck, worstOf } from "./health-checks.ts";

const origin = "https://slipway.example";
type Report = Parameters<typeof reportChecks>[0];

const section = { healthy: true, severity: "ok" as const, warnings: [], dismissed: false };
const report: Report = {
  time: "2026-01-01T00:00:00Z",
  healthy: true,
  severity: "ok",
  coder_version: "v2.30.0",
  access_url: {
    ...section,
    access_url: origin,
    reachable: true,
    status_code: 200,
    healthz_response: "OK",
  },
  database: { ...section, reachable: true, latency: "1ms", latency_ms: 1, threshold_ms: 15 },
  provisioner_daemons: { ...section, online: 0 },
};

const server = {
  id: "a",
  organization_id: "a",
  key_id: "a",
  created_at: "",
  last_seen_at: "",
  name: "one",
  version: "v1",
  api_version: "1",
  provisioners: [],
  tags: {},
  key_name: "built-in",
  status: "idle" as const,
  current_job: null,
  previous_job: null,
};

describe("the report of the server", () => {
  it("needs no advice while all is well", () => {
    const checks = reportChecks(report, origin);
    expect(checks.map(({ advice }) => advice)).toEqual([undefined, undefined, undefined]);
    expect(worstOf(checks)).toBe("ok");
    expect(checks[2]?.found).toBe("None is connected, and no job waits for one.");
  });

  it("says what to do about jobs that wait for provisioners, and about old ones", () => {
    const warnings = [
      { code: "EPD01", message: "2 jobs with the tags region=eu waiting" },
      { code: "EPD02", message: "the provisioner one runs v1" },
    ];
    const provisioners = { ...section, severity: "warning" as const, warnings, online: 1 };
    const [, , check] = reportChecks({ ...report, provisioner_daemons: provisioners }, origin);
    expect(check).toMatchObject({
      severity: "warning",
      found: "2 jobs with the tags region=eu waiting. The provisioner one runs v1.",
    });
    expect(check?.advice).toMatch(/Start a provisioner .*Install the server’s version/);
    const online = { ...report, provisioner_daemons: { ...section, online: 1 } };
    expect(reportChecks(online, origin)[2]?.found).toBe("1 is online, at the server’s version.");
  });

  it("shows all warnings as sentences", () => {
    const warnings = [
      { code: "EDB02", message: "the database took 20 ms, expected at most 15 ms" },
      { code: "EDB03", message: "It is nearly full." },
    ];
    const database = { ...report.database, severity: "warning" as const, warnings };
    const [check] = reportChecks({ ...report, database }, origin);
    expect(check).toMatchObject({
      severity: "warning",
      found: "The database took 20 ms, expected at most 15 ms. It is nearly full.",
    });
    expect(check?.advice).toContain("the load of the database machine");
  });

  it("says what to do about a database that does not answer", () => {
    const database: Report["database"] = {
      ...report.database,
      severity: "error",
      reachable: false,
      error: "refused",
    };
    const [check] = reportChecks({ ...report, database }, origin);
    expect(check).toMatchObject({ severity: "error", found: "Refused." });
    expect(check?.advice).toContain("SLIPWAY_POSTGRES_URL");
  });

  it("tells apart the address of the page and the access URL", () => {
    const [, check] = reportChecks(report, "http://10.0.0.1:3000");
    expect(check?.advice).toContain("http://10.0.0.1:3000");
  });
});

describe("probes of the browser", () => {
  it("fail with what a proxy must do", () => {
    expect(socketCheck({ failure: "closed" })).toMatchObject({ severity: "error" });
    expect(relayCheck({ failure: "404" }).advice).toContain("/derp");
  });

  it("warn of a slow relay", () => {
    expect(relayCheck({ ms: 10 }).severity).toBe("ok");
    expect(relayCheck({ ms: 400 }).severity).toBe("warning");
  });
});

describe("the servers", () => {
  it("are fine at one version", () => {
    const servers = [server, { ...server, name: "two", status: "busy" as const }];
    expect(serversCheck(servers, "v1")).toMatchObject({
      severity: "ok",
      found: "2 servers are online, at v1.",
    });
  });

  it("are named if they run another version", () => {
    const check = serversCheck([server, { ...server, name: "two", version: "v2" }], "v1");
    expect(check).toMatchObject({ severity: "warning" });
    expect(check.found).toContain("two (v2)");
  });

  it("do not include provisioners elsewhere", () => {
    const provisioner = { ...server, key_name: "europe", version: "v0" };
    expect(serversCheck([server, provisioner], "v1")).toMatchObject({ severity: "ok" });
    expect(serversCheck([provisioner], "v1").severity).toBe("error");
  });

  it("are an error if none is online", () => {
    const offline = { ...server, status: "offline" as const };
    expect(serversCheck([offline], "v1").severity).toBe("error");
    expect(worstOf([serversCheck([offline], "v1"), relayCheck({ ms: 1 })])).toBe("error");
  });
});
