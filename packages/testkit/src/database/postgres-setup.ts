import type { TestProject } from "vitest/node";

import { openTestPostgres } from "./test-postgres.ts";

/** Provides a test run with PostgreSQL. */
// oxlint-disable-next-line import/no-default-export -- vitest calls the default export of a global setup
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await openTestPostgres();
  project.provide("postgresUrl", postgres.url);
  return async () => {
    await postgres[Symbol.asyncDispose]();
  };
}
