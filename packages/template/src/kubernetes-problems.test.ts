import { describe, expect, it } from "vitest";

import { drivers, expectProblem, inAgent, parsed } from "../tests/support/template-texts.ts";
import { foreseeContainer } from "./foresee-container.ts";
import { parseTemplateDefinition } from "./parse-definition.ts";

const inDriver = (driver: string, lines: string): string =>
  inAgent(`container:\n  image: debian:12\n${lines.replaceAll(/^/gm, "  ")}`).replace(
    "driver: process",
    `driver: ${driver}`,
  );
const inKubernetes = (line: string): string => inDriver("kubernetes", `kubernetes:\n  ${line}`);

/** Returns the only problem of a template. */
function problemOf(text: string): string {
  const result = parseTemplateDefinition(text, { drivers });
  const problems = "problems" in result ? result.problems : [];
  expect(problems).toHaveLength(1);
  return problems.map(({ path, message }) => `${path}: ${message}`).join();
}

const example = `
kubernetes:
  requests: { cpus: 0.5, memory: 1GiB }
  storage_class: fast
  volume_size: 20GiB
  node_selector: { pool: workspaces }
  tolerations: [{ key: gpu, value: "true", effect: NoSchedule }, { seconds: 60 }]
  runtime_class: gvisor
  service_account: deployer
  image_pull_secrets: [registry]
  labels: { team: platform }
  annotations: { example.com/cost-center: 42 }
  patch: { priorityClassName: high, containers: [{ name: workspace, stdin: true }] }`;

describe("the section kubernetes", () => {
  it("has every field", () => {
    const text = inDriver("kubernetes", example);
    const container = parsed(text).agents[0]?.container;
    const values = foreseeContainer(parsed(text), { name: "main", container });
    expect(values?.kubernetes).toEqual({
      requests: { cpus: 0.5, memoryBytes: 2 ** 30 },
      storageClass: "fast",
      volumeBytes: 20 * 2 ** 30,
      nodeSelector: { pool: "workspaces" },
      tolerations: [{ key: "gpu", value: "true", effect: "NoSchedule" }, { seconds: 60 }],
      runtimeClass: "gvisor",
      serviceAccount: "deployer",
      imagePullSecrets: ["registry"],
      labels: { team: "platform" },
      annotations: { "example.com/cost-center": "42" },
      patch: { priorityClassName: "high", containers: [{ name: "workspace", stdin: true }] },
    });
  });

  it("belongs to its driver, and that of docker to docker", () => {
    const path = "agents.main.container";
    expectProblem(
      inDriver("docker", "«kubernetes:\n  storage_class: fast"),
      `${path}.kubernetes`,
      "found `kubernetes` with the driver `docker`, wanted none",
    );
    expectProblem(
      inDriver("kubernetes", "«docker:\n  runtime: runsc"),
      `${path}.docker`,
      "found `docker` with the driver `kubernetes`, wanted none",
    );
    expectProblem(
      inDriver("kubernetes/eu", "«docker:\n  runtime: runsc"),
      `${path}.docker`,
      "found `docker` with the driver `kubernetes/eu`, wanted none",
    );
    expect(parsed(inDriver("kubernetes", "user: dev")).driver).toBe("kubernetes");
    const named = inDriver("kubernetes/eu", "kubernetes:\n  storage_class: fast");
    expect(parsed(named).driver).toBe("kubernetes/eu");
  });

  it("belongs to a container, which agents on a cluster with a name need too", () => {
    expectProblem(
      "driver: kubernetes/eu\nagents:\n  «main: {}",
      "agents.main",
      "the driver `kubernetes/eu` runs each agent in a container",
    );
  });

  it("runs images that exist", () => {
    expectProblem(
      inDriver("kubernetes", "«build: {}").replace("      image: debian:12\n", ""),
      "agents.main.container.build",
      "found `build` with the driver `kubernetes`, whose nodes only pull images",
    );
    expectProblem(
      inDriver("kubernetes/eu", "«build: {}").replace("      image: debian:12\n", ""),
      "agents.main.container.build",
      "found `build` with the driver `kubernetes/eu`, whose nodes only pull images",
    );
  });

  it.each([
    ["storage_class: Fast", "wanted the name of a storage class"],
    ["volume_size: 20", "wanted a size such as 512MiB or 2GiB"],
    ["requests: { cpus: many }", "wanted a number of processors"],
    ["tolerations: [{ effect: Never }]", "wanted one of NoSchedule, PreferNoSchedule, NoExecute"],
    ["node_selector: { 'a b': c }", "found the name"],
    ["node_selector: { a: 'b c' }", "wanted letters, digits, dashes"],
    ["labels: { slipway/workspace: x }", "which the server sets"],
    ["annotations: { slipway/token-hash: x }", "which the server sets"],
    ["patch: 5", "wanted a map"],
    ["patch: { a: 1, a: 2 }", "duplicate key `a`"],
    [`patch: ${"{ a: ".repeat(30)}1${" }".repeat(30)}`, "found more than 24 levels"],
    ["image_pull_secrets: [A_B]", "wanted the name of a secret"],
  ])("refuses %s", (line, message) => {
    expect(problemOf(inKubernetes(line))).toContain(message);
  });
});
