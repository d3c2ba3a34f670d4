import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Small files whose tests take long. Until vitest knows durations, as in a new clone, it starts files by size, the
 * smallest last, and one core would run these alone at the end.
 */
export const slowFiles: readonly string[] = [
  "packages/drivers/src/terraform/run-lease.test.ts",
  "packages/drivers/src/terraform/run-command.test.ts",
  "packages/simulation/src/burst/run-burst.test.ts",
  "packages/simulation/src/explore.test.ts",
  "packages/simulation/src/run-world.test.ts",
  "packages/wire/src/tcp/throughput.test.ts",
  "packages/server/src/network/own-peer/own-peer.test.ts",
  "packages/agent/src/ssh/ssh-service.test.ts",
  "packages/server/tests/authorization.test.ts",
  "packages/server/tests/app-refusals.test.ts",
  "packages/server/tests/claim-retry.test.ts",
  "packages/server/tests/late-reports.test.ts",
  "packages/server/tests/reset-password.test.ts",
  "packages/server/tests/draining.test.ts",
  "packages/server/tests/system-authorities.test.ts",
  "packages/cli/tests/install.test.ts",
  "packages/cli/tests/prebuilds.test.ts",
  "packages/drivers/tests/compliance.test.ts",
];

/** Starts slow files before the others of their project. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- the method of vitest, which returns a copy
    const sorted = await super.sort(files);
    const projects = new Set(sorted.map(({ project }) => project.name));
    return [...projects].flatMap((name) => {
      const own = sorted.filter(({ project }) => project.name === name);
      return own.filter(isSlow).concat(own.filter((file) => !isSlow(file)));
    });
  }
}

function isSlow({ moduleId }: TestSpecification): boolean {
  return slowFiles.some((path) => moduleId.endsWith(`/${path}`));
}
