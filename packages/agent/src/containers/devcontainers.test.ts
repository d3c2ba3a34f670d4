import { describe, expect, it } from "vitest";

import type { Container } from "./container.ts";
import { Devcontainers } from "./devcontainers.ts";

const anywhere = (): boolean => true;

function container(folder: string, change: Partial<Container> = {}): Container {
  return {
    created_at: "2026-11-30T01:00:00.000Z",
    id: "a".repeat(64),
    name: "box",
    image: "image",
    labels: { "devcontainer.local_folder": folder },
    running: true,
    ports: [],
    status: "running",
    volumes: {},
    ...change,
  };
}

function statusesOf(devcontainers: Devcontainers): readonly string[] {
  return devcontainers.list().map(({ name, status }) => `${name} ${status}`);
}

describe("Devcontainers", () => {
  it("finds them by the labels of containers, and forgets them with those", () => {
    const devcontainers = new Devcontainers();
    devcontainers.update([container("/home/ada/site")], anywhere);
    expect(devcontainers.list()).toMatchObject([
      { name: "site", workspace_folder: "/home/ada/site", status: "running", subagent_id: null },
    ]);
    const [{ id } = { id: "" }] = devcontainers.list();
    devcontainers.update([container("/home/ada/site", { running: false })], anywhere);
    expect(devcontainers.list()).toMatchObject([{ id, status: "stopped" }]);
    devcontainers.update([], anywhere);
    expect(devcontainers.list()).toEqual([]);
  });

  it("leaves out test runs, other containers, and those whose folder is elsewhere", () => {
    const devcontainers = new Devcontainers();
    const labels = { "devcontainer.local_folder": "/a", "devcontainer.is_test_run": "true" };
    const containers = [
      container("/a", { labels }),
      container("/b", { labels: {} }),
      container("/c"),
    ];
    devcontainers.update(containers, (folder) => folder !== "/c");
    expect(devcontainers.list()).toEqual([]);
  });

  it("keeps those of projects without a container, and knows them by folder and configuration", () => {
    const devcontainers = new Devcontainers();
    const configPath = "/p/.devcontainer/devcontainer.json";
    const id = devcontainers.discover({ folder: "/p", configPath });
    expect(devcontainers.discover({ folder: "/p", configPath })).toBe(id);
    expect(statusesOf(devcontainers)).toEqual(["p stopped"]);
    const labels = { "devcontainer.local_folder": "/p", "devcontainer.config_file": configPath };
    devcontainers.update([container("/p", { labels })], anywhere);
    expect(statusesOf(devcontainers)).toEqual(["p running"]);
    const other = { ...labels, "devcontainer.config_file": "/p/.devcontainer.json" };
    devcontainers.update(
      [container("/p", { labels }), container("/p", { labels: other })],
      anywhere,
    );
    expect(devcontainers.list()).toHaveLength(2);
    devcontainers.update([], anywhere);
    expect(statusesOf(devcontainers)).toEqual(["p stopped"]);
  });

  it("takes the running one of several containers, then the newest", () => {
    const devcontainers = new Devcontainers();
    const old = container("/p", { id: "1".repeat(64), created_at: "2026-11-29T01:00:00.000Z" });
    const stopped = container("/p", { id: "2".repeat(64), running: false });
    const newest = container("/p", { id: "3".repeat(64) });
    devcontainers.update([stopped, old], anywhere);
    expect(devcontainers.list()[0]?.container?.id).toBe(old.id);
    devcontainers.update([old, newest, stopped], anywhere);
    expect(devcontainers.list()[0]?.container?.id).toBe(newest.id);
  });

  it("gives each its own name", () => {
    const devcontainers = new Devcontainers();
    devcontainers.update([container("/a/p"), container("/b/p"), container("/c/b/p")], anywhere);
    expect(devcontainers.list().map(({ name }) => name)).toEqual(["b-p", "c-b-p", "p"]);
  });

  it("allows one operation at a time, and shows it until it ends", () => {
    const devcontainers = new Devcontainers();
    devcontainers.update([container("/p")], anywhere);
    const [{ id } = { id: "" }] = devcontainers.list();
    devcontainers.begin(id, "starting");
    expect(statusesOf(devcontainers)).toEqual(["p starting"]);
    expect(() => devcontainers.begin(id, "stopping")).toThrow(
      expect.objectContaining({ code: "busy" }),
    );
    // Its container is replaced meanwhile.
    devcontainers.update([], anywhere);
    expect(statusesOf(devcontainers)).toEqual(["p starting"]);
    devcontainers.finish(id, "no space left");
    expect(devcontainers.list()).toMatchObject([{ status: "error", error: "no space left" }]);
    devcontainers.begin(id, "starting");
    devcontainers.update([container("/p")], anywhere);
    devcontainers.finish(id);
    expect(statusesOf(devcontainers)).toEqual(["p running"]);
  });

  it("forgets a failure once the container runs", () => {
    const devcontainers = new Devcontainers();
    const id = devcontainers.discover({ folder: "/p", configPath: undefined }) ?? "";
    devcontainers.begin(id, "starting");
    devcontainers.finish(id, "broken");
    devcontainers.update([], anywhere);
    expect(statusesOf(devcontainers)).toEqual(["p error"]);
    devcontainers.update([container("/p")], anywhere);
    expect(statusesOf(devcontainers)).toEqual(["p running"]);
  });

  it("keeps a failure that the container from before has outlived", () => {
    const devcontainers = new Devcontainers();
    devcontainers.update([container("/p")], anywhere);
    const [{ id } = { id: "" }] = devcontainers.list();
    devcontainers.begin(id, "starting");
    devcontainers.finish(id, "broken");
    devcontainers.update([container("/p")], anywhere);
    expect(devcontainers.list()).toMatchObject([{ status: "running", error: "broken" }]);
    devcontainers.begin(id, "starting");
    devcontainers.finish(id);
    expect(devcontainers.list()[0]).not.toHaveProperty("error");
  });

  it("removes one of a label, and keeps one of the template", () => {
    const devcontainers = new Devcontainers();
    const declared = "6f1c5a55-6c5e-4ad5-8e7c-111111111111";
    const place = { folder: "/t", configPath: undefined };
    devcontainers.declare({ ...place, id: declared, name: "given", subAgentId: undefined });
    expect(statusesOf(devcontainers)).toEqual(["given starting"]);
    devcontainers.finish(declared);
    devcontainers.update([container("/p"), container("/t")], anywhere);
    for (const { id } of devcontainers.list()) devcontainers.remove(id);
    expect(devcontainers.list()).toMatchObject([{ id: declared, status: "stopped" }]);
    expect(() => devcontainers.get("other")).toThrow(expect.objectContaining({ code: "unknown" }));
  });

  it("shows at most 100", () => {
    const devcontainers = new Devcontainers();
    devcontainers.update(
      Array.from({ length: 150 }, (_, index) => container(`/p${index}`)),
      anywhere,
    );
    expect(devcontainers.list()).toHaveLength(100);
  });
});
