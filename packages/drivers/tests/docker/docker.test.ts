import { openDocker } from "@slipway/testkit/engines";

import { describeEngine } from "./describe-engine.ts";

describeEngine("Docker", () => openDocker(), { hasLimits: true });
