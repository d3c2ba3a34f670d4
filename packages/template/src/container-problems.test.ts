import { describe, expect, it } from "vitest";

import { expectProblem, inAgent, parsed } from "../tests/support/template-texts.ts";
import { foreseeContainer } from "./foresee-container.ts";
import { renderDefinition, TemplateFormatError } from "./render-definition.ts";

const inDriver = (driver: string, lines: string): string =>
  inAgent(lines).replace("driver: process", `driver: ${driver}`);
const inContainer = (lines: string): string =>
  inDriver("docker", `container:\n  image: debian:12\n${lines.replaceAll(/^/gm, "  ")}`);
const inDocker = (line: string): string => inContainer(`docker:\n  ${line}`);
const withParameters = (text: string, parameters: string): string =>
  text.replace("\n", `\nparameters: { ${parameters} }\n`);
const containerOf = (text: string) => parsed(text).agents[0]?.container;

const example = `
image: registry.example.com:5000/team/dev:1.2@sha256:${"0".repeat(64)}
user: dev
command: [sleep, 5, infinity]
environment: { TZ: Europe/Berlin, LEVEL: 3 }
cpus: 1.5
memory: 2GiB
pids: 512
storage: 20Gi
volumes: { home: { path: /home/dev }, data: { path: /data, read_only: true } }
ports: { web: 8080, db-1: 5432 }
docker:
  runtime: io.containerd.runsc.v1
  network: build
  gpus: 2
  shm_size: 1GiB
  pull: always
  extra_hosts: ["db.example.com:10.0.0.5", "host:host-gateway", "six:::1"]
  privileged: true
  host_network: true
  host_pid: true
  devices: [/dev/fuse, "/dev/kvm:/dev/kvm:rw"]
  binds: ["/srv/data:/data2:ro", "/srv:/srv"]
  capabilities: [SYS_PTRACE]`;

describe("a container", () => {
  it("has every field", () => {
    const text = inDriver("docker", `container:${example.replaceAll("\n", "\n  ")}`);
    expect(foreseeContainer(parsed(text), { name: "main", container: containerOf(text) })).toEqual({
      image: `registry.example.com:5000/team/dev:1.2@sha256:${"0".repeat(64)}`,
      build: undefined,
      user: "dev",
      command: ["sleep", "5", "infinity"],
      environment: { TZ: "Europe/Berlin", LEVEL: "3" },
      cpus: 1.5,
      memoryBytes: 2 ** 31,
      pids: 512,
      storageBytes: 20 * 2 ** 30,
      volumes: [
        { name: "home", path: "/home/dev", isReadOnly: false },
        { name: "data", path: "/data", isReadOnly: true },
      ],
      ports: [
        { name: "web", port: 8080 },
        { name: "db-1", port: 5432 },
      ],
      docker: {
        runtime: "io.containerd.runsc.v1",
        network: "build",
        gpus: "2",
        shmBytes: 2 ** 30,
        pull: "always",
        extraHosts: ["db.example.com:10.0.0.5", "host:host-gateway", "six:::1"],
        isPrivileged: true,
        hostNetwork: true,
        hostPid: true,
        devices: ["/dev/fuse", "/dev/kvm:/dev/kvm:rw"],
        binds: ["/srv/data:/data2:ro", "/srv:/srv"],
        capabilities: ["SYS_PTRACE"],
      },
    });
  });

  it("needs an image only", () => {
    const text = inContainer("");
    expect(foreseeContainer(parsed(text), { name: "main", container: containerOf(text) })).toEqual({
      image: "debian:12",
      build: undefined,
      user: "",
      command: [],
      environment: {},
      cpus: undefined,
      memoryBytes: undefined,
      pids: undefined,
      storageBytes: undefined,
      volumes: [],
      ports: [],
      docker: {
        runtime: "",
        network: "",
        gpus: "",
        shmBytes: undefined,
        pull: "missing",
        extraHosts: [],
        isPrivileged: false,
        hostNetwork: false,
        hostPid: false,
        devices: [],
        binds: [],
        capabilities: [],
      },
    });
  });

  it("is built from files of the template", () => {
    const text = inDriver("docker", "container: { build: { target: dev, args: { VERSION: 24 } } }");
    expect(containerOf(text)).toMatchObject({
      image: "",
      build: { dockerfile: "Dockerfile", context: ".", target: "dev", args: { VERSION: "24" } },
    });
  });
});

describe("problems of containers", () => {
  const at = "agents.main.container";

  it.each([
    [
      "no container with docker",
      "driver: docker\nagents:\n  «main: {}",
      "agents.main",
      "missing key `container`: the driver `docker` runs each agent in a container",
    ],
    [
      "no container with kubernetes",
      "driver: kubernetes\nagents:\n  «main: {}",
      "agents.main",
      "the driver `kubernetes` runs each agent in a container",
    ],
    [
      "a container with another driver",
      inDriver("process", "«container: { image: debian }"),
      at,
      "found `container` with the driver `process`, which runs no containers, wanted one of the drivers docker, kubernetes",
    ],
    [
      "a part for docker with kubernetes",
      inDriver("kubernetes", "container: { image: debian, «docker: {} }"),
      `${at}.docker`,
      "found `docker` with the driver `kubernetes`",
    ],
    [
      "a container of another system",
      inContainer("").replace("container:", "os: «windows\n    container:"),
      "agents.main.os",
      "whose containers run linux",
    ],
    [
      "neither image nor build",
      inDriver("docker", "«container: {}"),
      at,
      "found neither `image` nor `build`, wanted one of them",
    ],
    [
      "image and build",
      inContainer("build: {}").replace("container:", "«container:"),
      at,
      "found both `image` and `build`",
    ],
    [
      "an image that is none",
      inDriver("docker", "container: { image: «Debian }"),
      `${at}.image`,
      "wanted the name of an image",
    ],
    [
      "a user with blanks",
      inContainer("user: «a b"),
      `${at}.user`,
      "wanted a user such as dev, 1000",
    ],
    [
      "a text as processors",
      inContainer("cpus: «many"),
      `${at}.cpus`,
      "wanted a number of processors",
    ],
    ["no processor", inContainer("cpus: «0"), `${at}.cpus`, "from 0.01 to 1024"],
    [
      "memory without a unit",
      inContainer("memory: «512"),
      `${at}.memory`,
      "write the unit, such as 512MiB",
    ],
    ["little memory", inContainer("memory: «1MiB"), `${at}.memory`, "from 64MiB to 64TiB"],
    [
      "a unit with two meanings",
      inContainer("storage: «512m"),
      `${at}.storage`,
      "wanted a size such as 512MiB",
    ],
    ["few processes", inContainer("pids: «1"), `${at}.pids`, "from 64 to"],
    [
      "a volume over the system",
      inContainer("volumes: { a: { path: «/proc } }"),
      `${at}.volumes.a.path`,
      "outside /proc",
    ],
    [
      "a volume at the root",
      inContainer("volumes: { a: { path: «/ } }"),
      `${at}.volumes.a.path`,
      "wanted an absolute path",
    ],
    [
      "a volume in another",
      inContainer("volumes: { in: { path: «/a/b }, out: { path: /a } }"),
      `${at}.volumes.in.path`,
      'found "/a/b" in the volume at "/a"',
    ],
    [
      "two volumes at one place",
      inContainer("volumes: { a: { path: /a }, b: { path: «/a } }"),
      `${at}.volumes.b.path`,
      "wanted volumes apart from each other",
    ],
    [
      "a volume with a bad name",
      inContainer("volumes: { «A_B: { path: /a } }"),
      `${at}.volumes.A_B`,
      "lowercase",
    ],
    [
      "a port with a long name",
      inContainer(`ports: { «${"a".repeat(16)}: 1 }`),
      `${at}.ports.${"a".repeat(16)}`,
      "at most 15",
    ],
    [
      "a port without a letter",
      inContainer('ports: { «"80": 80 }'),
      `${at}.ports.80`,
      "at least one letter",
    ],
    [
      "a port twice",
      inContainer("ports: { a: 80, b: «80 }"),
      `${at}.ports.b`,
      "`a` already has it",
    ],
    [
      "a command without a program",
      inContainer('command: [«"", x]'),
      `${at}.command[0]`,
      "wanted the program",
    ],
    [
      "a user's value in a shell's words",
      withParameters(inContainer('command: [/bin/sh, -c, "echo «${{ parameters.a }}"]'), "a: {}"),
      `${at}.command[2]`,
      "in text that a shell runs",
    ],
    [
      "a Dockerfile elsewhere",
      inDriver("docker", "container: { build: { dockerfile: «../x } }"),
      `${at}.build.dockerfile`,
      "relative to slipway.yaml",
    ],
    [
      "the host's network by its name",
      inDocker("network: «host"),
      `${at}.docker.network`,
      "wanted `host_network: true`",
    ],
    ["no network", inDocker("network: «none"), `${at}.docker.network`, "reaches the server"],
    ["some GPUs", inDocker("gpus: «some"), `${at}.docker.gpus`, "wanted all, or a number"],
    [
      "a device elsewhere",
      inDocker("devices: [«/etc/passwd]"),
      `${at}.docker.devices[0]`,
      "wanted a device",
    ],
    [
      "a relative bind",
      inDocker('binds: [«"a:/b"]'),
      `${at}.docker.binds[0]`,
      "wanted a path of the host",
    ],
    [
      "a bind over our own files",
      inDocker('binds: [«"/a:/.slipway"]'),
      `${at}.docker.binds[0]`,
      "outside /.slipway",
    ],
    [
      "a bind that leaves its path",
      inDocker('binds: [«"/a/../b:/c"]'),
      `${at}.docker.binds[0]`,
      "wanted a path of the host",
    ],
    [
      "a host without an address",
      inDocker("extra_hosts: [«db]"),
      `${at}.docker.extra_hosts[0]`,
      "wanted a name and an address",
    ],
    [
      "a small capability",
      inDocker("capabilities: [«net_admin]"),
      `${at}.docker.capabilities[0]`,
      "wanted a capability such as",
    ],
    ["a shm without a unit", inDocker("shm_size: «64"), `${at}.docker.shm_size`, "write the unit"],
  ])("says where %s is", (_, text, path, message) => {
    expectProblem(text, path, message);
  });

  it.each(["owner.username", "workspace.name"])(
    "refuses %s where a claim would not change it",
    (name) => {
      const pool = "\npresets: { p: { prebuilds: { instances: 1 } } }\n";
      const text = inContainer(`environment: { A: "«\${{ ${name} }}" }`);
      expectProblem(text.replace("\n", pool), `${at}.environment.A`, "before it has an owner");
      const restarted = text.replace("«", "").replace("\n", `\non_claim: restart${pool}`);
      expect(containerOf(restarted)?.environment["A"]).toContain(name);
    },
  );
});

describe("the values of a container", () => {
  const text = withParameters(
    inContainer(
      [
        "cpus: ${{ parameters.cpus }}",
        "memory: ${{ parameters.memory }}GiB",
        'environment: { A: "${{ owner.id }}", B: "${{ parameters.cpus }}" }',
        'command: ["${{ parameters.program }}", "${{ owner.name }}"]',
      ].join("\n"),
    ).replace("debian:12", "debian:${{ parameters.tag }}"),
    "cpus: { default: 2 }, memory: { default: 3 }, tag: {}, program: { default: run }",
  );
  const values = {
    owner: { id: "u1", username: "ada", name: "Ada L", email: "ada@x" },
    workspace: { id: "w1", name: "box" },
    template: { name: "demo", version: "v1" },
  };
  const render = (given: Readonly<Record<string, string>>) => {
    const all = { cpus: "2", memory: "3", tag: "12", program: "run", ...given };
    const parameters = Object.entries(all).map(([name, value]) => ({ name, value }));
    return renderDefinition(parsed(text), { ...values, parameters })[0]?.container;
  };

  it("are those of a build", () => {
    expect(render({ memory: "0.5" })).toMatchObject({
      image: "debian:12",
      cpus: "2",
      memory: "0.5GiB",
      environment: { A: "u1", B: "2" },
      command: ["run", "Ada L"],
    });
  });

  it.each([
    ["cpus", { cpus: "none" }, 'agent main, cpus: found "none", wanted a number of processors'],
    ["memory", { memory: "0" }, 'agent main, memory: found "0GiB", wanted a size'],
    ["image", { tag: "a b" }, 'agent main, image: found "debian:a b", wanted the name of an image'],
    [
      "program",
      { program: "/bin/bash" },
      "agent main, command: found `${{ parameters.program }}` in text",
    ],
  ])("that make a wrong %s are refused", (_, given, message) => {
    expect(() => render(given)).toThrow(TemplateFormatError);
    expect(() => render(given)).toThrow(message);
  });

  it("are foreseen from defaults", () => {
    expect(
      foreseeContainer(parsed(text), { name: "main", container: containerOf(text) }),
    ).toMatchObject({
      image: "",
      cpus: 2,
      memoryBytes: 3 * 2 ** 30,
      environment: { B: "2" },
      command: ["run", ""],
    });
  });

  it("that are foreseen to be wrong are refused", () => {
    const wrong = text.replace("memory: { default: 3 }", "memory: { default: x }");
    const foresee = () =>
      foreseeContainer(parsed(wrong), { name: "main", container: containerOf(wrong) });
    expect(foresee).toThrow('agent main, memory, with the defaults: found "xGiB"');
  });

  it("are absent in definitions from before there were containers", () => {
    const stored = JSON.parse(JSON.stringify(parsed(inAgent("os: linux"))));
    const [agent] = renderDefinition(stored, { ...values, parameters: [] });
    expect(agent?.container).toBeUndefined();
  });
});
