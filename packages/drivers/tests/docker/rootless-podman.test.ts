import { openRootlessPodman } from "@slipway/testkit/engines";

import { describeEngine } from "./describe-engine.ts";

describeEngine("rootless podman", openRootlessPodman, { hasLimits: false });
