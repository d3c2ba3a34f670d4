import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { parseContainer } from "./parse-container.ts";

const id = "a".repeat(64);

const inspected = {
  Id: id,
  Created: "2026-11-30T01:02:03.123456789Z",
  Name: "/web",
  State: { Status: "running", Running: true, ExitCode: 0, Error: "" },
  Config: { Image: "site:1", Labels: { "devcontainer.local_folder": "/home/ada/site" } },
  NetworkSettings: {
    Ports: {
      "80/tcp": [
        { HostIp: "0.0.0.0", HostPort: "8080" },
        { HostIp: "::", HostPort: "8080" },
        { HostIp: "10.0.0.1", HostPort: "8080" },
      ],
      "53/udp": [{ HostIp: "127.0.0.1", HostPort: "5353" }],
      "443/tcp": null,
    },
  },
  Mounts: [
    { Type: "bind", Source: "/home/ada/site", Destination: "/workspaces/site" },
    {
      Type: "volume",
      Name: "cache",
      Source: "/var/lib/docker/volumes/cache/_data",
      Destination: "/cache",
    },
  ],
};

function parse(change: object = {}): ReturnType<typeof parseContainer> {
  return parseContainer(JSON.stringify({ ...inspected, ...change }));
}

describe("parseContainer", () => {
  it("reads a running container, and merges what is published for both families", () => {
    expect(parse()).toEqual({
      created_at: "2026-11-30T01:02:03.123Z",
      id,
      name: "web",
      image: "site:1",
      labels: { "devcontainer.local_folder": "/home/ada/site" },
      running: true,
      ports: [
        { port: 80, network: "tcp", host_ip: "0.0.0.0", host_port: 8080 },
        { port: 80, network: "tcp", host_ip: "10.0.0.1", host_port: 8080 },
        { port: 53, network: "udp", host_ip: "127.0.0.1", host_port: 5353 },
        { port: 443, network: "tcp" },
      ],
      status: "running",
      volumes: {
        "/home/ada/site": "/workspaces/site",
        "/var/lib/docker/volumes/cache/_data": "/cache",
      },
    });
  });

  it("reads what docker 20.10 printed", () => {
    const recorded = join(import.meta.dirname, "../../../../vectors/containers/docker-20.10.jsonl");
    const lines = readFileSync(recorded, "utf8").trim().split("\n");
    const containers = lines.map((line) => parseContainer(line));
    expect(containers.map(({ name, status, running }) => [name, status, running])).toEqual([
      ["made", "exited successfully", false],
      ["failed", "exited with code 3", false],
      ["dev", "running", true],
      ["web", "running", true],
    ]);
    expect(containers.at(-1)).toMatchObject({
      image: "box:1",
      labels: { tier: "front" },
      ports: [
        { port: 80, network: "tcp", host_ip: "0.0.0.0", host_port: 18_080 },
        { port: 81, network: "tcp", host_ip: "127.0.0.1", host_port: 18_081 },
      ],
      volumes: { "/home/ada/site": "/workspaces/site" },
    });
  });

  it.each([
    [{ Running: false, ExitCode: 0 }, "exited successfully"],
    [{ Running: false, ExitCode: 137 }, "exited with code 137"],
    [
      { Running: false, ExitCode: 127, Error: "no such file" },
      "exited with code 127: no such file",
    ],
  ])("says how a container ended: %j", (state, status) => {
    expect(parse({ State: state })).toMatchObject({ running: false, status });
  });

  it("reads what podman names otherwise", () => {
    const { name, image } = parse({ Name: "pod", ImageName: "localhost/site:1", Config: {} });
    expect({ name, image }).toEqual({ name: "pod", image: "localhost/site:1" });
  });

  it("has no ports, labels and mounts where there are none", () => {
    const bare = parse({ NetworkSettings: null, Config: { Labels: null }, Mounts: null });
    expect(bare).toMatchObject({ ports: [], labels: {}, volumes: {} });
  });

  it("keeps the labels of dev containers, however many and long the others are", () => {
    const many = Array.from({ length: 500 }, (_, index) => [`label-${index}`, "x".repeat(5000)]);
    const labels = Object.fromEntries([...many, ["devcontainer.local_folder", "/f"]]);
    const parsed = parse({ Config: { Labels: labels } }).labels;
    expect(parsed["devcontainer.local_folder"]).toBe("/f");
    expect(Object.keys(parsed)).toHaveLength(128);
    expect(Math.max(...Object.values(parsed).map((value) => value.length))).toBe(4096);
  });

  it("drops ports and labels that are malformed", () => {
    const ports = { "70000/tcp": null, "x/tcp": null, "80/tcp": [{ HostPort: "-1" }, "x", null] };
    const parsed = parse({
      NetworkSettings: { Ports: ports },
      Config: { Labels: { a: 1, b: "c" } },
    });
    expect(parsed.ports).toEqual([{ port: 80, network: "tcp" }]);
    expect(parsed.labels).toEqual({ b: "c" });
  });

  it.each(["", "{", "[]", "null", '"text"', "{}", '{"Id":"../etc"}', "[".repeat(100_000)])(
    "refuses %.20j",
    (json) => {
      expect(() => parseContainer(json)).toThrow(expect.objectContaining({ code: "malformed" }));
    },
  );
});
