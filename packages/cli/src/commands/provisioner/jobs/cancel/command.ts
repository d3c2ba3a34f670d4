import { defineCommand } from "../../../../command/definition.ts";

export const command = defineCommand({
  summary: "cancel a pending or running import or build",
  arguments: { job: { summary: "id of the job", required: true } },
  flags: {},
  examples: [
    {
      line: "slipway provisioner jobs cancel 0190a1b2-0000-7000-8000-000000000001",
      summary: "an id from: slipway provisioner jobs list",
    },
  ],
});
