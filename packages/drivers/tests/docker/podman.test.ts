import { openPodman } from "@slipway/testkit/engines";

import { describeEngine } from "./describe-engine.ts";

describeEngine("podman", openPodman, { hasLimits: true });
